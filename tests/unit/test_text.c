#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "util/text.h"

static void test_builds(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        char *s;

        (void) state;
        assert_string_equal(text_str(&t), "");
        text_append(&t, NULL, 0);
        text_add(&t, "a");
        text_addc(&t, 'b');
        text_printf(&t, "%03d%s", 7, "");
        text_append(&t, "xyz", 2);
        assert_string_equal(text_str(&t), "ab007xy");
        assert_int_equal(t.len, 7);
        for (unsigned i = 0; i < 1000; i++) /* over several growths */
                text_printf(&t, "%u", i % 10);
        assert_int_equal(t.len, 1007);
        assert_int_equal(strlen(t.s), 1007);
        text_clear(&t);
        assert_string_equal(text_str(&t), "");
        text_add(&t, "again");
        s = text_take(&t);
        assert_string_equal(s, "again");
        free(s);
        s = text_take(&t);
        assert_string_equal(s, "");
        free(s);
}

static void test_ceiling(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(5);

        (void) state;
        text_add(&t, "12345");
        assert_false(t.bad);
        text_add(&t, "");
        assert_false(t.bad);
        text_addc(&t, '6');
        assert_true(t.bad);
        assert_string_equal(text_str(&t), "12345");
        text_clear(&t);
        assert_false(t.bad);
        text_printf(&t, "%s", "123456");
        assert_true(t.bad);
        text_add(&t, "1"); /* would fit, but something before it is missing */
        assert_int_equal(t.len, 0);
        assert_null(text_take(&t));
        text_append(&t, "x", SIZE_MAX);
        assert_true(t.bad);
}

static void test_sql(void **state)
{
        static const struct {
                const char *raw, *literal, *identifier;
        } cases[] = {
                { "", "''", "\"\"" },
                { "it's", "'it''s'", "\"it's\"" },
                { "a\\'b", "E'a\\\\''b'", "\"a\\'b\"" },
                { "say \"x\"", "'say \"x\"'", "\"say \"\"x\"\"\"" },
        };
        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(100);

                text_add_sql_literal(&t, cases[i].raw);
                assert_string_equal(text_str(&t), cases[i].literal);
                text_clear(&t);
                text_add_sql_identifier(&t, cases[i].raw);
                assert_string_equal(text_str(&t), cases[i].identifier);
        }
}

static void test_torture(void **state)
{
        bool done = false;
        unsigned n;

        (void) state;
        for (n = 1; !done; n++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                char *s;

                torture_fail_nth(n);
                text_add(&t, "x");
                text_printf(&t, "%200s", "y");
                s = text_take(&t);
                torture_off();
                done = s;
                free(s);
        }
        assert_int_equal(n, 4); /* two allocations failed before it worked */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_builds),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_sql),
                cmocka_unit_test(test_torture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
