#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/sql/change_sql.h"
#include "liquibase_json.h"

/* want: the statements, one a line; NULL with says: an error that says so. */
typedef struct DdlCase {
        ChangeSql sql;
        const char *fields, *want, *says;
} DdlCase;

#define T "`tableName`: `t`"
#define CHANGE(name) .sql = change_sql_##name
#define INVERSE(name) .sql = change_inverse_##name

static void check(const DdlCase *cases, size_t n, const SqlContext *x)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                _cleanup_text_ Text got = TEXT_INIT(100000);
                SqlList out = { .arena = &a };
                Change c = json_change(&a, cases[i].fields);
                Error err = { 0 };
                int r;

                r = cases[i].sql(&out, &c, x, &err);
                if (cases[i].says) {
                        assert_true(r < 0);
                        assert_non_null(strstr(err.text, cases[i].says));
                        continue;
                }
                assert_int_equal(r, 0);
                for (size_t k = 0; k < out.n; k++) {
                        assert_int_equal(strlen(out.items[k].sql), out.items[k].len);
                        text_printf(&got, "%s%s", k ? "\n" : "", out.items[k].sql);
                }
                assert_string_equal(text_str(&got), cases[i].want);
        }
}

static const SqlContext context = { .default_schema = "public", .server_version = 150000 };

