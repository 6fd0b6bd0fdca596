#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/error.h"
#include "util/utf8.h"

#include <errno.h>

static void test_set(void **state)
{
        Error err;

        (void) state;
        memset(&err, 'x', sizeof err);
        errno = ENOENT;
        assert_int_equal(error_set(&err, ERROR_IO, "line %d: %m", 7), -ERROR_IO);
        assert_string_equal(err.text, "line 7: No such file or directory");
        assert_int_equal(err.code, ERROR_IO);
        assert_string_equal(err.path, "");
        assert_string_equal(err.hint, "");
        assert_string_equal(err.sqlstate, "");
        assert_int_equal(err.line, 0);
}

static void test_prefix_at_hint(void **state)
{
        Error err;

        (void) state;
        (void) error_set(&err, ERROR_SQL, "no table");
        assert_int_equal(error_prefix(&err, "%s", "app"), -ERROR_SQL);
        assert_string_equal(err.text, "app: no table");
        assert_int_equal(error_at(&err, "V1.sql", 3, 4), -ERROR_SQL);
        assert_int_equal(error_hint(&err, "create %s", "it"), -ERROR_SQL);
        assert_string_equal(err.path, "V1.sql");
        assert_int_equal(err.line, 3);
        assert_int_equal(err.column, 4);
        assert_string_equal(err.hint, "create it");
        assert_string_equal(err.text, "app: no table");
}

/* Callers rewrap: an error's own texts may be the arguments of the next. */
static void test_own_parts_as_arguments(void **state)
{
        Error err;

        (void) state;
        (void) error_set(&err, ERROR_SQL, "inner");
        (void) error_at(&err, "V1.sql", 1, 1);
        (void) error_set(&err, ERROR_LOST, "outer (%s in %s)", err.text, err.path);
        assert_string_equal(err.text, "outer (inner in V1.sql)");
        (void) error_prefix(&err, "%s", err.text);
        assert_string_equal(err.text, "outer (inner in V1.sql): outer (inner in V1.sql)");
        (void) error_hint(&err, "do");
        (void) error_hint(&err, "%s; %s", err.hint, err.hint);
        assert_string_equal(err.hint, "do; do");
        (void) error_at(&err, "a.sql", 1, 1);
        (void) error_at(&err, err.path, 2, 2);
        assert_string_equal(err.path, "a.sql");
}

/* Whatever the length and the alignment, the texts stay terminated and end with a whole character. */
static void test_truncates_at_a_character(void **state)
{
        char longer[2 * sizeof((Error *) NULL)->text];
        Error err;

        (void) state;
        for (size_t shift = 0; shift < 4; shift++) {
                memset(longer, 'x', shift);
                for (size_t i = shift; i + 4 < sizeof longer; i += 4)
                        memcpy(longer + i, "\xf0\x9f\x90\x98\0", 5);
                (void) error_set(&err, ERROR_IO, "%s", longer);
                (void) error_hint(&err, "%s", longer);
                (void) error_at(&err, longer, 1, 1);
                for (unsigned twice = 0; twice < 2; twice++) {
                        size_t len = strlen(err.text);

                        assert_in_range(len, sizeof err.text - 4, sizeof err.text - 1);
                        assert_int_equal(utf8_valid_prefix(err.text, len), len);
                        (void) error_prefix(&err, "%s", twice ? longer : "p");
                }
                assert_int_equal(utf8_valid_prefix(err.hint, strlen(err.hint)), strlen(err.hint));
                assert_in_range(strlen(err.hint), sizeof err.hint - 4, sizeof err.hint - 1);
                assert_int_equal(utf8_valid_prefix(err.path, strlen(err.path)), strlen(err.path));
                assert_in_range(strlen(err.path), sizeof err.path - 4, sizeof err.path - 1);
        }
}

static void test_fits_exactly(void **state)
{
        char exact[sizeof((Error *) NULL)->path];
        Error err;

        (void) state;
        memset(exact, 'p', sizeof exact);
        exact[sizeof exact - 1] = '\0';
        (void) error_set(&err, ERROR_IO, "x");
        (void) error_at(&err, exact, 0, 0);
        assert_string_equal(err.path, exact);
}

static void test_table_rules(void **state)
{
        (void) state;
        for (ErrorCode c = ERROR_NONE + 1; c < _ERROR_MAX; c++) {
                const ErrorInfo *info = error_info(c);

                assert_in_range(info->http_status, 400, 599);
                assert_in_range(info->exit_code, 1, 78);
                assert_int_not_equal(strlen(info->summary), 0);
                /* A client that is told 503 tries again; it must not be told so of what needs a person,
                 * but for a database that somebody else may repair meanwhile. */
                if (info->retryable)
                        assert_in_range(info->http_status, 500, 503);
                for (ErrorCode other = c + 1; other < _ERROR_MAX; other++)
                        assert_string_not_equal(info->name, error_info(other)->name);
        }
        assert_string_equal(error_info(ERROR_NONE)->name, "NONE");
        assert_string_equal(error_info(ERROR_CHANGELOG)->name, "CHANGELOG");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_prefix_at_hint),
                cmocka_unit_test(test_own_parts_as_arguments),
                cmocka_unit_test(test_truncates_at_a_character),
                cmocka_unit_test(test_fits_exactly),
                cmocka_unit_test(test_table_rules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
