#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/liquibase/liquibase.h"
#include "pg/session.h"
#include "util/clock.h"

#define STATEMENT_TIMEOUT (60 * USEC_PER_SEC)
#define SQL_MAX ((size_t) 16 * 1024)
/* In LOCKEDBY behind our host: Liquibase has "#" and a description there. */
#define OUR_MARK "#pgmigrated"
/* What Liquibase's driver calls its sessions. */
#define JDBC_NAME "PostgreSQL JDBC Driver"

size_t liquibase_lock_keys(const FormatContext *ctx, int64_t keys[FORMAT_MAX_LOCK_KEYS])
{
        (void) ctx;
        (void) keys;
        return 0;
}

void liquibase_add_table(Text *sql, const FormatContext *ctx, bool lock)
{
        text_add_sql_identifier(sql, ctx->schema);
        text_addc(sql, '.');
        if (strcmp(ctx->table, LIQUIBASE_TABLE) == 0) { /* not quoted, as Liquibase writes it */
                text_add(sql, lock ? LIQUIBASE_LOCK_TABLE : LIQUIBASE_TABLE);
                return;
        }
        _cleanup_text_ Text name = TEXT_INIT(256);
        text_printf(&name, "%s%s", ctx->table, lock ? "lock" : "");
        text_add_sql_identifier(sql, text_str(&name));
}

/* Its key is called after it, so that a schema has room for several. */
void liquibase_sql_lock_table(Text *sql, const FormatContext *ctx)
{
        _cleanup_text_ Text key = TEXT_INIT(256);

        text_add(sql, "CREATE TABLE IF NOT EXISTS ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP "
                      "WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT ");
        text_printf(&key, "%slock_pkey", ctx->table);
        text_add_sql_identifier(sql, text_str(&key));
        text_add(sql, " PRIMARY KEY (ID));\n");
}

/* "host#pgmigrated (address)", as Liquibase writes itself: the first address that is not loopback. */
static void our_name(char buf[200])
{
        struct ifaddrs *list = NULL;
        char host[65] = "", address[NI_MAXHOST] = "127.0.0.1";

        (void) gethostname(host, sizeof host - 1);
        if (getifaddrs(&list) == 0) {
                for (struct ifaddrs *i = list; i; i = i->ifa_next)
                        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
                            !(i->ifa_flags & IFF_LOOPBACK) &&
                            getnameinfo(i->ifa_addr, sizeof(struct sockaddr_in), address,
                                        sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
                                break;
                freeifaddrs(list);
        }
        (void) snprintf(buf, 200, "%.64s" OUR_MARK " (%.64s)", host, address);
}

/* Takes the row when it is free, and when a pgmigrated holds it: whoever runs holds our advisory lock besides, and that is ours
 * now, so that one is dead. The row is made when the table is empty. */
static void add_take(Text *sql, const FormatContext *ctx)
{
        char name[200];

        our_name(name);
        text_add(sql, "BEGIN; INSERT INTO ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " (ID, LOCKED) SELECT 1, FALSE WHERE NOT EXISTS (SELECT FROM ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, "); WITH taken AS (UPDATE ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " SET LOCKED = TRUE, LOCKEDBY = ");
        text_add_sql_literal(sql, name);
        text_add(sql,
                 ", LOCKGRANTED = NOW() WHERE ID = 1 AND (LOCKED = FALSE OR LOCKEDBY LIKE "
                 "'%" OUR_MARK " (%') RETURNING 1) SELECT EXISTS (SELECT FROM taken), l.LOCKEDBY,"
                 " to_char(l.LOCKGRANTED, 'YYYY-MM-DD HH24:MI:SS'), NOT EXISTS (SELECT FROM"
                 " pg_catalog.pg_stat_activity a WHERE a.datname = current_database()"
                 " AND a.application_name = '" JDBC_NAME "') FROM ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " l WHERE l.ID = 1; COMMIT;");
}

static int add_table(const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);

        liquibase_sql_lock_table(&sql, ctx);
        return pg_execute(s, text_str(&sql), clock_after(STATEMENT_TIMEOUT), err);
}

typedef struct Taken {
        bool answered, taken;
        FormatHolder *holder;
} Taken;

static int on_result(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        Taken *t = userdata;

        (void) index;
        (void) err;
        if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) == 0)
                return 0;
        t->answered = true;
        t->taken = pg_bool(res, 0, 0);
        (void) snprintf(t->holder->who, sizeof t->holder->who, "%s",
                        pg_text(res, 0, 1) ?: "somebody");
        (void) snprintf(t->holder->since, sizeof t->holder->since, "%s",
                        pg_text(res, 0, 2) ?: "an unknown time");
        t->holder->abandoned = pg_bool(res, 0, 3);
        return 0;
}

static int try_row(const FormatContext *ctx, PgSession *s, Taken *taken, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        Error ignored;
        int r;

        add_take(&sql, ctx);
        r = pg_query(s,
                     &(PgQuery){ .sql = text_str(&sql),
                                 .fn = on_result,
                                 .userdata = taken,
                                 .row_cap = 1,
                                 .deadline = clock_after(STATEMENT_TIMEOUT) },
                     err);
        if (r < 0 && !pg_session_lost(s))
                (void) pg_rollback(s, &ignored);
        return r;
}

int liquibase_lock_row(const FormatContext *ctx, PgSession *s, FormatHolder *holder, Error *err)
{
        Taken taken = { .holder = holder };
        int r = try_row(ctx, s, &taken, err);

        if (r < 0 && strcmp(err->sqlstate, "42P01") == 0) {
                *err = (Error){ .code = ERROR_NONE };
                r = add_table(ctx, s, err);
                if (r >= 0)
                        r = try_row(ctx, s, &taken, err);
        }
        if (r < 0)
                return error_prefix(err, "lock table %s." LIQUIBASE_LOCK_TABLE, ctx->schema);
        if (!taken.answered) {
                (void) error_set(err, ERROR_REFUSED,
                                 "lock table %s." LIQUIBASE_LOCK_TABLE " has no row with ID 1",
                                 ctx->schema);
                return error_hint(err, "empty it, or release it with \"pgmigrated unlock\"");
        }
        return taken.taken;
}

int liquibase_sql_unlock(Text *sql, const FormatContext *ctx, Error *err)
{
        text_add(sql, "UPDATE ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " SET LOCKED = FALSE, LOCKEDBY = NULL, LOCKGRANTED = NULL WHERE ID = 1;\n");
        return sql->bad ? error_oom(err, "a statement") : 0;
}
