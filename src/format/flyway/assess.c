#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"
#include "util/utf8.h"

typedef struct RowFacts {
        FlywayRowClass class;
        const Migration *file;
        bool undone;
        bool superseded;   /* a repeatable's, not its newest */
        bool out_of_order; /* not greater than all before it */
} RowFacts;

typedef enum TargetMode { TARGET_LATEST, TARGET_CURRENT, TARGET_NEXT, TARGET_VERSION } TargetMode;

typedef struct Target {
        TargetMode mode;
        bool may_be_absent;
        bool next_found;
        char version[FLYWAY_MAX_NAME + 1];
} Target;

typedef struct Work {
        const Changelog *changelog;
        const History *history;
        const FormatContext *ctx;
        RowFacts *rows;
        bool *done;                /* by index of migration: has a row that stands */
        const HistoryRow **newest; /* by index of migration: a repeatable's newest row */
        size_t n_versioned, n_repeatable;
        FlywayPosition pos;
        Target target;
        Assessment *a;
} Work;

static void work_done(Work *w)
{
        free(w->rows);
        free(w->done);
        free(w->newest);
        (void) assessment_free(w->a);
}

/* ---- finding files: the changelog is in order ---- */

static size_t first_not_below(const Work *w, size_t lo, size_t hi, const char *key, bool repeatable)
{
        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                const Migration *m = &w->changelog->migrations[mid];
                int r = repeatable ? utf8_compare_utf16(m->description, key)
                                   : flyway_version_compare(m->version, key);

                if (r < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

static const Migration *find_version(const Work *w, const char *version, MigrationKind kind)
{
        const Changelog *c = w->changelog;
        size_t lo = kind == MIGRATION_UNDO ? w->n_versioned + w->n_repeatable : 0;
        size_t hi = kind == MIGRATION_UNDO ? c->n_migrations : w->n_versioned;

        for (size_t i = first_not_below(w, lo, hi, version, false);
             i < hi && flyway_version_compare(c->migrations[i].version, version) == 0; i++)
                if (c->migrations[i].kind == kind)
                        return &c->migrations[i];
        return NULL;
}

static bool same_description(const Migration *m, const char *stored)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);

        flyway_abbreviate_description(&t, m->description);
        return strcmp(text_str(&t), stored) == 0;
}

static const Migration *find_repeatable(const Work *w, const char *description)
{
        const Changelog *c = w->changelog;
        size_t lo = w->n_versioned, hi = lo + w->n_repeatable, len = strlen(description);
        size_t i = first_not_below(w, lo, hi, description, true);

        if (i < hi && strcmp(c->migrations[i].description, description) == 0)
                return &c->migrations[i];
        if (len < FLYWAY_MAX_DESCRIPTION || strcmp(description + len - 3, "...") != 0)
                return NULL;
        for (i = lo; i < hi; i++)
                if (same_description(&c->migrations[i], description))
                        return &c->migrations[i];
        return NULL;
}

/* ---- facts about rows ---- */

static bool same_subject(const HistoryRow *a, const HistoryRow *b)
{
        if (!a->version || !b->version)
                return !a->version && !b->version && strcmp(a->description, b->description) == 0;
        return flyway_version_compare(a->version, b->version) == 0;
}

static bool is_migration(FlywayRowClass class)
{
        return class == FLYWAY_ROW_MIGRATION || class == FLYWAY_ROW_BASELINE_SCRIPT;
}

static bool counts(const RowFacts *f)
{
        return !f->undone && (is_migration(f->class) || f->class == FLYWAY_ROW_BASELINE);
}

static void take_back(Work *w, size_t i)
{
        const HistoryRow *rows = w->history->rows;

        for (size_t j = i; j-- > 0;)
                if (is_migration(w->rows[j].class) && same_subject(&rows[j], &rows[i])) {
                        w->rows[j].undone = true;
                        return;
                }
}

