#include <stdio.h>
#include <string.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"

typedef struct Judge {
        Assessment *a;
        const Changelog *changelog;
        const History *history;
        const FormatContext *ctx;
        const FormatOptions *options;
        const FlywayPosition *pos;
        AssessPurpose purpose;
        size_t n_future;
        const char *newest_future;
} Judge;

static char *label(const char *version, const char *description, char *buf)
{
        (void) snprintf(buf, FLYWAY_LABEL_MAX, "%s%s%s%.200s%s",
                        version ? "version " : "repeatable migration", version ?: "",
                        *description ? " (" : "", description, *description ? ")" : "");
        return buf;
}

char *flyway_row_label(const HistoryRow *row, char *buf)
{
        return label(row->version, row->description, buf);
}

char *flyway_migration_label(const Migration *m, char *buf)
{
        return label(m->version, m->description, buf);
}

/* Where the row's file is, or was. */
static void locate(const Judge *j, const Entry *e, Error *refusal)
{
        char path[sizeof refusal->path];

        if (e->migration)
                (void) error_at(refusal, e->migration->path, 0, 0);
        else {
                (void) snprintf(path, sizeof path, "%s/%s", j->changelog->folder, e->row->script);
                (void) error_at(refusal, path, 0, 0);
        }
}

static int refuse(const Judge *j, const Entry *e, Error *refusal, Error *err)
{
        locate(j, e, refusal);
        return assessment_refuse(j->a, refusal, err);
}

static bool is_future(const Judge *j, const HistoryRow *row)
{
        return row->version && (!j->pos->greatest_file ||
                                flyway_version_compare(row->version, j->pos->greatest_file) >= 0);
}

/* ---- rows ---- */

static int judge_failed(Judge *j, const Entry *e, Error *err)
{
        char buf[FLYWAY_LABEL_MAX];
        const char *state = is_future(j, e->row) ? "future" : "missing";
        Error x;

        (void) flyway_row_label(e->row, buf);
        if (!e->migration && flyway_ignores(j->options, !e->row->version, state))
                return assessment_warn(j->a, err,
                                       "%s failed when somebody else ran it, and its file "
                                       "is not here",
                                       buf);
        (void) error_set(&x, ERROR_REFUSED, "%s is recorded as failed (%s, by %s)", buf,
                         e->row->installed_on ?: "", e->row->installed_by ?: "");
        (void) error_hint(&x,
                          "it did not run in a transaction, so parts of it may be there: undo or "
                          "finish them by hand, then run \"pgmigrated repair\", which removes "
                          "the failed row");
        return refuse(j, e, &x, err);
}

static int judge_missing(Judge *j, const Entry *e, Error *err)
{
        bool future = e->state == ENTRY_FUTURE;
        char buf[FLYWAY_LABEL_MAX];
        Error x;

        if (flyway_ignores(j->options, !e->row->version, future ? "future" : "missing")) {
                if (future) {
                        j->n_future++;
                        if (!j->newest_future ||
                            flyway_version_compare(e->row->version, j->newest_future) > 0)
                                j->newest_future = e->row->version;
                }
                return 0;
        }
        (void) error_set(&x, ERROR_REFUSED, "%s was applied (%s, by %s), but %s is not in %s",
                         flyway_row_label(e->row, buf), e->row->installed_on ?: "",
                         e->row->installed_by ?: "", e->row->script, j->changelog->folder);
        (void) error_hint(&x,
                          "put the file back; if it is gone for good, run \"pgmigrated repair\", "
                          "which marks it as deleted, or set ignore_migration_patterns = *:%s",
                          future ? "future" : "missing");
        return refuse(j, e, &x, err);
}

static int judge_type(Judge *j, const Entry *e, const char *name, Error *err)
{
        Error x;

        if (strcmp(e->row->type, flyway_type(e->migration->kind)) == 0)
                return 0;
        (void) error_set(&x, ERROR_REFUSED, "%s was applied as %s, but %s is %s", name,
                         e->row->type, e->migration->path, flyway_type(e->migration->kind));
        (void) error_hint(&x,
                          "if both do the same, run \"pgmigrated repair\", which records the file");
        return refuse(j, e, &x, err);
}

static int judge_checksum(Judge *j, const Entry *e, const char *name, Error *err)
{
        Error x;

        if (!e->row->checksum || strcmp(e->row->checksum, e->migration->checksum) == 0)
                return 0;
        (void) error_set(
                &x, ERROR_REFUSED,
                "%s was changed after it was applied: checksum %s in the history, %s in %s", name,
                e->row->checksum, e->migration->checksum, e->migration->path);
        (void) error_hint(&x,
                          "put the old text back and make the change in a new migration; if the "
                          "change does not matter, run \"pgmigrated repair\", which records the "
                          "new checksum");
        return refuse(j, e, &x, err);
}

static int judge_description(Judge *j, const Entry *e, const char *name, Error *err)
{
        _cleanup_text_ Text description = TEXT_INIT(4096);
        Error x;

        flyway_abbreviate_description(&description, e->migration->description);
        if (strcmp(text_str(&description), e->row->description) == 0)
                return 0;
        (void) error_set(&x, ERROR_REFUSED,
                         "%s was renamed after it was applied: %s describes it as "
                         "\"%.200s\"",
                         name, e->migration->path, text_str(&description));
        (void) error_hint(&x,
                          "give the file its old name back, or run \"pgmigrated repair\", which "
                          "records the new one");
        return refuse(j, e, &x, err);
}

