#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/liquibase/syntax/node.h"

#define HEADER "--liquibase formatted sql\n"
#define SET HEADER "--changeset a:1"

static int read_text(Node **root, Arena *a, const char *text, Error *err)
{
        *root = NULL;
        return read_sql(root, a, text, strlen(text), "x.sql", err);
}

/* The tree below n on one line: name=value@line(children). */
static void show(Text *t, const Node *n)
{
        for (const Node *c = n->children; c; c = c->next) {
                text_printf(t, "%s%s", c == n->children ? "" : " ", c->name);
                if (c->value)
                        text_printf(t, "=%s", c->value);
                if (c->children) {
                        text_add(t, "(");
                        show(t, c);
                        text_add(t, ")");
                }
        }
}

#define SQL(more) " sql=x(stripComments=true" more ")"

static void test_tree(void **state)
{
        (void) state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                { HEADER, "" },
                { HEADER "ignored\n", "" },
                { "\n \n  --  LIQUIBASE  formatted SQL logicalFilePath:l.sql",
                  "logicalFilePath=l.sql" },
                { SET "\n x\n", "changeSet(id=1 author=a" SQL("") ")" },
                { HEADER "-- changeset  b c:\"d e\" x\nx",
                  "changeSet(id=d e author=b c" SQL("") ")" },
                { HEADER "--changeset \"b:c\":2x\nx", "changeSet(id=2x author=b:c" SQL("") ")" },
                { SET "\nx\n--changeset b:2\ny",
                  "changeSet(id=1 author=a" SQL("") ") changeSet(id=2 author=b"
                                                    " sql=y(stripComments=true))" },
                { SET " runOnChange:true RUNALWAYS:x context:\"a or b\" labels:l dbms:!h2,p\nx",
                  "changeSet(id=1 author=a runOnChange=true runAlways=x labels=l dbms=!h2,p "
                  "context=a or b" SQL("") ")" },
                { SET " context:a contextFilter:b\nx",
                  "changeSet(id=1 author=a contextFilter=b" SQL("") ")" },
                { SET " rollbackEndDelimiter:@@ rollbackSplitStatements:false fooLabels:z\nx",
                  "changeSet(id=1 author=a labels=z" SQL(
                          " splitStatements=false endDelimiter=@@") ")" },
                { SET " endDelimiter:// endDelimiter:\"/\"\nx",
                  "changeSet(id=1 author=a" SQL(" endDelimiter=\"/\"") ")" },
                { SET "\n--comment one\n--comment: two\n  --comment x\nx",
                  "changeSet(id=1 author=a sql=--comment x\nx(stripComments=true) comment=two)" },
                { SET "\n--validCheckSum: 1:any\nx\n--validCheckSum 9:f",
                  "changeSet(id=1 author=a" SQL("") " validCheckSum=1:any validCheckSum=9:f)" },
                { SET "\n--ignoreLines:start\n--changeset "
                      "q:q\n--ignoreLines:end\nx\n--ignoreLines:2\ny\nz",
                  "changeSet(id=1 author=a" SQL("") ")" },
                { HEADER "--property name:p value:v dbms:h2 context:c global:false",
                  "property(contextFilter=c name=p value=v dbms=h2 global=false)" },
                { SET "\nx\n/",
                  "changeSet(id=1 author=a sql=x\n/(stripComments=true endDelimiter=\n/$))" },
                { SET "\nx\n/\n--changeset a:2\ny",
                  "changeSet(id=1 author=a sql=x\n/(stripComments=true)) changeSet(id=2 author=a "
                  "sql=y(stripComments=true))" },
                { SET "\nx\n--changeset a:2",
                  "changeSet(id=1 author=a" SQL("") ") changeSet(id=2 author=a" SQL("") ")" },
                { SET "\nx\n--changeset a:2\n\n",
                  "changeSet(id=1 author=a" SQL(
                          "") ") changeSet(id=2 author=a sql(stripComments=true))" },
                { SET "\r\nx\r\ry\n", "changeSet(id=1 author=a sql=x\n\ny(stripComments=true))" },
                { "select 1;\n", "changeSet(sql=select 1;\n(splitStatements=false "
                                 "stripComments=false) id=raw author=includeAll)" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
                _cleanup_text_ Text t = TEXT_INIT(10000);
                Error err = { .code = ERROR_NONE };
                Node *root;

                assert_int_equal(read_text(&root, &a, cases[i].text, &err), 0);
                show(&t, root);
                assert_string_equal(text_str(&t), cases[i].want);
        }
}

