#include <limits.h>
#include <string.h>

#include "format/flyway/flyway.h"
#include "util/utf8.h"

void flyway_add_table(Text *sql, const FormatContext *ctx)
{
        text_add_sql_identifier(sql, ctx->schema);
        text_addc(sql, '.');
        text_add_sql_identifier(sql, flyway_table(ctx->options));
}

/* Bytes that the first n characters of s take. */
static size_t prefix_of(const char *s, size_t n)
{
        size_t i = 0;

        while (s[i]) {
                if (((unsigned char) s[i] & 0xc0) != 0x80 && n-- == 0)
                        break;
                i++;
        }
        return i;
}

void flyway_abbreviate_description(Text *t, const char *s)
{
        if (utf8_count(s, strlen(s)) <= FLYWAY_MAX_DESCRIPTION) {
                text_add(t, s);
                return;
        }
        text_append(t, s, prefix_of(s, FLYWAY_MAX_DESCRIPTION - 3));
        text_add(t, "...");
}

void flyway_abbreviate_script(Text *t, const char *s)
{
        size_t from;

        if (utf8_count(s, strlen(s)) <= FLYWAY_MAX_SCRIPT) {
                text_add(t, s);
                return;
        }
        from = prefix_of(s, 3);
        text_add(t, "...");
        text_append(t, s + from, prefix_of(s + from, FLYWAY_MAX_SCRIPT - 3));
}

const char *flyway_type(MigrationKind kind)
{
        return kind == MIGRATION_BASELINE ? "SQL_BASELINE" : "SQL";
}

static void add_literal_or_null(Text *sql, const char *s)
{
        if (s)
                text_add_sql_literal(sql, s);
        else
                text_add(sql, "NULL");
}

static void add_abbreviated(Text *sql, const char *s, void (*abbreviate)(Text *t, const char *s))
{
        _cleanup_text_ Text t = TEXT_INIT(sql->ceiling);

        abbreviate(&t, s);
        sql->bad = sql->bad || t.bad;
        text_add_sql_literal(sql, text_str(&t));
}

/* installed_on is the column's default, as with Flyway. */
void flyway_add_insert(Text *sql, const FormatContext *ctx, const FlywayInsert *row)
{
        const char *by = ctx->options->installed_by;

        text_add(sql, "INSERT INTO ");
        flyway_add_table(sql, ctx);
        text_add(sql,
                 " (installed_rank, version, description, type, script, checksum, installed_by, "
                 "execution_time, success) VALUES (");
        if (row->rank >= 0)
                text_printf(sql, "%lld", (long long) row->rank);
        else {
                text_add(sql, "(SELECT coalesce(max(installed_rank), 0) + 1 FROM ");
                flyway_add_table(sql, ctx);
                text_addc(sql, ')');
        }
        text_add(sql, ", ");
        add_literal_or_null(sql, row->version);
        text_add(sql, ", ");
        add_abbreviated(sql, row->description, flyway_abbreviate_description);
        text_printf(sql, ", '%s', ", row->type);
        add_abbreviated(sql, row->script, flyway_abbreviate_script);
        text_printf(sql, ", %s, ", row->checksum && *row->checksum ? row->checksum : "NULL");
        if (by && *by)
                text_add_sql_literal(sql, by);
        else
                text_add(sql, "current_user");
        if (row->ms >= 0)
                text_printf(sql, ", %lld", (long long) (row->ms < INT_MAX ? row->ms : INT_MAX));
        else
                text_add(sql,
                         ", (extract(epoch from clock_timestamp() - "
                         "current_setting('" FORMAT_BEGAN_SETTING "')::timestamptz) * 1000)::int");
        text_add(sql, row->success ? ", true)" : ", false)");
        text_add(sql, row->ms < 0 ? " RETURNING execution_time;\n" : ";\n");
}

static int finish(const Text *sql, Error *err)
{
        if (sql->bad)
                return error_set(err, ERROR_TOO_LARGE, "the SQL for the history table is too long");
        return 0;
}

static void add_baseline(Text *sql, const FormatContext *ctx, int64_t rank)
{
        const char *description = flyway_baseline_description(ctx->options);

        flyway_add_insert(sql, ctx,
                          &(FlywayInsert){ .rank = rank,
                                           .version = flyway_baseline_version(ctx->options),
                                           .description = description,
                                           .type = "BASELINE",
                                           .script = description,
                                           .success = true });
}

static void add_table_definition(Text *sql, const FormatContext *ctx, bool baseline)
{
        _cleanup_text_ Text name = TEXT_INIT(512);
        const char *table = flyway_table(ctx->options);

        text_add(sql, "CREATE TABLE ");
        flyway_add_table(sql, ctx);
        text_add(sql, " (\n"
                      "    installed_rank integer NOT NULL,\n"
                      "    version varchar(50),\n"
                      "    description varchar(200) NOT NULL,\n"
                      "    type varchar(20) NOT NULL,\n"
                      "    script varchar(1000) NOT NULL,\n"
                      "    checksum integer,\n"
                      "    installed_by varchar(100) NOT NULL,\n"
                      "    installed_on timestamp NOT NULL DEFAULT now(),\n"
                      "    execution_time integer NOT NULL,\n"
                      "    success boolean NOT NULL\n"
                      ");\n");
        if (baseline)
                add_baseline(sql, ctx, 1);
        text_printf(&name, "%s_pk", table);
        text_add(sql, "ALTER TABLE ");
        flyway_add_table(sql, ctx);
        text_add(sql, " ADD CONSTRAINT ");
        text_add_sql_identifier(sql, text_str(&name));
        text_add(sql, " PRIMARY KEY (installed_rank);\n");
        text_clear(&name);
        text_printf(&name, "%s_s_idx", table);
        text_add(sql, "CREATE INDEX ");
        text_add_sql_identifier(sql, text_str(&name));
        text_add(sql, " ON ");
        flyway_add_table(sql, ctx);
        text_add(sql, " (success);\n");
}

