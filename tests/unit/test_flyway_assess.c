#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"

/* Files and rows are written in words: "V1 V2=7 R:a B3 U1" (=: checksum, else 1) and
 * "1 2=7 2! R:a baseline:1 delete:2 schema 3@UNDO_SQL" (!: failed, @: type). What comes out is written the
 * same way, one "row/file:state" an entry. */
typedef struct Case {
        const char *files, *rows;
        const char *want;    /* entries */
        const char *refusal; /* part of the only refusal; NULL: there is none */
        AssessPurpose purpose;
        const char *target, *ignore;
        bool out_of_order, no_validation;
} Case;

static bool take_word(const char **s, char *word, size_t size)
{
        *s += strspn(*s, " ");
        size_t len = strcspn(*s, " ");
        assert_true(len < size);
        memcpy(word, *s, len);
        word[len] = '\0';
        *s += len;
        return len > 0;
}

/* Cuts the word at the mark; returns what follows it. */
static char *cut(char *word, char mark)
{
        char *at = strchr(word, mark);

        if (at)
                *at++ = '\0';
        return at;
}

static char *copy(const char *s)
{
        return s ? strdup(s) : NULL;
}

static Changelog *make_changelog(const char *files)
{
        Changelog *c = calloc(1, sizeof *c);
        char word[64];
        Error err;

        c->format = &flyway_format;
        c->folder = strdup("sql");
        while (take_word(&files, word, sizeof word)) {
                const char *checksum = cut(word, '=') ?: "1";
                Migration m = { .id = strdup(word),
                                .checksum = strdup(checksum),
                                .checksum_alt = 77 };

                m.kind = word[0] == 'V'   ? MIGRATION_VERSIONED
                         : word[0] == 'B' ? MIGRATION_BASELINE
                         : word[0] == 'U' ? MIGRATION_UNDO
                                          : MIGRATION_REPEATABLE;
                m.has_checksum_alt = m.kind == MIGRATION_REPEATABLE;
                m.version = m.kind == MIGRATION_REPEATABLE ? NULL : strdup(word + 1);
                m.description = strdup(m.version ? "d" : word + 2);
                m.script = strdup(word);
                assert_true(asprintf(&m.path, "sql/%s", word) > 0);
                assert_int_equal(changelog_add(c, m, &err), 0);
        }
        assert_int_equal(flyway_arrange(c, &err), 0);
        return c;
}

static void make_row(History *h, char *word)
{
        const char *checksum = cut(word, '='), *type = cut(word, '@');
        HistoryRow row = { .rank = (int64_t) h->n_rows + 1, .success = true };
        char *value;
        Error err;

        if (word[strlen(word) - 1] == '!') {
                row.success = false;
                word[strlen(word) - 1] = '\0';
        }
        value = cut(word, ':');
        row.description = strdup("d");
        if (strcmp(word, "R") == 0 || (strcmp(word, "delete") == 0 && *value == 'R')) {
                free(row.description);
                row.description = strdup(*word == 'R' ? value : value + 1);
        } else if (strcmp(word, "schema") != 0)
                row.version = strdup(value ? value : word);
        row.type = strdup(type                            ? type
                          : strcmp(word, "baseline") == 0 ? "BASELINE"
                          : strcmp(word, "delete") == 0   ? "DELETE"
                          : strcmp(word, "schema") == 0   ? "SCHEMA"
                                                          : "SQL");
        row.checksum = copy(checksum ? (strcmp(checksum, "null") == 0 ? NULL : checksum) : "1");
        row.script = strdup(row.version ? row.version : row.description);
        row.installed_by = strdup("joe");
        row.installed_on = strdup("2026-01-01 00:00:00.000");
        assert_int_equal(history_add(h, row, &err), 0);
}

static History *make_history(const char *rows)
{
        History *h = calloc(1, sizeof *h);
        char word[64];

        h->exists = h->schema_exists = rows != NULL;
        h->schema_empty = true;
        while (rows && take_word(&rows, word, sizeof word))
                make_row(h, word);
        return h;
}

static void describe(Text *t, const Assessment *a)
{
        for (size_t i = 0; i < a->n_entries; i++) {
                const Entry *e = &a->entries[i];

                text_printf(t, "%s", t->len ? " " : "");
                if (e->row)
                        text_printf(t, "%lld", (long long) e->row->rank);
                text_printf(t, "/%s:%s", e->migration ? e->migration->id : "",
                            entry_state_name(e->state));
        }
}

