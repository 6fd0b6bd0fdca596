#include "pg/gate.h"

#include <stdio.h>
#include <string.h>

#include "pg/session_private.h"
#include "pg/sql.inc"
#include "pg/sqlstate.h"

#define OLDEST_VERSION 110000

/* Any user may set these. They make the server notice that we are gone: a killed client's statement goes on and
 * keeps its locks otherwise (measured: to its end; keepalives alone do not help while it is busy). */
static const struct {
        int since;
        const char *sql;
} settings[] = {
        { 0, "SET lock_timeout = 0" },
        { 0, "SET idle_in_transaction_session_timeout = '60s'" },
        { 140000, "SET idle_session_timeout = '120s'" },
        { 0, "SET tcp_keepalives_idle = 15" },
        { 0, "SET tcp_keepalives_interval = 5" },
        { 0, "SET tcp_keepalives_count = 3" },
        { 120000, "SET tcp_user_timeout = 20000" },
        { 140000, "SET client_connection_check_interval = '5s'" },
        { 0, "SET standard_conforming_strings = on" }, /* as the scanner reads them */
};

/* Speak the protocol, but have no advisory locks or none that exclude. */
static const struct {
        const char *in_version, *name;
} strangers[] = {
        { "CockroachDB", "CockroachDB" },
        { "-YB-", "YugabyteDB" },
        { "Redshift", "Amazon Redshift" },
        { "Materialize", "Materialize" },
        { "QuestDB", "QuestDB" },
        { "CrateDB", "CrateDB" },
        { "Aurora DSQL", "Amazon Aurora DSQL" },
};

typedef struct Gate {
        PgSession *session;
        bool answered, recovering, read_only;
        int pid;
        char version[256];
} Gate;

static int take_place(PgSession *s, const PGresult *res, Error *err)
{
        return pg_session_set_place(s,
                                    (PgPlace){ .database = pg_text(res, 0, 0),
                                               .user = pg_text(res, 0, 1),
                                               .schema = pg_text(res, 0, 2) },
                                    err);
}

static int take_answer(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        Gate *g = userdata;
        const char *version = pg_text(res, 0, 3);

        if (index > 0) /* of the settings; the last answer is where we are */
                return PQnfields(res) == 3 ? take_place(g->session, res, err) : 0;
        *g = (Gate){ .session = g->session,
                     .answered = true,
                     .pid = (int) pg_int(res, 0, 0),
                     .recovering = pg_bool(res, 0, 1),
                     .read_only = pg_bool(res, 0, 2) };
        if (version)
                (void) snprintf(g->version, sizeof g->version, "%s", version);
        return 0;
}

void gate_sql_settings(Text *sql, const PgSession *s, uint64_t statement_timeout, const char *role)
{
        for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
                if (pg_session_version(s) >= settings[i].since)
                        text_printf(sql, "%s;\n", settings[i].sql);
        text_printf(sql, "SET statement_timeout = %llu;\n",
                    (unsigned long long) ((statement_timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
        if (*role) {
                text_add(sql, "SET ROLE ");
                text_add_sql_identifier(sql, role);
                text_add(sql, ";\n");
        }
}

static void write_sql(Text *sql, const PgSession *s, const WakeRequest *w)
{
        text_add(sql, SQL_GATE);
        gate_sql_settings(sql, s, w->statement_timeout, w->role);
        text_add(sql, SQL_PLACE);
}

static const char *stranger(const char *version)
{
        for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
                if (strstr(version, strangers[i].in_version))
                        return strangers[i].name;
        return NULL;
}

/* Whose fault no waiting cures. */
static int judge(const Gate *g, const PgSession *s, const WakeRequest *w, Error *err)
{
        const char *name = stranger(g->version);

        if (name)
                return error_set(err, ERROR_BLOCKED,
                                 "%s is not supported: its advisory locks do not exclude", name);
        if (pg_session_version(s) < OLDEST_VERSION)
                return error_set(err, ERROR_BLOCKED,
                                 "PostgreSQL %d is too old: 11 is the oldest that is supported",
                                 pg_session_version(s) / 10000);
        if (g->pid != pg_session_backend_pid(s) && !w->allow_pooler) {
                (void) error_set(err, ERROR_BLOCKED,
                                 "a connection pooler stands between (it says process %d, the "
                                 "server says %d)",
                                 pg_session_backend_pid(s), g->pid);
                return error_hint(err, "connect to the server itself, or set allow_pooler if the "
                                       "pooler gives each "
                                       "client a session of its own");
        }
        return 0;
}

int gate_pass(PgSession *s, const WakeRequest *w, uint64_t deadline, PgAttempt *attempt,
              bool *unusable, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(8192);
        Gate g = { .session = s };
        int r;

        *attempt = (PgAttempt){ .phase = CONNECTION_OK };
        *unusable = false;
        write_sql(&sql, s, w);
        if (sql.bad)
                return error_oom(err, "a session's settings");
        r = pg_query(s,
                     &(PgQuery){ .sql = text_str(&sql),
                                 .fn = take_answer,
                                 .userdata = &g,
                                 .row_cap = 1,
                                 .deadline = deadline },
                     err);
        if (r == -(int) ERROR_CANCELLED || r == -(int) ERROR_DEADLINE)
                return r;
        if (g.answered && judge(&g, s, w, &attempt->error) < 0) {
                *unusable = true;
                *err = attempt->error;
                return -(int) err->code;
        }
        if (r < 0) {
                attempt->error = *err;
                attempt->timed_out = r == -(int) ERROR_TIMEOUT;
                return r;
        }
        if (g.recovering || g.read_only) {
                attempt->reader = true;
                r = error_set(&attempt->error, ERROR_UNAVAILABLE, "%s",
                              g.recovering
                                      ? "the endpoint is a reader: the server is a standby"
                                      : "the endpoint is a reader: its transactions are read-only");
                (void) error_hint(&attempt->error, "use the writer's endpoint; or look at "
                                                   "default_transaction_read_only");
                *err = attempt->error;
        }
        return r;
}
