#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/changelog.h"
#include "format/liquibase/change/checksum.h"
#include "format/liquibase/liquibase.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SET(id, more) "<changeSet id='" id "' author='a'" more ">"
#define SQL "<sql>select 1</sql></changeSet>"
#define DEFAULT SET("1", "") SQL SET("2", "") SQL SET("3", "") SQL
/* Of a changeset with <sql>select 1</sql>. */
static char sum9[CHECKSUM_MAX], sum8[CHECKSUM_MAX];

typedef struct Fixture {
        char target[64], contexts[64];
        FormatOptions options;
        FormatContext context;
        Changelog *changelog;
        History *history;
} Fixture;

static void setup(Fixture *f, const char *changesets)
{
        static char nothing[] = "", table[] = LIQUIBASE_TABLE;
        char folder[] = "/tmp/test_liquibase_history.XXXXXX", file[64];
        Error err = { .code = ERROR_NONE };
        FILE *out;

        assert_non_null(mkdtemp(folder));
        (void) snprintf(file, sizeof file, "%s/c.xml", folder);
        out = fopen(file, "w");
        assert_non_null(out);
        assert_true(fprintf(out, "<databaseChangeLog>%s</databaseChangeLog>", changesets) > 0);
        assert_int_equal(fclose(out), 0);
        f->options = (FormatOptions){ .folder = file,
                                      .table = nothing,
                                      .schemas = nothing,
                                      .default_schema = nothing,
                                      .target = f->target,
                                      .contexts = f->contexts,
                                      .labels = nothing,
                                      .root = nothing,
                                      .ignore_migration_patterns = nothing,
                                      .baseline_version = nothing,
                                      .baseline_description = nothing,
                                      .installed_by = nothing,
                                      .validate_on_migrate = true };
        f->context = (FormatContext){
                .options = &f->options, .schema = "s", .table = table, .deployment = "1234567890"
        };
        if (liquibase_read(&f->changelog, &f->options, &err) < 0)
                fail_msg("%s: %s", changesets, err.text);
        f->options.folder = nothing;
        assert_int_equal(unlink(file), 0);
        assert_int_equal(rmdir(folder), 0);
        f->history = calloc(1, sizeof *f->history);
        assert_non_null(f->history);
}

static void done(Fixture *f)
{
        (void) changelog_free(f->changelog);
        (void) history_free(f->history);
}

static char *copy(const char *s)
{
        return s ? strdup(s) : NULL;
}

/* Rows in words: "1 2=8 3=x 4=- 5@tag 6~b.xml": id, = its sum (9: the right one, 8: that of 4.4, -: none, else as it is), @ its tag, ~ its
 * file. They were written an hour after one another, from 2020-01-01 00:00:00 on. */
static void add_rows(Fixture *f, const char *words)
{
        History *h = f->history;
        char list[200], *rest = list, *word;

        (void) snprintf(list, sizeof list, "%s", words);
        h->exists = h->schema_exists = true;
        h->rows = calloc(16, sizeof *h->rows);
        while ((word = strsep(&rest, " "))) {
                HistoryRow *row = &h->rows[h->n_rows];
                char *file = strchr(word, '~'), *tag = strchr(word, '@'), *sum = strchr(word, '=');

                if (!*word)
                        continue;
                if (file)
                        *file++ = '\0';
                if (tag)
                        *tag++ = '\0';
                if (sum)
                        *sum++ = '\0';
                *row = (HistoryRow){ .rank = (int64_t) h->n_rows + 1,
                                     .id = copy(word),
                                     .author = copy("a"),
                                     .script = copy(file ? file : "c.xml"),
                                     .version = copy(tag),
                                     .description = copy("sql"),
                                     .type = copy("EXECUTED"),
                                     .installed_by = copy(""),
                                     .success = true };
                row->checksum = !sum || strcmp(sum, "9") == 0 ? copy(sum9)
                                : strcmp(sum, "8") == 0       ? copy(sum8)
                                : strcmp(sum, "-") == 0       ? NULL
                                                              : copy(sum);
                assert_true(asprintf(&row->installed_on, "2020-01-01 %02zu:00:00", h->n_rows) > 0);
                h->n_rows++;
        }
        h->next_rank = (int64_t) h->n_rows + 1;
}

/* "row/changeset:state" for each entry, - where there is none. */
static void describe(Text *out, const Assessment *a)
{
        for (size_t i = 0; i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                text_printf(out, "%s%s/%s:%s", i ? " " : "", e->row ? e->row->id : "-",
                            e->migration ? liquibase_set(e->migration)->id : "-",
                            entry_state_name(e->state));
        }
}

