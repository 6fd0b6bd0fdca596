#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "main/nearest.h"
#include "main/option_text.h"
#include "util/clock.h"

static void test_defaults(void **state)
{
        ServiceSettings s;
        DatabaseSettings d;
        Error err;

        (void) state;
        assert_int_equal(service_settings_init(&s, &err), 0);
        assert_int_equal(database_settings_init(&d, &err), 0);
        assert_string_equal(s.listen, "127.0.0.1:6447");
        assert_string_equal(s.log_level, "info");
        assert_int_equal(s.shutdown_grace, 60 * USEC_PER_SEC);
        assert_int_equal(s.http_max_body, 65536);
        assert_true(s.resume);
        assert_string_equal(d.changelog.folder, "migrations");
        assert_string_equal(d.changelog.placeholder_prefix, "${");
        assert_string_equal(d.changelog.ignore_migration_patterns, "*:future");
        assert_string_equal(secret_reveal(d.url), "");
        assert_int_equal(d.connect_timeout, 60 * USEC_PER_SEC);
        assert_int_equal(d.lock_retries, 10);
        assert_true(d.migrate_on_start);
        assert_false(d.deferred_flush);
        assert_true(d.changelog.validate_on_migrate);
        database_settings_done(&d);
        service_settings_done(&s);
}

/* Every string of the settings has a row: none is left NULL. */
static void test_no_string_is_null(void **state)
{
        ServiceSettings s;
        DatabaseSettings d;
        Error err;

        (void) state;
        assert_int_equal(service_settings_init(&s, &err), 0);
        assert_int_equal(database_settings_init(&d, &err), 0);
        const void *const strings[] = {
                s.listen,
                s.socket,
                s.state_directory,
                s.log_level,
                s.log_format,
                d.name,
                d.url,
                d.password_file,
                d.format,
                d.role,
                d.changelog.folder,
                d.changelog.table,
                d.changelog.schemas,
                d.changelog.default_schema,
                d.changelog.baseline_version,
                d.changelog.baseline_description,
                d.changelog.ignore_migration_patterns,
                d.changelog.installed_by,
                d.changelog.placeholder_prefix,
                d.changelog.placeholder_suffix,
                d.changelog.placeholder_separator,
                d.changelog.target,
        };
        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
                assert_non_null(strings[i]);
        database_settings_done(&d);
        service_settings_done(&s);
}

static void test_values(void **state)
{
        static const struct {
                const char *option, *value, *text, *hint; /* text NULL: accepted */
        } cases[] = {
                { "lock_timeout", "250ms", NULL, NULL },
                { "lock_timeout", "0", NULL, NULL },
                { "lock_timeout", "2d", "lock_timeout = \"2d\": must be from 0 to 1d",
                  "lock_timeout takes a number with ms" },
                { "lock_timeout", "5 parsecs",
                  "lock_timeout = \"5 parsecs\": ", "lock_timeout takes a number with ms" },
                { "run_timeout", "infinity", NULL, NULL },
                { "connect_timeout", "infinity",
                  "connect_timeout = \"infinity\": must be from 1s to 1h", "takes" },
                { "max_parallel", "0", "max_parallel = \"0\": must be from 1 to 1024",
                  "a whole number" },
                { "max_parallel", "-1", "max_parallel = \"-1\": ", "a whole number" },
                { "http_max_body", "1MiB", NULL, NULL },
                { "http_max_body", "1GiB", "must be from 1KiB to 64MiB", "bytes" },
                { "out-of-order", "yes", NULL, NULL },
                { "out_of_order", "perhaps", "out_of_order = \"perhaps\"", "yes or no" },
                { "flush", "deferred", NULL, NULL },
                { "flush", "later", "is not one of its values", "immediate or deferred" },
                { "log_level", "verbose", "is not one of its values",
                  "error, warning, info or debug" },
                { "migrations", "", "must not be empty", "a path" },
                { "listen", "", NULL, NULL },
                { "listen", "[::1]:80", NULL, NULL },
                { "listen", "localhost", "is not an address and port", "host:port" },
                { "listen", "127.0.0.1:70000", "is not an address and port", "host:port" },
                { "listen", "::1:80", "is not an address and port", "host:port" },
                { "table", "a\nb", "contains a control character", "a text" },
                { "role", "\xff", "is not valid UTF-8", "a text" },
        };
        ServiceSettings s;
        DatabaseSettings d;
        Error err;

        (void) state;
        assert_int_equal(service_settings_init(&s, &err), 0);
        assert_int_equal(database_settings_init(&d, &err), 0);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const Option *o = option_find(cases[i].option);
                int r;

                assert_non_null(o);
                r = option_set(o, o->scope == OPTION_SERVICE ? (void *) &s : (void *) &d,
                               cases[i].value, NULL, &err);
                if (!cases[i].text) {
                        assert_int_equal(r, 0);
                        continue;
                }
                assert_int_equal(r, -ERROR_CONFIG);
                if (!strstr(err.text, cases[i].text) || !strstr(err.hint, cases[i].hint))
                        fail_msg("%s: %s (%s)", cases[i].value, err.text, err.hint);
        }
        assert_int_equal(d.lock_timeout, 0); /* refused values changed nothing */
        assert_true(d.changelog.out_of_order);
        assert_true(d.deferred_flush);
        assert_string_equal(s.listen, "[::1]:80");
        database_settings_done(&d);
        service_settings_done(&s);
}

