#pragma once
/* Runs a test's body inside a fiber, on a loop of its own, until it returns. */
#include <systemd/sd-event.h>

#include "loop/fiber.h"

typedef struct InFiber {
        sd_event *event;
        int result;
        Error err;
} InFiber;

static void in_fiber_done(void *userdata, int r, const Error *err);

typedef struct InFiberCall {
        InFiber *run;
        FiberMain fn;
        void *userdata;
} InFiberCall;

static int in_fiber_main(void *userdata, Error *err)
{
        InFiberCall *call = userdata;

        return call->fn(call->userdata, err);
}

static void in_fiber_done(void *userdata, int r, const Error *err)
{
        InFiberCall *call = userdata;

        call->run->result = r;
        call->run->err = *err;
        (void) sd_event_exit(call->run->event, 0);
}

/* What fn returned; *err is its error. */
static inline int in_fiber(FiberMain fn, void *userdata, Error *err)
{
        InFiber run = { .event = NULL };
        InFiberCall call = { .run = &run, .fn = fn, .userdata = userdata };

        if (sd_event_new(&run.event) < 0)
                return error_set(err, ERROR_INTERNAL, "no event loop");
        if (fiber_spawn(NULL, run.event, "test", in_fiber_main, &call, in_fiber_done, err) < 0)
                return -(int) err->code;
        (void) sd_event_loop(run.event);
        sd_event_unref(run.event);
        *err = run.err;
        return run.result;
}
