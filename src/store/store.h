#pragma once
/* The state store: what must survive the daemon. SQLite (WAL, synchronous=FULL) in the state directory; a later
 * store in PostgreSQL stands behind this same header. Synchronous: each call is one small local transaction.
 * One daemon per state directory: store_open takes an exclusive lock file and says who has it. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/error.h"

typedef struct Store Store;

/* Creates directory (0700, but not its parents) and directory/pgmigrated.sqlite3 where needed; upgrades its schema
 * (user_version). A damaged file is an error that names it and says to move it away (IO); so is a directory that
 * cannot be written (IO). A directory that another process has open is BUSY, and names its pid. */
int store_open(Store **ret, const char *directory, Error *err);
Store *store_close(Store *s);
DEFINE_CLEANUP(Store *, store_close)

/* How long an idempotency key is remembered (API.md); store_prune keeps its run for that long. */
#define STORE_KEY_USEC (24 * 3600 * USEC_PER_SEC)

/* Runs. The document is the run's JSON as GET /runs/ID shows it; id, database, state and created_at are also
 * columns, for queries. Saving an id again replaces it, apart from its key (when NULL is given) and its place:
 * "newest" and "oldest" go by the order of first saving, because the wall clock may be set back. */
int store_save_run(Store *s, const char *id, const char *database, const char *state,
                   uint64_t created_wall_usec, const char *idempotency_key /* NULL: none */,
                   const json_t *document, Error *err);
/* The document of one run: 1 and *ret (new reference), 0: no such run. */
int store_load_run(Store *s, const char *id, json_t **ret, Error *err);
/* Newest first; filters may be NULL; before: only runs older than that id (NOT_FOUND when there is none); limit
 * 1..1000, else BAD_REQUEST. *ret: new array of the
 * documents without their members "steps" and "result". */
int store_list_runs(Store *s, const char *database, const char *state, const char *before,
                    unsigned limit, json_t **ret, Error *err);
/* Runs whose state is none of succeeded, failed, refused, unavailable, cancelled: oldest first; new array. */
int store_unfinished_runs(Store *s, json_t **ret, Error *err);
/* The first run that used this key since `since`: 1 and id (of size RUN_ID_MAX), 0: none. */
#define RUN_ID_MAX 32
int store_find_idempotency_key(Store *s, const char *key, uint64_t since_wall_usec,
                               char id[RUN_ID_MAX], Error *err);

/* Last known schema state of a database (the "schema" object of GET /status), so that a restarted daemon can
 * tell whether anything may be pending without waking it. */
int store_save_schema(Store *s, const char *database, const json_t *schema, Error *err);
int store_load_schema(Store *s, const char *database, json_t **ret, Error *err); /* 1/0 */

/* What was in a database after its last run, to tell drift from (engine/drift.h). */
int store_save_snapshot(Store *s, const char *database, const json_t *snapshot, Error *err);
int store_load_snapshot(Store *s, const char *database, json_t **ret, Error *err); /* 1/0 */

/* Numbers events across restarts: reserves a block of n ids and returns its first. */
int store_reserve_event_ids(Store *s, uint64_t n, uint64_t *ret_first, Error *err);

/* Deletes finished runs beyond the newest keep per database, but none whose key is still remembered. */
int store_prune(Store *s, unsigned keep, Error *err);
