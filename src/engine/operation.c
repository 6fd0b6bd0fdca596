#include "engine/operation.h"

#include <inttypes.h>
#include <string.h>

#include "engine/apply.h"
#include "engine/conversation.h"
#include "engine/drift_check.h"
#include "engine/findings.h"
#include "engine/operation_private.h"
#include "engine/row_lock.h"
#include "pg/sqlstate.h"
#include "util/log.h"

/* The same migration may take the connection down so often in a row before it is blamed. */
#define LOST_MAX 5
#define PLAN_MAX_SQL ((size_t) 256 * 1024)
#define REPAIR_MAX ((size_t) 16 << 20)

/* ---- what the operations do once connected, locked and informed ---- */

static int describe_step(RunStep *s, const PlanStep *p, Error *err)
{
        const Migration *m = p->migration;

        *s = (RunStep){ .id = strdup(m->id),
                        .description = strdup(m->description ? m->description : ""),
                        .file = strdup(m->script),
                        .kind = m->kind,
                        .transactional = p->transactional,
                        .statements = p->statements,
                        .recorded_ms = -1 };
        return s->id && s->description && s->file ? 0 : error_oom(err, "a run's steps");
}

static bool history_has(void *userdata, const RunStep *s)
{
        const Plan *plan = userdata;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (strcmp(plan->steps[i].migration->id, s->id) == 0)
                        return false;
        return true;
}

static int copy_version(char **field, const char *version, Error *err)
{
        free(*field);
        *field = version ? strdup(version) : NULL;
        return version && !*field ? error_oom(err, "a run") : 0;
}

/* The plan becomes the run's steps. After a lost connection, what was going and is no longer in the plan was committed. */
static int adopt_plan(Conversation *c, Error *err)
{
        Run *run = c->run;
        int r = plan_check_scripts(c->plan, c->changelog, &c->context, err);

        if (r < 0)
                return r;
        run_keep_applied(run, history_has, c->plan);
        run->steps = calloc(c->plan->n_steps + 1, sizeof *run->steps);
        if (!run->steps)
                return error_oom(err, "a run's steps");
        for (size_t i = 0; r >= 0 && i < c->plan->n_steps; i++, run->n_steps++)
                r = describe_step(&run->steps[i], &c->plan->steps[i], err);
        if (r >= 0 && !run->from_version)
                r = copy_version(&run->from_version, c->plan->from_version, err);
        if (r >= 0)
                r = copy_version(&run->to_version, c->plan->to_version, err);
        return r;
}

static int show_plan(Conversation *c, Error *err)
{
        json_decref(c->run->result);
        c->run->result = plan_json(c->plan, c->changelog, &c->context, PLAN_MAX_SQL, err);
        if (!c->run->result)
                return -(int) err->code;
        (void) json_object_set(c->run->result, "warnings", c->run->warnings);
        return 0;
}

static int act_plan(Conversation *c, Error *err)
{
        int r = conversation_refuse(c, err);

        if (r >= 0)
                r = plan_make_migrate(&c->plan, c->assessment, c->options.group, err);
        if (r >= 0)
                r = plan_check_scripts(c->plan, c->changelog, &c->context, err);
        return r < 0 ? r : show_plan(c, err);
}

static int apply_with_hooks(Conversation *c, HookEvent before, HookEvent after, Error *err)
{
        int r;

        run_enter(c->run, RUN_APPLYING);
        r = drift_begin(c, err);
        if (r >= 0)
                r = apply_hooks(c, before, err);
        if (r >= 0)
                r = apply_plan(c, err);
        if (r >= 0 && c->run->applied > 0 && c->run->operation.kind == OPERATION_MIGRATE)
                r = apply_hooks(c, HOOK_AFTER_MIGRATE_APPLIED, err);
        return r < 0 ? r : apply_hooks(c, after, err);
}

/* Rows that the tool would bring up to date on the way. */
static int keep_up(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(REPAIR_MAX), notes = TEXT_INIT(REPAIR_MAX);
        int r;

        if (!c->assessment->needs_upkeep)
                return 0;
        r = c->changelog->format->sql_upkeep(&sql, &notes, &c->context, c->changelog, c->history,
                                             err);
        if (r > 0)
                r = apply_sql(c, &sql, err);
        if (r >= 0 && notes.len > 0)
                run_warn(c->run, text_str(&notes));
        return r;
}

