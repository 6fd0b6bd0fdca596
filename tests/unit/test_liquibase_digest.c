#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/liquibase/change/digest.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define LOST "\xef\xbf\xbd"

static void test_decodes_anything(void **state)
{
        static const struct {
                const char *in, *want;
        } cases[] = {
                { "a\xc3\xa4", "a\xc3\xa4" },
                { "a\xff"
                  "b",
                  "a" LOST "b" },
                { "\xe2\x82x", LOST "x" },
                { "\xe2\x82", LOST },
                { "\xf0\x9f\x98x", LOST "x" },
                { "\xc0\xaf", LOST LOST },
                { "\xe0\x80\x80", LOST LOST LOST },
                { "\xed\xa0\x80x", LOST "x" }, /* half of a character: one mistake */
                { "\xf4\x90\x80\x80", LOST LOST LOST LOST },
                { "\xf8\x88\x80\x80\x80", LOST LOST LOST LOST LOST },
                { "\xc3", LOST },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 20);
                Error err = { .code = ERROR_NONE };
                const char *text;
                size_t size;

                assert_int_equal(decode_any_text(&text, &size, &a, cases[i].in, strlen(cases[i].in),
                                                 NULL, "f", &err),
                                 0);
                if (size != strlen(cases[i].want) || memcmp(text, cases[i].want, size) != 0)
                        fail_msg("case %zu: %.*s", i, (int) size, text);
        }
}

/* ---- digest.h ---- */

static void test_comments_of_data(void **state)
{
        static const struct {
                const char *in, *comment, *want;
        } cases[] = {
                { "a\r\nb\r\n", "#", "a\nb" },
                { "a\n\n\nb", "#", "a\nb" },
                { "# c\na\n# d\nb\n", "#", "a\nb" },
                { "a\n# c\n# d\n", "#", "a\n" }, /* two lines at the end leave one line end */
                { "a\n# c\n", "#", "a" },
                { "a#b", "#", "a#b" },
                { "#a\nb", "", "#a\nb" },
                { "#a\nb", NULL, "#a\nb" },
                { "//a\nb", "//", "b" },
                { "/a\nb", "//", "b" }, /* the first character counts */
                { "\xc3\xa4\nb", "\xc3\xa4", "\xc3\xa4\nb" },
                { "\xe4\nb", "\xc3\xa4", "b" }, /* bytes are compared with its code */
                { "\xe2\nb", "\xe2\x82\xac", "\xe2\nb" },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                size_t size;
                _cleanup_free_ char *got =
                        skip_comments(cases[i].in, strlen(cases[i].in), cases[i].comment, &size);

                if (size != strlen(cases[i].want) || memcmp(got, cases[i].want, size) != 0)
                        fail_msg("case %zu: \"%.*s\"", i, (int) size, got);
        }
}

/* ---- sums of text ---- */

static void test_digests(void **state)
{
        static const struct {
                const char *in, *raw; /* NULL: facts tell its beginning only */
        } cases[] = {
                { "", "9:d41d8cd98f00b204e9800998ecf8427e" },
                { "selectid,afromt", "9:aa29de6063102a84f7737b586f6bcecd" },
                { "insertintot(id)values(16)", NULL },
        };
        /* All of them are one text: line ends, U+FFFD and composed forms do not count. */
        static const char *const one[] = { "\xc3\xa9\n", "e\xcc\x81\r\n", "\xc3\xa9\r",
                                           "\xef\xbf\xbd\xc3\xa9\n" };
        char first[CHECKSUM_MAX], sum[CHECKSUM_MAX];
        Error err = { .code = ERROR_NONE };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                assert_int_equal(digest_raw(sum, 9, cases[i].in, strlen(cases[i].in), &err), 0);
                if (cases[i].raw)
                        assert_string_equal(sum, cases[i].raw);
                else
                        assert_memory_equal(sum, "9:d6b5", 6);
                assert_int_equal(digest_text(first, 9, cases[i].in, strlen(cases[i].in), &err), 0);
                assert_string_equal(first, sum);
        }
        assert_int_equal(digest_text(first, 8, one[0], strlen(one[0]), &err), 0);
        for (size_t i = 1; i < COUNT(one); i++) {
                assert_int_equal(digest_text(sum, 8, one[i], strlen(one[i]), &err), 0);
                assert_string_equal(sum, first);
                assert_int_equal(digest_raw(sum, 8, one[i], strlen(one[i]), &err), 0);
                assert_string_not_equal(sum, first);
        }
}

static void test_versions(void **state)
{
        static const struct {
                const char *stored;
                int version;
        } cases[] = {
                { "9:67c38c27f31958673d63bc21b6f8f170", 9 },
                { "8:67c38c27f31958673d63bc21b6f8f170", 8 },
                { "3:67c3", 3 },
                { "67c38c27f31958673d63bc21b6f8f170", 1 },
                { "10:67c3", 0 },
                { "0:67c3", 0 },
                { "", 1 },
                { "9:", 1 },
                { "any", 1 },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++)
                if (checksum_version(cases[i].stored) != cases[i].version)
                        fail_msg("%s: %d", cases[i].stored, checksum_version(cases[i].stored));
}