static const DdlCase table_cases[] = {
        { CHANGE(create_table), "{" T "}", "CREATE TABLE public.t ()", NULL },
        { CHANGE(create_table),
          "{" T ", `tableType`: `global temporary`, `ifNotExists`: `true`, `tablespace`: "
          "`ts`,"
          " `columns`: [{`name`: `a`, `type`: `int`}]}",
          "CREATE GLOBAL TEMPORARY TABLE IF NOT EXISTS t (a INTEGER) TABLESPACE ts", NULL },
        { CHANGE(create_table),
          "{" T ", `remarks`: ` it's `, `columns`: [{`name`: `a`, `type`: `int`, "
          "`remarks`: `r`},"
          " {`name`: `b`, `type`: `int`, `remarks`: ` `}]}",
          "CREATE TABLE public.t (a INTEGER, b INTEGER)\nCOMMENT ON TABLE public.t IS 'it''s'\n"
          "COMMENT ON COLUMN public.t.a IS 'r'",
          NULL },
        { CHANGE(create_table),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`primaryKey`: `true`,"
          " `nullable`: `true`}}, {`name`: `b`, `type`: `int`, `constraints`: "
          "{`primaryKey`: `true`,"
          " `primaryKeyName`: `K`, `primaryKeyTablespace`: `ts`, `deferrable`: "
          "`true`}}]}",
          "CREATE TABLE public.t (a INTEGER NOT NULL, b INTEGER NOT NULL, CONSTRAINT K PRIMARY KEY "
          "(a, b)"
          " USING INDEX TABLESPACE ts DEFERRABLE)",
          NULL },
        { CHANGE(create_table),
          "{" T ", `columns`: ["
          "{`name`: `a`, `type`: `int`, `constraints`: {`unique`: `true`, "
          "`uniqueConstraintName`: `u`}},"
          "{`name`: `b`, `type`: `int`, `constraints`: {`unique`: `true`}},"
          "{`name`: `c`, `type`: `int`, `constraints`: {`unique`: `true`, "
          "`uniqueConstraintName`: `u`}}]}",
          "CREATE TABLE public.t (a INTEGER, b INTEGER, c INTEGER, UNIQUE (b), CONSTRAINT u UNIQUE "
          "(a, c))",
          NULL },
        { CHANGE(create_table),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`references`: `r(id)`,"
          " `foreignKeyName`: `f`, `deleteCascade`: `true`, `initiallyDeferred`: "
          "`true`, `deferrable`: `true`}},"
          "{`name`: `b`, `type`: `int`, `constraints`: {`referencedTableName`: `R`, "
          "`foreignKeyName`: `g`,"
          " `referencedColumnNames`: `x`, `referencedTableSchemaName`: `app`}}]}",
          "CREATE TABLE public.t (a INTEGER, b INTEGER, CONSTRAINT f FOREIGN KEY (a) REFERENCES "
          "public.r(id)"
          " ON DELETE CASCADE INITIALLY DEFERRED DEFERRABLE, CONSTRAINT g FOREIGN KEY (b) "
          "REFERENCES app.R(x))",
          NULL },
        { CHANGE(create_table),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`references`: `r(id)`}}]}",
          NULL, "foreignKeyName" },
        { CHANGE(create_table), "{" T ", `columns`: [{`name`: `a`}]}", NULL, "t.a" },
        { CHANGE(create_table),
          "{`tableName`: `a_table_with_a_name_that_is_long_enough_to_be_truncated_by_pg`, "
          "`columns`:"
          " [{`name`: `i`, `type`: `int`, `constraints`: {`primaryKey`: `true`}}]}",
          "CREATE TABLE public.a_table_with_a_name_that_is_long_enough_to_be_truncated_by_pg (i "
          "INTEGER NOT NULL,"
          " CONSTRAINT a_table_with_a_name_that_is_long_enough_to_be_truncated_b_pkey PRIMARY KEY "
          "(i))",
          NULL },
        { CHANGE(create_table),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `autoIncrement`: `true`, "
          "`startWith`: `1`,"
          " `incrementBy`: `2`, `generationType`: `ALWAYS`}]}",
          "CREATE TABLE public.t (a INTEGER GENERATED ALWAYS AS IDENTITY (INCREMENT BY 2))", NULL },
        { INVERSE(create_table), "{" T ", `schemaName`: `S`}", "DROP TABLE S.t", NULL },
        { CHANGE(drop_table), "{" T ", `cascadeConstraints`: `true`}",
          "DROP TABLE public.t CASCADE", NULL },
        { CHANGE(rename_table), "{`oldTableName`: `a`, `newTableName`: `New`}",
          "ALTER TABLE public.a RENAME TO \"New\"", NULL },
        { INVERSE(rename_table), "{`oldTableName`: `a`, `newTableName`: `New`}",
          "ALTER TABLE public.\"New\" RENAME TO a", NULL },
        { CHANGE(set_table_remarks), "{" T "}", "COMMENT ON TABLE public.t IS ''", NULL },
        { CHANGE(set_column_remarks), "{" T ", `columnName`: `Co`, `remarks`: `r`}",
          "COMMENT ON COLUMN public.t.\"Co\" IS 'r'", NULL },
        { CHANGE(add_lookup_table),
          "{`existingTableName`: `a`, `existingColumnName`: `c`, `newTableName`: `n`, "
          "`newColumnName`: `v`}",
          "CREATE TABLE public.n AS SELECT DISTINCT c AS v FROM public.a WHERE c IS NOT NULL\n"
          "ALTER TABLE public.n ALTER COLUMN  v SET NOT NULL\nALTER TABLE public.n ADD PRIMARY KEY "
          "(v)\n"
          "ALTER TABLE public.a ADD CONSTRAINT FK_A_N FOREIGN KEY (c) REFERENCES public.n (v)",
          NULL },
        { INVERSE(add_lookup_table),
          "{`existingTableName`: `a`, `existingColumnName`: `c`, `newTableName`: `n`, "
          "`newColumnName`: `v`}",
          "ALTER TABLE public.a DROP CONSTRAINT FK_A_N\nDROP TABLE public.n", NULL },
};

