#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/script.h"

/* A format whose scripts are their own descriptions. */
static int open_text(ScriptText *ret, const Changelog *c, const Migration *m,
                     const FormatContext *ctx, Error *err)
{
        char *copy = strdup(m->description);

        (void) c, (void) ctx, (void) err;
        assert_non_null(copy);
        *ret = (ScriptText){ .data = copy,
                             .size = strlen(copy),
                             .file = { .data = copy, .size = strlen(copy), .map = copy } };
        return 0;
}

static const Format format = { .name = "fake", .open_script = open_text };

static int open_script(Script *ret, char *text, TxPolicy tx, bool mixed, Error *err)
{
        Changelog c = { .format = &format };
        FormatOptions options = { .mixed = mixed };
        FormatContext ctx = { .options = &options, .server_version = 150000 };
        Migration m = { .description = text, .path = (char[]){ "V1.sql" }, .tx = tx };
        int r = script_open(ret, &c, &m, &ctx, err);

        ret->path = NULL;
        return r;
}

#define CIC "CREATE INDEX CONCURRENTLY i ON t (a);"

/* What it is found to be: t transactional, o transactions of its own, l long, s changes the session. */
static void test_findings(void **state)
{
        static const struct {
                const char *text, *found;
                TxPolicy tx;
                bool mixed;
                uint64_t statements;
        } cases[] = {
                { "", "t", TX_AUTO, false, 0 },
                { "-- nothing\n", "t", TX_AUTO, false, 0 },
                { "CREATE TABLE t (a int);", "t", TX_AUTO, false, 1 },
                { "CREATE TABLE t (a int);", "t", TX_ALWAYS, false, 1 },
                { "CREATE TABLE t (a int);", "", TX_NEVER, false, 1 },
                { "UPDATE t SET a = 1; SELECT 1", "tl", TX_AUTO, false, 2 },
                { CIC, "", TX_AUTO, false, 1 },
                { CIC "VACUUM t;", "", TX_AUTO, false, 2 },
                { CIC "CREATE TABLE u ();", "", TX_AUTO, true, 2 },
                { CIC "CREATE TABLE u ();", "", TX_NEVER, false, 2 },
                { "SET search_path = a; " CIC, "s", TX_AUTO, false, 2 },
                { "SELECT set_config('a.b', 'c', false); " CIC, "sl", TX_AUTO, false, 2 },
                { "set lock_timeout = 1; CREATE TABLE u ();", "ts", TX_AUTO, false, 2 },
                { "RESET ALL;", "ts", TX_AUTO, false, 1 },
                { "BEGIN; CREATE TABLE u (); COMMIT;", "o", TX_AUTO, false, 3 },
                { "BEGIN; CREATE TABLE u (); COMMIT AND CHAIN; ROLLBACK;", "o", TX_NEVER, false,
                  4 },
                { "BEGIN; SAVEPOINT s; ROLLBACK TO SAVEPOINT s; END", "o", TX_AUTO, false, 4 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char *text = strdup(cases[i].text), found[8];
                Error err = { .text = "" };
                Script s = { .path = NULL };
                int r = open_script(&s, text, cases[i].tx, cases[i].mixed, &err);

                (void) snprintf(found, sizeof found, "%s%s%s%s", s.transactional ? "t" : "",
                                s.own_transactions ? "o" : "", s.changes_session ? "s" : "",
                                s.has_long ? "l" : "");
                if (r < 0 || s.statements != cases[i].statements ||
                    strcmp(found, cases[i].found) != 0)
                        fail_msg("%s: found \"%s\", %d statements, %s", text, found,
                                 (int) s.statements, err.text);
                script_done(&s);
                free(text);
        }
}

static void test_refusals(void **state)
{
        static const struct {
                const char *text, *error;
                TxPolicy tx;
                unsigned long line, column;
        } cases[] = {
                { "CREATE TABLE u ();\n  " CIC, "mixes statements", TX_AUTO, 2, 3 },
                { CIC "INSERT INTO u VALUES (1);", "mixes statements", TX_AUTO, 1, 1 },
                /* SET is fine with both kinds, and does not make the rest so */
                { "SET search_path = a;\nCREATE TABLE u ();\n" CIC, "mixes statements", TX_AUTO, 3,
                  1 },
                { "CREATE TABLE u ();\n" CIC, "must run in a transaction", TX_ALWAYS, 2, 1 },
                { "SELECT 1;\nCOMMIT;", "must run in a transaction", TX_ALWAYS, 2, 1 },
                { "SELECT 1;\n BEGIN;\nSELECT 2;", "does not end it", TX_AUTO, 2, 2 },
                { "BEGIN; COMMIT AND CHAIN;", "does not end it", TX_NEVER, 1, 1 },
                { "SELECT 'open;", "does not end", TX_AUTO, 1, 8 },
        };

        (void) state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char *text = strdup(cases[i].text);
                Error err = { .text = "" };
                Script s = { .path = NULL };
                int r = open_script(&s, text, cases[i].tx, false, &err);

                if (r != -(int) ERROR_CHANGELOG || !strcasestr(err.text, cases[i].error) ||
                    err.line != cases[i].line || err.column != cases[i].column)
                        fail_msg("%s: %d, %s at %lu:%lu", text, r, err.text, err.line, err.column);
                free(text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_findings),
                cmocka_unit_test(test_refusals),
        };

        return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
