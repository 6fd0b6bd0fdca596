#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/node.h"
#include "util/clock.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef int (*Read)(Node **, Arena *, const char *, size_t, const char *, Error *);

/* A tree in words: name="value" for scalars, name(children), [several] */
static void describe(Text *out, const Node *n)
{
        for (; n; n = n->next) {
                text_add(out, n->name);
                if (n->value)
                        text_printf(out, "=%s", n->value);
                for (size_t i = 0; i < n->n_values; i++)
                        text_printf(out, "%c%s", i ? ',' : '[', n->values[i]);
                text_add(out, n->n_values ? "]" : "");
                if (n->children) {
                        text_addc(out, '(');
                        describe(out, n->children);
                        text_addc(out, ')');
                }
                text_add(out, n->next ? " " : "");
        }
}

typedef struct Case {
        const char *in, *want; /* NULL: refused with part of a text, at a place */
        const char *refusal;
        unsigned long line, column;
} Case;

static void check_sized(Read read, const Case *c, const char *in, size_t size)
{
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 256 << 20);
        _cleanup_text_ Text tree = TEXT_INIT(1 << 20);
        Error err = { .code = ERROR_NONE };
        Node *root = NULL;
        uint64_t start = clock_thread_cpu();
        int r = read(&root, &a, in, size, "f", &err);

        if (clock_thread_cpu() - start > 10 * USEC_PER_SEC)
                fail_msg("%.60s: slow", in);
        if (!c->want) {
                if (r != -ERROR_CHANGELOG || !strstr(err.text, c->refusal) ||
                    (c->line && err.line != c->line) || (c->column && err.column != c->column))
                        fail_msg("%.60s: %d %s (%lu:%lu)", in, r, err.text, err.line, err.column);
                return;
        }
        if (r < 0)
                fail_msg("%.60s: %s", in, err.text);
        describe(&tree, root->children);
        if (strcmp(text_str(&tree), c->want) != 0)
                fail_msg("%.60s: %s", in, text_str(&tree));
}

static void check(Read read, const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check_sized(read, &cases[i], cases[i].in, strlen(cases[i].in));
}

/* head, then n times a text, then n times another, then tail */
static char *repeat(const char *head, const char *open, const char *close, size_t n,
                    const char *tail)
{
        size_t o = strlen(open), c = strlen(close), h = strlen(head);
        char *s = malloc(h + n * (o + c) + strlen(tail) + 1), *p = s;

        assert_non_null(s);
        p = stpcpy(p, head);
        for (size_t i = 0; i < n; i++)
                p = stpcpy(p, open);
        for (size_t i = 0; i < n; i++)
                p = stpcpy(p, close);
        (void) strcpy(p, tail);
        return s;
}

static void check_repeated(Read read, const char *head, const char *open, const char *close,
                           size_t n, const char *tail, const char *refusal)
{
        char *s = repeat(head, open, close, n, tail);

        check_sized(read, &(Case){ .refusal = refusal }, s, strlen(s));
        free(s);
}

#define CL(inner) "<databaseChangeLog>" inner "</databaseChangeLog>"

static void check_laughs(void)
{
        _cleanup_text_ Text in = TEXT_INIT(1 << 16);

        text_add(&in, "<!DOCTYPE a [<!ENTITY a 'ha ha ha ha ha ha ha ha'>");
        for (char c = 'b'; c <= 'k'; c++) {
                text_printf(&in, "<!ENTITY %c '", c);
                for (int i = 0; i < 10; i++)
                        text_printf(&in, "&%c;", c - 1);
                text_add(&in, "'>");
        }
        text_add(&in, "]>" CL("<a>&k;</a>"));
        check_sized(read_xml, &(Case){ .refusal = "expand to too much text" }, text_str(&in),
                    in.len);
}

static void test_xml(void **state)
{
        static const Case cases[] = {
                { CL(""), "", NULL, 0, 0 },
                { CL("<a b='1'><c> x </c></a><a/>"), "a(b=1 c=x) a", NULL, 0, 0 },
                { CL("<a>one<!-- no --> <![CDATA[<two>&]]> &lt;&#228;</a>"),
                  "a=one <two>& <\xc3\xa4", NULL, 0, 0 },
                { CL("<a b='x\ny\tz&#10;'/>"), "a(b=x y z\n)", NULL, 0, 0 },
                { "<l:databaseChangeLog xmlns:l='x'><l:a l:b='1'/></l:databaseChangeLog>", "a(b=1)",
                  NULL, 0, 0 },
                { "<?xml version='1.0' encoding='ISO-8859-1'?>" CL("<a>\xe4</a>"), "a=\xc3\xa4",
                  NULL, 0, 0 },
                { "\xef\xbb\xbf" CL("<a/>"), "a", NULL, 0, 0 },
                { "", NULL, "f", 0, 0 },
                { "<databaseChangeLog>\n<a>\n</b>", NULL, "mismatched tag", 3, 0 },
                { CL("\n  <a b='&nope;'/>"), NULL, "undefined entity", 2, 0 },
                { CL("<a b='1' b='2'/>"), NULL, "duplicate attribute", 1, 0 },
                { CL("\xff"), NULL, "not well-formed", 1, 0 },
                { CL("") "<more/>", NULL, "junk after document element", 1, 0 },
                { "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" CL("<a>&e;</a>"), NULL,
                  "an external entity, which is not read", 0, 0 },
        };

        (void) state;
        check(read_xml, cases, COUNT(cases));
        check_repeated(read_xml, "<databaseChangeLog>", "<a>", "</a>", 100, "</databaseChangeLog>",
                       "nested too deeply");
        check_laughs();
}

