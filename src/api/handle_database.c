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
        json_t *plan = NULL;
        int r = dispatcher_plan_json(req->server->dispatcher, request_argument(req, 0),
                                     request_parameter(req, "target"), &plan, err);

        return r < 0 ? r : response_json(res, 200, plan, err);
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
