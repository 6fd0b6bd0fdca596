#pragma once
/* What the HTTP server counts of itself, and the two formats that GET /metrics speaks. */
#include <stdint.h>

#include "api/router.h"
#include "util/text.h"

#define METRICS_MAX_ROUTES 32
#define METRICS_MAX_STATUSES 24

typedef struct ApiMetrics {
        uint64_t requests[METRICS_MAX_ROUTES + 1]
                         [METRICS_MAX_STATUSES + 1]; /* last: no route; a status without a column */
        uint64_t connections, timeouts,
                dropped; /* ever accepted; closed by a deadline; gone while waiting */
} ApiMetrics;

/* route NULL: the request matched none. */
void metrics_count_request(ApiMetrics *m, const Route *route, unsigned status);
void metrics_write(const ApiMetrics *m, Text *out);
/* Prometheus text -> OpenMetrics: counters are declared without their _total, and the end is marked. */
void metrics_to_openmetrics(Text *out, const char *prometheus);