static const DdlCase column_cases[] = {
        { CHANGE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `valueNumeric`: `3`, "
          "`constraints`:"
          " {`nullable`: `false`, `unique`: `true`}}, {`name`: `b`, `type`: `int`, "
          "`remarks`: `r`}]}",
          "ALTER TABLE public.t ADD a INTEGER\nALTER TABLE public.t ADD UNIQUE (a)\nALTER TABLE "
          "public.t ADD b INTEGER\n"
          "UPDATE public.t SET a = 3\nALTER TABLE public.t ALTER COLUMN  a SET NOT NULL\n"
          "COMMENT ON COLUMN public.t.b IS 'r'",
          NULL },
        { CHANGE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `type`: `bigserial`, `constraints`: "
          "{`primaryKey`: `true`}}]}",
          "ALTER TABLE public.t ADD a BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", NULL },
        { CHANGE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`references`: `app.r(id)`,"
          " `foreignKeyName`: `f`, `deleteCascade`: `true`}}]}",
          "ALTER TABLE public.t ADD a INTEGER\n"
          "ALTER TABLE public.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES app.r (id) ON DELETE "
          "CASCADE",
          NULL },
        { CHANGE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`references`: `r`}}]}",
          NULL, "table and column names from r" },
        { CHANGE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `constraints`: "
          "{`references`: `()`}}]}",
          NULL, "table and column names from ()" },
        { INVERSE(add_column),
          "{" T ", `columns`: [{`name`: `a`, `defaultValueNumeric`: `1`}, {`name`: `b`}]}",
          "ALTER TABLE public.t ALTER COLUMN a DROP DEFAULT\nALTER TABLE public.t DROP COLUMN a\n"
          "ALTER TABLE public.t DROP COLUMN b",
          NULL },
        { CHANGE(drop_column), "{" T ", `columnName`: `a`}", "ALTER TABLE public.t DROP COLUMN a",
          NULL },
        { CHANGE(drop_column), "{" T ", `columns`: [{`name`: `a`}, {`name`: `b`}]}",
          "ALTER TABLE public.t DROP COLUMN a\nALTER TABLE public.t DROP COLUMN b", NULL },
        { CHANGE(rename_column),
          "{" T ", `oldColumnName`: `a`, `newColumnName`: `b`, `remarks`: `r`}",
          "ALTER TABLE public.t RENAME COLUMN a TO b", NULL },
        { INVERSE(rename_column), "{" T ", `oldColumnName`: `a`, `newColumnName`: `b`}",
          "ALTER TABLE public.t RENAME COLUMN b TO a", NULL },
        { CHANGE(modify_data_type), "{" T ", `columnName`: `a`, `newDataType`: `varchar(9)`}",
          "ALTER TABLE public.t ALTER COLUMN a TYPE VARCHAR(9) USING (a::VARCHAR(9))", NULL },
        { CHANGE(modify_data_type), "{" T ", `columnName`: `a`}", NULL, "t.a" },
        { CHANGE(add_not_null_constraint), "{" T ", `columnName`: `a`, `defaultNullValue`: `it's`}",
          "UPDATE public.t SET a = 'it''s' WHERE a IS NULL\nALTER TABLE public.t ALTER COLUMN  a "
          "SET NOT NULL",
          NULL },
        { INVERSE(add_not_null_constraint), "{" T ", `columnName`: `a`}",
          "ALTER TABLE public.t ALTER COLUMN  a DROP NOT NULL", NULL },
        { INVERSE(drop_not_null_constraint), "{" T ", `columnName`: `a`}",
          "ALTER TABLE public.t ALTER COLUMN  a SET NOT NULL", NULL },
        { CHANGE(add_default_value), "{" T ", `columnName`: `a`, `defaultValueSequenceNext`: `s`}",
          "ALTER TABLE public.t ALTER COLUMN  a SET DEFAULT nextval('public.s')\n"
          "ALTER SEQUENCE public.s OWNED BY public.t.a",
          NULL },
        { INVERSE(add_default_value), "{" T ", `columnName`: `a`}",
          "ALTER TABLE public.t ALTER COLUMN a DROP DEFAULT", NULL },
        { CHANGE(add_auto_increment), "{`tableName`: `T`, `columnName`: `Id`, `startWith`: `5`}",
          "CREATE SEQUENCE  IF NOT EXISTS public.\"T_Id_seq\" START WITH 5\n"
          "ALTER TABLE public.T ALTER COLUMN  \"Id\" SET NOT NULL\n"
          "ALTER TABLE public.T ALTER COLUMN  \"Id\" SET DEFAULT nextval('public.\"T_Id_seq\"')\n"
          "ALTER SEQUENCE public.\"T_Id_seq\" OWNED BY public.T.\"Id\"",
          NULL },
        { CHANGE(merge_columns),
          "{" T ", `column1Name`: `a`, `column2Name`: `b`, `finalColumnName`: `c`, "
          "`joinString`: `'`,"
          " `finalColumnType`: `text`}",
          "ALTER TABLE public.t ADD c TEXT\nUPDATE public.t SET c = a || '''' || b\n"
          "ALTER TABLE public.t DROP COLUMN a\nALTER TABLE public.t DROP COLUMN b",
          NULL },
};