typedef struct Case {
        const char *changesets, *rows, *target;
        const char *want, *refusal; /* part of the only one; NULL: none */
        bool upkeep;
        AssessPurpose purpose;
} Case;

static void check(const Case *c)
{
        _cleanup_(assessment_freep) Assessment *a = NULL;
        _cleanup_text_ Text got = TEXT_INIT(4096);
        Error err = { .code = ERROR_NONE };
        Fixture f = { .contexts = "test" };

        (void) snprintf(f.target, sizeof f.target, "%s", c->target ? c->target : "");
        setup(&f, c->changesets);
        add_rows(&f, c->rows);
        if (liquibase_assess(&a, f.changelog, f.history, &f.context, c->purpose, &err) < 0)
                fail_msg("%s: %s", c->rows, err.text);
        describe(&got, a);
        if (strcmp(text_str(&got), c->want) != 0)
                fail_msg("%s with %s: %s, not %s", c->changesets, c->rows, text_str(&got), c->want);
        if (a->n_refusals != (c->refusal != NULL) ||
            (c->refusal && !strstr(a->refusals[0].text, c->refusal)))
                fail_msg("%s with %s: %zu refusals, %s", c->changesets, c->rows, a->n_refusals,
                         a->n_refusals ? a->refusals[0].text : "");
        if (a->needs_upkeep != c->upkeep)
                fail_msg("%s with %s: upkeep", c->changesets, c->rows);
        done(&f);
}

static void test_assess(void **state)
{
        static const Case cases[] = {
                { DEFAULT, "", NULL, "-/1:pending -/2:pending -/3:pending", NULL, false, 0 },
                { DEFAULT, "1 2 3", NULL, "1/1:applied 2/2:applied 3/3:applied", NULL, false, 0 },
                { DEFAULT, "2 1", NULL, "2/2:applied 1/1:applied -/3:pending", NULL, false, 0 },
                { DEFAULT, "1 9", NULL, "1/1:applied 9/-:missing -/2:pending -/3:pending", NULL,
                  false, 0 },
                { DEFAULT, "1=8", NULL, "1/1:applied -/2:pending -/3:pending", NULL, true, 0 },
                { DEFAULT, "1=-", NULL, "1/1:applied -/2:pending -/3:pending", NULL, true, 0 },
                { DEFAULT, "1=9:00", NULL, "1/1:applied -/2:pending -/3:pending",
                  "changeset c.xml::1::a has been changed since it was applied", false, 0 },
                { DEFAULT, "1=9:00", NULL, "1/1:applied -/2:pending -/3:pending", NULL, false,
                  ASSESS_INFO },
                { DEFAULT, "1=11:00", NULL, "1/1:applied -/2:pending -/3:pending",
                  "nobody knows the kind of the checksum", false, 0 },
                { SET("1", "") "<validCheckSum>9:00</validCheckSum>" SQL, "1=9:00", NULL,
                  "1/1:applied", NULL, false, 0 },
                { SET("1", "") "<validCheckSum>ANY</validCheckSum>" SQL, "1=9:00", NULL,
                  "1/1:applied", NULL, false, 0 },
                { SET("1", "") "<validCheckSum>9:01</validCheckSum>" SQL, "1=9:00", NULL,
                  "1/1:applied", "has been changed", false, 0 },
                { SET("1", " runOnChange='true'") SQL, "1=9:00", NULL, "1/1:outdated", NULL, false,
                  0 },
                { SET("1", " runOnChange='true'") SQL, "1", NULL, "1/1:applied", NULL, false, 0 },
                { SET("1", " runAlways='true'") SQL, "1", NULL, "1/1:outdated", NULL, false, 0 },
                { SET("1", " dbms='h2'") SQL, "", NULL, "", NULL, false, 0 },
                { SET("1", " context='prod'") SQL SET("2", " context='test'") SQL, "", NULL,
                  "-/1:filtered -/2:pending", NULL, false, 0 },
                { SET("1", " ignore='true'") SQL, "1=9:00", NULL, "1/1:applied", NULL, false, 0 },
                { DEFAULT, "1 1", NULL, "1/-:superseded 1/1:applied -/2:pending -/3:pending", NULL,
                  false, 0 },
                /* Paths are compared without what may differ between versions of Liquibase. */
                { DEFAULT, "1~./c.xml 2~classpath:c.xml 3~/c.xml", NULL,
                  "1/1:applied 2/2:applied 3/3:applied", NULL, false, 0 },
                { DEFAULT, "1~db/c.xml", NULL, "1/-:missing -/1:pending -/2:pending -/3:pending",
                  "the history calls db/c.xml what is c.xml here", false, 0 },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++)
                check(&cases[i]);
}

