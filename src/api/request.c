#include "api/request.h"

#include <stdlib.h>
#include <string.h>

#include "api/event_stream.h"
#include "api/migrate_request.h"
#include "api/server_private.h"
#include "util/log.h"

/* A body that is refused only at its end (chunked) is read up to here; then the connection is cut. */
#define DISCARD_MAX ((uint64_t) 1 << 20)
#define STREAM_BLOCK 4096

Request *request_new(ApiServer *s, Connection *c, const char *raw)
{
        Request *req = calloc(1, sizeof *req);

        if (!req)
                return NULL;
        *req = (Request){
                .refs = 1, .server = s, .connection = c, .raw = strdup(raw), .body = TEXT_INIT(0)
        };
        if (!req->raw) {
                free(req);
                return NULL;
        }
        return req;
}

static void request_unref(Request *req)
{
        if (--req->refs)
                return;
        request_target_done(&req->target);
        response_done(&req->response);
        text_done(&req->body);
        json_decref(req->json);
        free(req->raw);
        free(req);
}

void request_detach(Request *req)
{
        req->connection = NULL;
        if (req->fiber)
                fiber_cancel(req->fiber);
        request_unref(req);
}

bool request_is_complete(const Request *req)
{
        return req->complete;
}

bool request_is_waiting(const Request *req)
{
        return req->fiber || (req->sent && req->response.stream);
}

void request_abandon(Request *req)
{
        if (req->fiber) {
                fiber_cancel(req->fiber);
                return;
        }
        /* The content reader cannot fail cleanly (the connection would linger): let its next send() fail. */
        connection_shutdown(req->connection);
        connection_resume(req->connection);
}

void request_end_wait(Request *req)
{
        if (req->fiber)
                fiber_cancel(req->fiber);
        else
                connection_resume(req->connection);
}

const char *request_parameter(const Request *req, const char *name)
{
        return request_target_get(&req->target, name);
}

const char *request_argument(const Request *req, size_t i)
{
        return req->match.arguments[i];
}

/* ---- reading ---- */

static enum MHD_Result on_header(void *userdata, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
        (void) kind;
        request_head_add(userdata, name, value);
        return MHD_YES;
}

static void fail(Request *req, const Error *err)
{
        response_problem(&req->response, err, NULL, NULL);
        if (req->match.allow[0] && err->code == ERROR_NOT_ALLOWED)
                response_header(&req->response, "Allow", "%s", req->match.allow);
        req->settled = true;
}

static uint64_t body_limit(const Request *req)
{
        uint64_t limit = req->match.route ? req->match.route->max_body : 0;

        return limit < req->server->settings->http_max_body ? limit
                                                            : req->server->settings->http_max_body;
}

static int refuse_size(const Request *req, Error *err)
{
        if (!body_limit(req))
                return error_set(err, ERROR_TOO_LARGE, "no body is expected here");
        return error_set(err, ERROR_TOO_LARGE, "the body is larger than %llu bytes",
                         (unsigned long long) body_limit(req));
}

static int find_route(Request *req, Error *err)
{
        int r = request_target_parse(&req->target, req->raw, err);

        if (r >= 0)
                r = router_find(&req->match, routes, n_routes, req->head.method, &req->target, err);
        if (r >= 0 && req->match.route)
                r = request_target_allow(&req->target, req->match.route->parameters, err);
        return r;
}

/* The headers are there. Settles the request already if they will not do. */
static void begin(Request *req, const char *method)
{
        Error err;
        uint64_t size;
        int r;

        req->begun = true;
        req->head.method = method;
        req->head.over_unix = req->connection->over_unix;
        (void) MHD_get_connection_values(req->connection->mhd, MHD_HEADER_KIND, on_header,
                                         &req->head);
        r = request_head_check_framing(&req->head, &err);
        if (r < 0) {
                req->response.close = true;
                fail(req, &err);
                return;
        }
        size = request_head_body_size(&req->head);
        r = request_head_check_origin(&req->head, req->server->host, &req->response.status, &err);
        if (r >= 0)
                r = find_route(req, &err);
        req->body.ceiling = body_limit(req);
        if (r >= 0 && size != UINT64_MAX && size > req->body.ceiling)
                r = refuse_size(req, &err);
        if (r < 0)
                fail(req, &err);
        /* Not worth reading: answer now, and close. */
        if (r < 0 && size != UINT64_MAX && size > req->body.ceiling)
                req->response.close = true;
        if (size)
                connection_enter(req->connection, PHASE_BODY);
        else
                connection_leave_phase(req->connection);
}

