#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "main/config.h"
#include "main/conninfo.h"
#include "main/option_text.h"
#include "util/clock.h"

typedef struct Fixture {
        char dir[64], conf[128];
} Fixture;

static void put(const Fixture *f, const char *name, const char *text)
{
        char path[256];
        FILE *file;

        (void) snprintf(path, sizeof path, "%s/%s", f->dir, name);
        file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, 0600), 0);
}

static int setup(void **state)
{
        static Fixture f;
        char conf_d[128];

        strcpy(f.dir, "/tmp/test_config.XXXXXX");
        if (!mkdtemp(f.dir))
                return -1;
        (void) snprintf(f.conf, sizeof f.conf, "%s/pgmigrated.conf", f.dir);
        (void) snprintf(conf_d, sizeof conf_d, "%s/conf.d", f.dir);
        *state = &f;
        return mkdir(conf_d, 0700);
}

static int teardown(void **state)
{
        const Fixture *f = *state;
        static const char *const names[] = { "conf.d/20-b.conf", "conf.d/10-a.conf",
                                             "conf.d/.hidden.conf", "conf.d/readme",
                                             "pgmigrated.conf" };
        char path[256];

        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                (void) snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
                (void) unlink(path);
        }
        (void) snprintf(path, sizeof path, "%s/conf.d", f->dir);
        return rmdir(path) || rmdir(f->dir);
}

static const char *const no_environment[] = { "STATE_DIRECTORY=/var/lib/x:/y", NULL };

static int load(const Fixture *f, Config *c, const char *const *environment,
                const SettingList *arguments, const char *database, Error *err)
{
        return config_load(
                c,
                &(ConfigSource){ .default_file = f->conf,
                                 .environment = environment ? environment : no_environment,
                                 .arguments = arguments,
                                 .database = database },
                err);
}

static void test_no_file(void **state)
{
        const char *const environment[] = { "DATABASE_URL=postgresql://u:pw@h/shop", "HOME=/home/x",
                                            "PATH=/bin", NULL };
        Config c;
        Error err;

        assert_int_equal(load(*state, &c, environment, NULL, NULL, &err), 0);
        assert_null(c.file);
        assert_int_equal(c.n_databases, 1);
        assert_string_equal(c.databases[0].name, "shop");
        assert_string_equal(secret_reveal(c.databases[0].url), "postgresql://u:pw@h/shop");
        assert_string_equal(c.databases[0].changelog.folder, "migrations");
        config_done(&c);
}

static void test_precedence(void **state)
{
        const Fixture *f = *state;
        const char *const environment[] = { "PGMIGRATED_LOCK_RETRIES=5",
                                            "PGMIGRATED_MAX_PARALLEL=6",
                                            "PGMIGRATED_PLACEHOLDER_OWNER=env",
                                            "PGMIGRATED_PLACEHOLDER_PREFIX=<<",
                                            "STATE_DIRECTORY=/s:/t",
                                            NULL };
        Setting flag = { .option = option_find("max_parallel"),
                         .value = (char[]){ "7" },
                         .origin = (char[]){ "--max-parallel" } };
        _cleanup_settings_ SettingList arguments = { .rows = NULL };
        char expected[128];
        Config c;
        Error err;

        put(f, "pgmigrated.conf",
            "# comment\r\nmax_parallel = 2\nlock_retries=1\ntable = global\nmigrations = sql\n\n"
            "placeholder.owner = \" file \"\n[database a]\nurl = postgresql://h/x\nlock_retries = "
            "2\n"
            "[database b]\nmigrations = /abs\ntable = own\nplaceholder.Owner = b\n");
        put(f, "conf.d/20-b.conf", "keep_runs = 20\n");
        put(f, "conf.d/10-a.conf", "keep_runs = 10\nresume = no\n");
        put(f, "conf.d/.hidden.conf", "keep_runs = broken\n");
        put(f, "conf.d/readme", "not a configuration");
        assert_int_equal(setting_list_add(&arguments, &flag, &err), 0);
        if (load(f, &c, environment, &arguments, NULL, &err) < 0)
                fail_msg("%s:%lu: %s", err.path, err.line, err.text);
        assert_string_equal(c.file, f->conf);
        assert_int_equal(c.service.max_parallel, 7);
        assert_int_equal(c.service.keep_runs, 20);
        assert_false(c.service.resume);
        assert_string_equal(c.service.state_directory, "/s");
        assert_int_equal(c.n_databases, 2);
        assert_string_equal(c.databases[0].name, "a");
        assert_int_equal(c.databases[0].lock_retries, 5);
        assert_string_equal(c.databases[0].changelog.table, "global");
        (void) snprintf(expected, sizeof expected, "%s/sql", f->dir);
        assert_string_equal(c.databases[0].changelog.folder, expected);
        assert_string_equal(c.databases[1].changelog.folder, "/abs");
        assert_string_equal(c.databases[1].changelog.table, "own");
        assert_string_equal(c.databases[1].changelog.placeholder_prefix, "<<");
        assert_int_equal(c.databases[1].changelog.n_placeholders, 1);
        assert_string_equal(c.databases[1].changelog.placeholders[0].value, "env");
        config_done(&c);
        assert_int_equal(load(f, &c, NULL, NULL, "b", &err), 0);
        assert_int_equal(c.n_databases, 1);
        assert_string_equal(c.databases[0].name, "b");
        assert_string_equal(c.databases[0].changelog.placeholders[0].value, "b");
        config_done(&c);
}

