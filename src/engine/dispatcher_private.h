#pragma once
/* Inside of the dispatcher: shared by what runs (dispatcher.c) and what answers questions (dispatcher_query.c). */
#include "engine/database.h"
#include "engine/dispatcher.h"

/* A database and what is to be done to it. */
typedef struct Lane {
        Dispatcher *dispatcher;
        Database *database;
        ListNode queue; /* Run.node */
        size_t queued;
        Fiber *fiber;      /* NULL: nothing is going */
        Run *run;          /* the one the fiber executes */
        unsigned visitors; /* questions that are being asked in it, or wait to be */
} Lane;

struct Dispatcher {
        sd_event *event;
        const ServiceSettings *service;
        Store *store;
        EventLog *events;
        Lane **lanes;
        size_t n_lanes;
        ListNode finished; /* Run.node, oldest first */
        size_t n_finished;
        unsigned running; /* fibers */
        bool stopping;
        Condition idle;
};

int dispatcher_need_lane(Lane **ret, const Dispatcher *d, const char *name, Error *err);
