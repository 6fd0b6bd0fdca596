#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "pg/scanner.h"

#define BAR "\x1f" /* between the statements that are expected */

typedef struct Case {
        const char *text, *want;
} Case;

/* All statements of a text in buf, BAR between them; a COPY's data follows it in [ ]. -1: error. */
static int split(char *buf, size_t size, const char *text, size_t len, Error *err)
{
        Scanner s;
        Statement st;
        size_t used = 0;
        int r, n = 0;

        buf[0] = '\0';
        scanner_init(&s, text, len, "V1__x.sql");
        while ((r = scanner_next(&s, &st, err)) > 0) {
                used += (size_t) snprintf(buf + used, size - used, "%s%.*s", n++ ? BAR : "",
                                          (int) (st.end - st.start), text + st.start);
                if (st.kind == STATEMENT_COPY_IN)
                        used += (size_t) snprintf(buf + used, size - used, "[%.*s]",
                                                  (int) (st.payload_end - st.payload_start),
                                                  text + st.payload_start);
                assert_true(used < size);
        }
        return r < 0 ? r : n;
}

static void check(const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char buf[1024];
                Error err = { 0 };

                if (split(buf, sizeof buf, cases[i].text, strlen(cases[i].text), &err) < 0)
                        fail_msg("%s: %lu:%lu: %s", cases[i].text, err.line, err.column, err.text);
                assert_string_equal(buf, cases[i].want);
        }
}

#define CHECK(cases) check((cases), sizeof(cases) / sizeof *(cases))

static void test_statements(void **state)
{
        static const Case cases[] = {
                { "", "" },
                { " \t\r\n\f", "" },
                { ";;;", "" },
                { "-- nothing", "" },
                { "/* nothing /* at */ all */ ;", "" },
                { "select 1", "select 1" },
                { "select 1;", "select 1;" },
                { "  select 1  \n", "select 1" },
                { "select 1 -- tail", "select 1" },
                { "select 1;select 2", "select 1;" BAR "select 2" },
                { "select 1; ; ;\n;select 2;", "select 1;" BAR "select 2;" },
                { "-- lead\nselect 1;\n/* two */ select 2;",
                  "-- lead\nselect 1;" BAR "/* two */ select 2;" },
                { "select 1 /* ; */ + /* /* ; */ ; */ 1;",
                  "select 1 /* ; */ + /* /* ; */ ; */ 1;" },
                { "select 1 -- ;\n;", "select 1 -- ;\n;" },
                { "select 1 -- ;\r;select 2", "select 1 -- ;\r;" BAR "select 2" },
                { "select 1 +--;\n 2;", "select 1 +--;\n 2;" },
                { "select 1 @/*;*/ 2;", "select 1 @/*;*/ 2;" },
                { "select 2 */*;*/ 3;", "select 2 */*;*/ 3;" },
                { "select /*/;*/ 1;", "select /*/;*/ 1;" },
                { "select /***;***/ 1;", "select /***;***/ 1;" },
                { "select 1 - -1; select 4/2;", "select 1 - -1;" BAR "select 4/2;" },
                { "\xef\xbb\xbfselect 1;", "select 1;" },
                { "\xef\xbb\xbf", "" },
                { "select a from \xc3\xa5\xc3\xa4; select 2;",
                  "select a from \xc3\xa5\xc3\xa4;" BAR "select 2;" },
                { "select 1;\r\nselect 2;\r\n", "select 1;" BAR "select 2;" },
                { "create rule r as on insert to t do also (insert into a values (1); delete from "
                  "b;);",
                  "create rule r as on insert to t do also (insert into a values (1); delete from "
                  "b;);" },
                { "select 1); select 2;", "select 1);" BAR "select 2;" },
                { "select a[1:2]; select :x;", "select a[1:2];" BAR "select :x;" },
        };

        (void) state;
        CHECK(cases);
}

