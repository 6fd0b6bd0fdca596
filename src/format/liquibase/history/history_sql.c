/* What is written into databasechangelog: rows, tags, checksums. Facts: liquibase.md 3. */
#include <inttypes.h>
#include <string.h>

#include "format/liquibase/change/checksum.h"
#include "format/liquibase/liquibase.h"

static int finish(const Text *sql, Error *err)
{
        return sql->bad ? error_set(err, ERROR_TOO_LARGE, "a statement for the history is too long")
                        : 0;
}

static void add_text(Text *sql, const char *s)
{
        if (s)
                text_add_sql_literal(sql, s);
        else
                text_add(sql, "NULL");
}

static void add_where(Text *sql, const HistoryRow *row)
{
        text_add(sql, " WHERE ID = ");
        text_add_sql_literal(sql, row->id);
        text_add(sql, " AND AUTHOR = ");
        text_add_sql_literal(sql, row->author);
        text_add(sql, " AND FILENAME = ");
        text_add_sql_literal(sql, row->script);
}

/* The last statement of a step tells how long it took: see sql_applied() in format.h. */
static void add_duration(Text *sql, int64_t ms)
{
        if (ms < 0)
                text_add(sql, "SELECT (extract(epoch FROM clock_timestamp() - "
                              "current_setting('" FORMAT_BEGAN_SETTING
                              "')::timestamptz) * 1000)::bigint;\n");
}

/* ---- tables ---- */

static const char changelog_columns[] =
        " (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, "
        "DATEEXECUTED TIMESTAMP WITHOUT TIME ZONE NOT NULL, ORDEREXECUTED INTEGER NOT NULL, "
        "EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), "
        "COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), "
        "LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10));\n";

