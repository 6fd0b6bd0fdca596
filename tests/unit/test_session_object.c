#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg/session_object.h"

static void test_made(void **state)
{
        static const struct {
                const char *sql, *name; /* NULL: nothing that lasts as long as the session */
        } cases[] = {
                { "CREATE TEMP TABLE a (x int);", "a" },
                { "create temporary table if not exists a as select 1", "a" },
                { "/* why */ CREATE LOCAL TEMP TABLE \"A b\" (x int);", "A b" },
                { "CREATE OR REPLACE TEMP RECURSIVE VIEW v (n) AS SELECT 1;", "v" },
                { "CREATE TEMP SEQUENCE s;", "s" },
                { "CREATE TABLE pg_temp.a (x int);", "a" },
                { "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "f" },
                { "CREATE TEMP TABLE a (x int) ON COMMIT DROP;", NULL },
                { "CREATE TEMP TABLE a (x int) ON COMMIT DELETE ROWS;", "a" },
                { "SELECT 1 AS x INTO TEMP a FROM t;", "a" },
                { "WITH w AS (SELECT 1) SELECT * INTO TEMPORARY TABLE a FROM w;", "a" },
                { "SELECT 1 AS x INTO pg_temp.a;", "a" },
                { "SELECT 1 AS x INTO a;", NULL },
                { "SELECT (SELECT 'INTO TEMP a');", NULL },
                { "PREPARE p (int) AS SELECT $1;", "p" },
                { "PREPARE TRANSACTION 'p';", NULL },
                { "DECLARE c CURSOR WITH HOLD FOR SELECT 1;", "c" },
                { "DECLARE c NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1;", NULL },
                { "DECLARE c CURSOR FOR SELECT 1 FOR UPDATE;", NULL },
                { "CREATE TABLE a (x int);", NULL },
                { "CREATE UNLOGGED TABLE a (x int);", NULL },
                { "CREATE TABLE temp (x int);", NULL },
                { "CREATE", NULL },
                { "DECLARE", NULL },
                { "PREPARE", NULL },
                { "UPDATE t SET a = 1;", NULL },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *sql = cases[i].sql;
                SessionObject o = { .start = 0 };
                Scanner scanner;
                Statement st;
                Error err;
                bool made;

                scanner_init(&scanner, sql, strlen(sql), "test");
                assert_int_equal(scanner_next(&scanner, &st, &err), 1);
                made = session_object_made(&o, sql, &st);
                if (made != (cases[i].name != NULL) ||
                    (made && (o.end - o.start != strlen(cases[i].name) ||
                              memcmp(sql + o.start, cases[i].name, o.end - o.start) != 0)))
                        fail_msg("%s: %.*s", sql, made ? (int) (o.end - o.start) : 0,
                                 sql + o.start);
        }
}

static void test_used(void **state)
{
        static const struct {
                const char *text; /* after the name, which is "abc" */
                bool used;
        } cases[] = {
                { "abc", true },
                { "SELECT ABC.x", true },
                { "(\"abc\")", true },
                { "SELECT abcd", false },
                { "x_abc", false },
                { "", false },
                { "ab", false },
                { "$abc$", false },
                { "abc2 abc", true },
                { "\xc3\xa9"
                  "abc",
                  false },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const SessionObject o = { .start = 0, .end = 3 };
                char text[64] = "abc;";

                (void) strcat(text, cases[i].text);
                if (session_object_used(&o, text, 4, strlen(text)) != cases[i].used)
                        fail_msg("%s", cases[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_made),
                cmocka_unit_test(test_used),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