/* ---- sums of changesets: facts 4.3, 4.5, 4.6 ---- */

static Model *load(const char *changes)
{
        char folder[] = "/tmp/test_liquibase_digest.XXXXXX", file[64], nothing[] = "";
        FormatOptions o = { .folder = file,
                            .table = nothing,
                            .contexts = nothing,
                            .labels = nothing,
                            .root = nothing };
        Error err = { .code = ERROR_NONE };
        Model *m = NULL;
        FILE *out;

        assert_non_null(mkdtemp(folder));
        (void) snprintf(file, sizeof file, "%s/c.xml", folder);
        out = fopen(file, "w");
        assert_non_null(out);
        (void) fprintf(out,
                       "<databaseChangeLog><changeSet id='1' "
                       "author='a'>%s</changeSet></databaseChangeLog>",
                       changes);
        assert_int_equal(fclose(out), 0);
        if (model_load(&m, &o, NULL, &err) < 0)
                fail_msg("%s: %s", changes, err.text);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(rmdir(folder), 0);
        assert_int_equal(m->n_sets, 1);
        return m;
}

static void test_sums(void **state)
{
        static const struct {
                const char *changes;
                int version;
                const char *sum;
        } cases[] = {
                { "", 9, "9:d41d8cd98f00b204e9800998ecf8427e" },
                { "", 8, "8:d41d8cd98f00b204e9800998ecf8427e" },
                { "<createTable tableName='t'><column name='id' type='int'/><column name='a' "
                  "type='varchar(20)'/></createTable>",
                  8, "8:5cb01011c310cc611cbf5d2f38588e4a" },
                { "<createTable tableName='t'><column name='id' type='int'/><column name='a' "
                  "type='varchar(20)'/></createTable>",
                  9, "9:7c1eae8cf030613013881d2cad9d922b" },
                { "<createView viewName='v1'>select id, a from t</createView>", 9,
                  "9:f8437dae44a55dab2a32ce758e91f6e1" },
                /* What is no part of it: the order of attributes, comments, rollbacks, tags, preconditions. */
                { "<preConditions onFail='WARN'><tableExists "
                  "tableName='x'/></preConditions><comment>c</comment>"
                  "<createView viewName='v1'>\n select id,\n a from t </createView><rollback/>",
                  9, "9:f8437dae44a55dab2a32ce758e91f6e1" },
                { "<sql dbms='h2'>select 1</sql>", 9, "9:d41d8cd98f00b204e9800998ecf8427e" },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_(model_freep) Model *m = load(cases[i].changes);
                Error err = { .code = ERROR_NONE };
                char sum[CHECKSUM_MAX];

                assert_int_equal(changeset_checksum(sum, m, m->sets[0], cases[i].version, &err), 0);
                if (strcmp(sum, cases[i].sum) != 0)
                        fail_msg("%s: %s, not %s", cases[i].changes, sum, cases[i].sum);
        }
}

#define LONG_NAME \
        "a_name_that_is_quite_long_and_says_a_lot_about_what_is_in_the_table_that_it_names_"

static void test_descriptions(void **state)
{
        static const struct {
                const char *changes, *want;
        } cases[] = {
                { "", "empty" },
                { "<empty/>", "empty" },
                { "<createTable tableName='t' schemaName='s' remarks='r'/>",
                  "createTable tableName=t" },
                { "<createIndex tableName='t' indexName='i' unique='true'/>",
                  "createIndex indexName=i, tableName=t" },
                { "<sql>select 1</sql><sql>select 2</sql>", "sql; sql" },
                { "<addForeignKeyConstraint baseTableName='b' referencedTableName='r' "
                  "baseTableSchemaName='s' constraintName='c' baseColumnNames='x' "
                  "referencedColumnNames='y'/>",
                  "addForeignKeyConstraint baseTableName=b, constraintName=c, "
                  "referencedTableName=r" },
                { "<dropTable tableName='" LONG_NAME LONG_NAME LONG_NAME LONG_NAME "'/>",
                  "dropTable tableName=" LONG_NAME LONG_NAME
                  "a_name_that_is_quite_long_and_says_a_lot_about_what_is_in_the_t..." },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_(model_freep) Model *m = load(cases[i].changes);
                const char *got = changeset_description(&m->arena, m->sets[0]);

                if (strcmp(got, cases[i].want) != 0)
                        fail_msg("%s: %s, not %s", cases[i].changes, got, cases[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decodes_anything),
                cmocka_unit_test(test_comments_of_data),
                cmocka_unit_test(test_digests),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_descriptions),
        };

        return cmocka_run_group_tests_name("liquibase_digest", tests, NULL, NULL);
}
