#include "engine/run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/utf8.h"

static const char *const state_names[_RUN_STATE_MAX] = {
        [RUN_QUEUED] = "queued",           [RUN_WAKING] = "waking",
        [RUN_LOCKING] = "locking",         [RUN_PLANNING] = "planning",
        [RUN_APPLYING] = "applying",       [RUN_SUCCEEDED] = "succeeded",
        [RUN_FAILED] = "failed",           [RUN_REFUSED] = "refused",
        [RUN_UNAVAILABLE] = "unavailable", [RUN_CANCELLED] = "cancelled",
        [RUN_INTERRUPTED] = "interrupted",
};

static const char *const step_state_names[_STEP_STATE_MAX] = {
        [STEP_PENDING] = "pending", [STEP_APPLYING] = "applying", [STEP_APPLIED] = "applied",
        [STEP_FAILED] = "failed",   [STEP_SKIPPED] = "skipped",
};

const char *run_state_name(RunState s)
{
        return state_names[s];
}

bool run_state_is_final(RunState s)
{
        return s >= RUN_SUCCEEDED && s != RUN_INTERRUPTED;
}

/* ULID: 48 bits of milliseconds and 80 random ones in Crockford's base 32, so that ids sort by time. */
static void make_id(char id[RUN_ID_SIZE])
{
        static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        static uint64_t last_ms;
        uint64_t ms = clock_wall() / USEC_PER_MSEC;
        unsigned char random[16];

        if (ms <= last_ms)
                ms = last_ms + 1;
        last_ms = ms;
        arc4random_buf(random, sizeof random);
        for (int i = 9; i >= 0; i--, ms /= 32)
                id[i] = digits[ms % 32];
        for (size_t i = 0; i < sizeof random; i++)
                id[10 + i] = digits[random[i] % 32];
        id[26] = '\0';
}

static int copy_string(const char **field, Error *err)
{
        if (!*field)
                return 0;
        *field = strdup(*field);
        return *field ? 0 : error_oom(err, "a run");
}

int run_new(Run **ret, const char *database, const Operation *op, Error *err)
{
        _cleanup_(run_unrefp) Run *r = calloc(1, sizeof *r);
        const char **strings[] = { &r->operation.target,  &r->operation.version,
                                   &r->operation.resolve, &r->operation.trigger,
                                   &r->operation.by,      &r->operation.reason,
                                   &r->operation.snapshot };
        int status = 0;

        if (!r)
                return error_oom(err, "a run");
        *r = (Run){ .refs = 1,
                    .operation = *op,
                    .created_wall = clock_wall(),
                    .entered = clock_monotonic() };
        condition_init(&r->changed);
        list_init(&r->node);
        make_id(r->id);
        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
                if (status < 0)
                        *strings[i] = NULL;
                else
                        status = copy_string(strings[i], err);
        }
        r->database = strdup(database);
        r->warnings = json_array();
        if (status < 0 || !r->database || !r->warnings)
                return error_oom(err, "a run");
        *ret = TAKE_PTR(r);
        return 0;
}

static const char *member(const json_t *j, const char *object, const char *name)
{
        return json_string_value(json_object_get(object ? json_object_get(j, object) : j, name));
}

static uint64_t parse_time(const char *text)
{
        struct tm tm = { .tm_sec = 0 };
        const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

        return end ? (uint64_t) timegm(&tm) * USEC_PER_SEC : clock_wall();
}

int run_from_json(Run **ret, const json_t *document, Error *err)
{
        const char *id = member(document, NULL, "id"),
                   *database = member(document, NULL, "database");
        const json_t *request = json_object_get(document, "request");
        Operation op = { .kind = OPERATION_MIGRATE,
                         .target = member(document, "request", "target"),
                         .dry_run = json_is_true(json_object_get(request, "dry_run")),
                         .timeout = (uint64_t) json_integer_value(
                                            json_object_get(request, "timeout_ms")) *
                                    USEC_PER_MSEC,
                         .trigger = member(document, "trigger", "kind"),
                         .by = member(document, "trigger", "by"),
                         .reason = member(document, "trigger", "reason") };
        Run *run = NULL;
        int r;

        if (!id || !database || strlen(id) >= RUN_ID_SIZE)
                return error_set(err, ERROR_IO, "a stored run has no id or no database");
        r = run_new(&run, database, &op, err);
        if (r < 0)
                return r;
        (void) snprintf(run->id, sizeof run->id, "%s", id);
        run->created_wall = parse_time(member(document, NULL, "created_at"));
        *ret = run;
        return 0;
}

