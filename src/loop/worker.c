#include "loop/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define WORKER_STACK ((size_t) 256 * 1024)

/* The thread and the fiber each mark their end; whoever comes second owns the rest. */
enum { WORKER_RUNNING, WORKER_FINISHED, WORKER_ABANDONED };

typedef struct Worker {
        atomic_int
                refs; /* the thread's and the fiber's: the thread may still be writing when the fiber is done */
        atomic_int state;
        int event_fd;
        WorkerFn fn;
        void *job;
        void (*free_job)(void *job);
} Worker;

static void worker_unref(Worker *w)
{
        if (atomic_fetch_sub(&w->refs, 1) > 1)
                return;
        if (w->event_fd >= 0)
                (void) close(w->event_fd);
        free(w);
}

static void *thread_main(void *userdata)
{
        Worker *w = userdata;
        uint64_t one = 1;

        w->fn(w->job);
        if (atomic_exchange(&w->state, WORKER_FINISHED) == WORKER_ABANDONED)
                w->free_job(w->job);
        else if (write(w->event_fd, &one, sizeof one) < 0)
                abort(); /* an eventfd takes its first 1 always */
        worker_unref(w);
        return NULL;
}

/* Signals stay the loop's business: the thread starts with all of them blocked. */
static int thread_start(Worker *w)
{
        pthread_attr_t attr;
        sigset_t all, old;
        pthread_t thread;
        int r;

        (void) pthread_attr_init(&attr);
        (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        (void) pthread_attr_setstacksize(&attr, WORKER_STACK);
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&thread, &attr, thread_main, w);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attr);
        return r;
}

int worker_run(WorkerFn fn, void *job, void (*free_job)(void *job), uint64_t deadline, Error *err)
{
        Worker *w = calloc(1, sizeof *w);
        int r;

        if (!w) {
                free_job(job);
                return error_oom(err, "a worker");
        }
        *w = (Worker){ .refs = 2,
                       .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                       .fn = fn,
                       .job = job,
                       .free_job = free_job };
        r = w->event_fd < 0 ? EMFILE : thread_start(w);
        if (r != 0) {
                free_job(job);
                atomic_store(&w->refs, 1);
                worker_unref(w);
                return error_set(err, ERROR_INTERNAL, "cannot start a worker thread: %s",
                                 strerror(r));
        }
        r = fiber_wait_fd(w->event_fd, EPOLLIN, deadline, err);
        /* Finished in the very moment of giving up: the job is ours to free. */
        if (r < 0 && atomic_exchange(&w->state, WORKER_ABANDONED) == WORKER_FINISHED)
                free_job(job);
        worker_unref(w);
        return r < 0 ? r : 0;
}
