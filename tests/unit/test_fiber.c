#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>

#include "in_fiber.h"
#include "loop/backoff.h"
#include "loop/resolver.h"
#include "loop/worker.h"

typedef struct Pair {
        Condition condition;
        Fiber *other;
        int other_result, stage;
        bool other_done;
} Pair;

static void on_other_done(void *userdata, int r, const Error *err)
{
        Pair *p = userdata;

        (void) err;
        p->other_result = r;
        p->other_done = true;
}

static int sleeper(void *userdata, Error *err)
{
        uint64_t before = clock_monotonic();

        (void) userdata;
        assert_int_equal(fiber_sleep(20 * USEC_PER_MSEC, err), 0);
        return clock_monotonic() - before >= 20 * USEC_PER_MSEC ? 7 : -1;
}

static void test_sleep(void **state)
{
        Error err;

        (void) state;
        assert_int_equal(in_fiber(sleeper, NULL, &err), 7);
        assert_int_equal(fiber_count(), 0);
}

static int reader(void *userdata, Error *err)
{
        int fds[2], r;

        (void) userdata;
        assert_int_equal(pipe(fds), 0);
        r = fiber_wait_fd(fds[0], EPOLLIN, clock_after(10 * USEC_PER_MSEC), err);
        assert_int_equal(r, -ERROR_TIMEOUT);
        assert_int_equal(write(fds[1], "x", 1), 1);
        r = fiber_wait_fd(fds[0], EPOLLIN, USEC_INFINITY, err);
        assert_int_equal(r, EPOLLIN);
        (void) close(fds[0]);
        (void) close(fds[1]);
        return 0;
}

static void test_wait_fd(void **state)
{
        Error err;

        (void) state;
        assert_int_equal(in_fiber(reader, NULL, &err), 0);
}

static int waiter(void *userdata, Error *err)
{
        Pair *p = userdata;

        while (p->stage == 0) {
                int r = fiber_wait(&p->condition, USEC_INFINITY, err);
                if (r < 0)
                        return r;
        }
        return 42;
}

static int signaller(void *userdata, Error *err)
{
        Pair *p = userdata;

        assert_int_equal(
                fiber_spawn(&p->other, fiber_event(), "waiter", waiter, p, on_other_done, err), 0);
        assert_int_equal(fiber_sleep(USEC_PER_MSEC, err), 0);
        assert_false(p->other_done);
        p->stage = 1;
        condition_signal(&p->condition);
        assert_false(p->other_done); /* never synchronously */
        while (!p->other_done)
                assert_int_equal(fiber_yield(err), 0);
        return p->other_result;
}

static void test_condition(void **state)
{
        Pair p = { .stage = 0 };
        Error err;

        (void) state;
        condition_init(&p.condition);
        assert_int_equal(in_fiber(signaller, &p, &err), 42);
}

static int shielded(void *userdata, Error *err)
{
        Pair *p = userdata;
        int r;

        {
                _cleanup_(fiber_shield_end) FiberShield s = fiber_shield_begin();

                assert_int_equal(fiber_sleep(20 * USEC_PER_MSEC, err), 0);
                p->stage = 1;
        }
        r = fiber_sleep(USEC_PER_SEC, err);
        assert_int_equal(r, -ERROR_CANCELLED);
        assert_true(fiber_cancelled());
        return fiber_wait(&p->condition, USEC_INFINITY, err); /* says so again */
}

static int canceller(void *userdata, Error *err)
{
        Pair *p = userdata;

        assert_int_equal(
                fiber_spawn(&p->other, fiber_event(), "shielded", shielded, p, on_other_done, err),
                0);
        assert_int_equal(fiber_yield(err), 0);
        fiber_cancel(p->other);
        while (!p->other_done)
                assert_int_equal(fiber_sleep(USEC_PER_MSEC, err), 0);
        assert_int_equal(p->stage, 1);
        return p->other_result;
}

static void test_cancel_and_shield(void **state)
{
        Pair p = { .stage = 0 };
        Error err;

        (void) state;
        condition_init(&p.condition);
        assert_int_equal(in_fiber(canceller, &p, &err), -ERROR_CANCELLED);
        assert_true(list_empty(&p.condition.waiters));
}

