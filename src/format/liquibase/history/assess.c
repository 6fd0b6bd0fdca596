#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/changelog.h"
#include "format/liquibase/change/checksum.h"
#include "format/liquibase/liquibase.h"
#include "util/parse.h"

/* What is put together while the changelog is held against the history. */
typedef struct Judgement {
        Assessment *a;
        const Changelog *c;
        const History *h;
        const FormatContext *ctx;
        const Model *model;
        Migration *undos;
        AssessPurpose purpose;
        RowIndex rows;
        Entry *entries; /* one for each changeset */
        size_t *claims; /* by row: 1 + index of the changeset that it belongs to, 0: none */
        size_t n_matched;
} Judgement;

/* Until 4.25 the sum of a sqlFile was one of its text with the properties in it. */
static int older_sum_matches(const Model *m, const ChangeSet *s, const HistoryRow *row, Error *err)
{
        char sum[CHECKSUM_MAX];
        unsigned major, minor;
        int r;

        if (row->tool_version && sscanf(row->tool_version, "%3u.%3u", &major, &minor) == 2 &&
            (major != 4 || minor >= 26))
                return 0;
        r = changeset_checksum_expanded(sum, m, s, err);
        return r > 0 ? strcmp(sum, row->checksum) == 0 : r;
}

int liquibase_sum_matches(const Model *m, const ChangeSet *s, const HistoryRow *row,
                          char current[64], Error *err)
{
        int version = row->checksum ? checksum_version(row->checksum) : CHECKSUM_NEWEST;
        int r;

        current[0] = '\0';
        if (!row->checksum || !changeset_has_checksum(s))
                return 1;
        if (version == 0) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "%s::%s::%s: nobody knows the kind of the checksum %s", s->path,
                                 s->id, s->author, row->checksum);
                return error_hint(err,
                                  "a newer Liquibase wrote it; \"pgmigrated repair\" replaces it");
        }
        r = changeset_checksum(current, m, s, version, err);
        if (r < 0)
                return r;
        if (strcmp(current, row->checksum) == 0)
                return 1;
        for (size_t i = 0; i < s->n_valid_checksums; i++) {
                const char *valid = s->valid_checksums[i];
                const char *bare = strncmp(valid, "1:", 2) == 0 ? valid + 2 : valid;

                if (strcasecmp(bare, "any") == 0 || strcasecmp(bare, "all") == 0 ||
                    strcmp(bare, "*") == 0 || strcasecmp(valid, row->checksum) == 0 ||
                    strcasecmp(valid, current) == 0)
                        return 1;
        }
        return version == CHECKSUM_NEWEST ? older_sum_matches(m, s, row, err) : 0;
}

static int refuse_sum(Judgement *j, const Migration *m, const HistoryRow *row, const char *current,
                      Error *err)
{
        Error refusal = { .code = ERROR_NONE };

        (void) error_set(
                &refusal, ERROR_REFUSED,
                "changeset %s has been changed since it was applied: its checksum was %s and is "
                "now %s",
                m->id, row->checksum, current);
        (void) error_at(&refusal, m->path, m->line, 0);
        (void) error_hint(
                &refusal,
                "put the change into a changeset of its own; if the text may differ, add "
                "<validCheckSum>%s</validCheckSum>, or accept it with \"pgmigrated repair\"",
                row->checksum);
        return assessment_refuse(j->a, &refusal, err);
}

static int judge_row(Judgement *j, const ChangeSet *s, Entry *e, Error *err)
{
        char current[CHECKSUM_MAX];
        Error failure = { .code = ERROR_NONE };
        int r;

        e->state = ENTRY_APPLIED;
        if (s->filtered || s->ignored)
                return 0; /* neither checked nor brought up to date (facts 3.7) */
        if (s->run_always) {
                e->state = ENTRY_OUTDATED;
                e->always = true;
                return 0;
        }
        r = liquibase_sum_matches(j->model, s, e->row, current, &failure);
        if (r < 0 && j->purpose == ASSESS_INFO)
                return 0;
        if (r < 0) {
                (void) error_at(&failure, e->migration->path, e->migration->line, 0);
                return assessment_refuse(j->a, &failure, err);
        }
        if (r == 0 && s->run_on_change)
                e->state = ENTRY_OUTDATED;
        else if (r == 0 && j->purpose == ASSESS_INFO)
                e->reason = "changed since it was applied";
        else if (r == 0 && j->purpose != ASSESS_INFO && j->ctx->options->validate_on_migrate)
                return refuse_sum(j, e->migration, e->row, current, err);
        if (changeset_has_checksum(s) &&
            (!e->row->checksum || checksum_version(e->row->checksum) < CHECKSUM_NEWEST))
                j->a->needs_upkeep = true;
        return 0;
}

