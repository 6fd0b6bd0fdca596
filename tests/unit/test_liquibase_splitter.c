#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/liquibase/sql/splitter.h"

#define MAX_PIECES 6

typedef struct Case {
        const char *text;
        bool keep_comments, whole;
        const char *delimiter;
        const char *want[MAX_PIECES];
} Case;

static void check(const Case *c)
{
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
        const SplitOptions o = { .strip_comments = !c->keep_comments,
                                 .split = !c->whole,
                                 .delimiter = c->delimiter };
        Error err = { .code = ERROR_NONE };
        Split *pieces = NULL;
        size_t n = 0, i = 0;

        assert_int_equal(
                split_statements(&pieces, &n, &a, c->text, strlen(c->text), &o, NULL, &err), 0);
        for (; i < n && i < MAX_PIECES && c->want[i]; i++) {
                assert_int_equal(pieces[i].len, strlen(c->want[i]));
                assert_memory_equal(pieces[i].sql, c->want[i], pieces[i].len);
                /* Comments and carriage returns are never at the beginning of a piece. */
                assert_int_equal(c->text[pieces[i].at], c->want[i][0]);
        }
        assert_int_equal(i, n);
        assert_true(i == MAX_PIECES || !c->want[i]);
}

static void check_all(const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check(&cases[i]);
}

static void test_default_delimiters(void **state)
{
        (void) state;
        static const Case cases[] = {
                { .text = "" },
                { .text = " \n;;\n ; " },
                { .text = "select 1", .want = { "select 1" } },
                { .text = "select 1; select 2;\n", .want = { "select 1", "select 2" } },
                { .text = "select 1; select 2", .whole = true, .want = { "select 1; select 2" } },
                { .text = "a\ngo\nb\nGO\nc", .want = { "a", "b", "c" } },
                { .text = "a\n/\nb", .want = { "a", "b" } },
                { .text = "a / b\n / c", .want = { "a / b\n / c" } },
                { .text = "/\na", .want = { "a" } },
                { .text = "goto x; gone", .want = { "goto x", "gone" } },
        };

        check_all(cases, sizeof cases / sizeof *cases);
}

static void test_quotes(void **state)
{
        (void) state;
        static const Case cases[] = {
                { .text = "'a;b'; \"c;d\"", .want = { "'a;b'", "\"c;d\"" } },
                { .text = "'a'';b'; c", .want = { "'a'';b'", "c" } },
                { .text = "'a\\';b'; c", .want = { "'a\\';b'", "c" } },
                { .text = "'x\\'; c", .want = { "'x\\'", "c" } },
                { .text = "it's; b", .want = { "it's", "b" } },
                { .text = "[a;b]; `c;d`", .want = { "[a;b]", "`c;d`" } },
                { .text = "[1;b]", .want = { "[1", "b]" } },
                { .text = "[\na;b]", .want = { "[\na;b]" } },
                { .text = "[a\n;b]", .want = { "[a", "b]" } },
                { .text = "$$a;b$$", .want = { "$$a", "b$$" } },
                { .text = "'--'; /* ; */ a", .want = { "'--'", "a" } },
        };

        check_all(cases, sizeof cases / sizeof *cases);
}

static void test_comments(void **state)
{
        (void) state;
        static const Case cases[] = {
                { .text = "-- a;b\nc", .want = { "c" } },
                { .text = "-- a;b\nc", .keep_comments = true, .want = { "-- a;b\nc" } },
                { .text = "a/* x */b", .want = { "ab" } },
                { .text = "a/* x ; */b", .keep_comments = true, .want = { "a/* x ; */b" } },
                { .text = "a /* x; b", .want = { "a /* x", "b" } },
                { .text = "/* /* */ a */", .want = { "a */" } },
                { .text = "-- only" },
        };

        check_all(cases, sizeof cases / sizeof *cases);
}

static void test_bodies(void **state)
{
        (void) state;
        static const Case cases[] = {
                { .text = "create f BEGIN a; b; END; c",
                  .want = { "create f BEGIN a; b; END", "c" } },
                { .text = "begin transaction; a; end transaction",
                  .want = { "begin transaction", "a", "end transaction" } },
                { .text = "declare x; begin a; end", .want = { "declare x", "begin a; end" } },
                { .text = "begin; a; commit; b", .want = { "begin; a; commit; b" } },
                { .text = "begin if; a; end if; b; end",
                  .want = { "begin if; a; end if", "b", "end" } },
                { .text = "end; a", .want = { "end", "a" } },
        };

        check_all(cases, sizeof cases / sizeof *cases);
}