static int64_t rank_of_schema_row(const History *h, bool baseline)
{
        if (h->n_rows > 0)
                return h->rows[h->n_rows - 1].rank + 1;
        return baseline ? 2 : 0;
}

/* Plain CREATE TABLE on purpose: under the lock nobody can have made it since the history was read, and if
 * somebody without the lock did, it must not be taken for ours. */
int flyway_sql_create(Text *sql, const FormatContext *ctx, const History *h, bool baseline,
                      Error *err)
{
        _cleanup_text_ Text made = TEXT_INIT(1U << 20);

        for (size_t i = 0; ctx->options->create_schemas && i < h->n_missing_schemas; i++) {
                text_add(sql, "CREATE SCHEMA IF NOT EXISTS ");
                text_add_sql_identifier(sql, h->missing_schemas[i]);
                text_add(sql, ";\n");
                if (made.len)
                        text_addc(&made, ',');
                text_add_sql_identifier(&made, h->missing_schemas[i]);
        }
        baseline = baseline && !h->exists;
        if (!h->exists)
                add_table_definition(sql, ctx, baseline);
        if (made.len)
                flyway_add_insert(sql, ctx,
                                  &(FlywayInsert){ .rank = rank_of_schema_row(h, baseline),
                                                   .description = "<< Flyway Schema Creation >>",
                                                   .type = "SCHEMA",
                                                   .script = text_str(&made),
                                                   .success = true });
        sql->bad = sql->bad || made.bad;
        return finish(sql, err);
}

int flyway_sql_applied(Text *sql, const FormatContext *ctx, const Applied *a, Error *err)
{
        const Migration *m = a->migration;

        flyway_add_insert(sql, ctx,
                          &(FlywayInsert){ .rank = a->rank > 0 ? a->rank : -1,
                                           .version = m->version,
                                           .description = m->description,
                                           .type = flyway_type(m->kind),
                                           .script = m->script,
                                           .checksum = m->checksum,
                                           .ms = a->ms,
                                           .success = true });
        return finish(sql, err);
}

/* Flyway's own rows for undone migrations (UNDO_SQL) stop its community edition; a DELETE row says the same to all. */
int flyway_sql_undone(Text *sql, const FormatContext *ctx, const HistoryRow *row,
                      const Migration *undo, int64_t rank, int64_t ms, Error *err)
{
        flyway_add_insert(sql, ctx,
                          &(FlywayInsert){ .rank = rank > 0 ? rank : -1,
                                           .version = row->version,
                                           .description = row->description,
                                           .type = "DELETE",
                                           .script = undo ? undo->script : row->script,
                                           .checksum = undo ? undo->checksum : row->checksum,
                                           .ms = ms,
                                           .success = true });
        return finish(sql, err);
}

static int other_baseline(const FormatContext *ctx, const HistoryRow *row, Error *err)
{
        (void) error_set(err, ERROR_REFUSED, "%s.%s already has a baseline: version %s (%s)",
                         ctx->schema, flyway_table(ctx->options), row->version ?: "?",
                         row->description);
        return error_hint(err, "leave it, or drop the history table and set the baseline again");
}

int flyway_sql_baseline(Text *sql, const FormatContext *ctx, const Changelog *c, const History *h,
                        Error *err)
{
        const FormatOptions *o = ctx->options;

        (void) c;

        for (size_t i = 0; i < h->n_rows; i++) {
                const HistoryRow *row = &h->rows[i];
                FlywayRowClass class = flyway_row_class(row);

                if (class == FLYWAY_ROW_BASELINE) {
                        if (row->version &&
                            flyway_version_compare(row->version, flyway_baseline_version(o)) == 0 &&
                            strcmp(row->description, flyway_baseline_description(o)) == 0)
                                return 0;
                        return other_baseline(ctx, row, err);
                }
                if (class != FLYWAY_ROW_SCHEMA) {
                        (void) error_set(err, ERROR_REFUSED,
                                         "%s.%s already records migrations, so it cannot have a "
                                         "baseline",
                                         ctx->schema, flyway_table(o));
                        return error_hint(err, "migrate as it is; to begin anew, drop the history "
                                               "table first");
                }
        }
        if (!h->exists && !h->schema_exists && !o->create_schemas) {
                (void) error_set(err, ERROR_REFUSED, "schema \"%s\" does not exist", ctx->schema);
                return error_hint(err, "create it, or set create_schemas = yes");
        }
        int r = 0;
        if (h->exists)
                add_baseline(sql, ctx, -1);
        else
                r = flyway_sql_create(sql, ctx, h, true, err);
        if (r >= 0)
                r = finish(sql, err);
        return r < 0 ? r : 1;
}
