/* What the dispatcher answers: from memory, from the store, or by asking a database. */
#include "engine/dispatcher_private.h"

int dispatcher_run_json(Dispatcher *d, const char *id, json_t **ret, Error *err)
{
        Run *run = dispatcher_find_run(d, id);
        int r;

        if (run) {
                *ret = run_json(run);
                return 0;
        }
        r = store_load_run(d->store, id, ret, err);
        if (r == 0)
                return error_set(err, ERROR_NOT_FOUND, "no run is called \"%s\"", id);
        return r < 0 ? r : 0;
}

int dispatcher_list_runs(Dispatcher *d, const char *database, const char *state, const char *before,
                         unsigned limit, json_t **ret, Error *err)
{
        return store_list_runs(d->store, database, state, before, limit, ret, err);
}

int dispatcher_status_json(Dispatcher *d, const char *database, json_t **ret, Error *err)
{
        json_t *databases;
        Lane *only = NULL;

        if (database && dispatcher_need_lane(&only, d, database, err) < 0)
                return -(int) err->code;
        databases = json_array();
        for (size_t i = 0; i < d->n_lanes; i++)
                if (!only || d->lanes[i] == only)
                        (void) json_array_append_new(databases,
                                                     database_status_json(d->lanes[i]->database));
        *ret = databases;
        return 0;
}

int dispatcher_ready(Dispatcher *d, const char *database, json_t **reasons, Error *err)
{
        Lane *only = NULL;

        if (database && dispatcher_need_lane(&only, d, database, err) < 0)
                return -(int) err->code;
        *reasons = json_array();
        for (size_t i = 0; i < d->n_lanes; i++) {
                _cleanup_free_ char *reason = NULL;

                if (only && d->lanes[i] != only)
                        continue;
                reason = database_unready_reason(d->lanes[i]->database);
                if (reason)
                        (void) json_array_append_new(*reasons, json_string(reason));
        }
        return json_array_size(*reasons) == 0;
}

void dispatcher_metrics(Dispatcher *d, Text *out)
{
        for (unsigned m = 0; m < database_metric_count(); m++) {
                database_metric_head(m, out);
                for (size_t i = 0; i < d->n_lanes; i++)
                        database_metric(d->lanes[i]->database, m, out);
        }
}

/* ---- conversations of their own ---- */

static int inquire(Dispatcher *d, const char *database, const Operation *op, json_t **ret,
                   Error *err)
{
        _cleanup_(run_unrefp) Run *run = NULL;
        Lane *l;
        int r = dispatcher_need_lane(&l, d, database, err);

        if (r >= 0)
                r = run_new(&run, database, op, err);
        if (r < 0)
                return r;
        l->visitors++;
        database_execute(l->database, run);
        l->visitors--;
        if (run->error.code != ERROR_NONE) {
                *err = run->error;
                return -(int) err->code;
        }
        if (ret)
                *ret = json_incref(run->result);
        return 0;
}

int dispatcher_probe(Dispatcher *d, const char *database, Error *err)
{
        const Operation op = { .kind = OPERATION_STATUS, .trigger = "probe" };
        int r = 0;

        if (database)
                return inquire(d, database, &op, NULL, err);
        for (size_t i = 0; i < d->n_lanes; i++) {
                Error failure;
                int k = inquire(d, d->lanes[i]->database->name, &op, NULL, &failure);

                if (k < 0 && r >= 0) {
                        *err = failure;
                        r = k;
                }
        }
        return r;
}

int dispatcher_plan_json(Dispatcher *d, const char *database, const char *target, json_t **ret,
                         Error *err)
{
        return inquire(d, database,
                       &(Operation){ .kind = OPERATION_PLAN, .target = target, .trigger = "api" },
                       ret, err);
}

int dispatcher_history_json(Dispatcher *d, const char *database, json_t **ret, Error *err)
{
        return inquire(d, database, &(Operation){ .kind = OPERATION_HISTORY, .trigger = "api" },
                       ret, err);
}

int dispatcher_drift_json(Dispatcher *d, const char *database, bool save, json_t **ret, Error *err)
{
        return inquire(d, database,
                       &(Operation){ .kind = OPERATION_DRIFT, .save = save, .trigger = "api" }, ret,
                       err);
}
