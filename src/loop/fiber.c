#include "loop/fiber.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "util/log.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define FIBER_ASAN 0
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0U
#define VALGRIND_STACK_DEREGISTER(id) ((void) (id))
#endif

/* libpq and OpenSSL handshakes were measured to run well within 256 KiB (design/FIBERS.md). The sanitizer's red
 * zones roughly double each frame. */
#define STACK_SIZE ((size_t) (FIBER_ASAN ? 1024 : 256) * 1024)
#define GUARD_SIZE ((size_t) 4096)
#define POOL_MAX 4
/* How long a computation may keep the loop from others: half of the 5 ms that a dispatch may take. */
#define FIBER_SLICE (2 * USEC_PER_MSEC)

struct Fiber {
        sd_event *event;
        const char *name;
        FiberMain fn;
        void *userdata;
        FiberDone done;
        ucontext_t context, caller;
        char *map; /* guard page, then the stack */
        unsigned valgrind_id;
        sd_event_source *resume_source;
        ListNode waiting; /* in a Condition, or in none */
        uint64_t deadline;
        unsigned shields;
        uint64_t resumed; /* monotonic: since when it has had the loop */
        bool cancelled, finished, parked;
        int wake; /* what the wait returns: revents, 0, or -ErrorCode */
        int result;
        Error err;
        void *fake_stack;
        const void *caller_bottom;
        size_t caller_size;
};

static Fiber *current;
static unsigned live_count;
static char *pool[POOL_MAX];
static unsigned pool_count;

Fiber *fiber_self(void)
{
        return current;
}

sd_event *fiber_event(void)
{
        return current->event;
}

unsigned fiber_count(void)
{
        return live_count;
}

bool fiber_cancelled(void)
{
        return current && current->cancelled;
}

/* ---- stacks ---- */

static char *stack_new(void)
{
        char *map;

        if (pool_count > 0)
                return pool[--pool_count];
        map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED)
                return NULL;
        if (mprotect(map, GUARD_SIZE, PROT_NONE) < 0) {
                (void) munmap(map, GUARD_SIZE + STACK_SIZE);
                return NULL;
        }
        return map;
}

static void stack_free(char *map)
{
#if FIBER_ASAN
        __asan_unpoison_memory_region(map + GUARD_SIZE, STACK_SIZE);
#endif
        if (pool_count < POOL_MAX)
                pool[pool_count++] = map;
        else
                (void) munmap(map, GUARD_SIZE + STACK_SIZE);
}

/* ---- switching ---- */

static void before_switch(void **fake_stack, const void *bottom, size_t size)
{
#if FIBER_ASAN
        __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#else
        (void) fake_stack, (void) bottom, (void) size;
#endif
}

static void after_switch(void *fake_stack, const void **bottom, size_t *size)
{
#if FIBER_ASAN
        __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
#else
        (void) fake_stack, (void) bottom, (void) size;
#endif
}

/* makecontext() passes ints only, so the pointer comes in two halves. */
static void entry(unsigned low, unsigned high)
{
        Fiber *f = (Fiber *) ((uintptr_t) low | (uintptr_t) high << 32);

        after_switch(NULL, &f->caller_bottom, &f->caller_size);
        f->result = f->fn(f->userdata, &f->err);
        f->finished = true;
        before_switch(NULL, f->caller_bottom, f->caller_size);
        (void) setcontext(&f->caller);
}

static void fiber_free(Fiber *f)
{
        sd_event_source_disable_unref(f->resume_source);
        VALGRIND_STACK_DEREGISTER(f->valgrind_id);
        if (f->map)
                stack_free(f->map);
        sd_event_unref(f->event);
        free(f);
}

static void resume(Fiber *f)
{
        Fiber *previous = current;
        void *fake_stack = NULL;

        f->resume_source = sd_event_source_disable_unref(f->resume_source);
        list_remove(&f->waiting);
        current = f;
        f->resumed = clock_monotonic();
        before_switch(&fake_stack, f->map + GUARD_SIZE, STACK_SIZE);
        (void) swapcontext(&f->caller, &f->context);
        after_switch(fake_stack, NULL, NULL);
        current = previous;
        if (f->finished) {
                FiberDone done = f->done;
                void *userdata = f->userdata;
                int r = f->result;
                Error err = f->err;

                live_count--;
                fiber_free(f);
                if (done)
                        done(userdata, r, &err);
        }
}

static int park(Fiber *f)
{
        f->parked = true;
        before_switch(&f->fake_stack, f->caller_bottom, f->caller_size);
        (void) swapcontext(&f->context, &f->caller);
        after_switch(f->fake_stack, &f->caller_bottom, &f->caller_size);
        f->parked = false;
        return f->wake;
}

static int on_resume(sd_event_source *s, void *userdata)
{
        (void) s;
        resume(userdata);
        return 0;
}

/* Never synchronously: whoever wakes a fiber goes on first. A new source each time, because sd-event (252) gives a
 * deferred source its place in the queue when it is made: one that is only enabled again would go first for ever. */
static int wake_later(Fiber *f, int wake)
{
        f->wake = wake;
        if (f->resume_source)
                return 0;
        return sd_event_add_defer(f->event, &f->resume_source, on_resume, f);
}

/* A fiber that cannot be woken would hold its locks for ever: better to die and be started again. */
static void wake_or_die(Fiber *f, int wake)
{
        if (wake_later(f, wake) < 0) {
                log_error("out of memory for waking a fiber", LOG_S("FIBER", f->name));
                abort();
        }
}

