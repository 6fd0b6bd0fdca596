#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fake_server.h"
#include "in_fiber.h"
#include "pg/availability.h"

/* ---- the table ---- */

static const struct {
        const char *sqlstate, *text;
        OutcomeClass class;
} outcomes[] = {
        { "57P03", "FATAL: the database system is starting up", OUTCOME_WAITING },
        { "57P03", "FATAL: the database system is not yet accepting connections", OUTCOME_WAITING },
        { "57P03", "FATAL: the database system is not accepting connections", OUTCOME_GRACE },
        { "57P01", "FATAL: terminating connection due to serverless scale event timeout",
          OUTCOME_WAITING },
        { "28P01", "FATAL: password authentication failed for user \"x\"", OUTCOME_CREDENTIALS },
        { "28000", "FATAL: PAM authentication failed for user \"x\"", OUTCOME_CREDENTIALS },
        { "28000", "FATAL: no pg_hba.conf entry for host \"1.2.3.4\", user \"x\"", OUTCOME_GRACE },
        { "28000", "FATAL: role \"x\" does not exist", OUTCOME_CONFIGURATION },
        { "28000", "FATAL: Peer authentication failed for user \"x\"", OUTCOME_CONFIGURATION },
        { "3D000", "FATAL: database \"x\" does not exist", OUTCOME_CONFIGURATION },
        { "42501", "FATAL: permission denied for database \"x\"", OUTCOME_CONFIGURATION },
        { "55000", "FATAL: database \"x\" is not currently accepting connections",
          OUTCOME_CONFIGURATION },
        { "53300", "FATAL: sorry, too many clients already", OUTCOME_WAITING },
        { "08P01", "FATAL: bouncer config error", OUTCOME_CONFIGURATION },
        { "08P01", "FATAL: query_wait_timeout", OUTCOME_WAITING },
        { "XX000", "FATAL: whatever", OUTCOME_WAITING },
        { "P0001", "FATAL: a login trigger says no", OUTCOME_GRACE },
        { "", "connection to server failed: Connection refused", OUTCOME_WAITING },
        { "", "server closed the connection unexpectedly", OUTCOME_WAITING },
        { "", "could not fork new process for connection: Resource temporarily unavailable",
          OUTCOME_WAITING },
        { "", "expected authentication request from server, but received H",
          OUTCOME_CONFIGURATION },
        { "", "received invalid response to SSL negotiation: H", OUTCOME_CONFIGURATION },
        { "", "server does not support SSL, but SSL was required", OUTCOME_GRACE },
        { "", "SSL error: certificate verify failed", OUTCOME_CONFIGURATION },
        { "", "root certificate file \"/x\" does not exist", OUTCOME_CONFIGURATION },
        { "", "SSL SYSCALL error: EOF detected", OUTCOME_WAITING },
        { "", "session is read-only", OUTCOME_GRACE },
        { "", "connection to server at \"1.2.3.4\" failed: Permission denied", OUTCOME_GRACE },
};

static void test_classify(void **state)
{
        PgAttempt flags[] = { { .resolving = true },
                              { .resolving = true, .nonexistent_host = true },
                              { .needs_password = true },
                              { .timed_out = true },
                              { .reader = true } };
        static const OutcomeClass classes[] = { OUTCOME_WAITING, OUTCOME_GRACE, OUTCOME_CREDENTIALS,
                                                OUTCOME_WAITING, OUTCOME_GRACE };

        (void) state;
        for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
                PgAttempt a = { .resolving = false };

                (void) snprintf(a.error.sqlstate, sizeof a.error.sqlstate, "%s",
                                outcomes[i].sqlstate);
                (void) snprintf(a.error.text, sizeof a.error.text, "%s", outcomes[i].text);
                if (availability_classify(&a) != outcomes[i].class)
                        fail_msg("%s %s: class %d", outcomes[i].sqlstate, outcomes[i].text,
                                 (int) availability_classify(&a));
        }
        for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
                assert_int_equal(availability_classify(&flags[i]), classes[i]);
}