static char *unconst(const char *s)
{
        return (char *) (uintptr_t) s;
}

static const Case cases[] = {
        /* pending */
        { .files = "V1 V2 V1.5 R:b R:a",
          .rows = NULL,
          .want = "/V1:pending /V1.5:pending /V2:pending /R:a:pending /R:b:pending" },
        { .files = "V1 V2 V10", .rows = "1 2", .want = "1/V1:applied 2/V2:applied /V10:pending" },
        { .files = "V01.0", .rows = "1", .want = "1/V01.0:applied" },
        { .files = "V1", .rows = "schema 1", .want = "1/:marker 2/V1:applied" },
        { .files = "V1=7", .rows = "1=null", .want = "1/V1=7:applied" },
        { .files = "V1",
          .rows = "",
          .purpose = ASSESS_VALIDATE,
          .want = "/V1:pending",
          .refusal = "version 1 (d) has not been applied" },
        { .files = "V1",
          .rows = "",
          .purpose = ASSESS_VALIDATE,
          .want = "/V1:pending",
          .ignore = "*:Pending" },
        /* order */
        { .files = "V1 V2 V3",
          .rows = "1 3",
          .want = "1/V1:applied 2/V3:applied /V2:ignored",
          .refusal = "version 2 (d) has not been applied, but the newer version 3 has" },
        { .files = "V1 V2 V3",
          .rows = "1 3",
          .want = "1/V1:applied 2/V3:applied /V2:ignored",
          .ignore = "versioned:ignored" },
        { .files = "V1 V2 V3",
          .rows = "1 3",
          .want = "1/V1:applied 2/V3:applied /V2:ignored",
          .no_validation = true },
        { .files = "V1 V2 V3",
          .rows = "1 3",
          .out_of_order = true,
          .want = "1/V1:applied 2/V3:applied /V2:pending" },
        { .files = "V1 V2 V3",
          .rows = "1 3 2",
          .want = "1/V1:applied 2/V3:applied 3/V2:out of order" },
        /* drift */
        { .files = "V1=5",
          .rows = "1",
          .want = "1/V1=5:applied",
          .refusal = "checksum 1 in the history, 5 in" },
        { .files = "V1=5", .rows = "1", .want = "1/V1=5:applied", .purpose = ASSESS_INFO },
        { .files = "V1=5", .rows = "1", .want = "1/V1=5:applied", .no_validation = true },
        { .files = "V1",
          .rows = "1@JDBC",
          .want = "1/V1:applied",
          .refusal = "was applied as JDBC" },
        { .files = "V2",
          .rows = "1 2",
          .want = "1/:missing 2/V2:applied",
          .refusal = "version 1 (d) was applied (2026-01-01 00:00:00.000, by joe), but 1 is not in "
                     "sql" },
        { .files = "V2", .rows = "1 2", .want = "1/:missing 2/V2:applied", .ignore = "*:missing" },
        { .files = "V1", .rows = "1 2", .want = "1/V1:applied 2/:future" },
        { .files = "V1",
          .rows = "1 2",
          .want = "1/V1:applied 2/:future",
          .ignore = "",
          .refusal = "version 2 (d) was applied" },
        { .files = "",
          .rows = "1 R:x",
          .want = "1/:future 2/:missing",
          .refusal = "repeatable migration (x)" },
        { .files = "V1", .rows = "1 5@WHATEVER", .want = "1/V1:applied 2/:future" },
        /* failed */
        { .files = "V1 V2",
          .rows = "1 2!",
          .want = "1/V1:applied 2/V2:failed",
          .refusal = "version 2 (d) is recorded as failed" },
        { .files = "V1 V2",
          .rows = "1 2!",
          .want = "1/V1:applied 2/V2:failed",
          .no_validation = true,
          .refusal = "is recorded as failed" },
        { .files = "V1", .rows = "1 2!", .want = "1/V1:applied 2/:failed" },
        { .files = "V2", .rows = "1! 2", .want = "1/:failed 2/V2:applied", .refusal = "failed" },
        { .files = "R:a",
          .rows = "R:a!",
          .want = "1/R:a:failed",
          .refusal = "repeatable migration (a) is recorded" },
        /* repeatables */
        { .files = "R:a=2", .rows = "R:a", .want = "1/R:a=2:outdated" },
        { .files = "R:a=2",
          .rows = "R:a",
          .want = "1/R:a=2:outdated",
          .purpose = ASSESS_VALIDATE,
          .refusal = "was changed since" },
        { .files = "R:a=2", .rows = "R:a R:a=2", .want = "1/R:a=2:superseded 2/R:a=2:applied" },
        { .files = "R:a", .rows = "R:a R:a=2", .want = "1/R:a:superseded 2/R:a:outdated" },
        { .files = "R:a", .rows = "R:a=77", .want = "1/R:a:applied" },
        { .files = "R:a", .rows = "R:a=null", .want = "1/R:a:outdated" },
        { .files = "R:a", .rows = "R:a delete:Ra", .want = "1/R:a:undone 2/:marker /R:a:pending" },
        { .files = "R:a=2 R:b V1",
          .rows = "R:a",
          .want = "/V1:pending 1/R:a=2:outdated /R:b:pending" },
        { .files = "",
          .rows = "R:a R:a",
          .want = "1/:superseded 2/:missing",
          .ignore = "repeatable:missing" },
        /* taken back */
        { .files = "V1 V2 U2",
          .rows = "1 2 delete:2",
          .want = "1/V1:applied 2/V2:undone 3/:marker /V2:pending" },
        { .files = "V1 V2",
          .rows = "1 2 2@UNDO_SQL",
          .want = "1/V1:applied 2/V2:undone 3/:marker /V2:pending" },
        { .files = "V1 V2",
          .rows = "1 2 delete:2 2",
          .want = "1/V1:applied 2/V2:undone 3/:marker 4/V2:applied" },
        { .files = "V1",
          .rows = "1 2 delete:2",
          .want = "1/V1:applied 2/:undone 3/:marker",
          .ignore = "" },
        /* baselines */
        { .files = "V1 V2 V3",
          .rows = "baseline:2",
          .want = "1/:baseline /V1:below baseline "
                  "/V2:below baseline /V3:pending" },
        { .files = "V1=5 V3",
          .rows = "1 baseline:2 3",
          .want = "1/V1=5:applied 2/:baseline 3/V3:applied" },
        { .files = "V1 V2 B2 V3",
          .rows = "",
          .want = "/V1:below baseline /B2:pending /V2:below baseline "
                  "/V3:pending" },
        { .files = "V1 B1 B2 V3",
          .rows = "",
          .want = "/B1:below baseline /V1:below baseline /B2:pending "
                  "/V3:pending" },
        { .files = "V1 B2 V3", .rows = "1", .want = "1/V1:applied /B2:ignored /V3:pending" },
        { .files = "V1 B2 V3",
          .rows = "2@SQL_BASELINE 3",
          .want = "1/B2:baseline 2/V3:applied /V1:below baseline" },
        { .files = "V1 V2 B3",
          .rows = "",
          .target = "2",
          .want = "/V1:pending /V2:pending /B3:above target" },
        /* targets */
        { .files = "V1 V2 V3 R:a",
          .rows = "1",
          .target = "2",
          .want = "1/V1:applied /V2:pending /V3:above target /R:a:pending" },
        { .files = "V1 V2 V3 R:a",
          .rows = "1",
          .target = "next",
          .want = "1/V1:applied /V2:pending /V3:above target /R:a:pending" },
        { .files = "V1 V2 R:a",
          .rows = "1",
          .target = "current",
          .want = "1/V1:applied /V2:above target /R:a:pending" },
        { .files = "V1 R:a",
          .rows = "",
          .target = "CURRENT",
          .want = "/V1:above target /R:a:pending" },
        { .files = "V1 V2", .rows = "1", .target = "latest", .want = "1/V1:applied /V2:pending" },
        { .files = "V1 V3",
          .rows = "1",
          .target = "2",
          .want = "1/V1:applied /V3:above target",
          .refusal = "target version 2 is neither in sql nor applied" },
        { .files = "V1 V3", .rows = "1", .target = "2?", .want = "1/V1:applied /V3:above target" },
        { .files = "V1 V3", .rows = "1 3", .target = "1.0", .want = "1/V1:applied 2/V3:applied" },
};

