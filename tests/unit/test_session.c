/* Against a real server. Each test runs in a fiber with a session of its own and a second one as the administrator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "in_fiber.h"
#include "pg/advisory_lock.h"
#include "pg/availability.h"

#define SOON clock_after(20 * USEC_PER_SEC)

static const char *url;

typedef struct Stage {
        int (*play)(struct Stage *st, Error *err);
        PgTarget *target;
        PgSession *s, *admin;
        Availability availability;
        unsigned helpers; /* fibers beside the play's own that have not ended */
} Stage;

static int open_session(const Stage *st, PgSession **ret, Error *err)
{
        PgAttempt attempt;

        return pg_connect(ret, st->target, NULL, "pgmigrated test", SOON, NULL, NULL, &attempt,
                          err);
}

static void helper_ended(void *userdata, int r, const Error *err)
{
        (void) r, (void) err;
        ((Stage *) userdata)->helpers--;
}

static int spawn_helper(Stage *st, FiberMain fn, Error *err)
{
        st->helpers++;
        return fiber_spawn(NULL, fiber_event(), "helper", fn, st, helper_ended, err);
}

static int set_stage(void *userdata, Error *err)
{
        Stage *st = userdata;
        Error ignored;
        int r = open_session(st, &st->s, err);

        if (r == 0)
                r = open_session(st, &st->admin, err);
        if (r == 0)
                r = st->play(st, err);
        /* What they did may be seen before they have the answer; the loop ends with this fiber, and theirs would leak. */
        while (st->helpers > 0 && fiber_sleep(10 * USEC_PER_MSEC, &ignored) == 0)
                ;
        return r;
}

/* Sessions are freed here, whatever an assertion did to the fiber's stack. */
static void run(int (*play)(Stage *st, Error *err))
{
        Stage st = { .play = play };
        Error err = { .code = ERROR_NONE };
        int r;

        assert_int_equal(pg_target_new(&st.target, url, &err), 0);
        r = in_fiber(set_stage, &st, &err);
        pg_session_freep(&st.s);
        pg_session_freep(&st.admin);
        (void) pg_target_free(st.target);
        if (r != 0)
                fail_msg("%d %s [%s]", r, err.text, err.sqlstate);
}
/* A plain "it was expected to be so" that leaves the fiber in order: cmocka's own would jump off its stack. */
#define EXPECT(cond)                                                                               \
        do                                                                                         \
                if (!(cond))                                                                       \
                        return error_set(err, ERROR_INTERNAL, "line %d: " #cond " (%s)", __LINE__, \
                                         err->text);                                               \
        while (0)

/* ---- queries ---- */

typedef struct Seen {
        unsigned results, rows, last_index;
        char first[64];
} Seen;

static int see(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        Seen *seen = userdata;
        const char *text = pg_text(res, 0, 0);

        (void) err;
        seen->results++;
        seen->rows += (unsigned) PQntuples(res);
        seen->last_index = index;
        if (text && !*seen->first)
                (void) snprintf(seen->first, sizeof seen->first, "%s", text);
        return 0;
}

static int play_results(Stage *st, Error *err)
{
        Seen seen = { .results = 0 };
        uint64_t rows = 0, before = pg_session_round_trips(st->s);
        PgQuery q = { .sql = "SELECT 'first'; CREATE TEMP TABLE t (i int); INSERT INTO t SELECT "
                             "generate_series(1, 7);"
                             "SELECT generate_series(1, 1000); COPY t TO STDOUT; SELECT NULL::text",
                      .fn = see,
                      .userdata = &seen,
                      .row_cap = 10,
                      .rows = &rows,
                      .deadline = SOON };

        EXPECT(pg_query(st->s, &q, err) == 0);
        EXPECT(seen.results == 6 && seen.last_index == 5);
        EXPECT(seen.rows == 1 + 10 + 1);
        EXPECT(strcmp(seen.first, "first") == 0);
        EXPECT(rows == 7 + 7); /* INSERT and COPY */
        EXPECT(pg_session_round_trips(st->s) == before + 1);
        EXPECT(pg_query(st->s, &(PgQuery){ .sql = "-- nothing", .deadline = SOON }, err) == 0);
        EXPECT(!pg_session_lost(st->s) && !pg_session_in_transaction(st->s));
        return 0;
}

