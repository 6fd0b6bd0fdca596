#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/migrate_request.h"
#include "api/request_head.h"
#include "api/request_target.h"
#include "util/clock.h"

/* ---- the target ---- */

static const struct {
        const char *raw;
        int code;
        const char *text; /* part of the error; or the value of parameter "a" */
} targets[] = {
        /* clang-format off */
        { "/x?a=1",              0,                 "1" },
        { "/x?a=",               0,                 "" },
        { "/x?a",                0,                 "" },
        { "/x?b=2&a=c%20d+e&",   0,                 "c d e" },
        { "/x?%61=q",            0,                 "q" },
        { "/x?a=%c3%bc",         0,                 "\xc3\xbc" },
        { "/x?a=1&a=1",          ERROR_BAD_REQUEST, "\"a\" is given twice" },
        { "/x?a=1&%61=2",        ERROR_BAD_REQUEST, "\"a\" is given twice" },
        { "/x?a=%00",            ERROR_BAD_REQUEST, "control character" },
        { "/x%00y",              ERROR_BAD_REQUEST, "control character" },
        { "/x%0ay",              ERROR_BAD_REQUEST, "control character" },
        { "/x%",                 ERROR_BAD_REQUEST, "hexadecimal" },
        { "/x%4",                ERROR_BAD_REQUEST, "hexadecimal" },
        { "/x?a=%zz",            ERROR_BAD_REQUEST, "hexadecimal" },
        { "/%ff",                ERROR_BAD_REQUEST, "UTF-8" },
        { "/%c0%80",             ERROR_BAD_REQUEST, "UTF-8" },
        { "/x?a=%ed%a0%80",      ERROR_BAD_REQUEST, "UTF-8" },
        { "x",                   ERROR_BAD_REQUEST, "begin with" },
        { "*",                   ERROR_BAD_REQUEST, "begin with" },
        { "",                    ERROR_BAD_REQUEST, "begin with" },
        { "/1/2/3/4/5/6/7/8/9",  ERROR_NOT_FOUND,   "deep" },
        { "/?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17", ERROR_BAD_REQUEST, "more than 16" },
        /* clang-format on */
};

static void test_target(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
                RequestTarget t = { 0 };
                Error err;

                assert_int_equal(request_target_parse(&t, targets[i].raw, &err), -targets[i].code);
                if (targets[i].code)
                        assert_non_null(strstr(err.text, targets[i].text));
                else
                        assert_string_equal(request_target_get(&t, "a"), targets[i].text);
                request_target_done(&t);
        }
}

static void test_unknown_parameter_is_named(void **state)
{
        const char *const allowed[] = { "limit", "before", NULL }, *const none[] = { NULL };
        RequestTarget t = { 0 };
        Error err;

        (void) state;
        assert_int_equal(request_target_parse(&t, "/runs?limit=1&befor=2", &err), 0);
        assert_int_equal(request_target_allow(&t, allowed, &err), -ERROR_BAD_REQUEST);
        assert_non_null(strstr(err.text, "\"befor\""));
        assert_string_equal(err.hint, "known here: limit, before");
        assert_int_equal(request_target_allow(&t, none, &err), -ERROR_BAD_REQUEST);
        request_target_done(&t);
}

/* ---- the head ---- */

static RequestHead head_of(const char *method, const char *const *headers)
{
        RequestHead h = { .method = method };

        for (; headers[0]; headers += 2)
                request_head_add(&h, headers[0], headers[1]);
        return h;
}

#define MAX_HEADERS 7
static const struct {
        const char *headers[MAX_HEADERS];
        int code;
        uint64_t size;
} framings[] = {
        /* clang-format off */
        { { NULL }, 0, 0 },
        { { "content-length", "12" }, 0, 12 },
        { { "Transfer-Encoding", "Chunked" }, 0, UINT64_MAX },
        { { "Content-Length", "12", "Content-Length", "12" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "12", "CONTENT-LENGTH", "13" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "12", "Transfer-Encoding", "chunked" }, ERROR_BAD_REQUEST, 0 },
        { { "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked" }, ERROR_BAD_REQUEST, 0 },
        { { "Transfer-Encoding", "gzip, chunked" }, ERROR_BAD_REQUEST, 0 },
        { { "Transfer-Encoding", "" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "+1" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "1,1" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "" }, ERROR_BAD_REQUEST, 0 },
        { { "Content-Length", "18446744073709551616" }, ERROR_BAD_REQUEST, 0 },
        { { "Host", "a", "Host", "b" }, ERROR_BAD_REQUEST, 0 },
        { { "Idempotency-Key", "a", "Idempotency-Key", "b" }, ERROR_BAD_REQUEST, 0 },
        { { "Accept", "a", "Accept", "b" }, 0, 0 },
        { { "Content-Length ", "12" }, ERROR_BAD_REQUEST, 0 },
        { { "X\tY", "12" }, ERROR_BAD_REQUEST, 0 },
        { { "", "12" }, ERROR_BAD_REQUEST, 0 },
        /* clang-format on */
};

