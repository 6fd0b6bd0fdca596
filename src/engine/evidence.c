#include "engine/evidence.h"

#include <string.h>

#include "engine/conversation.h"

/* How the object's presence speaks. */
typedef enum Testimony {
        TESTIMONY_NONE,    /* nothing to look at */
        TESTIMONY_CREATES, /* new and ok: done; new and broken: clean; nothing new: rerun */
        TESTIMONY_REMOVES, /* was there and is not: done; pending: finalize; else rerun */
        TESTIMONY_REPEATS, /* harmless to repeat, once what it left broken is gone */
} Testimony;

/* In the queries $1 is the object and $2 the other name, both as written in the script, as SQL literals. */
/* clang-format off */
#define INDEX_STATE \
        "i.indexrelid::text || ':' || CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'ok' ELSE 'broken' END"
/* The column came with the statement, in PostgreSQL 14. Read by way of JSON, so that an older server complains of the
   statement, not of our query. */
#define DETACH_STATE "CASE WHEN pg_catalog.to_jsonb(h) ->> 'inhdetachpending' = 'true' THEN 'pending' ELSE 'ok' END"
#define LAST_NAME(p) "(SELECT n[array_upper(n, 1)] FROM parse_ident(" p ") n)"
static const struct {
        Testimony testimony;
        const char *query;
} looks[_STATEMENT_KIND_MAX] = {
        [STATEMENT_NONTX_CREATE_INDEX] = { TESTIMONY_CREATES,
                "SELECT " INDEX_STATE " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
                " WHERE i.indrelid = pg_catalog.to_regclass($2) AND ($1 = '' OR c.relname = CASE WHEN $1 <> '' THEN " LAST_NAME("$1") " END)" },
        [STATEMENT_NONTX_DROP_INDEX] = { TESTIMONY_REMOVES,
                "SELECT " INDEX_STATE " FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass($1)" },
        [STATEMENT_NONTX_REINDEX] = { TESTIMONY_REPEATS,
                "SELECT " INDEX_STATE " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
                " WHERE c.relname ~ '_cc(new|old)[0-9]*$' AND NOT (i.indisvalid AND i.indisready AND i.indislive)" },
        [STATEMENT_NONTX_DETACH] = { TESTIMONY_REMOVES,
                "SELECT h.inhrelid::text || ':' || " DETACH_STATE
                " FROM pg_catalog.pg_inherits h WHERE h.inhparent = pg_catalog.to_regclass($1) AND h.inhrelid = pg_catalog.to_regclass($2)" },
        [STATEMENT_NONTX_ADD_VALUE] = { TESTIMONY_CREATES,
                "SELECT e.oid::text || ':ok' FROM pg_catalog.pg_enum e WHERE e.enumtypid = pg_catalog.to_regtype($1)"
                " AND pg_catalog.quote_literal(e.enumlabel) = $2" },
        [STATEMENT_NONTX_CREATE_DATABASE] = { TESTIMONY_CREATES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_database WHERE datname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_DROP_DATABASE] = { TESTIMONY_REMOVES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_database WHERE datname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_CREATE_TABLESPACE] = { TESTIMONY_CREATES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_tablespace WHERE spcname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_DROP_TABLESPACE] = { TESTIMONY_REMOVES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_tablespace WHERE spcname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_CREATE_SUBSCRIPTION] = { TESTIMONY_CREATES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_subscription WHERE subname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_DROP_SUBSCRIPTION] = { TESTIMONY_REMOVES,
                "SELECT oid::text || ':ok' FROM pg_catalog.pg_subscription WHERE subname = " LAST_NAME("$1") },
        [STATEMENT_NONTX_FINISH_PREPARED] = { TESTIMONY_REMOVES,
                "SELECT transaction::text || ':ok' FROM pg_catalog.pg_prepared_xacts WHERE pg_catalog.quote_literal(gid) = $1" },
        [STATEMENT_NONTX_IDEMPOTENT] = { TESTIMONY_REPEATS, NULL },
};
/* clang-format on */

static void add_range(Text *t, const char *text, size_t start, size_t end)
{
        char *name = strndup(text + start, end - start);

        if (name)
                text_add_sql_literal(t, name);
        else
                t->bad = true;
        free(name);
}

/* Puts the names into the query: both are bounded by the script they were read from. */
static void fill_in(Text *sql, const char *query, const char *text, const Statement *st)
{
        for (const char *q = query; *q; q++) {
                if (*q == '$' && q[1] == '1')
                        add_range(sql, text, st->object_start, st->object_end);
                else if (*q == '$' && q[1] == '2')
                        add_range(sql, text, st->other_start, st->other_end);
                else {
                        text_addc(sql, *q);
                        continue;
                }
                q++;
        }
}

