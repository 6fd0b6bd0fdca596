#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "pg/cancel.h"
#include "pg/session_private.h"
#include "pg/sqlstate.h"
#include "util/utf8.h"

/* COPY data goes out in pieces of this size, each flushed before the next: libpq would buffer all of it. */
#define COPY_PIECE ((size_t) 64 * 1024)
/* pg_fetch() is for small results. */
#define FETCH_MAX_ROWS 1000000U

/* One string on its way. The first failure is kept; everything after it is read and dropped, because the session is
 * usable again only when the server has said all of it. */
typedef struct Exchange {
        PgSession *s;
        const PgQuery *q;
        uint64_t deadline;
        unsigned index; /* results so far */
        PGresult *kept; /* rows of the current result */
        unsigned n_kept;
        Error error;   /* code ERROR_NONE: none yet */
        bool draining; /* given up: results are not wanted any more */
} Exchange;

/* ---- waiting ---- */

/* Until everything is sent. Reads meanwhile: a server that waits for us to read would never read on. */
static int flush(Exchange *x, Error *err)
{
        PGconn *conn = x->s->conn;
        int r;

        while ((r = PQflush(conn)) > 0) {
                r = fiber_wait_fd(PQsocket(conn), EPOLLIN | EPOLLOUT, x->deadline, err);
                if (r < 0)
                        return r;
                if ((r & EPOLLIN) && !PQconsumeInput(conn))
                        break;
        }
        return 0; /* a broken connection shows in the result */
}

/* The next result, NULL at the end. Never blocks in PQgetResult(). */
static int next_result(Exchange *x, PGresult **ret, Error *err)
{
        PGconn *conn = x->s->conn;

        while (PQisBusy(conn)) {
                int r = fiber_wait_fd(PQsocket(conn), EPOLLIN, x->deadline, err);

                if (r < 0)
                        return r;
                if (!PQconsumeInput(conn))
                        break;
        }
        *ret = PQgetResult(conn);
        return 0;
}

/* ---- failures ---- */

static const char *field(const PGresult *res, int code)
{
        const char *value = PQresultErrorField(res, code);

        return value ? value : "";
}

static void fill_failure(const Exchange *x, const PGresult *res)
{
        PgFailure *f = x->q->failure;
        const char *encoding = PQparameterStatus(x->s->conn, "server_encoding");

        if (!f)
                return;
        *f = (PgFailure){ .result_index = x->index,
                          .position = strtoul(field(res, PG_DIAG_STATEMENT_POSITION), NULL, 10),
                          .position_in_bytes = encoding && strcmp(encoding, "SQL_ASCII") == 0 };
        utf8_sanitize(f->context, sizeof f->context, field(res, PG_DIAG_CONTEXT));
        utf8_sanitize(f->constraint, sizeof f->constraint, field(res, PG_DIAG_CONSTRAINT_NAME));
        utf8_sanitize(f->table, sizeof f->table, field(res, PG_DIAG_TABLE_NAME));
        utf8_sanitize(f->schema, sizeof f->schema, field(res, PG_DIAG_SCHEMA_NAME));
}

static void take_error(Exchange *x, const PGresult *res)
{
        const char *message = field(res, PG_DIAG_MESSAGE_PRIMARY),
                   *detail = field(res, PG_DIAG_MESSAGE_DETAIL);
        const char *severity = field(res, PG_DIAG_SEVERITY_NONLOCALIZED),
                   *sqlstate = field(res, PG_DIAG_SQLSTATE);
        char text[sizeof x->error.text];

        if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
                pg_session_note_farewell(x->s, sqlstate, message);
        if (x->error.code != ERROR_NONE)
                return;
        if (!*message) /* libpq's own: the connection broke */
                message = PQresultErrorMessage(res);
        (void) snprintf(text, sizeof text, *detail ? "%s: %s" : "%s%s", message, detail);
        x->error = (Error){ .code = ERROR_SQL };
        utf8_sanitize(x->error.text, sizeof x->error.text, text);
        x->error.text[strcspn(x->error.text, "\n")] = '\0';
        (void) snprintf(x->error.sqlstate, sizeof x->error.sqlstate, "%s", sqlstate);
        utf8_sanitize(x->error.hint, sizeof x->error.hint, field(res, PG_DIAG_MESSAGE_HINT));
        fill_failure(x, res);
}

static int lost(const PgSession *s, const char *otherwise, Error *err)
{
        char text[512];

        (void) snprintf(text, sizeof text, "%s", *s->farewell ? s->farewell : otherwise);
        (void) error_set(err, ERROR_LOST, "the connection to the database was lost: %s",
                         *text ? text : "the server closed it");
        (void) snprintf(err->sqlstate, sizeof err->sqlstate, "%s", s->farewell_sqlstate);
        return -(int) ERROR_LOST;
}

