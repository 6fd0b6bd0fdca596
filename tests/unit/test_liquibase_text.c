#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/digest.h"
#include "format/liquibase/node.h"
#include "format/liquibase/yaml_scalar.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool same(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* ---- java.h ---- */

static void test_trims_like_java(void **state)
{
        static const struct {
                const char *in, *want;
        } cases[] = {
                { "a", "a" },
                { " \t\r\n\x01\x1f a b \x0b", "a b" },
                { "", NULL },
                { " \n ", NULL },
                { NULL, NULL },
                { "\xc2\xa0"
                  "a\xc2\xa0",
                  "\xc2\xa0"
                  "a\xc2\xa0" }, /* a no-break space is no space of trim() */
                { "\x7f", "\x7f" },
        };
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++)
                if (!same(java_trimmed(&a, cases[i].in), cases[i].want))
                        fail_msg("\"%s\"", cases[i].in);
}

static void test_doubles(void **state)
{
        static const struct {
                double in;
                const char *want;
        } cases[] = {
                { 0, "0.0" },
                { -0.0, "-0.0" },
                { 1, "1.0" },
                { -1.5, "-1.5" },
                { 0.1, "0.1" },
                { 100, "100.0" },
                { 0.001, "0.001" },
                { 0.0009, "9.0E-4" },
                { 0.00123, "0.00123" },
                { 1e7, "1.0E7" },
                { 9999999, "9999999.0" },
                { 12345678.5, "1.23456785E7" },
                { 1e-5, "1.0E-5" },
                { 1.0 / 3, "0.3333333333333333" },
                { 1e300, "1.0E300" },
                { INFINITY, "Infinity" },
                { -INFINITY, "-Infinity" },
                { NAN, "NaN" },
                { 123456.789, "123456.789" },
                { 1e21, "1.0E21" },
        };
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                const char *got = java_double(&a, cases[i].in);

                if (!same(got, cases[i].want))
                        fail_msg("%g: %s, not %s", cases[i].in, got, cases[i].want);
        }
}

static void test_dates(void **state)
{
        static const struct {
                const char *in, *want;
        } cases[] = {
                { "2020-01-02", "2020-01-02" },
                { "2020-02-30", "2020-03-01" },
                { "2019-02-29", "2019-03-01" },
                { "2020-13-01", "2021-01-01" },
                { "2020-00-00", "2019-11-30" },
                { "1600-01-01", "1600-01-01" },
                { "10:11:12", "10:11:12" },
                { "25:61:61", "02:02:01" },
                { "1:2:3", "01:02:03" },
                { "2020-01-02T03:04:05", "2020-01-02T03:04:05" },
                { "2020-01-02 03:04:05", "2020-01-02T03:04:05" },
                { "2020-12-31T24:00:00", "2021-01-01T00:00:00" },
                { "2020-01-02T03:04:05.120", "2020-01-02T03:04:05.12" },
                { "2020-01-02T03:04:05.000", "2020-01-02T03:04:05" },
                { "2020-01-02T03:04:05.1234567891", "2020-01-02T03:04:05.123456789" },
                { "2020-01-02T03:04:05.5Z", "2020-01-02T03:04:05.5" },
                { "2020-01-02T03:04:05.5+01:00", "2020-01-02T03:04:05.5" },
                { "2020-01-02T03:04:05Z", NULL },
                { "2020-01-02T03:04:05.", NULL },
                { "2020-01-02T03:04:05.5+1", NULL },
                { "2020-01-02T03:04", NULL },
                { "20200102", NULL },
                { "now()", NULL },
                { "", NULL },
                { "current_timestamp()", NULL },
        };
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                const char *got = java_iso_date(&a, cases[i].in);

                if (!same(got, cases[i].want))
                        fail_msg("%s: %s, not %s", cases[i].in, got, cases[i].want);
        }
}

#define GRIN "\xf0\x9f\x98\x80" /* two units of UTF-16 */

static void test_limits_count_utf16(void **state)
{
        static const struct {
                const char *in;
                size_t max;
                const char *want;
        } cases[] = {
                { "abcdef", 6, "abcdef" },
                { "abcdefg", 6, "abc..." },
                { "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", 6,
                  "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc" },
                { GRIN GRIN GRIN, 6, GRIN GRIN GRIN },
                { GRIN GRIN GRIN "a", 6, GRIN "..." }, /* no half of a character */
                { "a" GRIN GRIN GRIN, 6, "a" GRIN "..." },
        };
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);

        (void) state;
        assert_int_equal(java_length("a\xc3\xa4" GRIN), 4);
        for (size_t i = 0; i < COUNT(cases); i++)
                assert_string_equal(java_limit(&a, cases[i].in, cases[i].max), cases[i].want);
        /* A character beyond U+FFFF sorts by its surrogates, below U+FF5E. */
        assert_true(java_compare(GRIN, "\xef\xbd\x9e") < 0);
}

