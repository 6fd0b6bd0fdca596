#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/liquibase/model/properties.h"

typedef struct Fixture {
        Arena arena;
        Properties all;
} Fixture;

static const Property changelog[] = {
        { .name = "p1", .value = "first" },
        { .name = "P1", .value = "second" },
        { .name = "pg", .value = "other", .dbms = "oracle" },
        { .name = "pg", .value = "pgval", .dbms = "postgresql" },
        { .name = "dbonly", .value = "oraonly", .dbms = "oracle" },
        { .name = "ctx", .value = "never", .contexts = "prod" },
        { .name = "ctx", .value = "ctxval", .contexts = "test" },
        { .name = "ctx", .value = "default" },
        { .name = "lab", .value = "never", .labels = "beta" },
        { .name = "lab", .value = "labval", .labels = "alpha" },
        { .name = "nested", .value = "n-${p1}" },
        { .name = "which", .value = "p1" },
        { .name = "loc", .value = "local", .scope = "a.xml" },
        { .name = "loc", .value = "newer", .scope = "a.xml" },
        { .name = "loc", .value = "of b", .scope = "b.xml" },
        { .name = "p1", .value = "local never hides global", .scope = "a.xml" },
        { .name = "preset", .value = "changelog" },
        { .name = "database.typeName", .value = "changelog" },
        { .name = "empty", .value = "" },
        { .name = "self", .value = "x${SELF}" },
        { .name = "one", .value = "${two}" },
        { .name = "two", .value = "${one}" },
};

static void set_up(Fixture *f)
{
        Error err = { 0 };

        *f = (Fixture){ .arena = ARENA_INIT((size_t) 256 << 20) };
        f->all.arena = &f->arena;
        f->all.label_filter = "alpha";
        assert_int_equal(name_list_parse(&f->all.contexts, &f->arena, "test", &err), 0);
        assert_int_equal(property_preset(&f->all, "Preset", "option", &err), 0);
        assert_int_equal(property_preset(&f->all, "preset", "later", &err), 0);
        for (size_t i = 0; i < sizeof changelog / sizeof *changelog; i++)
                assert_int_equal(property_add(&f->all, changelog[i], &err), 0);
}

static void test_expand(void **state)
{
        (void) state;
        static const struct {
                const char *text, *want; /* NULL: an error */
        } cases[] = {
                { "plain", "plain" },
                { "'${p1}'", "'first'" },
                { "${P1}", "first" },
                { "${ p1 }", "first" },
                { "${pg} ${ctx} ${lab}", "pgval ctxval labval" },
                { "${dbonly}", "${dbonly}" },
                { "${ undefined }", "${ undefined }" },
                { "${nested}", "n-first" },
                { "${${which}}", "first" },
                { "${${undefined}}", "${undefined}" },
                { "${x${p1}}", "${xfirst}" },
                { "$ {p1} $${p1} ${unclosed", "$ {p1} $first ${unclosed" },
                { "${unclosed ${p1}", "${unclosed first" },
                { "a}b$", "a}b$" },
                { "${}", "${}" },
                { "[${empty}]", "[]" },
                { "${loc}", "newer" },
                { "${preset}", "option" },
                { "${database.typename}", "postgresql" },
                { "${database.supportsSequences}", "true" },
                { "${self}", NULL },
                { "${one}", NULL },
        };
        Fixture f;

        set_up(&f);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *got = NULL;
                Error err = { 0 };
                int r = property_expand(&got, &f.all, cases[i].text, "a.xml", &err);

                assert_int_equal(r, cases[i].want ? 0 : -ERROR_CHANGELOG);
                if (cases[i].want)
                        assert_string_equal(got, cases[i].want);
        }
        assert_string_equal(property_find(&f.all, "loc", "b.xml"), "of b");
        assert_null(property_find(&f.all, "loc", "c.xml"));
        assert_null(property_find(&f.all, "loc", NULL));
        assert_false(f.all.wants_database);
        arena_done(&f.arena);
}