static void test_framing(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
                RequestHead h = head_of("POST", framings[i].headers);
                Error err;

                assert_int_equal(request_head_check_framing(&h, &err), -framings[i].code);
                if (!framings[i].code)
                        assert_int_equal(request_head_body_size(&h), framings[i].size);
        }
}

static const struct {
        const char *method, *headers[MAX_HEADERS];
        bool over_unix;
        unsigned status; /* 0: fine */
} origins[] = {
        /* clang-format off */
        { "GET",  { "Host", "localhost:8080" }, false, 0 },
        { "GET",  { "Host", "LOCALHOST" }, false, 0 },
        { "GET",  { "Host", "127.0.0.1:80" }, false, 0 },
        { "GET",  { "Host", "127.9.8.7" }, false, 0 },
        { "GET",  { "Host", "[::1]:80" }, false, 0 },
        { "GET",  { "Host", "box.internal:80" }, false, 0 },
        { "GET",  { NULL }, false, 0 },
        { "GET",  { "Host", "evil.example" }, false, 421 },
        { "GET",  { "Host", "localhost.evil.example" }, false, 421 },
        { "GET",  { "Host", "127.0.0.1.evil.example" }, false, 421 },
        { "GET",  { "Host", "10.0.0.1" }, false, 421 },
        { "GET",  { "Host", "[::2]" }, false, 421 },
        { "GET",  { "Host", "[::1" }, false, 421 },
        { "GET",  { "Host", "localhost:80@evil" }, false, 421 },
        { "GET",  { "Host", "" }, false, 421 },
        { "GET",  { "Host", "evil.example" }, true, 0 },
        { "POST", { "Host", "localhost:1", "Origin", "http://localhost:1" }, false, 0 },
        { "POST", { "Host", "localhost:1", "Origin", "http://localhost:2" }, false, 403 },
        { "POST", { "Host", "localhost:1", "Origin", "null" }, false, 403 },
        { "POST", { "Host", "localhost:1", "Origin", "https://evil.example" }, false, 403 },
        { "DELETE", { "Host", "localhost:1", "Origin", "https://evil.example" }, false, 403 },
        { "PUT",  { "Host", "localhost:1", "Sec-Fetch-Site", "cross-site" }, false, 403 },
        { "POST", { "Host", "localhost:1", "Sec-Fetch-Site", "same-origin" }, false, 0 },
        { "GET",  { "Host", "localhost:1", "Origin", "https://evil.example" }, false, 0 },
        /* clang-format on */
};

static void test_origin(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
                RequestHead h = head_of(origins[i].method, origins[i].headers);
                unsigned status = 999;
                Error err;
                int r;

                h.over_unix = origins[i].over_unix;
                r = request_head_check_origin(&h, "box.internal", &status, &err);
                assert_int_equal(status, origins[i].status);
                assert_int_equal(r, origins[i].status ? -ERROR_FORBIDDEN : 0);
        }
}

static const struct {
        const char *headers[MAX_HEADERS];
        bool has_body;
        unsigned status;
} contents[] = {
        /* clang-format off */
        { { NULL }, true, 0 },
        { { "Content-Type", "" }, true, 0 },
        { { "Content-Type", "application/json" }, true, 0 },
        { { "Content-Type", "Application/JSON; charset=utf-8" }, true, 0 },
        { { "Content-Type", "text/plain" }, true, 415 },
        { { "Content-Type", "application/jsonx" }, true, 415 },
        { { "Content-Type", "application/x-www-form-urlencoded" }, true, 415 },
        { { "Content-Type", "application/x-www-form-urlencoded" }, false, 0 },
        { { "Content-Encoding", "gzip" }, true, 415 },
        { { "Content-Encoding", "identity" }, true, 0 },
        /* clang-format on */
};

