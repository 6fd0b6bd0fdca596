#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "flyway_vectors.h"
#include "format/flyway/flyway.h"

typedef struct File {
        const char *name, *text;
        size_t size; /* 0: text is terminated */
} File;

#define MAX_FILES 8

static char folder[64];

static void write_file(const File *f)
{
        char path[300];

        (void) snprintf(path, sizeof path, "%s/%s", folder, f->name);
        for (char *s = strchr(path + strlen(folder) + 1, '/'); s; s = strchr(s + 1, '/')) {
                *s = '\0';
                (void) mkdir(path, 0700);
                *s = '/';
        }
        FILE *out = fopen(path, "w");
        size_t size = f->size ? f->size : strlen(f->text);
        assert_non_null(out);
        assert_int_equal(fwrite(f->text, 1, size, out), size);
        assert_int_equal(fclose(out), 0);
}

static void fill(const File *files)
{
        (void) strcpy(folder, "/tmp/test_flyway_read.XXXXXX");
        assert_non_null(mkdtemp(folder));
        for (; files->name; files++)
                write_file(files);
}

static void empty(void)
{
        char command[100];

        (void) snprintf(command, sizeof command, "rm -rf %s", folder);
        assert_int_equal(system(command), 0);
}

static FormatOptions options(void)
{
        static char name[] = "Who", value[] = "bob", prefix[] = "${", suffix[] = "}",
                    separator[] = ":";
        static Placeholder who = { .name = name, .value = value };

        return (FormatOptions){ .folder = folder,
                                .placeholder_replacement = true,
                                .placeholder_prefix = prefix,
                                .placeholder_suffix = suffix,
                                .placeholder_separator = separator,
                                .placeholders = &who,
                                .n_placeholders = 1 };
}

static void test_reads_in_order(void **state)
{
        static const File files[] = {
                { "V10__ten.sql", "", 0 },
                { "V2__two.sql", "x", 0 },
                { "sub/deep/V1_5__one.SQL", "", 0 },
                { "R__b.sql", "", 0 },
                { "R__a_view.sql", "", 0 },
                { "B2__base.sql", "", 0 },
                { "U2__two.sql", "", 0 },
                { 0 },
        };
        static const struct {
                const char *id, *version, *description, *script;
                MigrationKind kind;
        } want[] = {
                { "1.5", "1.5", "one", "sub/deep/V1_5__one.SQL", MIGRATION_VERSIONED },
                { "B:2", "2", "base", "B2__base.sql", MIGRATION_BASELINE },
                { "2", "2", "two", "V2__two.sql", MIGRATION_VERSIONED },
                { "10", "10", "ten", "V10__ten.sql", MIGRATION_VERSIONED },
                { "R:a view", NULL, "a view", "R__a_view.sql", MIGRATION_REPEATABLE },
                { "R:b", NULL, "b", "R__b.sql", MIGRATION_REPEATABLE },
                { "U:2", "2", "two", "U2__two.sql", MIGRATION_UNDO },
        };
        _cleanup_(changelog_freep) Changelog *c = NULL;
        FormatOptions o = options();
        Error err;

        (void) state;
        fill(files);
        assert_int_equal(flyway_read(&c, &o, &err), 0);
        assert_int_equal(flyway_detect(folder), 100);
        assert_int_equal(c->n_migrations, sizeof want / sizeof *want);
        for (size_t i = 0; i < c->n_migrations; i++) {
                const Migration *m = &c->migrations[i];

                assert_string_equal(m->id, want[i].id);
                if (want[i].version)
                        assert_string_equal(m->version, want[i].version);
                else
                        assert_null(m->version);
                assert_string_equal(m->description, want[i].description);
                assert_string_equal(m->script, want[i].script);
                assert_int_equal(m->kind, want[i].kind);
                assert_int_equal(m->tx, TX_AUTO);
        }
        assert_int_equal(c->n_warnings, 0);
        assert_string_equal(c->migrations[2].checksum, "-1931733373"); /* crc32("x") = 0x8cdc1683 */
        empty();
}