static const DdlCase constraint_cases[] = {
        { CHANGE(add_primary_key), "{" T ", `columnNames`: `a, B`, `clustered`: `true`}",
          "ALTER TABLE public.t ADD PRIMARY KEY (a, B)", NULL },
        { CHANGE(add_primary_key),
          "{" T ", `columnNames`: `a`, `clustered`: `true`, `constraintName`: `k`, "
          "`tablespace`: `ts`}",
          "ALTER TABLE public.t ADD CONSTRAINT k PRIMARY KEY (a) USING INDEX TABLESPACE "
          "ts\nCLUSTER public.t USING k",
          NULL },
        { INVERSE(add_primary_key), "{" T ", `constraintName`: `k`}",
          "ALTER TABLE public.t DROP CONSTRAINT k", NULL },
        { CHANGE(drop_primary_key), "{`tableName`: `UP`, `schemaName`: `It's`}",
          "DO $$ DECLARE constraint_name varchar;\nBEGIN\n"
          "  SELECT tc.CONSTRAINT_NAME into strict constraint_name\n"
          "    FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS tc\n"
          "    WHERE CONSTRAINT_TYPE = 'PRIMARY KEY'\n"
          "      AND TABLE_NAME = 'up' AND TABLE_SCHEMA = 'It''s';\n"
          "    EXECUTE 'alter table \"It''s\".UP drop constraint \"' || constraint_name || "
          "'\"';\nEND $$",
          NULL },
        { CHANGE(add_foreign_key_constraint),
          "{`baseTableName`: `c`, `baseColumnNames`: `x,y`, `constraintName`: `f`, "
          "`referencedTableName`: `p`,"
          " `referencedColumnNames`: `k, l`, `onDelete`: `SET NULL`, `onUpdate`: "
          "`CASCADE`,"
          " `deferrable`: `true`, `initiallyDeferred`: `true`, `validate`: `false`}",
          "ALTER TABLE public.c ADD CONSTRAINT f FOREIGN KEY (x, y) REFERENCES public.p (k, l) ON "
          "UPDATE CASCADE"
          " ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID",
          NULL },
        { INVERSE(add_foreign_key_constraint),
          "{`baseTableName`: `c`, `baseTableSchemaName`: `s`, `constraintName`: `f`}",
          "ALTER TABLE s.c DROP CONSTRAINT f", NULL },
        { CHANGE(add_unique_constraint),
          "{" T ", `columnNames`: `a`, `constraintName`: `u`, `forIndexName`: `i`, "
          "`tablespace`: `ts`}",
          "ALTER TABLE public.t ADD CONSTRAINT u UNIQUE (a) USING INDEX public.i USING INDEX "
          "TABLESPACE ts",
          NULL },
        { INVERSE(add_unique_constraint), "{" T ", `constraintName`: `U`}",
          "ALTER TABLE public.t DROP CONSTRAINT U", NULL },
        { INVERSE(add_unique_constraint), "{" T "}", "ALTER TABLE public.t DROP CONSTRAINT null",
          NULL },
        { CHANGE(drop_unique_constraint), "{" T ", `constraintName`: `U`}",
          "ALTER TABLE public.t DROP CONSTRAINT U", NULL },
};

