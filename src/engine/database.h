#pragma once
/* One database as the daemon knows it: its settings, whether it can be reached, what its schema was last seen to be, who
 * holds its lock. Also the gate that lets one conversation at a time touch it. */
#include "engine/run.h"
#include "engine/settings.h"
#include "pg/advisory_lock.h"
#include "pg/availability.h"
#include "store/store.h"

typedef struct Database {
        const DatabaseSettings *settings; /* borrowed */
        char *name;
        Availability availability;
        EventLog *events; /* borrowed, may be NULL */
        Store *store;     /* borrowed, may be NULL */
        json_t *schema;   /* the "schema" object of GET /status; NULL: never seen */
        bool lock_held, lock_waiting;
        LockHolder lock_holder;
        bool busy; /* somebody converses with it */
        Condition free;
        Run *current, *last;
        /* counters since start, for /metrics */
        uint64_t runs[_RUN_STATE_MAX], migrations_applied, statements, lock_waits, retries;
        uint64_t wake_usec_total;
} Database;

int database_new(Database **ret, const DatabaseSettings *settings, EventLog *events, Store *store,
                 Error *err);
Database *database_free(Database *d);
DEFINE_CLEANUP(Database *, database_free)

/* One conversation at a time, in a fiber: enter waits for its turn; leave lets the next one in. */
int database_enter(Database *d, Error *err);
void database_leave(Database *d);

/* Remembers (and stores) what was seen of the schema; takes the reference. */
void database_know_schema(Database *d, json_t *schema);
void database_lock_changed(Database *d); /* publishes lock_held, lock_waiting, lock_holder */
json_t *database_status_json(const Database *d);
/* NULL when ready; else why not (new string). */
char *database_unready_reason(const Database *d);
/* Prometheus families, one after the other: head, then each database's samples. */
unsigned database_metric_count(void);
void database_metric_head(unsigned metric, Text *out);
void database_metric(const Database *d, unsigned metric, Text *out);

/* Names and contents of the files, so that a restarted daemon can tell that nothing is new without waking the database. */
#define DATABASE_FINGERPRINT_SIZE 40
int database_fingerprint(char ret[DATABASE_FINGERPRINT_SIZE], const Changelog *c, Error *err);
/* Whether something may be pending; asks the files and what was stored, never the database. */
bool database_needs_look(const Database *d);

/* Runs the operation of run on d, from start to end; in a fiber; never fails: the run says how it ended. */
void database_execute(Database *d, Run *run);
