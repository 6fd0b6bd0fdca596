#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zlib.h>

#include "liquibase_folder.h"

/* csv: the file d.csv. want: the statements, one a line, or "error: text". */
typedef struct LoadCase {
        const char *csv, *fields, *want;
} LoadCase;

static void check(Folder *f, const char *type, bool inverse, const LoadCase *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(8 << 20);
                SqlList out = { .arena = &a };
                Change c = folder_change(f, &a, type, cases[i].fields);
                Error err = { 0 };
                int r;

                folder_write(f, "d.csv", cases[i].csv, strlen(cases[i].csv));
                r = (inverse ? c.type->inverse : c.type->sql)(&out, &c, &f->context, &err);
                folder_check(&a, &out, r, &err, cases[i].want);
        }
}
#define CHECK(state, type, inverse, cases) \
        check(*(state), type, inverse, cases, sizeof(cases) / sizeof((cases)[0]))

#define D "`tableName`: `t`, `file`: `d.csv`"
#define INTO "INSERT INTO public.t "

static void test_files(void **state)
{
        static const LoadCase cases[] = {
                { "a,b\n1,x\n", "{" D "}", INTO "(a, b) VALUES ('1', 'x')" },
                { " a ,b\r\n1,\"x\r\ny\"\r\n\r\n2,NULL", "{" D "}",
                  INTO "(a, b) VALUES ('1', 'x\ny'),('2', NULL)" },
                { "\xef\xbb\xbf"
                  "a\n\"q\"\"q\"\n",
                  "{" D "}", INTO "(a) VALUES ('q\"q')" },
                { "a;b\n'x;y';z\n", "{" D ", `separator`: `;`, `quotchar`: `'`}",
                  INTO "(a, b) VALUES ('x;y', 'z')" },
                { "a\tb\n\"\t1\n", "{" D ", `separator`: `\\\\t`, `quotchar`: ` `}",
                  INTO "(a, b) VALUES ('\"', '1')" },
                { "a\xc3\xa4"
                  "b\n1\xc3\xa4"
                  "2\n",
                  "{" D ", `separator`: `\xc3\xa4`}", INTO "(a, b) VALUES ('1', '2')" },
                { "a\n#1\n//2\n", "{" D ", `commentLineStartsWith`: `//`}",
                  INTO "(a) VALUES ('#1')" },
                { "a\n", "{" D "}", "" },
                { "", "{" D "}", "error: Data file d.csv was empty" },
                { "a,b\n\n1,2,3\n", "{" D "}",
                  "error: CSV file d.csv Line 3 has 3 values defined, Header has 2. Numbers MUST "
                  "be equal (check for unquoted string with embedded commas)" },
                { "a\n\"x\n", "{" D "}", "error: d.csv: a quoted value does not end" },
                { "a,\n1,2\n", "{" D "}", "error: column 2 has no name" },
                { "a\n1\n", "{`tableName`: `t`}", "error: loadData has no file" },
                { "a\n1\n", "{`tableName`: `t`, `file`: `e.csv`}", "error: e.csv: cannot open" },
                { "a\n1\n", "{`tableName`: `t`, `file`: `bad.gz`}",
                  "error: bad.gz is no gzip file" },
                { "a\n1\n", "{`tableName`: `t`, `file`: `good.csv.gz`}",
                  INTO "(a) VALUES ('packed')" },
                { "a\n1\n2\n", "{" D ", `usePreparedStatements`: `true`}",
                  INTO "(a) VALUES ('1')\n" INTO "(a) VALUES ('2')" },
        };
        Folder *f = *state;
        char path[128];
        gzFile gz;

        (void) snprintf(path, sizeof path, "%s/good.csv.gz", f->root);
        gz = gzopen(path, "w");
        assert_int_equal(gzputs(gz, "a\npacked\n"), 9);
        assert_int_equal(gzclose(gz), Z_OK);
        folder_write(f, "bad.gz", "a\n1\n", 4);
        CHECK(state, "loadData", false, cases);
}

#define COLUMN(fields) "{" D ", `columns`: [{`name`: `a`, " fields "}]}"
#define VALUE(value) INTO "(a) VALUES (" value ")"