static enum MHD_Result take_body(Request *req, const char *upload, size_t *upload_size)
{
        if (!req->settled)
                text_append(&req->body, upload, *upload_size);
        if (req->settled || req->body.bad)
                req->discarded += *upload_size;
        *upload_size = 0;
        return req->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

static int check_body(Request *req, Error *err)
{
        int r;

        if (req->body.bad)
                return refuse_size(req, err);
        r = request_head_check_content(&req->head, req->body.len > 0, &req->response.status, err);
        if (r < 0 || !req->body.len)
                return r;
        return request_json_parse(&req->json, req->body.s, req->body.len, err);
}

/* ---- running ---- */

static void settle(Request *req, int r, const Error *err)
{
        if (r < 0)
                fail(req, err);
        req->settled = true;
}

static int run_in_fiber(void *userdata, Error *err)
{
        Request *req = userdata;

        return req->match.route->handler(req, &req->response, err);
}

static void fiber_is_done(void *userdata, int r, const Error *err)
{
        Request *req = userdata;

        req->fiber = NULL;
        server_wait_end(req->server);
        settle(req, r, err);
        if (req->connection)
                connection_resume(req->connection);
        request_unref(req);
}

static int start_fiber(Request *req, Error *err)
{
        int r = server_wait_begin(req->server, err);

        if (r < 0)
                return r;
        r = fiber_spawn(&req->fiber, req->server->event, "http request", run_in_fiber, req,
                        fiber_is_done, err);
        if (r < 0) {
                server_wait_end(req->server);
                return r;
        }
        req->refs++;
        connection_suspend(req->connection);
        return 0;
}

static void run(Request *req)
{
        const Route *route = req->match.route;
        Error err;
        int r = check_body(req, &err);

        if (r >= 0 && !route) {
                req->response.status = 204;
                response_header(&req->response, "Allow", "%s", req->match.allow);
        } else if (r >= 0 && route->waits && route->waits(req)) {
                r = start_fiber(req, &err);
                if (r >= 0)
                        return;
        } else if (r >= 0) {
                r = route->handler(req, &req->response, &err);
        }
        settle(req, r, &err);
}

/* ---- answering ---- */

static const struct {
        const char *name, *value;
} fixed_headers[] = {
        { "Cache-Control", "no-store" },
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Security-Policy",
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
};

static void add_headers(struct MHD_Response *m, const Response *res, bool close)
{
        for (size_t i = 0; i < sizeof fixed_headers / sizeof fixed_headers[0]; i++)
                (void) MHD_add_response_header(m, fixed_headers[i].name, fixed_headers[i].value);
        for (size_t i = 0; i < res->n_headers; i++)
                (void) MHD_add_response_header(m, res->headers[i].name, res->headers[i].value);
        if (res->content_type)
                (void) MHD_add_response_header(m, "Content-Type", res->content_type);
        if (close)
                (void) MHD_add_response_header(m, "Connection", "close");
}

static struct MHD_Response *make_answer(Request *req)
{
        Response *res = &req->response;
        struct MHD_Response *m;

        if (res->stream && strcmp(req->head.method, "HEAD"))
                return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                                         event_stream_read, res->stream, NULL);
        m = MHD_create_response_from_buffer(res->size, res->body ? res->body : (void *) &req->sent,
                                            res->body ? MHD_RESPMEM_MUST_FREE
                                                      : MHD_RESPMEM_PERSISTENT);
        if (m)
                res->body = NULL; /* libmicrohttpd frees it */
        return m;
}

static enum MHD_Result answer(Request *req)
{
        Response *res = &req->response;
        struct MHD_Response *m = make_answer(req);
        enum MHD_Result queued;

        if (!m)
                return MHD_NO;
        add_headers(m, res, res->close || req->server->stopping);
        req->sent = true;
        if (res->stream)
                connection_leave_phase(req->connection);
        else
                connection_enter(req->connection, PHASE_SEND);
        metrics_count_request(&req->server->metrics, req->match.route, res->status);
        log_debug("HTTP request",
                  LOG_S("METHOD", req->match.route ? req->match.route->method : NULL),
                  LOG_S("ROUTE", req->match.route ? req->match.route->pattern : NULL),
                  LOG_N("STATUS", res->status));
        queued = MHD_queue_response(req->connection->mhd, res->status, m);
        MHD_destroy_response(m);
        return queued;
}

enum MHD_Result request_receive(Request *req, const char *method, const char *upload,
                                size_t *upload_size)
{
        if (req->server->dying || req->connection->gone)
                return MHD_NO;
        if (!req->begun) {
                begin(req, method);
                return req->settled && req->response.close ? answer(req) : MHD_YES;
        }
        if (*upload_size)
                return take_body(req, upload, upload_size);
        if (!req->complete) {
                req->complete = true;
                connection_leave_phase(req->connection);
                if (!req->settled)
                        run(req);
        }
        return req->settled && !req->sent ? answer(req) : MHD_YES;
}
