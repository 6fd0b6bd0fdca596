#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/batch.h"

/* A server that fails as it is told to; what it got is kept. */
static struct {
        PgFailure failure;
        const char *fail_text; /* the position of this text in the string is reported; NULL: none */
        unsigned results;      /* that come before the error */
        bool fails;
        unsigned queries;
        char copied[64];
} server;

int __wrap_pg_query(PgSession *s, const PgQuery *q, Error *err);

/* 1-based, in characters. */
static unsigned long position_of(const char *sql, const char *text)
{
        const char *at = strstr(sql, text);
        unsigned long n = 1;

        assert_non_null(at);
        for (const char *p = sql; p < at; p++)
                n += ((unsigned char) *p & 0xc0U) != 0x80;
        return server.failure.position_in_bytes ? (unsigned long) (at - sql) + 1 : n;
}

int __wrap_pg_query(PgSession *s, const PgQuery *q, Error *err)
{
        PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
        const char *data;
        size_t n, used = 0;

        (void) s;
        server.queries++;
        while (q->copy && (n = q->copy->read(q->copy->userdata, &data)) > 0) {
                assert_true(used + n < sizeof server.copied);
                memcpy(server.copied + used, data, n);
                used += n;
        }
        for (unsigned i = 0; i < server.results; i++)
                assert_return_code(q->fn(q->userdata, i, res, err), 0);
        PQclear(res);
        if (!server.fails)
                return 0;
        *q->failure = server.failure;
        q->failure->result_index = server.results;
        q->failure->position = server.fail_text ? position_of(q->sql, server.fail_text) : 0;
        return error_set(err, ERROR_SQL, "no");
}

static Script script(const char *text)
{
        return (Script){ .path = "V1.sql",
                         .text = { .data = text,
                                   .size = strlen(text),
                                   .file = { .data = text, .size = strlen(text) } } };
}

static void add_all(Batch *b, const Script *s, size_t step)
{
        Scanner scanner;
        Statement st;
        Error err;

        scanner_init(&scanner, s->text.data, s->text.size, s->path);
        while (scanner_next(&scanner, &st, &err) > 0)
                batch_add(b, step, s, &st);
}

#define ONE "-- \xc3\xa4\xc3\xb6\nSELECT 1;\nSELECT '\xe2\x82\xac', one;\n"
#define TWO "/* two */ SELECT 2;\n\n   SELECT\n  two"

static void test_error_is_located(void **state)
{
        static const struct {
                unsigned results;
                const char *text; /* reported position; NULL: none */
                bool in_bytes;
                unsigned long line, column; /* 0: a statement of our own */
        } cases[] = {
                { 1, NULL, false, 2, 1 }, /* the statement's first word */
                { 2, NULL, false, 3, 1 },
                { 2, "one;", false, 3, 13 },
                { 2, "one;", true, 3, 13 },
                { 4, NULL, false, 1, 11 },
                { 4, "2;", false, 1, 18 },
                { 5, "two\n;", false, 4, 3 },
                { 5, "two\n;", true, 4, 3 },
                /* found while the string is parsed: before any result */
                { 0, "two\n;", false, 4, 3 },
                { 0, "one;", false, 3, 13 },
                { 0, NULL, false, 0, 0 },
                { 3, "history", false, 0, 0 },
                { 6, NULL, false, 0, 0 },
        };
        Script one = script(ONE), two = script(TWO);

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const BatchSegment *failed = NULL;
                Error err = { .line = 0 };
                Batch b;

                memset(&server, 0, sizeof server);
                server.results = cases[i].results;
                server.fails = true;
                server.fail_text = cases[i].text;
                server.failure.position_in_bytes = cases[i].in_bytes;
                batch_init(&b);
                batch_add_own(&b, 0, false, "BEGIN;\n");
                add_all(&b, &one, 0);
                batch_add_own(&b, 0, false, "INSERT INTO history;\n");
                add_all(&b, &two, 1);
                batch_add_own(&b, 1, true, "COMMIT;\n");
                assert_int_equal(b.n_segments, 7);
                assert_int_equal(batch_send(&b, NULL, NULL, NULL, &failed, &err), -ERROR_SQL);
                if (err.line != cases[i].line || err.column != cases[i].column)
                        fail_msg("case %zu: %lu:%lu instead of %lu:%lu in %s", i, err.line,
                                 err.column, cases[i].line, cases[i].column, b.sql.s);
                assert_non_null(failed);
                assert_int_equal(failed->script != NULL, cases[i].line != 0);
                batch_done(&b);
        }
}

