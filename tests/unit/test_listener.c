#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/listener.h"

static const struct {
        const char *address, *host; /* host NULL: refused */
        const char *error;
} addresses[] = {
        /* clang-format off */
        { "127.0.0.1:0",     "127.0.0.1", NULL },
        { "127.1.2.3:0",     "127.1.2.3", NULL },
        { "localhost:0",     "localhost", NULL },
        { "0.0.0.0:8080",    NULL, "option listen: \"0.0.0.0:8080\" is not a loopback address" },
        { "192.168.1.1:80",  NULL, "not a loopback address" },
        { "[::]:8080",       NULL, "not a loopback address" },
        { "[::ffff:127.0.0.1]:1", NULL, "not a loopback address" },
        { "example.com:80",  NULL, "not a loopback address" },
        { "127.0.0.1",       NULL, "not an address and a port" },
        { "127.0.0.1:",      NULL, "not an address and a port" },
        { ":8080",           NULL, "not an address and a port" },
        { "127.0.0.1:65536", NULL, "not an address and a port" },
        { "127.0.0.1:-1",    NULL, "not an address and a port" },
        { "127.0.0.1:8x",    NULL, "not an address and a port" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1", NULL, "option listen" },
        /* clang-format on */
};

static void test_addresses(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
                char host[LISTENER_HOST_MAX];
                Listener l;
                Error err;
                int r = listener_open_tcp(&l, host, addresses[i].address, &err);

                if (!addresses[i].host) {
                        assert_int_equal(r, -ERROR_CONFIG);
                        assert_non_null(strstr(err.text, addresses[i].error));
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(host, addresses[i].host);
                assert_in_range(listener_port(&l), 1, 65535);
                listener_close(&l);
        }
}

static void test_port_in_use(void **state)
{
        char host[LISTENER_HOST_MAX], address[64];
        Listener first, second;
        Error err;

        (void) state;
        assert_int_equal(listener_open_tcp(&first, host, "127.0.0.1:0", &err), 0);
        (void) snprintf(address, sizeof address, "127.0.0.1:%u", listener_port(&first));
        assert_int_equal(listener_open_tcp(&second, host, address, &err), -ERROR_CONFIG);
        assert_non_null(strstr(err.text, address));
        assert_true(err.hint[0]);
        listener_close(&first);
}

static void test_unix(void **state)
{
        char directory[] = "/tmp/test_listener.XXXXXX", path[64];
        struct stat st;
        mode_t old = umask(0077);
        Listener first, second;
        Error err;
        FILE *file;

        (void) state;
        assert_non_null(mkdtemp(directory));
        (void) snprintf(path, sizeof path, "%s/s", directory);
        assert_int_equal(listener_open_unix(&first, path, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0660);
        assert_int_equal(listener_open_unix(&second, path, &err), -ERROR_CONFIG);
        assert_non_null(strstr(err.text, "another process listens"));

        /* Killed: the name stays, nobody answers. */
        (void) close(first.fd);
        first.fd = -1;
        assert_int_equal(listener_open_unix(&second, path, &err), 0);
        listener_close(&first); /* its name is somebody else's by now */
        assert_int_equal(stat(path, &st), 0);
        listener_close(&second);
        assert_int_equal(stat(path, &st), -1);

        file = fopen(path, "w");
        assert_non_null(file);
        (void) fclose(file);
        assert_int_equal(listener_open_unix(&second, path, &err), -ERROR_CONFIG);
        assert_non_null(strstr(err.text, "not a socket"));
        (void) unlink(path);
        assert_int_equal(listener_open_unix(&second, "relative", &err), -ERROR_CONFIG);
        (void) rmdir(directory);
        (void) umask(old);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_port_in_use),
                cmocka_unit_test(test_unix),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