static void test_targets(void **state)
{
#define TAGGED DEFAULT SET("4", "") "<tagDatabase tag='t'/></changeSet>" SET("5", "") SQL
#define ABOVE(id) " -/" id ":above target"
#define PENDING(id) " -/" id ":pending"
        static const Case cases[] = {
                { TAGGED, "1", "latest",
                  "1/1:applied" PENDING("2") PENDING("3") PENDING("4") PENDING("5"), NULL, false,
                  0 },
                { TAGGED, "1", "current", "1/1:applied" ABOVE("2") ABOVE("3") ABOVE("4") ABOVE("5"),
                  NULL, false, 0 },
                { TAGGED, "1", "next", "1/1:applied" PENDING("2") ABOVE("3") ABOVE("4") ABOVE("5"),
                  NULL, false, 0 },
                { TAGGED, "1", "count:2",
                  "1/1:applied" PENDING("2") PENDING("3") ABOVE("4") ABOVE("5"), NULL, false, 0 },
                { TAGGED, "1", "count:0", "1/1:applied" ABOVE("2") ABOVE("3") ABOVE("4") ABOVE("5"),
                  NULL, false, 0 },
                { TAGGED, "1", "t", "1/1:applied" PENDING("2") PENDING("3") PENDING("4") ABOVE("5"),
                  NULL, false, 0 },
                { TAGGED, "1@x", "x", "1/1:applied" ABOVE("2") ABOVE("3") ABOVE("4") ABOVE("5"),
                  NULL, false, 0 },
                { TAGGED, "1", "nope",
                  "1/1:applied" PENDING("2") PENDING("3") PENDING("4") PENDING("5"),
                  "target nope: no changeset has that tag", false, 0 },
                { TAGGED, "1", "nope?",
                  "1/1:applied" PENDING("2") PENDING("3") PENDING("4") PENDING("5"), NULL, false,
                  0 },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++)
                check(&cases[i]);
}

static void test_faults_of_what_has_run_are_none(void **state)
{
#define FAULTY SET("1", "") "<createTable/></changeSet>"
        Fixture f = { .target = "" };
        _cleanup_(assessment_freep) Assessment *a = NULL;
        Error err = { .code = ERROR_NONE };

        (void) state;
        check(&(Case){ .changesets = FAULTY,
                       .rows = "1=8:00",
                       .want = "1/1:applied",
                       .refusal = "has been changed",
                       .upkeep = false });
        setup(&f, FAULTY);
        add_rows(&f, "");
        assert_int_equal(liquibase_assess(&a, f.changelog, f.history, &f.context, 0, &err), 0);
        assert_true(a->n_refusals > 0);
        assert_non_null(strstr(a->refusals[0].text, "is required for createTable"));
        assert_int_equal(a->refusals[0].line, 1);
        done(&f);
}

static void test_undo(void **state)
{
        static const struct {
                const char *rows, *target;
                const char *chosen; /* ids; NULL: refused */
        } cases[] = {
                { "1 2 3", NULL, "3" },
                { "3 2 1", NULL, "1" },
                { "1 2 3", "count:2", "2 3" },
                { "1 2 3", "count:0", "" },
                { "1 2 3", "count:99999999999", "1 2 3" },
                { "1@t 2 3", "t", "2 3" },
                { "1@t 2 3", "T", "2 3" },
                { "1@t 2@t 3", "t", "2 3" },
                { "1 2 3@t", "t", "" },
                { "1 2 3", "nope", NULL },
                { "1 2 3", "2020-01-01 00:30:00", "2 3" },
                { "1 2 3", "2020-01-02", "" },
                { "1 9 3", "count:2",
                  "1 3" }, /* what is not in the changelog cannot be taken back */
                { "1 2 3", "count:x", NULL },
                { "", NULL, "" },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_(assessment_freep) Assessment *a = NULL;
                _cleanup_text_ Text got = TEXT_INIT(4096);
                Error err = { .code = ERROR_NONE };
                bool chosen[16] = { false };
                Fixture f = { .target = "" };
                int r;

                setup(&f, DEFAULT);
                add_rows(&f, cases[i].rows);
                assert_int_equal(
                        liquibase_assess(&a, f.changelog, f.history, &f.context, ASSESS_INFO, &err),
                        0);
                r = liquibase_choose_undo(chosen, a, &f.context, cases[i].target, &err);
                assert_int_equal(r < 0, cases[i].chosen == NULL);
                for (const char *id = "123"; *id; id++)
                        for (size_t k = 0; k < a->n_entries; k++)
                                if (chosen[k] && *a->entries[k].row->id == *id)
                                        text_printf(&got, "%s%c", got.len ? " " : "", *id);
                if (r >= 0 && strcmp(text_str(&got), cases[i].chosen) != 0)
                        fail_msg("%s to %s: %s", cases[i].rows, cases[i].target, text_str(&got));
                done(&f);
        }
}

