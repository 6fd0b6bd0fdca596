#include "pg/session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/sqlstate.h"
#include "util/utf8.h"

void pg_session_note_farewell(PgSession *s, const char *sqlstate, const char *message)
{
        if (*s->farewell)
                return;
        (void) snprintf(s->farewell_sqlstate, sizeof s->farewell_sqlstate, "%s", sqlstate);
        utf8_sanitize(s->farewell, sizeof s->farewell, message);
}

static const char *field(const PGresult *res, int code)
{
        const char *value = PQresultErrorField(res, code);

        return value ? value : "";
}

static void receive_notice(void *userdata, const PGresult *res)
{
        const char *severity = field(res, PG_DIAG_SEVERITY_NONLOCALIZED);
        const char *sqlstate = field(res, PG_DIAG_SQLSTATE);
        PgSession *s = userdata;
        char message[2048];

        utf8_sanitize(message, sizeof message, field(res, PG_DIAG_MESSAGE_PRIMARY));
        /* A FATAL that arrives while nothing runs, and the WARNING of an immediate shutdown. */
        if (sqlstate_ends_session(sqlstate))
                pg_session_note_farewell(s, sqlstate, message);
        /* Only the server can say FATAL; a script can raise a warning with any code. */
        s->dismissed = s->dismissed || strcmp(severity, "FATAL") == 0;
        if (s->on_notice)
                s->on_notice(s->userdata, severity, sqlstate, message);
}

int pg_session_new(PgSession **ret, PGconn *conn, Error *err)
{
        PgSession *s = calloc(1, sizeof *s);

        if (!s) {
                PQfinish(conn);
                return error_oom(err, "a database session");
        }
        *s = (PgSession){ .conn = conn,
                          .version = PQserverVersion(conn),
                          .backend_pid = PQbackendPID(conn) };
        (void) PQsetNoticeReceiver(conn, receive_notice, s);
        if (PQsetnonblocking(conn, 1) < 0) {
                (void) pg_session_free(s);
                return error_set(err, ERROR_INTERNAL,
                                 "cannot make a database session non-blocking");
        }
        *ret = s;
        return 0;
}

void pg_session_close(PgSession *s)
{
        PQfinish(s->conn);
        s->conn = NULL;
}

PgSession *pg_session_free(PgSession *s)
{
        if (!s)
                return NULL;
        pg_session_close(s);
        free(s->database);
        free(s->user);
        free(s->schema);
        free(s);
        return NULL;
}

int pg_session_version(const PgSession *s)
{
        return s->version;
}

int pg_session_backend_pid(const PgSession *s)
{
        return s->backend_pid;
}

static int replace_string(char **field, const char *value, Error *err)
{
        free(*field);
        *field = strdup(value ?: "");
        return *field ? 0 : error_oom(err, "a database session");
}

int pg_session_set_place(PgSession *s, PgPlace place, Error *err)
{
        int r = replace_string(&s->database, place.database, err);

        if (r >= 0)
                r = replace_string(&s->user, place.user, err);
        return r < 0 ? r : replace_string(&s->schema, place.schema, err);
}

PgPlace pg_session_place(const PgSession *s)
{
        return (PgPlace){ .database = s->database, .user = s->user, .schema = s->schema };
}

bool pg_session_lost(const PgSession *s)
{
        return !s->conn || PQstatus(s->conn) == CONNECTION_BAD;
}

bool pg_session_in_transaction(const PgSession *s)
{
        PGTransactionStatusType status = PQtransactionStatus(s->conn);

        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

const char *pg_session_parameter(const PgSession *s, const char *name)
{
        return PQparameterStatus(s->conn, name);
}

uint64_t pg_session_round_trips(const PgSession *s)
{
        return s->round_trips;
}

void pg_session_on_notice(PgSession *s, PgNoticeFn cb, void *userdata)
{
        s->on_notice = cb;
        s->userdata = userdata;
}