static void match_row(Work *w, size_t i)
{
        const HistoryRow *row = &w->history->rows[i];
        RowFacts *f = &w->rows[i];

        if (!is_migration(f->class))
                return;
        if (!row->version)
                f->file = find_repeatable(w, row->description);
        else
                f->file = find_version(w, row->version,
                                       f->class == FLYWAY_ROW_MIGRATION ? MIGRATION_VERSIONED
                                                                        : MIGRATION_BASELINE);
        if (!f->file)
                return;
        size_t m = (size_t) (f->file - w->changelog->migrations);
        if (row->version)
                w->done[m] = w->done[m] || !f->undone;
        else
                w->newest[m] = f->undone ? NULL : row;
}

static void match_rows(Work *w)
{
        const History *h = w->history;

        for (size_t i = 0; i < h->n_rows; i++)
                w->rows[i].class = flyway_row_class(&h->rows[i]);
        for (size_t i = 0; i < h->n_rows; i++)
                if (h->rows[i].success &&
                    (w->rows[i].class == FLYWAY_ROW_DELETE || w->rows[i].class == FLYWAY_ROW_UNDO))
                        take_back(w, i);
        for (size_t i = 0; i < h->n_rows; i++)
                match_row(w, i);
        for (size_t i = 0; i < h->n_rows; i++) {
                RowFacts *f = &w->rows[i];

                if (h->rows[i].version || f->class != FLYWAY_ROW_MIGRATION || f->undone)
                        continue;
                if (f->file)
                        f->superseded =
                                w->newest[f->file - w->changelog->migrations] != &h->rows[i];
                for (size_t j = i + 1; !f->file && j < h->n_rows && !f->superseded; j++)
                        f->superseded = w->rows[j].class == FLYWAY_ROW_MIGRATION &&
                                        same_subject(&h->rows[i], &h->rows[j]);
        }
}

static bool above(const char *version, const char *than)
{
        return !than || flyway_version_compare(version, than) > 0;
}

static int set_current(Assessment *a, const char *version, Error *err)
{
        if (!version)
                return 0;
        a->current_version = strdup(version);
        return a->current_version ? 0 : error_oom(err, "the assessment");
}

static int find_position(Work *w, Error *err)
{
        const History *h = w->history;
        const char *current = NULL;

        for (size_t i = 0; i < h->n_rows; i++) {
                const char *v = h->rows[i].version;
                RowFacts *f = &w->rows[i];

                if (!v || !counts(f))
                        continue;
                if (above(v, w->pos.last_applied))
                        w->pos.last_applied = v;
                else
                        f->out_of_order = true;
                if (f->class != FLYWAY_ROW_MIGRATION && above(v, w->pos.applied_baseline))
                        w->pos.applied_baseline = v;
                if (h->rows[i].success && above(v, current))
                        current = v;
        }
        if (w->a->needs_baseline) {
                w->pos.last_applied = flyway_baseline_version(w->ctx->options);
                w->pos.applied_baseline = w->pos.last_applied;
        }
        if (w->n_versioned > 0)
                w->pos.greatest_file = w->changelog->migrations[w->n_versioned - 1].version;
        return set_current(w->a, current, err);
}

/* ---- target ---- */

static void read_target(Target *t, const char *s)
{
        size_t len = strlen(s ?: "");

        if (len == 0 || strcasecmp(s, "latest") == 0)
                return;
        if (strcasecmp(s, "current") == 0) {
                t->mode = TARGET_CURRENT;
                return;
        }
        if (strcasecmp(s, "next") == 0) {
                t->mode = TARGET_NEXT;
                return;
        }
        t->mode = TARGET_VERSION;
        t->may_be_absent = s[len - 1] == '?';
        (void) snprintf(t->version, sizeof t->version, "%.*s",
                        (int) (t->may_be_absent ? len - 1 : len), s);
}

static bool above_target(const Work *w, const char *version)
{
        switch (w->target.mode) {
        case TARGET_CURRENT:
                return above(version, w->pos.last_applied);
        case TARGET_VERSION:
                return above(version, w->target.version);
        default:
                return false;
        }
}