static void test_values(void **state)
{
        static const LoadCase cases[] = {
                { "a\nyes\n", COLUMN("`type`: `boolean`"), VALUE("TRUE") },
                { "a\n7\n", COLUMN("`type`: `boolean`"), VALUE("TRUE") },
                { "a\nno\n", COLUMN("`type`: `boolean`"), VALUE("FALSE") },
                { "a\n\"\"\n,\n", COLUMN("`type`: `boolean`"),
                  "error: CSV file d.csv Line 3 has 2 values defined, Header has 1. Numbers MUST "
                  "be equal (check for unquoted string with embedded commas)" },
                { "a,b\n,1\n",
                  "{" D ", `columns`: [{`name`: `a`, `type`: `BOOLEAN`, `defaultValueBoolean`: "
                  "`true`}, {`index`: `1`, `name`: `z`, `type`: `NUMERIC`}]}",
                  INTO "(a, z) VALUES (TRUE, 1)" },
                { "h,b\n,\n",
                  "{" D ", `columns`: [{`header`: `H`, `name`: `a`, `type`: `NUMERIC`, "
                  "`defaultValueNumeric`: `9`}, {`name`: `B`, `type`: `STRING`}]}",
                  INTO "(a, B) VALUES (9, '')" },
                { "a,b\n1,2\n", "{" D ", `columns`: [{`name`: `b`, `type`: `skip`}]}",
                  INTO "(a) VALUES ('1')" },
                { "a\n1+1\n", COLUMN("`type`: `COMPUTED`"), VALUE("1+1") },
                { "a\nnull\n", COLUMN("`type`: `STRING`"), VALUE("NULL") },
                { "a,b\n,\n",
                  "{" D ", `columns`: [{`name`: `a`, `type`: `SEQUENCE`, "
                  "`defaultValue`: `s`}]}",
                  INTO "(a, b) VALUES (nextval('public.s'), NULL)" },
                { "a,b\n,\n", COLUMN("`type`: `SEQUENCE`"), "error: column a has no sequence" },
                { "a\n2020-01-02T03:04:05.600\n", COLUMN("`type`: `DATETIME`"),
                  VALUE("'2020-01-02 03:04:05.6'") },
                { "a\nnow()\n", COLUMN("`type`: `DATE`"), VALUE("NOW()") },
                { "a\nNOW\n", COLUMN("`type`: `DATETIME`"), VALUE("LOCALTIMESTAMP::timestamp(3)") },
                { "a\nNOW-10min\n", COLUMN("`type`: `TIME`"),
                  VALUE("(LOCALTIMESTAMP - interval '10 minutes')::time(0)") },
                { "a\ntoday+3\n", COLUMN("`type`: `DATE`"),
                  VALUE("(LOCALTIMESTAMP + interval '3 days')::date") },
                { "a\nNOW+1'x\n", COLUMN("`type`: `DATE`"),
                  "error: \"NOW+1'x\" is no time: column a" },
                { "a\nSGVsbG8=\n", COLUMN("`type`: `BLOB`"),
                  VALUE("lo_from_bytea(0, '\\x48656c6c6f'::bytea)") },
                { "a\nc.txt\n", COLUMN("`type`: `BLOB`"), VALUE("'\\x68690a'::bytea") },
                { "a\nc.txt\n", COLUMN("`type`: `CLOB`"), VALUE("'hi\n'") },
                { "a\nhello\n", COLUMN("`type`: `CLOB`"), "error: column a: hello: cannot open" },
                { "a\nx\n", COLUMN("`type`: `whatever`"), VALUE("'x'") },
        };

        folder_write(*state, "c.txt", "hi\n", 3);
        CHECK(state, "loadData", false, cases);
}

/* Types that the changelog does not tell: from the table, or from what the changeset itself makes. */
static void test_known_types(void **state)
{
        static const LoadCase cases[] = {
                { "n,f,b,v,j,u\n1,1.5,f,,,\n", "{" D "}",
                  INTO "(n, f, b, v, j, u) VALUES (1, '1.5', FALSE, '', '', NULL)" },
                { "n,made\n1,2\n", "{`tableName`: `m`, `file`: `d.csv`}",
                  "INSERT INTO public.m (n, made) VALUES ('1', 2)" },
        };
        static const char *names[] = { "n", "f", "b", "v", "j", "u" };
        static const char *types[] = { "int4", "float8", "bool", "varchar", "jsonb", "uuid" };
        const SqlTableColumns table = {
                .table = "public.t", .names = names, .types = types, .n = 6
        };
        Folder *f = *state;
        Change made[1];

        made[0] = folder_change(f, &f->model.arena, "createTable",
                                "{`tableName`: `m`, `columns`: [{`name`: `made`, `type`: "
                                "`decimal(3,1)`}]}");
        f->set.changes = made;
        f->set.n_changes = 1;
        f->context.tables = &table;
        CHECK(state, "loadData", false, cases);
}

#define KEY "`tableName`: `t`, `file`: `d.csv`, `primaryKey`: `id, b`"
#define TYPES \
        "`columns`: [{`name`: `id`, `type`: `NUMERIC`}, {`name`: `c`, `allowUpdate`: `false`}]"

static void test_update(void **state)
{
        static const LoadCase cases[] = {
                { "id,b,c,d\n1,,x,y\n", "{" KEY ", " TYPES "}",
                  "DO\n$$\nBEGIN\nUPDATE public.t SET d = 'y' WHERE id = 1 AND b is NULL;\n"
                  "IF not found THEN\nINSERT INTO public.t (id, b, c, d) VALUES (1, NULL, 'x', "
                  "'y');\nEND IF;\nEND;\n$$\nLANGUAGE plpgsql" },
                { "id,b\n1,2\n", "{" KEY ", " TYPES ", `onlyUpdate`: `true`}",
                  "DO\n$$\nBEGIN\nperform * from public.t WHERE id = 1 AND b = '2';\nEND;\n$$\n"
                  "LANGUAGE plpgsql" },
                { "id,b,d\n1,2,$$ $lq1$\n", "{" KEY ", " TYPES ", `onlyUpdate`: `true`}",
                  "DO\n$lq2$\nBEGIN\nUPDATE public.t SET d = '$$ $lq1$' WHERE id = 1 AND b = "
                  "'2';\nEND;\n$lq2$\nLANGUAGE plpgsql" },
                { "id\n1\n", "{" D ", `primaryKey`: ` , `}",
                  "error: loadUpdateData has no primaryKey" },
        };
        static const LoadCase inverses[] = {
                { "id,b,c\n1,,x\n2,3,y\n", "{" KEY ", " TYPES "}",
                  "DELETE FROM public.t WHERE id = 1 AND b is NULL\n"
                  "DELETE FROM public.t WHERE id = 2 AND b = '3'" },
        };

        CHECK(state, "loadUpdateData", false, cases);
        CHECK(state, "loadUpdateData", true, inverses);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, folder_setup, folder_teardown)
        const struct CMUnitTest tests[] = {
                TEST(files),
                TEST(values),
                TEST(known_types),
                TEST(update),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
