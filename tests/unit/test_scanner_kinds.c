#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pg/scanner.h"

#define DDL "d"
#define EXISTS "e"
#define CHAIN "c"

typedef struct KindCase {
        const char *sql;
        StatementKind kind;
        const char *flags;          /* of the letters above */
        const char *object, *other; /* NULL: none */
} KindCase;

static void check_range(const char *sql, size_t start, size_t end, const char *want)
{
        char got[256];

        (void) snprintf(got, sizeof got, "%.*s", (int) (end - start), sql + start);
        assert_string_equal(got, want ? want : "");
}

static void check_one(const KindCase *c)
{
        Scanner s;
        Statement st;
        Error err;

        scanner_init(&s, c->sql, strlen(c->sql), "x");
        if (scanner_next(&s, &st, &err) != 1)
                fail_msg("%s: %s", c->sql, err.text);
        if (st.kind != c->kind)
                fail_msg("%s: is %s, not %s", c->sql, statement_kind_name(st.kind),
                         statement_kind_name(c->kind));
        if (st.is_ddl != (strstr(c->flags, DDL) != NULL) ||
            st.if_exists != (strstr(c->flags, EXISTS) != NULL) ||
            st.and_chain != (strstr(c->flags, CHAIN) != NULL))
                fail_msg("%s: is_ddl %d, if_exists %d, and_chain %d", c->sql, st.is_ddl,
                         st.if_exists, st.and_chain);
        check_range(c->sql, st.object_start, st.object_end, c->object);
        check_range(c->sql, st.other_start, st.other_end, c->other);
}

static void check_all(const KindCase *cases, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check_one(&cases[i]);
}

#define CHECK(cases) check_all((cases), sizeof(cases) / sizeof *(cases))

/* clang-format off */
static void test_data(void **state)
{
        static const KindCase cases[] = {
                { "insert into t values (1)", STATEMENT_INSERT_VALUES, "", NULL, NULL },
                { "INSERT INTO s.\"T\" AS x (a, b) OVERRIDING SYSTEM VALUE VALUES (1, (select 2))", STATEMENT_INSERT_VALUES, "", NULL, NULL },
                { "insert /* c */ into t -- x\n (a) values (1), (2) on conflict do nothing", STATEMENT_INSERT_VALUES, "", NULL, NULL },
                { "insert into t default values returning id", STATEMENT_INSERT_VALUES, "", NULL, NULL },
                { "insert into t select 1", STATEMENT_LONG, "", NULL, NULL },
                { "insert into t (a) select a from (values (1)) v(a)", STATEMENT_LONG, "", NULL, NULL },
                { "insert into t select 1 union values (2)", STATEMENT_LONG, "", NULL, NULL },
                { "insert into t (a) with x as (values (1)) select * from x", STATEMENT_LONG, "", NULL, NULL },
                { "insert into t table u", STATEMENT_LONG, "", NULL, NULL },
                { "with x as (select 1) insert into t values (1)", STATEMENT_LONG, "", NULL, NULL },
                { "with x as (select 1) select 1", STATEMENT_LONG, "", NULL, NULL },
                { "UPDATE t SET a = 1", STATEMENT_LONG, "", NULL, NULL },
                { "delete from t", STATEMENT_LONG, "", NULL, NULL },
                { "merge into t using u on true when matched then delete", STATEMENT_LONG, "", NULL, NULL },
                { "select 1", STATEMENT_LONG, "", NULL, NULL },
                { "select * into x from y", STATEMENT_LONG, "", NULL, NULL },
                { "(select 1) union (select 2)", STATEMENT_LONG, "", NULL, NULL },
                { "values (1)", STATEMENT_LONG, "", NULL, NULL },
                { "table t", STATEMENT_LONG, "", NULL, NULL },
                { "do $$ begin end $$", STATEMENT_LONG, "", NULL, NULL },
                { "call p()", STATEMENT_LONG, "", NULL, NULL },
                { "execute p", STATEMENT_LONG, "", NULL, NULL },
                { "analyze t", STATEMENT_LONG, "", NULL, NULL },
                { "analyse", STATEMENT_LONG, "", NULL, NULL },
                { "refresh materialized view concurrently m", STATEMENT_LONG, "", NULL, NULL },
                { "refresh materialized view m", STATEMENT_LONG, DDL, NULL, NULL },
                { "explain analyze select 1", STATEMENT_LONG, "", NULL, NULL },
                { "explain (verbose, analyze) select 1", STATEMENT_LONG, "", NULL, NULL },
                { "explain (analyze false) select 1", STATEMENT_OTHER, "", NULL, NULL },
                { "explain select 1", STATEMENT_OTHER, "", NULL, NULL },
                { "copy t from '/x'", STATEMENT_LONG, "", NULL, NULL },
                { "copy t from program 'x'", STATEMENT_LONG, "", NULL, NULL },
                { "copy binary t from stdin", STATEMENT_COPY_IN, "", NULL, NULL },
                { "COPY s.t(a) FROM stdin (format csv)", STATEMENT_COPY_IN, "", NULL, NULL },
                { "copy \"stdin\" to 'x'", STATEMENT_LONG, "", NULL, NULL },
                { "copy t from stdout", STATEMENT_COPY_IN, "", NULL, NULL },
                { "copy t (a) to stdout with csv", STATEMENT_COPY_OUT, "", NULL, NULL },
                { "copy (delete from t returning *) to stdout", STATEMENT_COPY_OUT, "", NULL, NULL },
                { "copy (select 1) to '/x'", STATEMENT_LONG, "", NULL, NULL },
        };

        (void) state;
        CHECK(cases);
}