static const DdlCase index_cases[] = {
        { CHANGE(create_index),
          "{" T ", `indexName`: `Ix`, `unique`: `true`, `tablespace`: `ts`, "
          "`clustered`: `true`, `columns`:"
          " [{`name`: `lower(a)`}, {`name`: `B c`, `computed`: `true`}, {`name`: `d "
          "e`, `descending`: `true`}]}",
          "CREATE UNIQUE INDEX \"Ix\" ON public.t(lower(a), B c, \"d e\" DESC) TABLESPACE ts\n"
          "CLUSTER public.t USING \"Ix\"",
          NULL },
        { CHANGE(create_index), "{" T ", `columns`: [{`name`: `a`}]}",
          "CREATE INDEX ON public.t(a)", NULL },
        { CHANGE(create_index),
          "{" T ", `associatedWith`: `primaryKey,foreignKey`, `columns`: [{`name`: `a`}]}", "",
          NULL },
        { INVERSE(create_index), "{" T ", `indexName`: `i`, `schemaName`: `s`}", "DROP INDEX s.i",
          NULL },
        { INVERSE(create_index), "{" T "}", NULL,
          "No inverse to liquibase.change.core.CreateIndexChange created" },
        { CHANGE(drop_index), "{`indexName`: `i`}", "DROP INDEX public.i", NULL },
};

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]), &context)

static void test_tables(void **state)
{
        (void) state;
        CHECK(table_cases);
}

static void test_columns(void **state)
{
        (void) state;
        CHECK(column_cases);
}

static void test_constraints(void **state)
{
        (void) state;
        CHECK(constraint_cases);
}

static void test_indexes(void **state)
{
        (void) state;
        CHECK(index_cases);
}

/* Servers without identity columns have sequences that start somewhere else. */
static void test_old_server(void **state)
{
        (void) state;
        static const SqlContext x = { .default_schema = "public", .server_version = 90600 };
        static const DdlCase cases[] = {
                { CHANGE(create_table),
                  "{" T ", `columns`: [{`name`: `a`, `type`: `int`, `autoIncrement`: "
                  "`true`,"
                  " `startWith`: `7`}]}",
                  "CREATE TABLE public.t (a SERIAL)\nalter sequence public.t_a_seq start with 7",
                  NULL },
        };

        check(cases, sizeof(cases) / sizeof(cases[0]), &x);
}

static void test_too_many_columns(void **state)
{
        (void) state;
        _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
        SqlList out = { .arena = &a };
        Object column = { 0 }, *items[1601];
        Field columns = { .name = "columns", .kind = FIELD_LIST, .items = items, .n_items = 1601 };
        Change c = { .fields = { .fields = &columns, .n_fields = 1 } };
        Error err = { 0 };

        for (size_t i = 0; i < 1601; i++)
                items[i] = &column;
        assert_int_equal(change_sql_create_table(&out, &c, &context, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "1601 columns"));
}

/* A list keeps what is in it when it grows; spaces around a statement are not part of it. */
static void test_list(void **state)
{
        (void) state;
        _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
        _cleanup_text_ Text t = TEXT_INIT(100);
        SqlList out = { .arena = &a };
        Change c = { 0 };
        Error err = { 0 };
        char want[30];

        for (int i = 0; i < 1000; i++) {
                text_printf(&t, " s%d \n", i);
                assert_int_equal(sql_add(&out, &c, &t, &err), 0);
        }
        assert_int_equal(sql_addf(&out, &c, &err, "s%d", 1000), 0);
        assert_int_equal(out.n, 1001);
        for (size_t i = 0; i < out.n; i++) {
                (void) snprintf(want, sizeof want, "s%zu", i);
                assert_string_equal(out.items[i].sql, want);
        }
        t.bad = true;
        assert_true(sql_add(&out, &c, &t, &err) < 0);
        assert_int_equal(out.n, 1001);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tables),      cmocka_unit_test(test_columns),
                cmocka_unit_test(test_constraints), cmocka_unit_test(test_indexes),
                cmocka_unit_test(test_old_server),  cmocka_unit_test(test_too_many_columns),
                cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
