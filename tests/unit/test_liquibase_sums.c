/* Sums that the real Liquibase 4.28.1 has for the same changesets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "format/liquibase/change/checksum.h"
#include "format/liquibase/liquibase.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PROPERTY "<property name='p' value='v'/>"
#define CSV "#c\r\na,b\n\n1,2\n\xe9x\n#y\n#z\n"

/* clang-format off */
static const struct {
        const char *changes, *sum9, *sum8;
} cases[] = {
        /* examples of the facts, 4.3 and 4.5 */
        { "<createTable tableName='t'><column name='id' type='int'/><column name='a' type='varchar(20)'/></createTable>", "9:7c1eae8cf030613013881d2cad9d922b", "8:5cb01011c310cc611cbf5d2f38588e4a" },
        { "<createView viewName='v1'>select id, a from t</createView>", "9:f8437dae44a55dab2a32ce758e91f6e1", "8:a0efec2eb1b12abef7fb6f3f2e33a4de" },
        { "<sql>insert into t(id)\n values (16)</sql>", "9:a3b42c9c993b79860b533301595a7369", "8:4b873d0bd0b0e96e17fbd8e377f111c7" },
        /* nothing, and what is not for this database */
        { "<empty/>", "9:7a37a4e4638085400ecf49cb0bebb7de", "8:d0d3328f3d5a05046b2c85ad2856329c" },
        { "<sql dbms='oracle'>select 1</sql>", "9:d41d8cd98f00b204e9800998ecf8427e", "8:551a6b5455d661ce7101a063b818ca3e" },
        { "<insert tableName='t' dbms='h2'><column name='a' value='1'/></insert><dropTable tableName='t'/>", "9:f7593b5a1de7895c04bd5612c7841640", "8:c7453e727e2f5f7ec72224f1652869b5" },
        /* empty constraints; lines are sorted by UTF-16 */
        { "<createTable tableName='\xf0\x9f\x98\x80'><column name='a' type='b'><constraints/></column><column name='\xef\xbd\x9e'/></createTable>", "9:05de6dd69c7b90b3c546674a57200192", "8:49dfb9a4580eeb0b1ba4f0f57928838c" },
        { "<addColumn tableName='t'><column name='a' position='007' beforeColumn='b' type='int' autoIncrement='TRUE' startWith='+05'/></addColumn>", "9:979d74d83bd2714e3062e824367bfafb", "8:eea52643997baa517c88763564fbc745" },
        { "<createIndex tableName='t' associatedWith='x'><column name='a' type='int' descending='true' value='1'/></createIndex>", "9:2d4d9124832448e5bb8bc7c49773801c", "8:ecc0056a5f59c422a8d4425b2d20d3a4" },
        /* texts: decomposed, lines, U+FFFD */
        { "<createTable tableName='Cafe\xcc\x81' remarks='a&#13;&#10;b&#13;c\xef\xbf\xbd""d'/>", "9:6cc6e7fcb1ebec1ef8015134a7a9ab28", "8:e91a00f29ccd717d9a8d489b79be066d" },
        /* numbers and dates that are none */
        { "<insert tableName='t'><column name='a' valueNumeric='(now())'/><column name='b' valueNumeric='(1)'/><column name='c' valueNumeric='null'/><column name='d' defaultValueNumeric='GENERATED_BY_DEFAULT'/></insert>", "9:ab038c8084e7135e365a1fd3c9599e63", "8:8ccc64585d93229e13350015bf10ee1e" },
        { "<insert tableName='t'><column name='a' valueDate='2020-02-30T03:04:05.50'/><column name='b' valueDate='2020-02-30T03:04:05.5Z'/><column name='c' valueDate='null'/></insert>", "9:0364239df3bb71bff7ca9011d7d03337", "8:51635c203aa85553b589eb016dd3c7b6" },
        /* deleteCascade is a way to say onDelete, or to lose it */
        { "<addForeignKeyConstraint constraintName='f' baseTableName='b' baseColumnNames='i' referencedTableName='r' referencedColumnNames='i' deleteCascade='true'/>", "9:4a5ea011a978761e7caab0990b1f67c3", "8:54bd464cd73561cc158b0197e8e41217" },
        { "<addForeignKeyConstraint constraintName='f' baseTableName='b' baseColumnNames='i' referencedTableName='r' referencedColumnNames='i' deleteCascade='true' onDelete='SET NULL'/>", "9:687b035138ec10f67564ff04afa7d9bc", "8:fadd0ba849d5f1accaba9a5501b8b1ad" },
        /* messages */
        { "<stop> </stop>", "9:d1ec4f85140dca32db0ddedc31ca24fa", "8:9b8e0d6c4a825be5478876597ecd5686" },
        { "<output>  hello </output>", "9:67d366524d48d6f73cb559d394191ac5", "8:9f7a2f6a751870c7fcbb9f211f565b6c" },
        /* files */
        { "<sqlFile path='f.sql' endDelimiter='/' stripComments='true'/>", "9:dd441e192e2a951d024ccf534fbb1fd8", "8:3ca45257b3e8f609efb8db409a15a3ba" },
        { "<sqlFile path='latin1.sql' encoding='ISO-8859-1'/>", "9:7dff675605b7458ddf4118ca5cee7d45", "8:dd6ab410b71478702704674c9542d841" },
        { "<sqlFile path='ff.sql'/>", "9:f9b33a1d99b626d772aab57c9dba1815", "8:71902b1a3fce431fae4f20d96fc0adb9" },
        { "<createView viewName='v' path='f.sql'/>", "9:3fcf6ab9d7e348c869f1ea38a70df36c", "8:e003502edd7bb60a5ac8b3000b84ec56" },
        { "<createProcedure path='latin1.sql' encoding='ISO-8859-1'/>", "9:8c3fb722faa04eb3ede48faba91b76d7", "8:07cf9316905ad6e463f5dd45b6f314fb" },
        { "<createProcedure dbms='postgresql'>  begin\n end </createProcedure>", "9:10f0c1796310d41f3234367ca1904168", "8:d0b27b405ae4fbe1e627d8b531c6bb5a" },
        { "<loadData tableName='t' file='d.csv'/>", "9:e07fe4af62fe5cbb785094da087b5521", "8:aa5e9d17de14b9c6bfea79e7894020ac" },
        { "<loadData tableName='t' file='d.csv' commentLineStartsWith='\xc3\xa9'/>", "9:4cb8b2c366ecda48a8a400114d3646c1", "8:945fa77b5507e9c6faae555395bd8ddf" },
        { "<loadUpdateData tableName='t' primaryKey='a' file='d.csv.gz'/>", "9:e07fe4af62fe5cbb785094da087b5521", "8:aa5e9d17de14b9c6bfea79e7894020ac" },
        /* modifySql */
        { "<dropTable tableName='t'/><modifySql><append value=' WITH (fillfactor=70)'/></modifySql>", "9:63013827f4a711b0d577e68e632caf58", "8:786e2d6dd8dbc2213e9beb63a94a0c50" },
        { "<dropTable tableName='t'/><modifySql dbms='oracle'><append value='x'/></modifySql>", "9:f7593b5a1de7895c04bd5612c7841640", "8:4133e9df534817b5fb58abc197f09352" },
        { "<dropTable tableName='t'/><modifySql dbms='a,,postgresql, a ,h2,,' applyToRollback='true' labels='B, a,b,,'><replace replace='x' with='y'/></modifySql>", "9:a393d55d1cd87dbf1df1dd06387c79c8", "8:684c41e332c18ce62e29669a27ef4bfa" },
        { "<dropTable tableName='t'/><modifySql dbms='a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,postgresql,h2'><prepend value='x'/></modifySql>", "9:d34cb946b5d47ccb0f332aa97784cd93", "8:03aa90902b4f0a0911c5b66b365452d9" },
        { "<dropTable tableName='t'/><modifySql context='x' labels='\xc3\x89t\xc3\x89,\xc4\xb0,\xce\xa3""A\xce\xa3'><regExpReplace replace='x' with='y'/></modifySql>", "9:6a37d8c2cd3e1b6d34ecf64bd37b6897", "8:4e32b38b0bc05a7a764b0b3637c0ddd8" },
};
/* clang-format on */