static int judge_set(Judgement *j, size_t i, Error *err)
{
        const Migration *m = &j->c->migrations[i];
        const ChangeSet *s = liquibase_set(m);
        Entry *e = &j->entries[i];

        *e = (Entry){ .migration = m, .undo = &j->undos[i], .state = ENTRY_PENDING };
        e->row = row_index_find(&j->rows, s->key);
        if (s->filtered || s->ignored) {
                e->state = ENTRY_FILTERED;
                e->reason = s->filter_reason ? s->filter_reason : "ignore";
        }
        if (!e->row)
                return 0;
        j->claims[e->row - j->h->rows] = i + 1;
        j->n_matched++;
        return judge_row(j, s, e, err);
}

/* ---- how far ---- */

static bool will_run(const Entry *e)
{
        return e->state == ENTRY_PENDING || e->state == ENTRY_OUTDATED;
}

/* Those from the changeset `first` on do not run. */
static void stop_before(Judgement *j, size_t first)
{
        for (size_t i = first; i < j->c->n_migrations; i++)
                if (will_run(&j->entries[i]))
                        j->entries[i].state = ENTRY_ABOVE_TARGET;
}

static void stop_after_count(Judgement *j, uint64_t count)
{
        for (size_t i = 0; i < j->c->n_migrations; i++)
                if (will_run(&j->entries[i]) && count-- == 0) {
                        stop_before(j, i);
                        return;
                }
}

static int no_such_tag(Judgement *j, const char *tag, Error *err)
{
        Error refusal = { .code = ERROR_NONE };

        if (j->purpose == ASSESS_INFO)
                return 0;
        (void) error_set(&refusal, ERROR_REFUSED, "target %s: no changeset has that tag", tag);
        (void) error_at(&refusal, j->c->folder, 0, 0);
        (void) error_hint(&refusal,
                          "a target is latest, next, current, count:NUMBER, or the tag of a "
                          "tagDatabase; %s? takes all when it is missing",
                          tag);
        return assessment_refuse(j->a, &refusal, err);
}

static int apply_target(Judgement *j, Error *err)
{
        const char *target = j->ctx->options->target;
        size_t len = target ? strlen(target) : 0;
        bool may_miss = len > 1 && target[len - 1] == '?';
        uint64_t count;

        if (len == 0 || strcmp(target, "latest") == 0)
                return 0;
        if (strcmp(target, "current") == 0 || strcmp(target, "next") == 0) {
                stop_after_count(j, target[0] == 'n');
                return 0;
        }
        if (strncmp(target, "count:", 6) == 0) {
                int r = parse_uint(&count, target + 6, err);

                if (r >= 0)
                        stop_after_count(j, count);
                return r < 0 ? error_prefix(err, "target") : 0;
        }
        len -= may_miss;
        for (size_t i = 0; i < j->c->n_migrations; i++) {
                const char *own = j->c->migrations[i].version;
                const char *given = j->entries[i].row ? j->entries[i].row->version : NULL;

                if ((own && strncmp(own, target, len) == 0 && !own[len]) ||
                    (given && strncmp(given, target, len) == 0 && !given[len])) {
                        stop_before(j, i + 1);
                        return 0;
                }
        }
        return may_miss ? 0 : no_such_tag(j, target, err);
}

/* ---- the paths of the history ---- */

static bool is_tail(const char *whole, const char *tail)
{
        size_t n = strlen(whole), t = strlen(tail);

        return n > t && strcmp(whole + n - t, tail) == 0 && whole[n - t - 1] == '/';
}