/* ---- decode.c ---- */

#define BYTES(s) s, sizeof(s) - 1

static void test_decodes(void **state)
{
        static const struct {
                const char *data;
                size_t size;
                const char *encoding, *want;
                const char *refusal;
                unsigned long line, column;
        } cases[] = {
                { BYTES("a\xc3\xa4"), NULL, "a\xc3\xa4", NULL, 0, 0 },
                { BYTES("\xef\xbb\xbf"
                        "a"),
                  NULL, "a", NULL, 0, 0 },
                { BYTES("\xef\xbb\xbf"
                        "a"),
                  "UTF-8", "a", NULL, 0, 0 },
                { BYTES("\xff\xfe"
                        "a\0\xe4\0"),
                  NULL, "a\xc3\xa4", NULL, 0, 0 },
                { BYTES("\xfe\xff\0a\0\xe4"), NULL, "a\xc3\xa4", NULL, 0, 0 },
                { BYTES("\0a\0\xe4"), "UTF-16", "a\xc3\xa4", NULL, 0, 0 },
                { BYTES("\xff\xfe\0\0a\0\0\0"), NULL, "a", NULL, 0, 0 },
                { BYTES("a\xe4"), "ISO-8859-1", "a\xc3\xa4", NULL, 0, 0 },
                { BYTES("\x80"), "windows-1252", "\xe2\x82\xac", NULL, 0, 0 },
                { BYTES("\xef\xbb\xbf\xc3\xa4"), "ISO-8859-1", "\xc3\xa4", NULL, 0, 0 },
                { BYTES(""), NULL, "", NULL, 0, 0 },
                { BYTES("\xff\xfe"
                        "a\0"),
                  "UTF-16", "a", NULL, 0, 0 },
                { BYTES("\xff\xfe"
                        "a\0"),
                  "UTF-16BE", NULL,
                  "is declared as UTF-16BE, but its byte order mark is that of UTF-16LE", 1, 1 },
                { BYTES("a\n\xc3\xa4\xff"), NULL, NULL, "is not valid UTF-8", 2, 2 },
                { BYTES("a\n\0b"), NULL, NULL, "holds a NUL byte", 2, 1 },
                { BYTES("\xff\xfe"
                        "a"),
                  NULL, NULL, "is not valid UTF-16LE at byte 1", 0, 0 },
                { BYTES("\xff\xfe\0\0"
                        "\xff\xff\xff\xff"),
                  NULL, NULL, "is not valid UTF-32LE at byte 1", 0, 0 },
                { BYTES("a"), "nonsense", NULL, "no encoding is called nonsense", 0, 0 },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Error err = { .code = ERROR_NONE };
                const char *text;
                size_t size;
                int r = decode_text(&text, &size, &a, cases[i].data, cases[i].size,
                                    cases[i].encoding, "f.sql", &err);

                if (cases[i].refusal) {
                        if (r != -ERROR_CHANGELOG || !strstr(err.text, cases[i].refusal))
                                fail_msg("case %zu: %s", i, err.text);
                        assert_int_equal(err.line, cases[i].line);
                        assert_int_equal(err.column, cases[i].column);
                        assert_string_equal(err.path, "f.sql");
                        continue;
                }
                if (r < 0 || size != strlen(cases[i].want) ||
                    memcmp(text, cases[i].want, size) != 0)
                        fail_msg("case %zu: %s", i, err.text);
        }
}

#define LOST "\xef\xbf\xbd"

static void test_decodes_anything(void **state)
{
        static const struct {
                const char *in, *want;
        } cases[] = {
                { "a\xc3\xa4", "a\xc3\xa4" },
                { "a\xff"
                  "b",
                  "a" LOST "b" },
                { "\xe2\x82x", LOST "x" },
                { "\xe2\x82", LOST },
                { "\xf0\x9f\x98x", LOST "x" },
                { "\xc0\xaf", LOST LOST },
                { "\xe0\x80\x80", LOST LOST LOST },
                { "\xed\xa0\x80x", LOST "x" }, /* half of a character: one mistake */
                { "\xf4\x90\x80\x80", LOST LOST LOST LOST },
                { "\xf8\x88\x80\x80\x80", LOST LOST LOST LOST LOST },
                { "\xc3", LOST },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Error err = { .code = ERROR_NONE };
                const char *text;
                size_t size;

                assert_int_equal(decode_any_text(&text, &size, &a, cases[i].in, strlen(cases[i].in),
                                                 NULL, "f", &err),
                                 0);
                if (size != strlen(cases[i].want) || memcmp(text, cases[i].want, size) != 0)
                        fail_msg("case %zu: %.*s", i, (int) size, text);
        }
}

