#include <string.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"
#include "pg/session.h"
#include "util/clock.h"

/* The history is small, and nobody locks it for long. */
#define LOAD_TIMEOUT (60 * USEC_PER_SEC)

FlywayRowClass flyway_row_class(const HistoryRow *row)
{
        static const struct {
                const char *type;
                FlywayRowClass class;
        } types[] = {
                { "SCHEMA", FLYWAY_ROW_SCHEMA },
                { "BASELINE", FLYWAY_ROW_BASELINE },
                { "DELETE", FLYWAY_ROW_DELETE },
                { "SQL_BASELINE", FLYWAY_ROW_BASELINE_SCRIPT },
                { "JDBC_BASELINE", FLYWAY_ROW_BASELINE_SCRIPT },
                { "SQL_STATE_SCRIPT", FLYWAY_ROW_BASELINE_SCRIPT },
                { "JDBC_STATE_SCRIPT", FLYWAY_ROW_BASELINE_SCRIPT },
        };

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (strcmp(row->type, types[i].type) == 0)
                        return types[i].class;
        return strncmp(row->type, "UNDO_", 5) == 0 ? FLYWAY_ROW_UNDO : FLYWAY_ROW_MIGRATION;
}

int64_t flyway_next_rank(const History *h)
{
        int64_t last = h->n_rows > 0 ? h->rows[h->n_rows - 1].rank : 0;

        return h->next_rank > last ? h->next_rank : last + 1;
}

/* ---- rows ---- */

enum {
        COLUMN_RANK,
        COLUMN_VERSION,
        COLUMN_DESCRIPTION,
        COLUMN_TYPE,
        COLUMN_SCRIPT,
        COLUMN_CHECKSUM,
        COLUMN_INSTALLED_BY,
        COLUMN_INSTALLED_ON,
        COLUMN_MS,
        COLUMN_SUCCESS,
};

static bool copy(char **ret, const PGresult *r, int row, int column)
{
        const char *s = pg_text(r, row, column);

        *ret = s ? strdup(s) : NULL;
        return !s || *ret;
}

static bool copy_not_null(char **ret, const PGresult *r, int row, int column)
{
        const char *s = pg_text(r, row, column);

        *ret = strdup(s ?: "");
        return *ret;
}

/* The column is an int4 where Flyway or we made the table; in another it may hold anything. */
static int64_t limited(int64_t rank)
{
        return rank > INT32_MAX ? INT32_MAX : rank;
}

static int add_row(History *h, const PGresult *r, int i, Error *err)
{
        HistoryRow row = { .rank = limited(pg_int(r, i, COLUMN_RANK)),
                           .execution_ms = pg_int(r, i, COLUMN_MS),
                           .success = pg_bool(r, i, COLUMN_SUCCESS) };
        bool ok = copy(&row.version, r, i, COLUMN_VERSION);

        ok = copy_not_null(&row.description, r, i, COLUMN_DESCRIPTION) && ok;
        ok = copy_not_null(&row.type, r, i, COLUMN_TYPE) && ok;
        ok = copy_not_null(&row.script, r, i, COLUMN_SCRIPT) && ok;
        ok = copy(&row.checksum, r, i, COLUMN_CHECKSUM) && ok;
        ok = copy_not_null(&row.installed_by, r, i, COLUMN_INSTALLED_BY) && ok;
        ok = copy_not_null(&row.installed_on, r, i, COLUMN_INSTALLED_ON) && ok;
        int added = history_add(h, row, err);
        return ok || added < 0 ? added : error_oom(err, "the history");
}

static bool is_absent(const Error *err)
{
        return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0;
}

static int explain(const FormatContext *ctx, Error *err)
{
        if (strcmp(err->sqlstate, "42703") == 0)
                (void) error_hint(err,
                                  "this is no table of Flyway's, or one of a version before 4: "
                                  "set table, or upgrade it with Flyway");
        else if (strcmp(err->sqlstate, "42501") == 0)
                (void) error_hint(err, "grant the role SELECT, INSERT, UPDATE and DELETE on it, or "
                                       "connect as its owner");
        return error_prefix(err, "history table %s.%s", ctx->schema, flyway_table(ctx->options));
}

