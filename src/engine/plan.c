#include "engine/plan.h"

#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

Plan *plan_free(Plan *p)
{
        if (!p)
                return NULL;
        free(p->steps);
        free(p);
        return NULL;
}

static int plan_new(Plan **ret, const Assessment *a, size_t max_steps, Error *err)
{
        _cleanup_(plan_freep) Plan *p = calloc(1, sizeof *p);

        if (!p)
                return error_oom(err, "a plan");
        p->steps = calloc(max_steps + 1, sizeof *p->steps);
        if (!p->steps)
                return error_oom(err, "a plan");
        p->from_version = p->to_version = a->current_version;
        *ret = TAKE_PTR(p);
        return 0;
}

int plan_make_migrate(Plan **ret, const Assessment *a, bool group, Error *err)
{
        _cleanup_(plan_freep) Plan *p = NULL;
        int r = plan_new(&p, a, a->n_entries, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                if (e->state != ENTRY_PENDING && e->state != ENTRY_OUTDATED)
                        continue;
                p->steps[p->n_steps++] = (PlanStep){ .migration = e->migration,
                                                     .previous = e->row,
                                                     .always = e->always,
                                                     .begins = true,
                                                     .commits = true };
                if (e->migration->version)
                        p->to_version = e->migration->version;
        }
        for (size_t i = 0; group && i < p->n_steps; i++) {
                p->steps[i].begins = i == 0;
                p->steps[i].commits = i + 1 == p->n_steps;
        }
        *ret = TAKE_PTR(p);
        return 0;
}

static bool can_be_undone(const Entry *e)
{
        return e->row && e->row->version &&
               (e->state == ENTRY_APPLIED || e->state == ENTRY_OUT_OF_ORDER);
}

static int compare_undo(const void *a, const void *b)
{
        const PlanStep *x = a, *y = b; /* the newest first */

        return x->undo_row->rank < y->undo_row->rank   ? 1
               : x->undo_row->rank > y->undo_row->rank ? -1
                                                       : 0;
}

static int add_undo(Plan *p, const Entry *e, Error *err)
{
        if (!e->undo) {
                if (!e->row->version) {
                        (void) error_set(err, ERROR_REFUSED,
                                         "%s (%s) is in the history but not in the "
                                         "migrations, so nothing says how to undo it",
                                         e->row->script,
                                         e->row->id ? e->row->id : e->row->description);
                        return error_hint(err, "restore its file");
                }
                (void) error_set(err, ERROR_REFUSED, "version %s (%s) has no undo script",
                                 e->row->version, e->row->description);
                return error_hint(err, "add U%s__%s.sql, or undo to a version not below %s",
                                  e->row->version, "description", e->row->version);
        }
        p->steps[p->n_steps++] = (PlanStep){
                .migration = e->undo, .undo_row = e->row, .begins = true, .commits = true
        };
        return 0;
}

/* The format knows which, by tags, dates or counts. */
static int add_chosen(Plan *p, const Changelog *c, const FormatContext *ctx, const Assessment *a,
                      const char *target, Error *err)
{
        _cleanup_free_ bool *chosen = calloc(a->n_entries + 1, sizeof *chosen);
        int r;

        if (!chosen)
                return error_oom(err, "a plan");
        r = c->format->choose_undo(chosen, a, ctx, target, err);
        for (size_t i = 0; r >= 0 && i < a->n_entries; i++)
                if (chosen[i])
                        r = add_undo(p, &a->entries[i], err);
        return r;
}