Run *run_ref(Run *r)
{
        r->refs++;
        return r;
}

int run_from_store(Run **ret, const json_t *document, Error *err)
{
        const char *state = json_string_value(json_object_get(document, "state"));
        Run *run = NULL;
        int r = run_from_json(&run, document, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; state && i < _RUN_STATE_MAX; i++)
                if (strcmp(state, state_names[i]) == 0)
                        run->state = (RunState) i;
        run->stored = json_incref((json_t *) (uintptr_t) document);
        *ret = run;
        return 0;
}

static void step_done(RunStep *s)
{
        free(s->id);
        free(s->description);
        free(s->file);
}

void run_keep_applied(Run *r, bool (*keep)(void *userdata, const RunStep *s), void *userdata)
{
        for (size_t i = 0; i < r->n_steps; i++) {
                RunStep *s = &r->steps[i], *more = NULL;

                if (s->state == STEP_APPLYING && keep(userdata, s))
                        run_step_enter(r, i, STEP_APPLIED);
                if (s->state == STEP_APPLIED)
                        more = reallocarray(r->earlier, r->n_earlier + 1, sizeof *more);
                if (!more) {
                        step_done(s);
                        continue;
                }
                r->earlier = more;
                r->earlier[r->n_earlier++] = *s;
        }
        free(r->steps);
        r->steps = NULL;
        r->n_steps = r->step = 0;
}

static void free_const(const char *s)
{
        free((void *) (uintptr_t) s);
}

Run *run_unref(Run *r)
{
        if (!r || --r->refs > 0)
                return NULL;
        for (size_t i = 0; i < r->n_steps; i++)
                step_done(&r->steps[i]);
        for (size_t i = 0; i < r->n_earlier; i++)
                step_done(&r->earlier[i]);
        free(r->steps);
        free(r->earlier);
        json_decref(r->stored);
        list_remove(&r->node);
        free_const(r->operation.target);
        free_const(r->operation.version);
        free_const(r->operation.resolve);
        free_const(r->operation.trigger);
        free_const(r->operation.by);
        free_const(r->operation.reason);
        free_const(r->operation.snapshot);
        free(r->idempotency_key);
        free(r->database);
        free(r->from_version);
        free(r->to_version);
        json_decref(r->warnings);
        json_decref(r->result);
        free(r);
        return NULL;
}

/* ---- changes ---- */

static void publish_state(Run *r)
{
        json_t *data;

        if (!r->events)
                return;
        data = json_pack("{s:s,s:s,s:s,s:s}", "id", r->id, "database", r->database, "state",
                         state_names[r->state], "operation",
                         operation_kind_name(r->operation.kind));
        if (data && r->error.code != ERROR_NONE)
                (void) json_object_set_new(data, "error", error_json(&r->error));
        event_log_publish(r->events, "run.state", r->id, data);
        json_decref(data);
}

void run_enter(Run *r, RunState state)
{
        uint64_t now = clock_monotonic();

        if (r->state < RUN_SUCCEEDED)
                r->phase_ms[r->state] += (now - r->entered) / USEC_PER_MSEC;
        if (r->state == RUN_QUEUED && state != RUN_QUEUED)
                r->started_wall = clock_wall();
        if (run_state_is_final(state))
                r->finished_wall = clock_wall();
        r->state = state;
        r->entered = now;
        publish_state(r);
        if (r->on_change)
                r->on_change(r->userdata, r);
        condition_signal(&r->changed);
}

