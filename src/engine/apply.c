#include "engine/apply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pg/gate.h"
#include "pg/sqlstate.h"

#define SQL_MAX ((size_t) 1 << 20)

/* One go at a stretch of transactional steps: what is being put together, and what the server has. */
typedef struct Applier {
        Conversation *c;
        size_t *next; /* first step that is not applied */
        Batch batch;
        Script *scripts; /* one for each step from `first` on, open while its statements are in the batch */
        size_t first, n_scripts;
        size_t end;            /* stop before this step */
        size_t failed_step;    /* SIZE_MAX: none */
        bool lock_timeout_off; /* in the transaction that is being put together */
        bool own_lock_timeout; /* the script sets its own */
        bool each_alone; /* outside a transaction: a string of several statements would be one */
} Applier;

/* ---- one statement's worth of settings ---- */

static void add_lock_timeout(Applier *a, size_t step, const Statement *st)
{
        char sql[64];

        if (a->own_lock_timeout)
                return;
        if (st->kind == STATEMENT_LONG || st->kind == STATEMENT_COPY_IN) {
                if (!a->lock_timeout_off)
                        batch_add_own(&a->batch, step, false, "SET LOCAL lock_timeout = 0;\n");
                a->lock_timeout_off = true;
        } else if (st->is_ddl && a->lock_timeout_off) {
                (void) snprintf(sql, sizeof sql, "SET LOCAL lock_timeout = '%" PRIu64 "ms';\n",
                                a->c->db->settings->lock_timeout / USEC_PER_MSEC);
                batch_add_own(&a->batch, step, false, sql);
                a->lock_timeout_off = false;
        }
}

static bool sets_lock_timeout(const Script *s, const Statement *st)
{
        const char *first = s->text.data + st->first;
        size_t len = st->end - st->first;

        return len > 3 && strncasecmp(first, "set", 3) == 0 &&
               memmem(first, len, "lock_timeout", 12);
}

/* ---- sending ---- */

static void on_segment(void *userdata, const BatchSegment *seg, const PGresult *res)
{
        Applier *a = userdata;
        Run *run = a->c->run;

        if (seg->records && PQntuples(res) == 1)
                run->steps[seg->step].recorded_ms = pg_int(res, 0, 0);
        else if (seg->commits)
                while (*a->next <= seg->step) {
                        a->c->next_rank++;
                        run_step_enter(run, (*a->next)++, STEP_APPLIED);
                }
        else if (seg->script && seg->step < run->n_steps &&
                 seg->script == &a->scripts[seg->step - a->first]) {
                run->steps[seg->step].statement++;
                run->steps[seg->step].rows += batch_rows(res);
                a->c->db->statements++;
        }
}

static int flush(Applier *a, Error *err)
{
        const BatchSegment *failed = NULL;
        Run *run = a->c->run;
        int r;

        for (size_t i = 0; i < a->batch.n_segments; i++) {
                size_t step = a->batch.segments[i].step;

                if (step < run->n_steps && run->steps[step].state == STEP_PENDING)
                        run_step_enter(run, step, STEP_APPLYING);
        }
        r = batch_send(&a->batch, a->c->session, on_segment, a, &failed, err);
        if (failed)
                a->failed_step = failed->step;
        batch_clear(&a->batch);
        for (size_t i = a->first; i < *a->next && i - a->first < a->n_scripts; i++)
                script_done(&a->scripts[i - a->first]);
        return r;
}

static int add_statement(Applier *a, size_t step, const Script *s, const Statement *st, Error *err)
{
        bool alone = a->each_alone || st->kind == STATEMENT_LONG || st->kind == STATEMENT_COPY_IN ||
                     st->kind == STATEMENT_COPY_OUT;
        int r;

        if (!batch_empty(&a->batch) &&
            (alone || a->batch.sql.len + (st->end - st->start) > BATCH_TARGET)) {
                r = flush(a, err);
                if (r < 0)
                        return r;
        }
        if (sets_lock_timeout(s, st))
                a->own_lock_timeout = true;
        add_lock_timeout(a, step, st);
        batch_add(&a->batch, step, s, st);
        if (script_may_unlock(s, st)) {
                a->c->lock_doubtful = true;
                r = flush(a, err);
                return r < 0 ? r : apply_mend_session(a->c, s, st, err);
        }
        return alone ? flush(a, err) : 0;
}