static int play_failure(Stage *st, Error *err)
{
        PgFailure failure;
        PgQuery q = { .sql = "SELECT 'åäö€😀'; SELECT nosuch",
                      .failure = &failure,
                      .deadline = SOON };

        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL);
        EXPECT(strcmp(err->sqlstate, "42703") == 0);
        EXPECT(strstr(err->text, "column \"nosuch\" does not exist"));
        EXPECT(failure.position == 24 && !failure.position_in_bytes && failure.result_index == 1);
        q.sql = "BEGIN; CREATE TEMP TABLE u (i int CONSTRAINT one PRIMARY KEY); INSERT INTO u "
                "VALUES (1);"
                "INSERT INTO u VALUES (1)";
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL);
        EXPECT(strcmp(err->sqlstate, "23505") == 0);
        EXPECT(strstr(err->text, "unique constraint \"one\": Key (i)=(1) already exists."));
        EXPECT(failure.result_index == 3 && failure.position == 0 &&
               strcmp(failure.constraint, "one") == 0);
        EXPECT(pg_session_in_transaction(st->s));
        EXPECT(pg_rollback(st->s, err) == 0);
        EXPECT(!pg_session_in_transaction(st->s));
        q.sql = "DO $$ BEGIN PERFORM 1/0; END $$";
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL);
        EXPECT(strstr(failure.context, "PL/pgSQL function inline_code_block line 1"));
        return 0;
}

static void hear(void *userdata, const char *severity, const char *sqlstate, const char *message)
{
        (void) snprintf(userdata, 128, "%s %s %s", severity, sqlstate, message);
}

static int play_notices(Stage *st, Error *err)
{
        char heard[128] = "";

        pg_session_on_notice(st->s, hear, heard);
        EXPECT(pg_execute(st->s, "DO $$ BEGIN RAISE WARNING 'näh'; END $$", SOON, err) == 0);
        EXPECT(strcmp(heard, "WARNING 01000 näh") == 0);
        return 0;
}

/* ---- COPY ---- */

typedef struct Rows {
        unsigned left;
        char line[2048];
} Rows;

static size_t give_rows(void *userdata, const char **data)
{
        Rows *rows = userdata;

        *data = rows->line;
        return rows->left-- > 0 ? sizeof rows->line : 0;
}

static int play_copy(Stage *st, Error *err)
{
        Rows rows = { .left = 5000 }; /* 10 MB: more than socket buffers hold */
        PgCopySource source = { .read = give_rows, .userdata = &rows };
        uint64_t copied = 0;
        PgQuery q = { .sql = "CREATE TEMP TABLE c (t text); COPY c FROM STDIN",
                      .copy = &source,
                      .rows = &copied,
                      .deadline = SOON };

        memset(rows.line, 'x', sizeof rows.line);
        rows.line[sizeof rows.line - 1] = '\n';
        EXPECT(pg_query(st->s, &q, err) == 0);
        EXPECT(copied == 5000);
        rows.left = 100;
        q.sql = "COPY nosuch FROM STDIN";
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL && strcmp(err->sqlstate, "42P01") == 0);
        q.sql = "CREATE TEMP TABLE n (i int); COPY n FROM STDIN";
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL && strcmp(err->sqlstate, "22P02") == 0);
        q.copy = NULL;
        q.sql = "COPY c FROM STDIN; SELECT 1";
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_SQL && strcmp(err->sqlstate, "57014") == 0);
        EXPECT(strstr(err->text, "there is no data for it here"));
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == 0);
        return 0;
}

/* A statement bigger than every buffer on the way. */
static int play_big_string(Stage *st, Error *err)
{
        _cleanup_free_ char *sql = malloc(20000000);
        _cleanup_result_ PGresult *res = NULL;

        EXPECT(sql);
        memset(sql, ' ', 20000000);
        memcpy(sql, "SELECT 42 --", 12);
        sql[20000000 - 1] = '\0';
        EXPECT(pg_fetch(st->s, &res, sql, SOON, err) == 0);
        EXPECT(pg_int(res, 0, 0) == 42);
        return 0;
}