#define YAML "databaseChangeLog:\n"

static void test_yaml(void **state)
{
        static const Case cases[] = {
                { "databaseChangeLog: []", "", NULL, 0, 0 },
                { "databaseChangeLog:", "", NULL, 0, 0 },
                { YAML "- a: {b: 1, c: [x, y], d: [z], e: [{f: 1}, {g: 2}]}",
                  "a(b=1 c[x,y] d=z e(f=1 g=2))", NULL, 0, 0 },
                { YAML "- a: &x {b: 1}\n- c: *x\n- d: {<<: *x, e: 2}", "a(b=1) c(b=1) d(b=1 e=2)",
                  NULL, 0, 0 },
                { YAML "- a: {b: 1, b: 2}", "a(b=2)", NULL, 0, 0 },
                { YAML "- a: !!str 12", "a=12", NULL, 0, 0 },
                { YAML "- a: |\n    one\n     two\n- b: >-\n    x\n    y", "a=one\n two\n b=x y",
                  NULL, 0, 0 },
                { "{\"databaseChangeLog\": [{\"a\": {\"b\": \"\\u00e4\\n\", \"c\": true}}]} # "
                  "comment",
                  "a(b=\xc3\xa4\n c=true)", NULL, 0, 0 },
                { "\xef\xbb\xbf" YAML "- a: 1", "a=1", NULL, 0, 0 },
                { "", NULL, "no map with the key databaseChangeLog", 0, 0 },
                { "- a", NULL, "no map with the key databaseChangeLog", 1, 0 },
                { "a: 1", NULL, "no key databaseChangeLog", 0, 0 },
                { "a: 1\ndatabaseChangeLog: x", NULL, "databaseChangeLog is no list", 2, 0 },
                { YAML "- a: [1\n- b", NULL, "did not find expected", 4, 1 },
                { YAML "- a: *nope", NULL, "an alias without an anchor", 2, 6 },
                { YAML "- a: 1\n---\nb: 2", NULL, "more than one document", 3, 0 },
                { YAML "- a: !!javax.script.ScriptEngineManager []", NULL, "tags of other types", 2,
                  6 },
                { YAML "- a: !mine x", NULL, "tags of other types", 2, 6 },
                { YAML "- a: {<<: 1}", NULL, "what is merged is no map", 2, 0 },
                { YAML "- ? [a]\n  : b", NULL, "a key is no text", 2, 0 },
                { YAML "- a: \"x\\0y\"", NULL, "NUL character", 2, 6 },
                { YAML "- a: \xff", NULL, "is not valid UTF-8", 2, 6 },
                { YAML "- a: &x [*x]", NULL, "an alias within what it stands for", 2, 0 },
        };
        char bomb[2000] = "";

        (void) state;
        check(read_yaml, cases, COUNT(cases));
        check_repeated(read_yaml, "databaseChangeLog: [{a: ", "[", "]", 100, "}]",
                       "nested too deeply");
        check_repeated(read_yaml, "databaseChangeLog: [{a: ", "[", "]", 20000, "}]", "f");
        (void) strcpy(bomb, "a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (char c = 'b'; c <= 'k'; c++) {
                char line[100];

                (void) snprintf(line, sizeof line,
                                "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c,
                                c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1,
                                c - 1);
                (void) strcat(bomb, line);
        }
        (void) strcat(bomb, YAML "- z: *k\n");
        check_sized(read_yaml, &(Case){ .refusal = "too many elements" }, bomb, strlen(bomb));
}

#define SQL "--liquibase formatted sql\n"

