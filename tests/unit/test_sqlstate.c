#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pg/sqlstate.h"

static void test_classes(void **state)
{
        (void) state;
        assert_true(sqlstate_retryable("55P03"));
        assert_true(sqlstate_retryable("40001"));
        assert_true(sqlstate_retryable("40P01"));
        assert_false(sqlstate_retryable("42P01"));
        assert_true(sqlstate_ends_session("57P01"));
        assert_true(sqlstate_ends_session("57P05"));
        assert_true(sqlstate_ends_session("25P03"));
        assert_false(sqlstate_ends_session("57014"));
        assert_true(sqlstate_cancelled("57014"));
        assert_true(sqlstate_reader("25006"));
        assert_false(sqlstate_reader(""));
}

static const struct {
        const char *message, *sqlstate, *text;
} messages[] = {
        { "connection to server at \"127.0.0.1\", port 6125 failed: FATAL:  28P01: password "
          "authentication failed for user "
          "\"x\"\nLOCATION:  auth_failed, auth.c:335\n",
          "28P01",
          "connection to server at \"127.0.0.1\", port 6125 failed: FATAL: password authentication "
          "failed for user \"x\"" },
        /* libpq 12, and two attempts in one message: the first counts. */
        { "FATAL:  28000: no entry, SSL encryption\nFATAL:  28P01: wrong\n", "28000",
          "FATAL: no entry, SSL encryption" },
        /* A name chosen to look like a code comes after it. */
        { "FATAL:  3D000: database \"x:  08006: y\" does not exist\n", "3D000",
          "FATAL: database \"x:  08006: y\" does not exist" },
        { "DETAIL:  08006: no\n\t:  08001: no\nFATAL:  57P03: the database system is starting up\n",
          "57P03", "FATAL: the database system is starting up" },
        { "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the "
          "server running?\n",
          "", "connection to server at \"127.0.0.1\", port 1 failed: Connection refused" },
        { "FATAL:  ab123: lower case is no code\n", "", "FATAL:  ab123: lower case is no code" },
        { "x:  12345:", "", "x:  12345:" },
        { "", "", "" },
        { "FATAL:  3D000: \xff\n", "3D000", "FATAL: ?" },
};

static void test_messages(void **state)
{
        char sqlstate[6], text[256];

        (void) state;
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
                bool found = sqlstate_from_connect_message(sqlstate, text, sizeof text,
                                                           messages[i].message);

                assert_int_equal(found, *messages[i].sqlstate != '\0');
                assert_string_equal(sqlstate, messages[i].sqlstate);
                assert_string_equal(text, messages[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes),
                                            cmocka_unit_test(test_messages) };

        return cmocka_run_group_tests_name("sqlstate", tests, NULL, NULL);
}