static void test_quotes(void **state)
{
        static const Case cases[] = {
                { "select 'a;''b;'; select 2", "select 'a;''b;';" BAR "select 2" },
                { "select '\\'; select 2", "select '\\';" BAR "select 2" },
                { "select E'\\';'; select 2", "select E'\\';';" BAR "select 2" },
                { "select e'\\\\'; select 2", "select e'\\\\';" BAR "select 2" },
                { "select E'a'';'; select 2", "select E'a'';';" BAR "select 2" },
                { "select tE'\\'; select 2", "select tE'\\';" BAR "select 2" },
                { "select E'a' '\\'; select 2", "select E'a' '\\';" BAR "select 2" },
                { "select E'a'\n-- b\n '\\';'; select 2",
                  "select E'a'\n-- b\n '\\';';" BAR "select 2" },
                { "select E'a' -- b\n '\\';'; select 2",
                  "select E'a' -- b\n '\\';';" BAR "select 2" },
                { "select E'a'\n, '\\'; select 2", "select E'a'\n, '\\';" BAR "select 2" },
                { "select 'a'\n'\\'; select 2", "select 'a'\n'\\';" BAR "select 2" },
                { "select B'1;', x'0;', N'\\', n';'; select 2",
                  "select B'1;', x'0;', N'\\', n';';" BAR "select 2" },
                { "select U&'\\;\\'; select 2", "select U&'\\;\\';" BAR "select 2" },
                { "select u&\"\\;\\\"; select 2", "select u&\"\\;\\\";" BAR "select 2" },
                { "select \"a;\"\"b;\"; select 2", "select \"a;\"\"b;\";" BAR "select 2" },
                { "select \"'\" ; select '\"'", "select \"'\" ;" BAR "select '\"'" },
                { "select '--' ; select '/*'", "select '--' ;" BAR "select '/*'" },
                { "select '''';select 2", "select '''';" BAR "select 2" },
                { "select '';select 2", "select '';" BAR "select 2" },
                { "select $$;$$;select 2", "select $$;$$;" BAR "select 2" },
                { "select $a$;$$;$b$;$a$;select 2", "select $a$;$$;$b$;$a$;" BAR "select 2" },
                { "select $a$;$b$a$;select 2", "select $a$;$b$a$;" BAR "select 2" },
                { "select $_1\xc3\xa5$;$_1\xc3\xa5$;select 2",
                  "select $_1\xc3\xa5$;$_1\xc3\xa5$;" BAR "select 2" },
                { "select $A$;$a$;$A$;select 2", "select $A$;$a$;$A$;" BAR "select 2" },
                { "select $1;select $2$$;$$;", "select $1;" BAR "select $2$$;$$;" },
                { "select $1$;select 2;", "select $1$;" BAR "select 2;" },
                { "select a$b;select 2$;", "select a$b;" BAR "select 2$;" },
                { "select foo$bar$baz;select 2;", "select foo$bar$baz;" BAR "select 2;" },
                { "select a$$;select $$;$$;", "select a$$;" BAR "select $$;$$;" },
                { "select $a b$;select 2;", "select $a b$;" BAR "select 2;" },
                { "select 1$$;$$;select 2;", "select 1$$;$$;" BAR "select 2;" },
        };

        (void) state;
        CHECK(cases);
}

#define FUNCTION "create function f() returns int begin atomic "