/* ---- SQL ---- */

static void assert_begins(const char *text, const char *head)
{
        if (strncmp(text, head, strlen(head)) != 0)
                fail_msg("%s, not %s", text, head);
}

#define TABLE "\"s\".databasechangelog"

static void test_sql_of_rows(void **state)
{
        static const char changesets[] =
                SET("it&apos;s",
                    " contextFilter='x or y' labels='B, a'") "<comment>why\\</comment><sql>select "
                                                             "1</sql>"
                                                             "<tagDatabase tag='t'/></changeSet>";
        static const char inserted[] =
                "INSERT INTO " TABLE " (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, "
                "DESCRIPTION, COMMENTS, EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID, TAG) "
                "VALUES "
                "('it''s', 'a', 'c.xml', NOW(), 7, '%s', 'sql; tagDatabase', E'why\\\\', '%s', "
                "'%s', 'b,a', "
                "'4.28.0', '1234567890', 't');\n";
        Fixture f = { .target = "" };
        Applied applied = { .rank = 7, .ms = 1 };
        Error err = { .code = ERROR_NONE };
        const ChangeSet *s;

        (void) state;
        setup(&f, changesets);
        add_rows(&f, "it's");
        applied.migration = &f.changelog->migrations[0];
        s = liquibase_set(applied.migration);
        for (int marked = 0; marked < 2; marked++) {
                _cleanup_text_ Text sql = TEXT_INIT(65536), want = TEXT_INIT(65536);

                applied.marked = marked;
                assert_int_equal(liquibase_sql_applied(&sql, &f.context, &applied, &err), 0);
                text_printf(&want, inserted, applied.migration->checksum,
                            marked ? "MARK_RAN" : "EXECUTED", s->contexts_column);
                assert_string_equal(text_str(&sql), text_str(&want));
        }
        _cleanup_text_ Text sql = TEXT_INIT(65536), undone = TEXT_INIT(65536);
        applied = (Applied){
                .migration = applied.migration, .previous = &f.history->rows[0], .rank = 7, .ms = -1
        };
        assert_int_equal(liquibase_sql_applied(&sql, &f.context, &applied, &err), 0);
        assert_begins(text_str(&sql), "UPDATE " TABLE " SET COMMENTS = E'why\\\\', CONTEXTS = ");
        assert_non_null(
                strstr(text_str(&sql), "EXECTYPE = 'RERAN', LABELS = 'b,a', LIQUIBASE = '4.28.0'"));
        assert_non_null(
                strstr(text_str(&sql),
                       "ORDEREXECUTED = 7, TAG = 't' WHERE ID = 'it''s' AND AUTHOR = 'a' AND "
                       "FILENAME = 'c.xml';\nSELECT (extract(epoch"));
        assert_int_equal(
                liquibase_sql_undone(&undone, &f.context, applied.previous, NULL, 0, 1, &err), 0);
        assert_string_equal(text_str(&undone),
                            "DELETE FROM " TABLE " WHERE ID = 'it''s' AND AUTHOR = 'a' AND "
                            "FILENAME = 'c.xml';\n");
        done(&f);
}

