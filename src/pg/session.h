#pragma once
/* One connection to a server, used from one fiber at a time. Non-blocking throughout: every call that waits does so
 * with fiber_wait_fd() and a deadline of its own. Freeing closes at once, whatever is going on. */
#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "loop/fiber.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/secret.h"
#include "util/text.h"

typedef struct PgSession PgSession;

/* What to connect to. Parsed once, validated, never logged as it is. */
typedef struct PgTarget PgTarget;
/* url: URL or keyword=value string. Missing parts come from PG* environment variables and libpq's defaults. Refuses
 * what it cannot parse, naming the parameter but never a secret. */
int pg_target_new(PgTarget **ret, const char *url, Error *err);
PgTarget *pg_target_free(PgTarget *t);
DEFINE_CLEANUP(PgTarget *, pg_target_free)
const char *
pg_target_describe(const PgTarget *t); /* "user@host:port/database": for people, no secret */
bool pg_target_has_password(const PgTarget *t);

/* How an attempt to connect ended, for the availability table. */
typedef struct PgAttempt {
        Error error; /* code is not yet classed; text is the server's, sqlstate when there is one */
        ConnStatusType
                phase; /* how far it came: CONNECTION_STARTED, _AWAITING_RESPONSE, _SSL_STARTUP, ... */
        bool resolving, nonexistent_host, needs_password, timed_out;
        bool local_failure; /* PQconnectStart said no at once: routing, permission */
        bool reader;        /* the server only reads, and one that writes was asked for */
} PgAttempt;

/* One attempt: resolves off the loop, tries each host and address in turn with host+hostaddr, runs PQconnectPoll with a fresh
 * registration each time, PQERRORS_VERBOSE. password NULL: the target's own. application_name at most 63 bytes.
 * on_phase (may be NULL) is called as the attempt goes: "resolving", "connecting", "authenticating".
 * Returns 0 and *ret; or negative with *attempt filled (err too). -ERROR_CANCELLED and -ERROR_DEADLINE unwind. */
int pg_connect(PgSession **ret, const PgTarget *t, const Secret *password,
               const char *application_name, uint64_t deadline,
               void (*on_phase)(void *userdata, const char *phase), void *userdata,
               PgAttempt *attempt, Error *err);
PgSession *pg_session_free(PgSession *s); /* sends Terminate without waiting, closes */
DEFINE_CLEANUP(PgSession *, pg_session_free)

int pg_session_version(const PgSession *s);     /* 150020 */
int pg_session_backend_pid(const PgSession *s); /* what the server, or a pooler, said at startup */
/* As whom and where the session works, learnt at the gate: the database, the role after SET ROLE, and the first schema of the
 * search_path that exists ("" for none). Borrowed. */
typedef struct PgPlace {
        const char *database, *user, *schema;
} PgPlace;
PgPlace pg_session_place(const PgSession *s);
bool pg_session_lost(const PgSession *s);           /* the connection is gone */
bool pg_session_in_transaction(const PgSession *s); /* open or failed transaction block */
const char *pg_session_parameter(const PgSession *s, const char *name); /* PQparameterStatus */
uint64_t pg_session_round_trips(
        const PgSession *s); /* waits for the server since connecting: for tests and script/bench */

/* Notices (RAISE NOTICE, WARNING, ...), already sanitized to UTF-8. cb may be NULL. */
typedef void (*PgNoticeFn)(void *userdata, const char *severity, const char *sqlstate,
                           const char *message);
void pg_session_on_notice(PgSession *s, PgNoticeFn cb, void *userdata);

/* ---- queries ---- */

/* Sends one simple-query string and gives each result to fn as it arrives, in order: PGRES_COMMAND_OK, PGRES_TUPLES_OK (with at most
 * row_cap rows kept; the rest is counted and dropped), PGRES_EMPTY_QUERY. A COPY gives its PGRES_COMMAND_OK; what it sent is dropped. fn may be NULL.
 * An error result ends it: -ERROR_SQL with err->sqlstate, text (message; DETAIL appended) and *failure filled.
 * COPY FROM stdin: see copy. When the connection is lost: -ERROR_LOST with the most telling SQLSTATE seen (57P01, ...).
 * When deadline passes (or the fiber is cancelled), the statement is cancelled in the server and drained first, within
 * PG_CANCEL_GRACE; if that does not work the session is closed (pg_session_lost). -ERROR_TIMEOUT/_DEADLINE/_CANCELLED. */
#define PG_CANCEL_GRACE (10 * USEC_PER_SEC)
typedef struct PgFailure {
        unsigned
                result_index; /* how many results came before the error: index of the failing statement in the string */
        unsigned long
                position; /* 1-based, in characters of the string (bytes when the server encoding is SQL_ASCII); 0: none */
        bool position_in_bytes;
        char context[512]; /* CONTEXT, e.g. the PL/pgSQL line; "" */
        char constraint[64], table[64], schema[64];
} PgFailure;
typedef int (*PgResultFn)(void *userdata, unsigned index, const PGresult *res, Error *err);
/* Source of COPY data: called until it gives 0 bytes; *data is borrowed until the next call. */
typedef struct PgCopySource {
        size_t (*read)(void *userdata, const char **data);
        void *userdata;
} PgCopySource;
typedef struct PgQuery {
        const char *sql; /* not NUL-terminated strings are not accepted: libpq wants one */
        PgResultFn fn;
        void *userdata;
        const PgCopySource *
                copy; /* for one COPY ... FROM stdin that is the last statement of the string; NULL: COPY is refused */
        unsigned row_cap;   /* rows kept per result; 0 = none (counted only) */
        uint64_t deadline;  /* USEC_INFINITY: none but the fiber's */
        PgFailure *failure; /* may be NULL */
        uint64_t *rows;     /* may be NULL: sum of affected rows (PQcmdTuples) */
} PgQuery;
int pg_query(PgSession *s, const PgQuery *q, Error *err);

/* One statement, all of its rows (a small result): new PGresult. deadline relative to now is usual: clock_after(). */
int pg_fetch(PgSession *s, PGresult **ret, const char *sql, uint64_t deadline, Error *err);
/* Any number of statements whose results do not matter. */
int pg_execute(PgSession *s, const char *sql, uint64_t deadline, Error *err);
/* ROLLBACK when a transaction is open or failed; shielded. */
int pg_rollback(PgSession *s, Error *err);

static inline void pg_result_clearp(PGresult **r)
{
        PQclear(*r);
}
#define _cleanup_result_ _cleanup_(pg_result_clearp)

/* Typed access to a result, checked: row/column must exist. NULL fields: text NULL, number 0, bool false. */
const char *pg_text(const PGresult *r, int row, int column);
int64_t pg_int(const PGresult *r, int row, int column);
bool pg_bool(const PGresult *r, int row, int column);
