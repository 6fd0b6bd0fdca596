#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan.h"

#define MAX 8

typedef struct Case {
        const char *entries; /* one letter each: see entry_for() */
        const char *target;  /* of an undo */
        const char *steps;   /* versions in order, blank-separated; NULL: refused */
        const char *to_version;
} Case;

typedef struct Fixture {
        Changelog changelog;
        Assessment assessment;
        Entry entries[MAX];
        Migration migrations[MAX], undos[MAX];
        HistoryRow rows[MAX];
        char ids[MAX][8];
} Fixture;

/* p pending, o outdated, a applied, O applied out of order, i ignored, m missing, x above target, R pending repeatable,
 * A applied and without an undo script */
static Entry entry_for(Fixture *f, size_t i, char letter)
{
        Migration *m = &f->migrations[i], *u = &f->undos[i];
        HistoryRow *row = &f->rows[i];
        bool applied = strchr("aAOmo", letter) != NULL;
        Entry e = { .migration = m };

        (void) snprintf(f->ids[i], sizeof f->ids[i], "%zu", i + 1);
        *m = (Migration){ .id = f->ids[i], .version = strchr("Ro", letter) ? NULL : f->ids[i] };
        *u = (Migration){ .id = f->ids[i], .version = f->ids[i], .kind = MIGRATION_UNDO };
        m->kind = m->version ? MIGRATION_VERSIONED : MIGRATION_REPEATABLE;
        *row = (HistoryRow){ .rank = (int64_t) i + 1,
                             .version = m->version,
                             .description = f->ids[i],
                             .success = true };
        if (applied) {
                e.row = row;
                e.undo = letter == 'A' ? NULL : u;
        }
        if (letter == 'm')
                e.migration = NULL;
        e.state = letter == 'p' || letter == 'R'   ? ENTRY_PENDING
                  : letter == 'o'                  ? ENTRY_OUTDATED
                  : letter == 'a' || letter == 'A' ? ENTRY_APPLIED
                  : letter == 'O'                  ? ENTRY_OUT_OF_ORDER
                  : letter == 'i'                  ? ENTRY_IGNORED
                  : letter == 'm'                  ? ENTRY_MISSING
                                                   : ENTRY_ABOVE_TARGET;
        return e;
}

static void setup(Fixture *f, const char *letters)
{
        *f = (Fixture){ .changelog = { .n_migrations = 0 } };
        assert_return_code(format_find(&f->changelog.format, "flyway", "", &(Error){ .line = 0 }),
                           0);
        f->assessment.entries = f->entries;
        for (; letters[f->assessment.n_entries]; f->assessment.n_entries++) {
                size_t i = f->assessment.n_entries;

                f->entries[i] = entry_for(f, i, letters[i]);
                if (f->entries[i].row && f->rows[i].version)
                        f->assessment.current_version = f->ids[i];
        }
}

static void describe(const Plan *p, char *buf, size_t size)
{
        size_t n = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < p->n_steps; i++)
                n += (size_t) snprintf(buf + n, size - n, "%s%s", i ? " " : "",
                                       p->steps[i].migration->id);
}

static void check(const Case *c, const Plan *p)
{
        char steps[128];

        describe(p, steps, sizeof steps);
        if (strcmp(steps, c->steps) != 0 ||
            strcmp(p->to_version ? p->to_version : "", c->to_version) != 0)
                fail_msg("%s: steps \"%s\" to %s instead of \"%s\" to %s", c->entries, steps,
                         p->to_version, c->steps, c->to_version);
}

static void test_migrate(void **state)
{
        static const Case cases[] = {
                { "", NULL, "", "" },          { "aaa", NULL, "", "3" },
                { "ppp", NULL, "1 2 3", "3" }, { "aap", NULL, "3", "3" },
                { "apap", NULL, "2 4", "4" },  { "aipx", NULL, "3", "3" },
                { "aoR", NULL, "2 3", "1" },   { "ampR", NULL, "3 4", "3" },
                { "aiix", NULL, "", "1" },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(plan_freep) Plan *p = NULL;
                Fixture f;
                Error err;

                setup(&f, cases[i].entries);
                assert_return_code(plan_make_migrate(&p, &f.assessment, false, &err), 0);
                check(&cases[i], p);
                for (size_t s = 0; s < p->n_steps; s++) {
                        assert_true(p->steps[s].begins && p->steps[s].commits);
                        assert_null(p->steps[s].undo_row);
                }
        }
}

static void test_group_is_one_transaction(void **state)
{
        _cleanup_(plan_freep) Plan *p = NULL;
        Fixture f;
        Error err;

        (void) state;
        setup(&f, "ppp");
        assert_return_code(plan_make_migrate(&p, &f.assessment, true, &err), 0);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(p->steps[i].begins, i == 0);
                assert_int_equal(p->steps[i].commits, i == 2);
        }
}