/* The tool's own lock is taken for changes only: to look whether there is anything to do, ours is enough. */
static int claim(Conversation *c, Error *err)
{
        const Assessment *a = c->assessment;
        bool pending = a->needs_upkeep;
        int r;

        for (size_t i = 0; !pending && i < a->n_entries; i++)
                pending = a->entries[i].state == ENTRY_PENDING ||
                          a->entries[i].state == ENTRY_OUTDATED;
        if (!pending)
                return 0;
        r = row_lock_take(c, ASSESS_MIGRATE, err);
        if (r >= 0 && c->assessment->n_refusals > 0)
                r = conversation_refuse(c, err);
        return r < 0 ? r : keep_up(c, err);
}

static int act_migrate(Conversation *c, Error *err)
{
        int r = conversation_refuse(c, err);

        if (r >= 0)
                r = drift_guard(c, err);
        if (r >= 0 && c->run->operation.dry_run) {
                r = act_plan(c, err);
                return r < 0 ? r : adopt_plan(c, err);
        }
        if (r >= 0 && c->assessment->needs_table) {
                /* What cannot be run is refused before the first change, and that is this table. */
                r = act_plan(c, err);
                c->plan = plan_free(c->plan);
                if (r >= 0)
                        r = operation_create_history(c, err);
                json_decref(c->run->result);
                c->run->result = NULL;
        }
        if (r >= 0)
                r = claim(c, err);
        if (r >= 0)
                r = plan_make_migrate(&c->plan, c->assessment, c->options.group, err);
        if (r >= 0)
                r = adopt_plan(c, err);
        if (r < 0)
                return r;
        return apply_with_hooks(c, HOOK_BEFORE_MIGRATE, HOOK_AFTER_MIGRATE, err);
}

static int act_undo(Conversation *c, Error *err)
{
        int r = drift_guard(c, err);

        if (r >= 0 && !c->run->operation.dry_run)
                r = row_lock_take(c, ASSESS_INFO, err);
        if (r >= 0)
                r = plan_make_undo(&c->plan, c->changelog, &c->context, c->assessment,
                                   c->run->operation.target, err);
        if (r >= 0)
                r = adopt_plan(c, err);
        if (r < 0)
                return r;
        if (c->run->operation.dry_run)
                return show_plan(c, err);
        return apply_with_hooks(c, HOOK_BEFORE_UNDO, HOOK_AFTER_UNDO, err);
}

static int act_status(Conversation *c, Error *err)
{
        (void) err;
        c->run->result = findings_status(c);
        return 0;
}

static int act_history(Conversation *c, Error *err)
{
        (void) err;
        c->run->result = findings_history(c);
        return 0;
}

static int act_validate(Conversation *c, Error *err)
{
        c->run->result = findings_validation(c);
        return conversation_refuse(c, err);
}

/* Versions are in order, tags are not: one that is in the history is reached. */
static bool is_reached(const Conversation *c, const char *have, const char *wanted)
{
        const Format *f = c->changelog->format;

        if (f->compare_versions)
                return f->compare_versions(have, wanted) >= 0;
        for (size_t i = 0; i < c->history->n_rows; i++)
                if (c->history->rows[i].version && strcmp(c->history->rows[i].version, wanted) == 0)
                        return true;
        return false;
}

static int act_wait(Conversation *c, Error *err)
{
        const char *wanted = c->run->operation.version, *have;

        if (!wanted)
                return 0;
        have = c->assessment->current_version;
        if (have && is_reached(c, have, wanted))
                return 0;
        return error_set(err, ERROR_UNAVAILABLE, "%s is at version %s, not yet at %s", c->db->name,
                         have ? have : "(none)", wanted);
}

/* ---- the operations ---- */

