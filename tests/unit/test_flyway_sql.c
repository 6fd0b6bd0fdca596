#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"

#define INSERT                                                                               \
        "INSERT INTO \"s\"\"x\".\"h\" (installed_rank, version, description, type, script, " \
        "checksum, installed_by, execution_time, success) VALUES "
#define TABLE                                                  \
        "CREATE TABLE \"s\"\"x\".\"h\" (\n"                    \
        "    installed_rank integer NOT NULL,\n"               \
        "    version varchar(50),\n"                           \
        "    description varchar(200) NOT NULL,\n"             \
        "    type varchar(20) NOT NULL,\n"                     \
        "    script varchar(1000) NOT NULL,\n"                 \
        "    checksum integer,\n"                              \
        "    installed_by varchar(100) NOT NULL,\n"            \
        "    installed_on timestamp NOT NULL DEFAULT now(),\n" \
        "    execution_time integer NOT NULL,\n"               \
        "    success boolean NOT NULL\n"                       \
        ");\n"
#define KEYS                                                                                   \
        "ALTER TABLE \"s\"\"x\".\"h\" ADD CONSTRAINT \"h_pk\" PRIMARY KEY (installed_rank);\n" \
        "CREATE INDEX \"h_s_idx\" ON \"s\"\"x\".\"h\" (success);\n"
#define BASELINE_TAIL                                                         \
        "'1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', " \
        "NULL, current_user, 0, true);\n"
#define NEXT "(SELECT coalesce(max(installed_rank), 0) + 1 FROM \"s\"\"x\".\"h\")"

static FormatOptions options = { .table = (char[]){ "h" }, .create_schemas = true };
static const FormatContext ctx = { .options = &options, .database = "db", .schema = "s\"x" };

static HistoryRow row_of(int64_t rank, const char *version, const char *description,
                         const char *type, const char *checksum)
{
        return (HistoryRow){ .rank = rank,
                             .version = version ? strdup(version) : NULL,
                             .description = strdup(description),
                             .type = strdup(type),
                             .script = strdup("V__s.sql"),
                             .installed_by = strdup("joe"),
                             .checksum = checksum ? strdup(checksum) : NULL,
                             .success = true };
}

