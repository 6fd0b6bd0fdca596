#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/sql/sql.h"

/* Whole columns of every type, as Liquibase wrote them, are in the corpus (cases 002*); here is what is particular. */
static const struct {
        const char *type, *want;
        SqlTypeClass class;
        bool serial;
} types[] = {
        { "int", "INTEGER", TYPE_INTEGER, false },
        { " INT(10) ", "INTEGER", TYPE_INTEGER, false },
        { "int unsigned", "INTEGER", TYPE_INTEGER, false },
        { "int identity", "INTEGER", TYPE_INTEGER, true },
        { "int{autoIncrement:true}", "INTEGER", TYPE_INTEGER, true },
        { "bigserial", "BIGINT", TYPE_INTEGER, true },
        { "java.sql.Types.TINYINT", "SMALLINT", TYPE_INTEGER, false },
        { "mediumint", "MEDIUMINT", TYPE_INTEGER, false },
        { "varchar ( 12 )", "VARCHAR(12)", TYPE_TEXT, false },
        { "varchar(50 CHAR)", "VARCHAR(50)", TYPE_TEXT, false },
        { "varchar(50 byte)", "VARCHAR(50 byte)", TYPE_TEXT, false },
        { "varchar(10) collate \"C\"", "VARCHAR(10) collate \"C\"", TYPE_TEXT, false },
        { "VARCHAR(2147483647)", "CHARACTER VARYING", TYPE_TEXT, false },
        { "[varchar](5)", "VARCHAR(5)", TYPE_TEXT, false },
        { "character varying(12)", "VARCHAR(12)", TYPE_TEXT, false },
        { "national character varying(10)", "VARCHAR(10)", TYPE_TEXT, false },
        { "java.sql.Types.CLOB", "TEXT", TYPE_TEXT, false },
        { "java.sql.Types.BIT", "JAVA.SQL.TYPES.BIT", TYPE_OTHER, false },
        { "java.sql.Types.REAL", "FLOAT", TYPE_NUMERIC, false },
        { "bit(8)", "BIT(8)", TYPE_BOOLEAN, false },
        { "bit varying(5)", "BIT VARYING(5)", TYPE_OTHER, false },
        { "boolean(1)", "BOOLEAN(1)", TYPE_BOOLEAN, false },
        { "blob(10)", "OID", TYPE_BLOB, false },
        { "varbinary(20)", "BYTEA", TYPE_BLOB, false },
        { "datetime(3)", "TIMESTAMP(3) WITHOUT TIME ZONE", TYPE_DATE, false },
        { "timestamp with time zone", "TIMESTAMP with time zone", TYPE_DATE, false },
        { "timestamp WITH TIMEZONE", "TIMESTAMP WITH TIME ZONE", TYPE_DATE, false },
        { "timestamptz(3)", "TIMESTAMP(3) WITH TIME ZONE", TYPE_DATE, false },
        { "java.sql.Types.TIMESTAMP_WITH_TIMEZONE", "TIMESTAMP WITH TIME ZONE", TYPE_DATE, false },
        { "time(3) with time zone", "time(3) WITH TIME ZONE", TYPE_DATE, false },
        { "number(2000)", "numeric", TYPE_NUMERIC, false },
        { "numeric(5,2,1)", "numeric(5, 2, 1)", TYPE_NUMERIC, false },
        { "double(5,2)", "DOUBLE PRECISION", TYPE_NUMERIC, false },
        { "DOUBLE PRECISION", "DOUBLE PRECISION", TYPE_NUMERIC, false },
        { "xml", "XML", TYPE_XML, false },
        { "java.util.UUID", "UUID", TYPE_UUID, false },
        { "\"MyType\"", "MYTYPE", TYPE_OTHER, false },
        { "numeric(10,2)[]", "NUMERIC[](10, 2)", TYPE_OTHER, false },
        { "geometry(Point,4326)", "GEOMETRY(Point, 4326)", TYPE_OTHER, false },
        { "enum('a','b','c')", "ENUM('a', 'b', 'c')", TYPE_OTHER, false },
        { "interval day to second", "INTERVAL DAY TO SECOND day to second", TYPE_OTHER, false },
        { "interval(3)", "INTERVAL(3)(3)", TYPE_OTHER, false },
        { "(10)", "(10)", TYPE_OTHER, false },
        { "int(", "INT(", TYPE_OTHER, false },
};

static void test_type(void **state)
{
        (void) state;
        const SqlContext x = { .server_version = 150000 };

        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                SqlType type = { 0 };
                Error err = { 0 };

                assert_int_equal(sql_type(&type, &x, types[i].type, false, &err), 0);
                assert_string_equal(type.text, types[i].want);
                assert_int_equal(type.class, types[i].class);
                assert_int_equal(type.auto_increment, types[i].serial);
        }
}

static void test_old_server(void **state)
{
        (void) state;
        static const char *const cases[][2] = {
                { "int", "SERIAL" },
                { "bigint", "BIGSERIAL" },
                { "smallint", "SMALLSERIAL" },
        };
        const SqlContext x = { .server_version = 90600 };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                SqlType type = { 0 };
                Error err = { 0 };

                assert_int_equal(sql_type(&type, &x, cases[i][0], true, &err), 0);
                assert_string_equal(type.text, cases[i][1]);
        }
}

static void test_refused(void **state)
{
        (void) state;
        static const struct {
                const char *type, *says;
        } cases[] = {
                { NULL, "no type" },
                { "", "no type" },
                { "timestamp(9)", "timestamp(9)" },
        };
        const SqlContext x = { 0 };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                SqlType type = { 0 };
                Error err = { 0 };

                assert_int_equal(sql_type(&type, &x, cases[i].type, false, &err), -ERROR_CHANGELOG);
                assert_non_null(strstr(err.text, cases[i].says));
        }
}

/* What does not fit is refused, not cut. */
static void test_long(void **state)
{
        (void) state;
        const SqlContext x = { 0 };
        char type[2000];

        for (size_t len = 200; len < sizeof type; len += 50) {
                SqlType ret = { 0 };
                Error err = { 0 };
                int r;

                memset(type, ',', len);
                memcpy(type, "varchar(", 8);
                for (size_t i = 8; i < len; i += 2)
                        type[i] = 'x';
                type[len - 1] = ')';
                type[len] = '\0';
                r = sql_type(&ret, &x, type, false, &err);
                assert_int_equal(r, -ERROR_CHANGELOG);
                assert_non_null(strstr(err.text, "too long"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_type),
                cmocka_unit_test(test_old_server),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
