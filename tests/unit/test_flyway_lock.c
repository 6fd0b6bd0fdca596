#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flyway_vectors.h"
#include "format/flyway/flyway.h"

/* Undoes one "quoted name" into buf; returns what follows it. */
static const char *unquote(char *buf, const char *s)
{
        for (s++; *s != '"' || s[1] == '"'; s++) {
                if (*s == '"')
                        s++;
                *buf++ = *s;
        }
        *buf = '\0';
        return s + 1;
}

static void test_observed_keys(void **state)
{
        json_t *vectors = load_vectors(), *v;
        json_t *cases = json_object_get(json_object_get(vectors, "lock"), "cases");
        size_t i;

        (void) state;
        assert_true(json_array_size(cases) >= 5);
        json_array_foreach(cases, i, v)
        {
                char schema[100], table[100];
                const char *rest = unquote(schema, vector_text(v, "table"));
                FormatOptions o = { .table = table };
                FormatContext ctx = { .options = &o, .schema = schema };
                int64_t keys[FORMAT_MAX_LOCK_KEYS];

                (void) unquote(table, rest + 1);
                assert_int_equal(flyway_lock_keys(&ctx, keys), 1);
                assert_true(keys[0] == json_integer_value(json_object_get(v, "lock")));
        }
        json_decref(vectors);
}

/* "\U0001F600" is D83D DE00 in Java: 31 * 0xd83d + 0xde00, between the quotes and dots of an empty rest. */
static void test_surrogates(void **state)
{
        FormatOptions o = { .table = (char[]){ "t" } };
        FormatContext ctx = { .options = &o, .schema = "\xf0\x9f\x98\x80" };
        static const uint32_t units[] = { '"', 0xd83d, 0xde00, '"', '.', '"', 't', '"' };
        int64_t keys[FORMAT_MAX_LOCK_KEYS];
        uint32_t h = 0;

        (void) state;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                h = 31 * h + units[i];
        (void) flyway_lock_keys(&ctx, keys);
        assert_true(keys[0] == INT64_C(77431708279161) + (int32_t) h);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_observed_keys),
                                            cmocka_unit_test(test_surrogates) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