int fiber_spawn(Fiber **ret, sd_event *event, const char *name, FiberMain fn, void *userdata,
                FiberDone done, Error *err)
{
        Fiber *f = calloc(1, sizeof *f);
        int r;

        if (!f)
                return error_oom(err, "a fiber");
        *f = (Fiber){ .event = sd_event_ref(event),
                      .name = name,
                      .fn = fn,
                      .userdata = userdata,
                      .done = done,
                      .deadline = USEC_INFINITY };
        list_init(&f->waiting);
        f->map = stack_new();
        if (!f->map) {
                fiber_free(f);
                return error_oom(err, "a fiber's stack");
        }
        f->valgrind_id =
                VALGRIND_STACK_REGISTER(f->map + GUARD_SIZE, f->map + GUARD_SIZE + STACK_SIZE);
        (void) getcontext(&f->context);
        f->context.uc_stack.ss_sp = f->map + GUARD_SIZE;
        f->context.uc_stack.ss_size = STACK_SIZE;
        makecontext(&f->context, (void (*)(void)) entry, 2, (unsigned) (uintptr_t) f,
                    (unsigned) ((uintptr_t) f >> 32));
        r = wake_later(f, 0);
        if (r < 0) {
                fiber_free(f);
                return error_set(err, ERROR_INTERNAL, "cannot start fiber %s: %s", name,
                                 strerror(-r));
        }
        live_count++;
        if (ret)
                *ret = f;
        return 0;
}

void fiber_cancel(Fiber *f)
{
        f->cancelled = true;
        if (f->parked && f->shields == 0)
                wake_or_die(f, -(int) ERROR_CANCELLED);
}

/* ---- waiting ---- */

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        Fiber *f = userdata;

        (void) s, (void) fd;
        f->wake = (int) revents;
        resume(f);
        return 0;
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata)
{
        Fiber *f = userdata;

        (void) s, (void) usec;
        f->wake = -(int) ERROR_TIMEOUT;
        resume(f);
        return 0;
}

static int wait_error(Fiber *f, int wake, uint64_t deadline, Error *err)
{
        if (wake == -(int) ERROR_CANCELLED)
                return error_set(err, ERROR_CANCELLED, "cancelled");
        if (f->deadline <= deadline)
                return error_set(err, ERROR_DEADLINE, "the deadline passed");
        return error_set(err, ERROR_TIMEOUT, "timed out");
}

/* fd < 0: no descriptor. The condition, if any, has been entered by the caller. */
static int wait_for(int fd, uint32_t events, uint64_t deadline, Error *err)
{
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *io = NULL, *timer = NULL;
        Fiber *f = current;
        uint64_t until = deadline < f->deadline ? deadline : f->deadline;
        int r = 0;

        if (f->cancelled && f->shields == 0) {
                list_remove(&f->waiting);
                return wait_error(f, -(int) ERROR_CANCELLED, deadline, err);
        }
        if (fd >= 0)
                r = sd_event_add_io(f->event, &io, fd, events, on_io, f);
        if (r >= 0 && until != USEC_INFINITY)
                r = sd_event_add_time(f->event, &timer, CLOCK_MONOTONIC, until, USEC_PER_MSEC,
                                      on_time, f);
        if (r < 0) {
                list_remove(&f->waiting);
                return error_set(err, ERROR_INTERNAL, "fiber %s cannot wait: %s", f->name,
                                 strerror(-r));
        }
        r = park(f);
        return r < 0 ? wait_error(f, r, deadline, err) : r;
}

int fiber_wait_fd(int fd, uint32_t events, uint64_t deadline, Error *err)
{
        return wait_for(fd, events, deadline, err);
}

int fiber_sleep(uint64_t usec, Error *err)
{
        int r = wait_for(-1, 0, clock_after(usec), err);

        return r == -(int) ERROR_TIMEOUT ? 0 : r;
}

int fiber_yield(Error *err)
{
        wake_or_die(current, 0);
        return wait_for(-1, 0, USEC_INFINITY, err);
}

int fiber_breathe(Error *err)
{
        if (!current || clock_monotonic() - current->resumed < FIBER_SLICE)
                return 0;
        return fiber_yield(err);
}

void condition_init(Condition *c)
{
        list_init(&c->waiters);
}

void condition_signal(Condition *c)
{
        while (!list_empty(&c->waiters)) {
                Fiber *f = list_entry(c->waiters.next, Fiber, waiting);

                list_remove(&f->waiting);
                /* A cancel that is under way wins: it says so at the next wait in any case. */
                if (!f->cancelled || f->shields > 0)
                        wake_or_die(f, 0);
        }
}

int fiber_wait(Condition *c, uint64_t deadline, Error *err)
{
        list_append(&c->waiters, &current->waiting);
        return wait_for(-1, 0, deadline, err);
}

FiberDeadline fiber_deadline_push(uint64_t deadline)
{
        FiberDeadline d = { .saved = current->deadline, .pushed = true };

        if (deadline < current->deadline)
                current->deadline = deadline;
        return d;
}

void fiber_deadline_pop(FiberDeadline *d)
{
        if (d->pushed)
                current->deadline = d->saved;
        d->pushed = false;
}

uint64_t fiber_deadline(void)
{
        return current->deadline;
}

FiberShield fiber_shield_begin(void)
{
        FiberShield s = { .saved = current->deadline, .begun = true };

        current->deadline = USEC_INFINITY;
        current->shields++;
        return s;
}

void fiber_shield_end(FiberShield *s)
{
        if (!s->begun)
                return;
        current->shields--;
        current->deadline = s->saved;
        s->begun = false;
}