static void check(const Case *k)
{
        _cleanup_(changelog_freep) Changelog *c = make_changelog(k->files);
        _cleanup_(history_freep) History *h = make_history(k->rows);
        _cleanup_(assessment_freep) Assessment *a = NULL;
        _cleanup_text_ Text got = TEXT_INIT(10000), want = TEXT_INIT(10000);
        FormatOptions o = { .create_schemas = true,
                            .validate_on_migrate = !k->no_validation,
                            .out_of_order = k->out_of_order,
                            .target = unconst(k->target ?: ""),
                            .ignore_migration_patterns = unconst(k->ignore ?: "*:future") };
        FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };
        Error err = { 0 };

        assert_int_equal(flyway_assess(&a, c, h, &ctx, k->purpose, &err), 0);
        describe(&got, a);
        for (const char *s = k->want; *s; s++) { /* ids are without checksums */
                if (*s == '=')
                        s += strcspn(s, ":");
                text_addc(&want, *s);
        }
        if (strcmp(text_str(&got), text_str(&want)) != 0)
                fail_msg("files %s, rows %s, target %s: %s", k->files, k->rows ?: "(none)",
                         o.target, text_str(&got));
        if (a->n_refusals != (k->refusal ? 1 : 0))
                fail_msg("files %s, rows %s: %zu refusals: %s", k->files, k->rows ?: "(none)",
                         a->n_refusals, a->n_refusals ? a->refusals[0].text : "");
        if (k->refusal && !strstr(a->refusals[0].text, k->refusal))
                fail_msg("\"%s\" is not in: %s", k->refusal, a->refusals[0].text);
        if (k->refusal)
                assert_true(a->refusals[0].hint[0]);
}

