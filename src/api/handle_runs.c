/* Runs: looking at them and cancelling them. */
#include <string.h>

#include "api/handlers.h"
#include "api/server_private.h"
#include "util/parse.h"

#define DEFAULT_LIMIT 50
#define MAX_LIMIT 1000

static const char *const states[] = { "queued",      "waking",    "locking",     "planning",
                                      "applying",    "succeeded", "failed",      "refused",
                                      "unavailable", "cancelled", "interrupted", NULL };

static int check_state(const char *state, Error *err)
{
        for (size_t i = 0; states[i]; i++)
                if (!strcmp(states[i], state))
                        return 0;
        error_set_to(err, ERROR_BAD_REQUEST, "query parameter \"state\": a run is never \"%.32s\"",
                     state);
        return error_hint(err, "known: queued, waking, locking, planning, applying, succeeded, "
                               "failed, refused, unavailable, "
                               "cancelled, interrupted");
}

static int read_limit(const char *text, unsigned *ret, Error *err)
{
        uint64_t limit = DEFAULT_LIMIT;

        if (text && (parse_uint(&limit, text, err) < 0 || limit < 1 || limit > MAX_LIMIT))
                return error_set(err, ERROR_BAD_REQUEST,
                                 "query parameter \"limit\" is not a number from 1 to %d",
                                 MAX_LIMIT);
        *ret = (unsigned) limit;
        return 0;
}

int handle_runs(Request *req, Response *res, Error *err)
{
        const char *state = request_parameter(req, "state");
        json_t *runs = NULL;
        unsigned limit;
        int r = read_limit(request_parameter(req, "limit"), &limit, err);

        if (r >= 0 && state)
                r = check_state(state, err);
        if (r >= 0)
                r = dispatcher_list_runs(req->server->dispatcher,
                                         request_parameter(req, "database"), state,
                                         request_parameter(req, "before"), limit, &runs, err);
        return r < 0 ? r : response_json(res, 200, json_pack("{s:o}", "runs", runs), err);
}

int handle_run(Request *req, Response *res, Error *err)
{
        json_t *run = NULL;
        int r = dispatcher_run_json(req->server->dispatcher, request_argument(req, 0), &run, err);

        return r < 0 ? r : response_json(res, 200, run, err);
}

/* 202 while a running statement is still being cancelled. */
int handle_cancel(Request *req, Response *res, Error *err)
{
        const char *id = request_argument(req, 0);
        json_t *document = NULL;
        Run *run;
        int r = dispatcher_cancel(req->server->dispatcher, id, err);

        if (r >= 0)
                r = dispatcher_run_json(req->server->dispatcher, id, &document, err);
        if (r < 0)
                return r;
        run = dispatcher_find_run(req->server->dispatcher, id);
        return response_json(res, run && !run_finished(run) ? 202 : 200, document, err);
}
