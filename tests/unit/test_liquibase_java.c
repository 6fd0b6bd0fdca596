#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/syntax/java.h"

static void test_trim(void **state)
{
        (void) state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                { NULL, NULL },
                { "", NULL },
                { " \t\r\n\x01", NULL },
                { "a", "a" },
                { "\x1f a b\n ", "a b" },
                { "\xc2\xa0"
                  "a",
                  "\xc2\xa0"
                  "a" }, /* no space to Java */
        };
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *got = java_trimmed(&a, cases[i].text);

                if (cases[i].want)
                        assert_string_equal(got, cases[i].want);
                else
                        assert_null(got);
        }
}

static void test_strings(void **state)
{
        (void) state;
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);

        assert_int_equal(java_length("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 5);
        assert_int_equal(java_length(""), 0);
        assert_string_equal(java_limit(&a, "abcdef", 6), "abcdef");
        assert_string_equal(java_limit(&a, "abcdefg", 6), "abc...");
        assert_string_equal(java_limit(&a, "ab\xf0\x9f\x98\x80tail", 6), "ab...");
        assert_true(java_compare("Z", "a") < 0);
        assert_true(java_compare("\xf0\x9f\x98\x80", "\xef\xbf\xbd") < 0); /* D83D before FFFD */
        assert_int_equal(java_compare("ab", "ab"), 0);
        assert_true(java_true("TRUE"));
        assert_false(java_true("yes"));
        assert_string_equal(java_lower(&a, "ABc\xc3\x84"), "abc\xc3\xa4");
}

static void test_double(void **state)
{
        (void) state;
        static const struct {
                double value;
                const char *want;
        } cases[] = {
                { 0.0, "0.0" },
                { -0.0, "-0.0" },
                { 1, "1.0" },
                { -1.5, "-1.5" },
                { 1000, "1000.0" },
                { 0.1, "0.1" },
                { 0.001, "0.001" },
                { 0.0123, "0.0123" },
                { 0.00012, "1.2E-4" },
                { 9999999, "9999999.0" },
                { 1e7, "1.0E7" },
                { 12345678.5, "1.23456785E7" },
                { 1e100, "1.0E100" },
                { 123.456, "123.456" },
                { 1.7976931348623157e308, "1.7976931348623157E308" },
                { (double) INFINITY, "Infinity" },
                { -(double) INFINITY, "-Infinity" },
                { (double) NAN, "NaN" },
        };
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_string_equal(java_double(&a, cases[i].value), cases[i].want);
}

static void test_iso_date(void **state)
{
        (void) state;
        static const struct {
                const char *text, *want; /* NULL: no date */
        } cases[] = {
                { "2020-01-02", "2020-01-02" },
                { "2020-02-30", "2020-03-01" },
                { "2020-13-01", "2021-01-01" },
                { "2020-00-01", "2019-12-01" },
                { "2021-02-29", "2021-03-01" },
                { "10:11:12", "10:11:12" },
                { "1:2:3", "01:02:03" },
                { "25:00:00", "01:00:00" },
                { "2020-01-02T10:11:12", "2020-01-02T10:11:12" },
                { "2020-01-02 10:11:12", "2020-01-02T10:11:12" },
                { "2020-12-31T24:00:00", "2021-01-01T00:00:00" },
                { "2020-01-02T10:11:12.5", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12.500", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12.000", "2020-01-02T10:11:12" },
                { "2020-01-02T10:11:12.123456789", "2020-01-02T10:11:12.123456789" },
                { "2020-01-02T10:11:12.1234567891", NULL },
                { "2020-01-02T10:11:12.0123456789", "2020-01-02T10:11:12.123456789" },
                { "2020-01-02T10:11:12.99999999999", NULL },
                { "2020-01-02T10:11:12.+5", "2020-01-02T10:11:12.05" },
                { "2020-01-02T10:11:12.-5", NULL },
                { "2020-01-02T10:11:12.Z", "2020-01-02T10:11:12" },
                { "2020-02-30T10:11:12.5", "2020-03-01T10:11:12.5" },
                { "2020-02-30T10:11:12.5Z", NULL },
                { "2020-1-002T10:11:12.5Z", NULL },
                { "2020-01-02T10:11:12.5+02", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12.5-18:00:00", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12.5+18:01", NULL },
                { "2020-01-02T10:11:12.5+0200", NULL },
                { "2020-01-02T10:11:12.5x", NULL },
                { "2020-01-02 10:11:12.5Z", NULL },
                { "2020-01-02T10:11:12.5Z", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12.5+02:00", "2020-01-02T10:11:12.5" },
                { "2020-01-02T10:11:12Z", NULL },
                { "2020-01-02T10:11:12.", NULL },
                { "2020-01-02T10:11:12.5 x", NULL },
                { "2020-01-02T10:11", NULL },
                { "NOW()", NULL },
                { "CURRENT_TIMESTAMP", NULL },
                { "current_timestamp(0)", NULL },
                { "", NULL },
        };
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *got = java_iso_date(&a, cases[i].text);

                if (cases[i].want)
                        assert_string_equal(got ? got : cases[i].text, cases[i].want);
                else
                        assert_null(got);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_trim),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_double),
                cmocka_unit_test(test_iso_date),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
