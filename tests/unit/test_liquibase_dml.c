#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "liquibase_folder.h"

/* type: of the change, with - in front of it for what takes it back. want: the statements, one a line; or "error: text". */
typedef struct DmlCase {
        const char *type, *fields, *want;
} DmlCase;

static void check(Folder *f, const DmlCase *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                SqlList out = { .arena = &a };
                bool inverse = *cases[i].type == '-';
                Change c = folder_change(f, &a, cases[i].type + inverse, cases[i].fields);
                Error err = { 0 };
                int r = (inverse ? c.type->inverse : c.type->sql)(&out, &c, &f->context, &err);

                folder_check(&a, &out, r, &err, cases[i].want);
        }
}
#define CHECK(state, cases) check(*(state), cases, sizeof(cases) / sizeof((cases)[0]))

static void test_sequences(void **state)
{
        static const DmlCase cases[] = {
                { "createSequence",
                  "{`sequenceName`: `s`, `startValue`: `10`, `incrementBy`: `2`, `minValue`: `5`, "
                  "`maxValue`: `9`, `cacheSize`: `3`, `ordered`: `true`, `cycle`: `true`, "
                  "`dataType`: `int`}",
                  "CREATE SEQUENCE  IF NOT EXISTS public.s AS int START WITH 10 INCREMENT BY 2 "
                  "MINVALUE 5 MAXVALUE 9 CACHE 3 ORDER CYCLE" },
                { "createSequence",
                  "{`sequenceName`: `aB`, `schemaName`: `x`, `cacheSize`: `0`, `cycle`: `false`}",
                  "CREATE SEQUENCE  IF NOT EXISTS x.\"aB\"" },
                { "-createSequence", "{`sequenceName`: `s`}", "DROP SEQUENCE public.s CASCADE" },
                { "alterSequence",
                  "{`sequenceName`: `s`, `maxValue`: `5`, `minValue`: `1`, `cacheSize`: `0`, "
                  "`cycle`: `false`, `ordered`: `false`, `incrementBy`: `7`}",
                  "ALTER SEQUENCE public.s INCREMENT BY 7 MINVALUE 1 MAXVALUE 5 NOORDER CACHE 0 "
                  "NO CYCLE" },
                { "dropSequence", "{`sequenceName`: `s`}", "DROP SEQUENCE public.s CASCADE" },
                { "renameSequence", "{`oldSequenceName`: `a`, `newSequenceName`: `b`}",
                  "ALTER SEQUENCE public.a RENAME TO b" },
                { "-renameSequence",
                  "{`schemaName`: `x`, `oldSequenceName`: `a`, `newSequenceName`: `b`}",
                  "ALTER SEQUENCE x.b RENAME TO a" },
        };

        CHECK(state, cases);
}

static void test_views(void **state)
{
        static const DmlCase cases[] = {
                { "createView", "{`viewName`: `v`, `selectQuery`: ` select 1 `}",
                  "CREATE VIEW public.v AS select 1" },
                { "createView",
                  "{`viewName`: `v`, `selectQuery`: `select 1`, `replaceIfExists`: `true`, "
                  "`remarks`: `it's`}",
                  "CREATE OR REPLACE VIEW public.v AS select 1\n"
                  "COMMENT ON VIEW public.v IS 'it''s'" },
                { "createView",
                  "{`viewName`: `v`, `fullDefinition`: `true`, `replaceIfExists`: `true`, "
                  "`selectQuery`: `/* create */ create view v as select 'CREATE'`}",
                  "/* create */ CREATE OR REPLACE view v as select 'CREATE'" },
                { "createView",
                  "{`viewName`: `v`, `fullDefinition`: `true`, `replaceIfExists`: `true`, "
                  "`selectQuery`: `create or replace view v as select 1`}",
                  "create or replace view v as select 1" },
                { "createView", "{`viewName`: `v`, `path`: `v.sql`}",
                  "CREATE VIEW public.v AS select 2" },
                { "createView", "{`viewName`: `v`, `path`: `../v.sql`}",
                  "error: \"../v.sql\" leads out of the folder" },
                { "createView", "{`viewName`: `v`}", "error: the view v has no query" },
                { "-createView", "{`viewName`: `v`}", "DROP VIEW public.v" },
                { "dropView", "{`viewName`: `v`, `ifExists`: `true`}",
                  "DROP VIEW IF EXISTS public.v" },
                { "renameView", "{`schemaName`: `x`, `oldViewName`: `a`, `newViewName`: `b`}",
                  "ALTER TABLE x.a RENAME TO b" },
                { "-renameView", "{`schemaName`: `x`, `oldViewName`: `a`, `newViewName`: `b`}",
                  "ALTER TABLE x.b RENAME TO a" },
        };

        folder_write(*state, "v.sql", "select 2\n", 9);
        CHECK(state, cases);
}