static void test_states(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                check(&cases[i]);
}

static void test_current_version(void **state)
{
        static const struct {
                const char *rows, *current;
        } all[] = { { "", NULL },          { "1 3 2", "3" },
                    { "1 2!", "1" },       { "1 2 delete:2", "1" },
                    { "baseline:4", "4" }, { "schema R:a", NULL },
                    { "1 10 9", "10" } };
        FormatOptions o = { .validate_on_migrate = true };
        FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };

        (void) state;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                _cleanup_(changelog_freep) Changelog *c = make_changelog("V1");
                _cleanup_(history_freep) History *h = make_history(all[i].rows);
                _cleanup_(assessment_freep) Assessment *a = NULL;
                Error err;

                assert_int_equal(flyway_assess(&a, c, h, &ctx, ASSESS_INFO, &err), 0);
                if (all[i].current)
                        assert_string_equal(a->current_version, all[i].current);
                else
                        assert_null(a->current_version);
        }
}

static void test_undo_scripts(void **state)
{
        _cleanup_(changelog_freep) Changelog *c = make_changelog("V1 V2 U1 U2.0");
        _cleanup_(history_freep) History *h = make_history("1");
        _cleanup_(assessment_freep) Assessment *a = NULL;
        FormatOptions o = { 0 };
        FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };
        Error err;

        (void) state;
        assert_int_equal(flyway_assess(&a, c, h, &ctx, ASSESS_INFO, &err), 0);
        assert_int_equal(a->n_entries, 2);
        assert_string_equal(a->entries[0].undo->id, "U1");
        assert_string_equal(a->entries[1].undo->id, "U2.0");
}

static void test_bootstrap(void **state)
{
        static const struct {
                bool exists, schema_exists, empty, create, on_migrate;
                const char *refusal;
                bool needs_table, needs_baseline;
        } all[] = {
                { true, true, false, true, false, NULL, false, false },
                { false, true, true, true, false, NULL, true, false },
                { false, false, true, true, false, NULL, true, false },
                { false, false, true, false, false, "has no schema \"public\"", true, false },
                { false, true, false, true, false, "is not empty, but there is no history table",
                  true, false },
                { false, true, false, true, true, NULL, true, true },
        };

        (void) state;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                _cleanup_(changelog_freep) Changelog *c = make_changelog("V1 V2");
                _cleanup_(assessment_freep) Assessment *a = NULL;
                History h = { .exists = all[i].exists,
                              .schema_exists = all[i].schema_exists,
                              .schema_empty = all[i].empty };
                FormatOptions o = { .create_schemas = all[i].create,
                                    .baseline_on_migrate = all[i].on_migrate };
                FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };
                Error err;

                assert_int_equal(flyway_assess(&a, c, &h, &ctx, ASSESS_MIGRATE, &err), 0);
                assert_int_equal(a->n_refusals, all[i].refusal ? 1 : 0);
                if (all[i].refusal)
                        assert_non_null(strstr(a->refusals[0].text, all[i].refusal));
                assert_int_equal(a->needs_table, all[i].needs_table);
                assert_int_equal(a->needs_baseline, all[i].needs_baseline);
                assert_int_equal(a->entries[0].state,
                                 all[i].needs_baseline ? ENTRY_BELOW_BASELINE : ENTRY_PENDING);
                assert_int_equal(a->entries[1].state, ENTRY_PENDING);
        }
}

