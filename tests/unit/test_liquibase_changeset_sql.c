#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "liquibase_folder.h"

/* A changeset of one or two `sql` changes, given by its attributes; texts as its own. */
typedef struct RawCase {
        const char *fields, *text, *want;
} RawCase;

static Change raw_change(Folder *f, Arena *a, const RawCase *raw)
{
        Change c = folder_change(f, a, "sql", raw->fields);
        Node *n = node_new(a, "sql", 5, 1);

        n->value = raw->text;
        n->value_line = 7;
        c.node = n;
        c.sql = raw->text;
        return c;
}

static void test_raw(void **state)
{
        static const RawCase cases[] = {
                { "{}", "select 1;\nselect 2;", "select 1\nselect 2" },
                { "{`splitStatements`: `false`}", "select 1; select 2", "select 1; select 2" },
                { "{`stripComments`: `true`}", "select /* a */ 1; -- b", "select  1" },
                { "{`endDelimiter`: `GO`}", "select 1\nGO\nselect 2", "select 1\nselect 2" },
                { "{`dbms`: `oracle`}", "bad", "" },
                { "{`dbms`: `!h2, postgresql`}", "select 1", "select 1" },
                { "{}",
                  "select a ?? b, '?\?', \"??\", E'\\'?\?', $$??$$, $x$ ' ?? $x$ -- ??\n, c ?\?| d",
                  "select a ? b, '?\?', \"??\", E'\\'?\?', $$??$$, $x$ ' ?? $x$ -- ??\n, c ?| d" },
                { "{}", "select a ? b /* ?? /* */ ?? */ ??", "select a ? b /* ?? /* */ ?? */ ?" },
                { "{}", "select\r\n 1;\r\nselect 2", "select\n 1\nselect 2" },
        };
        Folder *f = *state;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                SqlList out = { .arena = &a };
                Change c = raw_change(f, &a, &cases[i]);
                Error err = { 0 };
                int r;

                f->set.changes = &c;
                f->set.n_changes = 1;
                r = changeset_sql(&out, &f->set, &f->context, &err);
                folder_check(&a, &out, r, &err, cases[i].want);
        }
}

/* Where statements come from: the node's value, or a file of its own. */
static void test_places(void **state)
{
        static const RawCase raw = { "{}", "select 1;\r\n\r\nselect 2", NULL };
        Folder *f = *state;
        _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
        SqlList out = { .arena = &a };
        Change changes[2];
        Error err = { 0 };

        folder_write(f, "f.sql", "-- ${no}\nselect 3;\nselect 4;", 28);
        changes[0] = raw_change(f, &a, &raw);
        changes[1] = folder_change(f, &a, "sqlFile", "{`path`: `f.sql`}");
        f->set.changes = changes;
        f->set.n_changes = 2;
        assert_int_equal(changeset_sql(&out, &f->set, &f->context, &err), 0);
        assert_int_equal(out.n, 4);
        assert_ptr_equal(out.items[1].node, changes[0].node);
        assert_int_equal(out.items[1].at, 13);
        assert_int_equal(out.items[1].line, 9);
        assert_string_equal(out.items[1].path, "c.xml");
        assert_null(out.items[3].node);
        assert_string_equal(out.items[3].path, "f.sql");
        assert_string_equal(out.items[3].source + out.items[3].at, "select 4;");
}

/* ---- modifySql ---- */

typedef struct VisitorCase {
        Visitor visitor;
        const char *sql, *want;
} VisitorCase;

#define REGULAR(from, to)                                                       \
        {                                                                       \
                .kind = VISITOR_REGEXP_REPLACE, .replace = (from), .with = (to) \
        }

