#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/clock.h"

static void test_format(void **state)
{
        static const struct {
                uint64_t usec;
                const char *text;
        } cases[] = {
                { 0, "1970-01-01T00:00:00.000Z" },
                { 999, "1970-01-01T00:00:00.000Z" },
                { 1000, "1970-01-01T00:00:00.001Z" },
                { 951782399999999, "2000-02-28T23:59:59.999Z" },
                { 951782400000000, "2000-02-29T00:00:00.000Z" },
                { 1795576500123000, "2026-11-25T03:15:00.123Z" },
                { 4102444800000000, "2100-01-01T00:00:00.000Z" },
        };
        char buf[CLOCK_TEXT_MAX];

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_string_equal(clock_format(cases[i].usec, buf), cases[i].text);
        assert_true(strlen(clock_format(UINT64_MAX, buf)) < sizeof buf);
}

static void test_after(void **state)
{
        uint64_t before = clock_monotonic(), t = clock_after(USEC_PER_SEC),
                 after = clock_monotonic();

        (void) state;
        assert_in_range(t, before + USEC_PER_SEC, after + USEC_PER_SEC);
        assert_true(clock_after(USEC_INFINITY) == USEC_INFINITY);
        assert_true(clock_after(USEC_INFINITY - 1) == USEC_INFINITY);
}

static void test_clocks_differ(void **state)
{
        uint64_t cpu = clock_thread_cpu(), t = clock_monotonic();

        (void) state;
        while (clock_monotonic() - t < 2 * USEC_PER_MSEC)
                ;
        assert_true(clock_thread_cpu() > cpu);
        assert_true(clock_wall() > 1700000000ULL * USEC_PER_SEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_after),
                cmocka_unit_test(test_clocks_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
