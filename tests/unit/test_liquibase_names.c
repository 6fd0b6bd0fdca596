#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/sql/sql.h"

static SqlContext context(Quoting quoting)
{
        return (SqlContext){ .default_schema = "public", .quoting = quoting };
}

static void test_name(void **state)
{
        (void) state;
        static const struct {
                const char *name, *legacy, *all, *reserved;
        } cases[] = {
                { "lower", "lower", "\"lower\"", "lower" },
                { "UPPER", "UPPER", "\"UPPER\"", "UPPER" },
                { "Mixed", "\"Mixed\"", "\"Mixed\"", "Mixed" },
                { "user", "\"user\"", "\"user\"", "\"user\"" },
                { "Order", "\"Order\"", "\"Order\"", "\"Order\"" },
                { "ALL", "\"ALL\"", "\"ALL\"", "\"ALL\"" },
                { "with", "\"with\"", "\"with\"", "\"with\"" },
                { "type", "type", "\"type\"", "type" },
                { "with-dash", "\"with-dash\"", "\"with-dash\"", "\"with-dash\"" },
                { "1st", "\"1st\"", "\"1st\"", "\"1st\"" },
                { "has space", "\"has space\"", "\"has space\"", "\"has space\"" },
                { "a_1", "a_1", "\"a_1\"", "a_1" },
                { "sum$", "\"sum$\"", "\"sum$\"", "\"sum$\"" },
                { "\xc3\xbcnicode", "\"\xc3\xbcnicode\"", "\"\xc3\xbcnicode\"",
                  "\"\xc3\xbcnicode\"" },
                { "in\"side", "\"in\"\"side\"", "\"in\"\"side\"", "\"in\"\"side\"" },
                { "", "", "\"\"", "" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *want[] = { [QUOTING_LEGACY] = cases[i].legacy,
                                       [QUOTING_ALL] = cases[i].all,
                                       [QUOTING_RESERVED] = cases[i].reserved };

                for (size_t q = 0; q < 3; q++) {
                        _cleanup_text_ Text t = TEXT_INIT(1000);
                        SqlContext x = context((Quoting) q);

                        sql_name(&t, &x, cases[i].name);
                        assert_string_equal(text_str(&t), want[q]);
                }
        }
}

static void test_qualified(void **state)
{
        (void) state;
        static const struct {
                const char *schema, *name, *fallback, *want;
        } cases[] = {
                { NULL, "t", "public", "public.t" }, { "", "t", "public", "public.t" },
                { "app", "t", "public", "app.t" },   { "Mixed", "T1", "public", "\"Mixed\".T1" },
                { NULL, "t", "Main", "\"Main\".t" }, { NULL, "t", NULL, "t" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                SqlContext x = { .default_schema = cases[i].fallback };

                sql_qualified(&t, &x, cases[i].schema, cases[i].name);
                assert_string_equal(text_str(&t), cases[i].want);
        }
}

static void test_columns(void **state)
{
        (void) state;
        static const char *const cases[][2] = {
                { "a", "a" },
                { "a,b", "a, b" },
                { " a ,  Bc", "a, \"Bc\"" },
                { "user,x", "\"user\", x" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                SqlContext x = context(QUOTING_LEGACY);

                sql_columns(&t, &x, cases[i][0]);
                assert_string_equal(text_str(&t), cases[i][1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_qualified),
                cmocka_unit_test(test_columns),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