/* Nothing of the history matches, but all would if paths began elsewhere: everything would run again. */
static int check_root(Judgement *j, Error *err)
{
        const HistoryRow *row = j->h->n_rows > 0 ? &j->h->rows[0] : NULL;
        Error refusal = { .code = ERROR_NONE };

        if (j->n_matched > 0 || !row || j->purpose == ASSESS_INFO)
                return 0;
        for (size_t i = 0; i < j->c->n_migrations; i++) {
                const Migration *m = &j->c->migrations[i];
                const ChangeSet *s = liquibase_set(m);

                if (strcmp(s->id, row->id) != 0 || strcmp(s->author, row->author) != 0 ||
                    (!is_tail(row->script, s->path) && !is_tail(s->path, row->script)))
                        continue;
                (void) error_set(
                        &refusal, ERROR_REFUSED,
                        "the history calls %s what is %s here, so every changeset would run again",
                        row->script, s->path);
                (void) error_at(&refusal, m->path, m->line, 0);
                (void) error_hint(
                        &refusal,
                        "set migrations_root to the folder that the paths of the history start "
                        "at (the search path, or working directory, of Liquibase)");
                return assessment_refuse(j->a, &refusal, err);
        }
        return 0;
}

/* ---- the whole ---- */

/* Liquibase tolerates several rows of one changeset. */
static bool is_superseded(Judgement *j, const HistoryRow *row)
{
        const char *key = liquibase_key(&j->rows.arena, row->script, row->id, row->author, false);

        return key && row_index_find(&j->rows, key) != row;
}

static int add_entries(Judgement *j, Error *err)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < j->h->n_rows; i++) {
                Entry e = { .row = &j->h->rows[i], .state = ENTRY_MISSING };

                if (j->claims[i])
                        e = j->entries[j->claims[i] - 1];
                else if (is_superseded(j, e.row))
                        e.state = ENTRY_SUPERSEDED;
                if (!will_run(&e))
                        r = assessment_add(j->a, e, err);
        }
        for (size_t i = 0; r >= 0 && i < j->c->n_migrations; i++)
                if (!j->entries[i].row || will_run(&j->entries[i]))
                        r = assessment_add(j->a, j->entries[i], err);
        return r;
}

static int learn_version(Assessment *a, const History *h, Error *err)
{
        for (size_t i = h->n_rows; i > 0; i--)
                if (h->rows[i - 1].version) {
                        a->current_version = strdup(h->rows[i - 1].version);
                        return a->current_version ? 0 : error_oom(err, "the assessment");
                }
        return 0;
}

/* Whether a fault still matters: not that of a changeset which has run, or is recorded as run because of it. */
static bool fault_matters(const Judgement *j, const ChangeSet *s)
{
        if (!s)
                return true;
        return !s->mark_ran_when_invalid && !row_index_find(&j->rows, s->key);
}

static int refuse_faults(Judgement *j, Error *err)
{
        const Model *m = j->model;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < m->n_faults; i++)
                if (fault_matters(j, m->fault_sets[i]))
                        r = assessment_refuse(j->a, &m->faults[i], err);
        return r;
}

static int judge(Judgement *j, Error *err)
{
        int r = row_index_make(&j->rows, j->h, false, err);

        j->entries = calloc(j->c->n_migrations + 1, sizeof *j->entries);
        j->claims = calloc(j->h->n_rows + 1, sizeof *j->claims);
        if (r >= 0 && (!j->entries || !j->claims))
                r = error_oom(err, "the assessment");
        for (size_t i = 0; r >= 0 && i < j->c->n_migrations; i++)
                r = judge_set(j, i, err);
        if (r >= 0 && j->purpose != ASSESS_INFO)
                r = refuse_faults(j, err);
        if (r >= 0)
                r = check_root(j, err);
        if (r >= 0)
                r = apply_target(j, err);
        if (r >= 0)
                r = add_entries(j, err);
        return r < 0 ? r : learn_version(j->a, j->h, err);
}

int liquibase_assess(Assessment **ret, const Changelog *c, const History *h,
                     const FormatContext *ctx, AssessPurpose purpose, Error *err)
{
        _cleanup_(assessment_freep) Assessment *a = calloc(1, sizeof *a);
        Judgement j = { .a = a,
                        .c = c,
                        .h = h,
                        .ctx = ctx,
                        .model = liquibase_log(c)->model,
                        .undos = liquibase_log(c)->undos,
                        .purpose = purpose };
        int r;

        if (!a)
                return error_oom(err, "the assessment");
        a->needs_table = !h->exists;
        a->needs_upkeep = h->missing_columns != 0;
        r = judge(&j, err);
        row_index_done(&j.rows);
        free(j.entries);
        free(j.claims);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}