/* Those above a version; *below becomes the version that is left. */
static int add_versions(Plan *p, const Changelog *c, const Assessment *a, const char *target,
                        const char **below, Error *err)
{
        const Entry *newest = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                if (!can_be_undone(e))
                        continue;
                if (!newest ||
                    c->format->compare_versions(e->row->version, newest->row->version) > 0)
                        newest = e;
                if (target && c->format->compare_versions(e->row->version, target) > 0)
                        r = add_undo(p, e, err);
                else if (target &&
                         (!*below || c->format->compare_versions(e->row->version, *below) > 0))
                        *below = e->row->version;
        }
        if (r >= 0 && !target && newest)
                r = add_undo(p, newest, err);
        for (size_t i = 0; r >= 0 && !target && newest && i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                if (can_be_undone(e) && e != newest &&
                    (!*below || c->format->compare_versions(e->row->version, *below) > 0))
                        *below = e->row->version;
        }
        return r;
}

int plan_make_undo(Plan **ret, const Changelog *c, const FormatContext *ctx, const Assessment *a,
                   const char *target, Error *err)
{
        _cleanup_(plan_freep) Plan *p = NULL;
        const char *below = NULL;
        int r = plan_new(&p, a, a->n_entries, err);

        if (r >= 0)
                r = c->format->choose_undo ? add_chosen(p, c, ctx, a, target, err)
                                           : add_versions(p, c, a, target, &below, err);
        if (r < 0)
                return r;
        if (p->n_steps > 0)
                p->to_version = below;
        qsort(p->steps, p->n_steps, sizeof *p->steps, compare_undo);
        *ret = TAKE_PTR(p);
        return 0;
}

int plan_check_scripts(Plan *p, const Changelog *c, const FormatContext *ctx, Error *err)
{
        for (size_t i = 0; i < p->n_steps; i++) {
                _cleanup_script_ Script s = { .path = NULL };
                PlanStep *step = &p->steps[i];
                int r = script_open(&s, c, step->migration, ctx, err);

                /* One that may fail does so in its turn, also by having no SQL that could be run. */
                if (r == -(int) ERROR_CHANGELOG && step->migration->may_fail) {
                        step->transactional = true;
                        continue;
                }
                if (r < 0)
                        return r;
                step->transactional = s.transactional;
                step->has_long = s.has_long;
                step->statements = s.statements;
                step->bytes = s.text.size;
                if (!s.transactional && (!step->begins || !step->commits)) {
                        (void) error_set(err, ERROR_CHANGELOG,
                                         "%s cannot run in the one transaction of a group", s.path);
                        (void) error_at(err, s.path, 0, 0);
                        return error_hint(
                                err, "set group = no, or apply this migration alone with target");
                }
        }
        return 0;
}

static json_t *sql_json(const Script *s, size_t max)
{
        char *buf;
        json_t *j;
        size_t n = s->text.size < max ? s->text.size : max;

        buf = calloc(1, n + 1);
        if (!buf)
                return json_null();
        if (n > 0)
                memcpy(buf, s->text.data, utf8_valid_prefix(s->text.data, n));
        j = json_string(buf);
        free(buf);
        return j ? j : json_null();
}

json_t *plan_json(const Plan *p, const Changelog *c, const FormatContext *ctx, size_t max_sql,
                  Error *err)
{
        json_t *steps = json_array();

        for (size_t i = 0; i < p->n_steps; i++) {
                _cleanup_script_ Script s = { .path = NULL };
                const PlanStep *step = &p->steps[i];
                const Migration *m = step->migration;

                if (script_open(&s, c, m, ctx, err) < 0 && !m->may_fail) {
                        json_decref(steps);
                        return NULL;
                }
                (void) json_array_append_new(
                        steps,
                        json_pack("{s:s,s:s?,s:s?,s:s,s:s,s:b,s:I,s:I,s:b,s:o}", "id", m->id,
                                  "version", m->version, "description", m->description, "file",
                                  m->script, "kind", migration_kind_name(m->kind), "transactional",
                                  s.transactional, "statements", (json_int_t) s.statements, "bytes",
                                  (json_int_t) s.text.size, "sql_truncated", s.text.size > max_sql,
                                  "sql", sql_json(&s, max_sql)));
        }
        return json_pack("{s:s?,s:s?,s:o}", "from_version", p->from_version, "to_version",
                         p->to_version, "steps", steps);
}
