#include <string.h>

#include "format/changelog.h"
#include "format/liquibase/liquibase.h"
#include "pg/session.h"
#include "util/clock.h"

#define LOAD_TIMEOUT (60 * USEC_PER_SEC)

/* ---- columns: an older table may lack some of them, or have them too narrow ---- */

#define NARROW_SHIFT 16 /* bits of History.missing_columns for those that are there, but narrow */

enum {
        COLUMN_ID,
        COLUMN_AUTHOR,
        COLUMN_FILENAME,
        COLUMN_DATEEXECUTED,
        COLUMN_MD5SUM,
        COLUMN_DESCRIPTION,
        COLUMN_COMMENTS,
        COLUMN_TAG,
        COLUMN_LIQUIBASE,
        COLUMN_ORDEREXECUTED,
        COLUMN_EXECTYPE,
        COLUMN_CONTEXTS,
        COLUMN_LABELS,
        COLUMN_DEPLOYMENT_ID,
        _COLUMN_MAX,
};

static const struct {
        const char *name;
        const char *type; /* NULL: every table of Liquibase's has it */
        const char
                *fill; /* what the rows that are there get; NULL: NULL. Otherwise it is NOT NULL */
} columns[_COLUMN_MAX] = {
        [COLUMN_ID] = { "id", NULL, NULL },
        [COLUMN_AUTHOR] = { "author", NULL, NULL },
        [COLUMN_FILENAME] = { "filename", NULL, NULL },
        [COLUMN_DATEEXECUTED] = { "dateexecuted", NULL, NULL },
        [COLUMN_MD5SUM] = { "md5sum", NULL, NULL },
        [COLUMN_DESCRIPTION] = { "description", "VARCHAR(255)", NULL },
        [COLUMN_COMMENTS] = { "comments", "VARCHAR(255)", NULL },
        [COLUMN_TAG] = { "tag", "VARCHAR(255)", NULL },
        [COLUMN_LIQUIBASE] = { "liquibase", "VARCHAR(20)", NULL },
        [COLUMN_ORDEREXECUTED] = { "orderexecuted", "INTEGER", "-1" },
        [COLUMN_EXECTYPE] = { "exectype", "VARCHAR(10)", "'EXECUTED'" },
        [COLUMN_CONTEXTS] = { "contexts", "VARCHAR(255)", NULL },
        [COLUMN_LABELS] = { "labels", "VARCHAR(255)", NULL },
        [COLUMN_DEPLOYMENT_ID] = { "deployment_id", "VARCHAR(10)", NULL },
};

static void add_column(Text *sql, const FormatContext *ctx, int i)
{
        text_add(sql, "ALTER TABLE ");
        liquibase_add_table(sql, ctx, false);
        text_printf(sql, " ADD %s %s;\n", columns[i].name, columns[i].type);
        if (!columns[i].fill)
                return;
        text_add(sql, "UPDATE ");
        liquibase_add_table(sql, ctx, false);
        text_printf(sql, " SET %s = %s;\nALTER TABLE ", columns[i].name, columns[i].fill);
        liquibase_add_table(sql, ctx, false);
        text_printf(sql, " ALTER COLUMN %s SET NOT NULL;\n", columns[i].name);
}

static void widen_column(Text *sql, const FormatContext *ctx, int i)
{
        text_add(sql, "ALTER TABLE ");
        liquibase_add_table(sql, ctx, false);
        text_printf(sql, " ALTER COLUMN %s TYPE %s;\n", columns[i].name,
                    i == COLUMN_MD5SUM ? "VARCHAR(35)" : columns[i].type);
}

int liquibase_sql_adopt(Text *sql, const FormatContext *ctx, const History *h, Error *err)
{
        for (int i = 0; i < _COLUMN_MAX; i++) {
                if (h->missing_columns & (1U << i))
                        add_column(sql, ctx, i);
                if (h->missing_columns & (1U << (i + NARROW_SHIFT)))
                        widen_column(sql, ctx, i);
        }
        return sql->bad ? error_oom(err, "statements for the history") : 0;
}

/* ---- rows ---- */

static bool copy(char **ret, const PGresult *r, int row, int column)
{
        const char *s = column >= 0 ? pg_text(r, row, column) : NULL;

        *ret = s ? strdup(s) : NULL;
        return !s || *ret;
}

static bool known_exectype(const char *type)
{
        static const char *const types[] = { "EXECUTED", "RERAN", "MARK_RAN", "FAILED", "SKIPPED" };

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (strcmp(type, types[i]) == 0)
                        return true;
        return false;
}

