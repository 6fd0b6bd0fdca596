#include "fake_dispatcher.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RUN_TIME (50 * USEC_PER_MSEC)
#define LOG_SIZE 256

/* ---- events ---- */

struct EventLog {
        Event ring[LOG_SIZE];
        uint64_t next, first;
        ListNode listeners;
};

int event_log_new(EventLog **ret, unsigned capacity, uint64_t first_id, Error *err)
{
        EventLog *l = calloc(1, sizeof *l);

        (void) capacity;
        if (!l)
                return error_oom(err, "events");
        l->next = l->first = first_id;
        list_init(&l->listeners);
        *ret = l;
        return 0;
}

EventLog *event_log_free(EventLog *l)
{
        for (size_t i = 0; i < LOG_SIZE; i++)
                free(l->ring[i].data);
        free(l);
        return NULL;
}

void event_log_publish(EventLog *l, const char *type, const char *run, const json_t *data)
{
        Event *e = &l->ring[l->next % LOG_SIZE];

        free(e->data);
        *e = (Event){ .id = l->next++, .data = json_dumps(data, JSON_COMPACT) };
        strncpy(e->run, run, sizeof e->run - 1);
        strncpy(e->type, type, sizeof e->type - 1);
        for (ListNode *n = l->listeners.next; n != &l->listeners; n = n->next) {
                EventListener *listener = list_entry(n, EventListener, node);

                listener->cb(listener->userdata);
        }
}

uint64_t event_log_next_id(const EventLog *l)
{
        return l->next;
}

const Event *event_log_get(EventLog const *l, uint64_t id, bool *lost)
{
        uint64_t oldest = l->next - l->first > LOG_SIZE ? l->next - LOG_SIZE : l->first;

        *lost = id < oldest;
        if (*lost)
                id = oldest;
        return id < l->next ? &l->ring[id % LOG_SIZE] : NULL;
}

void event_log_listen(EventLog *l, EventListener *e)
{
        list_append(&l->listeners, &e->node);
}

void event_listener_remove(EventListener *e)
{
        if (e->node.next)
                list_remove(&e->node);
}

/* ---- runs ---- */

typedef struct FakeRun {
        Run run; /* id, changed and refs of it are used */
        Dispatcher *dispatcher;
        char database[32], target[32], key[256];
        const char *state;
        int status;
        Fiber *fiber;
} FakeRun;

static FakeRun *fake(const Run *r)
{
        return (FakeRun *) (uintptr_t) r;
}

struct Dispatcher {
        sd_event *event;
        EventLog *log;
        FakeRun *runs[FAKE_MAX_RUNS];
        size_t n_runs;
        uint64_t next_id, babble_interval;
        sd_event_source *babble;
        Condition idle;
};

static const char *const databases[] = { "app", "billing" };

Run *run_ref(Run *r)
{
        r->refs++;
        return r;
}

Run *run_unref(Run *r)
{
        if (!--r->refs)
                free(r);
        return NULL;
}

const char *run_id(const Run *r)
{
        return r->id;
}

json_t *run_json(const Run *r)
{
        return json_pack("{s:s,s:s,s:s,s:n}", "id", r->id, "database", fake(r)->database, "state",
                         fake(r)->state, "error");
}

bool run_finished(const Run *r)
{
        return fake(r)->status != 202;
}

int run_http_status(const Run *r)
{
        return fake(r)->status;
}

Condition *run_changed(Run *r)
{
        return &r->changed;
}

static void set_state(FakeRun *r, const char *state, int status)
{
        json_t *data = json_pack("{s:s}", "state", state);

        r->state = state;
        r->status = status;
        event_log_publish(r->dispatcher->log, "run.state", r->run.id, data);
        json_decref(data);
        condition_signal(&r->run.changed);
}

static int run_main(void *userdata, Error *err)
{
        static const struct {
                const char *target, *state;
                int status;
        } ends[] = { { "fail", "failed", 500 },
                     { "refuse", "refused", 409 },
                     { "unavailable", "unavailable", 503 } };
        FakeRun *r = userdata;
        int k = fiber_sleep(strcmp(r->target, "hang") ? RUN_TIME : USEC_INFINITY / 4, err);

        if (k < 0)
                return k;
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
                if (!strcmp(ends[i].target, r->target)) {
                        set_state(r, ends[i].state, ends[i].status);
                        return 0;
                }
        set_state(r, "succeeded", 200);
        return 0;
}

static void run_done(void *userdata, int k, const Error *err)
{
        FakeRun *r = userdata;

        (void) err;
        r->fiber = NULL;
        if (k < 0)
                set_state(r, "cancelled", 409);
        run_unref(&r->run);
}