static void test_context_is_told(void **state)
{
        Script s = script("SELECT f();");
        Error err;
        Batch b;

        (void) state;
        memset(&server, 0, sizeof server);
        server.fails = true;
        (void) snprintf(server.failure.context, sizeof server.failure.context, "function f line 3");
        batch_init(&b);
        add_all(&b, &s, 0);
        assert_int_equal(batch_send(&b, NULL, NULL, NULL, NULL, &err), -ERROR_SQL);
        assert_string_equal(err.text, "no (function f line 3)");
        batch_done(&b);
}

typedef struct Seen {
        size_t steps[8];
        unsigned n, commits;
} Seen;

static void on_done(void *userdata, const BatchSegment *segment, const PGresult *res)
{
        Seen *seen = userdata;

        assert_int_equal(batch_rows(res), 0);
        seen->steps[seen->n++] = segment->step;
        seen->commits += segment->commits;
}

/* Only what has a result is done. */
static void test_results_are_told_in_order(void **state)
{
        Script s = script("SELECT 1; SELECT 2;");
        Seen seen = { .n = 0 };
        Error err;
        Batch b;

        (void) state;
        memset(&server, 0, sizeof server);
        batch_init(&b);
        assert_true(batch_empty(&b));
        assert_return_code(batch_send(&b, NULL, on_done, &seen, NULL, &err), 0);
        assert_int_equal(server.queries, 0); /* nothing is not sent */
        for (size_t step = 0; step < 2; step++) {
                add_all(&b, &s, step);
                batch_add_own(&b, step, true, "COMMIT;\n");
        }
        server.results = 4;
        server.fails = true;
        assert_int_equal(batch_send(&b, NULL, on_done, &seen, NULL, &err), -ERROR_SQL);
        assert_int_equal(seen.n, 4);
        assert_int_equal(seen.commits, 1);
        assert_int_equal(seen.steps[2], 0);
        assert_int_equal(seen.steps[3], 1);
        batch_clear(&b);
        assert_true(batch_empty(&b));
        batch_done(&b);
}

static void test_own_text_is_counted(void **state)
{
        _cleanup_text_ Text sql = TEXT_INIT(1024);
        Error err;
        Batch b;

        (void) state;
        text_add(&sql, "SET a = 1;\nINSERT INTO t VALUES (';', $$;$$);\nDELETE FROM t;\n");
        batch_init(&b);
        assert_return_code(batch_add_own_text(&b, 3, &sql, &err), 0);
        assert_int_equal(b.n_segments, 3);
        assert_int_equal(b.segments[2].step, 3);
        sql.bad = true;
        assert_int_equal(batch_add_own_text(&b, 3, &sql, &err), -ERROR_OOM);
        batch_done(&b);
}

static void test_copy_sends_its_data(void **state)
{
        Script s = script("COPY t FROM stdin;\n1\ta\n2\tb\n\\.\n");
        Error err;
        Batch b;

        (void) state;
        memset(&server, 0, sizeof server);
        batch_init(&b);
        add_all(&b, &s, 0);
        server.results = 1;
        assert_return_code(batch_send(&b, NULL, NULL, NULL, NULL, &err), 0);
        assert_string_equal(server.copied, "1\ta\n2\tb\n");
        assert_null(strstr(b.sql.s, "2\tb"));
        batch_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_error_is_located),
                cmocka_unit_test(test_context_is_told),
                cmocka_unit_test(test_results_are_told_in_order),
                cmocka_unit_test(test_own_text_is_counted),
                cmocka_unit_test(test_copy_sends_its_data),
        };

        return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