static void test_delimiters(void **state)
{
        (void) state;
        static const Case cases[] = {
                { .text = "a;b\n/\nc", .delimiter = "/", .want = { "a;b", "c" } },
                { .text = "a/b", .delimiter = "/", .want = { "a/b" } },
                { .text = "a@@b;c @@ d", .delimiter = "@@", .want = { "a@@b;c", "d" } },
                { .text = "a $$ b", .delimiter = "$$", .want = { "a", "b" } },
                { .text = "a // b", .delimiter = "//", .want = { "a", "b" } },
                { .text = "a; b\n/", .delimiter = "\n/$", .want = { "a; b" } },
                { .text = "a STOP b stop c", .delimiter = "stop", .want = { "a", "b", "c" } },
                { .text = "a;b|c", .delimiter = "[;|]", .want = { "a;b|c" } },
                { .text = "a\ngo b", .delimiter = "\\ngo", .want = { "a", "b" } },
                { .text = "a \xf0\x9f\x98\x80 b",
                  .delimiter = "\xf0\x9f\x98\x80",
                  .want = { "a", "b" } },
                { .text = "a; b", .delimiter = "", .want = { "a", "b" } },
        };

        check_all(cases, sizeof cases / sizeof *cases);
}

/* Places are those of the text as given; the whole of it is what errors count in. */
static void test_places(void **state)
{
        (void) state;
        static const char text[] = "\r\n-- c\r\na;\r\n\r\nb\r\n;c";
        static const size_t want[] = { 8, 14, 18 };
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
        const SplitOptions o = { .strip_comments = true, .split = true };
        Error err = { .code = ERROR_NONE };
        Split *pieces = NULL;
        size_t n = 0;

        assert_int_equal(split_statements(&pieces, &n, &a, text, strlen(text), &o, NULL, &err), 0);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(pieces[i].at, want[i]);
}

static void test_errors(void **state)
{
        (void) state;
        static const struct {
                const char *text, *delimiter, *error;
                size_t at;
        } cases[] = {
                { "a\r\n\001", NULL, "character 0x01 cannot be part of SQL", 3 },
                { "a \xef\xbd\xa6", NULL, "character 0xef cannot be part of SQL", 2 },
                { "a", "(*", "endDelimiter \"(*\" is no regular expression", 0 },
                { " \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", "\"(a+)+\"",
                  "endDelimiter \"\"(a+)+\"\" cannot be looked for", 0 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
                const SplitOptions o = { .split = true, .delimiter = cases[i].delimiter };
                Error err = { .code = ERROR_NONE };
                Split *pieces = NULL;
                size_t n = 0, at = 99;

                assert_int_equal(split_statements(&pieces, &n, &a, cases[i].text,
                                                  strlen(cases[i].text), &o, &at, &err),
                                 -ERROR_CHANGELOG);
                assert_string_equal(err.text, cases[i].error);
                assert_int_equal(at, cases[i].at);
        }
}

/* Text that makes every token look far ahead takes no longer for it: in CPU seconds, far above what it takes with sanitizers. */
static void test_linear(void **state)
{
        (void) state;
        static const char *const units[] = { "'\\",       "/* \" ", "[a ", "`",  "a . ",
                                             "begin a; ", " ",      "\n/", "E'", "1e" };
        static const char *const delimiters[] = { NULL, "@@", "\\n/\\s*\\n\\s*|\\n/$" };
        const size_t size = (size_t) 2 << 20;
        _cleanup_free_ char *text = calloc(1, size + 16);

        assert_non_null(text);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
                size_t len = 0;

                while (len < size) {
                        memcpy(text + len, units[i], strlen(units[i]));
                        len += strlen(units[i]);
                }
                for (size_t d = 0; d < sizeof delimiters / sizeof *delimiters; d++) {
                        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 30);
                        const SplitOptions o = { .split = true, .delimiter = delimiters[d] };
                        Error err = { .code = ERROR_NONE };
                        clock_t start = clock();
                        Split *pieces;
                        size_t n;

                        assert_int_equal(
                                split_statements(&pieces, &n, &a, text, len, &o, NULL, &err), 0);
                        assert_true(clock() - start < 30 * CLOCKS_PER_SEC);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_delimiters),
                cmocka_unit_test(test_quotes),
                cmocka_unit_test(test_comments),
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_delimiters),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_linear),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