static void forget_oldest(Dispatcher *d)
{
        for (size_t i = 0; i < d->n_runs; i++)
                if (run_finished(&d->runs[i]->run)) {
                        run_unref(&d->runs[i]->run);
                        memmove(&d->runs[i], &d->runs[i + 1],
                                (d->n_runs - i - 1) * sizeof d->runs[0]);
                        d->n_runs--;
                        return;
                }
}

static int add_run(Dispatcher *d, const char *database, const Submission *s, Run **ret, Error *err)
{
        FakeRun *r;
        int k = 0;

        if (d->n_runs == FAKE_MAX_RUNS)
                forget_oldest(d);
        if (d->n_runs == FAKE_MAX_RUNS)
                return error_set(err, ERROR_BUSY, "too many runs");
        r = calloc(1, sizeof *r);
        if (!r)
                return error_oom(err, "a run");
        *r = (FakeRun){ .run.refs = 1, .dispatcher = d, .state = "queued", .status = 202 };
        condition_init(&r->run.changed);
        (void) snprintf(r->run.id, sizeof r->run.id, "RUN%" PRIu64, ++d->next_id);
        (void) snprintf(r->database, sizeof r->database, "%s", database);
        (void) snprintf(r->target, sizeof r->target, "%s", s->target ? s->target : "");
        (void) snprintf(r->key, sizeof r->key, "%s", s->idempotency_key ? s->idempotency_key : "");
        d->runs[d->n_runs++] = r;
        *ret = &r->run;
        if (!strcmp(r->target, "now")) {
                set_state(r, "succeeded", 200);
                return 0;
        }
        set_state(r, "applying", 202);
        k = fiber_spawn(&r->fiber, d->event, "run", run_main, r, run_done, err);
        if (k >= 0)
                (void) run_ref(&r->run);
        return k;
}

int dispatcher_submit(Dispatcher *d, const Submission *s, Run **runs, size_t *n_runs, Error *err)
{
        *n_runs = 0;
        for (size_t i = 0; s->idempotency_key && i < d->n_runs; i++)
                if (!strcmp(d->runs[i]->key, s->idempotency_key)) {
                        runs[(*n_runs)++] = &d->runs[i]->run;
                        return 0;
                }
        for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++) {
                int r;

                if (s->database && strcmp(databases[i], s->database))
                        continue;
                r = add_run(d, databases[i], s, &runs[*n_runs], err);
                if (r < 0)
                        return r;
                (*n_runs)++;
        }
        return *n_runs ? 0
                       : error_set(err, ERROR_NOT_FOUND, "there is no database \"%.64s\"",
                                   s->database);
}

Run *dispatcher_find_run(Dispatcher *d, const char *id)
{
        for (size_t i = 0; i < d->n_runs; i++)
                if (!strcmp(d->runs[i]->run.id, id))
                        return &d->runs[i]->run;
        return NULL;
}

int dispatcher_cancel(Dispatcher *d, const char *id, Error *err)
{
        Run *r = dispatcher_find_run(d, id);

        if (!r)
                return error_set(err, ERROR_NOT_FOUND, "there is no run \"%.64s\"", id);
        if (fake(r)->fiber)
                fiber_cancel(fake(r)->fiber);
        return 0;
}

int dispatcher_run_json(Dispatcher *d, const char *id, json_t **ret, Error *err)
{
        Run *r = dispatcher_find_run(d, id);

        if (!r)
                return error_set(err, ERROR_NOT_FOUND, "there is no run \"%.64s\"", id);
        *ret = run_json(r);
        return *ret ? 0 : error_oom(err, "a run");
}

int dispatcher_list_runs(Dispatcher *d, const char *database, const char *state, const char *before,
                         unsigned limit, json_t **ret, Error *err)
{
        (void) before, (void) err;
        *ret = json_array();
        for (size_t i = d->n_runs; i-- && json_array_size(*ret) < limit;)
                if ((!database || !strcmp(database, d->runs[i]->database)) &&
                    (!state || !strcmp(state, d->runs[i]->state)))
                        (void) json_array_append_new(*ret, run_json(&d->runs[i]->run));
        return 0;
}

static int known(const char *database, Error *err)
{
        for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++)
                if (!database || !strcmp(database, databases[i]))
                        return 0;
        return error_set(err, ERROR_NOT_FOUND, "there is no database \"%.64s\"", database);
}

