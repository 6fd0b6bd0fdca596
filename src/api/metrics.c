#include "api/metrics.h"

#include <inttypes.h>
#include <string.h>

static const unsigned statuses[] = {
        200, 202, 204, 400, 403, 404, 405, 409, 413, 415, 421, 500, 503
};
#define N_STATUSES (sizeof statuses / sizeof statuses[0])
_Static_assert(N_STATUSES <= METRICS_MAX_STATUSES, "a column for each status");

void metrics_count_request(ApiMetrics *m, const Route *route, unsigned status)
{
        size_t row = route ? (size_t) (route - routes) : METRICS_MAX_ROUTES, column = 0;

        while (column < N_STATUSES && statuses[column] != status)
                column++;
        m->requests[row < METRICS_MAX_ROUTES ? row : METRICS_MAX_ROUTES][column]++;
}

static void write_cell(Text *out, const Route *route, size_t column, uint64_t n)
{
        text_printf(out, "pgmigrated_http_requests_total{method=\"%s\",route=\"%s\",status=\"",
                    route ? route->method : "", route ? route->pattern : "");
        if (column < N_STATUSES)
                text_printf(out, "%u", statuses[column]);
        else
                text_add(out, "other");
        text_printf(out, "\"} %" PRIu64 "\n", n);
}

static void write_counter(Text *out, const char *name, const char *help, uint64_t n)
{
        text_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name,
                    name, n);
}

void metrics_write(const ApiMetrics *m, Text *out)
{
        text_add(out, "# HELP pgmigrated_http_requests_total Requests answered.\n"
                      "# TYPE pgmigrated_http_requests_total counter\n");
        for (size_t row = 0; row <= METRICS_MAX_ROUTES; row++)
                for (size_t column = 0; column <= N_STATUSES; column++)
                        if (m->requests[row][column])
                                write_cell(out, row < n_routes ? &routes[row] : NULL, column,
                                           m->requests[row][column]);
        write_counter(out, "pgmigrated_http_accepted_total", "Connections accepted.",
                      m->connections);
        write_counter(out, "pgmigrated_http_timeouts_total",
                      "Connections closed because the client took too long.", m->timeouts);
        write_counter(out, "pgmigrated_http_dropped_total",
                      "Clients that went away while they were waiting.", m->dropped);
}

static const char total[] = "_total";

/* "# TYPE name_total counter": how much of the line's name is kept. */
static void add_declaration(Text *out, const char *line, size_t len)
{
        const char *name = line + strlen("# TYPE ");
        size_t name_len = strcspn(name, " \n"), cut = 0;

        if (name_len > strlen(total) &&
            !memcmp(name + name_len - strlen(total), total, strlen(total)))
                cut = strlen(total);
        text_append(out, line, (size_t) (name - line) + name_len - cut);
        text_append(out, name + name_len, len - (size_t) (name - line) - name_len);
}

void metrics_to_openmetrics(Text *out, const char *prometheus)
{
        for (const char *line = prometheus; *line;) {
                size_t len = strcspn(line, "\n");

                len += line[len] == '\n';
                if (!strncmp(line, "# TYPE ", 7) || !strncmp(line, "# HELP ", 7))
                        add_declaration(out, line, len);
                else
                        text_append(out, line, len);
                line += len;
        }
        text_add(out, "# EOF\n");
}