static RunState final_state(ErrorCode code)
{
        switch (code) {
        case ERROR_NONE:
                return RUN_SUCCEEDED;
        case ERROR_CANCELLED:
                return RUN_CANCELLED;
        case ERROR_TIMEOUT:
        case ERROR_DEADLINE:
        case ERROR_UNAVAILABLE:
        case ERROR_CREDENTIALS:
        case ERROR_BLOCKED:
        case ERROR_LOST:
        case ERROR_LOCKED:
                return RUN_UNAVAILABLE;
        case ERROR_CHANGELOG:
        case ERROR_REFUSED:
        case ERROR_ATTENTION:
        case ERROR_CONFIG:
        case ERROR_NOT_FOUND:
                return RUN_REFUSED;
        default:
                return RUN_FAILED;
        }
}

void run_finish(Run *r, const Error *err)
{
        RunState end = final_state(err->code);
        bool fault = err->code == ERROR_SQL;

        /* What stops a run in the middle of its work is a failure, not the database's absence. */
        if (end == RUN_UNAVAILABLE && r->state == RUN_APPLYING)
                end = RUN_FAILED;
        if (end == RUN_CANCELLED && r->stopped)
                end = RUN_INTERRUPTED;
        r->error = *err;
        /* Several share a string: the first that is not applied is the one that failed. */
        for (size_t i = 0; i < r->n_steps; i++)
                if (r->steps[i].state == STEP_APPLYING) {
                        run_step_enter(r, i, fault ? STEP_FAILED : STEP_PENDING);
                        fault = false;
                }
        run_enter(r, end);
}

static json_t *step_json(const RunStep *s);

void run_step_enter(Run *r, size_t step, StepState state)
{
        RunStep *s = &r->steps[step];

        if (state == STEP_APPLYING && s->state != STEP_APPLYING) {
                s->started_wall = clock_wall();
                s->started = clock_monotonic();
        } else if (s->started) {
                s->duration_ms = s->recorded_ms >= 0 && state == STEP_APPLIED
                                         ? (uint64_t) s->recorded_ms
                                         : (clock_monotonic() - s->started) / USEC_PER_MSEC;
        }
        if (state == STEP_APPLIED && s->state != STEP_APPLIED)
                r->applied++;
        s->state = state;
        r->step = step;
        if (r->events) {
                json_t *data = step_json(s);

                (void) json_object_set_new(data, "database", json_string(r->database));
                event_log_publish(r->events, "step.state", r->id, data);
                json_decref(data);
        }
        condition_signal(&r->changed);
}

void run_warn(Run *r, const char *text)
{
        char clean[1024];

        utf8_sanitize(clean, sizeof clean, text);
        if (json_array_size(r->warnings) < 200)
                (void) json_array_append_new(r->warnings, json_string(clean));
}

/* ---- as JSON ---- */

static json_t *time_json(uint64_t wall)
{
        char text[CLOCK_TEXT_MAX];

        return wall ? json_string(clock_format(wall, text)) : json_null();
}

/* Bytes of files and servers may be anything; JSON wants UTF-8. */
static json_t *string_json(const char *s)
{
        char clean[2048];

        if (!s)
                return json_null();
        utf8_sanitize(clean, sizeof clean, s);
        return json_string(clean);
}

json_t *error_json(const Error *err)
{
        json_t *j;

        if (err->code == ERROR_NONE)
                return json_null();
        j = json_pack("{s:s,s:o}", "error", error_info(err->code)->name, "text",
                      string_json(err->text));
        if (!j)
                return json_null();
        if (err->sqlstate[0])
                (void) json_object_set_new(j, "sqlstate", json_string(err->sqlstate));
        if (err->path[0])
                (void) json_object_set_new(j, "file", string_json(err->path));
        if (err->line)
                (void) json_object_set_new(j, "line", json_integer((json_int_t) err->line));
        if (err->column)
                (void) json_object_set_new(j, "column", json_integer((json_int_t) err->column));
        if (err->hint[0])
                (void) json_object_set_new(j, "hint", string_json(err->hint));
        return j;
}

