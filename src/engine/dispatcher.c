#include "engine/dispatcher_private.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

/* Runs that wait behind the one that is going: joined where they ask for the same, so few are ever needed. */
#define QUEUE_MAX 64
#define FINISHED_MAX 64 /* kept in memory; older ones are read from the store */
#define EVENT_CAPACITY 8192
/* Event numbers are JSON numbers, exact to 2^53: blocks of 2^32 last for two million restarts. */
#define EVENT_BLOCK ((uint64_t) 1 << 32)
#define IDEMPOTENCY_WINDOW (24 * 3600 * USEC_PER_SEC)

/* ---- storing ---- */

static int save(Dispatcher *d, const Run *run, Error *err)
{
        json_t *document = run_json(run);
        int r = store_save_run(d->store, run->id, run->database, run_state_name(run->state),
                               run->created_wall, run->idempotency_key, document, err);

        json_decref(document);
        return r;
}

static void on_run_change(void *userdata, Run *run)
{
        Lane *lane = userdata;
        Error err;

        if (save(lane->dispatcher, run, &err) < 0)
                log_error("cannot store a run", LOG_S("RUN", run->id), LOG_ERR_FIELDS(&err));
}

/* ---- lanes ---- */

static Lane *lane_free(Lane *l)
{
        if (!l)
                return NULL;
        while (!list_empty(&l->queue)) {
                Run *run = list_entry(l->queue.next, Run, node);

                list_remove(&run->node);
                run_unref(run);
        }
        database_free(l->database);
        free(l);
        return NULL;
}

static int lane_new(Lane **ret, Dispatcher *d, const DatabaseSettings *settings, Error *err)
{
        Lane *l = calloc(1, sizeof *l);
        int r;

        if (!l)
                return error_oom(err, "a database");
        l->dispatcher = d;
        list_init(&l->queue);
        r = database_new(&l->database, settings, d->events, d->store, err);
        if (r < 0)
                lane_free(l);
        else
                *ret = l;
        return r;
}

static Lane *find_lane(const Dispatcher *d, const char *name)
{
        for (size_t i = 0; i < d->n_lanes; i++)
                if (strcmp(d->lanes[i]->database->name, name) == 0)
                        return d->lanes[i];
        return NULL;
}

int dispatcher_need_lane(Lane **ret, const Dispatcher *d, const char *name, Error *err)
{
        *ret = find_lane(d, name);
        return *ret ? 0 : error_set(err, ERROR_NOT_FOUND, "no database is called \"%s\"", name);
}

/* ---- running ---- */

static void pump(Dispatcher *d);

static int lane_main(void *userdata, Error *err)
{
        Lane *l = userdata;

        (void) err;
        database_execute(l->database, l->run);
        return 0;
}

static void remember_finished(Dispatcher *d, Run *run)
{
        list_append(&d->finished, &run->node); /* takes the reference */
        if (++d->n_finished <= FINISHED_MAX)
                return;
        run = list_entry(d->finished.next, Run, node);
        list_remove(&run->node);
        d->n_finished--;
        run_unref(run);
}

static void on_lane_done(void *userdata, int r, const Error *err)
{
        Lane *l = userdata;
        Dispatcher *d = l->dispatcher;
        Run *run = TAKE_PTR(l->run);
        Error ignored;

        (void) r, (void) err;
        l->fiber = NULL;
        d->running--;
        run->on_change = NULL;
        remember_finished(d, run);
        (void) store_prune(d->store, (unsigned) d->service->keep_runs, &ignored);
        pump(d);
        if (dispatcher_idle(d))
                condition_signal(&d->idle);
}

static void start_next(Lane *l)
{
        Dispatcher *d = l->dispatcher;
        Run *run = list_entry(l->queue.next, Run, node);
        Error err;

        list_remove(&run->node);
        l->queued--;
        l->run = run;
        if (fiber_spawn(&l->fiber, d->event, "run", lane_main, l, on_lane_done, &err) < 0) {
                l->run = NULL;
                run_finish(run, &err);
                run->on_change = NULL;
                remember_finished(d, run);
                return;
        }
        d->running++;
}

