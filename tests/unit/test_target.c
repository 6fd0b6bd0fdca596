#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "pg/target.h"

static const struct {
        const char *url, *description;
        bool password;
} good[] = {
        { "postgresql://app:s3cret@db.example:6000/orders", "app@db.example:6000/orders", true },
        { "postgresql://app@db.example/orders?sslmode=verify-full", "app@db.example:5432/orders",
          false },
        { "host=a,b port=1,2 user=u dbname=d", "u@a:1,b:2/d", false },
        { "host=a,b port=7 user=u dbname=d password=x", "u@a:7,b:7/d", true },
        { "host=/run/postgresql user=u", "u@/run/postgresql:5432/u", false },
        { "postgresql://u@[::1]:6000/d", "u@[::1]:6000/d", false },
        { "user=u dbname=d", "u@local:5432/d", false },
        { "hostaddr=10.0.0.1 user=u dbname=d", "u@10.0.0.1:5432/d", false },
        { "postgresql://u:p%2Fq%40r@h/d?target_session_attrs=read-write", "u@h:5432/d", true },
};

static void test_good(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                _cleanup_(pg_target_freep) PgTarget *t = NULL;
                Error err;

                assert_int_equal(pg_target_new(&t, good[i].url, &err), 0);
                assert_string_equal(pg_target_describe(t), good[i].description);
                assert_int_equal(pg_target_has_password(t), good[i].password);
        }
}

/* Every one of them holds a password with "hunter" in it. */
static const struct {
        const char *url, *said;
} bad[] = {
        { "postgresql://u:hunter/2@h/d",
          "the database name in the connection string has an \"@\"" },
        { "postgresql://u:hunter/2", "the port in the connection string is not a number" },
        { "postgresql://u:p@hunter@h/d", "the host name in the connection string has an \"@\"" },
        { "postgresql://u:p@hunter#x@h:1/d",
          "the host name in the connection string has an \"@\"" },
        { "postgresql://u:1234/hunter@h/d",
          "the database name in the connection string has an \"@\"" },
        { "postgresql://u:hunter%zz@h/d", "\"%\" is not followed by two hexadecimal digits" },
        { "postgresql://u:hunter@h:99999/d", "not a number from 1 to 65535" },
        { "postgresql://u:hunter@h/d?sslmod=require",
          "there is no connection parameter \"sslmod\"" },
        { "postgresql://u:hunter@h/d?sslmode=on", "\"on\" cannot be used as sslmode" },
        { "postgresql://u:hunter@h/d?target_session_attrs=standby",
          "\"standby\" cannot be used as target_session_attrs" },
        { "host=h password=my hunter", "a keyword is not followed by \"=\"" },
        { "host=h password=my hunter=1", "a parameter is unknown or malformed" },
        { "host=h password='hunter", "a quoted string is not terminated" },
        { "host=a,b port=1,2,3 password=hunter", "2 hosts, 0 host addresses and 3 ports" },
        { "host=h service=x password=hunter", "\"x\" cannot be used as service" },
        { "host=h replication=database password=hunter", "cannot be used as replication" },
        { "host=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 password=hunter",
          "names 17 hosts, at most 16" },
};

static void test_bad(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                PgTarget *t = NULL;
                Error err;

                assert_int_equal(pg_target_new(&t, bad[i].url, &err), -(int) ERROR_CONFIG);
                if (!strstr(err.text, bad[i].said))
                        fail_msg("%s: %s", bad[i].url, err.text);
                assert_null(strstr(err.text, "hunter"));
                assert_null(strstr(err.hint, "hunter"));
        }
}

static const char *value_of(const PgParameters *p, const char *keyword)
{
        const char *value = NULL;

        for (unsigned i = 0; i < p->n; i++)
                if (strcmp(p->keywords[i], keyword) == 0) {
                        assert_null(value); /* each once */
                        value = p->values[i];
                }
        return value ? value : "";
}

static void test_parameters(void **state)
{
        _cleanup_(pg_target_freep) PgTarget *t = NULL;
        const PgEndpoint *endpoints;
        PgParameters p;
        Error err;

        (void) state;
        assert_int_equal(
                pg_target_new(&t,
                              "postgresql://u:inline@h1,h2/d?tcp_user_timeout=7&connect_timeout=3&"
                              "application_name=theirs&gssencmode=prefer&client_encoding=LATIN1",
                              &err),
                0);
        assert_int_equal(pg_target_endpoints(t, &endpoints), 2);
        pg_target_parameters(t, &p, &endpoints[1], "192.0.2.7", "file", "ours");
        assert_string_equal(value_of(&p, "host"), "h2");
        assert_string_equal(value_of(&p, "hostaddr"), "192.0.2.7");
        assert_string_equal(value_of(&p, "password"), "file");
        assert_string_equal(value_of(&p, "application_name"), "ours");
        assert_string_equal(value_of(&p, "gssencmode"), "disable");
        assert_string_equal(value_of(&p, "client_encoding"), "UTF8");
        assert_string_equal(value_of(&p, "tcp_user_timeout"), "7");
        assert_string_equal(value_of(&p, "keepalives_idle"), "15");
        assert_string_equal(value_of(&p, "connect_timeout"), "");
        assert_string_equal(value_of(&p, "target_session_attrs"), "read-write");
        pg_target_parameters(t, &p, &endpoints[0], "", NULL, "ours");
        assert_string_equal(value_of(&p, "password"), "inline");
        assert_string_equal(value_of(&p, "hostaddr"), "");
}

static void test_resolving(void **state)
{
        struct {
                char host[32], hostaddr[16];
                bool needs;
        } cases[] = {
                { "db.example", "", true },
                { "db.example", "10.0.0.1", false },
                { "127.0.0.1", "", false },
                { "::1", "", false },
                { "/run/postgresql", "", false },
                { "@abstract", "", false },
                { "", "", false },
        };
        char port[] = "";

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(pg_endpoint_needs_resolving(
                                         &(PgEndpoint){ cases[i].host, cases[i].hostaddr, port }),
                                 cases[i].needs);
}

int main(void)
{
        static const char *const variables[] = { "PGHOST",     "PGPORT",     "PGUSER",
                                                 "PGDATABASE", "PGPASSWORD", "PGSERVICE" };
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                            cmocka_unit_test(test_parameters),
                                            cmocka_unit_test(test_resolving) };

        for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
                (void) unsetenv(variables[i]);
        return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