static void test_applied(void **state)
{
        const struct {
                Migration m;
                int64_t rank, ms;
                const char *by, *want;
        } cases[] = {
                { { .version = (char[]){ "1.0" },
                    .description = (char[]){ "it's" },
                    .script = (char[]){ "a\\b.sql" },
                    .checksum = (char[]){ "-5" } },
                  3,
                  12,
                  "",
                  INSERT
                  "(3, '1.0', 'it''s', 'SQL', E'a\\\\b.sql', -5, current_user, 12, true);\n" },
                { { .kind = MIGRATION_REPEATABLE,
                    .description = (char[]){ "v" },
                    .script = (char[]){ "R__v.sql" },
                    .checksum = (char[]){ "7" } },
                  0,
                  -1,
                  "o'neill",
                  INSERT "(" NEXT
                         ", NULL, 'v', 'SQL', 'R__v.sql', 7, 'o''neill', (extract(epoch from "
                         "clock_timestamp() - current_setting('pgmigrated.began')::timestamptz) * "
                         "1000)::int, true) RETURNING execution_time;\n" },
                { { .kind = MIGRATION_BASELINE,
                    .version = (char[]){ "2" },
                    .description = (char[]){ "" },
                    .script = (char[]){ "B2.sql" },
                    .checksum = (char[]){ "0" } },
                  1,
                  INT64_MAX,
                  NULL,
                  INSERT
                  "(1, '2', '', 'SQL_BASELINE', 'B2.sql', 0, current_user, 2147483647, true);\n" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text sql = TEXT_INIT(10000);
                Error err;

                options.installed_by = (char *) (uintptr_t) cases[i].by;
                assert_int_equal(flyway_sql_applied(&sql, &ctx,
                                                    &(Applied){ .migration = &cases[i].m,
                                                                .rank = cases[i].rank,
                                                                .ms = cases[i].ms },
                                                    &err),
                                 0);
                assert_string_equal(text_str(&sql), cases[i].want);
        }
        options.installed_by = NULL;
}

static void test_too_long(void **state)
{
        const Migration m = { .description = (char[]){ "d" },
                              .script = (char[]){ "s" },
                              .checksum = (char[]){ "1" } };
        _cleanup_text_ Text sql = TEXT_INIT(50);
        Error err;

        (void) state;
        assert_int_equal(flyway_sql_applied(&sql, &ctx,
                                            &(Applied){ .migration = &m, .rank = 1, .ms = 1 },
                                            &err),
                         -ERROR_TOO_LARGE);
}

static void test_undone(void **state)
{
        const Migration undo = { .script = (char[]){ "U1__x.sql" }, .checksum = (char[]){ "9" } };
        HistoryRow row = { .version = (char[]){ "1" },
                           .description = (char[]){ "d" },
                           .script = (char[]){ "V1__x.sql" },
                           .checksum = (char[]){ "8" } };
        _cleanup_text_ Text sql = TEXT_INIT(10000);
        Error err;

        (void) state;
        assert_int_equal(flyway_sql_undone(&sql, &ctx, &row, &undo, 4, 5, &err), 0);
        assert_string_equal(text_str(&sql), INSERT
                            "(4, '1', 'd', 'DELETE', 'U1__x.sql', 9, current_user, 5, true);\n");
}

static void test_create(void **state)
{
        char *missing[] = { (char[]){ "s\"x" }, (char[]){ "b" } };
        static const struct {
                size_t n_missing;
                bool exists, baseline;
                const char *want;
        } cases[] = {
                { 0, false, false, TABLE KEYS },
                { 0, false, true, TABLE INSERT "(1, " BASELINE_TAIL KEYS },
                { 1, false, false,
                  "CREATE SCHEMA IF NOT EXISTS \"s\"\"x\";\n" TABLE KEYS INSERT
                  "(0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"s\"\"x\"', NULL, "
                  "current_user, 0, true);\n" },
                { 2, false, true,
                  "CREATE SCHEMA IF NOT EXISTS \"s\"\"x\";\nCREATE SCHEMA IF NOT EXISTS "
                  "\"b\";\n" TABLE INSERT "(1, " BASELINE_TAIL KEYS INSERT
                  "(2, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"s\"\"x\",\"b\"', NULL, "
                  "current_user, 0, true);\n" },
                { 0, true, false, "" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const History h = { .exists = cases[i].exists,
                                    .missing_schemas = missing,
                                    .n_missing_schemas = cases[i].n_missing };
                _cleanup_text_ Text sql = TEXT_INIT(10000);
                Error err;

                assert_int_equal(flyway_sql_create(&sql, &ctx, &h, cases[i].baseline, &err), 0);
                assert_string_equal(text_str(&sql), cases[i].want);
        }
}

static void test_next_rank(void **state)
{
        HistoryRow rows[] = { { .rank = 0 }, { .rank = 7 } };
        static const struct {
                size_t n_rows;
                int64_t foreseen, want;
        } cases[] = {
                { 0, 0, 1 }, { 0, 3, 3 }, { 1, 0, 1 }, { 2, 0, 8 }, { 2, 9, 9 }, { 2, 2, 8 }
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const History h = { .rows = rows,
                                    .n_rows = cases[i].n_rows,
                                    .next_rank = cases[i].foreseen };

                assert_true(flyway_next_rank(&h) == cases[i].want);
        }
}

static void test_baseline(void **state)
{
        static const struct {
                const char *type, *version; /* of a row; NULL: none */
                const char *description;
                bool exists;
                int r;
                const char *text;
        } cases[] = {
                { NULL, NULL, "", false, 1, TABLE INSERT "(1, " BASELINE_TAIL KEYS },
                { NULL, NULL, "", true, 1, INSERT "(" NEXT ", " BASELINE_TAIL },
                { "SCHEMA", NULL, "", true, 1, INSERT "(" NEXT ", " BASELINE_TAIL },
                { "BASELINE", "1.0", "<< Flyway Baseline >>", true, 0, "" },
                { "BASELINE", "2", "<< Flyway Baseline >>", true, -ERROR_REFUSED,
                  "already has a baseline: version 2" },
                { "BASELINE", "1", "other", true, -ERROR_REFUSED,
                  "already has a baseline: version 1 (other)" },
                { "SQL", "1", "d", true, -ERROR_REFUSED, "already records migrations" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(history_freep) History *h = calloc(1, sizeof *h);
                _cleanup_text_ Text sql = TEXT_INIT(10000);
                Error err = { 0 };

                h->exists = h->schema_exists = cases[i].exists;
                if (cases[i].type)
                        (void) history_add(h,
                                           row_of(1, cases[i].version, cases[i].description,
                                                  cases[i].type, NULL),
                                           &err);
                assert_int_equal(flyway_sql_baseline(&sql, &ctx, NULL, h, &err), cases[i].r);
                if (cases[i].r < 0)
                        assert_non_null(strstr(err.text, cases[i].text));
                else
                        assert_string_equal(text_str(&sql), cases[i].text);
        }
}

static Migration migration_of(MigrationKind kind, const char *version, const char *description,
                              const char *checksum, int32_t alt)
{
        return (Migration){ .kind = kind,
                            .id = strdup(description),
                            .version = version ? strdup(version) : NULL,
                            .description = strdup(description),
                            .script = strdup("file.sql"),
                            .path = strdup("sql/file.sql"),
                            .checksum = strdup(checksum),
                            .checksum_alt = alt,
                            .has_checksum_alt = kind == MIGRATION_REPEATABLE };
}

static void test_repair(void **state)
{
        _cleanup_(history_freep) History *h = calloc(1, sizeof *h);

        _cleanup_(changelog_freep) Changelog *c = calloc(1, sizeof *c);
        _cleanup_text_ Text sql = TEXT_INIT(10000), notes = TEXT_INIT(10000);
        Error err = { 0 };

        (void) state;
        (void) changelog_add(c, migration_of(MIGRATION_VERSIONED, "2", "two", "22", 0), &err);
        (void) changelog_add(c, migration_of(MIGRATION_VERSIONED, "3", "three", "3", 0), &err);
        (void) changelog_add(c, migration_of(MIGRATION_VERSIONED, "4", "four", "4", 0), &err);
        (void) changelog_add(c, migration_of(MIGRATION_REPEATABLE, NULL, "old", "9", 5), &err);
        (void) changelog_add(c, migration_of(MIGRATION_REPEATABLE, NULL, "outdated", "9", 5), &err);
        h->exists = true;
        (void) history_add(h, row_of(1, "1", "one", "SQL", NULL), &err);
        (void) history_add(h, row_of(2, "2", "zwei", "SQL", "2"), &err);
        (void) history_add(h, row_of(3, "3", "three", "SQL", "3"), &err);
        (void) history_add(h, row_of(4, NULL, "old", "SQL", "5"), &err);
        (void) history_add(h, row_of(5, NULL, "outdated", "SQL", "6"), &err);
        (void) history_add(h, row_of(6, "4", "four", "SQL", "4"), &err);
        (void) history_add(h, row_of(7, "5", "five", "SQL", "5"), &err);
        h->rows[5].success = false;

        assert_int_equal(flyway_sql_repair(&sql, &notes, &ctx, c, h, &err), 1);
        assert_string_equal(
                text_str(&sql), INSERT
                "(" NEXT ", '1', 'one', 'DELETE', 'V__s.sql', NULL, current_user, 0, true);\n"
                "UPDATE \"s\"\"x\".\"h\" SET description = 'two', type = 'SQL', checksum = 22 "
                "WHERE "
                "installed_rank = 2;\n"
                "UPDATE \"s\"\"x\".\"h\" SET description = 'old', type = 'SQL', checksum = 9 WHERE "
                "installed_rank = 4;\n"
                "DELETE FROM \"s\"\"x\".\"h\" WHERE installed_rank = 6 AND NOT success;\n");
        assert_string_equal(
                text_str(&notes),
                "mark version 1 (one) as deleted, since V__s.sql is not there\n"
                "record file.sql as the text of version 2 (zwei), checksum 22 instead of 2\n"
                "record file.sql as the text of repeatable migration (old), checksum 9 "
                "instead of 5\n"
                "remove the failed row of version 4 (four)\n");
}

static void test_nothing_to_repair(void **state)
{
        _cleanup_(history_freep) History *h = calloc(1, sizeof *h);
        _cleanup_(changelog_freep) Changelog *c = calloc(1, sizeof *c);
        _cleanup_text_ Text sql = TEXT_INIT(10000), notes = TEXT_INIT(10000);
        Error err = { 0 };

        (void) state;
        (void) changelog_add(c, migration_of(MIGRATION_VERSIONED, "1", "one", "1", 0), &err);
        assert_int_equal(flyway_sql_repair(&sql, &notes, &ctx, c, h, &err), 0);
        h->exists = true;
        (void) history_add(h, row_of(1, "1", "one", "SQL", "1"), &err);
        assert_int_equal(flyway_sql_repair(&sql, &notes, &ctx, c, h, &err), 0);
        assert_int_equal(sql.len, 0);
        assert_int_equal(notes.len, 0);
}

static void test_abbreviations(void **state)
{
        char in[1200], want[1100];
        _cleanup_text_ Text t = TEXT_INIT(10000);

        (void) state;
        memset(in, 'x', sizeof in);
        in[200] = '\0';
        flyway_abbreviate_description(&t, in);
        assert_string_equal(text_str(&t), in);
        text_clear(&t);
        in[200] = 'x';
        in[201] = '\0';
        flyway_abbreviate_description(&t, in);
        memset(want, 'x', 197);
        (void) strcpy(want + 197, "...");
        assert_string_equal(text_str(&t), want);
        text_clear(&t);
        memset(in, 'x', sizeof in);
        memcpy(in, "abcd", 4);
        in[1001] = '\0';
        flyway_abbreviate_script(&t, in);
        assert_int_equal(t.len, 1000);
        assert_memory_equal(text_str(&t), "...dxxx", 7);
        text_clear(&t);
        for (size_t i = 0; i < 201; i++) /* characters, not bytes */
                memcpy(in + 2 * i, "\xc3\xa9", 3);
        flyway_abbreviate_description(&t, in);
        assert_int_equal(t.len, 2 * 197 + 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_applied),       cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_undone),        cmocka_unit_test(test_create),
                cmocka_unit_test(test_next_rank),     cmocka_unit_test(test_baseline),
                cmocka_unit_test(test_repair),        cmocka_unit_test(test_nothing_to_repair),
                cmocka_unit_test(test_abbreviations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