/* ---- digest.h ---- */

static void test_comments_of_data(void **state)
{
        static const struct {
                const char *in, *comment, *want;
        } cases[] = {
                { "a\r\nb\r\n", "#", "a\nb" },
                { "a\n\n\nb", "#", "a\nb" },
                { "# c\na\n# d\nb\n", "#", "a\nb" },
                { "a\n# c\n# d\n", "#", "a\n" }, /* two lines at the end leave one line end */
                { "a\n# c\n", "#", "a" },
                { "a#b", "#", "a#b" },
                { "#a\nb", "", "#a\nb" },
                { "#a\nb", NULL, "#a\nb" },
                { "//a\nb", "//", "b" },
                { "/a\nb", "//", "b" }, /* the first character counts */
                { "\xc3\xa4\nb", "\xc3\xa4", "\xc3\xa4\nb" },
                { "\xe4\nb", "\xc3\xa4", "b" }, /* bytes are compared with its code */
                { "\xe2\nb", "\xe2\x82\xac", "\xe2\nb" },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                size_t size;
                _cleanup_free_ char *got =
                        skip_comments(cases[i].in, strlen(cases[i].in), cases[i].comment, &size);

                if (size != strlen(cases[i].want) || memcmp(got, cases[i].want, size) != 0)
                        fail_msg("case %zu: \"%.*s\"", i, (int) size, got);
        }
}

/* ---- yaml_scalar.h ---- */

static void test_yaml_scalars(void **state)
{
        static const struct {
                const char *in;
                NodeType type;
                const char *value, *iso;
        } cases[] = {
                { "text", NODE_TEXT, "text", NULL },
                { "yes", NODE_OTHER, "true", NULL },
                { "Off", NODE_OTHER, "false", NULL },
                { "y", NODE_TEXT, "y", NULL },
                { "tRUE", NODE_TEXT, "tRUE", NULL },
                { "~", NODE_NONE, NULL, NULL },
                { "null", NODE_NONE, NULL, NULL },
                { "", NODE_NONE, NULL, NULL },
                { "0x1F", NODE_OTHER, "31", NULL },
                { "017", NODE_OTHER, "15", NULL },
                { "0b11", NODE_OTHER, "3", NULL },
                { "1_000", NODE_OTHER, "1000", NULL },
                { "1:30", NODE_OTHER, "90", NULL },
                { "+5", NODE_OTHER, "5", NULL },
                { "12345678901234567890", NODE_OTHER, "12345678901234567890", NULL },
                { "1.50", NODE_OTHER, "1.5", NULL },
                { "1e3", NODE_OTHER, "1000.0", NULL },
                { ".5", NODE_OTHER, "0.5", NULL },
                { "-.5", NODE_TEXT, "-.5", NULL },
                { "-.inf", NODE_OTHER, "-Infinity", NULL },
                { "1.2.3", NODE_TEXT, "1.2.3", NULL },
                { "2020-01-02", NODE_DATE, "Thu Jan 02 00:00:00 UTC 2020", "2020-01-02T00:00:00" },
                { "2020-01-02x", NODE_TEXT, "2020-01-02x", NULL },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Node *n = node_new(&a, "x", 1, 1);
                Error err = { .code = ERROR_NONE };

                assert_return_code(yaml_scalar_resolve(n, &a, cases[i].in, &err), 0);
                if (n->type != cases[i].type || !same(n->value, cases[i].value) ||
                    !same(n->iso, cases[i].iso))
                        fail_msg("%s: type %d, %s, %s", cases[i].in, n->type, n->value, n->iso);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_trims_like_java),
                cmocka_unit_test(test_doubles),
                cmocka_unit_test(test_dates),
                cmocka_unit_test(test_limits_count_utf16),
                cmocka_unit_test(test_decodes),
                cmocka_unit_test(test_decodes_anything),
                cmocka_unit_test(test_comments_of_data),
                cmocka_unit_test(test_yaml_scalars),
        };

        return cmocka_run_group_tests_name("liquibase_text", tests, NULL, NULL);
}