static char folder[64];

static void write_file(const char *name, const char *text)
{
        char path[128];
        FILE *out;

        (void) snprintf(path, sizeof path, "%s/%s", folder, name);
        out = fopen(path, "w");
        assert_non_null(out);
        assert_true(fputs(text, out) >= 0);
        assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state)
{
        char path[128];
        gzFile out;

        (void) state;
        (void) snprintf(folder, sizeof folder, "/tmp/test_liquibase_sums.XXXXXX");
        if (!mkdtemp(folder))
                return -1;
        write_file("f.sql", "select '${p}'\n/ -- c\n");
        write_file("v.sql", "select 'v'\n/ -- c\n");
        write_file("latin1.sql", "select '\xe9' x\xc3\n");
        write_file("ff.sql", "  a \n\xff \t b \xff\xff c \r\n");
        write_file("d.csv", CSV);
        (void) snprintf(path, sizeof path, "%s/d.csv.gz", folder);
        out = gzopen(path, "wb");
        return out && gzputs(out, CSV) > 0 && gzclose(out) == Z_OK ? 0 : -1;
}

static int drop_folder(void **state)
{
        char command[128];

        (void) state;
        (void) snprintf(command, sizeof command, "rm -rf %s", folder);
        return system(command);
}

static Model *load(const char *name)
{
        char file[128], nothing[] = "";
        const FormatOptions o = { .folder = file,
                                  .table = nothing,
                                  .contexts = nothing,
                                  .labels = nothing,
                                  .root = nothing };
        Error err = { .code = ERROR_NONE };
        Model *m = NULL;

        (void) snprintf(file, sizeof file, "%s/%s", folder, name);
        if (model_load(&m, &o, NULL, &err) < 0)
                fail_msg("%s: %s", name, err.text);
        return m;
}