static bool target_known(const Work *w)
{
        const History *h = w->history;

        if (find_version(w, w->target.version, MIGRATION_VERSIONED) ||
            find_version(w, w->target.version, MIGRATION_BASELINE))
                return true;
        for (size_t i = 0; i < h->n_rows; i++)
                if (h->rows[i].version && counts(&w->rows[i]) &&
                    flyway_version_compare(h->rows[i].version, w->target.version) == 0)
                        return true;
        return w->a->needs_baseline &&
               flyway_version_compare(w->pos.last_applied, w->target.version) == 0;
}

static int judge_target(Work *w, AssessPurpose purpose, Error *err)
{
        Error e;

        if (w->target.mode != TARGET_VERSION)
                return 0;
        if (purpose != ASSESS_INFO && !w->target.may_be_absent && !target_known(w)) {
                (void) error_set(&e, ERROR_REFUSED,
                                 "target version %s is neither in %s nor applied",
                                 w->target.version, w->changelog->folder);
                (void) error_hint(&e,
                                  "check the version; %s? (with a question mark) allows for one "
                                  "that is not there",
                                  w->target.version);
                return assessment_refuse(w->a, &e, err);
        }
        if (w->a->current_version &&
            flyway_version_compare(w->a->current_version, w->target.version) > 0)
                return assessment_warn(w->a, err,
                                       "the database is at version %s already, past the "
                                       "target %s: nothing is taken back",
                                       w->a->current_version, w->target.version);
        return 0;
}

/* ---- states ---- */

static bool checksum_matches(const Migration *m, const HistoryRow *row)
{
        char alt[16];

        if (!row->checksum)
                return false;
        (void) snprintf(alt, sizeof alt, "%d", m->checksum_alt);
        return strcmp(row->checksum, m->checksum) == 0 ||
               (m->has_checksum_alt && strcmp(row->checksum, alt) == 0);
}

static EntryState state_of_repeatable_row(const RowFacts *f, const HistoryRow *row)
{
        if (f->superseded)
                return ENTRY_SUPERSEDED;
        if (!row->success)
                return ENTRY_FAILED;
        if (!f->file)
                return ENTRY_MISSING;
        return checksum_matches(f->file, row) ? ENTRY_APPLIED : ENTRY_OUTDATED;
}

static EntryState state_of_row(const Work *w, const RowFacts *f, const HistoryRow *row)
{
        if (f->class != FLYWAY_ROW_BASELINE && !is_migration(f->class))
                return ENTRY_MARKER;
        if (f->undone)
                return ENTRY_UNDONE;
        if (f->class == FLYWAY_ROW_BASELINE)
                return ENTRY_BASELINE;
        if (!row->version)
                return state_of_repeatable_row(f, row);
        if (!row->success)
                return ENTRY_FAILED;
        if (f->class == FLYWAY_ROW_BASELINE_SCRIPT)
                return ENTRY_BASELINE;
        if (!f->file)
                return above(w->pos.greatest_file ?: row->version, row->version) ? ENTRY_MISSING
                                                                                 : ENTRY_FUTURE;
        return f->out_of_order ? ENTRY_OUT_OF_ORDER : ENTRY_APPLIED;
}

static void find_pending_baseline(Work *w)
{
        if (w->pos.last_applied)
                return;
        for (size_t i = w->n_versioned; i-- > 0;) {
                const Migration *m = &w->changelog->migrations[i];

                if (m->kind == MIGRATION_BASELINE && !above_target(w, m->version)) {
                        w->pos.pending_baseline = m->version;
                        return;
                }
        }
}

static EntryState state_of_file(Work *w, const Migration *m)
{
        const char *base = w->pos.last_applied ? w->pos.applied_baseline : w->pos.pending_baseline;
        int r = base ? flyway_version_compare(m->version, base) : 1;
        bool is_base = r == 0 && !w->pos.last_applied && m->kind == MIGRATION_BASELINE;

        if (r < 0 || (r == 0 && !is_base))
                return ENTRY_BELOW_BASELINE;
        if (above_target(w, m->version))
                return ENTRY_ABOVE_TARGET;
        if (m->kind == MIGRATION_BASELINE && !is_base)
                return ENTRY_IGNORED;
        if (w->pos.last_applied && !w->ctx->options->out_of_order &&
            flyway_version_compare(m->version, w->pos.last_applied) < 0)
                return ENTRY_IGNORED;
        if (w->target.mode == TARGET_NEXT && w->target.next_found)
                return ENTRY_ABOVE_TARGET;
        w->target.next_found = true;
        return ENTRY_PENDING;
}