static void test_file_errors(void **state)
{
        static const struct {
                const char *text;
                unsigned long line;
                const char *error, *hint;
        } cases[] = {
                { "\nlock_timout = 5s\n", 2, "no option is called \"lock_timout\"",
                  "did you mean lock_timeout?" },
                { "banana = 5s", 1, "no option is called \"banana\"", "" },
                { "lock_timeout = 5 eons\n", 1, "lock_timeout = \"5 eons\"", "ms, s, min, h or d" },
                { "max_parallel = 0", 1, "must be from 1 to 1024", "a whole number" },
                { "table = a\nschemas = x\ntable = b\n", 3, "table is set twice: in line 1 already",
                  "" },
                { "placeholder.a = a\nplaceholder.A = b\n", 2, "placeholder.A is set twice", "" },
                { "[database a]\n[database b]\n[database a]\n", 3,
                  "[database a] is there twice: at ", "" },
                { "[databse a]\n", 1, "no section is called [databse a]", "[database NAME]" },
                { "[database]\n", 1, "no section is called [database]", "[database NAME]" },
                { "[database a b]\n", 1, "\"a b\" cannot be the name", "letters, digits" },
                { "[database a\n", 1, "a section's name ends with ]", "" },
                { "[database a]\nlisten = 127.0.0.1:1\n", 2, "listen is an option of the service",
                  "above the first section" },
                { "just words\n", 1, "neither key = value", "" },
                { "= 5\n", 1, "neither key = value", "" },
                { "max_parallel = 3 # three\n", 1, "looks like a comment", "lines of their own" },
                { "table = \"a\n", 1, "begins with a double quote", "inside double quotes" },
                { "table = \"a\" b\n", 1, "begins with a double quote", "inside double quotes" },
                { "table = \xff\n", 1, "not text in UTF-8", "" },
                { "placeholder.a b = 1\n", 1, "placeholder name has a character", "" },
        };
        const Fixture *f = *state;
        Error err;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Config c = { .databases = NULL };

                put(f, "pgmigrated.conf", cases[i].text);
                assert_int_equal(load(f, &c, NULL, NULL, NULL, &err), -ERROR_CONFIG);
                assert_null(c.databases);
                if (!strstr(err.text, cases[i].error) || !strstr(err.hint, cases[i].hint) ||
                    err.line != cases[i].line)
                        fail_msg("case %zu: %s:%lu: %s (%s)", i, err.path, err.line, err.text,
                                 err.hint);
                assert_string_equal(err.path, f->conf);
        }
}

static void test_quoting(void **state)
{
        const Fixture *f = *state;
        Config c;
        Error err;

        put(f, "pgmigrated.conf",
            "\xef\xbb\xbftable = \" a\\\"b\\\\c #1 \"\nurl = host=h dbname=#1\ninstalled_by =\n; "
            "end");
        assert_int_equal(load(f, &c, NULL, NULL, NULL, &err), 0);
        assert_string_equal(c.databases[0].changelog.table, " a\"b\\c #1 ");
        assert_string_equal(c.databases[0].name, "default");
        assert_string_equal(c.databases[0].changelog.installed_by, "");
        config_done(&c);
}

/* The example file, with every line that is an assignment or a section made one. */
static void test_example(void **state)
{
        const Fixture *f = *state;
        _cleanup_text_ Text example = TEXT_INIT(1 << 20), active = TEXT_INIT(1 << 20);
        Config c;
        Error err;

        option_text(OPTION_TEXT_EXAMPLE, &example);
        assert_int_equal(load(f, &c, NULL, NULL, NULL, &err), 0);
        config_done(&c);
        for (char *line = strtok(example.s, "\n"); line; line = strtok(NULL, "\n"))
                text_printf(&active, "%s\n", line[0] == '#' && line[1] != ' ' ? line + 1 : line);
        put(f, "pgmigrated.conf", text_str(&active));
        if (load(f, &c, NULL, NULL, NULL, &err) < 0)
                fail_msg("%s:%lu: %s", err.path, err.line, err.text);
        assert_string_equal(c.databases[0].name, "app");
        assert_string_equal(c.databases[0].changelog.placeholders[0].name, "owner");
        config_done(&c);
}