/* ---- the waking loop, against servers that let nobody in ---- */

typedef struct Scene {
        FakeMode mode;
        const char *sqlstate, *message;
        const char *password;                                  /* in a file; NULL: inline */
        uint64_t connect_timeout, wake_timeout, grace_timeout; /* ms */
        ErrorCode code;
        AvailabilityState end;
        unsigned least, most; /* connections */
} Scene;

static const Scene scenes[] = {
        { FAKE_CLOSE, "", "", NULL, 5000, 700, 5000, ERROR_UNAVAILABLE, AVAILABILITY_ASLEEP, 3, 8 },
        { FAKE_HANG, "", "", NULL, 300, 900, 5000, ERROR_UNAVAILABLE, AVAILABILITY_ASLEEP, 2, 3 },
        { FAKE_FATAL, "57P03", "the database system is starting up", NULL, 5000, 700, 0,
          ERROR_UNAVAILABLE, AVAILABILITY_ASLEEP, 3, 8 },
        { FAKE_FATAL, "53300", "sorry, too many clients already", NULL, 5000, 2500, 0,
          ERROR_UNAVAILABLE, AVAILABILITY_ASLEEP, 4, 9 },
        { FAKE_FATAL, "28000", "no pg_hba.conf entry for host", NULL, 5000, 20000, 300,
          ERROR_BLOCKED, AVAILABILITY_BLOCKED, 2, 6 },
        { FAKE_FATAL, "3D000", "database does not exist", NULL, 5000, 20000, 5000, ERROR_BLOCKED,
          AVAILABILITY_BLOCKED, 1, 1 },
        { FAKE_FATAL, "28P01", "password authentication failed", NULL, 5000, 20000, 5000,
          ERROR_CREDENTIALS, AVAILABILITY_BLOCKED, 1, 1 },
        { FAKE_FATAL, "28P01", "password authentication failed", "wrong", 5000, 1500, 5000,
          ERROR_CREDENTIALS, AVAILABILITY_BLOCKED, 1, 1 },
};

typedef struct Waker {
        WakeRequest request;
        Availability availability;
        unsigned states_seen; /* bit per AvailabilityState */
} Waker;

static void note_state(void *userdata, const Availability *a)
{
        Waker *w = userdata;

        w->states_seen |= 1U << a->state;
}

static int wake(void *userdata, Error *err)
{
        Waker *w = userdata;
        PgSession *s = NULL;
        int r = availability_wake(&w->availability, &w->request, &s, err);

        assert_null(s);
        return r;
}

static void write_file(const char *path, const char *text)
{
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        (void) fprintf(f, "%s\n", text);
        (void) fclose(f);
}