static void test_sums(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(1U << 20);
        Model *m;

        (void) state;
        text_add(&t, "<databaseChangeLog>" PROPERTY);
        for (size_t i = 0; i < COUNT(cases); i++)
                text_printf(&t, "<changeSet id='%zu' author='a'>%s</changeSet>", i,
                            cases[i].changes);
        text_add(&t, "</databaseChangeLog>");
        write_file("c.xml", text_str(&t));
        m = load("c.xml");
        assert_int_equal(m->n_sets, COUNT(cases));
        for (size_t i = 0; i < COUNT(cases); i++)
                for (int version = 9; version >= 8; version--) {
                        const char *want = version == 9 ? cases[i].sum9 : cases[i].sum8;
                        char sum[CHECKSUM_MAX] = "";
                        Error err = { .code = ERROR_NONE };

                        if (changeset_checksum(sum, m, m->sets[i], version, &err) < 0 ||
                            strcmp(sum, want) != 0)
                                fail_msg("%s: %s, not %s %s", cases[i].changes, sum, want,
                                         err.text);
                }
        (void) model_free(m);
}

/* The sum of f.sql with its properties expanded is that of v.sql. */
static void test_sums_from_before_4_26(void **state)
{
        static char old[] = "4.25.1", exact[] = "4.26.0", newer[] = "5.0.1", ancient[] = "4.1.1";
        const struct {
                char *version;
                int want;
        } rows[] = { { old, 1 }, { ancient, 1 }, { NULL, 1 }, { exact, 0 }, { newer, 0 } };
        char sum[CHECKSUM_MAX], current[CHECKSUM_MAX];
        Error err = { .code = ERROR_NONE };
        Model *m;

        (void) state;
        write_file("o.xml", "<databaseChangeLog>" PROPERTY
                            "<changeSet id='1' author='a'><sqlFile path='f.sql'/></changeSet>"
                            "<changeSet id='2' author='a'><sqlFile path='v.sql'/></changeSet>"
                            "</databaseChangeLog>");
        m = load("o.xml");
        assert_true(changeset_checksum(sum, m, m->sets[1], 9, &err) >= 0);
        for (size_t i = 0; i < COUNT(rows); i++) {
                const HistoryRow row = { .checksum = sum, .tool_version = rows[i].version };

                assert_int_equal(liquibase_sum_matches(m, m->sets[0], &row, current, &err),
                                 rows[i].want);
        }
        (void) model_free(m);
}

/* YAML is expanded as a whole before anything in it is read, and again item by item. */
static void test_properties_of_included_files(void **state)
{
        static const char *const wanted[] = { "dropTable tableName=${late}",
                                              "dropTable tableName=x",
                                              "dropTable tableName=early" };
        Arena a = ARENA_INIT(1U << 20);
        Model *m;

        (void) state;
        write_file("p.xml",
                   "<databaseChangeLog><property name='late' value='x'/></databaseChangeLog>");
        write_file(
                "p.yaml",
                "databaseChangeLog:\n"
                "- changeSet: {id: 1, author: a, changes: [{dropTable: {tableName: '${late}'}}]}\n"
                "- include: {file: p.xml}\n"
                "- changeSet: {id: 2, author: a, changes: [{dropTable: {tableName: '${late}'}}]}\n"
                "- changeSet: {id: 3, author: a, changes: [{dropTable: {tableName: '${e}'}}]}\n"
                "- property: {name: e, value: early}\n");
        m = load("p.yaml");
        assert_int_equal(m->n_sets, COUNT(wanted));
        for (size_t i = 0; i < COUNT(wanted); i++)
                assert_string_equal(changeset_description(&a, m->sets[i]), wanted[i]);
        arena_done(&a);
        (void) model_free(m);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_sums_from_before_4_26),
                cmocka_unit_test(test_properties_of_included_files),
        };

        return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