/* ---- scripts ---- */

int apply_hook_script(Conversation *c, size_t hook, const Script **ret, Error *err)
{
        if (!c->hook_open[hook]) {
                int r = script_open(&c->hook_scripts[hook], c->changelog,
                                    &c->changelog->hooks[hook].script, &c->context, err);

                if (r < 0)
                        return r;
                c->hook_open[hook] = true;
        }
        *ret = &c->hook_scripts[hook];
        return 0;
}

static int add_script(Applier *a, size_t step, const Script *s, bool with_statement_hooks,
                      Error *err);

static int add_hooks(Applier *a, size_t step, HookEvent event, Error *err)
{
        const Changelog *cl = a->c->changelog;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < cl->n_hooks; i++) {
                const Script *s = NULL;

                if (cl->hooks[i].event != event)
                        continue;
                r = apply_hook_script(a->c, i, &s, err);
                if (r >= 0)
                        r = add_script(a, step, s, false, err);
        }
        return r;
}

static int add_script(Applier *a, size_t step, const Script *s, bool with_statement_hooks,
                      Error *err)
{
        Scanner scanner;
        Statement st;
        int r;

        scanner_init(&scanner, s->text.data, s->text.size, s->path);
        while ((r = scanner_next(&scanner, &st, err)) > 0) {
                if (with_statement_hooks)
                        r = add_hooks(a, step, HOOK_BEFORE_EACH_STATEMENT, err);
                if (r >= 0)
                        r = add_statement(a, step, s, &st, err);
                if (r >= 0 && with_statement_hooks)
                        r = add_hooks(a, step, HOOK_AFTER_EACH_STATEMENT, err);
                if (r < 0)
                        return r;
        }
        return r;
}

int apply_history_sql(Conversation *c, size_t step, int64_t ms, Text *sql, Error *err)
{
        const PlanStep *p = &c->plan->steps[step];
        const Format *f = c->changelog->format;
        int64_t rank = c->next_rank;

        /* Steps before it that are in the same string come first. */
        for (size_t i = 0; i < step; i++)
                rank += c->run->steps[i].state != STEP_APPLIED;
        if (p->undo_row)
                return f->sql_undone(sql, &c->context, p->undo_row, p->migration, rank, ms, err);
        return f->sql_applied(sql, &c->context, p->migration, rank, ms, err);
}

/* ---- a step ---- */

static void add_prologue(Applier *a, size_t step)
{
        const Conversation *c = a->c;

        if (c->plan->steps[step].begins) {
                batch_add_own(&a->batch, step, false, "BEGIN;\n");
                a->lock_timeout_off = a->own_lock_timeout = false;
        }
        batch_add_own(&a->batch, step, false,
                      "SELECT pg_catalog.set_config('" FORMAT_BEGAN_SETTING
                      "', pg_catalog.clock_timestamp()::text, true);\n");
        if (c->plan->steps[step].begins && c->db->settings->deferred_flush &&
            step + 1 < c->plan->n_steps)
                batch_add_own(&a->batch, step, false, "SET LOCAL synchronous_commit = off;\n");
}

void apply_restore_sql(const Conversation *c, Text *sql)
{
        const DatabaseSettings *s = c->db->settings;

        text_printf(sql,
                    "RESET SESSION AUTHORIZATION;\nRESET search_path;\nSET "
                    "standard_conforming_strings = on;\n"
                    "SET statement_timeout = '%" PRIu64 "ms';\n",
                    s->statement_timeout / USEC_PER_MSEC);
        text_add(sql, s->role[0] ? "SET ROLE " : "RESET ROLE");
        if (s->role[0])
                text_add_sql_identifier(sql, s->role);
        text_add(sql, ";\n");
}