static void test_undo(void **state)
{
        static const Case
                cases[] = {
                        { "", NULL, "", "" },       { "aaa", NULL, "3", "2" },
                        { "a", NULL, "1", "" },     { "aaa", "1", "3 2", "1" },
                        { "aaa", "3", "", "3" },    { "aaap", "2", "3", "2" },
                        { "AAa", "2", "3", "2" },   { "AAA", "2", NULL, NULL },
                        { "aAa", "1", NULL, NULL }, { "aOa", "1", "3 2", "1" },
                        { "aao", NULL, "2", "1" }, /* a repeatable is no version to go back from */
                        { "aam", NULL, "2", "1" },
                };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(plan_freep) Plan *p = NULL;
                Fixture f;
                Error err;
                int r;

                setup(&f, cases[i].entries);
                r = plan_make_undo(&p, &f.changelog, NULL, &f.assessment, cases[i].target, &err);
                if (!cases[i].steps) {
                        assert_int_equal(r, -ERROR_REFUSED);
                        assert_non_null(strstr(err.text, "no undo script"));
                        continue;
                }
                assert_return_code(r, 0);
                check(&cases[i], p);
                for (size_t s = 0; s < p->n_steps; s++)
                        assert_non_null(p->steps[s].undo_row);
        }
}

/* What was applied last goes first, also when it was applied out of the order of versions. */
static void test_undo_goes_back_in_the_order_of_ranks(void **state)
{
        _cleanup_(plan_freep) Plan *p = NULL;
        char steps[32];
        Fixture f;
        Error err;

        (void) state;
        setup(&f, "aaa");
        f.rows[1].rank = 9;
        assert_return_code(plan_make_undo(&p, &f.changelog, NULL, &f.assessment, "0", &err), 0);
        describe(p, steps, sizeof steps);
        assert_string_equal(steps, "2 3 1");
        assert_null(p->to_version);
}

/* A format whose scripts are called by what they do. */
static int open_named(ScriptText *ret, const Changelog *c, const Migration *m,
                      const FormatContext *ctx, Error *err)
{
        (void) c;
        (void) ctx;
        if (strcmp(m->script, "broken") == 0)
                return error_set(err, ERROR_CHANGELOG, "%s has no SQL", m->script);
        if (strcmp(m->script, "gone") == 0)
                return error_set(err, ERROR_IO, "%s cannot be read", m->script);
        ret->replaced = strdup(m->script);
        ret->data = ret->replaced;
        ret->size = strlen(m->script);
        return 0;
}

/* What may fail does so in its turn, also where it has no SQL; what is wrong with the machine is no such failure. */
static void test_scripts(void **state)
{
        static const struct {
                const char *script;
                bool may_fail;
                int result;
                uint64_t statements;
                bool transactional;
        } cases[] = {
                { "select 1; select 2", false, 0, 2, true },
                { "vacuum", false, 0, 1, false },
                { "broken", false, -ERROR_CHANGELOG, 0, false },
                { "broken", true, 0, 0, true },
                { "select 'open", false, -ERROR_CHANGELOG, 0, false },
                { "select 'open", true, 0, 0, true },
                { "gone", true, -ERROR_IO, 0, false },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                _cleanup_(plan_freep) Plan *p = NULL;
                char script[40];
                FormatOptions options = { .mixed = false };
                FormatContext ctx = { .options = &options };
                Format format = { .name = "fake", .open_script = open_named, .outside_hint = "" };
                Fixture f;
                Error err = { .code = ERROR_NONE };
                json_t *json;

                setup(&f, "p");
                (void) snprintf(script, sizeof script, "%s", cases[i].script);
                f.changelog.format = &format;
                f.migrations[0].script = f.migrations[0].path = script;
                f.migrations[0].may_fail = cases[i].may_fail;
                assert_return_code(plan_make_migrate(&p, &f.assessment, false, &err), 0);
                if (plan_check_scripts(p, &f.changelog, &ctx, &err) != cases[i].result)
                        fail_msg("%s: %s", script, err.text);
                if (cases[i].result < 0)
                        continue;
                if (p->steps[0].statements != cases[i].statements ||
                    p->steps[0].transactional != cases[i].transactional)
                        fail_msg("%s: %d statements", script, (int) p->steps[0].statements);
                json = plan_json(p, &f.changelog, &ctx, 100, &err);
                assert_non_null(json);
                assert_int_equal(json_array_size(json_object_get(json, "steps")), 1);
                json_decref(json);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_migrate),
                cmocka_unit_test(test_group_is_one_transaction),
                cmocka_unit_test(test_undo),
                cmocka_unit_test(test_undo_goes_back_in_the_order_of_ranks),
                cmocka_unit_test(test_scripts),
        };

        return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