static void test_content(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
                RequestHead h = head_of("POST", contents[i].headers);
                unsigned status = 999;
                Error err;
                int r = request_head_check_content(&h, contents[i].has_body, &status, &err);

                assert_int_equal(status, contents[i].status);
                assert_int_equal(r, contents[i].status ? -ERROR_BAD_REQUEST : 0);
        }
}

static void test_preferred_wait(void **state)
{
        static const struct {
                const char *prefer;
                uint64_t seconds;
        } rows[] = {
                { "wait=10", 10 },
                { "respond-async, wait=10", 10 },
                { "respond-async; foo, WAIT=7;x", 7 },
                { "respond-async", 0 },
                { "wait=", 0 },
                { "await=10", 0 },
                { "wait=x", 0 },
                { "wait=99999999999999999", 0 },
                { "", 0 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                RequestHead h = { .prefer = { .value = rows[i].prefer, .count = 1 } };

                assert_int_equal(request_head_preferred_wait(&h), rows[i].seconds);
        }
}

/* ---- the body ---- */

static const struct {
        const char *json, *error; /* error NULL: fine */
} bodies[] = {
        /* clang-format off */
        { "{}", NULL },
        { "{\"database\":\"app\",\"target\":\"42\",\"dry_run\":true,\"timeout_ms\":600000,\"reason\":\"x\"}", NULL },
        { "{\"database\":null,\"target\":null}", NULL },
        { "{\"databse\":\"app\"}", "unknown member \"databse\"" },
        { "{\"database\":1}", "\"database\"" },
        { "{\"database\":\"\"}", "\"database\"" },
        { "{\"target\":42}", "\"target\"" },
        { "{\"dry_run\":\"yes\"}", "\"dry_run\"" },
        { "{\"dry_run\":1}", "\"dry_run\"" },
        { "{\"timeout_ms\":0}", "\"timeout_ms\"" },
        { "{\"timeout_ms\":-1}", "\"timeout_ms\"" },
        { "{\"timeout_ms\":1.5}", "\"timeout_ms\"" },
        { "{\"timeout_ms\":9223372036854775807}", "\"timeout_ms\"" },
        { "{\"reason\":\"a\",\"reason\":\"b\"}", "duplicate" },
        { "{\"reason\":\"\\u0000\"}", "JSON" },
        { "{\"reason\":\"\xff\"}", "JSON" },
        { "{} {}", "JSON" },
        { "", "JSON" },
        { "[]", "not a JSON object" },
        { "{\"reason\":", "line 1, column" },
        /* clang-format on */
};

static void test_body(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
                MigrateRequest m;
                json_t *json = NULL;
                Error err;
                int r = request_json_parse(&json, bodies[i].json, strlen(bodies[i].json), &err);

                if (r >= 0)
                        r = migrate_request_parse(&m, json, &err);
                json_decref(json);
                assert_int_equal(r, bodies[i].error ? -ERROR_BAD_REQUEST : 0);
                if (bodies[i].error)
                        assert_non_null(strstr(err.text, bodies[i].error));
        }
}

static void test_body_values(void **state)
{
        const char *text = bodies[1].json;
        MigrateRequest m;
        json_t *json = NULL;
        Error err;

        (void) state;
        assert_int_equal(migrate_request_parse(&m, NULL, &err), 0);
        assert_null(m.database);
        assert_int_equal(request_json_parse(&json, text, strlen(text), &err), 0);
        assert_int_equal(migrate_request_parse(&m, json, &err), 0);
        assert_string_equal(m.database, "app");
        assert_string_equal(m.target, "42");
        assert_string_equal(m.reason, "x");
        assert_true(m.dry_run);
        assert_int_equal(m.timeout, 600 * USEC_PER_SEC);
        json_decref(json);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_target),  cmocka_unit_test(test_unknown_parameter_is_named),
                cmocka_unit_test(test_framing), cmocka_unit_test(test_origin),
                cmocka_unit_test(test_content), cmocka_unit_test(test_preferred_wait),
                cmocka_unit_test(test_body),    cmocka_unit_test(test_body_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
