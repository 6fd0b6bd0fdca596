#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/run.h"

static Run *new_run(void)
{
        Run *r = NULL;
        Error err;

        assert_return_code(
                run_new(&r, "main",
                        &(Operation){ .kind = OPERATION_MIGRATE, .target = "3", .by = "me" }, &err),
                0);
        return r;
}

static void give_steps(Run *r, size_t n)
{
        r->steps = calloc(n, sizeof *r->steps);
        assert_non_null(r->steps);
        for (r->n_steps = 0; r->n_steps < n; r->n_steps++) {
                char id[16];

                (void) snprintf(id, sizeof id, "%zu", r->n_steps + 1);
                r->steps[r->n_steps] = (RunStep){ .id = strdup(id),
                                                  .description = strdup(""),
                                                  .file = strdup("") };
        }
}

static void test_end_of_a_run(void **state)
{
        static const struct {
                ErrorCode code;
                RunState during, end;
                int http;
        } cases[] = {
                { ERROR_NONE, RUN_APPLYING, RUN_SUCCEEDED, 200 },
                { ERROR_SQL, RUN_APPLYING, RUN_FAILED, 500 },
                { ERROR_CHANGELOG, RUN_PLANNING, RUN_REFUSED, 409 },
                { ERROR_ATTENTION, RUN_APPLYING, RUN_REFUSED, 409 },
                { ERROR_CANCELLED, RUN_APPLYING, RUN_CANCELLED, 409 },
                { ERROR_UNAVAILABLE, RUN_WAKING, RUN_UNAVAILABLE, 503 },
                { ERROR_LOCKED, RUN_LOCKING, RUN_UNAVAILABLE, 503 },
                { ERROR_LOST, RUN_APPLYING, RUN_FAILED, 500 },
                { ERROR_DEADLINE, RUN_APPLYING, RUN_FAILED, 500 },
                { ERROR_DEADLINE, RUN_LOCKING, RUN_UNAVAILABLE, 503 },
                { ERROR_INTERNAL, RUN_PLANNING, RUN_FAILED, 500 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Run *r = new_run();

                assert_int_equal(run_http_status(r), 202);
                run_enter(r, cases[i].during);
                assert_false(run_finished(r));
                run_finish(r, &(Error){ .code = cases[i].code });
                assert_true(run_finished(r));
                if (r->state != cases[i].end || run_http_status(r) != cases[i].http)
                        fail_msg("%s while %s: %s", error_info(cases[i].code)->name,
                                 run_state_name(cases[i].during), run_state_name(r->state));
                run_unref(r);
        }
}

/* The step that was going has failed only when the server said so; else it waits for the next run. */
static void test_step_at_the_end(void **state)
{
        static const struct {
                ErrorCode code;
                StepState step;
        } cases[] = { { ERROR_SQL, STEP_FAILED },
                      { ERROR_LOST, STEP_PENDING },
                      { ERROR_CANCELLED, STEP_PENDING } };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                Run *r = new_run();

                give_steps(r, 3);
                run_enter(r, RUN_APPLYING);
                run_step_enter(r, 0, STEP_APPLYING);
                run_step_enter(r, 0, STEP_APPLIED);
                run_step_enter(r, 1, STEP_APPLYING);
                run_finish(r, &(Error){ .code = cases[i].code });
                assert_int_equal(r->steps[0].state, STEP_APPLIED);
                assert_int_equal(r->steps[1].state, cases[i].step);
                assert_int_equal(r->steps[2].state, STEP_PENDING);
                assert_int_equal(r->applied, 1);
                run_unref(r);
        }
}

static bool history_has_second(void *userdata, const RunStep *s)
{
        (void) userdata;
        return strcmp(s->id, "2") == 0;
}

/* After a lost connection: what was going counts when the history has it, and nothing counts twice. */
static void test_steps_are_kept_over_a_lost_connection(void **state)
{
        Run *r = new_run();
        json_t *j, *steps;

        (void) state;
        give_steps(r, 4);
        run_enter(r, RUN_APPLYING);
        for (size_t i = 0; i < 3; i++)
                run_step_enter(r, i, STEP_APPLYING);
        run_step_enter(r, 0, STEP_APPLIED);
        run_keep_applied(r, history_has_second, NULL);
        assert_int_equal(r->n_earlier, 2);
        assert_int_equal(r->n_steps, 0);
        assert_int_equal(r->applied, 2);
        give_steps(r, 2);
        run_keep_applied(r, history_has_second, NULL); /* pending ones are never the history's */
        assert_int_equal(r->n_earlier, 2);
        assert_int_equal(r->applied, 2);
        j = run_json(r);
        steps = json_object_get(j, "steps");
        assert_int_equal(json_array_size(steps), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(steps, 1), "id")),
                            "2");
        json_decref(j);
        run_unref(r);
}

static void test_stored_and_read_again(void **state)
{
        Run *r = new_run(), *again = NULL, *shown = NULL;
        json_t *j;
        Error err;

        (void) state;
        run_enter(r, RUN_WAKING);
        j = run_json(r);
        assert_non_null(j);
        assert_return_code(run_from_json(&again, j, &err), 0);
        assert_string_equal(run_id(again), run_id(r));
        assert_string_equal(again->database, "main");
        assert_string_equal(again->operation.target, "3");
        assert_string_equal(again->operation.by, "me");
        assert_int_equal(again->state, RUN_QUEUED);
        assert_true(again->created_wall / USEC_PER_SEC == r->created_wall / USEC_PER_SEC);
        assert_return_code(run_from_store(&shown, j, &err), 0);
        assert_int_equal(shown->state, RUN_WAKING);
        json_object_del(j, "id");
        assert_int_equal(run_from_json(&again, j, &err), -ERROR_IO);
        json_decref(j);
        run_unref(r);
        run_unref(again);
        run_unref(shown);
}

static void test_ids_sort_by_time(void **state)
{
        char last[RUN_ID_SIZE] = "";

        (void) state;
        for (int i = 0; i < 100; i++) {
                Run *r = new_run();

                assert_int_equal(strlen(run_id(r)), 26);
                assert_true(strcmp(last, run_id(r)) < 0);
                (void) snprintf(last, sizeof last, "%s", run_id(r));
                run_unref(r);
        }
}

static void test_warnings_are_bounded_and_clean(void **state)
{
        Run *r = new_run();

        (void) state;
        for (int i = 0; i < 300; i++)
                run_warn(r, "a \xff warning");
        assert_int_equal(json_array_size(r->warnings), 200);
        assert_non_null(json_string_value(json_array_get(r->warnings, 0)));
        run_unref(r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_end_of_a_run),
                cmocka_unit_test(test_step_at_the_end),
                cmocka_unit_test(test_steps_are_kept_over_a_lost_connection),
                cmocka_unit_test(test_stored_and_read_again),
                cmocka_unit_test(test_ids_sort_by_time),
                cmocka_unit_test(test_warnings_are_bounded_and_clean),
        };

        return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