static void test_hooks(void **state)
{
        static const File files[] = {
                { "afterMigrate__b.sql", "", 0 },
                { "sub/afterMigrate.sql", "", 0 },
                { "afterMigrate__a.sql", "", 0 },
                { "beforeEachMigrate.sql", "", 0 },
                { "beforeClean__x.sql", "", 0 },
                { "afterMigrate.sql.conf", "", 0 },
                { "beforeEachMigrate.sql.conf", "executeInTransaction = false", 0 },
                { 0 },
        };
        static const char *const want[] = { "afterMigrate", "afterMigrate: a", "afterMigrate: b",
                                            "beforeEachMigrate" };
        _cleanup_(changelog_freep) Changelog *c = NULL;
        FormatOptions o = options();
        Error err;

        (void) state;
        fill(files);
        assert_int_equal(flyway_read(&c, &o, &err), 0);
        assert_int_equal(c->n_hooks, 4);
        for (size_t i = 0; i < 4; i++)
                assert_string_equal(c->hooks[i].script.id, want[i]);
        assert_int_equal(c->hooks[0].event, HOOK_AFTER_MIGRATE);
        assert_int_equal(c->hooks[3].script.tx, TX_NEVER);
        assert_int_equal(c->n_warnings, 2);
        assert_non_null(strstr(c->warnings[0], "beforeClean"));
        assert_non_null(strstr(c->warnings[1], "afterMigrate.sql.conf has no effect"));
        assert_int_equal(flyway_detect(folder), 20);
        empty();
}

/* %s of path stands for the folder. */
typedef struct Refusal {
        File files[MAX_FILES];
        const char *text, *path;
        unsigned long line, column;
} Refusal;

static const Refusal refusals[] = {
        { { { "V1__a.sql", "", 0 }, { "sub/V1.0__b.sql", "", 0 } },
          "V1__a.sql and",
          "sub/V1.0__b.sql",
          0,
          0 },
        { { { "B1__a.sql", "", 0 }, { "B01__b.sql", "", 0 } },
          "baseline script of version",
          NULL,
          0,
          0 },
        { { { "U1__a.sql", "", 0 }, { "U1.0__b.sql", "", 0 } },
          "undo script of version",
          NULL,
          0,
          0 },
        { { { "R__a.sql", "", 0 }, { "x/R__a.sql", "", 0 } },
          "repeatable migration a",
          "x/R__a.sql",
          0,
          0 },
        { { { "afterMigrate.sql", "", 0 }, { "x/afterMigrate.sql", "", 0 } },
          "callback afterMigrate is",
          "x/afterMigrate.sql",
          0,
          0 },
        { { { "V1__a.py", "", 0 } }, "V1__a.py is a script", "V1__a.py", 0, 0 },
        { { { "V1__a", "", 0 } }, "V1__a has no suffix", "V1__a", 0, 0 },
        { { { "db/V1__A.java", "", 0 } }, "Java", "db/V1__A.java", 0, 0 },
        { { { "Vlatest__a.sql", "", 0 } }, "word for a version", "Vlatest__a.sql", 0, 0 },
        { { { "V1__a.py", "", 0 }, { "V2__b.sh", "", 0 } }, "; V2__b.sh is", "V1__a.py", 0, 0 },
        { { { "V1__a.sql", "select 1;\n\xc3\xa9 \xff", 0 } },
          "the text is not valid UTF-8",
          "V1__a.sql",
          2,
          3 },
        { { { "V1__a.sql", "\xff", 0 }, { "V2__b.sql", "\n\xff", 0 } },
          "V2__b.sql:2: the text is not valid UTF-8",
          "V1__a.sql",
          1,
          1 },
        { { { "V1__a.sql", "a\nb\0c", 5 } }, "the text has a NUL byte", "V1__a.sql", 2, 2 },
        { { { "V1__a.sql",
              "\xff\xfe"
              "a\0",
              4 } },
          "UTF-16",
          "V1__a.sql",
          1,
          1 },
        { { { "afterMigrate.sql", "\x80", 0 } }, "not valid UTF-8", "afterMigrate.sql", 1, 1 },
        { { { "V1__a.sql", "", 0 }, { "V1__a.sql.conf", "\n# x\nshouldexecute=true", 0 } },
          "unknown key \"shouldexecute\"",
          "V1__a.sql.conf",
          3,
          0 },
        { { { "V1__a.sql", "", 0 }, { "V1__a.sql.conf", "shouldExecute=true", 0 } },
          "paid editions",
          "V1__a.sql.conf",
          1,
          0 },
        { { { "V12345678901234567890123456789012345678901234567890.1__a.sql", "", 0 } },
          "50 characters",
          NULL,
          0,
          0 },
};