static void test_children(void **state)
{
        (void) state;
        static const struct {
                const char *lines, *want;
        } cases[] = {
                { "--rollback drop a;\n -- rollback drop b;",
                  "rollback(sql=drop a;\ndrop b;(stripComments=false))" },
                { "--rollback  Not Required x", "rollback" },
                { "--rollback empty", "rollback" },
                { "--rollback changesetId:1 changesetAuthor:b changesetPath:p",
                  "rollback(changesetId=1 changesetAuthor=b changesetPath=p)" },
                { "/* liquibase rollback\na;\nb;\n c */ \n--rollback d",
                  "rollback(sql=a;b; c \nd(stripComments=false))" },
                { "--rollbackx", NULL },
                { "--preconditions onFail:MARK_RAN onError:WARN onUpdateSQL:TEST",
                  "preConditions(onSqlOutput=TEST onFail=MARK_RAN onError=WARN)" },
                { "--preconditions\n--precondition-sql-check expectedResult:0 select 0 ",
                  "preConditions(sqlCheck=select 0(expectedResult=0))" },
                { "--precondition-sql-check 'a b' select 1\n--precondition-sql-check \"c\" select "
                  "2",
                  "preConditions(sqlCheck=select 1(expectedResult=a b) sqlCheck=select "
                  "2(expectedResult=c))" },
                { "--precondition-table-exists table:t schema:s\n--precondition-view-exists view:v",
                  "preConditions(tableExists(tableName=t schemaName=s) viewExists(viewName=v))" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
                _cleanup_text_ Text t = TEXT_INIT(10000), want = TEXT_INIT(10000);
                Error err = { .code = ERROR_NONE };
                char text[500];
                Node *root;

                (void) snprintf(text, sizeof text, SET "\n%s\nx", cases[i].lines);
                assert_int_equal(read_text(&root, &a, text, &err), 0);
                show(&t, root);
                if (cases[i].want)
                        text_printf(&want, "changeSet(id=1 author=a" SQL("") " %s)", cases[i].want);
                else
                        text_printf(&want, "changeSet(id=1 author=a sql=%s\nx(stripComments=true))",
                                    cases[i].lines);
                assert_string_equal(text_str(&t), text_str(&want));
        }
}

/* An error in the SQL is told in the line of the file, whatever stood between its lines. */
static void test_lines(void **state)
{
        (void) state;
        static const char text[] =
                HEADER "\n--changeset a:1\n\n--comment c\na\n--rollback r\r\n\nb\n/* liquibase "
                       "rollback\n\ns\nt*/\n--rollback u\nc\n";
        static const unsigned long sql_lines[] = { 6, 8, 9, 15 }, rollback_lines[] = { 7, 12, 14 };
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
        Error err = { .code = ERROR_NONE };
        const Node *set, *sql, *rollback;
        Node *root;

        assert_int_equal(read_text(&root, &a, text, &err), 0);
        set = node_child(root, "changeSet");
        assert_int_equal(set->line, 3);
        sql = node_child(set, "sql");
        assert_string_equal(sql->value, "a\n\nb\nc");
        for (size_t i = 0, line = 0; sql->value[i]; line += sql->value[i++] == '\n')
                assert_int_equal(node_value_line(sql, i), sql_lines[line]);
        rollback = node_child(node_child(set, "rollback"), "sql");
        assert_string_equal(rollback->value, "r\nst\nu");
        for (size_t i = 0, line = 0; rollback->value[i]; line += rollback->value[i++] == '\n')
                assert_int_equal(node_value_line(rollback, i), rollback_lines[line]);
}

static void test_errors(void **state)
{
        (void) state;
        static const struct {
                const char *text, *error;
                unsigned long line;
        } cases[] = {
                { "", "the file has no SQL", 0 },
                { HEADER "--changeset a", "--changeset AUTHOR:ID", 2 },
                { HEADER "--changeset a: 1", "--changeset AUTHOR:ID", 2 },
                { HEADER "-changeset a:1", "--changeset AUTHOR:ID", 2 },
                { HEADER "--comment c\n--changeset a:1", "before --comment", 2 },
                { HEADER "--property name:x", "--property name:NAME value:VALUE", 2 },
                { HEADER "--ignore:start", "--ignoreLines:start", 2 },
                { HEADER "--ignoreLines:some", "start, end or a number, not some", 2 },
                { SET "\n--comments: c", "--comment TEXT", 3 },
                { SET "\nx\n-rollback y", "--rollback SQL", 4 },
                { SET "\n/* liquibase rollback\nx\n", "not ended", 3 },
                { SET "\n-preconditions x", "--preconditions onFail:HALT", 3 },
                { SET "\n--precondition-sql-check", "expectedResult:RESULT SQL", 3 },
                { SET "\n--precondition-sql-check 1", "expectedResult:RESULT SQL", 3 },
                { SET "\n--precondition-sql-check '1 select", "expectedResult:RESULT SQL", 3 },
                { SET "\n--precondition-table-exists x", "takes a name", 3 },
                { SET "\n--precondition-row-count x", "no precondition is called row-count", 3 },
                { SET "\n--preconditions onUpdateSQL:TEST onSqlOutput:TEST", "say the same", 3 },
                { SET "\n-validCheckSum x", "--validCheckSum SUM", 3 },
                { SET "\n \n--changeset b:2\nx", "no SQL for changeset a:1", 2 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
                Error err = { .code = ERROR_NONE };
                Node *root;

                assert_int_equal(read_text(&root, &a, cases[i].text, &err), -ERROR_CHANGELOG);
                assert_non_null(strstr(err.text, cases[i].error));
                assert_non_null(strstr(err.text, "x.sql"));
                assert_string_equal(err.path, "x.sql");
                assert_int_equal(err.line, cases[i].line);
        }
}

/* Lines as long as the file, of what the expressions share out in many ways; in CPU seconds, far above what it takes. */
static void test_linear(void **state)
{
        (void) state;
        static const struct {
                const char *start, *unit;
        } cases[] = {
                { SET "\n", "--x\n" },
                { SET "\n", "-" },
                { SET "\n", " " },
                { SET "\n", "--rollback a b;\n" },
                { SET "\n", "-- comment\n" },
                { SET "\n/* liquibase rollback\n", " " },
                { HEADER "--changeset", " " },
                { HEADER "--changeset a", "\"" },
                { HEADER "--changeset a:1 ", "labels:" },
                { HEADER "--property ", "a:" },
                { HEADER "--property a", " " },
                { HEADER "--property a:", " b" },
                { SET "\n-- precondition-", "x-" },
        };
        const size_t size = (size_t) 2 << 20;
        _cleanup_free_ char *text = malloc(size + 256);

        assert_non_null(text);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 30);
                Error err = { .code = ERROR_NONE };
                size_t len = strlen(cases[i].start);
                clock_t start = clock();
                Node *root;
                int r;

                memcpy(text, cases[i].start, len);
                while (len < size) {
                        memcpy(text + len, cases[i].unit, strlen(cases[i].unit));
                        len += strlen(cases[i].unit);
                }
                text[len] = '\0';
                r = read_text(&root, &a, text, &err);
                assert_true(r == 0 || r == -ERROR_CHANGELOG);
                assert_true(clock() - start < 30 * CLOCKS_PER_SEC);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tree),   cmocka_unit_test(test_children),
                cmocka_unit_test(test_lines),  cmocka_unit_test(test_errors),
                cmocka_unit_test(test_linear),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
