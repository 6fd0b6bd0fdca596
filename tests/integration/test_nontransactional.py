"""Statements that cannot run in a transaction, scripts with transactions of their own, locks and time limits, and where an
error is said to be. What becomes of interrupted ones is in test_interrupted.py."""
import contextlib
import time

import pytest

from harness.faults import server_major
from harness.waiting import wait_until

NO_TRANSACTION = "executeInTransaction=false\n"


def versions(database):
    return [r["version"] for r in database.history()]


def clean(database):
    """Nothing of the journal is left."""
    return not database.exists("pgmigrated_journal")


@pytest.fixture
def first(cli, migrations, database):
    migrations.write({"V1__t.sql": "CREATE TABLE t (x int);\nINSERT INTO t VALUES (1), (1);"})
    cli.ok("migrate")


@contextlib.contextmanager
def locked(database, sql="LOCK TABLE t IN ACCESS EXCLUSIVE MODE"):
    """Another session's open transaction; yields a function that ends it."""
    connection = database.server.connect(database.name)
    connection.cursor().execute("BEGIN; " + sql)
    try:
        yield connection.close
    finally:
        connection.close()


# -- roles --

BECOMES = {"role": "SET ROLE {}", "user": "SET SESSION AUTHORIZATION {}"}


@pytest.mark.parametrize("configuration", ["", NO_TRANSACTION], ids=["in a transaction", "by statement"])
@pytest.mark.parametrize("case", BECOMES)
def test_script_becomes_somebody_without_rights(cli, database, migrations, first, case, configuration):
    """The history and the journal stay ours; the script's own tables do not; and the next script is ours again."""
    role = f"nobody_{database.name}"
    database.query(f"CREATE ROLE {role}; CREATE SCHEMA own AUTHORIZATION {role}")
    become = BECOMES[case].format(role)
    migrations.write({"V2__x.sql": f"{become};\nCREATE TABLE own.a ();\nSELECT 1;\nCREATE TABLE own.b ();",
                      "V2__x.sql.conf": configuration, "V3__y.sql": "CREATE TABLE own.c ();",
                      "V4__z.sql": f"{become};\nCREATE TABLE own.d ();\nSELECT 1 / 0;\nCREATE TABLE own.e ();",
                      "V4__z.sql.conf": configuration})
    result = cli("migrate")
    assert result.code == 1 and "V4__z.sql:3:" in result.err and "22012" in result.err, result
    migrations.write({"V4__z.sql": f"{become};\nCREATE TABLE own.d ();\nSELECT 1;\nCREATE TABLE own.e ();"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2", "3", "4"] and clean(database)
    assert dict(database.query("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'own'")) == {
        "a": role, "b": role, "c": "postgres", "d": role, "e": role}


def test_role_and_a_statement_that_cannot_run_in_a_transaction(cli, database, migrations, first):
    role = f"nobody_{database.name}"
    database.query(f"CREATE ROLE {role}; ALTER TABLE t OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}")
    migrations.write({"V2__i.sql": f"SET ROLE {role};\nCREATE INDEX CONCURRENTLY i ON t (x);\nVACUUM t;\n"
                                   "BEGIN;\nCREATE TABLE u ();\nCOMMIT;\nCREATE TABLE v ();\n"})
    cli.ok("migrate", mixed="yes")
    assert clean(database) and set(database.query(
        "SELECT tableowner FROM pg_tables WHERE tablename IN ('u', 'v')")) == {(role,)}


# -- statements --


def test_unique_index_on_duplicates_can_be_corrected_and_resumed(daemon, database, migrations, first):
    """Through the service: the failure, the correction of the data, and the rest of the file."""
    migrations.write({"V2__u.sql": "CREATE UNIQUE INDEX CONCURRENTLY a ON t (x);\nCREATE INDEX CONCURRENTLY b ON t (x);"})
    answer = daemon.migrate()
    assert answer.status_code == 500, answer
    error = answer.json()["error"]
    assert error["sqlstate"] == "23505" and error["file"].endswith("V2__u.sql") and error["line"] == 1
    assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == 0
    assert versions(database) == ["1"]
    database.query("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
    assert daemon.migrate().status_code == 200
    assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid") == 2
    assert versions(database) == ["1", "2"] and clean(database)


def test_if_not_exists_does_not_take_an_invalid_index_for_done(cli, database, migrations, first):
    with pytest.raises(Exception, match="duplicate"):
        database.query("CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)")
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_x'::regclass") is False
    database.query("TRUNCATE t")
    migrations.write({"V2__u.sql": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (x);"})
    run = cli.ok("migrate", "--json")
    assert "invalid index" in run
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_x'::regclass") is True
    # A valid one is what IF NOT EXISTS is for.
    migrations.write({"V3__again.sql": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (x);"})
    before = database.value("SELECT 't_x'::regclass::oid::int8")
    cli.ok("migrate")
    assert database.value("SELECT 't_x'::regclass::oid::int8") == before and versions(database) == ["1", "2", "3"]


OUTSIDE = {
    "drop index": ("DROP INDEX CONCURRENTLY i;", "SELECT to_regclass('i') IS NULL"),
    "reindex": ("REINDEX INDEX CONCURRENTLY i;", "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"),
    "detach": ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", "SELECT count(*) = 0 FROM pg_inherits WHERE inhrelid = 'p1'::regclass"),
    "vacuum": ("VACUUM (ANALYZE) t;", "SELECT reltuples = 2 FROM pg_class WHERE oid = 't'::regclass"),
    "add value": ("ALTER TYPE e ADD VALUE 'b';", "SELECT count(*) = 2 FROM pg_enum WHERE enumtypid = 'e'::regtype"),
    "procedure": ("CALL twice();", "SELECT count(*) = 4 FROM t"),
}


SINCE = {"reindex": 12, "detach": 14}


@pytest.mark.parametrize("case", OUTSIDE)
def test_statement_outside_a_transaction(cli, server, database, migrations, case):
    sql, done = OUTSIDE[case]
    migrations.write({"V1__t.sql": """
        CREATE TABLE t (x int); INSERT INTO t VALUES (1), (2); CREATE INDEX i ON t (x);
        CREATE TABLE p (x int) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TYPE e AS ENUM ('a');
        CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO t VALUES (3); COMMIT; INSERT INTO t VALUES (4); COMMIT; END $$;""",
                      "V2__outside.sql": sql, "V2__outside.sql.conf": NO_TRANSACTION, "V3__after.sql": "SELECT 3;"})
    if server_major(server) < SINCE.get(case, 0):
        failed = cli("migrate")
        assert failed.code == 1 and "V2__outside.sql:1:" in failed.err and "42601" in failed.err, failed
        assert versions(database) == ["1"]
        sql, done = "SELECT 2;", "SELECT true"
        migrations.write({"V2__outside.sql": sql})
    cli.ok("migrate")
    assert database.value(done) and versions(database) == ["1", "2", "3"] and clean(database)


# -- transactions of the script's own --


def test_own_transactions(cli, database, migrations, first):
    migrations.write({"V2__own.sql": """
        BEGIN; CREATE TABLE a (); COMMIT;
        START TRANSACTION; CREATE TABLE b (); ROLLBACK;
        BEGIN; SAVEPOINT s; CREATE TABLE c (); ROLLBACK TO s; CREATE TABLE d (); COMMIT;""",
                      "V2__own.sql.conf": NO_TRANSACTION})
    cli.ok("migrate")
    assert [database.exists(t) for t in "abcd"] == [True, False, False, True]
    assert versions(database) == ["1", "2"] and clean(database)


def test_failure_in_an_own_transaction_takes_up_behind_the_last_commit(cli, database, migrations, first):
    head = "BEGIN;\nINSERT INTO t VALUES (7);\nCOMMIT;\n"
    migrations.write({"V2__own.sql": head + "BEGIN;\nINSERT INTO t VALUES (8);\nSELECT 1/0;\nCOMMIT;\n",
                      "V2__own.sql.conf": NO_TRANSACTION})
    failed = cli("migrate")
    assert failed.code == 1 and "V2__own.sql:6" in failed.err, failed
    assert [x for x, in database.query("SELECT x FROM t WHERE x > 1")] == [7]
    migrations.write({"V2__own.sql": head + "BEGIN;\nINSERT INTO t VALUES (8);\nCOMMIT;\n"})
    cli.ok("migrate")
    assert [x for x, in database.query("SELECT x FROM t WHERE x > 1 ORDER BY x")] == [7, 8]
    assert versions(database) == ["1", "2"] and clean(database)


def test_transaction_left_open_is_no_success(cli, database, migrations, first):
    migrations.write({"V2__open.sql": "BEGIN;\nCREATE TABLE a ();\n", "V2__open.sql.conf": NO_TRANSACTION})
    result = cli("migrate")
    assert result.code in (1, 3) and "V2__open.sql" in result.err, result
    assert versions(database) == ["1"] and not database.exists("a")


# -- locks and time --


@pytest.mark.parametrize("conf", ["", NO_TRANSACTION])
def test_lock_timeout_is_tried_again(make_daemon, database, migrations, first, conf):
    """The queue behind the lock is freed in between: readers get through."""
    daemon = make_daemon(database.url(), lock_timeout="500ms", lock_retries=50)
    migrations.write({"V2__alter.sql": "CREATE TABLE before ();\nALTER TABLE t ADD y int;", "V2__alter.sql.conf": conf})
    with locked(database, "LOCK TABLE t IN ACCESS SHARE MODE") as release:
        id = daemon.submit()
        if conf:
            wait_until(lambda: daemon.run(id)["state"] in ("applying", "failed"), 10, "applying")
            time.sleep(0.3)
        else:
            wait_until(lambda: sum(s["retries"] for s in daemon.run(id)["steps"]) >= 1, 10, "a retry")
            begun = time.monotonic()
            assert database.query("SELECT x FROM t LIMIT 1") == [(1,)]  # behind our waiting ALTER
            assert time.monotonic() - begun < 2
        release()
    run = daemon.wait_run(id, timeout=20)
    assert run["state"] == "succeeded", run
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") == 2
    assert versions(database) == ["1", "2"] and clean(database)


def test_lock_that_is_never_free_fails_the_migration(cli, database, migrations, first):
    migrations.write({"V2__alter.sql": "CREATE TABLE half ();\nALTER TABLE t ADD y int;"})
    with locked(database):
        failed = cli("migrate", lock_timeout="200ms", lock_retries=2)
    assert failed.code == 1 and "V2__alter.sql:2" in failed.err and "55P03" in failed.err, failed
    assert failed.err.count("again") >= 2  # both retries are told
    assert versions(database) == ["1"] and not database.exists("half")


def test_statement_timeout_ends_by_cancelling(cli, database, migrations, first):
    migrations.write({"V2__slow.sql": "CREATE TABLE half ();\nSELECT pg_sleep(60);"})
    begun = time.monotonic()
    failed = cli("migrate", statement_timeout="700ms")
    assert time.monotonic() - begun < 10
    assert failed.code == 1 and "V2__slow.sql:2" in failed.err and "57014" in failed.err, failed
    assert versions(database) == ["1"] and not database.exists("half")
    database.wait_for_no_session()


def test_run_timeout_ends_by_cancelling(cli, database, migrations, first):
    migrations.write({"V2__slow.sql": "CREATE TABLE half ();\nSELECT pg_sleep(60);"})
    begun = time.monotonic()
    failed = cli("migrate", "--timeout", "1s")
    assert 1 <= time.monotonic() - begun < 10
    assert failed.code in (1, 4) and "deadline" in failed.err, failed
    assert versions(database) == ["1"] and not database.exists("half")
    wait_until(lambda: database.sessions() == 0, 5, "no session")


# -- where an error is --

# (the script, line, column, what must be said); columns count characters, from 1.
ERRORS = {
    "first line": ("SELECT nosuch;", 1, 8, "nosuch"),
    "behind others": ("SELECT 1;\nSELECT 2; SELECT\n    nosuch;\n", 3, 5, "nosuch"),
    "multibyte before": ("SELECT 'żółć 🐘', nosuch;", 1, 18, "nosuch"),
    "multibyte lines before": ("-- ñandú 🐘\nSELECT 'é';\n/* ü */ SELECT nosuch;\n", 3, 16, "nosuch"),
    "CRLF": ("SELECT 1;\r\nSELECT\r\n  nosuch;\r\n", 3, 3, "nosuch"),
    "byte order mark": (b"\xef\xbb\xbfSELECT nosuch;", 1, 8, "nosuch"),
    "tabs": ("SELECT 1;\n\tSELECT\tnosuch;", 2, 9, "nosuch"),
    "placeholder before": ("SELECT '${long}', nosuch;", 1, 19, "nosuch"),
    "placeholder of many lines before": ("SELECT ${lines};\nSELECT nosuch;", 2, 8, "nosuch"),
    "inside a placeholder": ("SELECT 1,\n  ${bad};", 2, 3, "nosuch"),
    "syntax error": ("SELECT 1;\nCREATE TABEL x ();", 2, 8, "TABEL"),
    "syntax error at the end": ("SELECT 1;\nSELECT 1 +;\n", 2, 11, "syntax error"),
    "without a position": ("SELECT 1;\n\n  SELECT\n 1/0;", 3, 3, "division by zero"),
    "function body": ("SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS\n$$ SELECT nosuch $$;", 3, 11, "nosuch"),
    "in a function called": ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN\n\nRETURN nosuch; END';\nSELECT f();",
                             4, 1, "nosuch"),
    "COPY data": ("CREATE TABLE c (x int, y text);\nCOPY c FROM stdin;\n1\ta\n2\tb\nthree\tc\n\\.\nSELECT 1;\n", 5, 1, "three"),
    "COPY data behind placeholders": ("CREATE TABLE c (x int);\nSELECT ${lines};\nCOPY c FROM stdin;\n1\n2\n3\nfour\n\\.\n", 7, 1, "four"),
    "COPY of a missing table": ("SELECT 1;\nCOPY nosuch FROM stdin;\n1\n\\.\n", 2, None, "nosuch"),
}


@pytest.mark.parametrize("conf", ["", NO_TRANSACTION], ids=["transaction", "alone"])
@pytest.mark.parametrize("case", ERRORS)
def test_where_an_error_is(cli, database, migrations, case, conf):
    sql, line, column, word = ERRORS[case]
    migrations.write({"V1__ok.sql": "SELECT 1;", "V2__bad.sql": sql, "V2__bad.sql.conf": conf})
    failed = cli("migrate", placeholder_long="l" * 300, placeholder_lines="1,\n2,\n3", placeholder_bad="nosuch")
    assert failed.code == 1, failed
    where = f"V2__bad.sql:{line}:" + (f"{column}: " if column else "")
    assert where in failed.err and word in failed.err, failed.err
    assert versions(database) == ["1"]