static void test_sql(void **state)
{
        static const Case refused[] = {
                { "", NULL, "the file has no SQL", 0, 0 },
                { SQL "--changeset a:1\n--changeset a:2\nselect 1", NULL, "no SQL for changeset", 0,
                  0 },
                { SQL "--changeset a: 1\n", NULL, "looks like a directive", 2, 1 },
                { SQL "--changeset a\n", NULL, "looks like a directive", 2, 1 },
                { SQL "-changeset a:1\n", NULL, "looks like a directive", 2, 1 },
                { SQL "--comment x\n", NULL, "looks like a directive", 2, 1 },
                { SQL "--changeset a:1\n--comments: x\n", NULL, "looks like a directive", 3, 1 },
                { SQL "--changeset a:1\n-rollback x\n", NULL, "looks like a directive", 3, 1 },
                { SQL "--changeset a:1\n/* liquibase rollback\nx\n", NULL,
                  "the rollback block is not ended by */", 0, 0 },
                { SQL "--ignoreLines:some\n", NULL, "ignoreLines takes start, end or a number", 2,
                  1 },
                { SQL "--ignore:1\n", NULL, "looks like a directive", 2, 1 },
                { SQL "--changeset a:1\n--preconditions onUpdateSQL:RUN onSqlOutput:RUN\n", NULL,
                  "say the same", 3, 1 },
                { SQL "--changeset a:1\n--precondition-nope x\n", NULL,
                  "no precondition is called nope", 3, 1 },
                { SQL "--changeset a:1\n--precondition-sql-check 0\n", NULL,
                  "precondition-sql-check takes", 3, 1 },
                { SQL "--changeset a:1\n--precondition-table-exists schema:s\n", NULL,
                  "tableExists takes a name", 3, 1 },
                { SQL "--changeset a:1\nselect '\xff'\n", NULL, "is not valid UTF-8", 3, 9 },
        };

        (void) state;
        check(read_sql, refused, COUNT(refused));
}

/* The children of a changeset and the text of its SQL, however many attributes there are. */
static void test_sql_changesets(void **state)
{
        static const struct {
                const char *in, *child, *value;
        } cases[] = {
                { SQL "--changeset a:1\nselect 1\n", "sql", "select 1" },
                { SQL "--changeset a:1\r\nselect 1\r\rselect 2", "sql", "select 1\n\nselect 2" },
                { SQL "--changeset a:1\n  --comment no\nselect 1", "sql",
                  "--comment no\nselect 1" },
                { SQL "--changeset a:1\n--comment one\n--comment: two\nselect 1", "comment",
                  "two" },
                { SQL "--changeset a:1\n--ignoreLines:start\nx\n--ignoreLines:end\nselect 1", "sql",
                  "select 1" },
                { SQL "--changeset a:1\n--ignoreLines:1\nx\nselect 1", "sql", "select 1" },
                { SQL "--changeset a:1\n--rollback\nselect 1", "sql", "--rollback\nselect 1" },
                { SQL "--changeset \"a b\":\"c d\"\nselect 1", "id", "c d" },
                { SQL "--changeset \"a b\":\"c d\"\nselect 1", "author", "a b" },
                { "\n -- LIQUIBASE  FORMATTED sql\n--CHANGESET a:1\nselect 1", "sql", "select 1" },
                { "select 1;\r\nselect 2", "author", "includeAll" },
        };

        (void) state;
        for (size_t i = 0; i < COUNT(cases); i++) {
                _cleanup_arena_ Arena a = ARENA_INIT(1 << 24);
                Error err = { .code = ERROR_NONE };
                Node *root = NULL;
                const Node *set;

                if (read_sql(&root, &a, cases[i].in, strlen(cases[i].in), "f", &err) < 0)
                        fail_msg("case %zu: %s", i, err.text);
                set = node_child(root, "changeSet");
                assert_non_null(set);
                assert_string_equal(node_text(set, cases[i].child), cases[i].value);
        }
}

/* Lines of what comes from several places lead back to the file. */
static void test_sql_lines(void **state)
{
        static const char in[] = SQL "--changeset a:1\n\n--comment x\nselect 1;\n"
                                     "--ignoreLines:2\na\nb\nselect 2;\n";
        _cleanup_arena_ Arena a = ARENA_INIT(1 << 24);
        Error err = { .code = ERROR_NONE };
        Node *root = NULL;
        const Node *sql;

        (void) state;
        assert_int_equal(read_sql(&root, &a, in, sizeof in - 1, "f", &err), 0);
        sql = node_child(node_child(root, "changeSet"), "sql");
        assert_string_equal(sql->value, "select 1;\nselect 2;");
        assert_int_equal(node_value_line(sql, 0), 5);
        assert_int_equal(node_value_line(sql, 9), 5);
        assert_int_equal(node_value_line(sql, 10), 9);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_xml),       cmocka_unit_test(test_yaml),
                cmocka_unit_test(test_sql),       cmocka_unit_test(test_sql_changesets),
                cmocka_unit_test(test_sql_lines),
        };

        return cmocka_run_group_tests_name("liquibase_readers", tests, NULL, NULL);
}
