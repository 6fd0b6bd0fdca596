#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "liquibase_json.h"

static const SqlContext context = { .default_schema = "public", .server_version = 150000 };

static void test_value(void **state)
{
        (void) state;
        static const char *const cases[][2] = {
                { "{`value`: `it's`}", "'it''s'" },
                { "{`value`: `back\\\\slash`}", "'back\\slash'" },
                { "{`value`: ``}", "''" },
                { "{`value`: `null`}", "NULL" },
                { "{`value`: `now()`}", "now()" },
                { "{`value`: `to_date('1', 'Y')`}", "to_date('1', 'Y')" },
                { "{`value`: `now() + 1`}", "'now() + 1'" },
                { "{`valueBoolean`: `true`}", "TRUE" },
                { "{`valueNumeric`: `1.0`}", "1.0" },
                { "{`valueDate`: `2020-01-02T03:04:05.5`}", "'2020-01-02 03:04:05.5'" },
                { "{`valueDate`: `03:04:05`}", "'03:04:05'" },
                { "{`valueComputed`: `upper('x')`}", "upper('x')" },
                { "{`valueComputed`: `CURRENT_TIMESTAMP(3)`}", "NOW()" },
                { "{`valueComputed`: `null`}", "NULL" },
                { "{`valueSequenceNext`: `s`}", "nextval('app.s')" },
                { "{`valueSequenceNext`: `O'Seq`}", "nextval('app.\"O''Seq\"')" },
                { "{`valueSequenceCurrent`: `s`}", "currval('app.s')" },
                { "{`value`: `first`, `valueNumeric`: `1`}", "'first'" },
                { "{`valueClobFile`: `x.txt`}", NULL },
                { "{`name`: `x`}", NULL },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Change c = json_change(&a, "{`schemaName`: `app`}");
                Change column = json_change(&a, cases[i][0]);

                assert_int_equal(sql_value(&t, &context, &c, &column.fields), cases[i][1] != NULL);
                assert_string_equal(text_str(&t), cases[i][1] ? cases[i][1] : "");
        }
}

static void test_default(void **state)
{
        (void) state;
        static const char *const cases[][3] = {
                { "varchar(9)", "{`defaultValue`: `it's`}", " DEFAULT 'it''s'" },
                { "varchar(9)", "{`defaultValue`: `null`}", " DEFAULT null" },
                { "varchar(9)", "{`defaultValue`: `now()`}", " DEFAULT 'now()'" },
                { "varchar(9)", "{`defaultValueNumeric`: `5`}", " DEFAULT '5'" },
                { "int", "{`defaultValueNumeric`: `1.00`}", " DEFAULT 1" },
                { "int", "{`defaultValueNumeric`: `100`}", " DEFAULT 100" },
                { "numeric(5,2)", "{`defaultValueNumeric`: `10.50`}", " DEFAULT 10.50" },
                { "int", "{`defaultValue`: `nextval('x')`}", " DEFAULT nextval('x')" },
                { "boolean", "{`defaultValue`: `T`}", " DEFAULT TRUE" },
                { "boolean", "{`defaultValue`: `0`}", " DEFAULT FALSE" },
                { "boolean", "{`defaultValueNumeric`: `1`}", " DEFAULT TRUE" },
                { "bit(1)", "{`defaultValueBoolean`: `true`}", " DEFAULT TRUE" },
                { "timestamp", "{`defaultValue`: `now()`}", " DEFAULT now()" },
                { "timestamp", "{`defaultValue`: `CURRENT_TIMESTAMP`}",
                  " DEFAULT 'CURRENT_TIMESTAMP'" },
                { "date", "{`defaultValueDate`: `2020-01-02T00:00:00`}",
                  " DEFAULT '2020-01-02 00:00:00'" },
                { "timestamp", "{`defaultValueComputed`: `Now()`}", " DEFAULT NOW()" },
                { "uuid", "{`defaultValue`: `1-2`}", " DEFAULT 1-2" },
                { "xml", "{`defaultValue`: `<a/>`}", " DEFAULT xml '<a/>'" },
                { "jsonb", "{`defaultValue`: `{}`}", " DEFAULT '{}'" },
                { "bytea", "{`defaultValue`: `\\\\x00`}", " DEFAULT '\\x00'" },
                { "bigint", "{`defaultValueSequenceNext`: `s`}", " DEFAULT nextval('public.s')" },
                { "int", "{`defaultValueComputed`: `GENERATED ALWAYS AS (a) STORED`}",
                  " GENERATED ALWAYS AS (a) STORED" },
                { "int", "{}", NULL },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Change column = json_change(&a, cases[i][1]);
                SqlType type = { 0 };
                Error err = { 0 };

                assert_int_equal(sql_type(&type, &context, cases[i][0], false, &err), 0);
                assert_int_equal(sql_default(&t, &context, &column.fields, &type, &err),
                                 cases[i][2] != NULL);
                assert_string_equal(text_str(&t), cases[i][2] ? cases[i][2] : "");
        }
}

static void test_no_boolean(void **state)
{
        (void) state;
        _cleanup_text_ Text t = TEXT_INIT(1000);
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
        Change column = json_change(&a, "{`defaultValue`: `yes`}");
        const SqlType type = { .text = "BOOLEAN", .class = TYPE_BOOLEAN };
        Error err = { 0 };

        assert_int_equal(sql_default(&t, &context, &column.fields, &type, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "yes"));
}

/* addDefaultValue goes by the value alone. */
static void test_untyped_default(void **state)
{
        (void) state;
        static const struct {
                const char *fields, *want;
                int from;
        } cases[] = {
                { "{`defaultValue`: `o'x`}", "'o''x'", 1 },
                { "{`defaultValue`: `null`}", "null", 1 },
                { "{`defaultValueNumeric`: `1.50`}", "1.5", 1 },
                { "{`defaultValueNumeric`: `1.00`}", "1", 1 },
                { "{`defaultValueNumeric`: `-1,000`}", "-1000", 1 },
                { "{`defaultValueNumeric`: `007`}", "7", 1 },
                { "{`defaultValueNumeric`: `12 days`}", "12", 1 },
                { "{`defaultValueNumeric`: `length('x')`}", "length('x')", 1 },
                { "{`defaultValueNumeric`: `-`}", "-", 1 },
                { "{`defaultValueBoolean`: `false`}", "FALSE", 1 },
                { "{`defaultValueDate`: `2010-11-12T13:14:15.5`}", "'2010-11-12 13:14:15.5'", 1 },
                { "{`defaultValueDate`: `current_timestamp`}", "NOW()", 1 },
                { "{`defaultValueComputed`: `upper('x')`}", "upper('x')", 1 },
                { "{`defaultValueSequenceNext`: `s`, `schemaName`: `app`}", "nextval('app.s')", 2 },
                { "{}", "", 0 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT(1000);
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Change c = json_change(&a, cases[i].fields);

                assert_int_equal(sql_untyped_default(&t, &context, &c, &a), cases[i].from);
                assert_string_equal(text_str(&t), cases[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_value),
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_no_boolean),
                cmocka_unit_test(test_untyped_default),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
