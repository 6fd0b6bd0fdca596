#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flyway_vectors.h"
#include "format/flyway/flyway.h"
#include "util/utf8.h"

static size_t from_hex(char *buf, const char *hex)
{
        size_t n = 0;
        unsigned byte;

        for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
                buf[n++] = (char) byte;
        return n;
}

static void test_observed_checksums(void **state)
{
        json_t *vectors = load_vectors(), *v;
        size_t i;

        (void) state;
        assert_non_null(vectors);
        assert_true(json_array_size(json_object_get(vectors, "checksum")) >= 24);
        json_array_foreach(json_object_get(vectors, "checksum"), i, v)
        {
                json_t *want = json_object_get(v, "checksum");
                char buf[4096];
                size_t n = from_hex(buf, vector_text(v, "input_hex"));

                if (!json_is_integer(want)) {
                        assert_true(utf8_valid_prefix(buf, n) < n);
                        continue;
                }
                if (flyway_checksum(buf, n) != (int32_t) json_integer_value(want))
                        fail_msg("%s: %d", vector_text(v, "what"), flyway_checksum(buf, n));
        }
        json_decref(vectors);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_observed_checksums) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