static void test_all_refusals_are_named(void **state)
{
        _cleanup_(changelog_freep) Changelog *c = make_changelog("V1=9 V2 V3=9");
        _cleanup_(history_freep) History *h = make_history("1 0.5 3");
        _cleanup_(assessment_freep) Assessment *a = NULL;
        FormatOptions o = { .validate_on_migrate = true };
        FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };
        static const char *const paths[] = { "sql/V1", "sql/0.5", "sql/V3", "sql/V2" };
        Error err;

        (void) state;
        assert_int_equal(flyway_assess(&a, c, h, &ctx, ASSESS_MIGRATE, &err), 0);
        assert_int_equal(a->n_refusals, 4);
        for (size_t i = 0; i < 4; i++) {
                assert_string_equal(a->refusals[i].path, paths[i]);
                assert_int_equal(a->refusals[i].code, ERROR_REFUSED);
        }
}

static void test_warnings(void **state)
{
        static const struct {
                const char *files, *rows, *target, *want;
        } all[] = {
                { "V1", "1 2", "", "ahead of every file in sql" },
                { "", "1", "", "is it the right folder?" },
                { "V1 V2", "1 2", "1", "past the target 1" },
                { "V1 V2 V3", "1 3", "", "V2 runs out of order" },
                { "V1", "1 2!", "", "failed when somebody else ran it" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                _cleanup_(changelog_freep) Changelog *c = make_changelog(all[i].files);
                _cleanup_(history_freep) History *h = make_history(all[i].rows);
                _cleanup_(assessment_freep) Assessment *a = NULL;
                FormatOptions o = { .validate_on_migrate = true,
                                    .out_of_order = true,
                                    .target = unconst(all[i].target) };
                FormatContext ctx = { .options = &o, .database = "db", .schema = "public" };
                Error err;

                assert_int_equal(flyway_assess(&a, c, h, &ctx, ASSESS_MIGRATE, &err), 0);
                assert_int_equal(a->n_refusals, 0);
                assert_int_equal(a->n_warnings, 1);
                assert_non_null(strstr(a->warnings[0], all[i].want));
        }
}

static void test_bad_options(void **state)
{
        const struct {
                FormatOptions o;
                const char *text;
        } all[] = {
                { { .target = (char[]){ "soon" } }, "target \"soon\" is no version" },
                { { .target = (char[]){ "?" } }, "target \"?\" is no version" },
                { { .ignore_migration_patterns = (char[]){ "*:future, x:y" } },
                  "\"x:y\" is no pattern" },
                { { .ignore_migration_patterns = (char[]){ "future" } },
                  "\"future\" is no pattern" },
                { { .baseline_version = (char[]){ "one" } }, "baseline_version \"one\"" },
                { { .placeholder_replacement = true, .placeholder_prefix = (char[]){ "" } },
                  "cannot be empty" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                Error err = { 0 };

                assert_int_equal(flyway_check_options(&all[i].o, &err), -ERROR_CONFIG);
                if (!strstr(err.text, all[i].text))
                        fail_msg("\"%s\" is not in: %s", all[i].text, err.text);
        }
}

static void test_resolve(void **state)
{
        static const struct {
                const char *schemas, *default_schema, *current, *want;
        } all[] = {
                { "", "", "public", "public" },
                { "a,b", "", "public", "a" },
                { " a , b", "", "public", "a" },
                { "a,b", "b", "public", "b" },
                { "", "c", "", "c" },
                { "", "", "", NULL },
                { "", "0123456789012345678901234567890123456789012345678901234567890123", "x",
                  NULL },
        };

        (void) state;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                FormatOptions o = { .schemas = unconst(all[i].schemas),
                                    .default_schema = unconst(all[i].default_schema) };
                FormatContext ctx = { .options = &o,
                                      .database = "db",
                                      .current_schema = all[i].current };
                Error err;
                int r = flyway_resolve(&ctx, &err);

                assert_int_equal(r, all[i].want ? 0 : -ERROR_CONFIG);
                if (all[i].want)
                        assert_string_equal(ctx.schema, all[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),       cmocka_unit_test(test_current_version),
                cmocka_unit_test(test_undo_scripts), cmocka_unit_test(test_bootstrap),
                cmocka_unit_test(test_warnings),     cmocka_unit_test(test_all_refusals_are_named),
                cmocka_unit_test(test_bad_options),  cmocka_unit_test(test_resolve),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
