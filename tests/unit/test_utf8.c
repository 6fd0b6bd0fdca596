#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/utf8.h"

static const struct {
        const char *text;
        size_t valid, count; /* count of the valid prefix */
        const char *shown;
} cases[] = {
        { "", 0, 0, "" },
        { "plain\n\x7f", 7, 7, "plain\n\x7f" },
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98", 9, 3, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98" },
        { "\xf4\x8f\xbf\xbf", 4, 1, "\xf4\x8f\xbf\xbf" },        /* the last code point */
        { "\xf4\x90\x80\x80", 0, 0, "????" },                    /* one more */
        { "\xed\x9f\xbf\xed\xa0\x80", 3, 1, "\xed\x9f\xbf???" }, /* a surrogate */
        { "\xee\x80\x80", 3, 1, "\xee\x80\x80" },
        { "a\xc0\x80", 1, 1, "a??" }, /* overlong NUL */
        { "a\xc1\xbf", 1, 1, "a??" },
        { "\xe0\x9f\xbf", 0, 0, "???" }, /* overlong */
        { "\xe0\xa0\x80", 3, 1, "\xe0\xa0\x80" },
        { "\xf0\x8f\xbf\xbf", 0, 0, "????" }, /* overlong */
        { "\xf0\x90\x80\x80", 4, 1, "\xf0\x90\x80\x80" },
        { "a\x80z", 1, 1, "a?z" }, /* a lone continuation */
        { "a\xff\xfez", 1, 1, "a??z" },
        { "ab\xe2\x82", 2, 2, "ab??" }, /* cut */
        { "\xe2\x28\xa1", 0, 0, "?(?" },
        { "\xf5\x80\x80\x80", 0, 0, "????" },
};

static void test_cases(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char buf[32];

                assert_int_equal(utf8_valid_prefix(cases[i].text, strlen(cases[i].text)),
                                 cases[i].valid);
                assert_int_equal(utf8_count(cases[i].text, cases[i].valid), cases[i].count);
                utf8_sanitize(buf, sizeof buf, cases[i].text);
                assert_string_equal(buf, cases[i].shown);
        }
        assert_int_equal(utf8_valid_prefix("a\0b", 3), 3);
}

/* The length given is the end, also within a character and without a NUL byte after it. */
static void test_respects_length(void **state)
{
        (void) state;
        assert_int_equal(utf8_valid_prefix("x\xe2\x82\xac", 3), 1);
        assert_int_equal(utf8_valid_prefix("x\xe2\x82\xac", 4), 4);
        assert_int_equal(utf8_valid_prefix((const char[]){ '\xf0' }, 1), 0);
}

static void test_sanitize_cuts_at_a_character(void **state)
{
        static const char *const cut[] = { "", "a", "a", "a", "a\342\202\254", "a\342\202\254z" };

        (void) state;
        for (size_t size = 1; size <= 6; size++) {
                char buf[7];

                memset(buf, 'x', sizeof buf);
                utf8_sanitize(buf, size, "a\342\202\254z");
                assert_string_equal(buf, cut[size - 1]);
                assert_int_equal(buf[size], 'x');
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_respects_length),
                cmocka_unit_test(test_sanitize_cuts_at_a_character),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