/* ---- results ---- */

/* Rows come one by one; those that are wanted are gathered in one result again. */
static int keep_row(Exchange *x, const PGresult *row)
{
        int columns = PQnfields(row);

        if (x->draining || x->n_kept >= x->q->row_cap)
                return 0;
        if (!x->kept) {
                x->kept = PQcopyResult(row, PG_COPYRES_ATTRS);
                if (!x->kept)
                        return error_oom(&x->error, "a query's rows");
        }
        for (int i = 0; i < columns; i++) {
                bool is_null = PQgetisnull(row, 0, i);

                if (!PQsetvalue(x->kept, (int) x->n_kept, i, is_null ? NULL : PQgetvalue(row, 0, i),
                                is_null ? -1 : PQgetlength(row, 0, i)))
                        return error_oom(&x->error, "a query's rows");
        }
        x->n_kept++;
        return 0;
}

static void count_rows(const Exchange *x, PGresult *res)
{
        /* Rows that were read are not rows that were affected. */
        if (x->q->rows && strncmp(PQcmdStatus(res), "SELECT", 6) != 0)
                *x->q->rows += strtoull(PQcmdTuples(res), NULL, 10);
}

static void deliver(Exchange *x, PGresult *res)
{
        _cleanup_result_ PGresult *kept = TAKE_PTR(x->kept);

        x->n_kept = 0;
        if (x->draining || x->error.code != ERROR_NONE)
                return;
        count_rows(x, res);
        if (x->q->fn && x->q->fn(x->q->userdata, x->index, kept ? kept : res, &x->error) < 0 &&
            x->error.code == ERROR_NONE)
                (void) error_set(&x->error, ERROR_INTERNAL, "a query's result was not accepted");
        x->index++;
}

/* ---- COPY ---- */

static int send_copy_bytes(Exchange *x, const char *data, size_t size, Error *err)
{
        while (size > 0) {
                size_t n = size < COPY_PIECE ? size : COPY_PIECE;
                int r = PQputCopyData(x->s->conn, data, (int) n);

                if (r < 0)
                        return 0; /* broken: the result will say so */
                if (r > 0) {
                        data += n;
                        size -= n;
                }
                r = flush(x, err);
                if (r < 0)
                        return r;
                if (PQstatus(x->s->conn) == CONNECTION_BAD)
                        return 0;
        }
        return 0;
}

static int answer_copy_in(Exchange *x, Error *err)
{
        const PgCopySource *source = x->draining || x->error.code != ERROR_NONE ? NULL : x->q->copy;
        const char *refusal = source ? NULL : "there is no data for it here";
        const char *data = NULL;
        size_t n;
        int r;

        while (source && PQstatus(x->s->conn) != CONNECTION_BAD &&
               (n = source->read(source->userdata, &data)) > 0) {
                r = send_copy_bytes(x, data, n, err);
                if (r < 0)
                        return r;
        }
        while ((r = PQputCopyEnd(x->s->conn, refusal)) == 0) {
                r = flush(x, err);
                if (r < 0)
                        return r;
        }
        x->s->round_trips++;
        return flush(x, err);
}

static int drain_copy_out(Exchange *x, Error *err)
{
        PGconn *conn = x->s->conn;
        char *buffer = NULL;
        int n;

        while ((n = PQgetCopyData(conn, &buffer, 1)) >= 0) {
                if (n > 0) {
                        PQfreemem(buffer);
                        buffer = NULL;
                        continue;
                }
                n = fiber_wait_fd(PQsocket(conn), EPOLLIN, x->deadline, err);
                if (n < 0)
                        return n;
                if (!PQconsumeInput(conn))
                        break;
        }
        return 0;
}

/* ---- the exchange ---- */

static int take_result(Exchange *x, PGresult *res, Error *err)
{
        switch (PQresultStatus(res)) {
        case PGRES_SINGLE_TUPLE:
                (void) keep_row(x, res);
                return 0;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
                deliver(x, res);
                return 0;
        case PGRES_COPY_IN:
                return answer_copy_in(x, err);
        case PGRES_COPY_OUT:
                return drain_copy_out(x, err);
        default:
                take_error(x, res);
                return 0;
        }
}

/* Reads to the end of everything. Negative: the wait ended early. */
static int read_results(Exchange *x, Error *err)
{
        for (;;) {
                _cleanup_result_ PGresult *res = NULL;
                int r = next_result(x, &res, err);

                if (r < 0)
                        return r;
                if (!res)
                        return 0;
                r = take_result(x, res, err);
                if (r < 0)
                        return r;
        }
}

