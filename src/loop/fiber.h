#pragma once
/* Fibers: straight-line code on the one event loop. A fiber runs until it waits; between two waits it
 * owns the world, so nothing needs a lock. Whatever a fiber may wait for is below; nothing else yields.
 *
 * A wait returns >= 0, or one of
 *   -ERROR_TIMEOUT    the wait's own deadline passed
 *   -ERROR_DEADLINE   a deadline pushed around it (fiber_deadline_push) passed: unwind, do not retry
 *   -ERROR_CANCELLED  the fiber was cancelled: unwind; every later wait says so too, outside a shield
 * Deadlines are absolute CLOCK_MONOTONIC usec; USEC_INFINITY is none. */
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/list.h"

typedef struct Fiber Fiber;
typedef int (*FiberMain)(void *userdata, Error *err);
/* Called from the loop after the fiber's stack is gone; r and err are what its main returned (err is
 * meaningful when r < 0). The Fiber pointer is dead by then. */
typedef void (*FiberDone)(void *userdata, int r, const Error *err);

/* Starts at the next turn of the loop, never inside the call. name is a literal. */
int fiber_spawn(Fiber **ret, sd_event *event, const char *name, FiberMain fn, void *userdata,
                FiberDone done, Error *err);
void fiber_cancel(Fiber *f);
Fiber *fiber_self(void);     /* NULL outside fibers */
sd_event *fiber_event(void); /* the loop of the running fiber; borrowed */
bool fiber_cancelled(void); /* has the running fiber been cancelled (shields do not hide it here) */

/* -- below: only inside a fiber -- */

/* Waits for EPOLLIN/EPOLLOUT/...: the events that came (> 0). The registration is made anew for each
 * wait, since libpq may have closed its socket and opened another under the same number. */
int fiber_wait_fd(int fd, uint32_t events, uint64_t deadline, Error *err);
int fiber_sleep(uint64_t usec, Error *err); /* 0 when the time is over */
int fiber_yield(Error *err);                /* lets the loop turn once */
/* For long computations, called often: lets the loop turn once the fiber has had it for FIBER_SLICE. Outside a fiber it does nothing, so
 * that pure code may call it. An error (cancelled) may be ignored: the next wait says so again. */
int fiber_breathe(Error *err);

/* A condition: fibers wait for it, anybody on the loop signals it. No memory of past signals: check
 * the state you wait for in a loop around fiber_wait(). */
typedef struct Condition {
        ListNode waiters;
} Condition;
void condition_init(Condition *c);
void condition_signal(Condition *c); /* wakes all who wait now */
int fiber_wait(Condition *c, uint64_t deadline, Error *err);

/* Narrows every wait below it, to the end of the scope:
 *     _cleanup_(fiber_deadline_pop) FiberDeadline d = fiber_deadline_push(deadline); */
typedef struct FiberDeadline {
        uint64_t saved;
        bool pushed;
} FiberDeadline;
FiberDeadline fiber_deadline_push(uint64_t deadline);
void fiber_deadline_pop(FiberDeadline *d);
uint64_t fiber_deadline(void); /* the narrowest one in force */

/* A section that must finish once begun (sending a cancel, rolling back): cancellation and outer
 * deadlines do not reach into it, so every wait inside needs a deadline of its own.
 *     _cleanup_(fiber_shield_end) FiberShield s = fiber_shield_begin(); */
typedef struct FiberShield {
        uint64_t saved;
        bool begun;
} FiberShield;
FiberShield fiber_shield_begin(void);
void fiber_shield_end(FiberShield *s);

/* For tests and the gauge in /metrics. */
unsigned fiber_count(void);
