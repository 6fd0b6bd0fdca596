/* Event streams. */
#include "api/event_stream.h"
#include "api/handlers.h"
#include "api/server_private.h"

static int stream(Request *req, Response *res, const char *run, Error *err)
{
        int r = event_stream_new(&res->stream, req, run, err);

        if (r < 0)
                return r;
        res->status = 200;
        res->content_type = "text/event-stream";
        response_header(res, "X-Accel-Buffering", "no");
        return 0;
}

int handle_events(Request *req, Response *res, Error *err)
{
        return stream(req, res, "", err);
}

int handle_run_events(Request *req, Response *res, Error *err)
{
        const char *id = request_argument(req, 0);
        json_t *run = NULL;
        int r;

        if (!dispatcher_find_run(req->server->dispatcher, id)) {
                r = dispatcher_run_json(req->server->dispatcher, id, &run, err);
                json_decref(run);
                if (r < 0)
                        return r;
        }
        return stream(req, res, id, err);
}