/* clang-format off */
#define NONE _HOOK_EVENT_MAX
static const struct {
        const char *name;
        bool changes, locks, needs_changelog, demands;
        AssessPurpose purpose;
        int (*act)(Conversation *c, Error *err);
        HookEvent before, after, failed; /* NONE: none, or the act's own business */
} operations[_OPERATION_KIND_MAX] = {
        [OPERATION_MIGRATE]  = { "migrate",  true,  true,  true,  true,  ASSESS_MIGRATE,  act_migrate,  NONE, NONE, HOOK_AFTER_MIGRATE_ERROR },
        [OPERATION_PLAN]     = { "plan",     false, false, true,  true,  ASSESS_MIGRATE,  act_plan,     NONE, NONE, NONE },
        [OPERATION_STATUS]   = { "status",   false, false, true,  false, ASSESS_INFO,     act_status,   HOOK_BEFORE_INFO, HOOK_AFTER_INFO, HOOK_AFTER_INFO_ERROR },
        [OPERATION_HISTORY]  = { "history",  false, false, true,  false, ASSESS_INFO,     act_history,  NONE, NONE, NONE },
        [OPERATION_VALIDATE] = { "validate", false, false, true,  true,  ASSESS_VALIDATE, act_validate, HOOK_BEFORE_VALIDATE, HOOK_AFTER_VALIDATE, HOOK_AFTER_VALIDATE_ERROR },
        [OPERATION_BASELINE] = { "baseline", true,  true,  true,  true,  ASSESS_INFO,     operation_baseline, HOOK_BEFORE_BASELINE, HOOK_AFTER_BASELINE, HOOK_AFTER_BASELINE_ERROR },
        [OPERATION_REPAIR]   = { "repair",   true,  true,  true,  false, ASSESS_INFO,     operation_repair,   HOOK_BEFORE_REPAIR, HOOK_AFTER_REPAIR, HOOK_AFTER_REPAIR_ERROR },
        [OPERATION_UNDO]     = { "undo",     true,  true,  true,  true,  ASSESS_INFO,     act_undo,     NONE, NONE, HOOK_AFTER_UNDO_ERROR },
        [OPERATION_WAIT]     = { "wait",     false, false, false, false, ASSESS_INFO,     act_wait,     NONE, NONE, NONE },
        [OPERATION_DRIFT]    = { "drift",    false, false, true,  false, ASSESS_INFO,     drift_act,    NONE, NONE, NONE },
        [OPERATION_TAG]      = { "tag",      true,  true,  true,  false, ASSESS_INFO,     operation_tag,      NONE, NONE, NONE },
        [OPERATION_UNLOCK]   = { "unlock",   true,  true,  true,  false, ASSESS_INFO,     operation_unlock,   NONE, NONE, NONE },
};
/* clang-format on */

const char *operation_kind_name(OperationKind k)
{
        return operations[k].name;
}

bool operation_changes(OperationKind k)
{
        return operations[k].changes;
}

static int converse(Conversation *c, Error *err)
{
        OperationKind kind = c->run->operation.kind;
        int r;

        run_enter(c->run, RUN_WAKING);
        r = conversation_wake(c, err);
        if (r >= 0 && c->changelog)
                r = apply_hooks(c, HOOK_AFTER_CONNECT, err);
        if (r >= 0 && operations[kind].locks) {
                run_enter(c->run, RUN_LOCKING);
                r = conversation_lock(c, err);
        }
        if (r >= 0)
                run_enter(c->run, RUN_PLANNING);
        if (r >= 0 && c->changelog) {
                r = apply_hooks(c, operations[kind].before, err);
                if (r >= 0)
                        r = conversation_assess(c, operations[kind].purpose, err);
        }
        if (r >= 0 && operations[kind].demands && c->changelog && c->changelog->format->demand)
                r = c->changelog->format->demand(c->changelog, &c->context, c->session, err);
        if (r >= 0)
                r = operations[kind].act(c, err);
        row_lock_release(c);
        if (r >= 0 && c->changelog)
                r = apply_hooks(c, operations[kind].after, err);
        if (r < 0 && c->changelog && c->session && !pg_session_lost(c->session) &&
            !fiber_cancelled()) {
                Error ignored;

                (void) apply_hooks(c, operations[kind].failed, &ignored);
        }
        return r;
}

/* After a failure the history knows best, as long as it can still be asked. What is pending is so by the configured target. */
static void learn_schema(Conversation *c, int r)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        bool other_target = c->options.target != c->db->settings->changelog.target;
        bool keeps = drift_wanted(c) && !fiber_cancelled();
        Error ignored;

        if (!c->changelog || !c->session || pg_session_lost(c->session))
                return;
        if (!c->context.schema) /* that there is none, or none that can be, was the failure */
                return;
        c->options.target = c->db->settings->changelog.target;
        if ((r < 0 || other_target || keeps) && conversation_assess(c, ASSESS_INFO, &ignored) < 0)
                return;
        if (c->assessment)
                database_know_schema(c->db, conversation_schema_json(c));
        if (keeps)
                drift_keep(c);
}

