#pragma once
/* What can be done to a database, from its first connection to its last: the one engine behind the daemon's runs and the
 * direct commands. Linear code in a fiber: read the files, wake, lock, read the history, plan, apply. */
#include <jansson.h>

#include "engine/events.h"
#include "engine/settings.h"

typedef enum OperationKind {
        OPERATION_MIGRATE,
        OPERATION_PLAN,
        OPERATION_STATUS,
        OPERATION_HISTORY,
        OPERATION_VALIDATE,
        OPERATION_BASELINE,
        OPERATION_REPAIR,
        OPERATION_UNDO,
        OPERATION_WAIT,
        OPERATION_DRIFT,
        OPERATION_TAG,
        OPERATION_UNLOCK,
        _OPERATION_KIND_MAX,
} OperationKind;
const char *operation_kind_name(OperationKind k);
bool operation_changes(OperationKind k); /* whether it may change the database */

typedef struct Operation {
        OperationKind kind;
        const char *
                target; /* NULL: as configured. UNDO: undo everything above it; NULL: the last one */
        bool dry_run;
        uint64_t timeout; /* usec, 0: as configured */
        const char *
                version; /* WAIT: NULL = reachable only; BASELINE: NULL = as configured; TAG: the tag */
        const char *
                resolve; /* REPAIR: NULL, or what to do with a step that needs attention: "done", "rerun" */
        const char *snapshot;              /* file to check drift with; NULL: the state store's */
        bool save;                         /* DRIFT: keep what is there now */
        const char *trigger, *by, *reason; /* "cli", "api", "start"; by and reason may be NULL */
} Operation;

/* Does it and waits for its end, in a fiber. *result (new reference) is filled whenever there is something to show, also on
 * failure: the run's JSON for what changes the database, else the plan, status, history or validation.
 * events may be NULL. *applied (may be NULL) counts the migrations applied. */
int operation_execute(const DatabaseSettings *db, const Operation *op, EventLog *events,
                      json_t **result, Error *err);