/* ---- ends ---- */

static int terminate(const Stage *st, Error *err)
{
        char sql[96];

        (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)",
                        pg_session_backend_pid(st->s));
        return pg_execute(st->admin, sql, SOON, err);
}

static int play_terminated_idle(Stage *st, Error *err)
{
        EXPECT(terminate(st, err) == 0);
        EXPECT(fiber_sleep(200 * USEC_PER_MSEC, err) == 0);
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == -(int) ERROR_LOST);
        EXPECT(strcmp(err->sqlstate, "57P01") == 0);
        EXPECT(pg_session_lost(st->s));
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == -(int) ERROR_LOST);
        EXPECT(strcmp(err->sqlstate, "57P01") == 0);
        return 0;
}

static int terminate_later(void *userdata, Error *err)
{
        int r = fiber_sleep(200 * USEC_PER_MSEC, err);

        return r < 0 ? r : terminate(userdata, err);
}

static int play_terminated_busy(Stage *st, Error *err)
{
        EXPECT(spawn_helper(st, terminate_later, err) >= 0);
        EXPECT(pg_execute(st->s, "SELECT pg_sleep(10)", SOON, err) == -(int) ERROR_LOST);
        EXPECT(strcmp(err->sqlstate, "57P01") == 0);
        EXPECT(strstr(err->text, "terminating connection due to administrator command"));
        return 0;
}

static int play_timeout(Stage *st, Error *err)
{
        uint64_t began = clock_monotonic();

        EXPECT(pg_execute(st->s, "BEGIN; SELECT pg_sleep(30)", clock_after(200 * USEC_PER_MSEC),
                          err) == -(int) ERROR_TIMEOUT);
        EXPECT(clock_monotonic() - began < 5 * USEC_PER_SEC);
        EXPECT(!pg_session_lost(st->s));
        EXPECT(pg_rollback(st->s, err) == 0);
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == 0);
        return 0;
}

/* Rows that never end must not keep the deadline from being seen. */
static int play_endless(Stage *st, Error *err)
{
        uint64_t began = clock_monotonic();
        Seen seen = { .results = 0 };
        PgQuery q = { .sql = "SELECT repeat('x', 200) FROM generate_series(1, 1000000000000)",
                      .fn = see,
                      .userdata = &seen,
                      .row_cap = 5,
                      .deadline = clock_after(500 * USEC_PER_MSEC) };

        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_TIMEOUT);
        EXPECT(clock_monotonic() - began < 5 * USEC_PER_SEC);
        EXPECT(seen.results == 0 && !pg_session_lost(st->s));
        q.sql = "COPY (SELECT repeat('x', 200) FROM generate_series(1, 1000000000000)) TO STDOUT";
        q.deadline = clock_after(500 * USEC_PER_MSEC);
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_TIMEOUT);
        EXPECT(!pg_session_lost(st->s));
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == 0);
        return 0;
}

static int play_copy_timeout(Stage *st, Error *err)
{
        Rows rows = { .left = 4000000 };
        PgCopySource source = { .read = give_rows, .userdata = &rows };
        PgQuery q = { .sql = "CREATE TEMP TABLE c (t text); COPY c FROM STDIN",
                      .copy = &source,
                      .deadline = clock_after(300 * USEC_PER_MSEC) };

        memset(rows.line, 'x', sizeof rows.line);
        rows.line[sizeof rows.line - 1] = '\n';
        EXPECT(pg_query(st->s, &q, err) == -(int) ERROR_TIMEOUT);
        EXPECT(!pg_session_lost(st->s));
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == 0);
        return 0;
}

static int sleep_long(void *userdata, Error *err)
{
        Stage *st = userdata;

        return pg_execute(st->s, "SELECT pg_sleep(30)", SOON, err);
}

static void note_end(void *userdata, int r, const Error *err)
{
        (void) err;
        ((Stage *) userdata)->availability.attempts = (uint64_t) -r;
}

