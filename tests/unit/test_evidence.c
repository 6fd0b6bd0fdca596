#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/evidence.h"

static void test_judge(void **state)
{
        static const struct {
                StatementKind kind;
                const char *before, *now;
                Verdict verdict;
        } cases[] = {
                { STATEMENT_NONTX_CREATE_INDEX, "", "", VERDICT_RERUN },
                { STATEMENT_NONTX_CREATE_INDEX, "", "10:ok", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_INDEX, "", "10:broken", VERDICT_CLEAN },
                /* what was there before is nobody's work */
                { STATEMENT_NONTX_CREATE_INDEX, "10:ok", "10:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_CREATE_INDEX, "10:broken", "10:broken", VERDICT_RERUN },
                { STATEMENT_NONTX_CREATE_INDEX, "10:ok", "10:ok 11:ok", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_INDEX, "10:broken", "10:broken 11:ok", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_INDEX, "10:ok", "11:broken 10:ok", VERDICT_CLEAN },
                { STATEMENT_NONTX_CREATE_INDEX, "", "11:ok 12:broken", VERDICT_CLEAN },
                /* ids are compared as a whole */
                { STATEMENT_NONTX_CREATE_INDEX, "110:ok", "11:ok", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_INDEX, "11:ok", "110:ok", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_INDEX, "9:ok 11:ok", "11:ok 9:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_DROP_INDEX, "10:ok", "10:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_DROP_INDEX, "10:ok", "10:broken", VERDICT_RERUN },
                { STATEMENT_NONTX_DROP_INDEX, "10:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_DROP_INDEX, "", "", VERDICT_RERUN },
                { STATEMENT_NONTX_DETACH, "10:ok", "10:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_DETACH, "10:ok", "10:pending", VERDICT_FINALIZE },
                { STATEMENT_NONTX_DETACH, "10:pending", "10:pending", VERDICT_FINALIZE },
                { STATEMENT_NONTX_DETACH, "10:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_REINDEX, "", "", VERDICT_RERUN },
                { STATEMENT_NONTX_REINDEX, "", "10:broken", VERDICT_CLEAN },
                { STATEMENT_NONTX_REINDEX, "10:broken", "10:broken", VERDICT_RERUN },
                { STATEMENT_NONTX_ADD_VALUE, "", "10:ok", VERDICT_DONE },
                { STATEMENT_NONTX_ADD_VALUE, "", "", VERDICT_RERUN },
                { STATEMENT_NONTX_CREATE_DATABASE, "", "10:ok", VERDICT_DONE },
                { STATEMENT_NONTX_DROP_DATABASE, "10:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_DROP_DATABASE, "10:ok", "10:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_CREATE_TABLESPACE, "", "10:ok", VERDICT_DONE },
                { STATEMENT_NONTX_DROP_TABLESPACE, "10:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_CREATE_SUBSCRIPTION, "", "10:ok", VERDICT_DONE },
                { STATEMENT_NONTX_DROP_SUBSCRIPTION, "10:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_FINISH_PREPARED, "700:ok", "", VERDICT_DONE },
                { STATEMENT_NONTX_FINISH_PREPARED, "700:ok", "700:ok", VERDICT_RERUN },
                { STATEMENT_NONTX_IDEMPOTENT, "", "", VERDICT_RERUN },
                { STATEMENT_OTHER, "", "", VERDICT_UNDECIDED },
                { STATEMENT_LONG, "", "", VERDICT_UNDECIDED },
                { STATEMENT_TX_COMMIT, "", "", VERDICT_UNDECIDED },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Verdict v = evidence_judge(cases[i].kind, cases[i].before, cases[i].now);

                if (v != cases[i].verdict)
                        fail_msg("%s, before \"%s\", now \"%s\": verdict %d instead of %d",
                                 statement_kind_name(cases[i].kind), cases[i].before, cases[i].now,
                                 (int) v, (int) cases[i].verdict);
        }
}

/* Each kind that cannot be in a transaction can be found out about. */
static void test_no_kind_is_forgotten(void **state)
{
        (void) state;
        for (int k = STATEMENT_NONTX_CREATE_INDEX; k < _STATEMENT_KIND_MAX; k++)
                if (evidence_judge((StatementKind) k, "", "") == VERDICT_UNDECIDED)
                        fail_msg("nobody can tell what became of %s",
                                 statement_kind_name((StatementKind) k));
}

static void test_has_broken(void **state)
{
        static const struct {
                const char *tokens, *except;
                bool broken;
        } cases[] = {
                { "", "", false },
                { "1:ok", "", false },
                { "1:broken", "", true },
                { "1:broken", "1:ok", false },
                { "1:broken", "11:broken", true },
                { "1:ok 2:broken 3:ok", "", true },
                { "1:ok 2:broken 3:ok", "2:broken", false },
                { "1:brokenness", "", false },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                if (evidence_has_broken(cases[i].tokens, cases[i].except) != cases[i].broken)
                        fail_msg("\"%s\" except \"%s\"", cases[i].tokens, cases[i].except);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_judge),
                cmocka_unit_test(test_no_kind_is_forgotten),
                cmocka_unit_test(test_has_broken),
        };

        return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