static int add_rows(Work *w, Error *err)
{
        const History *h = w->history;
        int r = 0;

        for (size_t i = 0; i < h->n_rows && r >= 0; i++) {
                const HistoryRow *row = &h->rows[i];
                const RowFacts *f = &w->rows[i];
                Entry e = { .row = row, .migration = f->file, .state = state_of_row(w, f, row) };

                if (e.state == ENTRY_OUTDATED)
                        continue; /* comes with the files: it will run */
                if (row->version && f->class == FLYWAY_ROW_MIGRATION && !f->undone)
                        e.undo = find_version(w, row->version, MIGRATION_UNDO);
                r = assessment_add(w->a, e, err);
        }
        return r;
}

static int add_files(Work *w, Error *err)
{
        const Changelog *c = w->changelog;
        int r = 0;

        for (size_t i = 0; i < w->n_versioned && r >= 0; i++) {
                const Migration *m = &c->migrations[i];

                if (!w->done[i])
                        r = assessment_add(
                                w->a,
                                (Entry){ .migration = m,
                                         .undo = find_version(w, m->version, MIGRATION_UNDO),
                                         .state = state_of_file(w, m) },
                                err);
        }
        for (size_t i = w->n_versioned; i < w->n_versioned + w->n_repeatable && r >= 0; i++) {
                const Migration *m = &c->migrations[i];
                const HistoryRow *row = w->newest[i];

                if (row && (!row->success || checksum_matches(m, row)))
                        continue;
                r = assessment_add(w->a,
                                   (Entry){ .migration = m,
                                            .row = row,
                                            .state = row ? ENTRY_OUTDATED : ENTRY_PENDING },
                                   err);
        }
        return r;
}

/* ---- the whole ---- */

static int prepare(Work *w, Error *err)
{
        const Changelog *c = w->changelog;
        const History *h = w->history;
        const FormatOptions *o = w->ctx->options;

        w->a = calloc(1, sizeof *w->a);
        w->rows = calloc(h->n_rows + 1, sizeof *w->rows);
        w->done = calloc(c->n_migrations + 1, sizeof *w->done);
        w->newest = calloc(c->n_migrations + 1, sizeof(const HistoryRow *));
        if (!w->a || !w->rows || !w->done || !w->newest)
                return error_oom(err, "the assessment");
        while (w->n_versioned < c->n_migrations && c->migrations[w->n_versioned].version &&
               c->migrations[w->n_versioned].kind != MIGRATION_UNDO)
                w->n_versioned++;
        for (size_t i = w->n_versioned;
             i < c->n_migrations && c->migrations[i].kind == MIGRATION_REPEATABLE; i++)
                w->n_repeatable++;
        w->a->needs_table = !h->exists || (o->create_schemas && h->n_missing_schemas > 0);
        w->a->needs_baseline = !h->exists && !h->schema_empty && o->baseline_on_migrate;
        read_target(&w->target, o->target);
        return 0;
}

int flyway_assess(Assessment **ret, const Changelog *c, const History *h, const FormatContext *ctx,
                  AssessPurpose purpose, Error *err)
{
        _cleanup_(work_done) Work w = { .changelog = c, .history = h, .ctx = ctx };
        int r = flyway_check_options(ctx->options, err);

        if (r >= 0)
                r = prepare(&w, err);
        if (r < 0)
                return r;
        match_rows(&w);
        r = find_position(&w, err);
        find_pending_baseline(&w);
        if (r >= 0)
                r = judge_target(&w, purpose, err);
        if (r >= 0)
                r = add_rows(&w, err);
        if (r >= 0)
                r = add_files(&w, err);
        if (r >= 0 && purpose != ASSESS_INFO)
                r = flyway_validate(w.a, c, h, ctx, &w.pos, purpose, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w.a);
        return 0;
}