/* Whether to go on with a new connection: the server went away, or turned out to be a reader after a failover. */
static bool worth_another(Conversation *c, Backoff *between, const Error *err)
{
        const Run *run = c->run;
        bool reader = err->code == ERROR_SQL && sqlstate_reader(err->sqlstate);
        uint64_t statement = 0;
        size_t step;

        if (err->code != ERROR_LOST && !reader)
                return false;
        step = run->n_earlier + run->step;
        /* The statements of a transaction are all lost with it; others are done. */
        if (run->step < run->n_steps && !run->steps[run->step].transactional)
                statement = run->steps[run->step].statement;
        if (step != c->lost_step || statement != c->lost_statement) {
                c->lost_count = 0;
                backoff_reset(between);
        }
        c->lost_count++;
        c->lost_step = step;
        c->lost_statement = statement;
        c->run->reconnects++;
        log_warning("connection lost", LOG_S("DATABASE", c->db->name), LOG_S("RUN", c->run->id),
                    LOG_ERR_FIELDS(err));
        return c->lost_count < LOST_MAX;
}

/* What a wait was for tells more than that it ended. */
static int wait_to_try_again(Backoff *between, Error *err)
{
        Error reason = *err;
        int r = fiber_sleep(backoff_next(between), err);

        if (r == -(int) ERROR_DEADLINE)
                return error_set(err, ERROR_DEADLINE, "the deadline passed: %s", reason.text);
        return r;
}

static int execute(Conversation *c, Error *err)
{
        const Operation *op = &c->run->operation;
        uint64_t limit = op->timeout ? op->timeout : c->db->settings->run_timeout;
        _cleanup_(fiber_deadline_pop) FiberDeadline d =
                fiber_deadline_push(limit ? clock_after(limit) : USEC_INFINITY);
        Backoff between = { .first = 500 * USEC_PER_MSEC, .cap = 10 * USEC_PER_SEC };
        int r = 0;

        if (operations[op->kind].needs_changelog || op->version)
                r = conversation_read_changelog(c, err);
        while (r >= 0) {
                r = converse(c, err);
                learn_schema(c, r);
                if (r >= 0)
                        return r;
                conversation_hang_up(c);
                if (op->kind == OPERATION_WAIT && op->version && r == -(int) ERROR_UNAVAILABLE)
                        r = wait_to_try_again(&between, err);
                else if (worth_another(c, &between, err))
                        r = wait_to_try_again(&between, err);
        }
        if (r == -(int) ERROR_DEADLINE && !*err->hint)
                (void) error_hint(err,
                                  "the run was given %" PRIu64
                                  " ms by %s; raise it, or see what takes so long",
                                  limit / USEC_PER_MSEC,
                                  op->timeout ? "the request (timeout_ms)" : "run_timeout");
        return r;
}

static void log_end(const Database *d, const Run *run)
{
        const char *state = run_state_name(run->state);

        if (run->error.code == ERROR_NONE)
                log_info("run finished", LOG_S("DATABASE", d->name), LOG_S("RUN", run->id),
                         LOG_S("STATE", state), LOG_N("APPLIED", run->applied),
                         LOG_S("VERSION", run->to_version));
        else
                log_error("run finished", LOG_S("DATABASE", d->name), LOG_S("RUN", run->id),
                          LOG_S("STATE", state), LOG_N("APPLIED", run->applied),
                          LOG_ERR_FIELDS(&run->error));
}

void database_execute(Database *d, Run *run)
{
        bool changes = operations[run->operation.kind].changes;
        _cleanup_conversation_ Conversation c;
        Error err = { .code = ERROR_NONE };
        int r = database_enter(d, &err);
        bool entered = r >= 0;

        conversation_init(&c, d, run);
        if (entered) {
                if (changes)
                        d->current = run_ref(run);
                r = execute(&c, &err);
                conversation_hang_up(&c);
                d->migrations_applied += run->applied;
        }
        if (r >= 0)
                err = (Error){ .code = ERROR_NONE };
        if (changes) {
                run_unref(d->last);
                d->last = run_ref(run);
                d->current = run_unref(d->current);
        }
        run_finish(run, &err);
        if (changes) {
                d->runs[run->state]++;
                if (d->store)
                        log_end(d, run);
        }
        if (entered)
                database_leave(d);
}

int operation_execute(const DatabaseSettings *db, const Operation *op, EventLog *events,
                      json_t **result, Error *err)
{
        _cleanup_(database_freep) Database *d = NULL;
        _cleanup_(run_unrefp) Run *run = NULL;
        int r = database_new(&d, db, events, NULL, err);

        if (r >= 0)
                r = run_new(&run, db->name, op, err);
        if (r < 0)
                return r;
        run->events = events;
        database_execute(d, run);
        *result = operations[op->kind].changes ? run_json(run) : json_incref(run->result);
        *err = run->error;
        return -(int) err->code;
}