/* What a script may have changed for the session must not reach the next one. */
static int add_restore(Applier *a, size_t step, const Script *s, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);

        if (!s->changes_session)
                return 0;
        apply_restore_sql(a->c, &sql);
        a->c->session_prepared = false;
        return batch_add_own_text(&a->batch, step, &sql, err);
}

static int add_step(Applier *a, size_t step, Error *err)
{
        Conversation *c = a->c;
        const PlanStep *p = &c->plan->steps[step];
        Script *s = &a->scripts[step - a->first];
        _cleanup_text_ Text history = TEXT_INIT(SQL_MAX);
        bool whole; /* the step's statements are all in the string that is going out next */
        int r;

        if (!batch_empty(&a->batch) && a->batch.sql.len + p->bytes > BATCH_TARGET) {
                r = flush(a, err);
                if (r < 0)
                        return r;
        }
        if (!c->session_prepared) {
                r = batch_empty(&a->batch) ? 0 : flush(a, err);
                if (r >= 0)
                        r = apply_prepare_session(c, err);
                if (r < 0)
                        return r;
        }
        r = script_open(s, c->changelog, p->migration, &c->context, err);
        if (r < 0)
                return r;
        add_prologue(a, step);
        r = add_hooks(a, step, p->undo_row ? HOOK_BEFORE_EACH_UNDO : HOOK_BEFORE_EACH_MIGRATE, err);
        if (r >= 0)
                r = add_script(a, step, s, true, err);
        if (r >= 0)
                r = add_hooks(a, step, p->undo_row ? HOOK_AFTER_EACH_UNDO : HOOK_AFTER_EACH_MIGRATE,
                              err);
        if (r >= 0)
                r = apply_history_sql(c, step, -1, &history, err);
        if (r >= 0)
                r = add_restore(a, step, s, err);
        if (r >= 0)
                r = batch_add_own_text(&a->batch, step, &history, err);
        if (r < 0)
                return r;
        batch_records(&a->batch);
        if (p->commits)
                batch_add_own(&a->batch, step, true, "COMMIT;\n");
        whole = !p->has_long && p->bytes <= BATCH_TARGET;
        return whole || batch_empty(&a->batch) ? 0 : flush(a, err);
}

/* Transactional steps that follow one another; callbacks stand between versioned and repeatable ones. */
static bool in_stretch(const Plan *p, size_t first, size_t i)
{
        if (i >= p->n_steps || !p->steps[i].transactional)
                return false;
        return !p->steps[i].begins ||
               (p->steps[i].migration->kind == MIGRATION_REPEATABLE) ==
                       (p->steps[first].migration->kind == MIGRATION_REPEATABLE);
}

static int apply_stretch(Applier *a, Error *err)
{
        int r = 0;

        for (size_t i = a->first; r >= 0 && i < a->end && in_stretch(a->c->plan, a->first, i); i++)
                r = add_step(a, i, err);
        return r < 0 ? r : flush(a, err);
}

/* Applies transactional steps from *next to before end, as far as they go without another kind between. */
static int apply_transactional(Conversation *c, size_t *next, size_t end, size_t *failed_step,
                               Error *err)
{
        Applier a = { .c = c,
                      .next = next,
                      .first = *next,
                      .n_scripts = c->plan->n_steps - *next,
                      .end = end,
                      .failed_step = SIZE_MAX };
        Error ignored;
        int r;

        for (size_t i = *next; i < c->run->n_steps; i++)
                c->run->steps[i].statement = c->run->steps[i].rows = 0;
        batch_init(&a.batch);
        a.batch.statement_timeout = c->db->settings->statement_timeout;
        a.scripts = calloc(a.n_scripts, sizeof *a.scripts);
        if (!a.scripts)
                return error_oom(err, "the scripts of a run");
        r = apply_stretch(&a, err);
        for (size_t i = 0; i < a.n_scripts; i++)
                script_done(&a.scripts[i]);
        free(a.scripts);
        batch_done(&a.batch);
        *failed_step = a.failed_step;
        if (r < 0 && !pg_session_lost(c->session))
                (void) pg_rollback(c->session, &ignored);
        return r;
}