/* Liquibase itself crashes on such rows; an unknown meaning is no reason to run something again. */
static int check_row(const FormatContext *ctx, const HistoryRow *row, bool ordered, Error *err)
{
        const char *column = !row->id             ? "ID"
                             : !row->author       ? "AUTHOR"
                             : !row->script       ? "FILENAME"
                             : !row->installed_on ? "DATEEXECUTED"
                             : !ordered           ? "ORDEREXECUTED"
                             : !row->type         ? "EXECTYPE"
                                                  : NULL;

        if (!column && known_exectype(row->type))
                return 0;
        (void) error_set(err, ERROR_REFUSED,
                         "%s." LIQUIBASE_TABLE ": the row of %s::%s::%s has %s%s%s", ctx->schema,
                         row->script ?: "?", row->id ?: "?", row->author ?: "?",
                         column ? "no " : "the EXECTYPE ", column ? column : row->type,
                         column ? "" : ", which means nothing");
        return error_hint(err, "correct or delete that row");
}

static int add_row(History *h, const FormatContext *ctx, const PGresult *r, int i,
                   const int at[_COLUMN_MAX], Error *err)
{
        HistoryRow row = { .execution_ms = 0, .success = true };
        bool ordered = at[COLUMN_ORDEREXECUTED] < 0 || pg_text(r, i, at[COLUMN_ORDEREXECUTED]);
        bool ok = copy(&row.id, r, i, at[COLUMN_ID]);
        Error ignored = { .code = ERROR_NONE };
        int checked, added;

        row.rank = at[COLUMN_ORDEREXECUTED] < 0 ? -1 : pg_int(r, i, at[COLUMN_ORDEREXECUTED]);
        ok = copy(&row.author, r, i, at[COLUMN_AUTHOR]) && ok;
        ok = copy(&row.script, r, i, at[COLUMN_FILENAME]) && ok;
        ok = copy(&row.installed_on, r, i, at[COLUMN_DATEEXECUTED]) && ok;
        ok = copy(&row.checksum, r, i, at[COLUMN_MD5SUM]) && ok;
        ok = copy(&row.description, r, i, at[COLUMN_DESCRIPTION]) && ok;
        ok = copy(&row.version, r, i, at[COLUMN_TAG]) && ok;
        ok = copy(&row.tool_version, r, i, at[COLUMN_LIQUIBASE]) && ok;
        ok = copy(&row.deployment, r, i, at[COLUMN_DEPLOYMENT_ID]) && ok;
        if (at[COLUMN_EXECTYPE] < 0)
                ok = (row.type = strdup("EXECUTED")) && ok;
        else
                ok = copy(&row.type, r, i, at[COLUMN_EXECTYPE]) && ok;
        ok = (row.installed_by = strdup("")) && ok;
        if (!row.description)
                ok = (row.description = strdup("")) && ok;
        checked = ok ? check_row(ctx, &row, ordered, err) : error_oom(err, "the history");
        added = history_add(h, row, checked < 0 ? &ignored : err);
        return checked < 0 ? checked : added;
}

