#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "torture.h"
#include "util/secret.h"

static char path[] = "/tmp/test_secret.XXXXXX";

static int setup(void **state)
{
        _cleanup_close_ int fd = mkstemp(path);

        (void) state;
        return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        (void) state;
        return unlink(path);
}

static void put(const char *bytes, size_t len)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, len), len);
}

static void test_file(void **state)
{
        static const struct {
                const char *content;
                size_t len;
                const char *value, *text; /* one of them; text with the path before it */
        } cases[] = {
                { "s3cret", 6, "s3cret", NULL },
                { "s3cret\n", 7, "s3cret", NULL },
                { "s3cret\r\nmore\n", 13, "s3cret", NULL },
                { " kept \nx", 8, " kept ", NULL },
                { "a\rb\n", 4, "a\rb", NULL },
                { "a\r", 2, "a\r", NULL },
                { "", 0, NULL, ": first line is empty" },
                { "\nsecond\n", 8, NULL, ": first line is empty" },
                { "\r\n", 2, NULL, ": first line is empty" },
                { "a\0b", 3, NULL, ": has a NUL byte in it" },
        };
        Error err;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(secret_freep) Secret *s = NULL;
                int r;

                put(cases[i].content, cases[i].len);
                r = secret_read_file(&s, path, &err);
                assert_int_equal(r, cases[i].value ? 0 : -ERROR_CONFIG);
                assert_string_equal(secret_reveal(s), cases[i].value ? cases[i].value : "");
                if (r < 0) {
                        assert_memory_equal(err.text, path, strlen(path));
                        assert_string_equal(err.text + strlen(path), cases[i].text);
                        assert_null(strstr(err.text, "second"));
                }
        }
}

static void test_file_limits(void **state)
{
        _cleanup_(secret_freep) Secret *s = NULL;
        _cleanup_free_ char *big = malloc(64 * 1024 + 1);
        Error err;

        (void) state;
        assert_non_null(big);
        memset(big, 'k', 64 * 1024 + 1);
        put(big, 64 * 1024 + 1);
        assert_int_equal(secret_read_file(&s, path, &err), -ERROR_CONFIG);
        assert_non_null(strstr(err.text, "larger than 65536 bytes"));
        put(big, 64 * 1024);
        assert_int_equal(secret_read_file(&s, path, &err), 0);
        assert_int_equal(strlen(secret_reveal(s)), 64 * 1024);
        s = secret_free(s);
        assert_int_equal(secret_read_file(&s, "/nonexistent/password", &err), -ERROR_CONFIG);
        assert_string_equal(err.text,
                            "/nonexistent/password: cannot open: No such file or directory");
        assert_null(s);
}

static void test_equal(void **state)
{
        static const struct {
                const char *a, *b;
                bool equal;
        } cases[] = {
                { "", "", true },        { "abc", "abc", true }, { "abc", "abd", false },
                { "abc", "xbc", false }, { "abc", "ab", false }, { "", NULL, false },
                { NULL, "", false },     { NULL, NULL, true },   { "\xff", "\x7f", false },
        };
        Error err;

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(secret_freep) Secret *a = NULL, *b = NULL;

                if (cases[i].a)
                        assert_int_equal(secret_new(&a, cases[i].a, &err), 0);
                if (cases[i].b)
                        assert_int_equal(secret_new(&b, cases[i].b, &err), 0);
                assert_true(secret_equal(a, b) == cases[i].equal);
        }
}

static void test_torture(void **state)
{
        Error err;
        int r = -1;
        unsigned n;

        (void) state;
        put("pw\n", 3);
        for (n = 1; r < 0; n++) {
                _cleanup_(secret_freep) Secret *s = NULL;

                torture_fail_nth(n);
                r = secret_read_file(&s, path, &err);
                torture_off();
                assert_true(r == 0 || (r == -ERROR_OOM && !s));
        }
        assert_int_equal(n, 4); /* two allocations failed before it worked */
        secret_wipe_string(NULL);
        assert_null(secret_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_file_limits),
                cmocka_unit_test(test_equal),
                cmocka_unit_test(test_torture),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