static void test_ddl(void **state)
{
        static const KindCase cases[] = {
                { "create table t (a int)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create table if not exists t (a int)", STATEMENT_OTHER, DDL EXISTS, NULL, NULL },
                { "create table t as select 1", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create materialized view m as select 1", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create unique index i on t (a)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create index \"concurrently\" on t (a)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create table t (\"if exists\" int)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "drop index if exists concurrently_i", STATEMENT_OTHER, DDL EXISTS, NULL, NULL },
                { "drop table t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "truncate t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "comment on table t is 'if exists'", STATEMENT_OTHER, DDL, NULL, NULL },
                { "grant select on t to u", STATEMENT_OTHER, DDL, NULL, NULL },
                { "revoke all on t from u", STATEMENT_OTHER, DDL, NULL, NULL },
                { "lock table t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "security label on table t is 'x'", STATEMENT_OTHER, DDL, NULL, NULL },
                { "reassign owned by a to b", STATEMENT_OTHER, DDL, NULL, NULL },
                { "cluster t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "cluster (verbose) s.t using i", STATEMENT_OTHER, DDL, NULL, NULL },
                { "reindex table t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "reindex (concurrently false) table t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "reindex (concurrently = 'off', verbose) index t", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter table t add column if not exists a int", STATEMENT_OTHER, DDL EXISTS, NULL, NULL },
                { "alter table t detach partition c", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter table t detach partition c finalize", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter table t validate constraint c", STATEMENT_LONG, "", NULL, NULL },
                { "alter table if exists only s.t * validate constraint \"C\", validate constraint d;", STATEMENT_LONG, "", NULL, NULL },
                { "alter domain d validate constraint c", STATEMENT_LONG, "", NULL, NULL },
                { "alter table t validate constraint c, add column a int", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter table t add column a int, validate constraint c", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter type t rename value 'a' to 'b'", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter database d set work_mem = 1", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create subscription s connection 'x' publication p with (connect = false)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create subscription s connection 'x' publication a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r with (slot_name = none, create_slot = 0, enabled = false);", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter subscription s set publication p with (refresh = false)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter subscription s disable", STATEMENT_OTHER, DDL, NULL, NULL },
                { "alter subscription s set (binary = true)", STATEMENT_OTHER, DDL, NULL, NULL },
                { "create function f() returns int begin atomic select 1; end", STATEMENT_OTHER, DDL, NULL, NULL },
        };

        (void) state;
        CHECK(cases);
}

static void test_transactions(void **state)
{
        static const KindCase cases[] = {
                { "begin", STATEMENT_TX_BEGIN, "", NULL, NULL },
                { "BEGIN ISOLATION LEVEL SERIALIZABLE;", STATEMENT_TX_BEGIN, "", NULL, NULL },
                { "start transaction read only", STATEMENT_TX_BEGIN, "", NULL, NULL },
                { "commit", STATEMENT_TX_COMMIT, "", NULL, NULL },
                { "end transaction", STATEMENT_TX_COMMIT, "", NULL, NULL },
                { "commit work and chain", STATEMENT_TX_COMMIT, CHAIN, NULL, NULL },
                { "end and chain", STATEMENT_TX_COMMIT, CHAIN, NULL, NULL },
                { "commit and no chain", STATEMENT_TX_COMMIT, "", NULL, NULL },
                { "rollback", STATEMENT_TX_ROLLBACK, "", NULL, NULL },
                { "abort", STATEMENT_TX_ROLLBACK, "", NULL, NULL },
                { "rollback transaction and chain", STATEMENT_TX_ROLLBACK, CHAIN, NULL, NULL },
                { "rollback to s", STATEMENT_OTHER, "", NULL, NULL },
                { "rollback work to savepoint s", STATEMENT_OTHER, "", NULL, NULL },
                { "prepare transaction 'x'", STATEMENT_TX_PREPARE, "", NULL, NULL },
                { "prepare transaction as select 1", STATEMENT_OTHER, "", NULL, NULL },
                { "prepare p (int) as select $1", STATEMENT_OTHER, "", NULL, NULL },
                { "commit prepared 'x;y'", STATEMENT_NONTX_FINISH_PREPARED, "", "'x;y'", NULL },
                { "rollback prepared 'x'", STATEMENT_NONTX_FINISH_PREPARED, "", "'x'", NULL },
                { "savepoint s", STATEMENT_OTHER, "", NULL, NULL },
                { "release s", STATEMENT_OTHER, "", NULL, NULL },
                { "set role r", STATEMENT_OTHER, "", NULL, NULL },
                { "reset all", STATEMENT_OTHER, "", NULL, NULL },
                { "show work_mem", STATEMENT_OTHER, "", NULL, NULL },
                { "listen x", STATEMENT_OTHER, "", NULL, NULL },
                { "notify x, 'begin'", STATEMENT_OTHER, "", NULL, NULL },
                { "discard plans", STATEMENT_OTHER, "", NULL, NULL },
                { "\"begin\"", STATEMENT_OTHER, "", NULL, NULL },
                { "'create'", STATEMENT_OTHER, "", NULL, NULL },
                { "+", STATEMENT_OTHER, "", NULL, NULL },
        };

        (void) state;
        CHECK(cases);
}

static void test_nontx(void **state)
{
        static const KindCase cases[] = {
                { "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My Idx\" ON ONLY s.\"T\" (a)", STATEMENT_NONTX_CREATE_INDEX, EXISTS, "\"My Idx\"", "s.\"T\"" },
                { "create index concurrently i on t using gin (a)", STATEMENT_NONTX_CREATE_INDEX, "", "i", "t" },
                { "create index concurrently on s . t (a)", STATEMENT_NONTX_CREATE_INDEX, "", NULL, "s . t" },
                { "create index concurrently on only t (a)", STATEMENT_NONTX_CREATE_INDEX, "", NULL, "t" },
                { "create index concurrently \"on\" on t (a)", STATEMENT_NONTX_CREATE_INDEX, "", "\"on\"", "t" },
                { "create/**/index--\nconcurrently U&\"d\\0061\" on t (a)", STATEMENT_NONTX_CREATE_INDEX, "", "U&\"d\\0061\"", "t" },
                { "drop index concurrently s.i", STATEMENT_NONTX_DROP_INDEX, "", "s.i", NULL },
                { "DROP INDEX CONCURRENTLY IF EXISTS \"s;\".\"I\"\"\" CASCADE", STATEMENT_NONTX_DROP_INDEX, EXISTS, "\"s;\".\"I\"\"\"", NULL },
                { "reindex table concurrently t", STATEMENT_NONTX_REINDEX, "", "t", NULL },
                { "reindex (verbose) index concurrently s.i", STATEMENT_NONTX_REINDEX, "", "s.i", NULL },
                { "REINDEX (VERBOSE, CONCURRENTLY) TABLE x", STATEMENT_NONTX_REINDEX, "", "x", NULL },
                { "reindex (concurrently true, tablespace y) index x", STATEMENT_NONTX_REINDEX, "", "x", NULL },
                { "reindex (concurrently = 1) index x", STATEMENT_NONTX_REINDEX, "", "x", NULL },
                { "reindex schema s", STATEMENT_NONTX_REINDEX, "", "s", NULL },
                { "reindex (verbose) database", STATEMENT_NONTX_REINDEX, "", NULL, NULL },
                { "reindex system concurrently d", STATEMENT_NONTX_REINDEX, "", "d", NULL },
                { "ALTER TABLE IF EXISTS ONLY p DETACH PARTITION c CONCURRENTLY", STATEMENT_NONTX_DETACH, EXISTS, "p", "c" },
                { "alter table a.b * detach partition \"c\".d concurrently;", STATEMENT_NONTX_DETACH, "", "a.b", "\"c\".d" },
                { "alter type s.mood add value if not exists 'it''s' before 'x'", STATEMENT_NONTX_ADD_VALUE, EXISTS, "s.mood", "'it''s'" },
                { "alter type mood add value E'x\\'' after 'y'", STATEMENT_NONTX_ADD_VALUE, "", "mood", "E'x\\''" },
                { "create database d template template0", STATEMENT_NONTX_CREATE_DATABASE, "", "d", NULL },
                { "drop database if exists d with (force)", STATEMENT_NONTX_DROP_DATABASE, EXISTS, "d", NULL },
                { "create tablespace x location '/x'", STATEMENT_NONTX_CREATE_TABLESPACE, "", "x", NULL },
                { "drop tablespace if exists x", STATEMENT_NONTX_DROP_TABLESPACE, EXISTS, "x", NULL },
                { "create subscription s connection 'x' publication p", STATEMENT_NONTX_CREATE_SUBSCRIPTION, "", "s", NULL },
                { "create subscription s connection 'x' publication p with (create_slot = true)", STATEMENT_NONTX_CREATE_SUBSCRIPTION, "", "s", NULL },
                { "drop subscription if exists s", STATEMENT_NONTX_DROP_SUBSCRIPTION, EXISTS, "s", NULL },
                { "alter subscription s refresh publication", STATEMENT_NONTX_IDEMPOTENT, "", "s", NULL },
                { "alter subscription s add publication p", STATEMENT_NONTX_IDEMPOTENT, "", "s", NULL },
                { "alter subscription s drop publication p with (refresh = true)", STATEMENT_NONTX_IDEMPOTENT, "", "s", NULL },
                { "alter subscription s set (failover = true)", STATEMENT_NONTX_IDEMPOTENT, "", "s", NULL },
                { "alter database d set tablespace t", STATEMENT_NONTX_IDEMPOTENT, "", "d", NULL },
                { "alter system set work_mem = '1MB'", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
                { "discard all", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
                { "vacuum", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
                { "VACUUM (FULL, ANALYZE) s.t (a)", STATEMENT_NONTX_IDEMPOTENT, "", "s.t", NULL },
                { "vacuum full verbose t", STATEMENT_NONTX_IDEMPOTENT, "", "t", NULL },
                { "cluster", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
                { "cluster verbose;", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
                { "CLUSTER (VERBOSE);", STATEMENT_NONTX_IDEMPOTENT, "", NULL, NULL },
        };

        (void) state;
        CHECK(cases);
}
/* clang-format on */

static void test_servers(void **state)
{
        (void) state;
        for (StatementKind k = STATEMENT_OTHER; k < _STATEMENT_KIND_MAX; k++) {
                Statement s = { .kind = k };
                bool nontx = k >= STATEMENT_NONTX_CREATE_INDEX;

                assert_non_null(statement_kind_name(k));
                assert_int_equal(statement_is_nontx(&s, 110022), nontx);
                assert_int_equal(statement_is_nontx(&s, 120000),
                                 nontx && k != STATEMENT_NONTX_ADD_VALUE);
                assert_int_equal(statement_is_nontx(&s, 180004),
                                 nontx && k != STATEMENT_NONTX_ADD_VALUE);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_data),         cmocka_unit_test(test_ddl),
                cmocka_unit_test(test_transactions), cmocka_unit_test(test_nontx),
                cmocka_unit_test(test_servers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