static void test_environment_errors(void **state)
{
        static const struct {
                const char *variable, *error, *hint;
        } cases[] = {
                { "PGMIGRATED_LOCK_TIMOUT=5s",
                  "environment variable PGMIGRATED_LOCK_TIMOUT is not one",
                  "PGMIGRATED_LOCK_TIMEOUT?" },
                { "PGMIGRATED_CONFG=5s", "environment variable PGMIGRATED_CONFG is not one",
                  "PGMIGRATED_CONFIG?" },
                { "PGMIGRATED_MAX_PARALLEL=many",
                  "environment variable PGMIGRATED_MAX_PARALLEL: max_parallel = \"many\"",
                  "whole number" },
                { "PGMIGRATED_URL=postgresql://u:hunter2@h/d?nonsense=1",
                  "url: there is no connection parameter \"nonsense\"", "postgresql://" },
                { "PGMIGRATED_URL=postgresql://u:p@hunter2@h/d",
                  "environment variable PGMIGRATED_URL: url: the host name in the connection "
                  "string",
                  "%40" },
                { "PGMIGRATED_URL=postgresql://u:hunter2@h/d?sslmode=on",
                  "environment variable PGMIGRATED_URL: url: \"on\" cannot be used as sslmode",
                  "verify-full" },
                { "DATABASE_URL=mysql//hunter2",
                  "environment variable DATABASE_URL: url: cannot parse the connection string",
                  "postgresql://" },
                { "PGMIGRATED_PLACEHOLDER_=5", "a placeholder's name", "" },
                { "PGMIGRATED_CONFIG=/nonexistent/x.conf", "configuration file", "" },
        };
        Error err;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *const environment[] = { "HOME=/h", cases[i].variable, NULL };
                Config c;

                assert_int_equal(load(*state, &c, environment, NULL, NULL, &err), -ERROR_CONFIG);
                if (!strstr(err.text, cases[i].error) || !strstr(err.hint, cases[i].hint))
                        fail_msg("%s: %s (%s)", cases[i].variable, err.text, err.hint);
                assert_null(strstr(err.text, "hunter2"));
        }
}

static void test_which_database(void **state)
{
        const Fixture *f = *state;
        const char *const url[] = { "PGMIGRATED_URL=postgresql://h/one", "HOME=/h", NULL };
        const char *const both[] = { "PGMIGRATED_URL=postgresql://h/one",
                                     "DATABASE_URL=postgresql://h/two", "HOME=/h", NULL };
        const char *const chosen[] = { "PGMIGRATED_DATABASE=sales", "HOME=/h", NULL };
        Config c;
        Error err;

        put(f, "pgmigrated.conf", "[database sales]\n[database stock]\n");
        assert_int_equal(load(f, &c, url, NULL, NULL, &err), -ERROR_CONFIG);
        assert_non_null(
                strstr(err.text, "PGMIGRATED_URL: sets one url for all of the 2 databases"));
        assert_int_equal(load(f, &c, url, NULL, "sales", &err), 0);
        assert_string_equal(secret_reveal(c.databases[0].url), "postgresql://h/one");
        assert_string_equal(c.databases[0].name, "sales");
        config_done(&c);
        assert_int_equal(load(f, &c, chosen, NULL, NULL, &err), 0);
        assert_int_equal(c.n_databases, 1);
        config_done(&c);
        assert_int_equal(load(f, &c, NULL, NULL, "sale", &err), -ERROR_USAGE);
        assert_string_equal(err.hint, "did you mean sales?");
        put(f, "pgmigrated.conf", "");
        assert_int_equal(load(f, &c, both, NULL, NULL, &err), 0);
        assert_string_equal(c.databases[0].name, "one");
        config_done(&c);
        assert_int_equal(load(f, &c, both, NULL, "two", &err), -ERROR_USAGE);
        put(f, "pgmigrated.conf", "url = postgresql://u:p@h/d\npassword_file = pw\n");
        assert_int_equal(load(f, &c, NULL, NULL, NULL, &err), -ERROR_CONFIG);
        assert_non_null(
                strstr(err.text, "database d: there is a password in url and a password_file"));
}

static void test_argument_url(void **state)
{
        Error err;

        (void) state;
        assert_int_equal(conninfo_check_argument("postgresql://u@h/d", &err), 0);
        assert_int_equal(conninfo_check_argument("host=h user=u", &err), 0);
        assert_int_equal(conninfo_check_argument("postgresql://u:p@h/d", &err), -ERROR_USAGE);
        assert_int_equal(conninfo_check_argument("postgresql://u@h/d?password=p", &err),
                         -ERROR_USAGE);
        assert_int_equal(conninfo_check_argument("host=h password=p", &err), -ERROR_USAGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_precedence, setup, teardown),
                cmocka_unit_test_setup_teardown(test_file_errors, setup, teardown),
                cmocka_unit_test_setup_teardown(test_quoting, setup, teardown),
                cmocka_unit_test_setup_teardown(test_example, setup, teardown),
                cmocka_unit_test_setup_teardown(test_environment_errors, setup, teardown),
                cmocka_unit_test_setup_teardown(test_which_database, setup, teardown),
                cmocka_unit_test(test_argument_url),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
