#pragma once
/* A run, as the outside sees it: what was asked for, how far it is, how it ended. Plain data with a few verbs; doing it is
 * operation.c's business, when it is done the dispatcher's. */
#include <jansson.h>

#include "engine/events.h"
#include "engine/operation.h"
#include "format/format.h"
#include "loop/fiber.h"

#define RUN_ID_SIZE 32 /* 26 characters and the end */

typedef enum RunState {
        RUN_QUEUED,
        RUN_WAKING,
        RUN_LOCKING,
        RUN_PLANNING,
        RUN_APPLYING,
        RUN_SUCCEEDED,
        RUN_FAILED,
        RUN_REFUSED,
        RUN_UNAVAILABLE,
        RUN_CANCELLED,
        RUN_INTERRUPTED, /* the daemon ended under it */
        _RUN_STATE_MAX,
} RunState;
const char *run_state_name(RunState s);
bool run_state_is_final(RunState s); /* interrupted is not: it is queued again */

typedef enum StepState {
        STEP_PENDING,
        STEP_APPLYING,
        STEP_APPLIED,
        STEP_FAILED,
        STEP_SKIPPED,
        _STEP_STATE_MAX,
} StepState;

/* One migration of a run. */
typedef struct RunStep {
        char *id, *description, *file;
        MigrationKind kind;
        StepState state;
        bool transactional;
        uint64_t started_wall, started; /* usec; monotonic */
        uint64_t duration_ms;
        int64_t recorded_ms;            /* by the server, where several share a string; -1: none */
        uint64_t statements, statement; /* of its script; how many are done */
        uint64_t rows, retries;
} RunStep;

typedef struct Run {
        unsigned refs;
        char id[RUN_ID_SIZE];
        char *database;
        Operation operation;   /* its strings are owned by the run */
        char *idempotency_key; /* NULL: none */
        RunState state;
        uint64_t created_wall, started_wall, finished_wall;
        uint64_t entered; /* monotonic: when the state was entered */
        uint64_t phase_ms[RUN_SUCCEEDED];
        char *from_version, *to_version;
        RunStep *steps;
        size_t n_steps, step; /* step: index of the one that is going */
        RunStep *earlier; /* applied before the connection was lost and the rest planned again */
        size_t n_earlier;
        json_t *stored; /* a run of an earlier life of the daemon, as it was stored; else NULL */
        ListNode node;  /* the dispatcher's */
        Error error;    /* code ERROR_NONE: none */
        bool stopped; /* cancelled because the service stops: to be taken up again at the next start */
        json_t *warnings;
        json_t *result;   /* what the operation found out (plan, validation, ...); NULL for none */
        uint64_t applied; /* steps applied by this run */
        uint64_t reconnects;
        Condition changed;
        EventLog *events; /* borrowed; NULL: nobody listens */
        void (*on_change)(void *userdata,
                          struct Run *run); /* after each change of state; may be NULL */
        void *userdata;
} Run;

int run_new(Run **ret, const char *database, const Operation *op, Error *err);
/* A run of an earlier life of the daemon, from the store's document, queued again. */
int run_from_json(Run **ret, const json_t *document, Error *err);
Run *run_ref(Run *r);
Run *run_unref(Run *r);
DEFINE_CLEANUP(Run *, run_unref)

/* The only place that changes the state: times the phase left, tells the listeners. */
void run_enter(Run *r, RunState state);
/* Ends the run: state by err->code, or succeeded for code ERROR_NONE. */
void run_finish(Run *r, const Error *err);
void run_step_enter(Run *r, size_t step, StepState state);
void run_warn(Run *r, const char *text);
/* Puts aside the steps that are applied, and those of which keep() says so (the history has them), for a new plan. */
void run_keep_applied(Run *r, bool (*keep)(void *userdata, const RunStep *s), void *userdata);
/* A finished run, only to be shown. */
int run_from_store(Run **ret, const json_t *document, Error *err);

const char *run_id(const Run *r);
json_t *run_json(const Run *r);
json_t *run_summary_json(
        const Run *r); /* without steps and result, which grow with the number of migrations */
bool run_finished(const Run *r);
int run_http_status(const Run *r);
Condition *run_changed(Run *r);
json_t *error_json(
        const Error *
                err); /* {"error","text","sqlstate","file","line","column","hint"}; null for none */