static void test_refuses(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
                const Refusal *want = &refusals[i];
                FormatOptions o = options();
                Changelog *c = NULL;
                Error err = { 0 };

                fill(want->files);
                assert_int_equal(flyway_read(&c, &o, &err), -ERROR_CHANGELOG);
                assert_null(c);
                if (!strstr(err.text, want->text))
                        fail_msg("\"%s\" is not in: %s", want->text, err.text);
                if (want->path) {
                        assert_memory_equal(err.path, folder, strlen(folder));
                        assert_string_equal(err.path + strlen(folder) + 1, want->path);
                }
                assert_int_equal(err.line, want->line);
                assert_int_equal(err.column, want->column);
                empty();
        }
}

static void test_many_problems_fit(void **state)
{
        static const File none[] = { { 0 } };
        FormatOptions o = options();
        Changelog *c = NULL;
        Error err = { 0 };

        (void) state;
        fill(none);
        for (int i = 0; i < 100; i++) {
                char name[32];

                (void) snprintf(name, sizeof name, "V%d__a.py", i);
                write_file(&(File){ name, "", 0 });
        }
        assert_int_equal(flyway_read(&c, &o, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "V0__a.py is"));
        assert_non_null(strstr(err.text, "V1__a.py is"));
        assert_non_null(strstr(err.text, "(100 files in all)"));
        empty();
}

static void test_names_that_are_none(void **state)
{
        static const File files[] = { { "V1__a.sql", "", 0 },     { "schema.sql", "", 0 },
                                      { "V1_x__b.sql", "", 0 },   { "README.md", "", 0 },
                                      { "V2__b.sql.bak", "", 0 }, { "flyway.conf", "", 0 },
                                      { "U9__x.sql", "", 0 },     { 0 } };
        _cleanup_(changelog_freep) Changelog *c = NULL;
        FormatOptions o = options();
        Error err;

        (void) state;
        fill(files);
        assert_int_equal(flyway_read(&c, &o, &err), 0);
        assert_int_equal(c->n_migrations, 2);
        assert_int_equal(c->n_warnings, 4);
        assert_non_null(strstr(c->warnings[0], "V1_x__b.sql"));
        assert_non_null(strstr(c->warnings[1], "V2__b.sql.bak"));
        assert_non_null(strstr(c->warnings[2], "schema.sql"));
        assert_non_null(strstr(c->warnings[3], "U9__x.sql undoes nothing"));
        o.validate_naming = true;
        c = changelog_free(c);
        assert_int_equal(flyway_read(&c, &o, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "V1_x__b.sql has a version"));
        assert_non_null(strstr(err.text, "schema.sql is no migration's name"));
        empty();
}

static void test_no_folder(void **state)
{
        FormatOptions o = options();
        Changelog *c = NULL;
        Error err = { 0 };

        (void) state;
        o.folder = (char[]){ "/nonexistent/migrations" };
        assert_true(flyway_read(&c, &o, &err) < 0);
        assert_non_null(strstr(err.text, "/nonexistent/migrations"));
        assert_int_equal(flyway_detect(o.folder), 0);
}

