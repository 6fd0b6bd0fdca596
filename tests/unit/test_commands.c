#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "main/commands.h"
#include "main/progress.h"
#include "main/report.h"
#include "util/clock.h"

#define MAX_WORDS 12

static int parse(CommandLine *l, const char *words, Error *err)
{
        static char buf[512];
        char *argv[MAX_WORDS + 1] = { (char[]){ "pgmigrated" } };
        int argc = 1;

        (void) snprintf(buf, sizeof buf, "%s", words);
        for (char *w = strtok(buf, " "); w && argc < MAX_WORDS; w = strtok(NULL, " "))
                argv[argc++] = w;
        return command_line_parse(l, argc, argv, err);
}

static void test_understood(void **state)
{
        static const struct {
                const char *words, *command;
                unsigned arguments, settings;
        } cases[] = {
                { "serve", "serve", 0, 0 },
                { "migrate --target 5 --detailed-exitcode", "migrate", 0, 1 },
                { "--config x.conf migrate", "migrate", 0, 0 },
                { "--json --lock-timeout=5s status", "status", 0, 1 },
                { "migrate --out-of-order --placeholder a=b --placeholder c=", "migrate", 0, 3 },
                { "migrate --out-of-order=no", "migrate", 0, 1 },
                { "migrate --url postgresql://u@h/d", "migrate", 0, 1 },
                { "ctl migrate --url http://h:1 --target 5", "ctl migrate", 0, 0 },
                { "ctl runs ID", "ctl runs", 1, 0 },
                { "new -- --name", "new", 1, 0 },
                { "wait --version 5 --timeout 10s", "wait", 0, 0 },
                { "--version", "version", 0, 0 },
                { "--help", "help", 0, 0 },
                { "ctl cancel --help", "ctl cancel", 0, 0 },
                { "help ctl migrate", "help", 2, 0 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                CommandLine l;
                Error err;

                if (parse(&l, cases[i].words, &err) < 0)
                        fail_msg("%s: %s", cases[i].words, err.text);
                assert_string_equal(l.command->name, cases[i].command);
                assert_int_equal(l.n_arguments, cases[i].arguments);
                assert_int_equal(l.settings.n, cases[i].settings);
                command_line_done(&l);
        }
}

static void test_refused(void **state)
{
        static const struct {
                const char *words, *text, *hint;
        } cases[] = {
                { "", "no command is given", "pgmigrated help" },
                { "migarte", "no command is called \"migarte\"", "did you mean migrate?" },
                { "banana", "no command is called \"banana\"", "pgmigrated help lists them" },
                { "ctl", "ctl needs to be told what to do", "ctl migrate, status" },
                { "ctl migrat", "no command is called \"ctl migrat\"",
                  "did you mean ctl migrate?" },
                { "migrate --lock-timout 5s", "no option of migrate is called --lock-timout",
                  "did you mean --lock-timeout?" },
                { "migrate --dryrun", "--dryrun", "did you mean --dry-run?" },
                { "migrate -x", "no option of migrate is called --x", "pgmigrated help migrate" },
                { "serve --json", "no option of serve is called --json", "" },
                { "--json serve", "--json means nothing to serve", "" },
                { "ctl status --table x", "--table means nothing to ctl status", "" },
                { "migrate now", "\"now\" is one argument too many", "usage: pgmigrated migrate" },
                { "new", "new needs NAME", "usage: pgmigrated new NAME" },
                { "migrate --target", "--target needs a value", "" },
                { "migrate --json=yes", "--json takes no value", "" },
                { "migrate --config a --config b", "--config is given twice", "" },
                { "migrate --placeholder a", "--placeholder takes NAME=VALUE", "" },
                { "migrate --url postgresql://u:hunter2@h/d",
                  "--url: a password on the command line", "password_file" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                CommandLine l;
                Error err;

                assert_int_equal(parse(&l, cases[i].words, &err), -ERROR_USAGE);
                if (!strstr(err.text, cases[i].text) || !strstr(err.hint, cases[i].hint))
                        fail_msg("%s: %s (%s)", cases[i].words, err.text, err.hint);
                assert_null(strstr(err.text, "hunter2"));
                assert_int_equal(error_info(err.code)->exit_code, 64);
        }
}

static void test_help(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);

        (void) state;
        command_help(&t, NULL);
        for (size_t i = 0; i < n_commands; i++) {
                _cleanup_text_ Text one = TEXT_INIT(1 << 20);

                assert_non_null(strstr(text_str(&t), commands[i].name));
                command_help(&one, &commands[i]);
                assert_non_null(strstr(text_str(&one), commands[i].help));
                assert_int_equal(commands[i].help[strlen(commands[i].help) - 1], '.');
        }
        assert_false(t.bad);
}

static void test_error_text(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        char path[] = "/tmp/test_commands.XXXXXX", expected[512];
        int fd = mkstemp(path);
        Error err;

        (void) state;
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "one;\nselekt 2;\n", 15), 15);
        (void) error_set(&err, ERROR_SQL, "syntax error");
        (void) error_at(&err, path, 2, 8);
        (void) error_hint(&err, "look again");
        strcpy(err.sqlstate, "42601");
        report_error_text(&t, &err);
        (void) snprintf(expected, sizeof expected,
                        "pgmigrated: error: %s:2:8: syntax error (SQLSTATE 42601)\n    2 | selekt "
                        "2;\n      |        ^\nhint: look again\n",
                        path);
        assert_string_equal(text_str(&t), expected);
        text_clear(&t);
        err.code = ERROR_CONFIG; /* the line might hold a password */
        report_error_text(&t, &err);
        assert_null(strstr(text_str(&t), "selekt"));
        (void) close(fd);
        (void) unlink(path);
}

