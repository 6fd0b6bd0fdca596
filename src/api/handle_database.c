/* What is asked of a database itself: always in a fiber, since it may have to wake up first. */
#include "api/handlers.h"
#include "api/server_private.h"

#define ASK_TIMEOUT (10 * 60 * USEC_PER_SEC)

bool database_waits(const Request *req)
{
        (void) req;
        return true;
}

int handle_plan(Request *req, Response *res, Error *err)
{
        _cleanup_(fiber_deadline_pop) FiberDeadline d =
                fiber_deadline_push(clock_after(ASK_TIMEOUT));
        const char *target = request_parameter(req, "target");
        json_t *plan = NULL;
        int r = dispatcher_plan_json(req->server->dispatcher, request_argument(req, 0), target,
                                     &plan, err);

        /* The service's own configuration was checked when it was read. */
        if (r == -(int) ERROR_CONFIG && target)
                err->code = ERROR_BAD_REQUEST;
        return r < 0 ? -(int) err->code : response_json(res, 200, plan, err);
}

int handle_history(Request *req, Response *res, Error *err)
{
        _cleanup_(fiber_deadline_pop) FiberDeadline d =
                fiber_deadline_push(clock_after(ASK_TIMEOUT));
        json_t *history = NULL;
        int r = dispatcher_history_json(req->server->dispatcher, request_argument(req, 0), &history,
                                        err);

        return r < 0 ? r : response_json(res, 200, history, err);
}

static int answer_drift(Request *req, Response *res, bool save, Error *err)
{
        _cleanup_(fiber_deadline_pop) FiberDeadline d =
                fiber_deadline_push(clock_after(ASK_TIMEOUT));
        json_t *drift = NULL;
        int r = dispatcher_drift_json(req->server->dispatcher, request_argument(req, 0), save,
                                      &drift, err);

        return r < 0 ? r : response_json(res, 200, drift, err);
}

int handle_drift(Request *req, Response *res, Error *err)
{
        return answer_drift(req, res, false, err);
}

int handle_drift_save(Request *req, Response *res, Error *err)
{
        if (req->json && (!json_is_object(req->json) || json_object_size(req->json) > 0))
                return error_set(err, ERROR_BAD_REQUEST, "nothing may be in the body but {}");
        return answer_drift(req, res, true, err);
}