static void test_conf(void **state)
{
        static const struct {
                const char *text;
                int r;
                TxPolicy tx;
                bool replace;
        } cases[] = {
                { "", 0, TX_AUTO, true },
                { "executeInTransaction=false", 0, TX_NEVER, true },
                { "\xef\xbb\xbf  executeInTransaction : TRUE \r\n", 0, TX_ALWAYS, true },
                { "# c\n! d\n\nplaceholderReplacement=False\nexecuteInTransaction=\\\n  false", 0,
                  TX_NEVER, false },
                { "executeInTransaction=${tx}", 0, TX_NEVER, true },
                { "executeInTransaction=${FLYWAY_TEST_TX}", 0, TX_ALWAYS, true },
                { "encoding=utf-8", 0, TX_AUTO, true },
                { "encoding=ISO-8859-1", -ERROR_CHANGELOG, 0, false },
                { "executeInTransaction=yes", -ERROR_CHANGELOG, 0, false },
                { "executeInTransaction=${nope}", -ERROR_CHANGELOG, 0, false },
                { "executeInTransaction", -ERROR_CHANGELOG, 0, false },
                { "a=\\", -ERROR_CHANGELOG, 0, false },
        };
        Placeholder tx = { .name = (char[]){ "TX" }, .value = (char[]){ "false" } };
        FormatOptions o = { .placeholders = &tx, .n_placeholders = 1 };

        (void) state;
        assert_int_equal(setenv("FLYWAY_TEST_TX", "true", 1), 0);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                FlywayConf conf;
                Error err = { 0 };

                if (flyway_conf_parse(&conf, cases[i].text, &o, "V1.sql.conf", &err) != cases[i].r)
                        fail_msg("%s: %s", cases[i].text, err.text);
                if (cases[i].r < 0) {
                        assert_string_equal(err.path, "V1.sql.conf");
                        assert_true(err.line > 0);
                        continue;
                }
                assert_int_equal(conf.tx, cases[i].tx);
                assert_int_equal(conf.replace_placeholders, cases[i].replace);
        }
}

static FormatContext context(const FormatOptions *o)
{
        return (FormatContext){ .options = o,
                                .database = "db",
                                .user = "joe",
                                .schema = "app",
                                .timestamp = "2026-01-02 03:04:05" };
}

static void test_observed_repeatables(void **state)
{
        json_t *vectors = load_vectors(), *v;
        size_t i;

        (void) state;
        assert_true(json_array_size(json_object_get(vectors, "repeatable_checksum")) >= 4);
        json_array_foreach(json_object_get(vectors, "repeatable_checksum"), i, v)
        {
                _cleanup_(changelog_freep) Changelog *c = NULL;
                json_t *placeholders = json_object_get(v, "placeholders");
                const File files[] = { { "R__v.sql", vector_text(v, "file"), 0 }, { 0 } };
                FormatOptions o = options();
                Placeholder who = { .name = (char[]){ "who" } };
                FormatContext ctx = context(&o);
                char want[16];
                Error err;

                fill(files);
                o.placeholder_replacement = json_is_object(placeholders);
                _cleanup_free_ char *value = strdup(vector_text(placeholders, "who"));
                who.value = value;
                o.placeholders = &who;
                assert_int_equal(flyway_read(&c, &o, &err), 0);
                assert_int_equal(flyway_bind(c, &ctx, &err), 0);
                assert_int_equal(flyway_bind(c, &ctx, &err), 0); /* again, for another database */
                (void) snprintf(want, sizeof want, "%d",
                                (int) json_integer_value(json_object_get(v, "checksum")));
                assert_string_equal(c->migrations[0].checksum, want);
                empty();
        }
        json_decref(vectors);
}

