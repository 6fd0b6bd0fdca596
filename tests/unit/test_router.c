#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/metrics.h"
#include "api/router.h"

static const struct {
        const char *method, *target, *pattern; /* pattern NULL: none */
        int code;
        const char *argument, *allow;
} cases[] = {
        /* clang-format off */
        { "GET",     "/",                           "/",                      0,                 NULL,     "GET, HEAD" },
        { "HEAD",    "/status",                     "/status",                0,                 NULL,     "GET, HEAD" },
        { "GET",     "/runs",                       "/runs",                  0,                 NULL,     "GET, HEAD" },
        { "GET",     "/runs/",                      NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "GET",     "/runs/01J",                   "/runs/{id}",             0,                 "01J",    "GET, HEAD" },
        { "DELETE",  "/runs/01J",                   "/runs/{id}",             0,                 "01J",    "GET, HEAD, DELETE" },
        { "POST",    "/runs/01J",                   NULL,                     ERROR_NOT_ALLOWED, NULL,     "GET, HEAD, DELETE, OPTIONS" },
        { "GET",     "/runs/01J/events?",           "/runs/{id}/events",      0,                 "01J",    "GET, HEAD" },
        { "GET",     "/runs/01J/events/x",          NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "GET",     "/databases/a%2Fb/plan",       "/databases/{name}/plan", 0,                 "a/b",    "GET, HEAD" },
        { "GET",     "/databases//plan",            NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "GET",     "/databases/%c3%bc/history",   "/databases/{name}/history", 0,              "\xc3\xbc", "GET, HEAD" },
        { "POST",    "/migrate",                    "/migrate",               0,                 NULL,     "POST" },
        { "GET",     "/migrate",                    NULL,                     ERROR_NOT_ALLOWED, NULL,     "POST, OPTIONS" },
        { "OPTIONS", "/migrate",                    NULL,                     0,                 NULL,     "POST, OPTIONS" },
        { "OPTIONS", "/nope",                       NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "get",     "/status",                     NULL,                     ERROR_NOT_ALLOWED, NULL,     "GET, HEAD, OPTIONS" },
        { "GET",     "/Status",                     NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "GET",     "/statu",                      NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        { "GET",     "//status",                    NULL,                     ERROR_NOT_FOUND,   NULL,     "" },
        /* clang-format on */
};

static void test_find(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                RequestTarget target;
                RouteMatch match;
                Error err;

                assert_int_equal(request_target_parse(&target, cases[i].target, &err), 0);
                assert_int_equal(
                        router_find(&match, routes, n_routes, cases[i].method, &target, &err),
                        -cases[i].code);
                assert_string_equal(match.allow, cases[i].allow);
                if (cases[i].pattern)
                        assert_string_equal(match.route->pattern, cases[i].pattern);
                else
                        assert_null(match.route);
                if (cases[i].argument)
                        assert_string_equal(match.arguments[0], cases[i].argument);
                request_target_done(&target);
        }
}

static void test_table_is_sound(void **state)
{
        (void) state;
        for (size_t i = 0; i < n_routes; i++) {
                assert_true(routes[i].pattern[0] == '/');
                assert_non_null(routes[i].handler);
                assert_true(routes[i].summary[0]);
                assert_null(routes[i].parameters[ROUTE_MAX_PARAMETERS]);
                assert_true(!routes[i].max_body == (strcmp(routes[i].method, "POST") != 0));
                for (size_t k = 0; k < i; k++)
                        assert_true(strcmp(routes[k].method, routes[i].method) ||
                                    strcmp(routes[k].pattern, routes[i].pattern));
        }
}

static void test_counters(void **state)
{
        _cleanup_text_ Text text = TEXT_INIT(65536), open = TEXT_INIT(65536);
        static ApiMetrics m;

        (void) state;
        m = (ApiMetrics){ .connections = 3 };
        metrics_count_request(&m, &routes[1], 200);
        metrics_count_request(&m, &routes[1], 200);
        metrics_count_request(&m, NULL, 404);
        metrics_count_request(&m, NULL, 599);
        metrics_write(&m, &text);
        assert_non_null(strstr(text_str(&text), "\npgmigrated_http_requests_total{method=\"GET\","
                                                "route=\"/healthz\",status=\"200\"} 2\n"));
        assert_non_null(strstr(text_str(&text), "{method=\"\",route=\"\",status=\"404\"} 1\n"));
        assert_non_null(strstr(text_str(&text), "{method=\"\",route=\"\",status=\"other\"} 1\n"));
        metrics_to_openmetrics(&open, text_str(&text));
        assert_non_null(strstr(text_str(&open), "# TYPE pgmigrated_http_accepted "
                                                "counter\npgmigrated_http_accepted_total 3\n"));
        assert_null(strstr(text_str(&open), "_total counter"));
        assert_string_equal(text_str(&open) + open.len - 6, "# EOF\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_table_is_sound),
                cmocka_unit_test(test_counters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
