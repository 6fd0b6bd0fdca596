/* How the service and its databases stand, from memory unless a probe is asked for. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/server_private.h"
#include "util/parse.h"

#define PROBE_TIMEOUT (10 * 60 * USEC_PER_SEC)
#define METRICS_MAX ((size_t) 8 << 20)

int handle_health(Request *req, Response *res, Error *err)
{
        (void) req;
        return response_text(res, 200, "text/plain; charset=utf-8", strdup("ok\n"), err);
}

int handle_ready(Request *req, Response *res, Error *err)
{
        json_t *reasons = NULL;
        Error problem;
        int r = dispatcher_ready(req->server->dispatcher, request_parameter(req, "database"),
                                 &reasons, err);

        if (r != 0) {
                json_decref(reasons);
                return r < 0 ? r : response_json(res, 200, json_pack("{s:b}", "ready", 1), err);
        }
        error_set_to(&problem, ERROR_UNAVAILABLE,
                     "not every database is known to be at its latest migration");
        response_problem(res, &problem, NULL, reasons);
        json_decref(reasons);
        return 0;
}

static json_t *service_json(const ApiServer *s)
{
        static const char *const states[] = { "running", "reloading", "stopping" };
        char started[CLOCK_TEXT_MAX];

        return json_pack("{s:s,s:s,s:s,s:I,s:s}", "name", "pgmigrated", "version", PACKAGE_VERSION,
                         "started_at", clock_format(s->started_wall, started), "uptime_ms",
                         (json_int_t) ((clock_monotonic() - s->started) / USEC_PER_MSEC), "state",
                         states[s->state]);
}

int status_json(const Request *req, const char *database, json_t **ret, Error *err)
{
        json_t *databases = NULL;
        int r = dispatcher_status_json(req->server->dispatcher, database, &databases, err);

        if (r < 0)
                return r;
        *ret = json_pack("{s:o,s:o}", "service", service_json(req->server), "databases", databases);
        return *ret ? 0 : error_oom(err, "the status");
}

static int wants_probe(const Request *req, bool *ret, Error *err)
{
        const char *probe = request_parameter(req, "probe");

        *ret = false;
        if (probe && parse_bool(ret, probe, err) < 0)
                return error_prefix(err, "query parameter \"probe\"");
        return 0;
}

bool status_waits(const Request *req)
{
        Error ignored;
        bool probe;

        return wants_probe(req, &probe, &ignored) >= 0 && probe;
}

int handle_status(Request *req, Response *res, Error *err)
{
        const char *database = request_parameter(req, "database");
        json_t *status = NULL;
        bool probe;
        int r = wants_probe(req, &probe, err);

        if (r < 0) {
                res->status = 400;
                return r;
        }
        if (probe) {
                _cleanup_(fiber_deadline_pop) FiberDeadline d =
                        fiber_deadline_push(clock_after(PROBE_TIMEOUT));

                r = dispatcher_probe(req->server->dispatcher, database, err);
                /* That a database does not answer is part of the status, and no failure of asking for it. */
                if (r < 0 && (err->code == ERROR_NOT_FOUND || err->code == ERROR_CANCELLED ||
                              err->code == ERROR_OOM))
                        return r;
        }
        r = status_json(req, database, &status, err);
        return r < 0 ? r : response_json(res, 200, status, err);
}

int handle_metrics(Request *req, Response *res, Error *err)
{
        static const char openmetrics[] = "application/openmetrics-text";
        _cleanup_text_ Text text = TEXT_INIT(METRICS_MAX), converted = TEXT_INIT(METRICS_MAX);
        const char *accept = req->head.accept.value;

        dispatcher_metrics(req->server->dispatcher, &text);
        api_server_metrics(req->server, &text);
        if (text.bad)
                return error_oom(err, "the metrics");
        if (!accept || !strstr(accept, openmetrics))
                return response_text(res, 200, "text/plain; version=0.0.4; charset=utf-8",
                                     text_take(&text), err);
        metrics_to_openmetrics(&converted, text_str(&text));
        return response_text(res, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                             text_take(&converted), err);
}