static void test_bodies(void **state)
{
        static const Case cases[] = {
                { FUNCTION "select 1; select 2; end; select 3;",
                  FUNCTION "select 1; select 2; end;" BAR "select 3;" },
                { FUNCTION
                  "select case when true then case 1 when 1 then 2 end end; select 2; END; x;",
                  FUNCTION
                  "select case when true then case 1 when 1 then 2 end end; select 2; END;" BAR
                  "x;" },
                { FUNCTION "select t.end, t.case, 1 as end; select 1; end; x;",
                  FUNCTION "select t.end, t.case, 1 as end; select 1; end;" BAR "x;" },
                { FUNCTION "select (case 1 when 1 then 2 end); select 1; end; x;",
                  FUNCTION "select (case 1 when 1 then 2 end); select 1; end;" BAR "x;" },
                { FUNCTION "select \"end\" from t; select 'end'; end; x;",
                  FUNCTION "select \"end\" from t; select 'end'; end;" BAR "x;" },
                { FUNCTION "begin select 1; end; select 2; end; x;",
                  FUNCTION "begin select 1; end; select 2; end;" BAR "x;" },
                { FUNCTION "select begin from t; end; x;",
                  FUNCTION "select begin from t; end;" BAR "x;" },
                { "create or replace procedure p() begin /**/ atomic a; end; x;",
                  "create or replace procedure p() begin /**/ atomic a; end;" BAR "x;" },
                { "CREATE OR REPLACE FUNCTION p() BEGIN ATOMIC a; END; x;",
                  "CREATE OR REPLACE FUNCTION p() BEGIN ATOMIC a; END;" BAR "x;" },
                { "create function begin() returns int return 1; x;",
                  "create function begin() returns int return 1;" BAR "x;" },
                { "create table begin atomic; x;", "create table begin atomic;" BAR "x;" },
                { "begin; case; end;", "begin;" BAR "case;" BAR "end;" },
                { "begin atomic; x; end;", "begin atomic;" BAR "x;" BAR "end;" },
                { "create function f() as $$ begin x; end $$ language plpgsql; x;",
                  "create function f() as $$ begin x; end $$ language plpgsql;" BAR "x;" },
        };

        (void) state;
        CHECK(cases);
}

static void test_copy(void **state)
{
        static const Case cases[] = {
                { "copy t from stdin;\n1;'\n\\.\nselect 1;",
                  "copy t from stdin;[1;'\n]" BAR "select 1;" },
                { "COPY s.\"T;\" (a, \"b\") FROM STDIN WITH (FORMAT csv);\r\n1\r\n\\.\r\nx;",
                  "COPY s.\"T;\" (a, \"b\") FROM STDIN WITH (FORMAT csv);[1\r\n]" BAR "x;" },
                { "copy t from stdin where a > 1;\n\\.\nx;",
                  "copy t from stdin where a > 1;[]" BAR "x;" },
                { "copy t from stdin; \t-- the data\n1\n\\.\nx;",
                  "copy t from stdin;[1\n]" BAR "x;" },
                { "copy t from stdin;\n\\.x\n \\.\n\\\\.\n\\. \n\\.\nx;",
                  "copy t from stdin;[\\.x\n \\.\n\\\\.\n\\. \n]" BAR "x;" },
                { "copy t from stdin;\n1\n2", "copy t from stdin;[1\n2]" },
                { "copy t from stdin;\n1\n\\.", "copy t from stdin;[1\n]" },
                { "copy t from stdin;\n1\n\\.\r", "copy t from stdin;[1\n]" },
                { "copy t from stdin;", "copy t from stdin;[]" },
                { "copy t from stdin", "copy t from stdin[]" },
                { "copy t from stdin;\n", "copy t from stdin;[]" },
                { "copy a from stdin;\n1\n\\.\ncopy b from stdin;\n2\n\\.\n",
                  "copy a from stdin;[1\n]" BAR "copy b from stdin;[2\n]" },
                { "copy t from /* from stdin */ 'file';\nx;",
                  "copy t from /* from stdin */ 'file';" BAR "x;" },
                { "copy t to stdout; x;", "copy t to stdout;" BAR "x;" },
                { "copy (select 1 from stdin) to stdout; x;",
                  "copy (select 1 from stdin) to stdout;" BAR "x;" },
                { "\\restrict k3y\n\n-- x\n\\unrestrict k3y\nselect 1;\n\\unrestrict k3y",
                  "select 1;" },
        };

        (void) state;
        CHECK(cases);
}