/* A repeatable's text may change, and its description is what it was found by. */
static int judge_applied(Judge *j, const Entry *e, Error *err)
{
        char buf[FLYWAY_LABEL_MAX];
        int r;

        if (!e->migration || !e->row->version)
                return 0;
        if (j->pos->applied_baseline &&
            flyway_version_compare(e->row->version, j->pos->applied_baseline) <= 0)
                return 0;
        (void) flyway_row_label(e->row, buf);
        r = judge_type(j, e, buf, err);
        if (r >= 0)
                r = judge_checksum(j, e, buf, err);
        if (r >= 0)
                r = judge_description(j, e, buf, err);
        return r;
}

/* ---- files ---- */

static int judge_ignored(Judge *j, const Entry *e, Error *err)
{
        char buf[FLYWAY_LABEL_MAX];
        Error x;

        if (e->migration->kind == MIGRATION_BASELINE)
                return 0;
        (void) flyway_migration_label(e->migration, buf);
        if (flyway_ignores(j->options, false, "ignored"))
                return assessment_warn(j->a, err,
                                       "%s is never run: it is older than version %s, "
                                       "which was applied without it",
                                       e->migration->script, j->pos->last_applied);
        (void) error_set(&x, ERROR_REFUSED, "%s has not been applied, but the newer version %s has",
                         buf, j->pos->last_applied);
        (void) error_hint(&x,
                          "give it a version above %s, or run it all the same with out_of_order "
                          "= yes, or leave it out with ignore_migration_patterns = *:ignored",
                          j->pos->last_applied);
        return refuse(j, e, &x, err);
}

static int judge_pending(Judge *j, const Entry *e, Error *err)
{
        bool repeatable = e->migration->kind == MIGRATION_REPEATABLE;
        char buf[FLYWAY_LABEL_MAX];
        Error x;

        if (!repeatable && j->pos->last_applied &&
            flyway_version_compare(e->migration->version, j->pos->last_applied) < 0) {
                int r = assessment_warn(j->a, err,
                                        "%s runs out of order: version %s is applied already",
                                        e->migration->script, j->pos->last_applied);

                if (r < 0)
                        return r;
        }
        if (j->purpose != ASSESS_VALIDATE || flyway_ignores(j->options, repeatable, "pending"))
                return 0;
        (void) error_set(&x, ERROR_REFUSED, "%s %s", flyway_migration_label(e->migration, buf),
                         e->state == ENTRY_OUTDATED
                                 ? "was changed since it was applied, and has not been run again"
                                 : "has not been applied");
        (void) error_hint(&x, "run \"pgmigrated migrate\"");
        return refuse(j, e, &x, err);
}

static int judge_entry(Judge *j, const Entry *e, Error *err)
{
        switch (e->state) {
        case ENTRY_FAILED:
                return judge_failed(j, e, err);
        case ENTRY_PENDING:
        case ENTRY_OUTDATED:
                return judge_pending(j, e, err);
        default:
                break;
        }
        if (j->purpose == ASSESS_MIGRATE && !j->options->validate_on_migrate)
                return 0;
        switch (e->state) {
        case ENTRY_MISSING:
        case ENTRY_FUTURE:
                return judge_missing(j, e, err);
        case ENTRY_IGNORED:
                return judge_ignored(j, e, err);
        case ENTRY_APPLIED:
        case ENTRY_OUT_OF_ORDER:
                return judge_applied(j, e, err);
        default:
                return 0;
        }
}

/* ---- the database ---- */

static int judge_schemas(Judge *j, Error *err)
{
        const History *h = j->history;
        Error x;

        if (h->exists || j->purpose != ASSESS_MIGRATE)
                return 0;
        if (!h->schema_exists && !j->options->create_schemas) {
                (void) error_set(&x, ERROR_REFUSED, "database \"%s\" has no schema \"%s\"",
                                 j->ctx->database, j->ctx->schema);
                (void) error_hint(&x, "create it, or set create_schemas = yes");
                return assessment_refuse(j->a, &x, err);
        }
        if (h->schema_empty || j->a->needs_baseline)
                return 0;
        (void) error_set(&x, ERROR_REFUSED,
                         "schema \"%s\" is not empty, but there is no history table \"%s\" in it",
                         j->ctx->schema, flyway_table(j->options));
        (void) error_hint(&x,
                          "if it is at a known version already, run \"pgmigrated baseline\" "
                          "(baseline_version = %s), or set baseline_on_migrate = yes; else check "
                          "database, default_schema and table",
                          flyway_baseline_version(j->options));
        return assessment_refuse(j->a, &x, err);
}

static int warn_of_strangers(const Judge *j, Error *err)
{
        if (j->n_future == 0)
                return 0;
        if (!j->pos->greatest_file)
                return assessment_warn(j->a, err,
                                       "%s has no versioned migration, but the database is "
                                       "at version %s: is it the right folder?",
                                       j->changelog->folder, j->newest_future);
        return assessment_warn(j->a, err,
                               "the database is at version %s, ahead of every file in %s",
                               j->newest_future, j->changelog->folder);
}

int flyway_validate(Assessment *a, const Changelog *c, const History *h, const FormatContext *ctx,
                    const FlywayPosition *pos, AssessPurpose purpose, Error *err)
{
        Judge j = { .a = a,
                    .changelog = c,
                    .history = h,
                    .ctx = ctx,
                    .options = ctx->options,
                    .pos = pos,
                    .purpose = purpose };
        int r = judge_schemas(&j, err);

        for (size_t i = 0; i < a->n_entries && r >= 0; i++)
                r = judge_entry(&j, &a->entries[i], err);
        return r < 0 ? r : warn_of_strangers(&j, err);
}
