#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "api/problem.h"
#include "api/response.h"

static const char *text_of(const json_t *object, const char *key)
{
        const char *s = json_string_value(json_object_get(object, key));

        return s ? s : "";
}

static void test_every_error_has_a_type_and_a_status(void **state)
{
        (void) state;
        for (int code = ERROR_NONE + 1; code < _ERROR_MAX; code++) {
                char type[64];
                Error err;
                json_t *p;

                error_set_to(&err, (ErrorCode) code, "database \"app\": it is so");
                p = problem_json(&err, problem_status(&err), NULL);
                assert_non_null(p);
                (void) snprintf(type, sizeof type, "urn:pgmigrated:error:%s",
                                error_info((ErrorCode) code)->name);
                assert_int_equal(strcasecmp(text_of(p, "type"), type), 0);
                assert_null(strpbrk(text_of(p, "type"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ "));
                assert_string_equal(text_of(p, "title"), error_info((ErrorCode) code)->summary);
                assert_string_equal(text_of(p, "detail"), "database \"app\": it is so");
                assert_in_range(json_integer_value(json_object_get(p, "status")), 400, 599);
                json_decref(p);
        }
}

static void test_place_and_hint_are_told(void **state)
{
        Error err;
        json_t *p;

        (void) state;
        error_set_to(&err, ERROR_SQL, "relation \"t\" does not exist");
        error_at(&err, "sql/V2__a.sql", 7, 12);
        error_hint(&err, "create it first");
        memcpy(err.sqlstate, "42P01", 6);
        p = problem_json(&err, 500, "01JD");
        assert_string_equal(text_of(p, "file"), "sql/V2__a.sql");
        assert_int_equal(json_integer_value(json_object_get(p, "line")), 7);
        assert_int_equal(json_integer_value(json_object_get(p, "column")), 12);
        assert_string_equal(text_of(p, "sqlstate"), "42P01");
        assert_string_equal(text_of(p, "hint"), "create it first");
        assert_string_equal(text_of(p, "run"), "01JD");
        json_decref(p);
}

static void test_what_is_not_known_is_left_out(void **state)
{
        Error err;
        json_t *p;

        (void) state;
        error_set_to(&err, ERROR_BUSY, "no");
        p = problem_json(&err, 503, NULL);
        assert_int_equal(json_object_size(p), 4);
        json_decref(p);
}

static void test_bytes_that_are_not_utf8_do_not_hide_the_problem(void **state)
{
        Error err;
        json_t *p;

        (void) state;
        error_set_to(&err, ERROR_SQL,
                     "a\xff"
                     "b");
        p = problem_json(&err, 500, NULL);
        assert_string_equal(text_of(p, "detail"), "a?b");
        json_decref(p);
}

static void test_response_replaces_what_was_there(void **state)
{
        Response res = { 0 };
        Error err, ignored;

        (void) state;
        assert_int_equal(response_json(&res, 200, json_pack("{s:i}", "a", 1), &ignored), 0);
        assert_string_equal(res.body, "{\"a\":1}\n");
        error_set_to(&err, ERROR_BUSY, "no");
        response_problem(&res, &err, NULL, NULL);
        assert_int_equal(res.status, 503);
        assert_string_equal(res.content_type, "application/problem+json");
        assert_string_equal(res.headers[0].name, "Retry-After");
        assert_non_null(strstr(res.body, "urn:pgmigrated:error:busy"));
        response_done(&res);

        res.status = 415; /* as a handler does that knows better than the table */
        error_set_to(&err, ERROR_BAD_REQUEST, "no");
        response_problem(&res, &err, NULL, NULL);
        assert_int_equal(res.status, 415);
        assert_int_equal(res.n_headers, 0);
        response_done(&res);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_error_has_a_type_and_a_status),
                cmocka_unit_test(test_place_and_hint_are_told),
                cmocka_unit_test(test_what_is_not_known_is_left_out),
                cmocka_unit_test(test_bytes_that_are_not_utf8_do_not_hide_the_problem),
                cmocka_unit_test(test_response_replaces_what_was_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