static void test_visitors(void **state)
{
        static const VisitorCase cases[] = {
                { { .kind = VISITOR_APPEND, .value = " x" }, "select 1", "select 1 x" },
                { { .kind = VISITOR_PREPEND, .value = "/* */ " }, "select 1", "/* */ select 1" },
                { { .kind = VISITOR_REPLACE, .replace = "a", .with = "bb" },
                  "select aa",
                  "select bbbb" },
                { { .kind = VISITOR_REPLACE, .replace = "", .with = "b" }, "select", "select" },
                { { .kind = VISITOR_APPEND_IF_NOT_PRESENT, .value = " x" },
                  "select x",
                  "select x" },
                { { .kind = VISITOR_APPEND_IF_NOT_PRESENT, .value = " x" },
                  "select y",
                  "select y x" },
                { REGULAR("\\d", "2"), "select 1, 34", "select 2, 22" },
                { REGULAR("(\\w+) (\\w+)", "$2 \\$$1$0"), "a b", "b $aa b" },
                { REGULAR("(a)", "$12"), "a", "a2" },
                { REGULAR("(?<n>a)", "[${n}]"), "ab", "[a]b" },
                { REGULAR("x*", "-"),
                  "\xc3\xa4"
                  "b",
                  "-\xc3\xa4"
                  "-b-" },
                { REGULAR("(", "x"), "a",
                  "error: regExpReplace of \"(\": missing closing parenthesis" },
                { REGULAR("a", "$1"), "a",
                  "error: regExpReplace: \"$1\" refers to a group that there is not" },
                { REGULAR("^(a+)+$", "x"), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                  "error: regExpReplace of \"^(a+)+$\": match limit exceeded" },
        };
        Folder *f = *state;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                const RawCase raw = { "{}", cases[i].sql, NULL };
                SqlList out = { .arena = &a };
                Change c = raw_change(f, &a, &raw);
                Visitor v = cases[i].visitor;
                Error err = { 0 };
                int r;

                f->set.changes = &c;
                f->set.n_changes = 1;
                f->set.visitors = &v;
                f->set.n_visitors = 1;
                r = changeset_sql(&out, &f->set, &f->context, &err);
                folder_check(&a, &out, r, &err, cases[i].want);
        }
}

/* ---- rollback ---- */

/* type and fields of the changes, in order. */
typedef struct RollbackCase {
        RollbackKind kind;
        bool is_sql;
        const char *changes[2][2];
        const char *want;
} RollbackCase;

#define TABLE "{`tableName`: `t`}"

static void test_rollback(void **state)
{
        static const RollbackCase cases[] = {
                { ROLLBACK_DERIVED,
                  false,
                  { { "createTable", TABLE }, { "createSequence", "{`sequenceName`: `s`}" } },
                  "DROP SEQUENCE public.s CASCADE \nDROP TABLE public.t " },
                { ROLLBACK_NOTHING, false, { { "insert", TABLE } }, "" },
                { ROLLBACK_CHANGES,
                  false,
                  { { "dropTable", TABLE }, { "delete", TABLE } },
                  "DROP TABLE public.t \nDELETE FROM public.t " },
                { ROLLBACK_DERIVED, false, { { "empty", "{}" }, { "tagDatabase", "{}" } }, "" },
                { ROLLBACK_DERIVED,
                  false,
                  { { "createTable", TABLE }, { "sql", "{`dbms`: `oracle`}" } },
                  "DROP TABLE public.t " },
                { ROLLBACK_DERIVED,
                  false,
                  { { "insert", TABLE } },
                  "error: No inverse to liquibase.change.core.InsertDataChange created" },
                { ROLLBACK_DERIVED,
                  false,
                  { { "sqlFile", "{}" } },
                  "error: No inverse to liquibase.change.core.SQLFileChange created" },
                { ROLLBACK_DERIVED,
                  false,
                  { { "alterSequence", "{}" } },
                  "error: No inverse to liquibase.change.core.AlterSequenceChange created" },
                { ROLLBACK_DERIVED,
                  true,
                  { { "sql", "{}" } },
                  "error: Liquibase does not support automatic rollback generation for raw sql "
                  "changes (did you mean to specify keyword \"empty\" to ignore rolling back this "
                  "change?)" },
                { ROLLBACK_CHANGES,
                  false,
                  { { "executeCommand", "{}" } },
                  "error: its rollback runs a program with executeCommand" },
        };
        Folder *f = *state;
        Visitor visitors[] = { { .kind = VISITOR_APPEND, .value = " ", .to_rollback = true },
                               { .kind = VISITOR_APPEND, .value = "no" } };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                SqlList out = { .arena = &a };
                Change changes[2];
                size_t n = 0;
                Error err = { 0 };
                int r;

                while (n < 2 && cases[i].changes[n][0]) {
                        changes[n] = folder_change(f, &a, cases[i].changes[n][0],
                                                   cases[i].changes[n][1]);
                        n++;
                }
                f->file.is_sql = cases[i].is_sql;
                f->set = (ChangeSet){ .id = "1",
                                      .author = "a",
                                      .path = "c.xml",
                                      .file = &f->file,
                                      .rollback = cases[i].kind,
                                      .changes = changes,
                                      .n_changes = n,
                                      .rollback_changes = changes,
                                      .n_rollback_changes = n,
                                      .visitors = visitors,
                                      .n_visitors = 2 };
                r = changeset_rollback_sql(&out, &f->set, &f->context, &err);
                folder_check(&a, &out, r, &err, cases[i].want);
                assert_true(r >= 0 || err.code == ERROR_REFUSED);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, folder_setup, folder_teardown)
        const struct CMUnitTest tests[] = {
                TEST(raw),
                TEST(places),
                TEST(visitors),
                TEST(rollback),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
