#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/model/match.h"

static void test_expressions(void **state)
{
        (void) state;
        static const struct {
                const char *expression, *names;
                int want; /* -1: cannot be parsed */
        } cases[] = {
                { NULL, "test", 1 },
                { "", "test", 1 },
                { "  ", "", 1 },
                { "test", "test,b", 1 },
                { "TEST", "test", 1 },
                { "test", "TEST", 1 },
                { "prod", "test,b", 0 },
                { "!prod", "test", 1 },
                { "! prod", "test", 1 },
                { "not prod", "test", 1 },
                { "NOT prod", "prod", 0 },
                { "notprod", "prod", 0 },
                { "test and prod", "test", 0 },
                { "test and b", "test,b", 1 },
                { "test or prod", "test", 1 },
                { "test, prod", "test", 1 },
                { "prod,qa,test", "test", 1 },
                { "prod,qa", "test", 0 },
                { "a or b and c", "b", 0 },
                { "a or b and c", "b,c", 1 },
                { "a or b and c", "a", 1 },
                { "TEST AND QA", "test", 0 },
                { "TEST AND QA", "test,qa", 1 },
                { "(test or qa) and !prod", "test,b", 1 },
                { "(test or qa) and !prod", "test,prod", 0 },
                { "test and (a or not b)", "test,b", 0 },
                { "!(prod or qa)", "test", 1 },
                { "!(prod or qa)", "qa", 0 },
                { "not (prod or qa)", "test", 1 },
                { "((a) and (b or (c)))", "a,c", 1 },
                { "@test", "test", 1 },
                { "@test", "", 0 },
                { "@other", "test", 0 },
                { "!@prod", "test", 1 },
                { "!@prod", "", 1 },
                { "@!prod", "", 1 },
                { "@ !prod", "prod", 0 },
                { "@not prod", "test", 1 },
                { "prod", "", 1 },
                { "!prod", "", 1 },
                { "test and prod", "", 1 },
                { "and", "and", 1 },
                { "a\tor\nb", "b", 1 },
                { "(a, b)", "a", -1 },
                { "(a", "", -1 },
                { "()", "a", -1 },
                { "a)", "a", 0 },
                { "\xfe", "a", -1 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Error err = { 0 };
                NameList names;

                assert_int_equal(name_list_parse(&names, &a, cases[i].names, &err), 0);
                int got = match_expression(cases[i].expression, &names, &err);
                if (got != cases[i].want && !(cases[i].want < 0 && got == -ERROR_CHANGELOG))
                        fail_msg("%s with %s: %d instead of %d", cases[i].expression,
                                 cases[i].names, got, cases[i].want);
        }
}

static void test_limits(void **state)
{
        (void) state;
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
        static char deep[1000], longer[2000], list[4000];
        const NameList none = { 0 };
        NameList names;
        Error err = { 0 };

        memset(deep, '(', 499);
        deep[499] = 'x';
        memset(deep + 500, ')', 499);
        assert_int_equal(match_expression(deep, &none, &err), 1);
        memset(longer, 'x', sizeof longer - 1);
        assert_int_equal(match_expression(longer, &none, &err), -ERROR_CHANGELOG);
        for (size_t i = 0; i < sizeof list - 1; i++)
                list[i] = i % 2 ? ',' : 'x';
        assert_int_equal(name_list_parse(&names, &a, list, &err), -ERROR_CHANGELOG);
}

static void test_lists(void **state)
{
        (void) state;
        static const struct {
                const char *text, *want; /* joined by | */
        } cases[] = {
                { NULL, "" },         { "", "" },       { " , ,", "" },       { "a", "a" },
                { " A , b ", "a|b" }, { "a,A,a", "a" }, { "a,,b,,", "a||b" }, { "x y,z", "x y|z" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                NameList names;
                char got[100] = "";
                Error err = { 0 };

                assert_int_equal(name_list_parse(&names, &a, cases[i].text, &err), 0);
                for (size_t k = 0; k < names.n; k++) {
                        (void) strcat(got, k ? "|" : "");
                        (void) strcat(got, names.names[k]);
                }
                assert_string_equal(got, cases[i].want);
        }
}

static void test_labels(void **state)
{
        (void) state;
        static const struct {
                const char *filter, *labels;
                int want;
        } cases[] = {
                { "", "a", 1 },
                { NULL, "a", 1 },
                { "alpha and !gamma", "alpha", 1 },
                { "alpha and !gamma", "ALPHA, beta", 1 },
                { "alpha and !gamma", "alpha,  beta ,gamma", 0 },
                { "alpha and !gamma", "", 1 },
                { "@alpha", "", 1 },
                { "alpha", "beta", 0 },
                { "(", "beta", -ERROR_CHANGELOG },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Error err = { 0 };

                assert_int_equal(match_labels(cases[i].filter, cases[i].labels, &a, &err),
                                 cases[i].want);
        }
}

static void test_dbms(void **state)
{
        (void) state;
        static const struct {
                const char *list;
                bool want;
                const char *unknown;
        } cases[] = {
                { NULL, true, "" },
                { "", true, "" },
                { "  ", true, "" },
                { "postgresql", true, "" },
                { " PostgreSQL , h2", true, "" },
                { "h2", false, "" },
                { "postgres", false, "postgres" },
                { "!postgresql", false, "" },
                { "!oracle", true, "" },
                { "!oracle, h2", false, "" },
                { "all", true, "" },
                { "none", false, "" },
                { "none, all", true, "" },
                { "h2,!postgresql", false, "" },
                { "postgresql,nosuchdb", true, "nosuchdb" },
                { "postgresql,!nosuchdb", true, "nosuchdb" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char buf[20];

                if (match_dbms(cases[i].list) != cases[i].want)
                        fail_msg("%s", cases[i].list);
                assert_string_equal(match_unknown_dbms(cases[i].list, buf, sizeof buf),
                                    cases[i].unknown);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expressions), cmocka_unit_test(test_limits),
                cmocka_unit_test(test_lists),       cmocka_unit_test(test_labels),
                cmocka_unit_test(test_dbms),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
