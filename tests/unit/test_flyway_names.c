#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flyway_vectors.h"
#include "format/flyway/flyway.h"
#include "util/utf8.h"

/* Vectors of Flyway's parser that its scan of folders, or our care, judges otherwise. */
static const struct {
        const char *file;
        FlywayNameClass class;
} ours[] = {
        { "R.sql", FLYWAY_NAME_INVALID },           { "U1__undo.sql", FLYWAY_NAME_MIGRATION },
        { "Vcurrent__x.sql", FLYWAY_NAME_REFUSED }, { "Vlatest__x.sql", FLYWAY_NAME_REFUSED },
        { "V1__x.txt", FLYWAY_NAME_LOOKALIKE },     { "V1__x.sql.conf", FLYWAY_NAME_CONF },
};

static bool is_ours(const char *file, const FlywayName *n)
{
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
                if (strcmp(ours[i].file, file) == 0) {
                        assert_int_equal(n->class, ours[i].class);
                        return true;
                }
        return false;
}

static void test_observed_names(void **state)
{
        json_t *vectors = load_vectors(), *v;
        size_t i;

        (void) state;
        assert_non_null(vectors);
        assert_true(json_array_size(json_object_get(vectors, "resource_names")) >= 40);
        json_array_foreach(json_object_get(vectors, "resource_names"), i, v)
        {
                const char *file = vector_text(v, "file"), *prefix = vector_text(v, "prefix");
                FlywayName n;

                flyway_name_parse(&n, file);
                if (is_ours(file, &n))
                        continue;
                if (!json_is_true(json_object_get(v, "valid"))) {
                        assert_int_equal(n.class, FLYWAY_NAME_INVALID);
                        assert_non_null(n.reason);
                        continue;
                }
                assert_int_equal(n.class,
                                 strlen(prefix) > 1 ? FLYWAY_NAME_HOOK : FLYWAY_NAME_MIGRATION);
                assert_string_equal(n.version, vector_text(v, "version"));
                assert_string_equal(n.description, vector_text(v, "description"));
                if (n.event)
                        assert_string_equal(n.event->name, prefix);
        }
        json_decref(vectors);
}

static void test_other_names(void **state)
{
        static const struct {
                const char *file;
                FlywayNameClass class;
                MigrationKind kind;
        } cases[] = {
                { "U1.2__undo.sql", FLYWAY_NAME_MIGRATION, MIGRATION_UNDO },
                { "B1__base.sql", FLYWAY_NAME_MIGRATION, MIGRATION_BASELINE },
                { "V1__x.py", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "V1__x.SH", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "R__x.ps1", FLYWAY_NAME_REFUSED, MIGRATION_REPEATABLE },
                { "V1.2__x", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "V1__X.java", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "V1__X.class", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "afterMigrate.sh", FLYWAY_NAME_REFUSED, MIGRATION_VERSIONED },
                { "Vagrantfile", FLYWAY_NAME_NONE, 0 },
                { "README", FLYWAY_NAME_NONE, 0 },
                { "README.md", FLYWAY_NAME_NONE, 0 },
                { "deploy.sh", FLYWAY_NAME_NONE, 0 },
                { "V1__x.sql~", FLYWAY_NAME_LOOKALIKE, MIGRATION_VERSIONED },
                { "V.sql", FLYWAY_NAME_INVALID, 0 },
                { ".sql", FLYWAY_NAME_INVALID, 0 },
                { "", FLYWAY_NAME_NONE, 0 },
                { "flyway.conf", FLYWAY_NAME_CONF, 0 },
                { "Vnext__x.sql", FLYWAY_NAME_REFUSED, 0 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                FlywayName n;

                flyway_name_parse(&n, cases[i].file);
                if (n.class != cases[i].class)
                        fail_msg("%s: class %d", cases[i].file, n.class);
                if (n.class == FLYWAY_NAME_MIGRATION)
                        assert_int_equal(n.kind, cases[i].kind);
        }
}

static void test_observed_comparisons(void **state)
{
        json_t *vectors = load_vectors(), *v;
        size_t i;

        (void) state;
        assert_non_null(vectors);
        assert_true(json_array_size(json_object_get(vectors, "version_compare")) >= 14);
        json_array_foreach(json_object_get(vectors, "version_compare"), i, v)
        {
                const char *a = vector_text(v, "a"), *b = vector_text(v, "b");
                json_t *cmp = json_object_get(v, "cmp");

                if (!json_is_integer(cmp)) {
                        assert_false(flyway_version_valid(a) && flyway_version_valid(b));
                        continue;
                }
                int want = (int) json_integer_value(cmp), got = flyway_version_compare(a, b);
                int back = flyway_version_compare(b, a);
                assert_true(flyway_version_valid(a) && flyway_version_valid(b));
                assert_int_equal((got > 0) - (got < 0), want);
                assert_int_equal((back > 0) - (back < 0), -want);
        }
        json_decref(vectors);
}

static void test_invalid_versions(void **state)
{
        static const char *const cases[] = { "",  ".",  "1.",  ".1", "1..2", "1._2",
                                             "a", "1a", "1-2", "1 ", "+",    "1.+2" };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                if (flyway_version_valid(cases[i]))
                        fail_msg("\"%s\" counts as a version", cases[i]);
        assert_int_equal(flyway_version_compare("-0", "0"), 0);
        assert_true(flyway_version_compare("-2", "-1") < 0);
}

static void test_utf16_order(void **state)
{
        /* U+FF5E lies behind the surrogates of U+1F600, and in UTF-8 before them. */
        static const char *const ordered[] = { "",
                                               "A",
                                               "Z",
                                               "a",
                                               "a b",
                                               "aa",
                                               "\xc3\xa9",
                                               "\xed\x9f\xbf",
                                               "\xf0\x9f\x98\x80",
                                               "\xee\x80\x80",
                                               "\xef\xbd\x9e" };
        const size_t n = sizeof ordered / sizeof *ordered;

        (void) state;
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++)
                        assert_int_equal(utf8_compare_utf16(ordered[i], ordered[j]),
                                         (i > j) - (i < j));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_observed_names),
                cmocka_unit_test(test_other_names),
                cmocka_unit_test(test_observed_comparisons),
                cmocka_unit_test(test_invalid_versions),
                cmocka_unit_test(test_utf16_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
