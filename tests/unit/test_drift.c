#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/drift.h"
#include "util/text.h"

#define A "00000000000000000000000000000000"
#define B "ffffffffffffffffffffffffffffffff"

static json_t *objects(const char *text)
{
        json_error_t why;
        json_t *o = json_loads(text, 0, &why);

        if (!o)
                fail_msg("%s: %s", text, why.text);
        return json_pack("{s:o}", "objects", o);
}

static void test_compare(void **state)
{
        static const struct {
                const char *before, *now, *changes;
        } cases[] = {
                { "{}", "{}", "" },
                { "{\"table\":{\"a.b\":\"" A "\"}}", "{\"table\":{\"a.b\":\"" A "\"}}", "" },
                { "{\"table\":{\"a.b\":\"" A "\"}}", "{\"table\":{\"a.b\":\"" B "\"}}",
                  "changed table a.b;" },
                { "{}", "{\"view\":{\"a.b\":\"" A "\"}}", "added view a.b;" },
                { "{\"view\":{\"a.b\":\"" A "\"}}", "{}", "removed view a.b;" },
                /* the same name, of another kind */
                { "{\"view\":{\"a.b\":\"" A "\"}}", "{\"table\":{\"a.b\":\"" A "\"}}",
                  "added table a.b;removed view a.b;" },
                /* parts of what is in both */
                { "{\"table\":{\"t\":\"" A "\"},\"column\":{\"t.x\":\"" A " t\",\"t.y\":\"" A
                  " t\"}}",
                  "{\"table\":{\"t\":\"" A "\"},\"column\":{\"t.x\":\"" B " t\",\"t.z\":\"" A
                  " t\"}}",
                  "changed column t.x;added column t.z;removed column t.y;" },
                /* parts of what came or went are not worth a line each */
                { "{}", "{\"table\":{\"t\":\"" A "\"},\"column\":{\"t.x\":\"" A " t\"}}",
                  "added table t;" },
                { "{\"materialized view\":{\"t\":\"" A "\"},\"index\":{\"i\":\"" A " t\"}}", "{}",
                  "removed materialized view t;" },
                /* the part now belongs to another */
                { "{\"table\":{\"t\":\"" A "\",\"u\":\"" A "\"},\"index\":{\"i\":\"" A " t\"}}",
                  "{\"table\":{\"t\":\"" A "\",\"u\":\"" A "\"},\"index\":{\"i\":\"" B " u\"}}",
                  "changed index i;" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                json_t *before = objects(cases[i].before), *now = objects(cases[i].now), *list, *v;
                _cleanup_text_ Text t = TEXT_INIT(4096);
                size_t n;
                Error err;

                assert_int_equal(drift_compare(&list, before, now, &err), 0);
                json_array_foreach(list, n, v) text_printf(
                        &t, "%s %s %s;", json_string_value(json_object_get(v, "change")),
                        json_string_value(json_object_get(v, "kind")),
                        json_string_value(json_object_get(v, "object")));
                assert_string_equal(text_str(&t), cases[i].changes);
                json_decref(list);
                json_decref(before);
                json_decref(now);
        }
}

static void test_obstacle(void **state)
{
        static const char *const now = "{\"server\":15,\"schemas\":[\"a\"],\"next_rank\":3,"
                                       "\"objects\":{},\"taken_at\":\"now\"}";
        static const struct {
                const char *before, *why; /* a part of it; NULL: comparable */
        } cases[] = {
                { "{\"server\":15,\"schemas\":[\"a\"],\"next_rank\":3,\"objects\":{}}", NULL },
                { "{\"server\":14,\"schemas\":[\"a\"],\"next_rank\":3,\"objects\":{}}", "version" },
                { "{\"server\":15,\"schemas\":[\"b\"],\"next_rank\":3,\"objects\":{}}", "schemas" },
                { "{\"server\":15,\"schemas\":[\"a\"],\"next_rank\":2,\"objects\":{}}", "history" },
                { "{\"server\":15,\"schemas\":[\"a\"],\"next_rank\":3,\"objects\":null}", "end" },
                { "{}", "end" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                json_t *a = json_loads(cases[i].before, 0, NULL), *b = json_loads(now, 0, NULL);
                const char *why = drift_obstacle(a, b);

                if (cases[i].why)
                        assert_non_null(strstr(why ? why : "", cases[i].why));
                else
                        assert_null(why);
                json_decref(a);
                json_decref(b);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_obstacle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