static void pump(Dispatcher *d)
{
        for (size_t i = 0; !d->stopping && i < d->n_lanes && d->running < d->service->max_parallel;
             i++)
                if (!d->lanes[i]->fiber && !list_empty(&d->lanes[i]->queue))
                        start_next(d->lanes[i]);
}

/* ---- submitting ---- */

static bool same_string(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static Run *find_joinable(const Lane *l, const Submission *s)
{
        for (ListNode *n = l->queue.next; n != &l->queue; n = n->next) {
                Run *run = list_entry(n, Run, node);

                if (same_string(run->operation.target, s->target) &&
                    run->operation.dry_run == s->dry_run && run->operation.timeout == s->timeout)
                        return run;
        }
        return NULL;
}

static int find_known(Dispatcher *d, const char *key, Run **ret, Error *err)
{
        json_t *document = NULL;
        char id[RUN_ID_MAX];
        Run *run = NULL;
        int r = store_find_idempotency_key(d->store, key, clock_wall() - IDEMPOTENCY_WINDOW, id,
                                           err);

        if (r <= 0)
                return r;
        *ret = dispatcher_find_run(d, id);
        if (*ret)
                return 1;
        r = store_load_run(d->store, id, &document, err);
        if (r > 0) {
                r = run_from_store(&run, document, err);
                json_decref(document);
                if (r >= 0)
                        remember_finished(d, run);
        }
        *ret = run;
        return r < 0 ? r : run != NULL;
}

static int enqueue(Lane *l, Run *run, Error *err)
{
        Dispatcher *d = l->dispatcher;
        int r;

        run->events = d->events;
        r = save(d, run, err);
        if (r < 0)
                return r;
        run->on_change = on_run_change;
        run->userdata = l;
        list_append(&l->queue, &run->node);
        l->queued++;
        return 0;
}

static int submit_one(Lane *l, const Submission *s, Run **ret, Error *err)
{
        _cleanup_free_ char *key = NULL;
        Run *run = NULL;
        int r;

        if (s->idempotency_key) {
                if (asprintf(&key, "%s %s", l->database->name, s->idempotency_key) < 0)
                        return error_oom(err, "a run");
                r = find_known(l->dispatcher, key, ret, err);
                if (r != 0)
                        return r;
        }
        *ret = s->idempotency_key ? NULL : find_joinable(l, s);
        if (*ret)
                return 0;
        if (l->queued >= QUEUE_MAX)
                return error_set(err, ERROR_BUSY, "%zu runs are queued for %s already", l->queued,
                                 l->database->name);
        r = run_new(&run, l->database->name,
                    &(Operation){ .kind = OPERATION_MIGRATE,
                                  .target = s->target,
                                  .dry_run = s->dry_run,
                                  .timeout = s->timeout,
                                  .trigger = s->trigger,
                                  .by = s->by,
                                  .reason = s->reason },
                    err);
        if (r < 0)
                return r;
        run->idempotency_key = TAKE_PTR(key);
        r = enqueue(l, run, err);
        if (r < 0)
                run_unref(run);
        else
                *ret = run;
        return r;
}

int dispatcher_submit(Dispatcher *d, const Submission *s, Run **runs, size_t *n_runs, Error *err)
{
        Lane *only = NULL;
        int r = 0;

        *n_runs = 0;
        if (d->stopping)
                return error_set(err, ERROR_BUSY, "the daemon is stopping");
        if (s->database) {
                r = dispatcher_need_lane(&only, d, s->database, err);
                if (r >= 0)
                        r = submit_one(only, s, &runs[(*n_runs)++], err);
        }
        for (size_t i = 0; !s->database && r >= 0 && i < d->n_lanes; i++)
                r = submit_one(d->lanes[i], s, &runs[(*n_runs)++], err);
        if (r < 0)
                *n_runs = 0;
        pump(d);
        return r < 0 ? r : 0;
}

/* ---- life ---- */

int dispatcher_new(Dispatcher **ret, sd_event *event, const ServiceSettings *service,
                   const DatabaseSettings *databases, size_t n_databases, Store *store, Error *err)
{
        _cleanup_(dispatcher_freep) Dispatcher *d = calloc(1, sizeof *d);
        uint64_t first = 1;
        int r;

        if (!d)
                return error_oom(err, "the dispatcher");
        d->event = sd_event_ref(event);
        d->service = service;
        d->store = store;
        list_init(&d->finished);
        condition_init(&d->idle);
        r = store_reserve_event_ids(store, EVENT_BLOCK, &first, err);
        if (r >= 0)
                r = event_log_new(&d->events, EVENT_CAPACITY, first, err);
        if (r >= 0)
                r = dispatcher_reload(d, service, databases, n_databases, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Dispatcher *dispatcher_free(Dispatcher *d)
{
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n_lanes; i++)
                lane_free(d->lanes[i]);
        free(d->lanes);
        while (!list_empty(&d->finished)) {
                Run *run = list_entry(d->finished.next, Run, node);

                list_remove(&run->node);
                run_unref(run);
        }
        event_log_free(d->events);
        sd_event_unref(d->event);
        free(d);
        return NULL;
}

static int resume_one(Dispatcher *d, const json_t *document, Error *err)
{
        Run *run = NULL;
        Lane *l;
        int r = run_from_json(&run, document, err);

        if (r < 0)
                return r;
        l = find_lane(d, run->database);
        if (!l || !d->service->resume) {
                run->state = RUN_INTERRUPTED;
                r = save(d, run, err);
                run_unref(run);
                return r;
        }
        log_info("interrupted run queued again", LOG_S("RUN", run->id),
                 LOG_S("DATABASE", run->database));
        r = enqueue(l, run, err);
        if (r < 0)
                run_unref(run);
        return r;
}

/* At start: which databases may have something pending? Many files take a while, so others get their turns. */
static int look_main(void *userdata, Error *err)
{
        Dispatcher *d = userdata;
        int r = 0;

        for (size_t i = 0; !d->stopping && i < d->n_lanes; i++) {
                Lane *l = d->lanes[i];
                Run *run;

                if (l->fiber || !list_empty(&l->queue) || l->database->last)
                        continue;
                r = database_enter(l->database, err); /* a reload must not take it away */
                if (r < 0)
                        return r;
                if (database_needs_look(l->database) && !d->stopping)
                        r = submit_one(l, &(Submission){ .trigger = "start" }, &run, err);
                database_leave(l->database);
                if (r < 0)
                        log_error("cannot queue the run at start",
                                  LOG_S("DATABASE", l->database->name), LOG_ERR_FIELDS(err));
        }
        return r;
}

static void on_look_done(void *userdata, int r, const Error *err)
{
        Dispatcher *d = userdata;

        (void) r, (void) err;
        d->running--;
        pump(d);
        if (dispatcher_idle(d))
                condition_signal(&d->idle);
}

int dispatcher_start(Dispatcher *d, Error *err)
{
        json_t *documents = NULL, *document;
        size_t i;
        int r = store_unfinished_runs(d->store, &documents, err);

        json_array_foreach(documents, i, document)
        {
                Error failure;

                if (resume_one(d, document, &failure) < 0)
                        log_error("an interrupted run cannot be resumed", LOG_ERR_FIELDS(&failure));
        }
        json_decref(documents);
        pump(d);
        if (r < 0)
                return r;
        d->running++; /* it looks at files, and must not be alone when the dispatcher goes */
        r = fiber_spawn(NULL, d->event, "look", look_main, d, on_look_done, err);
        if (r < 0)
                d->running--;
        return r;
}

/* Databases keep what is known of them by name; one that is gone from the settings goes, once nothing is going in it. */
int dispatcher_reload(Dispatcher *d, const ServiceSettings *service,
                      const DatabaseSettings *databases, size_t n_databases, Error *err)
{
        Lane **lanes = calloc(n_databases + d->n_lanes + 1, sizeof(Lane *));
        size_t n = 0, n_new = 0;
        int r = 0;

        if (!lanes)
                return error_oom(err, "the databases");
        for (size_t i = 0; r >= 0 && i < n_databases; i++) {
                lanes[n] = find_lane(d, databases[i].name);
                if (!lanes[n]) {
                        r = lane_new(&lanes[n], d, &databases[i], err);
                        n_new++;
                }
                n += r >= 0;
        }
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        if (find_lane(d, lanes[i]->database->name) != lanes[i])
                                lane_free(lanes[i]);
                free(lanes);
                return r;
        }
        for (size_t i = 0; i < n_databases; i++) {
                lanes[i]->database->settings = &databases[i];
                availability_forget_refusal(&lanes[i]->database->availability);
        }
        for (size_t i = 0; i < d->n_lanes; i++) {
                bool kept = false;

                for (size_t k = 0; k < n; k++)
                        kept = kept || lanes[k] == d->lanes[i];
                if (!kept && (d->lanes[i]->fiber || d->lanes[i]->visitors))
                        lanes[n++] = d->lanes[i]; /* until the next reload */
                else if (!kept)
                        lane_free(d->lanes[i]);
        }
        free(d->lanes);
        d->lanes = lanes;
        d->n_lanes = n;
        d->service = service;
        pump(d);
        return 0;
}

void dispatcher_stop(Dispatcher *d)
{
        d->stopping = true;
        if (dispatcher_idle(d))
                condition_signal(&d->idle);
}

void dispatcher_cancel_running(Dispatcher *d)
{
        for (size_t i = 0; i < d->n_lanes; i++)
                if (d->lanes[i]->fiber) {
                        d->lanes[i]->run->stopped = d->stopping;
                        fiber_cancel(d->lanes[i]->fiber);
                }
}

bool dispatcher_settled(const Dispatcher *d)
{
        unsigned visitors = 0;

        for (size_t i = 0; i < d->n_lanes; i++)
                visitors += d->lanes[i]->visitors;
        return d->running == 0 && visitors == 0;
}

bool dispatcher_idle(const Dispatcher *d)
{
        return d->running == 0;
}

Condition *dispatcher_idle_condition(Dispatcher *d)
{
        return &d->idle;
}

EventLog *dispatcher_events(Dispatcher *d)
{
        return d->events;
}

/* ---- single runs ---- */

static Run *find_in(ListNode *head, const char *id)
{
        for (ListNode *n = head->next; n != head; n = n->next) {
                Run *run = list_entry(n, Run, node);

                if (strcmp(run->id, id) == 0)
                        return run;
        }
        return NULL;
}

Run *dispatcher_find_run(Dispatcher *d, const char *id)
{
        for (size_t i = 0; i < d->n_lanes; i++) {
                Run *run = d->lanes[i]->run;

                if (run && strcmp(run->id, id) == 0)
                        return run;
                run = find_in(&d->lanes[i]->queue, id);
                if (run)
                        return run;
        }
        return find_in(&d->finished, id);
}

int dispatcher_cancel(Dispatcher *d, const char *id, Error *err)
{
        Run *run = dispatcher_find_run(d, id);
        Error cancelled;

        if (!run) {
                json_t *document = NULL;
                int r = dispatcher_run_json(d, id, &document, err);

                json_decref(document);
                return r;
        }
        for (size_t i = 0; i < d->n_lanes; i++)
                if (d->lanes[i]->run == run) {
                        fiber_cancel(d->lanes[i]->fiber);
                        return 0;
                }
        if (run_finished(run))
                return 0;
        for (size_t i = 0; i < d->n_lanes; i++)
                if (find_in(&d->lanes[i]->queue, id))
                        d->lanes[i]->queued--;
        list_remove(&run->node);
        (void) error_set(&cancelled, ERROR_CANCELLED, "cancelled before it began");
        run_finish(run, &cancelled);
        run->on_change = NULL;
        remember_finished(d, run);
        return 0;
}