static int load_rows(History *h, const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(4096);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        text_add(&sql, "SELECT installed_rank, version, description, type, script, checksum, "
                       "installed_by, to_char(installed_on, 'YYYY-MM-DD HH24:MI:SS.MS'), "
                       "execution_time, success FROM ");
        flyway_add_table(&sql, ctx);
        text_add(&sql, " ORDER BY installed_rank");
        r = pg_fetch(s, &res, text_str(&sql), clock_after(LOAD_TIMEOUT), err);
        if (r < 0 && err->code == ERROR_SQL && is_absent(err)) {
                *err = (Error){ 0 };
                return 0;
        }
        if (r < 0)
                return explain(ctx, err);
        h->exists = true;
        h->schema_exists = true;
        for (int i = 0; i < PQntuples(res) && r >= 0; i++)
                r = add_row(h, res, i, err);
        return r;
}

/* ---- schemas ---- */

static int add_name(void *userdata, const char *name, Error *err)
{
        Text *sql = userdata;

        (void) err;
        text_add(sql, sql->len ? ", (" : "(");
        text_add_sql_literal(sql, name);
        text_printf(sql, "::name, %zu)", sql->len); /* any number that grows keeps the order */
        return 0;
}

/* What counts as content is Flyway's choice, and partitioned and foreign tables and materialized views besides. */
/* clang-format off */
#define NOT_OF_AN_EXTENSION(class, oid)                                                     \
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"                               \
        " WHERE d.classid = 'pg_catalog." class "'::pg_catalog.regclass AND d.objid = " oid \
        " AND d.deptype = 'e')"
static const char probe[] =
        "SELECT w.name, n.oid IS NOT NULL, n.oid IS NOT NULL AND ("
        "EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid"
        " AND c.relkind IN ('r', 'v', 'S', 't', 'p', 'm', 'f')" NOT_OF_AN_EXTENSION("pg_class", "c.oid") ")"
        " OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace = n.oid AND t.typtype <> 'c'"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)"
        NOT_OF_AN_EXTENSION("pg_type", "t.oid") ")"
        " OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid"
        NOT_OF_AN_EXTENSION("pg_proc", "p.oid") "))"
        " FROM names w LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.name ORDER BY w.place";
/* clang-format on */

static int load_schemas(History *h, const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_text_ Text names = TEXT_INIT(64U << 10), sql = TEXT_INIT(72U << 10);
        _cleanup_result_ PGresult *res = NULL;
        int r = flyway_each_schema(ctx, add_name, &names, err);

        if (r < 0)
                return r;
        text_printf(&sql, "WITH names (name, place) AS (VALUES %s) %s", text_str(&names), probe);
        if (names.bad || sql.bad)
                return error_set(err, ERROR_CONFIG, "schemas: the list is too long");
        r = pg_fetch(s, &res, text_str(&sql), clock_after(LOAD_TIMEOUT), err);
        if (r < 0)
                return error_prefix(err, "schemas");
        h->schema_empty = true;
        for (int i = 0; i < PQntuples(res) && r >= 0; i++) {
                const char *name = pg_text(res, i, 0) ?: "";
                bool exists = pg_bool(res, i, 1);

                if (!exists)
                        r = history_add_missing_schema(h, name, err);
                if (exists && strcmp(name, ctx->schema) == 0)
                        h->schema_exists = true;
                if (pg_bool(res, i, 2))
                        h->schema_empty = false;
        }
        return r;
}

/* The rows that sql_create() will write before the first migration's. */
static void foresee_rank(History *h, const FormatOptions *o)
{
        int64_t next = flyway_next_rank(h);
        bool baseline = !h->exists && !h->schema_empty && o->baseline_on_migrate;

        if (baseline)
                next++;
        if (h->n_missing_schemas > 0 && o->create_schemas && (baseline || h->n_rows > 0))
                next++; /* else the row about schemas has rank 0 */
        h->next_rank = next;
}

int flyway_load(History **ret, const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_(history_freep) History *h = calloc(1, sizeof *h);
        const FormatOptions *o = ctx->options;
        int r;

        if (!h)
                return error_oom(err, "the history");
        r = load_rows(h, ctx, s, err);
        /* Only with more schemas than the history's own can one be missing while the table is there. */
        if (r >= 0 && (!h->exists || (o->create_schemas && o->schemas && *o->schemas &&
                                      strcmp(o->schemas, ctx->schema) != 0)))
                r = load_schemas(h, ctx, s, err);
        if (r < 0)
                return r;
        foresee_rank(h, o);
        *ret = TAKE_PTR(h);
        return 0;
}
