#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/clock.h"
#include "util/parse.h"

#define UNTOUCHED 12321

typedef int (*Reader)(uint64_t *ret, const char *s, Error *err);

static void test_quantities(void **state)
{
        static const struct {
                Reader read;
                const char *text;
                uint64_t value;
        } cases[] = {
                { parse_uint, "0", 0 },
                { parse_uint, "0042", 42 },
                { parse_uint, "18446744073709551615", UINT64_MAX },
                { parse_size, "512", 512 },
                { parse_size, "7B", 7 },
                { parse_size, "64kB", 64000 },
                { parse_size, "64KiB", 65536 },
                { parse_size, "1MB", 1000000 },
                { parse_size, "1MiB", 1048576 },
                { parse_size, "3GB", 3000000000 },
                { parse_size, "2GiB", 2147483648 },
                { parse_duration, "0", 0 },
                { parse_duration, "0s", 0 },
                { parse_duration, "5us", 5 },
                { parse_duration, "250ms", 250000 },
                { parse_duration, "10s", 10 * USEC_PER_SEC },
                { parse_duration, "5min", 300 * USEC_PER_SEC },
                { parse_duration, "2h", 7200 * USEC_PER_SEC },
                { parse_duration, "1d", 86400 * USEC_PER_SEC },
                { parse_duration, "infinity", USEC_INFINITY },
        };
        Error err;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                uint64_t value = UNTOUCHED;

                assert_int_equal(cases[i].read(&value, cases[i].text, &err), 0);
                assert_true(value == cases[i].value);
        }
}

static void test_refuses(void **state)
{
        static const struct {
                Reader read;
                const char *text;
        } cases[] = {
                { parse_uint, "" },
                { parse_uint, " 1" },
                { parse_uint, "1 " },
                { parse_uint, "+1" },
                { parse_uint, "-1" },
                { parse_uint, "0x10" },
                { parse_uint, "1.5" },
                { parse_uint, "18446744073709551616" },
                { parse_uint, "99999999999999999999" },
                { parse_size, "" },
                { parse_size, "KiB" },
                { parse_size, "1 KiB" },
                { parse_size, "1kib" },
                { parse_size, "1K" },
                { parse_size, "-1B" },
                { parse_size, "17179869184GiB" },
                { parse_size, "18446744073709551615" },
                { parse_duration, "" },
                { parse_duration, "10" },
                { parse_duration, "10 s" },
                { parse_duration, "1.5s" },
                { parse_duration, "1h30min" },
                { parse_duration, "10S" },
                { parse_duration, "Infinity" },
                { parse_duration, "213503983d" },
                { parse_duration, "18446744073709551615us" }, /* would be "infinity" by accident */
        };
        Error err;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                uint64_t value = UNTOUCHED;

                assert_int_equal(cases[i].read(&value, cases[i].text, &err), -ERROR_CONFIG);
                assert_int_equal(value, UNTOUCHED);
                assert_non_null(strstr(err.text, cases[i].text));
        }
        assert_int_equal(parse_duration(&(uint64_t){ 0 }, "10 s", &err), -ERROR_CONFIG);
        assert_string_equal(err.text,
                            "'10 s' is not a duration: a whole number with us, ms, s, min, "
                            "h or d, 0, or infinity");
}

static void test_bool(void **state)
{
        static const struct {
                const char *text;
                int value; /* -1: refused */
        } cases[] = {
                { "yes", 1 },   { "no", 0 },  { "true", 1 }, { "false", 0 },
                { "on", 1 },    { "off", 0 }, { "1", 1 },    { "0", 0 },
                { "True", 1 },  { "OFF", 0 }, { "", -1 },    { "y", -1 },
                { "yes ", -1 }, { "2", -1 },  { "01", -1 },  { "enable\xff", -1 },
        };
        Error err;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                for (int before = 0; before < 2; before++) {
                        bool value = before;
                        int r = parse_bool(&value, cases[i].text, &err);

                        assert_int_equal(r, cases[i].value < 0 ? -ERROR_CONFIG : 0);
                        assert_int_equal(value, cases[i].value < 0 ? before : cases[i].value);
                }
        assert_string_equal(err.text, "'enable?' is not yes or no");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_quantities),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_bool),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