/* DATEEXECUTED, then ORDEREXECUTED. */
static int compare_rows(const void *a, const void *b)
{
        const HistoryRow *x = a, *y = b;
        int order = strcmp(x->installed_on, y->installed_on);

        return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* A varchar(n) carries n + 4 as its modifier. */
static bool is_narrow(const PGresult *res, int at, int column)
{
        static const int wanted[_COLUMN_MAX] = { [COLUMN_MD5SUM] = 35,
                                                 [COLUMN_LIQUIBASE] = 20,
                                                 [COLUMN_CONTEXTS] = 255,
                                                 [COLUMN_LABELS] = 255 };
        int have = PQfmod(res, at);

        return have > 4 && have - 4 < wanted[column];
}

static int find_columns(History *h, const PGresult *res, const FormatContext *ctx,
                        int at[_COLUMN_MAX], Error *err)
{
        for (int i = 0; i < _COLUMN_MAX; i++) {
                at[i] = PQfnumber(res, columns[i].name);
                if (at[i] >= 0 && is_narrow(res, at[i], i))
                        h->missing_columns |= 1U << (i + NARROW_SHIFT);
                if (at[i] >= 0)
                        continue;
                if (!columns[i].type) {
                        (void) error_set(err, ERROR_REFUSED,
                                         "%s." LIQUIBASE_TABLE " has no column %s", ctx->schema,
                                         columns[i].name);
                        return error_hint(err, "this is no table of Liquibase's: set table, or "
                                               "rename it");
                }
                h->missing_columns |= 1U << i;
        }
        /* The text of the time, for its order and for people. */
        at[COLUMN_DATEEXECUTED] = PQfnumber(res, "pgmigrated_executed");
        return 0;
}

static int read_rows(History *h, const PGresult *res, const FormatContext *ctx, Error *err)
{
        int at[_COLUMN_MAX], r = find_columns(h, res, ctx, at, err);
        int64_t last = 0;

        for (int i = 0; r >= 0 && i < PQntuples(res); i++)
                r = add_row(h, ctx, res, i, at, err);
        if (r < 0)
                return r;
        if (h->n_rows > 0)
                qsort(h->rows, h->n_rows, sizeof *h->rows, compare_rows);
        for (size_t i = 0; i < h->n_rows; i++) {
                if (h->rows[i].rank > last)
                        last = h->rows[i].rank;
                h->rows[i].rank = (int64_t) i + 1;
        }
        h->next_rank = last + 1;
        return 0;
}

static int explain(const FormatContext *ctx, Error *err)
{
        if (strcmp(err->sqlstate, "42501") == 0)
                (void) error_hint(err, "grant the role SELECT, INSERT, UPDATE and DELETE on it, or "
                                       "connect as its owner");
        return error_prefix(err, "history table %s." LIQUIBASE_TABLE, ctx->schema);
}

int liquibase_load(History **ret, const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_(history_freep) History *h = calloc(1, sizeof *h);
        _cleanup_text_ Text sql = TEXT_INIT(4096);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        if (!h)
                return error_oom(err, "the history");
        text_add(
                &sql,
                "SELECT *, to_char(dateexecuted, 'YYYY-MM-DD HH24:MI:SS.US') AS pgmigrated_executed"
                " FROM ");
        liquibase_add_table(&sql, ctx, false);
        r = pg_fetch(s, &res, text_str(&sql), clock_after(LOAD_TIMEOUT), err);
        if (r < 0 && err->code == ERROR_SQL &&
            (strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0)) {
                *err = (Error){ .code = ERROR_NONE };
                h->next_rank = 1;
                *ret = TAKE_PTR(h);
                return 0;
        }
        if (r < 0)
                return explain(ctx, err);
        h->exists = h->schema_exists = true;
        r = read_rows(h, res, ctx, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

int64_t liquibase_next_rank(const History *h)
{
        return h->next_rank;
}

/* ---- look-up ---- */

typedef struct RowIndexEntry {
        const char *key;
        const HistoryRow *row;
} RowIndexEntry;

char *liquibase_key(Arena *a, const char *path, const char *id, const char *author, bool fold)
{
        char *normal = path_normalise(a, path);
        char *key = normal ? arena_printf(a, "%s::%s::%s", normal, id, author) : NULL;

        return key && fold ? java_lower(a, key) : key;
}

/* Of rows with one key the first is the one that counts: the newest date, of one date the lowest order (facts 1.4). */
static int compare_entries(const void *a, const void *b)
{
        const RowIndexEntry *x = a, *y = b;
        int order = strcmp(x->key, y->key);

        if (order)
                return order;
        order = strcmp(y->row->installed_on, x->row->installed_on);
        return order ? order : x->row->rank < y->row->rank ? -1 : x->row->rank > y->row->rank;
}

int row_index_make(RowIndex *ret, const History *h, bool fold, Error *err)
{
        _cleanup_row_index_ RowIndex x = { .arena = ARENA_INIT((size_t) 1 << 30) };

        x.entries = calloc(h->n_rows + 1, sizeof *x.entries);
        if (!x.entries)
                return error_oom(err, "the history");
        for (size_t i = 0; i < h->n_rows; i++) {
                const HistoryRow *row = &h->rows[i];
                const char *key = liquibase_key(&x.arena, row->script, row->id, row->author, fold);

                if (!key)
                        return error_oom(err, "the history");
                x.entries[x.n++] = (RowIndexEntry){ .key = key, .row = row };
        }
        qsort(x.entries, x.n, sizeof *x.entries, compare_entries);
        *ret = x;
        x = (RowIndex){ .n = 0 };
        return 0;
}

const HistoryRow *row_index_find(const RowIndex *x, const char *key)
{
        size_t lo = 0, hi = x->n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (strcmp(x->entries[mid].key, key) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo < x->n && strcmp(x->entries[lo].key, key) == 0 ? x->entries[lo].row : NULL;
}

void row_index_done(RowIndex *x)
{
        free(x->entries);
        arena_done(&x->arena);
        *x = (RowIndex){ .n = 0 };
}