static void play(const Scene *s)
{
        char url[128], path[] = "/tmp/pgmigrated-password-XXXXXX";
        FakeServer server;
        PgTarget *target = NULL;
        Error err = { .code = ERROR_NONE };
        Waker w;
        int r, fd = mkstemp(path);

        assert_true(fd >= 0);
        (void) close(fd);
        assert_int_equal(fake_server_start(&server, s->mode, s->sqlstate, s->message), 0);
        (void) snprintf(url, sizeof url, "postgresql://u:inline@127.0.0.1:%u/d?sslmode=disable",
                        server.port);
        assert_int_equal(pg_target_new(&target, url, &err), 0);
        if (s->password)
                write_file(path, s->password);
        w = (Waker){ .request = { .target = target,
                                  .password_file = s->password ? path : "",
                                  .application_name = "test",
                                  .role = "",
                                  .connect_timeout = s->connect_timeout * USEC_PER_MSEC,
                                  .wake_timeout = s->wake_timeout * USEC_PER_MSEC,
                                  .grace_timeout = s->grace_timeout * USEC_PER_MSEC },
                     .availability = { .changed = note_state, .userdata = &w } };
        r = in_fiber(wake, &w, &err);
        if (r != -(int) s->code)
                fail_msg("%s %s: %d %s", s->sqlstate, s->message, r, err.text);
        assert_int_equal(w.availability.state, s->end);
        assert_string_equal(err.sqlstate, s->sqlstate);
        assert_non_null(strstr(err.text, "u@127.0.0.1:"));
        assert_true(w.availability.waking_since == 0);
        assert_true(w.states_seen & (1U << AVAILABILITY_CONNECTING));
        assert_in_range(*server.connections, s->least, s->most);
        assert_int_equal(w.availability.attempts, *server.connections);
        if (s->code == ERROR_CREDENTIALS) {
                /* Once more: the same password does not knock again. */
                assert_int_equal(in_fiber(wake, &w, &err), -(int) ERROR_CREDENTIALS);
                assert_int_equal(*server.connections, 1);
                availability_forget_refusal(&w.availability);
                assert_int_equal(in_fiber(wake, &w, &err), -(int) ERROR_CREDENTIALS);
                assert_int_equal(*server.connections, 2);
        }
        fake_server_stop(&server);
        (void) pg_target_free(target);
        (void) unlink(path);
}

static void test_scenes(void **state)
{
        (void) state;
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
                play(&scenes[i]);
}

static void test_held_is_waking(void **state)
{
        char url[128];
        FakeServer server;
        PgTarget *target = NULL;
        Error err;
        Waker w;

        (void) state;
        assert_int_equal(fake_server_start(&server, FAKE_HANG, "", ""), 0);
        (void) snprintf(url, sizeof url, "postgresql://u@127.0.0.1:%u/d?sslmode=disable",
                        server.port);
        assert_int_equal(pg_target_new(&target, url, &err), 0);
        w = (Waker){ .request = { .target = target,
                                  .password_file = "",
                                  .application_name = "test",
                                  .role = "",
                                  .connect_timeout = 1300 * USEC_PER_MSEC,
                                  .wake_timeout = 1300 * USEC_PER_MSEC },
                     .availability = { .changed = note_state, .userdata = &w } };
        assert_int_equal(in_fiber(wake, &w, &err), -(int) ERROR_UNAVAILABLE);
        assert_true(w.states_seen & (1U << AVAILABILITY_WAKING));
        assert_int_equal(*server.connections, 1);
        fake_server_stop(&server);
        (void) pg_target_free(target);
}

/* The first of two hosts refuses; nobody listens on port 1. */
static void test_next_host(void **state)
{
        char url[128];
        FakeServer server;
        PgTarget *target = NULL;
        Error err;
        Waker w;

        (void) state;
        assert_int_equal(fake_server_start(&server, FAKE_FATAL, "3D000", "database does not exist"),
                         0);
        (void) snprintf(url, sizeof url,
                        "postgresql://u@127.0.0.1:1,localhost:%u/d?sslmode=disable", server.port);
        assert_int_equal(pg_target_new(&target, url, &err), 0);
        w = (Waker){ .request = { .target = target,
                                  .password_file = "",
                                  .application_name = "test",
                                  .role = "",
                                  .connect_timeout = 5 * USEC_PER_SEC,
                                  .wake_timeout = 5 * USEC_PER_SEC },
                     .availability = { .changed = note_state, .userdata = &w } };
        assert_int_equal(in_fiber(wake, &w, &err), -(int) ERROR_BLOCKED);
        assert_string_equal(err.sqlstate, "3D000");
        assert_int_equal(*server.connections, 1);
        assert_true(w.states_seen & (1U << AVAILABILITY_RESOLVING));
        fake_server_stop(&server);
        (void) pg_target_free(target);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_classify),
                                            cmocka_unit_test(test_scenes),
                                            cmocka_unit_test(test_held_is_waking),
                                            cmocka_unit_test(test_next_host) };

        return cmocka_run_group_tests_name("availability", tests, NULL, NULL);
}
