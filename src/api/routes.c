#include "api/handlers.h"
#include "api/metrics.h"
#include "api/router.h"

#define JSON_BODY_MAX ((size_t) 64 << 10) /* 1 MiB of JSON can cost 80 MB and 100 ms to parse */

/* clang-format off */
const Route routes[] = {
        { .method = "GET", .pattern = "/", .handler = handle_page, .summary = "this page" },
        { .method = "GET", .pattern = "/healthz", .handler = handle_health, .summary = "whether the service is alive" },
        { .method = "GET", .pattern = "/readyz", .parameters = { "database" }, .handler = handle_ready,
          .summary = "whether the databases are known to be at their latest migration" },
        { .method = "GET", .pattern = "/status", .parameters = { "database", "probe" }, .waits = status_waits,
          .handler = handle_status, .summary = "the whole state; with probe=1 after asking the databases" },
        { .method = "GET", .pattern = "/metrics", .handler = handle_metrics, .summary = "Prometheus or OpenMetrics" },
        { .method = "GET", .pattern = "/events", .parameters = { "last_event_id" }, .handler = handle_events,
          .summary = "what happens, as Server-Sent Events" },
        { .method = "GET", .pattern = "/runs", .parameters = { "database", "state", "limit", "before" },
          .handler = handle_runs, .summary = "runs, newest first" },
        { .method = "GET", .pattern = "/runs/{id}", .handler = handle_run, .summary = "one run" },
        { .method = "DELETE", .pattern = "/runs/{id}", .handler = handle_cancel, .summary = "cancels a run" },
        { .method = "GET", .pattern = "/runs/{id}/events", .parameters = { "last_event_id" },
          .handler = handle_run_events, .summary = "one run's events until it has finished" },
        { .method = "POST", .pattern = "/migrate", .parameters = { "wait" }, .max_body = JSON_BODY_MAX,
          .waits = migrate_waits, .handler = handle_migrate, .summary = "migrates one database or all" },
        { .method = "GET", .pattern = "/databases/{name}/plan", .parameters = { "target" }, .waits = database_waits,
          .handler = handle_plan, .summary = "what a migrate would do now" },
        { .method = "GET", .pattern = "/databases/{name}/history", .waits = database_waits,
          .handler = handle_history, .summary = "what has been applied" },
        { .method = "GET", .pattern = "/databases/{name}/drift", .waits = database_waits, .handler = handle_drift,
          .summary = "what was changed outside of migrations since the last run" },
        { .method = "POST", .pattern = "/databases/{name}/drift", .max_body = 1024, .waits = database_waits, .handler = handle_drift_save,
          .summary = "the same, and accepts it" },
};
/* clang-format on */
const size_t n_routes = sizeof routes / sizeof routes[0];
_Static_assert(sizeof routes / sizeof routes[0] <= METRICS_MAX_ROUTES,
               "a row of counters for each route");