int evidence_look(char **ret, PgSession *s, const char *text, const Statement *st, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(64U * 1024), tokens = TEXT_INIT((size_t) 1 << 20);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        if (looks[st->kind].query) {
                fill_in(&sql, looks[st->kind].query, text, st);
                if (sql.bad)
                        return error_oom(err, "a look at an object");
                r = pg_fetch(s, &res, sql.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
                if (r < 0)
                        return error_prefix(err, "looking at what %s works on",
                                            statement_kind_name(st->kind));
                for (int i = 0; i < PQntuples(res); i++)
                        text_printf(&tokens, "%s%s", i ? " " : "", pg_text(res, i, 0));
        }
        *ret = text_take(&tokens);
        return *ret ? 0 : error_oom(err, "a look at an object");
}

/* Calls for each token; id and state are not terminated. */
#define for_each_token(p, tokens)                                  \
        for (const char *p = (tokens) + strspn((tokens), " "); *p; \
             p += strcspn(p, " "), p += strspn(p, " "))

static bool has_id(const char *tokens, const char *token)
{
        size_t n = strcspn(token, ":") + 1;

        for_each_token(p, tokens) if (strncmp(p, token, n) == 0) return true;
        return false;
}

static bool is_state(const char *token, const char *state)
{
        const char *colon = strchr(token, ':');
        size_t n = strlen(state);

        return colon && strncmp(colon + 1, state, n) == 0 && (colon[1 + n] == ' ' || !colon[1 + n]);
}

bool evidence_has_broken(const char *tokens, const char *except)
{
        for_each_token(p, tokens) if (is_state(p, "broken") && !has_id(except, p)) return true;
        return false;
}

static Verdict judge_creation(const char *before, const char *now)
{
        Verdict v = VERDICT_RERUN;

        for_each_token(p, now)
        {
                if (has_id(before, p))
                        continue;
                if (is_state(p, "broken"))
                        return VERDICT_CLEAN;
                v = VERDICT_DONE;
        }
        return v;
}

static Verdict judge_removal(const char *before, const char *now)
{
        for_each_token(p, now) if (is_state(p, "pending")) return VERDICT_FINALIZE;
        return *before && !*now ? VERDICT_DONE : VERDICT_RERUN;
}

Verdict evidence_judge(StatementKind kind, const char *before, const char *now)
{
        switch (looks[kind].testimony) {
        case TESTIMONY_CREATES:
                return judge_creation(before, now);
        case TESTIMONY_REMOVES:
                return judge_removal(before, now);
        case TESTIMONY_REPEATS:
                return evidence_has_broken(now, before) ? VERDICT_CLEAN : VERDICT_RERUN;
        default:
                return VERDICT_UNDECIDED;
        }
}

/* Who builds an index has this lock on the table all the time, also while waiting for others; readers and writers of the table have
 * others, which DROP INDEX CONCURRENTLY waits for. Autovacuum has it too, gives way, and is nobody's session. */
static int drop_index(PgSession *s, const char *token, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(4096);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        text_printf(&sql,
                    "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY IF EXISTS %%I.%%I', "
                    "n.nspname, c.relname),"
                    " EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_locks l ON "
                    "l.relation = i.indrelid JOIN pg_catalog.pg_database d ON d.oid = l.database "
                    "JOIN pg_catalog.pg_stat_activity a USING (pid) WHERE i.indexrelid = c.oid AND "
                    "d.datname = pg_catalog.current_database() AND l.granted AND l.mode = "
                    "'ShareUpdateExclusiveLock' AND a.usesysid IS NOT NULL AND a.pid <> "
                    "pg_catalog.pg_backend_pid())"
                    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
                    "c.relnamespace"
                    " WHERE c.oid = %.*s",
                    (int) strcspn(token, ":"), token);
        if (sql.bad)
                return error_oom(err, "dropping an index");
        r = pg_fetch(s, &res, sql.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        if (r < 0 || PQntuples(res) == 0)
                return r;
        if (pg_bool(res, 0, 1))
                return error_set(
                        err, ERROR_LOCKED,
                        "an invalid index is in the way and somebody is working on it (%s)",
                        pg_text(res, 0, 0));
        return pg_execute(s, pg_text(res, 0, 0), USEC_INFINITY, err);
}

static int finalize(PgSession *s, const char *text, const Statement *st, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(8192);

        text_printf(&sql, "ALTER TABLE %.*s DETACH PARTITION %.*s FINALIZE",
                    (int) (st->object_end - st->object_start), text + st->object_start,
                    (int) (st->other_end - st->other_start), text + st->other_start);
        return sql.bad ? error_oom(err, "finalizing a detach")
                       : pg_execute(s, sql.s, USEC_INFINITY, err);
}

int evidence_clean(PgSession *s, const char *text, const Statement *st, const char *before,
                   const char *now, Error *err)
{
        int r = 0;

        if (st->kind == STATEMENT_NONTX_DETACH)
                return finalize(s, text, st, err);
        for_each_token(p, now)
        {
                if (r >= 0 && is_state(p, "broken") && !has_id(before, p))
                        r = drop_index(s, p, err);
        }
        return r;
}