/* ---- the whole ---- */

int apply_prepare_session(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        int r;

        text_printf(&sql, "SET lock_timeout = '%" PRIu64 "ms';\n",
                    c->db->settings->lock_timeout / USEC_PER_MSEC);
        if (strcmp(c->context.schema, c->current_schema) != 0) {
                text_add(&sql, "SELECT pg_catalog.set_config('search_path', concat_ws(', ', "
                               "pg_catalog.quote_ident(");
                text_add_sql_literal(&sql, c->context.schema);
                text_add(&sql, "), nullif(reset_val, '')), false) FROM pg_catalog.pg_settings "
                               "WHERE name = 'search_path';\n");
        }
        if (sql.bad)
                return error_oom(err, "session settings");
        r = pg_execute(c->session, sql.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        c->session_prepared = r >= 0;
        return r;
}

int apply_mend_session(Conversation *c, const Script *s, const Statement *st, Error *err)
{
        const DatabaseSettings *settings = c->db->settings;
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        int r = 0;

        if (script_discards_session(s, st)) {
                gate_sql_settings(&sql, c->session, settings->statement_timeout, settings->role);
                r = pg_execute(c->session, text_str(&sql), clock_after(OWN_STATEMENT_TIMEOUT), err);
                if (r >= 0)
                        r = apply_prepare_session(c, err);
        }
        if (r >= 0)
                r = conversation_relock(c, err);
        return r < 0 ? script_error_at(s, st->first, err) : 0;
}

int apply_retry(Conversation *c, size_t step, Backoff *backoff, Error *err)
{
        RunStep *s = step < c->run->n_steps ? &c->run->steps[step] : NULL;
        Error failure = *err;
        json_t *data;
        int r;

        if (err->code != ERROR_SQL || !sqlstate_retryable(err->sqlstate))
                return 0;
        if (!s || s->retries >= c->db->settings->lock_retries) {
                if (strcmp(err->sqlstate, "55P03") == 0)
                        (void) error_hint(
                                err,
                                "another session holds a lock that the migration needs; find it in "
                                "pg_locks, or raise lock_timeout or lock_retries");
                return 0;
        }
        s->retries++;
        c->db->retries++;
        data = json_pack("{s:s,s:I,s:s}", "id", s->id, "retries", (json_int_t) s->retries,
                         "sqlstate", failure.sqlstate);
        if (c->db->events)
                event_log_publish(c->db->events, "retry", c->run->id, data);
        json_decref(data);
        r = fiber_sleep(backoff_next(backoff), err);
        if (r >= 0 && c->lock_doubtful)
                r = conversation_relock(c, err);
        return r < 0 ? r : 1;
}

/* With deferred flush, what is reported as applied must be on disk, also when the last migration failed. */
static void flush_wal(Conversation *c)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        Error ignored;

        if (c->db->settings->deferred_flush && c->run->applied > 0 && !pg_session_lost(c->session))
                (void) pg_execute(c->session, "BEGIN; SELECT pg_catalog.txid_current(); COMMIT",
                                  clock_after(OWN_STATEMENT_TIMEOUT), &ignored);
}

/* The user's scripts for the failure of one migration: in transactions of their own, after it was rolled back. */
static void tell_failure(Conversation *c, size_t step)
{
        Error ignored;

        if (!pg_session_lost(c->session) && !fiber_cancelled())
                (void) apply_hooks(c,
                                   c->plan->steps[step].undo_row ? HOOK_AFTER_EACH_UNDO_ERROR
                                                                 : HOOK_AFTER_EACH_MIGRATE_ERROR,
                                   &ignored);
}