static void test_database(void **state)
{
        (void) state;
        static const struct {
                const char *name, *unknown, *known;
        } cases[] = {
                { "database.defaultSchemaName", "public", "app" },
                { "database.defaultSchemaNamePrefix", ".public", ".app" },
                { "database.liquibaseSchemaName", "public", "app" },
                { "database.databaseMajorVersion", "", "15" },
                { "DATABASE.DATABASEMINORVERSION", "", "4" },
                { "database.databaseProductVersion", "", "15.4" },
                { "database.databaseChangeLogLockTableName", "databasechangeloglock",
                  "databasechangeloglock" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Fixture f;

                set_up(&f);
                assert_string_equal(property_find(&f.all, cases[i].name, NULL), cases[i].unknown);
                assert_int_equal(f.all.wants_database, !strstr(cases[i].name, "Lock"));
                f.all.knows_database = true;
                f.all.server_version = 150004;
                f.all.default_schema = "app";
                assert_string_equal(property_find(&f.all, cases[i].name, NULL), cases[i].known);
                arena_done(&f.arena);
        }
}

static void test_hostile(void **state)
{
        (void) state;
        static char deep[100000];
        const char *got;
        Fixture f;
        Error err = { 0 };

        set_up(&f);
        for (size_t i = 0; i + 2 < sizeof deep; i += 2)
                memcpy(deep + i, "${", 2);
        assert_int_equal(property_expand(&got, &f.all, deep, NULL, &err), -ERROR_CHANGELOG);
        for (int i = 0; i < 30; i++) { /* 2^30 values, none of which has a single byte */
                char name[10], value[40];

                (void) snprintf(name, sizeof name, "h%d", i);
                (void) snprintf(value, sizeof value, "${h%d}${h%d}", i + 1, i + 1);
                assert_int_equal(
                        property_add(&f.all, (Property){ .name = name, .value = value }, &err), 0);
        }
        assert_int_equal(property_add(&f.all, (Property){ .name = "h30", .value = "" }, &err), 0);
        assert_int_equal(property_expand(&got, &f.all, "${h0}", NULL, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "too long"));
        arena_done(&f.arena);
}

static void test_file(void **state)
{
        (void) state;
        static const char text[] = "# comment\n! another\n\n"
                                   "a=1\n  b : two words \r\nc three\\\n   and four\n"
                                   "d\\ e=\\u00e4\\t\\:\\ud83d\\ude00\n"
                                   "g=first\ng=last\nh\ni=\\\\\nlatin=\xe4";
        static const struct {
                const char *name, *value;
        } cases[] = {
                { "a", "1" },
                { "b", "two words " },
                { "c", "threeand four" },
                { "g", "last" },
                { "d e", "\xc3\xa4\t:\xf0\x9f\x98\x80" },
                { "h", "" },
                { "i", "\\" },
                { "latin", "\xc3\xa4" },
        };
        static const char *const bad[] = { "a=1\nb=\\u12", "x=\\ud800", "x=\\u0000" };

        for (int local = 0; local < 2; local++) {
                const char *scope = local ? "a.xml" : NULL;
                Fixture f = { .arena = ARENA_INIT(1 << 20) };
                Error err = { 0 };

                f.all.arena = &f.arena;
                assert_int_equal(property_add_file(&f.all, text, sizeof text - 1,
                                                   (Property){ .scope = scope }, "p", &err),
                                 0);
                for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                        assert_string_equal(property_find(&f.all, cases[i].name, scope),
                                            cases[i].value);
                for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                        assert_int_equal(property_add_file(&f.all, bad[i], strlen(bad[i]),
                                                           (Property){ 0 }, "p", &err),
                                         -ERROR_CHANGELOG);
                arena_done(&f.arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_expand),
                cmocka_unit_test(test_database),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