static int play_cancelled(Stage *st, Error *err)
{
        Fiber *f = NULL;

        EXPECT(fiber_spawn(&f, fiber_event(), "sleeper", sleep_long, st, note_end, err) >= 0);
        EXPECT(fiber_sleep(200 * USEC_PER_MSEC, err) == 0);
        fiber_cancel(f);
        for (int i = 0; i < 50 && st->availability.attempts == 0; i++)
                EXPECT(fiber_sleep(100 * USEC_PER_MSEC, err) == 0);
        EXPECT(st->availability.attempts == ERROR_CANCELLED);
        EXPECT(!pg_session_lost(st->s));
        EXPECT(pg_execute(st->s, "SELECT 1", SOON, err) == 0);
        return 0;
}

/* A server that is frozen: nothing comes back, and the cancel does not either. Only where we may stop the backend. */
static int play_frozen(Stage *st, Error *err)
{
        uint64_t began = clock_monotonic();
        pid_t pid = pg_session_backend_pid(st->s);

        if (kill(pid, SIGSTOP) < 0)
                return 0;
        int r = pg_execute(st->s, "SELECT 1", clock_after(200 * USEC_PER_MSEC), err);
        (void) kill(pid, SIGCONT);
        EXPECT(r == -(int) ERROR_TIMEOUT);
        EXPECT(pg_session_lost(st->s));
        EXPECT(clock_monotonic() - began < PG_CANCEL_GRACE + 2 * USEC_PER_SEC);
        return 0;
}

/* ---- locks ---- */

static void note_holder(void *userdata, const LockHolder *holder)
{
        *(LockHolder *) userdata = *holder;
}

static int unlock_later(void *userdata, Error *err)
{
        Stage *st = userdata;
        int r = fiber_sleep(500 * USEC_PER_MSEC, err);

        return r < 0 ? r : pg_execute(st->admin, "SELECT pg_advisory_unlock_all()", SOON, err);
}

static int play_lock(Stage *st, Error *err)
{
        static const int64_t keys[] = { 77433833903597, -5 };
        _cleanup_result_ PGresult *res = NULL;
        LockHolder holder = { .pid = 0 };
        LockRequest r = { .object = -17,
                          .keys = keys,
                          .n_keys = 2,
                          .deadline = clock_after(400 * USEC_PER_MSEC),
                          .waiting = note_holder,
                          .userdata = &holder };
        uint64_t before = pg_session_round_trips(st->s);

        EXPECT(advisory_lock_take(st->s, &r, err) == 0);
        EXPECT(pg_session_round_trips(st->s) == before + 1);
        EXPECT(advisory_lock_take(st->admin, &r, err) == -(int) ERROR_LOCKED);
        EXPECT(holder.pid == pg_session_backend_pid(st->s));
        EXPECT(strcmp(holder.application_name, "pgmigrated test") == 0 && *holder.since);
        EXPECT(strstr(err->text, "pgmigrated test"));
        EXPECT(pg_execute(st->s, "SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(-5)",
                          SOON, err) == 0);
        holder.pid = 0;
        r.deadline = clock_after(300 * USEC_PER_MSEC);
        EXPECT(advisory_lock_take(st->admin, &r, err) == -(int) ERROR_LOCKED);
        EXPECT(holder.pid ==
               pg_session_backend_pid(st->s)); /* a negative bigint key is found too */
        /* What was had before the third key was given back. */
        EXPECT(pg_fetch(st->admin, &res,
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", SOON,
                        err) == 0);
        EXPECT(pg_int(res, 0, 0) == 1);
        EXPECT(pg_execute(st->s, "SELECT pg_advisory_unlock_all()", SOON, err) == 0);
        EXPECT(advisory_lock_take(st->admin, &r, err) == 0);
        EXPECT(spawn_helper(st, unlock_later, err) >= 0);
        r.deadline = SOON;
        EXPECT(advisory_lock_take(st->s, &r, err) == 0);
        return 0;
}

/* ---- waking ---- */

static WakeRequest wake_request(const Stage *st)
{
        return (WakeRequest){ .target = st->target,
                              .password_file = "",
                              .application_name = "pgmigrated test",
                              .role = "",
                              .connect_timeout = 10 * USEC_PER_SEC,
                              .wake_timeout = 10 * USEC_PER_SEC,
                              .grace_timeout = 300 * USEC_PER_MSEC,
                              .statement_timeout = 1500500 };
}