int dispatcher_status_json(Dispatcher *d, const char *database, json_t **ret, Error *err)
{
        int r = known(database, err);

        (void) d;
        if (r < 0)
                return r;
        *ret = json_array();
        for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++)
                if (!database || !strcmp(database, databases[i]))
                        (void) json_array_append_new(
                                *ret,
                                json_pack("{s:s,s:{s:s,s:{s:s}},s:{s:s,s:i,s:i,s:i},s:n,s:{s:s,s:s,"
                                          "s:s}}",
                                          "name", databases[i], "availability", "state", "asleep",
                                          "last_error", "message", "<script>alert('x')</script>",
                                          "schema", "version", "3", "applied", 3, "pending", 0,
                                          "failed", 0, "current_run", "last_run", "id", "RUN0",
                                          "state", "succeeded", "finished_at",
                                          "2026-01-01T00:00:00.000Z"));
        return 0;
}

int dispatcher_ready(Dispatcher *d, const char *database, json_t **reasons, Error *err)
{
        int r = known(database, err);

        (void) d;
        if (r < 0)
                return r;
        *reasons = json_array();
        if (database && !strcmp(database, "app"))
                return 1;
        (void) json_array_append_new(*reasons,
                                     json_string("database \"billing\" has 2 pending migrations"));
        return 0;
}

void dispatcher_metrics(Dispatcher *d, Text *out)
{
        text_printf(out,
                    "# HELP pgmigrated_runs_total Runs.\n# TYPE pgmigrated_runs_total "
                    "counter\npgmigrated_runs_total %" PRIu64 "\n",
                    d->next_id);
}

int dispatcher_probe(Dispatcher *d, const char *database, Error *err)
{
        int r = known(database, err);

        (void) d;
        return r < 0 ? r : fiber_sleep(RUN_TIME, err);
}

/* Target "hang" waits as a database would that does not wake up. */
int dispatcher_plan_json(Dispatcher *d, const char *database, const char *target, json_t **ret,
                         Error *err)
{
        int r = known(database, err);

        (void) d;
        if (r >= 0)
                r = fiber_sleep(target && !strcmp(target, "hang") ? 3600 * USEC_PER_SEC : RUN_TIME,
                                err);
        if (r >= 0)
                *ret = json_pack("{s:[]}", "steps");
        return r;
}

int dispatcher_history_json(Dispatcher *d, const char *database, json_t **ret, Error *err)
{
        int r = known(database, err);

        (void) d;
        if (r >= 0)
                r = fiber_sleep(RUN_TIME, err);
        if (r >= 0)
                *ret = json_pack("{s:[]}", "applied");
        return r;
}

int dispatcher_drift_json(Dispatcher *d, const char *database, bool save, json_t **ret, Error *err)
{
        int r = known(database, err);

        (void) d;
        if (r >= 0)
                r = fiber_sleep(RUN_TIME, err);
        if (r >= 0)
                *ret = json_pack("{s:b,s:b}", "drifted", 0, "saved", save);
        return r;
}

EventLog *dispatcher_events(Dispatcher *d)
{
        return d->log;
}

/* ---- life ---- */

static int on_babble(sd_event_source *s, uint64_t usec, void *userdata)
{
        Dispatcher *d = userdata;
        json_t *data = json_pack("{s:I}", "at", (json_int_t) usec);

        event_log_publish(d->log, "notice", "", data);
        json_decref(data);
        (void) sd_event_source_set_time(s, clock_after(d->babble_interval));
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return 0;
}

int fake_dispatcher_babble(Dispatcher *d, uint64_t interval, Error *err)
{
        d->babble_interval = interval;
        if (sd_event_add_time(d->event, &d->babble, CLOCK_MONOTONIC, clock_after(interval), 1000,
                              on_babble, d) < 0)
                return error_set(err, ERROR_INTERNAL, "a timer");
        return 0;
}

int fake_dispatcher_new(Dispatcher **ret, sd_event *event, Error *err)
{
        Dispatcher *d = calloc(1, sizeof *d);
        int r;

        if (!d)
                return error_oom(err, "the dispatcher");
        d->event = event;
        r = event_log_new(&d->log, LOG_SIZE, 1000, err);
        if (r < 0) {
                free(d);
                return r;
        }
        condition_init(&d->idle);
        *ret = d;
        return 0;
}

void dispatcher_cancel_running(Dispatcher *d)
{
        sd_event_source_disable_unref(d->babble);
        d->babble = NULL;
        for (size_t i = 0; i < d->n_runs; i++)
                if (d->runs[i]->fiber)
                        fiber_cancel(d->runs[i]->fiber);
}

bool dispatcher_idle(const Dispatcher *d)
{
        for (size_t i = 0; i < d->n_runs; i++)
                if (d->runs[i]->fiber)
                        return false;
        return true;
}

Dispatcher *dispatcher_free(Dispatcher *d)
{
        sd_event_source_disable_unref(d->babble);
        for (size_t i = 0; i < d->n_runs; i++)
                run_unref(&d->runs[i]->run);
        event_log_free(d->log);
        free(d);
        return NULL;
}