static json_t *step_json(const RunStep *s)
{
        return json_pack("{s:o,s:o,s:o,s:s,s:s,s:b,s:o,s:I,s:I,s:I,s:I,s:I}", "id",
                         string_json(s->id), "description", string_json(s->description), "file",
                         string_json(s->file), "kind", migration_kind_name(s->kind), "state",
                         step_state_names[s->state], "transactional", s->transactional,
                         "started_at", time_json(s->started_wall), "duration_ms",
                         (json_int_t) s->duration_ms, "statements", (json_int_t) s->statements,
                         "statement", (json_int_t) s->statement, "rows", (json_int_t) s->rows,
                         "retries", (json_int_t) s->retries);
}

static json_t *phases_json(const Run *r)
{
        json_t *phases = json_object();

        for (unsigned i = 0; i < RUN_SUCCEEDED; i++) {
                uint64_t ms = r->phase_ms[i];

                if (r->state == i)
                        ms += (clock_monotonic() - r->entered) / USEC_PER_MSEC;
                (void) json_object_set_new(phases, state_names[i], json_integer((json_int_t) ms));
        }
        return phases;
}

static json_t *progress_json(const Run *r)
{
        const RunStep *s = r->step < r->n_steps ? &r->steps[r->step] : NULL;
        size_t done = r->n_earlier;

        for (size_t i = 0; i < r->n_steps; i++)
                done += r->steps[i].state == STEP_APPLIED;
        return json_pack("{s:I,s:I,s:I,s:I}", "step", (json_int_t) done, "steps",
                         (json_int_t) (r->n_earlier + r->n_steps), "statement",
                         s ? (json_int_t) s->statement : 0, "statements",
                         s ? (json_int_t) s->statements : 0);
}

static json_t *trigger_json(const Operation *op)
{
        json_t *t = json_pack("{s:s}", "kind", op->trigger ? op->trigger : "api");

        if (op->by)
                (void) json_object_set_new(t, "by", string_json(op->by));
        if (op->reason)
                (void) json_object_set_new(t, "reason", string_json(op->reason));
        return t;
}

static json_t *request_json(const Operation *op)
{
        return json_pack("{s:o,s:b,s:I}", "target", string_json(op->target), "dry_run", op->dry_run,
                         "timeout_ms", (json_int_t) (op->timeout / USEC_PER_MSEC));
}

json_t *run_summary_json(const Run *r)
{
        return json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:O}", "id",
                         r->id, "database", r->database, "operation",
                         operation_kind_name(r->operation.kind), "request",
                         request_json(&r->operation), "trigger", trigger_json(&r->operation),
                         "state", state_names[r->state], "created_at", time_json(r->created_wall),
                         "started_at", time_json(r->started_wall), "finished_at",
                         time_json(r->finished_wall), "phases_ms", phases_json(r), "from_version",
                         string_json(r->from_version), "to_version", string_json(r->to_version),
                         "progress", progress_json(r), "applied", (json_int_t) r->applied, "error",
                         error_json(&r->error), "warnings", r->warnings);
}

json_t *run_json(const Run *r)
{
        json_t *steps, *j;

        if (r->stored)
                return json_incref(r->stored);
        steps = json_array();
        for (size_t i = 0; i < r->n_earlier; i++)
                (void) json_array_append_new(steps, step_json(&r->earlier[i]));
        for (size_t i = 0; i < r->n_steps; i++)
                (void) json_array_append_new(steps, step_json(&r->steps[i]));
        j = run_summary_json(r);
        (void) json_object_set_new(j, "steps", steps);
        if (j && r->result)
                (void) json_object_set(j, "result", r->result);
        return j;
}

const char *run_id(const Run *r)
{
        return r->id;
}

bool run_finished(const Run *r)
{
        return run_state_is_final(r->state);
}

int run_http_status(const Run *r)
{
        switch (r->state) {
        case RUN_SUCCEEDED:
                return 200;
        case RUN_FAILED:
                return 500;
        case RUN_REFUSED:
        case RUN_CANCELLED:
                return 409;
        case RUN_UNAVAILABLE:
                return 503;
        default:
                return 202;
        }
}

Condition *run_changed(Run *r)
{
        return &r->changed;
}
