/* The readers of XML, YAML and JSON: trees as text, and what is wrong with files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/syntax/node.h"

typedef int (*Read)(Node **ret, Arena *a, const char *data, size_t size, const char *path,
                    Error *err);

static void show_node(Text *t, const Node *n)
{
        static const char marks[] = { [NODE_NONE] = '-',
                                      [NODE_TEXT] = '\'',
                                      [NODE_OTHER] = '=',
                                      [NODE_DATE] = '@',
                                      [NODE_LIST] = '*' };

        text_printf(t, "%s%s%c", n->attribute ? "." : "", n->name, marks[n->type]);
        if (n->value)
                text_printf(t, "%s", n->value);
        if (n->iso)
                text_printf(t, "|%s", n->iso);
        for (size_t i = 0; i < n->n_values; i++)
                text_printf(t, "%s%s", i ? "," : "", n->values[i]);
        if (n->children)
                text_printf(t, "(");
        for (const Node *c = n->children; c; c = c->next) {
                show_node(t, c);
                text_printf(t, "%s", c->next ? " " : ")");
        }
}

/* Children of the root as text, or the error's text and place; an empty line between them never. The caller frees. */
static char *read_with(Read read, const char *data, size_t size, const char *path)
{
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 64 << 20);
        _cleanup_text_ Text t = TEXT_INIT((size_t) 1 << 20);
        Error err = { .code = ERROR_NONE };
        char *copy = calloc(1, size + 1);
        Node *root = NULL;

        memcpy(copy, data, size);
        if (read(&root, &a, copy, size, path, &err) < 0)
                text_printf(&t, "%s:%lu:%lu: %s", err.path, err.line, err.column, err.text);
        else {
                assert_string_equal(root->name, "databaseChangeLog");
                for (const Node *c = root->children; c; c = c->next) {
                        show_node(&t, c);
                        text_printf(&t, "%s", c->next ? " " : "");
                }
        }
        free(copy);
        return strdup(text_str(&t));
}

static void expect(Read read, const char *data, size_t size, const char *path, const char *want)
{
        char *got = read_with(read, data, size, path);

        if (*want == '~' ? !strstr(got, want + 1) : strcmp(got, want) != 0)
                fail_msg("%.*s\n gives %s\n   not %s", (int) size, data, got, want);
        free(got);
}

#define X(inner) "<databaseChangeLog>" inner "</databaseChangeLog>"
#define D(dtd, inner) "<!DOCTYPE databaseChangeLog " dtd ">" X(inner)

/* want: the tree, or ~ and a part of the error. */
typedef struct Case {
        const char *text, *want;
} Case;