static int nested(void *userdata, Error *err)
{
        _cleanup_(fiber_deadline_pop) FiberDeadline outer =
                fiber_deadline_push(clock_after(20 * USEC_PER_MSEC));

        (void) userdata;
        {
                _cleanup_(fiber_deadline_pop) FiberDeadline inner =
                        fiber_deadline_push(USEC_INFINITY); /* cannot widen */

                assert_int_equal(fiber_sleep(USEC_PER_MSEC, err), 0);
                assert_int_equal(fiber_wait_fd(-1, 0, clock_after(USEC_PER_MSEC), err),
                                 -ERROR_TIMEOUT);
                assert_int_equal(fiber_sleep(USEC_PER_SEC, err), -ERROR_DEADLINE);
        }
        return fiber_sleep(USEC_PER_SEC, err);
}

static void test_deadlines_nest(void **state)
{
        uint64_t before = clock_monotonic();
        Error err;

        (void) state;
        assert_int_equal(in_fiber(nested, NULL, &err), -ERROR_DEADLINE);
        assert_true(clock_monotonic() - before < USEC_PER_SEC);
}

static void slow_job(void *job)
{
        (void) usleep(30000);
        *(int *) job = 5;
}

static int worker_user(void *userdata, Error *err)
{
        int *job = calloc(1, sizeof *job), *late = calloc(1, sizeof *late);

        (void) userdata;
        assert_int_equal(worker_run(slow_job, job, free, USEC_INFINITY, err), 0);
        assert_int_equal(*job, 5);
        free(job);
        assert_int_equal(worker_run(slow_job, late, free, clock_after(USEC_PER_MSEC), err),
                         -ERROR_TIMEOUT);
        return fiber_sleep(60 * USEC_PER_MSEC,
                           err); /* the thread frees the late one: LeakSanitizer watches */
}

static void test_worker(void **state)
{
        Error err;

        (void) state;
        assert_int_equal(in_fiber(worker_user, NULL, &err), 0);
}

static int resolve(void *userdata, Error *err)
{
        ResolvedAddresses found;
        bool nonexistent;

        (void) userdata;
        assert_int_equal(resolver_lookup(&found, &nonexistent, "localhost", USEC_INFINITY, err), 0);
        assert_true(found.count >= 1);
        return resolver_lookup(&found, &nonexistent, "no-such-host.invalid",
                               clock_after(10 * USEC_PER_SEC), err);
}

static void test_resolver(void **state)
{
        Error err;

        (void) state;
        assert_true(in_fiber(resolve, NULL, &err) < 0);
        assert_non_null(strstr(err.text, "no-such-host.invalid"));
}

static void test_backoff(void **state)
{
        Backoff b = { .first = 50, .cap = 5000 };

        (void) state;
        for (unsigned i = 0; i < 20; i++) {
                uint64_t whole = i < 7 ? 50ULL << i : 5000, got = backoff_next(&b);

                assert_in_range(got, whole / 2, whole);
        }
        backoff_reset(&b);
        assert_in_range(backoff_next(&b), 25, 50);
}

static int many_one(void *userdata, Error *err)
{
        unsigned *count = userdata;

        (*count)++;
        return fiber_sleep(USEC_PER_MSEC, err);
}

static int many(void *userdata, Error *err)
{
        unsigned *count = userdata;

        for (unsigned i = 0; i < 200; i++)
                assert_int_equal(
                        fiber_spawn(NULL, fiber_event(), "one", many_one, count, NULL, err), 0);
        while (fiber_count() > 1)
                assert_int_equal(fiber_sleep(USEC_PER_MSEC, err), 0);
        return 0;
}

static void test_many(void **state)
{
        unsigned count = 0;
        Error err;

        (void) state;
        assert_int_equal(in_fiber(many, &count, &err), 0);
        assert_int_equal(count, 200);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sleep),          cmocka_unit_test(test_wait_fd),
                cmocka_unit_test(test_condition),      cmocka_unit_test(test_cancel_and_shield),
                cmocka_unit_test(test_deadlines_nest), cmocka_unit_test(test_worker),
                cmocka_unit_test(test_resolver),       cmocka_unit_test(test_backoff),
                cmocka_unit_test(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