static void test_sql_of_tables(void **state)
{
        static const struct {
                const char *table, *want;
        } cases[] = {
                { LIQUIBASE_TABLE,
                  "\"s\".databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, "
                  "LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT "
                  "\"databasechangeloglock_pkey\" PRIMARY KEY (ID))" },
                { "own", "\"s\".\"ownlock\" (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, "
                         "LOCKGRANTED TIMESTAMP "
                         "WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT \"ownlock_pkey\" "
                         "PRIMARY KEY (ID))" },
        };
        Fixture f = { .target = "" };
        Error err = { .code = ERROR_NONE };

        (void) state;
        setup(&f, "");
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_text_ Text sql = TEXT_INIT(65536), unlock = TEXT_INIT(65536);

                f.context.table = cases[i].table;
                assert_int_equal(liquibase_sql_create(&sql, &f.context, f.history, false, &err), 0);
                if (!strstr(text_str(&sql), cases[i].want))
                        fail_msg("%s", text_str(&sql));
                assert_int_equal(liquibase_sql_unlock(&unlock, &f.context, &err), 0);
                assert_begins(text_str(&unlock), "UPDATE \"s\".");
                assert_non_null(strstr(text_str(&unlock), "lock"));
        }
        f.history->exists = true;
        _cleanup_text_ Text none = TEXT_INIT(100);
        assert_int_equal(liquibase_sql_create(&none, &f.context, f.history, false, &err), 0);
        assert_int_equal(none.len, 0);
        done(&f);
}

static void test_sql_of_operations(void **state)
{
        Fixture f = { .target = "" };
        Error err = { .code = ERROR_NONE };

        (void) state;
        setup(&f, DEFAULT);
        add_rows(&f, "1=8 2=9:00");
        {
                _cleanup_text_ Text sql = TEXT_INIT(65536), notes = TEXT_INIT(4096);
                assert_int_equal(liquibase_sql_repair(&sql, &notes, &f.context, f.changelog,
                                                      f.history, &err),
                                 1);
                assert_non_null(strstr(text_str(&sql), "WHERE ID = '1'"));
                assert_non_null(strstr(text_str(&sql), "WHERE ID = '2'"));
                assert_null(strstr(text_str(&sql), "WHERE ID = '3'"));
                assert_non_null(strstr(text_str(&notes), "c.xml::2::a: checksum 9:00 becomes 9:"));
        }
        {
                _cleanup_text_ Text sql = TEXT_INIT(65536), notes = TEXT_INIT(4096);
                assert_int_equal(liquibase_sql_upkeep(&sql, &notes, &f.context, f.changelog,
                                                      f.history, &err),
                                 1);
                assert_non_null(strstr(text_str(&sql), "WHERE ID = '1'"));
                assert_null(
                        strstr(text_str(&sql),
                               "WHERE ID = '2'")); /* a changed one is not accepted by the way */
                assert_begins(text_str(&notes), "1 checksums of an older version");
        }
        {
                _cleanup_text_ Text sql = TEXT_INIT(65536);
                assert_int_equal(
                        liquibase_sql_baseline(&sql, &f.context, f.changelog, f.history, &err), 1);
                assert_non_null(strstr(text_str(&sql), "VALUES ('3', 'a', 'c.xml', NOW(), 3, "));
                assert_null(strstr(text_str(&sql), "('1', "));
        }
        {
                _cleanup_text_ Text sql = TEXT_INIT(65536), first = TEXT_INIT(65536);
                assert_int_equal(liquibase_sql_tag(&sql, &f.context, f.history, "it's", &err), 0);
                assert_begins(text_str(&sql), "UPDATE " TABLE " t SET TAG = 'it''s' FROM");
                assert_int_equal(
                        liquibase_sql_tag(&first, &f.context, &(History){ .n_rows = 0 }, "x", &err),
                        0);
                assert_begins(text_str(&first), "INSERT INTO " TABLE);
        }
        done(&f);
}

static int learn_sums(void **state)
{
        Fixture f = { .target = "" };
        Error err = { .code = ERROR_NONE };
        const ChangeSet *s;

        (void) state;
        setup(&f, DEFAULT);
        s = liquibase_set(&f.changelog->migrations[0]);
        assert_int_equal(changeset_checksum(sum9, liquibase_log(f.changelog)->model, s, 9, &err),
                         0);
        assert_int_equal(changeset_checksum(sum8, liquibase_log(f.changelog)->model, s, 8, &err),
                         0);
        done(&f);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_assess),
                cmocka_unit_test(test_targets),
                cmocka_unit_test(test_faults_of_what_has_run_are_none),
                cmocka_unit_test(test_undo),
                cmocka_unit_test(test_sql_of_rows),
                cmocka_unit_test(test_sql_of_tables),
                cmocka_unit_test(test_sql_of_operations),
        };

        return cmocka_run_group_tests_name("liquibase_history", tests, learn_sums, NULL);
}