static void test_xml(void **state)
{
        (void) state;
        static const Case cases[] = {
                { X(""), "" },
                { "<databaseChangeLog a='1' logicalFilePath=' x '/>", ".a'1 .logicalFilePath' x " },
                { X("<a b='1' c=''><d/>text</a>"), "a'text(.b'1 .c' d-)" },
                { X("<a>\n one <!-- no -->two<![CDATA[ <3> ]]>\n </a>"), "a'one two <3>" },
                { X("<a> \n\t </a>"), "a-" },
                { X("<a b='1\n2\t3'/>"), "a-(.b'1 2 3)" },
                { X("<a>1\r\n2</a>"), "a'1\n2" },
                { X("<a>&lt;&amp;&#228;&#x1F600;</a>"), "a'<&\xc3\xa4\xf0\x9f\x98\x80" },
                { "<l:databaseChangeLog xmlns:l='http://www.liquibase.org/xml/ns/dbchangelog' "
                  "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
                  "xsi:schemaLocation='a b'><l:x/></l:databaseChangeLog>",
                  ".schemaLocation'a b x-" },
                { "<?xml version='1.0' encoding='ISO-8859-1'?>" X("<a>\xe4</a>"), "a'\xc3\xa4" },
                { "<?xml version='1.0' encoding='windows-1252'?>" X("<a>\x80</a>"),
                  "a'\xe2\x82\xac" },
                { "\xef\xbb\xbf" X("<a>\xc3\xa4</a>"), "a'\xc3\xa4" },
                { D("[<!ENTITY e 'text'>]", "<a b='&e;'>&e;</a>"), "a'text(.b'text)" },
                { D("[<!ENTITY % p '<!ENTITY e \"text\">'> %p;]", "<a>&e;</a>"), "a'text" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                expect(read_xml, cases[i].text, strlen(cases[i].text), "c.xml", cases[i].want);
}

static void test_xml_errors(void **state)
{
        (void) state;
        static const Case cases[] = {
                { "", "~no element found" },
                { "text", "~c.xml:1:1: syntax error" },
                { X("\n<a>\n  </b>"), "c.xml:3:5: mismatched tag" },
                { "<databaseChangeLog>\n<a>", "~c.xml:2:4: no element found" },
                { X("<a b='1' b='2'/>"), "~duplicate attribute" },
                { X("<a>\xe4</a>"), "~not well-formed" },
                { "<project/>", "~begins with <project>, not with <databaseChangeLog>" },
                { "<?xml version='1.0' encoding='no-such-thing'?>" X(""), "~unknown encoding" },
                { X("&e;"), "~undefined entity" },
                { D("[<!ENTITY e SYSTEM 'file:///etc/passwd'>]", "<a>&e;</a>"),
                  "~an external entity" },
                { D("[<!ENTITY e SYSTEM 'other.txt'>]", "<a>&e;</a>"), "~an external entity" },
                { D("[<!ENTITY % p SYSTEM 'http://127.0.0.1:1/x'> %p;]", "<a/>"),
                  "~an external entity" },
                { D("SYSTEM 'x.dtd'", "<a>&e;</a>"), "~an external entity" },
                { D("PUBLIC 'p' 'x.dtd'", "<a b='&e;'/>"), "~an external entity" },
                { D("[<!ENTITY a 'x&b;'><!ENTITY b '&a;'>]", "<a>&a;</a>"), "~recursive entity" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                expect(read_xml, cases[i].text, strlen(cases[i].text), "c.xml", cases[i].want);
}

/* A thousand references to a kilobyte in an entity of an entity: texts and values of attributes count. */
static void test_xml_expansion(void **state)
{
        (void) state;
        for (int u = 0; u < 2; u++) {
                _cleanup_text_ Text t = TEXT_INIT((size_t) 1 << 20),
                                    refs = TEXT_INIT((size_t) 1 << 20);

                for (int i = 0; i < 100; i++)
                        text_printf(&refs, "&b;");
                text_printf(&t, "<!DOCTYPE databaseChangeLog [<!ENTITY a '%01000d'><!ENTITY b '",
                            0);
                for (int i = 0; i < 20; i++)
                        text_printf(&t, "&a;");
                text_printf(&t, "'>]><databaseChangeLog>");
                text_printf(&t, u ? "<a b='%s'/>" : "<a>%s</a>", text_str(&refs));
                text_printf(&t, "</databaseChangeLog>");
                expect(read_xml, text_str(&t), t.len, "c.xml", "~entities expand to too much text");
        }
}

static void test_depth(void **state)
{
        (void) state;
        static const struct {
                Read read;
                const char *head, *open, *end;
                int levels;
                const char *want;
        } cases[] = {
                { read_xml, "<databaseChangeLog>", "<a>", "</a>", NODE_MAX_DEPTH - 1, "~a-(a-" },
                { read_xml, "<databaseChangeLog>", "<a>", "</a>", NODE_MAX_DEPTH,
                  "~nested too deeply" },
                /* The end of an empty element is still reported after the failure. */
                { read_xml, "<databaseChangeLog>", "<a>", "<b/></a>", NODE_MAX_DEPTH - 1,
                  "~nested too deeply" },
                { read_yaml, "databaseChangeLog: [", "{a: ", "}", NODE_MAX_DEPTH - 2, "~a-(a-" },
                { read_yaml, "databaseChangeLog: [", "{a: ", "}", NODE_MAX_DEPTH - 1,
                  "~nested too deeply" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_text_ Text t = TEXT_INIT((size_t) 1 << 20);

                text_printf(&t, "%s", cases[i].head);
                for (int n = 0; n < cases[i].levels; n++)
                        text_printf(&t, "%s", cases[i].open);
                for (int n = 0; n < cases[i].levels; n++)
                        text_printf(&t, "%s", cases[i].end);
                text_printf(&t, "%s", cases[i].read == read_xml ? "</databaseChangeLog>" : "]");
                expect(cases[i].read, text_str(&t), t.len, "c", cases[i].want);
        }
}

/* What stands for the value of `v` in a changelog, and what it is to Java. */
static void test_scalars(void **state)
{
        (void) state;
        static const Case cases[] = {
                { "text", "'text" },
                { "'1'", "'1" },
                { "\"yes\"", "'yes" },
                { "", "-" },
                { "~", "-" },
                { "NULL", "-" },
                { "nUll", "'nUll" },
                { "''", "'" },
                { "yes", "=true" },
                { "Off", "=false" },
                { "True", "=true" },
                { "y", "'y" },
                { "tRUE", "'tRUE" },
                { "0", "=0" },
                { "-0", "=0" },
                { "42", "=42" },
                { "+42", "=42" },
                { "-1_000", "=-1000" },
                { "017", "=15" },
                { "019", "'019" },
                { "0x1F", "=31" },
                { "-0b101", "=-5" },
                { "0xffffffffffffffffffff", "=1208925819614629174706175" },
                { "123456789012345678901234567890", "=123456789012345678901234567890" },
                { "1:30", "=90" },
                { "1:30:01", "=5401" },
                { "1:60", "'1:60" },
                { "0:30", "'0:30" },
                { "1.0", "=1.0" },
                { "1.", "=1.0" },
                { ".5", "=0.5" },
                { "-.5", "=-0.5" },
                { "-._5e1", "=-5.0" },
                { "._", "'._" },
                { "1:30.5", "=90.5" },
                { "-1:30:30.25", "=-5430.25" },
                { "1:60.5", "'1:60.5" },
                { "4.9e-324", "=4.9E-324" },
                { "1e3", "=1000.0" },
                { "1E+10", "=1.0E10" },
                { "1e", "'1e" },
                { "1e1_0", "'1e1_0" },
                { "1_0.5", "=10.5" },
                { "12345678.5", "=1.23456785E7" },
                { "-.inf", "=-Infinity" },
                { ".NaN", "=NaN" },
                { "1.2.3", "'1.2.3" },
                { ".", "'." },
                { "2020-01-02", "@Thu Jan 02 00:00:00 UTC 2020|2020-01-02T00:00:00" },
                { "2020-02-30", "@Sun Mar 01 00:00:00 UTC 2020|2020-03-01T00:00:00" },
                { "2020-1-2", "'2020-1-2" },
                { "2020-01-+1", "'2020-01-+1" },
                { "2020-1-2 3:04:05", "'2020-01-02 03:04:05" },
                { "2020-01-02T03:04:05.678Z", "'2020-01-02 03:04:05" },
                { "2020-01-02T03:04:05+02:00", "'Thu Jan 02 01:04:05 UTC 2020" },
                { "2020-01-01 00:30:00 +1", "'Tue Dec 31 23:30:00 UTC 2019" },
                { "2020-01-02T03:04:05 CET", "'2020-01-02T03:04:05 CET" },
                { "2020-01-02T3:4:5", "'2020-01-02T3:4:5" },
                { "!!str 1", "'1" },
                { "! 1", "'1" },
                { "!!int '1'", "=1" },
                { "!!float 1.5", "=1.5" },
                { "!!null ''", "-" },
                { "!!int x", "~not of the type that its tag says" },
                { "!!float 1", "~not of the type that its tag says" },
                { "!!binary aGk=", "~tags of other types" },
                { "!local x", "~tags of other types" },
                { "!!java.util.Date 1", "~tags of other types" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char text[200], want[200];

                (void) snprintf(text, sizeof text, "databaseChangeLog:\n- v: %s\n", cases[i].text);
                (void) snprintf(want, sizeof want, "%s%s", *cases[i].want == '~' ? "" : "v",
                                cases[i].want);
                expect(read_yaml, text, strlen(text), "c.yaml", want);
        }
}

#define Y(inner) "databaseChangeLog:\n" inner

static void test_yaml(void **state)
{
        (void) state;
        static const Case cases[] = {
                { "databaseChangeLog: []\n", "" },
                { Y(""), "" },
                { "other: 1\n" Y("- a: 1\n- b: x\n  c: y\n"), "a=1 b'x c'y" },
                { Y("- a:\n  - b: {c: 1}\n  - b: {c: 2}\n"), "a-(b-(c=1) b-(c=2))" },
                { Y("- a: [x]\n"), "a'x" },
                { Y("- a: [x, '1', 2, null, 4]\n"), "a*x,1,2,,4" },
                { Y("- a: [2020-01-02, x]\n"), "a*Thu Jan 02 00:00:00 UTC 2020,x" },
                { Y("- a: [x, {b: 1}, y]\n"), "a*x,y(b=1)" },
                { Y("- a: []\n- b: {}\n"), "a- b-" },
                { Y("- {a: 1, b: 2, a: 3}\n"), "a=3 b=2" },
                { Y("- {a: 1, b: 2, b: 3, c: 4, c: 5}\n"), "a=1 b=3 c=5" },
                { Y("- a: &x {p: 1}\n- b: *x\n"), "a-(p=1) b-(p=1)" },
                { "x: &x {p: 1, q: 2}\n" Y("- a: {<<: *x, q: 3, r: 4}\n"), "a-(p=1 q=3 r=4)" },
                { "x: &x {p: 1}\ny: &y {p: 2, q: 2}\n" Y("- a: {q: 0, <<: [*x, *y]}\n"),
                  "a-(q=0 p=1)" },
                { Y("- {a: &x 1, a: 2, b: *x}\n"), "a=2 b=1" },
                { Y("- a: |\n    one\n    two\n- b: >-\n    one\n    two\n"),
                  "a'one\ntwo\n b'one two" },
                { "\xef\xbb\xbf" Y("- a: \xc3\xa4\n"), "a'\xc3\xa4" },
                { "---\n" Y("- a: 1\n") "...\n", "a=1" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                expect(read_yaml, cases[i].text, strlen(cases[i].text), "c.yaml", cases[i].want);
}

static void test_yaml_errors(void **state)
{
        (void) state;
        static const Case cases[] = {
                { "", "~no map with the key databaseChangeLog" },
                { "- a\n", "~no map with the key databaseChangeLog" },
                { "a: 1\n", "~no key databaseChangeLog" },
                { "a: 1\n" Y("  b: 1\n"), "c.yaml:2:1: databaseChangeLog is no list" },
                { Y("- a: 1\n") "---\n" Y("- a: 1\n"), "c.yaml:3:1: more than one document" },
                { Y("- a: [1\n- b: 2\n"), "~c.yaml:3:" },
                { Y("- a: 'x\n"), "~unexpected end of stream" },
                { Y("- a: *x\n"), "c.yaml:2:6: an alias without an anchor before it" },
                { Y("- a: &x {b: *x}\n"), "~an alias within what it stands for" },
                { Y("- a: {<<: 1}\n"), "~what is merged is no map" },
                { Y("- a: [[1], 2]\n"), "c.yaml:2:7: a list within a list" },
                { Y("- [1, 2]: 3\n"), "~a key is no text" },
                { Y("- a: !!set {x: 1}\n"), "~tags of other types" },
                { Y("- a: \"x\\0y\"\n"), "~a text holds a NUL character" },
                { Y("- a: 1\n- b: \xe4\n"), "c.yaml:3:6: the file is not valid UTF-8" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                expect(read_yaml, cases[i].text, strlen(cases[i].text), "c.yaml", cases[i].want);
}

static void test_json(void **state)
{
        (void) state;
        static const Case cases[] = {
                { "{\"databaseChangeLog\":[{\"a\":{\"b\":\"x\",\n\t\"c\":true,\"d\":null}}]}",
                  "a-(b'x c=true d-)" },
                { "{databaseChangeLog: [{a: 1}] # comment\n}", "a=1" },
                { "{\"databaseChangeLog\":[{\"a\":\"\\ud83d\\uDE00\\u00e4\\/\"}]}",
                  "a'\xf0\x9f\x98\x80\xc3\xa4/" },
                { "{\"databaseChangeLog\":[{\"a\":\"\\\\ud83d\\\\ude00\"}]}", "a'\\ud83d\\ude00" },
                { "{\"databaseChangeLog\":[{\"a\":\"\\ud83d\"}]}", "~Unicode" },
                { "{\"databaseChangeLog\":[{\"a\":1}",
                  "c.json:2:1: did not find expected ',' or ']'" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                expect(read_yaml, cases[i].text, strlen(cases[i].text), "c.json", cases[i].want);
}

/* Aliases of aliases: few bytes, many nodes. */
static void test_yaml_bomb(void **state)
{
        (void) state;
        _cleanup_text_ Text t = TEXT_INIT((size_t) 1 << 20);

        text_printf(&t, "a0: &a0 {x: 1}\n");
        for (int i = 1; i < 10; i++) {
                text_printf(&t, "a%d: &a%d [", i, i);
                for (int n = 0; n < 10; n++)
                        text_printf(&t, "{k%d: *a%d}%s", n, i - 1, n < 9 ? ", " : "]\n");
        }
        text_printf(&t, "databaseChangeLog: *a9\n");
        expect(read_yaml, text_str(&t), t.len, "c.yaml", "~too many elements");
}

static const Node *find(const Node *n, const char *path)
{
        char name[20];
        size_t len;

        for (; n && *path; path += len + (path[len] == '/')) {
                len = strcspn(path, "/");
                (void) snprintf(name, sizeof name, "%.*s", (int) len, path);
                n = node_child(n, name);
        }
        return n;
}

/* More keys than the table of them begins with: each is found again. */
static void test_yaml_keys(void **state)
{
        (void) state;
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 64 << 20);
        _cleanup_text_ Text t = TEXT_INIT((size_t) 1 << 20);
        Error err = { .code = ERROR_NONE };
        const Node *map;
        Node *root;
        size_t count = 0;

        text_printf(&t, "databaseChangeLog:\n- a:\n");
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 3000; i++)
                        text_printf(&t, "    k%d: %d\n", i, i + round);
        assert_true(read_yaml(&root, &a, text_str(&t), t.len, "c.yaml", &err) >= 0);
        map = find(root, "a");
        for (const Node *c = map->children; c; c = c->next, count++) {
                char name[20], value[20];

                (void) snprintf(name, sizeof name, "k%zu", count);
                (void) snprintf(value, sizeof value, "%zu", count + 1);
                assert_string_equal(c->name, name);
                assert_string_equal(c->value, value);
        }
        assert_int_equal(count, 3000);
}

static void test_places(void **state)
{
        (void) state;
        static const struct {
                Read read;
                const char *text, *path;
                unsigned long line, column, value_line;
        } cases[] = {
                { read_xml, X("\n <a>\n\n  one\n  two</a>"), "a", 2, 2, 4 },
                { read_xml, X("<a>\n<b/>\n<![CDATA[\n\nx]]></a>"), "a", 1, 20, 5 },
                { read_yaml, Y("- a: 1\n  b:\n    c: x\n"), "a", 2, 3, 2 },
                { read_yaml, Y("- a: 1\n  b:\n    c: x\n"), "b/c", 4, 5, 4 },
                { read_yaml, Y("- a: |\n    x\n    y\n"), "a", 2, 3, 3 },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 64 << 20);
                Error err = { .code = ERROR_NONE };
                const Node *n;
                Node *root;

                assert_true(cases[i].read(&root, &a, cases[i].text, strlen(cases[i].text), "c",
                                          &err) >= 0);
                n = find(root, cases[i].path);
                assert_non_null(n);
                assert_int_equal(n->line, cases[i].line);
                assert_int_equal(n->column, cases[i].column);
                assert_int_equal(n->value_line, cases[i].value_line);
        }
}

static void test_decode(void **state)
{
        (void) state;
        static const struct {
                const char *data;
                size_t size;
                const char *encoding, *want; /* ~: a part of the error */
        } cases[] = {
                { "a\xc3\xa4", 3, NULL, "a\xc3\xa4" },
                { "", 0, NULL, "" },
                { "\xef\xbb\xbf"
                  "a",
                  4, NULL, "a" },
                { "\xef\xbb\xbf"
                  "a",
                  4, "UTF8", "a" },
                { "\xff\xfe"
                  "a\0\xe4\0",
                  6, NULL, "a\xc3\xa4" },
                { "\xff\xfe"
                  "a\0",
                  4, "UTF-16", "a" },
                { "\xfe\xff\0a", 4, "utf-16", "a" },
                { "\0a\0b", 4, "UTF-16", "ab" },
                { "\xff\xfe\0\0a\0\0\0", 8, NULL, "a" },
                { "\xe4", 1, "ISO-8859-1", "\xc3\xa4" },
                { "\xef\xbb\xbf"
                  "a",
                  4, "ISO-8859-1", "a" },
                { "\xff\xfe"
                  "a\0",
                  4, "UTF-8", "~declared as UTF-8" },
                { "\xff\xfe"
                  "a\0",
                  4, "UTF-16BE", "~declared as UTF-16BE" },
                { "\xff\xfe\x00\xd8", 4, NULL, "~not valid UTF-16LE" },
                { "a\n\xe4", 3, NULL, "~f:2:1: the file is not valid UTF-8" },
                { "a\n\0\xe4", 4, NULL, "~f:2:1: the file holds a NUL byte" },
                { "a", 1, "no-such-thing", "~no encoding is called no-such-thing" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_arena_ Arena a = ARENA_INIT((size_t) 1 << 20);
                Error err = { .code = ERROR_NONE };
                const char *text, *want = cases[i].want;
                char data[16] = "", told[1500];
                size_t size;

                memcpy(data, cases[i].data, cases[i].size);
                if (decode_text(&text, &size, &a, data, cases[i].size, cases[i].encoding, "f",
                                &err) >= 0) {
                        assert_string_equal(text, want);
                        assert_int_equal(size, strlen(want));
                        continue;
                }
                (void) snprintf(told, sizeof told, "%s:%lu:%lu: %s", err.path, err.line, err.column,
                                err.text);
                if (*want != '~' || !strstr(told, want + 1))
                        fail_msg("%s instead of %s", told, want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_xml),         cmocka_unit_test(test_xml_errors),
                cmocka_unit_test(test_depth),       cmocka_unit_test(test_xml_expansion),
                cmocka_unit_test(test_scalars),     cmocka_unit_test(test_yaml),
                cmocka_unit_test(test_yaml_errors), cmocka_unit_test(test_json),
                cmocka_unit_test(test_yaml_bomb),   cmocka_unit_test(test_yaml_keys),
                cmocka_unit_test(test_places),      cmocka_unit_test(test_decode),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