static int apply_one_stretch(Conversation *c, size_t *next, Error *err)
{
        int r;

        if (c->plan->steps[*next].transactional) {
                size_t failed;

                r = apply_transactional(c, next, SIZE_MAX, &failed, err);
                /* The server reads a whole string before it runs any of it, so that a syntax error in one migration also
                 * stopped those before it: they go first, then it alone. */
                if (r == -(int) ERROR_SQL && failed != SIZE_MAX && failed > *next &&
                    c->plan->steps[failed].begins)
                        r = apply_transactional(c, next, failed, &failed, err);
                return r;
        }
        r = c->session_prepared ? 0 : apply_prepare_session(c, err);
        if (r >= 0)
                r = apply_journalled(c, *next, err);
        if (r >= 0)
                (*next)++;
        return r;
}

/* Callbacks between the versioned and the repeatable ones. */
static int between_kinds(Conversation *c, size_t next, bool *repeatables, Error *err)
{
        bool more = next < c->plan->n_steps;
        int r;

        if (*repeatables || (more && c->plan->steps[next].migration->kind != MIGRATION_REPEATABLE))
                return 0;
        *repeatables = true;
        r = apply_hooks(c, HOOK_AFTER_VERSIONED, err);
        return r < 0 || !more ? r : apply_hooks(c, HOOK_BEFORE_REPEATABLES, err);
}

int apply_plan(Conversation *c, Error *err)
{
        Backoff backoff = { .first = 200 * USEC_PER_MSEC, .cap = 10 * USEC_PER_SEC };
        bool repeatables = c->plan->n_steps == 0;
        size_t next = 0;
        int r = 0;

        while (next < c->plan->n_steps) {
                size_t before = next;

                r = between_kinds(c, next, &repeatables, err);
                if (r >= 0)
                        r = apply_one_stretch(c, &next, err);
                if (next > before)
                        backoff_reset(&backoff);
                if (r >= 0)
                        continue;
                r = apply_retry(c, next, &backoff, err);
                if (r > 0)
                        continue;
                flush_wal(c);
                tell_failure(c, next);
                if (!*err->path && c->plan->steps[next].migration)
                        (void) error_at(err, c->plan->steps[next].migration->path, 0, 0);
                return error_prefix(err, "migration %s", c->run->steps[next].id);
        }
        return between_kinds(c, next, &repeatables, err);
}

static int hook_once(Conversation *c, size_t hook, Error *err)
{
        Applier a = { .c = c, .next = &(size_t){ 0 }, .first = SIZE_MAX };
        const Script *s = NULL;
        Error ignored;
        int r = apply_hook_script(c, hook, &s, err);

        if (r < 0)
                return r;
        batch_init(&a.batch);
        a.batch.statement_timeout = c->db->settings->statement_timeout;
        a.each_alone = !s->transactional;
        if (s->transactional)
                batch_add_own(&a.batch, SIZE_MAX, false, "BEGIN;\n");
        r = add_script(&a, SIZE_MAX, s, false, err);
        if (r >= 0 && s->transactional)
                batch_add_own(&a.batch, SIZE_MAX, false, "COMMIT;\n");
        if (r >= 0)
                r = batch_send(&a.batch, c->session, NULL, NULL, NULL, err);
        batch_done(&a.batch);
        if (r < 0 && !pg_session_lost(c->session))
                (void) pg_rollback(c->session, &ignored);
        return r < 0 ? error_prefix(err, "callback %s", s->path) : 0;
}

int apply_hooks(Conversation *c, HookEvent event, Error *err)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->changelog->n_hooks; i++) {
                if (c->changelog->hooks[i].event != event)
                        continue;
                r = c->session_prepared ? 0 : apply_prepare_session(c, err);
                if (r >= 0)
                        r = hook_once(c, i, err);
        }
        return r;
}

int apply_sql(Conversation *c, const Text *sql, Error *err)
{
        _cleanup_text_ Text all = TEXT_INIT((size_t) 64 << 20);
        Error ignored;
        int r;

        text_add(&all, "BEGIN;\n");
        text_append(&all, text_str(sql), sql->len);
        text_add(&all, "COMMIT;\n");
        if (all.bad || sql->bad)
                return error_oom(err, "statements for the history");
        r = pg_execute(c->session, all.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        if (r < 0 && !pg_session_lost(c->session))
                (void) pg_rollback(c->session, &ignored);
        return r;
}