static int play_wake(Stage *st, Error *err)
{
        _cleanup_(pg_session_freep) PgSession *s = NULL;
        _cleanup_result_ PGresult *res = NULL;
        WakeRequest w = wake_request(st);

        w.role = "pg_monitor";
        EXPECT(availability_wake(&st->availability, &w, &s, err) == 0);
        EXPECT(st->availability.state == AVAILABILITY_READY && st->availability.connections == 1);
        EXPECT(st->availability.attempts == 1 && st->availability.last_wake_usec > 0);
        EXPECT(pg_session_round_trips(s) == 1);
        EXPECT(pg_fetch(s, &res,
                        "SELECT current_setting('lock_timeout'), "
                        "current_setting('statement_timeout'),"
                        " current_setting('idle_in_transaction_session_timeout'), "
                        "current_setting('client_encoding'),"
                        " current_user, current_setting('application_name')",
                        SOON, err) == 0);
        EXPECT(strcmp(pg_text(res, 0, 0), "0") == 0);
        EXPECT(strcmp(pg_text(res, 0, 1), "1501ms") == 0);
        EXPECT(strcmp(pg_text(res, 0, 2), "1min") == 0);
        EXPECT(strcmp(pg_text(res, 0, 3), "UTF8") == 0);
        EXPECT(strcmp(pg_text(res, 0, 4), "pg_monitor") == 0);
        EXPECT(strcmp(pg_text(res, 0, 5), "pgmigrated test") == 0);
        availability_rest(&st->availability);
        EXPECT(st->availability.state == AVAILABILITY_ASLEEP && st->availability.connections == 0);
        return 0;
}

#define DATABASE_SETTING(what) \
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I " what "', current_database()); END $$"
static const char read_only[] = DATABASE_SETTING("SET default_transaction_read_only = on");
static const char read_write[] = DATABASE_SETTING("RESET default_transaction_read_only");

static int play_blocked(Stage *st, Error *err)
{
        WakeRequest w = wake_request(st);
        PgSession *s = NULL;
        int r;

        w.role = "nosuch role";
        EXPECT(availability_wake(&st->availability, &w, &s, err) == -(int) ERROR_BLOCKED);
        EXPECT(strstr(err->text, "role \"nosuch role\" does not exist"));
        EXPECT(pg_execute(st->admin, read_only, SOON, err) == 0);
        w.role = "";
        r = availability_wake(&st->availability, &w, &s, err);
        EXPECT(pg_execute(st->admin, read_write, SOON, err) == 0);
        EXPECT(r == -(int) ERROR_BLOCKED);
        EXPECT(strstr(st->availability.last_error.text, "the endpoint is a reader"));
        EXPECT(st->availability.attempts > 1 && st->availability.state == AVAILABILITY_BLOCKED);
        return 0;
}

/* clang-format off */
#define TEST(name) static void test_##name(void **state) { (void) state; run(play_##name); }
TEST(results) TEST(failure) TEST(notices) TEST(copy) TEST(big_string) TEST(terminated_idle) TEST(terminated_busy)
TEST(timeout) TEST(endless) TEST(copy_timeout) TEST(cancelled) TEST(frozen) TEST(lock) TEST(wake) TEST(blocked)
        /* clang-format on */

        int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_results),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_notices),
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_big_string),
                cmocka_unit_test(test_terminated_idle),
                cmocka_unit_test(test_terminated_busy),
                cmocka_unit_test(test_timeout),
                cmocka_unit_test(test_endless),
                cmocka_unit_test(test_copy_timeout),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_frozen),
                cmocka_unit_test(test_lock),
                cmocka_unit_test(test_wake),
                cmocka_unit_test(test_blocked),
        };

        url = getenv("PGMIGRATED_TEST_URL");
        if (!url) { /* cmocka 1.1.5 says "not ok" of a skipped test, which automake's TAP driver takes at its word */
                (void) puts("1..0 # SKIP PGMIGRATED_TEST_URL names no server");
                return 0;
        }
        return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