static void test_open_script(void **state)
{
        static const File files[] = {
                { "sub/V1__a.sql",
                  "\xef\xbb\xbf${who} ${flyway:defaultSchema} ${FLYWAY:USER} ${flyway:database} "
                  "${flyway:timestamp} ${flyway:filename} ${flyway:table} ${flyway:environment}",
                  0 },
                { "V2__b.sql", "${nope}", 0 },
                { "V2__b.sql.conf", "placeholderReplacement=false", 0 },
                { "V3__c.sql", "-- c\n${nope}", 0 },
                { 0 },
        };
        _cleanup_(changelog_freep) Changelog *c = NULL;
        FormatOptions o = options();
        FormatContext ctx = context(&o);
        ScriptText t = { 0 };
        Error err = { 0 };

        (void) state;
        fill(files);
        assert_int_equal(flyway_read(&c, &o, &err), 0);
        assert_int_equal(flyway_open_script(&t, c, &c->migrations[0], &ctx, &err), 0);
        assert_string_equal(t.data, "bob app joe db 2026-01-02 03:04:05 V1__a.sql "
                                    "flyway_schema_history default");
        assert_int_equal(script_text_origin(&t, 0), 3);
        script_text_done(&t);
        assert_int_equal(flyway_open_script(&t, c, &c->migrations[1], &ctx, &err), 0);
        assert_string_equal(t.data, "${nope}");
        assert_null(t.replaced);
        script_text_done(&t);
        assert_int_equal(flyway_open_script(&t, c, &c->migrations[2], &ctx, &err),
                         -ERROR_CHANGELOG);
        assert_int_equal(err.line, 2);
        write_file(&(File){ "V2__b.sql", "other", 0 });
        assert_int_equal(flyway_open_script(&t, c, &c->migrations[1], &ctx, &err),
                         -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "changed"));
        empty();
        assert_int_equal(flyway_open_script(&t, c, &c->migrations[1], &ctx, &err),
                         -ERROR_CHANGELOG);
        assert_non_null(strstr(err.path, "V2__b.sql"));
}

static void test_new_name(void **state)
{
        static const struct {
                const char *version, *name, *want;
        } cases[] = {
                { NULL, "first", "V1__first.sql" },
                { "3", "Add  orders!", "V4__Add_orders.sql" },
                { "9.9", "x", "V10__x.sql" },
                { "009", "x", "V010__x.sql" },
                { "99999999999999999999", "x", "V100000000000000000000__x.sql" },
                { "1", "_a__b_", "V2__a_b.sql" },
                { "99990101000000", "x", "V99990101000001__x.sql" },
                { "1", "\xc3\xa9t\xc3\xa9", "V2__\xc3\xa9t\xc3\xa9.sql" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Migration m = { .kind = MIGRATION_VERSIONED,
                                .version = (char *) (uintptr_t) cases[i].version };
                Changelog c = { .migrations = &m, .n_migrations = cases[i].version ? 1 : 0 };
                _cleanup_free_ char *name = NULL;
                Error err;

                assert_int_equal(flyway_new_name(&name, &c, cases[i].name, &err), 0);
                assert_string_equal(name, cases[i].want);
        }
}

static void test_new_name_by_time(void **state)
{
        Migration m = { .kind = MIGRATION_VERSIONED, .version = (char[]){ "20200101000000" } };
        Changelog c = { .migrations = &m, .n_migrations = 1 };
        _cleanup_free_ char *name = NULL;
        char *none = NULL;
        FlywayName n;
        Error err = { 0 };

        (void) state;
        assert_int_equal(flyway_new_name(&name, &c, "x", &err), 0);
        flyway_name_parse(&n, name);
        assert_int_equal(strlen(n.version), 14);
        assert_true(flyway_version_compare(n.version, "20250101000000") > 0);
        assert_int_equal(flyway_new_name(&none, &c, "--", &err), -ERROR_USAGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reads_in_order),
                cmocka_unit_test(test_hooks),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_many_problems_fit),
                cmocka_unit_test(test_names_that_are_none),
                cmocka_unit_test(test_no_folder),
                cmocka_unit_test(test_conf),
                cmocka_unit_test(test_observed_repeatables),
                cmocka_unit_test(test_open_script),
                cmocka_unit_test(test_new_name),
                cmocka_unit_test(test_new_name_by_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