/* The caller waits no longer: stop the statement in the server and read what it still says, so that the session can be
 * used to roll back; when that does not work in time the session is of no use any more. */
static int give_up(Exchange *x, int reason, Error *err)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        Error ignored = { .code = ERROR_NONE };
        int r;

        (void) shield;
        x->draining = true;
        x->deadline = clock_after(PG_CANCEL_GRACE);
        if (PQtransactionStatus(x->s->conn) == PQTRANS_ACTIVE) {
                r = pg_cancel(x->s, x->deadline, &ignored);
                if (r == 0)
                        r = flush(x, &ignored);
                if (r == 0)
                        r = read_results(x, &ignored);
                if (r < 0)
                        pg_session_close(x->s);
        }
        if (reason == -(int) ERROR_TIMEOUT)
                (void) error_set(err, ERROR_TIMEOUT,
                                 "the statement took too long and was cancelled%s",
                                 pg_session_lost(x->s) ? ", but the server does not answer" : "");
        return reason;
}

/* What the server said while nobody listened: it may have said goodbye. */
static bool gone_meanwhile(PgSession *s)
{
        if (pg_session_lost(s))
                return true;
        (void) PQconsumeInput(s->conn);
        (void) PQisBusy(s->conn); /* parses, which hands out the notices */
        if (s->dismissed)
                pg_session_close(s);
        return pg_session_lost(s);
}

static int begin(Exchange *x, Error *err)
{
        PGconn *conn = x->s->conn;

        if (gone_meanwhile(x->s))
                return lost(x->s, "it was closed", err);
        x->s->round_trips++;
        if (x->q->failure)
                *x->q->failure = (PgFailure){ .result_index = 0 };
        if (x->q->rows)
                *x->q->rows = 0;
        if (!PQsendQuery(conn, x->q->sql)) {
                if (PQstatus(conn) == CONNECTION_BAD)
                        return lost(x->s, PQerrorMessage(conn), err);
                return error_set(err, ERROR_INTERNAL, "cannot send a query: %s",
                                 PQerrorMessage(conn));
        }
        (void) PQsetSingleRowMode(conn);
        return 0;
}

int pg_query(PgSession *s, const PgQuery *q, Error *err)
{
        Exchange x = { .s = s, .q = q, .deadline = q->deadline };
        int r = begin(&x, err);

        if (r < 0)
                return r;
        r = flush(&x, err);
        if (r == 0)
                r = read_results(&x, err);
        if (r < 0)
                r = give_up(&x, r, err);
        PQclear(x.kept);
        if (r < 0)
                return r;
        if (pg_session_lost(s))
                return lost(s, x.error.text, err);
        if (x.error.code != ERROR_NONE)
                *err = x.error;
        return x.error.code != ERROR_NONE ? -(int) x.error.code : 0;
}

/* ---- conveniences ---- */

typedef struct Fetch {
        PGresult *result;
} Fetch;

static int fetch_result(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        Fetch *f = userdata;

        (void) index;
        if ((unsigned) PQntuples(res) >= FETCH_MAX_ROWS)
                return error_set(err, ERROR_TOO_LARGE, "a query of ours gave %u rows or more",
                                 FETCH_MAX_ROWS);
        PQclear(f->result);
        f->result = PQcopyResult(res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
        return f->result ? 0 : error_oom(err, "a query's result");
}

int pg_fetch(PgSession *s, PGresult **ret, const char *sql, uint64_t deadline, Error *err)
{
        Fetch f = { .result = NULL };
        int r = pg_query(s,
                         &(PgQuery){ .sql = sql,
                                     .fn = fetch_result,
                                     .userdata = &f,
                                     .row_cap = FETCH_MAX_ROWS,
                                     .deadline = deadline },
                         err);

        if (r == 0 && !f.result)
                r = error_set(err, ERROR_INTERNAL, "a query of ours gave no result");
        if (r < 0)
                PQclear(f.result);
        else
                *ret = f.result;
        return r;
}

int pg_execute(PgSession *s, const char *sql, uint64_t deadline, Error *err)
{
        return pg_query(s, &(PgQuery){ .sql = sql, .deadline = deadline }, err);
}

int pg_rollback(PgSession *s, Error *err)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();

        (void) shield;
        if (pg_session_lost(s) || !pg_session_in_transaction(s))
                return 0;
        return pg_execute(s, "ROLLBACK", clock_after(PG_CANCEL_GRACE), err);
}