static void test_procedures(void **state)
{
        static const DmlCase cases[] = {
                { "createProcedure",
                  "{`procedureText`: ` create procedure p() as 'x;' ; -- end; `}",
                  "create procedure p() as 'x;'" },
                { "createProcedure", "{`procedureText`: `create procedure p() -- end;`}",
                  "create procedure p() -- end;" },
                { "createProcedure",
                  "{`schemaName`: `aB`, `procedureText`: `create /* procedure */ procedure\\n "
                  "p(x int)`}",
                  "create /* procedure */ procedure\n \"aB\".p(x int)" },
                { "createProcedure",
                  "{`schemaName`: `x`, `procedureText`: `create procedure y.\\\"P q\\\"()`}",
                  "create procedure x.\"P q\"()" },
                { "createProcedure",
                  "{`schemaName`: `x`, `procedureText`: `create function f() as $$procedure "
                  "p()$$`}",
                  "create function f() as $$procedure p()$$" },
                { "createProcedure",
                  "{`replaceIfExists`: `true`, `procedureName`: `p`, `procedureText`: `create "
                  "procedure p()`}",
                  "DROP PROCEDURE IF EXISTS p\ncreate procedure p()" },
                { "createProcedure", "{`replaceIfExists`: `true`, `procedureText`: `x`}",
                  "error: procedureName is required if replaceIfExists = true" },
                { "createProcedure", "{}", "error: a procedure has no text" },
                { "dropProcedure", "{`procedureName`: `p`}", "DROP PROCEDURE public.p" },
        };

        CHECK(state, cases);
}

#define T "`tableName`: `t`"

static void test_rows(void **state)
{
        static const DmlCase cases[] = {
                { "insert",
                  "{" T ", `columns`: [{`name`: `a`, `value`: `it's`}, {`name`: `b`, "
                  "`valueNumeric`: `1.50`}, {`name`: `c`}, {`name`: `d`, `autoIncrement`: "
                  "`true`}, {`name`: `e`, `valueSequenceNext`: `s`}]}",
                  "INSERT INTO public.t (a, b, c, e) VALUES ('it''s', 1.50, NULL, "
                  "nextval('public.s'))" },
                { "insert", "{" T ", `columns`: [{`name`: `a`, `valueClobFile`: `c.txt`}]}",
                  "INSERT INTO public.t (a) VALUES ('it''s\n')" },
                { "insert", "{" T ", `columns`: [{`name`: `a`, `valueBlobFile`: `c.txt`}]}",
                  "INSERT INTO public.t (a) VALUES ('\\x697427730a'::bytea)" },
                { "insert",
                  "{`tableName`: `lo`, `columns`: [{`name`: `a`, `valueBlobFile`: `c.txt`}]}",
                  "INSERT INTO public.lo (a) VALUES (lo_from_bytea(0, '\\x697427730a'::bytea))" },
                { "insert", "{" T ", `columns`: [{`name`: `a`, `valueClobFile`: `none.txt`}]}",
                  "error: none.txt: cannot open" },
                { "update",
                  "{" T ", `where`: ` id = 1 `, `columns`: [{`name`: `a`, `value`: `x`}, {`name`: "
                  "`b`}]}",
                  "UPDATE public.t SET a = 'x', b = NULL WHERE id = 1" },
                { "delete", "{" T "}", "DELETE FROM public.t" },
                { "delete", "{" T ", `where`: `a = ? and :name`}",
                  "DELETE FROM public.t WHERE a = ? and :name" },
        };
        static const char *columns[] = { "A" }, *types[] = { "oid" };
        const SqlTableColumns table = {
                .table = "public.lo", .names = columns, .types = types, .n = 1
        };
        Folder *f = *state;

        f->context.tables = &table;
        folder_write(f, "c.txt", "it's\n", 5);
        CHECK(state, cases);
}

/* <param> elements: names and values are taken in turn, each list by itself. */
static void test_conditions(void **state)
{
        Folder *f = *state;
        _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
        SqlList out = { .arena = &a };
        Change c = folder_change(f, &a, "delete",
                                 "{" T ", `where`: `:name = :value or :name = ? or :value`}");
        Node *change = node_new(&a, "delete", 1, 1), *params = node_new(&a, "whereParams", 2, 1);
        Error err = { 0 };
        static const char *const rows[][3] = {
                { NULL, "valueNumeric", "7" },
                { "id", "value", "it's" },
                { "aB", NULL, NULL },
        };

        node_add(change, params);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                Node *param = node_new(&a, "param", 3, 1);

                node_add(params, param);
                if (rows[i][0])
                        assert_non_null(node_add_text(&a, param, "name", rows[i][0]));
                if (rows[i][1])
                        assert_non_null(node_add_text(&a, param, rows[i][1], rows[i][2]));
        }
        c.node = change;
        assert_int_equal(change_sql_delete(&out, &c, &f->context, &err), 0);
        assert_string_equal(out.items[0].sql,
                            "DELETE FROM public.t WHERE id = 7 or \"aB\" = 'it''s' or NULL");
}

static void test_what_is_no_sql(void **state)
{
        static const DmlCase cases[] = {
                { "output", "{`target`: `STDOUT`, `message`: `m`}", "" },
                { "output", "{`target`: `NOWHERE`, `message`: `m`}",
                  "DO 'BEGIN RAISE EXCEPTION USING MESSAGE = ''Unknown target: NOWHERE''; END'" },
                { "stop", "{`message`: `it's enough`}",
                  "DO 'BEGIN RAISE EXCEPTION USING MESSAGE = ''it''''s enough''; END'" },
        };

        CHECK(state, cases);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, folder_setup, folder_teardown)
        const struct CMUnitTest tests[] = {
                TEST(sequences), TEST(views),      TEST(procedures),
                TEST(rows),      TEST(conditions), TEST(what_is_no_sql),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
