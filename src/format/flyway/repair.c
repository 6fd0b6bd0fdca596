#include <stdio.h>
#include <string.h>

#include "format/flyway/flyway.h"

typedef struct Repair {
        Text *sql, *notes;
        const FormatContext *ctx;
        size_t n;
} Repair;

static void remove_failed(Repair *r, const HistoryRow *row)
{
        char label[FLYWAY_LABEL_MAX];

        text_add(r->sql, "DELETE FROM ");
        flyway_add_table(r->sql, r->ctx);
        text_printf(r->sql, " WHERE installed_rank = %lld AND NOT success;\n",
                    (long long) row->rank);
        text_printf(r->notes, "remove the failed row of %s\n", flyway_row_label(row, label));
        r->n++;
}

static void mark_deleted(Repair *r, const HistoryRow *row)
{
        char label[FLYWAY_LABEL_MAX];

        flyway_add_insert(r->sql, r->ctx,
                          &(FlywayInsert){ .rank = -1,
                                           .version = row->version,
                                           .description = row->description,
                                           .type = "DELETE",
                                           .script = row->script,
                                           .checksum = row->checksum,
                                           .success = row->success });
        text_printf(r->notes, "mark %s as deleted, since %s is not there\n",
                    flyway_row_label(row, label), row->script);
        r->n++;
}

static void align(Repair *r, const HistoryRow *row, const Migration *m, const char *description,
                  const char *type)
{
        char label[FLYWAY_LABEL_MAX];

        text_add(r->sql, "UPDATE ");
        flyway_add_table(r->sql, r->ctx);
        text_add(r->sql, " SET description = ");
        text_add_sql_literal(r->sql, description);
        text_printf(r->sql, ", type = '%s', checksum = %s WHERE installed_rank = %lld;\n", type,
                    m->checksum, (long long) row->rank);
        text_printf(r->notes, "record %s as the text of %s", m->script,
                    flyway_row_label(row, label));
        if (!row->checksum || strcmp(row->checksum, m->checksum) != 0)
                text_printf(r->notes, ", checksum %s instead of %s", m->checksum,
                            row->checksum ?: "none");
        text_addc(r->notes, '\n');
        r->n++;
}

static void align_versioned(Repair *r, const HistoryRow *row, const Migration *m)
{
        _cleanup_text_ Text description = TEXT_INIT(4096);
        FlywayRowClass class = flyway_row_class(row);
        /* Old spellings of a baseline script's type stay as they are. */
        const char *type = class == FLYWAY_ROW_BASELINE_SCRIPT ? row->type : flyway_type(m->kind);

        flyway_abbreviate_description(&description, m->description);
        if (strcmp(text_str(&description), row->description) == 0 && strcmp(type, row->type) == 0 &&
            row->checksum && strcmp(row->checksum, m->checksum) == 0)
                return;
        align(r, row, m, text_str(&description), type);
}

/* A repeatable is only brought from the checksum without placeholders, which older versions wrote, to today's. */
static void align_repeatable(Repair *r, const HistoryRow *row, const Migration *m)
{
        char raw[16];

        (void) snprintf(raw, sizeof raw, "%d", m->checksum_alt);
        if (!m->has_checksum_alt || !row->checksum || strcmp(row->checksum, raw) != 0 ||
            strcmp(row->checksum, m->checksum) == 0)
                return;
        align(r, row, m, row->description, row->type);
}

static void repair_entry(Repair *r, const Entry *e)
{
        const HistoryRow *row = e->row;
        FlywayRowClass class;

        if (!row)
                return;
        class = flyway_row_class(row);
        switch (e->state) {
        case ENTRY_FAILED:
                remove_failed(r, row);
                break;
        case ENTRY_MISSING:
        case ENTRY_FUTURE:
                if (!flyway_ignores(r->ctx->options, !row->version,
                                    e->state == ENTRY_MISSING ? "missing" : "future"))
                        mark_deleted(r, row);
                break;
        case ENTRY_APPLIED:
        case ENTRY_OUT_OF_ORDER:
        case ENTRY_BASELINE:
                if (!e->migration || class == FLYWAY_ROW_BASELINE)
                        break;
                if (row->version)
                        align_versioned(r, row, e->migration);
                else
                        align_repeatable(r, row, e->migration);
                break;
        default:
                break;
        }
}

int flyway_sql_repair(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                      const History *h, Error *err)
{
        _cleanup_(assessment_freep) Assessment *a = NULL;
        Repair repair = { .sql = sql, .notes = notes, .ctx = ctx };
        int r = flyway_assess(&a, c, h, ctx, ASSESS_INFO, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < a->n_entries; i++)
                repair_entry(&repair, &a->entries[i]);
        if (sql->bad || notes->bad)
                return error_set(err, ERROR_TOO_LARGE,
                                 "the repair of the history table is too long");
        return repair.n > 0;
}