static void test_hidden_value_stays_hidden(void **state)
{
        DatabaseSettings d;
        Error err;

        (void) state;
        assert_int_equal(database_settings_init(&d, &err), 0);
        assert_true(option_set(option_find("url"), &d, "postgresql://u:hunter2\n@h/d", NULL, &err) <
                    0);
        assert_null(strstr(err.text, "hunter2"));
        assert_string_equal(err.text, "url: contains a control character");
        database_settings_done(&d);
}

static void test_paths_and_placeholders(void **state)
{
        DatabaseSettings d;
        Error err;

        (void) state;
        assert_int_equal(database_settings_init(&d, &err), 0);
        assert_int_equal(option_set(option_find("migrations"), &d, "sql", "/etc/x", &err), 0);
        assert_string_equal(d.changelog.folder, "/etc/x/sql");
        assert_int_equal(option_set(option_find("migrations"), &d, "/srv/sql", "/etc/x", &err), 0);
        assert_string_equal(d.changelog.folder, "/srv/sql");
        assert_int_equal(option_set(option_find("table"), &d, "history", "/etc/x", &err), 0);
        assert_string_equal(d.changelog.table, "history");
        assert_int_equal(placeholder_set(&d, "Owner", "a", &err), 0);
        assert_int_equal(placeholder_set(&d, "other", "b", &err), 0);
        assert_int_equal(placeholder_set(&d, "owner", "c", &err), 0);
        assert_int_equal(d.changelog.n_placeholders, 2);
        assert_string_equal(d.changelog.placeholders[0].value, "c");
        assert_int_equal(placeholder_set(&d, "", "c", &err), -ERROR_CONFIG);
        assert_int_equal(placeholder_set(&d, "a b", "c", &err), -ERROR_CONFIG);
        database_settings_done(&d);
}

static void test_nearest(void **state)
{
        static const struct {
                const char *name, *near;
        } cases[] = {
                { "migratoins", "migrations" },
                { "lock_timout", "lock_timeout" },
                { "out-of-oder", "out_of_order" },
                { "ulr", "url" },
                { "banana", NULL },
                { "x", NULL },
                { "", NULL },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *near = option_nearest(cases[i].name);

                if (cases[i].near)
                        assert_string_equal(near, cases[i].near);
                else
                        assert_null(near);
        }
        assert_int_equal(edit_distance("abcd", "acbd"), 1);
        assert_int_equal(edit_distance("abc", ""), 3);
        assert_int_equal(edit_distance("a-b", "a_b"), 0);
}

static void test_restart(void **state)
{
        ServiceSettings a, b;
        const char *name = NULL;
        Error err;

        (void) state;
        assert_int_equal(service_settings_init(&a, &err), 0);
        assert_int_equal(service_settings_init(&b, &err), 0);
        assert_int_equal(option_set(option_find("max_parallel"), &b, "9", NULL, &err), 0);
        assert_false(service_settings_need_restart(&a, &b, &name));
        assert_int_equal(option_set(option_find("listen"), &b, "127.0.0.1:1", NULL, &err), 0);
        assert_true(service_settings_need_restart(&a, &b, &name));
        assert_string_equal(name, "listen");
        service_settings_done(&a);
        service_settings_done(&b);
}

/* Names are unique, helps are sentences, and every text has every option. */
static void test_table_and_texts(void **state)
{
        (void) state;
        for (int k = 0; k < _OPTION_TEXT_MAX; k++) {
                _cleanup_text_ Text t = TEXT_INIT(1 << 20);

                option_text((OptionText) k, &t);
                assert_false(t.bad);
                for (size_t i = 0; i < n_options; i++) {
                        char name[80];

                        (void) snprintf(name, sizeof name, "%s", options[i].name);
                        for (char *p = name; k == OPTION_TEXT_HELP && *p; p++)
                                *p = *p == '_' ? '-' : *p;
                        assert_non_null(strstr(text_str(&t), name));
                }
        }
        for (size_t i = 0; i < n_options; i++) {
                const char *help = options[i].help;

                assert_ptr_equal(option_find(options[i].name), &options[i]);
                assert_int_equal(help[strlen(help) - 1], '.');
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_no_string_is_null),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_hidden_value_stays_hidden),
                cmocka_unit_test(test_paths_and_placeholders),
                cmocka_unit_test(test_nearest),
                cmocka_unit_test(test_restart),
                cmocka_unit_test(test_table_and_texts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
