#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/script_text.h"

/* "a" is one character, "long" is longer than its placeholder, "empty" is nothing, "again" looks like one. */
static const char *look_up(void *userdata, const char *name, size_t len)
{
        static const struct {
                const char *name, *value;
        } values[] = {
                { "a", "1" }, { "long", "0123456789abcdef" }, { "empty", "" }, { "again", "${a}" }
        };

        ++*(unsigned *) userdata;
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
                if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
                        return values[i].value;
        return NULL;
}

/* The view's memory, as file_view_done() frees it. */
static FileView view_of(const char *s)
{
        char *copy = strdup(s);

        return (FileView){ .data = copy, .size = strlen(s), .map = copy };
}

static int replace(ScriptText *t, const char *s, Error *err)
{
        FileView file = view_of(s);
        unsigned looked_up = 0;

        assert_int_equal(script_text_start(t, &file, err), 0);
        return script_text_replace(t, "${", "}", look_up, &looked_up, "V1__a.sql", err);
}

static void test_replaces(void **state)
{
        static const struct {
                const char *in, *out;
        } cases[] = {
                { "", "" },
                { "select 1;", "select 1;" },
                { "select $1, '$', {}", "select $1, '$', {}" },
                { "${a}", "1" },
                { "${empty}", "" },
                { "x${empty}${a}y", "x1y" },
                { "-- ${long}\n'${a}'", "-- 0123456789abcdef\n'1'" },
                { "${again}", "${a}" },
                { "\xef\xbb\xbfselect ${a}", "select 1" },
                { "\xef\xbb\xbf", "" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                ScriptText t = { 0 };
                Error err;

                assert_int_equal(replace(&t, cases[i].in, &err), 0);
                assert_string_equal(t.data, cases[i].out);
                assert_int_equal(t.size, strlen(cases[i].out));
                script_text_done(&t);
        }
}

static void test_copies_nothing(void **state)
{
        ScriptText t = { 0 };
        Error err;

        (void) state;
        assert_int_equal(replace(&t, "select '$ {a}'", &err), 0);
        assert_null(t.replaced);
        assert_ptr_equal(t.data, t.file.data);
        assert_int_equal(t.n_splices, 0);
        assert_int_equal(script_text_origin(&t, 7), 7);
        script_text_done(&t);
}

static void test_origin(void **state)
{
        static const struct {
                const char *in;
                size_t at, origin;
        } cases[] = {
                { "ab${long}cd", 0, 0 },
                { "ab${long}cd", 1, 1 },
                { "ab${long}cd", 2, 2 },
                { "ab${long}cd", 17, 2 },
                { "ab${long}cd", 18, 9 },
                { "ab${long}cd", 20, 11 },
                { "${empty}ab", 0, 8 },
                { "${a}${long}z", 0, 0 },
                { "${a}${long}z", 1, 4 },
                { "${a}${long}z", 17, 11 },
                { "\xef\xbb\xbf"
                  "ab",
                  1, 4 },
                { "\xef\xbb\xbf"
                  "a${a}b",
                  1, 4 },
                { "\xef\xbb\xbf"
                  "a${a}b",
                  2, 8 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                ScriptText t = { 0 };
                Error err;

                assert_int_equal(replace(&t, cases[i].in, &err), 0);
                if (script_text_origin(&t, cases[i].at) != cases[i].origin)
                        fail_msg("%s at %zu: %zu", cases[i].in, cases[i].at,
                                 script_text_origin(&t, cases[i].at));
                script_text_done(&t);
        }
}

static void test_refuses(void **state)
{
        static const struct {
                const char *in;
                unsigned long line, column;
                const char *text;
        } cases[] = {
                { "${nope}", 1, 1, "no value for placeholder ${nope}" },
                { "a\n\xc3\xa9 ${nope}", 2, 3, "no value for placeholder ${nope}" },
                { "\xef\xbb\xbf${}", 1, 1, "no value for placeholder ${}" },
                { "${a}\n${long", 2, 1, "placeholder that begins with ${ has no }" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                ScriptText t = { 0 };
                Error err = { 0 };

                assert_int_equal(replace(&t, cases[i].in, &err), -ERROR_CHANGELOG);
                assert_string_equal(err.text, cases[i].text);
                assert_string_equal(err.path, "V1__a.sql");
                assert_int_equal(err.line, cases[i].line);
                assert_int_equal(err.column, cases[i].column);
                assert_true(err.hint[0]);
                script_text_done(&t);
        }
}

/* Generated text: each place says where what follows it comes from. */
static void test_places(void **state)
{
        static const struct {
                size_t at;
                const char *path;
                unsigned long line, column;
        } cases[] = {
                { 0, "a.xml", 7, 0 },   { 3, "a.xml", 7, 0 },  { 4, "b.sql", 10, 0 },
                { 6, "b.sql", 11, 1 },  { 9, "b.sql", 12, 2 }, { 10, "a.xml", 20, 0 },
                { 15, "a.xml", 20, 0 },
        };
        char text[] = "one\n2\n3\n\xc3\xa4 end\nx";
        ScriptText t = { .data = text, .size = sizeof text - 1 };
        unsigned long line, column;
        Error err = { 0 };

        (void) state;
        t.file.data = "";
        assert_null(script_text_position(&t, 0, &line, &column)); /* the script's own file */
        assert_return_code(
                script_text_add_place(&t, (struct ScriptPlace){ 0, "a.xml", 7, false }, &err), 0);
        assert_return_code(
                script_text_add_place(&t, (struct ScriptPlace){ 4, "b.sql", 10, true }, &err), 0);
        assert_return_code(
                script_text_add_place(&t, (struct ScriptPlace){ 10, "a.xml", 20, false }, &err), 0);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *path = script_text_position(&t, cases[i].at, &line, &column);

                if (strcmp(path, cases[i].path) != 0 || line != cases[i].line ||
                    column != cases[i].column)
                        fail_msg("%zu: %s:%lu:%lu", cases[i].at, path, line, column);
        }
        t.file.data = NULL;
        script_text_done(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replaces), cmocka_unit_test(test_copies_nothing),
                cmocka_unit_test(test_origin),   cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