static void test_table(void **state)
{
        static const ReportColumn columns[] = {
                { "A", "a" }, { "GONE", "gone" }, { "B", "x.b" }, { "OK", "ok" }
        };
        json_t *rows = json_pack("[{s:i,s:{s:s},s:b},{s:i,s:{s:s},s:b}]", "a", 1, "x", "b",
                                 "h\xc3\xa9", "ok", 1, "a", 100, "x", "b", "a\nb", "ok", 0);
        _cleanup_text_ Text t = TEXT_INIT(4096);

        (void) state;
        report_table(&t, rows, columns, 4);
        assert_string_equal(text_str(&t), "A    B    OK\n1    h\xc3\xa9   yes\n100  a b  no\n");
        json_decref(rows);
}

static void test_exit_codes(void **state)
{
        static const struct {
                const char *run;
                bool detailed;
                int code;
        } cases[] = {
                { "{\"state\":\"succeeded\",\"applied\":0}", true, 0 },
                { "{\"state\":\"succeeded\",\"applied\":2}", true, 2 },
                { "{\"state\":\"succeeded\",\"applied\":2}", false, 0 },
                { "{\"state\":\"failed\"}", true, 1 },
                { "{\"state\":\"refused\"}", false, 3 },
                { "{\"state\":\"unavailable\"}", false, 4 },
                { "{\"state\":\"cancelled\"}", false, 5 },
                { "{\"state\":\"applying\"}", false, 75 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                json_t *run = json_loads(cases[i].run, 0, NULL);

                assert_int_equal(report_run_exit_code(run, cases[i].detailed), cases[i].code);
                json_decref(run);
        }
}

static const struct {
        const char *type, *data;
} story[] = {
        { "run.state", "{\"database\":\"app\",\"state\":\"waking\"}" },
        { "availability", "{\"state\":\"waking\",\"last_error\":{\"message\":\"refused\"}}" },
        { "availability", "{\"state\":\"waking\",\"last_error\":{\"message\":\"refused\"}}" },
        { "availability", "{\"state\":\"ready\",\"last_error\":{\"message\":\"refused\"}}" },
        { "lock", "{\"waiting\":true,\"holder\":{\"pid\":7,\"application_name\":\"flyway\"}}" },
        { "run.state", "{\"database\":\"app\",\"state\":\"applying\"}" },
        { "step.state", "{\"state\":\"applying\",\"id\":\"4\",\"description\":\"add orders\"}" },
        { "step.state", "{\"state\":\"applying\",\"id\":\"4\",\"description\":\"add "
                        "orders\",\"statement\":2,\"statements\":9}" },
        { "retry", "{\"id\":\"4\",\"sqlstate\":\"55P03\"}" },
        { "notice", "{\"severity\":\"NOTICE\",\"message\":\"hello\\u0007\"}" },
        { "step.state", "{\"state\":\"applied\",\"id\":\"4\",\"description\":\"add "
                        "orders\",\"duration_ms\":1234}" },
        { "run.state", "{\"database\":\"app\",\"state\":\"succeeded\"}" },
        { "unheard", "{}" },
};

static char *tell(bool terminal)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        Progress *p;
        Error err;

        assert_int_equal(progress_new(&p, f, terminal, 80, &err), 0);
        for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
                json_t *data = json_loads(story[i].data, 0, NULL);

                assert_non_null(data);
                progress_event(p, story[i].type, data, i * USEC_PER_SEC);
                json_decref(data);
        }
        (void) progress_free(p);
        (void) fclose(f);
        return text;
}

static void test_progress(void **state)
{
        char *text = tell(false);
        const char *last;

        (void) state;
        assert_string_equal(text,
                            "app: waiting for the database: refused\n"
                            "app: waiting for the migration lock, held by process 7 of flyway\n"
                            "app: trying 4 again after SQLSTATE 55P03\n"
                            "app: NOTICE: hello \n"
                            "app: applied 4 add orders (1.2 s)\n");
        free(text);
        text = tell(true);
        assert_non_null(strstr(text, "app: applying 4 add orders, 2 of 9 statements  2 s"));
        assert_non_null(strstr(text, "\r\033[Kapp: applied 4 add orders (1.2 s)\n"));
        last = strrchr(text, '\n'); /* nothing of the live line is left */
        assert_string_equal(last, "\n");
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_understood), cmocka_unit_test(test_refused),
                cmocka_unit_test(test_help),       cmocka_unit_test(test_error_text),
                cmocka_unit_test(test_table),      cmocka_unit_test(test_exit_codes),
                cmocka_unit_test(test_progress),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