int liquibase_sql_create(Text *sql, const FormatContext *ctx, const History *h, bool baseline,
                         Error *err)
{
        (void) baseline;
        if (h->exists)
                return 0;
        if (ctx->options->create_schemas && ctx->options->default_schema &&
            *ctx->options->default_schema) {
                text_add(sql, "CREATE SCHEMA IF NOT EXISTS ");
                text_add_sql_identifier(sql, ctx->schema);
                text_add(sql, ";\n");
        }
        liquibase_sql_lock_table(sql, ctx);
        text_add(sql, "INSERT INTO ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, " (ID, LOCKED) SELECT 1, FALSE WHERE NOT EXISTS (SELECT FROM ");
        liquibase_add_table(sql, ctx, true);
        text_add(sql, ");\nCREATE TABLE ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, changelog_columns);
        return finish(sql, err);
}

/* ---- rows ---- */

static int add_insert(Text *sql, const FormatContext *ctx, const Migration *m, const char *exectype,
                      int64_t rank, Error *err)
{
        const ChangeSet *s = liquibase_set(m);
        _cleanup_arena_ Arena arena = ARENA_INIT(64U << 20);
        const char *comments = changeset_comments(&arena, s);

        if (!comments)
                return error_oom(err, "a statement for the history");
        text_add(sql, "INSERT INTO ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, " (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, DESCRIPTION, "
                      "COMMENTS, "
                      "EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID");
        text_add(sql, s->tag ? ", TAG) VALUES (" : ") VALUES (");
        text_add_sql_literal(sql, s->id);
        text_add(sql, ", ");
        text_add_sql_literal(sql, s->author);
        text_add(sql, ", ");
        text_add_sql_literal(sql, s->path);
        text_printf(sql, ", NOW(), %" PRId64 ", ", rank);
        text_add_sql_literal(sql, m->checksum);
        text_add(sql, ", ");
        text_add_sql_literal(sql, m->description);
        text_add(sql, ", ");
        text_add_sql_literal(sql, comments);
        text_printf(sql, ", '%s', ", exectype);
        add_text(sql, s->contexts_column);
        text_add(sql, ", ");
        add_text(sql, s->labels_column);
        text_printf(sql, ", '" LIQUIBASE_VERSION "', '%s'", ctx->deployment);
        if (s->tag) {
                text_add(sql, ", ");
                text_add_sql_literal(sql, s->tag);
        }
        text_add(sql, ");\n");
        return finish(sql, err);
}

/* A changeset that runs again keeps its row, under the names that the row has. */
static int add_update(Text *sql, const FormatContext *ctx, const Applied *a, Error *err)
{
        const ChangeSet *s = liquibase_set(a->migration);
        _cleanup_arena_ Arena arena = ARENA_INIT(64U << 20);
        const char *comments = changeset_comments(&arena, s);

        if (!comments)
                return error_oom(err, "a statement for the history");
        text_add(sql, "UPDATE ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, " SET COMMENTS = ");
        text_add_sql_literal(sql, comments);
        text_add(sql, ", CONTEXTS = ");
        add_text(sql, s->contexts_column);
        text_printf(sql, ", DATEEXECUTED = NOW(), DEPLOYMENT_ID = '%s', DESCRIPTION = ",
                    ctx->deployment);
        text_add_sql_literal(sql, a->migration->description);
        text_add(sql, ", EXECTYPE = 'RERAN', LABELS = ");
        add_text(sql, s->labels_column);
        text_add(sql, ", LIQUIBASE = '" LIQUIBASE_VERSION "', MD5SUM = ");
        text_add_sql_literal(sql, a->migration->checksum);
        text_printf(sql, ", ORDEREXECUTED = %" PRId64, a->rank);
        if (s->tag) {
                text_add(sql, ", TAG = ");
                text_add_sql_literal(sql, s->tag);
        }
        add_where(sql, a->previous);
        text_add(sql, ";\n");
        return finish(sql, err);
}

int liquibase_sql_applied(Text *sql, const FormatContext *ctx, const Applied *a, Error *err)
{
        int r = a->marked     ? add_insert(sql, ctx, a->migration, "MARK_RAN", a->rank, err)
                : a->previous ? add_update(sql, ctx, a, err)
                              : add_insert(sql, ctx, a->migration, "EXECUTED", a->rank, err);

        add_duration(sql, a->ms);
        return r < 0 ? r : finish(sql, err);
}

int liquibase_sql_undone(Text *sql, const FormatContext *ctx, const HistoryRow *row,
                         const Migration *undo, int64_t rank, int64_t ms, Error *err)
{
        (void) undo;
        (void) rank;
        text_add(sql, "DELETE FROM ");
        liquibase_add_table(sql, ctx, false);
        add_where(sql, row);
        text_add(sql, ";\n");
        add_duration(sql, ms);
        return finish(sql, err);
}

/* ---- the operations on the history ---- */

/* changelog-sync: what has not run is said to have. */
int liquibase_sql_baseline(Text *sql, const FormatContext *ctx, const Changelog *c,
                           const History *h, Error *err)
{
        _cleanup_(assessment_freep) Assessment *a = NULL;
        int64_t rank = liquibase_next_rank(h);
        int r = liquibase_assess(&a, c, h, ctx, ASSESS_INFO, err);
        size_t before;

        if (r >= 0)
                r = liquibase_sql_create(sql, ctx, h, false, err);
        before = sql->len;
        if (r >= 0)
                r = liquibase_sql_adopt(sql, ctx, h, err);
        for (size_t i = 0; r >= 0 && i < a->n_entries; i++)
                if (a->entries[i].state == ENTRY_PENDING)
                        r = add_insert(sql, ctx, a->entries[i].migration, "EXECUTED", rank++, err);
        return r < 0 ? r : sql->len > before;
}

static void add_sum(Text *sql, const FormatContext *ctx, const HistoryRow *row, const char *sum)
{
        text_add(sql, "UPDATE ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, " SET MD5SUM = ");
        text_add_sql_literal(sql, sum);
        add_where(sql, row);
        text_add(sql, ";\n");
}

/* Changed files are accepted, as clear-checksums and the next update would, but only where they differ. */
int liquibase_sql_repair(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                         const History *h, Error *err)
{
        _cleanup_(assessment_freep) Assessment *a = NULL;
        int r = liquibase_assess(&a, c, h, ctx, ASSESS_INFO, err);

        if (r >= 0)
                r = liquibase_sql_adopt(sql, ctx, h, err);
        for (size_t i = 0; r >= 0 && i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                if (!e->row || !e->migration || e->state == ENTRY_FILTERED ||
                    !changeset_has_checksum(liquibase_set(e->migration)) ||
                    (e->row->checksum && strcmp(e->row->checksum, e->migration->checksum) == 0))
                        continue;
                add_sum(sql, ctx, e->row, e->migration->checksum);
                text_printf(notes, "%s: checksum %s becomes %s\n", e->migration->id,
                            e->row->checksum ?: "(none)", e->migration->checksum);
        }
        if (r >= 0)
                r = finish(sql, err);
        return r < 0 ? r : sql->len > 0;
}

/* Sums of an older kind, or none, become those of now, as update does on its way (facts 3.3). */
int liquibase_sql_upkeep(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                         const History *h, Error *err)
{
        _cleanup_(assessment_freep) Assessment *a = NULL;
        int r = liquibase_assess(&a, c, h, ctx, ASSESS_INFO, err);
        unsigned upgraded = 0;

        if (r >= 0)
                r = liquibase_sql_adopt(sql, ctx, h, err);
        for (size_t i = 0; r >= 0 && i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                if (!e->row || !e->migration || e->state != ENTRY_APPLIED || e->reason ||
                    !changeset_has_checksum(liquibase_set(e->migration)) ||
                    (e->row->checksum && checksum_version(e->row->checksum) == CHECKSUM_NEWEST))
                        continue;
                add_sum(sql, ctx, e->row, e->migration->checksum);
                upgraded += e->row->checksum != NULL;
        }
        if (upgraded > 0)
                text_printf(notes,
                            "%u checksums of an older version were replaced by those of version %d",
                            upgraded, CHECKSUM_NEWEST);
        if (r >= 0)
                r = finish(sql, err);
        return r < 0 ? r : sql->len > 0;
}

/* ---- tags ---- */

/* The MD5 of nothing, which Liquibase gives the row that it makes for a tag on an empty table. */
#define EMPTY_SUM "9:d41d8cd98f00b204e9800998ecf8427e"

int liquibase_sql_tag(Text *sql, const FormatContext *ctx, const History *h, const char *tag,
                      Error *err)
{
        if (h->n_rows == 0) {
                text_add(sql, "INSERT INTO ");
                liquibase_add_table(sql, ctx, false);
                text_add(
                        sql,
                        " (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, DESCRIPTION, "
                        "COMMENTS, EXECTYPE, LIQUIBASE, DEPLOYMENT_ID, TAG) VALUES "
                        "((extract(epoch FROM clock_timestamp()) * 1000)::bigint::text, "
                        "'liquibase', "
                        "'liquibase-internal', NOW(), 1, '" EMPTY_SUM "', 'empty', '', 'EXECUTED', "
                        "'" LIQUIBASE_VERSION "', ");
                text_add_sql_literal(sql, ctx->deployment);
                text_add(sql, ", ");
                text_add_sql_literal(sql, tag);
                text_add(sql, ");\n");
                return finish(sql, err);
        }
        text_add(sql, "UPDATE ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, " t SET TAG = ");
        text_add_sql_literal(sql, tag);
        text_add(sql, " FROM (SELECT DATEEXECUTED, ORDEREXECUTED FROM ");
        liquibase_add_table(sql, ctx, false);
        text_add(sql, " ORDER BY DATEEXECUTED DESC, ORDEREXECUTED DESC LIMIT 1) sub WHERE "
                      "t.DATEEXECUTED = "
                      "sub.DATEEXECUTED AND t.ORDEREXECUTED = sub.ORDEREXECUTED;\n");
        return finish(sql, err);
}
