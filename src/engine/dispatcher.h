#pragma once
/* Owns the databases, their queues and the runs: when something is done. One run at a time per database; side by
 * side up to max_parallel. Everything that is promised is in the store before it is acknowledged. */
#include <jansson.h>

#include "engine/events.h"
#include "engine/run.h"
#include "engine/settings.h"
#include "store/store.h"

typedef struct Dispatcher Dispatcher;

int dispatcher_new(Dispatcher **ret, sd_event *event, const ServiceSettings *service,
                   const DatabaseSettings *databases, size_t n_databases, Store *store,
                   Error *err); /* settings are borrowed until dispatcher_free or reload */
Dispatcher *dispatcher_free(Dispatcher *d);
DEFINE_CLEANUP(Dispatcher *, dispatcher_free)
/* Resumes interrupted runs and queues migrate_on_start. */
int dispatcher_start(Dispatcher *d, Error *err);
/* New settings: databases keep their state by name; runs that are going finish with the old ones. */
int dispatcher_reload(Dispatcher *d, const ServiceSettings *service,
                      const DatabaseSettings *databases, size_t n_databases, Error *err);
/* No new run starts; queued ones stay in the store for the next start; running ones go on until idle or cancel_running. */
void dispatcher_stop(Dispatcher *d);
void dispatcher_cancel_running(
        Dispatcher *d); /* at a safe point, statement cancelled in the server */
/* No run is going and no question is open: nothing borrows any settings but the newest. */
bool dispatcher_settled(const Dispatcher *d);
bool dispatcher_idle(const Dispatcher *d);
Condition *dispatcher_idle_condition(Dispatcher *d);
EventLog *dispatcher_events(Dispatcher *d);

typedef struct Submission {
        const char *database; /* NULL: all */
        const char *target;   /* NULL: as configured */
        bool dry_run;
        uint64_t timeout;            /* usec, 0: as configured */
        const char *reason;          /* NULL */
        const char *trigger, *by;    /* "api", "start", ...; by may be NULL */
        const char *idempotency_key; /* NULL: none */
} Submission;

/* Queues, joins a queued run of the same database and parameters, or finds the run of the idempotency key. runs[] gets one per
 * database (borrowed; they live at least until the loop turns once more: take a reference to keep one). ERROR_NOT_FOUND for an unknown database,
 * ERROR_BUSY when stopping. */
#define DISPATCHER_MAX_DATABASES 1024
int dispatcher_submit(Dispatcher *d, const Submission *s, Run **runs, size_t *n_runs, Error *err);
Run *dispatcher_find_run(Dispatcher *d,
                         const char *id); /* only runs that this process knows; NULL otherwise */
int dispatcher_cancel(Dispatcher *d, const char *id, Error *err);
/* The run's JSON, from memory or the store; ERROR_NOT_FOUND. */
int dispatcher_run_json(Dispatcher *d, const char *id, json_t **ret, Error *err);
int dispatcher_list_runs(Dispatcher *d, const char *database, const char *state, const char *before,
                         unsigned limit, json_t **ret, Error *err);
/* The "databases" array of GET /status: all, or one (ERROR_NOT_FOUND). Never touches a database. */
int dispatcher_status_json(Dispatcher *d, const char *database, json_t **ret, Error *err);
/* 1 ready; 0 not, reasons gets sentences (new array). */
int dispatcher_ready(Dispatcher *d, const char *database, json_t **reasons, Error *err);
/* Prometheus text of everything the engine counts, appended. */
void dispatcher_metrics(Dispatcher *d, Text *out);

/* -- in a fiber: these ask the database, one at a time with its runs -- */
int dispatcher_probe(Dispatcher *d, const char *database /* NULL: all */,
                     Error *err); /* refreshes what status knows */
int dispatcher_plan_json(Dispatcher *d, const char *database, const char *target, json_t **ret,
                         Error *err);
/* The result of OPERATION_DRIFT, against the stored snapshot; save: which is then replaced. */
int dispatcher_drift_json(Dispatcher *d, const char *database, bool save, json_t **ret, Error *err);
int dispatcher_history_json(Dispatcher *d, const char *database, json_t **ret, Error *err);