static void test_errors(void **state)
{
        static const struct {
                const char *text, *want;
                unsigned long line, column;
        } cases[] = {
                { "select 1;\nselect 'a\nb;\n",
                  "a string in quotes that begins on line 2 does not end", 2, 8 },
                { "select E'a\\';", "a string in quotes that begins on line 1 does not end", 1, 8 },
                { "select E'a\\", "a string in quotes that begins on line 1 does not end", 1, 8 },
                { "select E'a'\n'b", "a string in quotes that begins on line 1 does not end", 1,
                  8 },
                { "\n\nselect U&'", "a string in quotes that begins on line 3 does not end", 3, 8 },
                { "select \"a", "a name in double quotes that begins on line 1 does not end", 1,
                  8 },
                { "\xef\xbb\xbfselect '\xc3\xa5', $a$ $A$",
                  "a dollar-quoted string that begins on line 1 does not end", 1, 13 },
                { "\nselect /* /* */ 1;", "a comment that begins on line 2 does not end", 2, 8 },
                { "select 1; /*", "a comment that begins on line 1 does not end", 1, 11 },
                { "/*/", "a comment that begins on line 1 does not end", 1, 1 },
                { "select (\n(1); select 2;",
                  "a statement in which a parenthesis that begins on line 1 does not end", 1, 8 },
                { FUNCTION "select 1; x;", "a function body that begins on line 1 does not end", 1,
                  33 },
                { "select 1;\n \\d foo\n", "psql meta-command \"\\d\" in a migration", 2, 2 },
                { "select 1 \\gset x\n", "psql meta-command \"\\gset\" in a migration", 1, 10 },
                { "\\restricted\n", "psql meta-command \"\\restricted\" in a migration", 1, 1 },
                { "\\", "psql meta-command \"\\\" in a migration", 1, 1 },
                { "\\\x01\xff", "psql meta-command \"\\\" in a migration", 1, 1 },
                { "select 1;\n\\.\n", "\"\\.\" stands outside COPY data", 2, 1 },
                { "copy t from stdin; select 1;\n\\.\n",
                  "text after COPY ... FROM stdin; on the same line", 1, 20 },
                { "copy t from stdin; /* x */\n\\.\n",
                  "text after COPY ... FROM stdin; on the same line", 1, 20 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char buf[1024];
                Error err = { 0 };

                assert_int_equal(split(buf, sizeof buf, cases[i].text, strlen(cases[i].text), &err),
                                 -ERROR_CHANGELOG);
                assert_string_equal(err.text, cases[i].want);
                assert_string_equal(err.path, "V1__x.sql");
                assert_int_equal(err.line, cases[i].line);
                assert_int_equal(err.column, cases[i].column);
        }
}

static void test_nul(void **state)
{
        static const struct {
                const char *text;
                size_t len;
                unsigned long line, column;
        } cases[] = {
                { "select 1\0;", 10, 1, 9 },
                { "select 1;\n\0", 11, 2, 1 },
                { "select 'a\0", 10, 1, 10 },
                { "copy t from stdin;\n1\0\n\\.\n", 25, 2, 2 },
                { "copy t from stdin;\0\n1\n\\.\n", 25, 1, 19 },
                { "-- \0\n", 5, 1, 4 },
                { "\0", 1, 1, 1 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char buf[256];
                Error err = { 0 };

                assert_int_equal(split(buf, sizeof buf, cases[i].text, cases[i].len, &err),
                                 -ERROR_CHANGELOG);
                assert_string_equal(err.text, "a NUL byte in a migration");
                assert_int_equal(err.line, cases[i].line);
                assert_int_equal(err.column, cases[i].column);
        }
}

static void test_fields(void **state)
{
        static const char text[] =
                "\n-- one\n\nselect 1;\n copy t from stdin;\na\nb\n\\.\n\nselect\n2;select 3";
        Scanner s;
        Statement st;
        Error err;

        (void) state;
        scanner_init(&s, text, sizeof text - 1, "x");
        assert_int_equal(scanner_next(&s, &st, &err), 1);
        assert_int_equal(st.line, 4);
        assert_int_equal(st.start, 1);
        assert_int_equal(st.first, strstr(text, "select 1") - text);
        assert_int_equal(st.next, st.end);
        assert_int_equal(st.payload_start, st.payload_end);
        assert_int_equal(scanner_next(&s, &st, &err), 1);
        assert_int_equal(st.line, 5);
        assert_memory_equal(text + st.payload_start, "a\nb\n", st.payload_end - st.payload_start);
        assert_int_equal(st.next, strstr(text, "\nselect\n2") - text);
        assert_int_equal(s.line, 9);
        assert_int_equal(scanner_next(&s, &st, &err), 1);
        assert_int_equal(st.line, 10);
        assert_int_equal(scanner_next(&s, &st, &err), 1);
        assert_int_equal(st.line, 11);
        assert_int_equal(st.end, sizeof text - 1);
        assert_int_equal(scanner_next(&s, &st, &err), 0);
        assert_int_equal(scanner_next(&s, &st, &err), 0);
        scanner_init(&s, NULL, 0, "x");
        assert_int_equal(scanner_next(&s, &st, &err), 0);
}

/* Where the rules of psql and Flyway part: how many statements we find instead. */
static const char *expected_instead(const char *sql, size_t *count)
{
        static const struct {
                const char *sql;
                size_t count; /* 0: an error */
        } cases[] = {
                { "insert into t values (e'a\\';b'); select 2;", 2 },
                { "select $1; select 2;", 2 },
                { "select 'unterminated; select 2", 0 },
                { "select (1; select 2;", 0 },
                { "\\d foo\nselect 1;", 0 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                if (strcmp(cases[i].sql, sql) == 0) {
                        *count = cases[i].count;
                        return cases[i].sql;
                }
        return NULL;
}

/* Flyway does not know of these. */
static bool flyway_misses(const char *sql)
{
        static const char *const missed[] = { "reindex table concurrently t;",
                                              "reindex index concurrently t;",
                                              "alter table t detach partition p concurrently;",
                                              "cluster;" };

        for (size_t i = 0; i < sizeof missed / sizeof *missed; i++)
                if (strcmp(missed[i], sql) == 0)
                        return true;
        return false;
}

static void check_flyway(const char *sql, const json_t *want)
{
        Scanner s;
        Statement st;
        Error err;
        size_t n = 0, count = 0, instead = 0;
        const char *ours = expected_instead(sql, &instead);
        int r;

        scanner_init(&s, sql, strlen(sql), "x");
        for (; (r = scanner_next(&s, &st, &err)) > 0; n++) {
                const json_t *w = json_array_get(want, n);
                const char *text = json_string_value(json_object_get(w, "sql"));
                size_t len = st.end - st.start;

                if (ours)
                        continue;
                assert_non_null(text);
                while (len > 0 && strchr("; \n", sql[st.start + len - 1]))
                        len--;
                assert_int_equal(len, strlen(text));
                assert_memory_equal(sql + st.start, text, len);
                /* Flyway drops the comments before it gives the line, as we do. */
                assert_int_equal(st.line, json_integer_value(json_object_get(w, "line")));
                assert_int_equal(statement_is_nontx(&st, 110000),
                                 flyway_misses(sql) || !json_is_true(json_object_get(w, "tx")));
                assert_int_equal(st.kind == STATEMENT_COPY_IN,
                                 strcmp(json_string_value(json_object_get(w, "kind")), "copy") ==
                                         0);
        }
        count = ours ? instead : json_array_size(want);
        if (count == 0) {
                assert_int_equal(r, -ERROR_CHANGELOG);
                return;
        }
        assert_int_equal(r, 0);
        assert_int_equal(n, count);
}

static void test_flyway_vectors(void **state)
{
        const char *srcdir = getenv("srcdir");
        char path[4096];
        json_error_t error;
        json_t *all = *state, *cases, *one;
        size_t i;

        (void) snprintf(path, sizeof path, "%s/tests/vectors/flyway.json", srcdir ? srcdir : ".");
        *state = all = json_load_file(path, 0, &error);
        if (!all)
                fail_msg("%s: %s", path, error.text);
        cases = json_object_get(json_object_get(all, "statements"), "cases");
        assert_int_equal(json_array_size(cases), 61);
        json_array_foreach(cases, i, one) check_flyway(
                json_string_value(json_object_get(one, "sql")), json_object_get(one, "statements"));
}

static int free_vectors(void **state)
{
        json_decref(*state);
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_statements),
                cmocka_unit_test(test_quotes),
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_fields),
                cmocka_unit_test_teardown(test_flyway_vectors, free_vectors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
