"""Migrations that go statement by statement, and what becomes of them when they are interrupted, fail or are edited."""
import contextlib
import os
import sys

import pytest

from harness.faults import NO_TRANSACTION, count
from harness.waiting import wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from faultproxy import Fault, FaultProxy  # noqa: E402

COMMITS = "DO $$ BEGIN INSERT INTO counter VALUES ('2b'); COMMIT; PERFORM pg_sleep(600); END $$;\n"


@pytest.fixture
def counter(cli, migrations):
    migrations.write({"V1__counter.sql": "CREATE TABLE counter (key text); CREATE TABLE t (a int);"})
    cli.ok("migrate")


def write(migrations, text):
    migrations.write({"V2__x.sql": text, "V2__x.sql.conf": NO_TRANSACTION})


def counted(database):
    return [k for k, in database.query("SELECT key FROM counter ORDER BY key")]


def finished(database):
    return len(database.history()) == 2 and not database.exists("pgmigrated_journal")


@pytest.fixture
def interrupted(cli, database, migrations, counter):
    """A run was killed in a procedure that commits in the middle: nobody can know how far it is."""
    if database.value("SELECT current_setting('server_version_num')::int") < 110000:
        pytest.skip("DO cannot commit before PostgreSQL 11")
    write(migrations, count("2a") + COMMITS + count("2c"))
    run = cli.start("migrate")
    wait_until(lambda: counted(database) == ["2a", "2b"], 60, "the procedure has committed")
    run.kill()
    run.communicate()
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pgmigrated'")
    wait_until(lambda: database.sessions() == 0, 60, "its session has ended")


def test_what_nobody_can_know_is_asked(cli, database, interrupted):
    for _ in range(2):  # asking does not wear off
        result = cli("migrate")
        assert result.code == 3 and "interrupted at statement 2" in result.err and "repair --resolve" in result.err
        assert counted(database) == ["2a", "2b"]


def test_answer_done(cli, database, interrupted):
    cli.ok("repair", "--resolve", "done")
    cli.ok("migrate")
    assert counted(database) == ["2a", "2b", "2c"] and finished(database)


def test_answer_rerun(cli, database, migrations, interrupted):
    cli.ok("repair", "--resolve", "rerun")
    write(migrations, count("2a") + COMMITS.replace("600", "0") + count("2c"))
    cli.ok("migrate")
    assert counted(database) == ["2a", "2b", "2b", "2c"] and finished(database)


def test_repair_with_nothing_to_resolve(cli, database, counter):
    result = cli("repair", "--resolve", "done")
    assert result.code == 3 and "journal is empty" in result.err


def test_failed_statement_is_corrected_and_the_run_goes_on(cli, database, migrations, counter):
    write(migrations, count("2a") + "SELECT 1 / 0;\n" + count("2b"))
    result = cli("migrate")
    assert result.code == 1 and "V2__x.sql:2:" in result.err and "22012" in result.err
    assert counted(database) == ["2a"] and len(database.history()) == 1
    write(migrations, count("2a") + "SELECT 1;\n" + count("2b"))
    cli.ok("migrate")
    assert counted(database) == ["2a", "2b"] and finished(database)
    assert cli("migrate").code == 0


def test_what_is_done_must_not_be_edited(cli, database, migrations, counter):
    write(migrations, count("2a") + "SELECT 1 / 0;\n")
    assert cli("migrate").code == 1
    write(migrations, count("2 other") + "SELECT 1;\n")
    result = cli("migrate")
    assert result.code == 3 and "changed in its first 1 statements" in result.err
    assert counted(database) == ["2a"]
    cli.ok("repair", "--resolve", "rerun")
    cli.ok("migrate")
    assert counted(database) == ["2 other", "2a"] and finished(database)


def test_what_is_done_must_not_be_cut_off(cli, database, migrations, counter):
    write(migrations, count("2a") + count("2b") + "SELECT 1 / 0;\n")
    assert cli("migrate").code == 1
    write(migrations, count("2a"))
    result = cli("migrate")
    assert result.code == 3 and "changed in its first 2 statements" in result.err, result
    assert not finished(database)


# What is gone with the session, and a rest that names it. Without the check, that of the first is another table.
LOST = {
    "temporary table": "CREATE TEMP TABLE t AS SELECT 1 AS a;\n{fails}DELETE FROM t;\n",
    "select into": "SELECT 1 AS a INTO TEMP t;\n{fails}DELETE FROM t;\n",
    "prepared statement": "PREPARE p AS INSERT INTO counter VALUES ('p');\n{fails}EXECUTE p;\n",
    "cursor": "DECLARE c CURSOR WITH HOLD FOR SELECT 1;\n{fails}FETCH ALL FROM c;\n",
}


@pytest.mark.parametrize("case", LOST)
def test_what_was_in_the_session_is_missed(cli, database, migrations, counter, case):
    database.query("INSERT INTO t VALUES (1)")
    write(migrations, LOST[case].format(fails="SELECT 1 / 0;\n"))
    assert cli("migrate").code == 1
    write(migrations, LOST[case].format(fails="SELECT 1;\n"))
    for _ in range(2):
        result = cli("migrate")
        assert result.code == 3 and "V2__x.sql:1:1" in result.err and "gone with the session" in result.err, result
    assert database.value("SELECT count(*) FROM t") == 1 and not finished(database)
    assert "applied from its start" in cli.ok("repair", "--resolve", "rerun")
    cli.ok("migrate")
    assert database.value("SELECT count(*) FROM t") == 1 and finished(database)


def test_the_rest_can_do_without_it(cli, database, migrations, counter):
    write(migrations, "CREATE TEMP TABLE u (a int);\nSELECT 1 / 0;\nSELECT 'u';\n" + count("2a"))
    assert cli("migrate").code == 1
    write(migrations, "CREATE TEMP TABLE u (a int);\nSELECT 1;\nSELECT 'u';\n" + count("2a"))
    assert cli("migrate").code == 3
    assert "goes on after statement 1" in cli.ok("repair", "--resolve", "done")
    cli.ok("migrate")
    assert counted(database) == ["2a"] and finished(database)


def test_what_was_in_the_session_is_not_needed(cli, database, migrations, counter):
    write(migrations, "CREATE TEMP TABLE u (a int);\nDROP TABLE u;\nSELECT 1 / 0;\n")
    assert cli("migrate").code == 1
    write(migrations, "CREATE TEMP TABLE u (a int);\nDROP TABLE u;\n" + count("2a"))
    cli.ok("migrate")
    assert counted(database) == ["2a"] and finished(database)


def test_what_is_in_the_session_is_there_after_a_retry(cli, database, migrations, counter):
    """A lock that is not had in time is no interruption: the connection is the same."""
    write(migrations, "CREATE TEMP TABLE u AS SELECT '2a'::text AS key;\nALTER TABLE t ADD b int;\n"
                      "INSERT INTO counter SELECT key FROM u;\n")
    with contextlib.closing(database.server.connect(database.name)) as other:
        other.cursor().execute("BEGIN; LOCK TABLE t")
        run = cli.start("migrate", lock_timeout="100ms")
        wait_until(lambda: database.server.logged("canceling statement due to lock timeout") > 0, 60, "it was not had")
        other.cursor().execute("ROLLBACK")
        _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert counted(database) == ["2a"] and finished(database)


def test_failed_unique_index_leaves_nothing_behind(cli, database, migrations, counter):
    write(migrations, count("2a") + "INSERT INTO t VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\n")
    result = cli("migrate")
    assert result.code == 1 and "V2__x.sql:3:1" in result.err and "23505" in result.err
    assert not database.exists("u")
    database.query("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
    cli.ok("migrate")
    assert counted(database) == ["2a"] and finished(database)


@pytest.mark.parametrize("conf", ["", NO_TRANSACTION])
def test_migration_that_ends_its_own_session_is_given_up(cli, database, migrations, counter, conf):
    migrations.write({"V2__x.sql": count("2a") + "SELECT pg_terminate_backend(pg_backend_pid());\n",
                      "V2__x.sql.conf": conf or "# nothing\n"})
    result = cli("migrate")
    assert result.code not in (0, 3) and "migration 2" in result.err
    assert counted(database) == (["2a"] if conf else []) and len(database.history()) == 1


def test_progress_is_no_reason_to_give_up(cli, database, migrations, counter, server):
    """A line that fails at every statement of a long migration: each attempt gets further."""
    write(migrations, "".join(f"CREATE INDEX CONCURRENTLY i{n} ON t (a);\n" for n in range(8)))
    faults = [Fault("message", 1, "after", "cut", text=b"CREATE INDEX CONCURRENTLY i%d" % n) for n in range(8)]
    with FaultProxy(server.port, faults) as proxy:
        cli.ok("migrate", DATABASE_URL=database.url(proxy.port))
    assert proxy.happened == 8 and finished(database)
    assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid") == 8


@contextlib.contextmanager
def in_the_way(database, table):
    """A transaction that has used the table: what works concurrently waits for its end."""
    with contextlib.closing(database.server.connect(database.name)) as c:
        c.autocommit = False
        c.cursor().execute(f"INSERT INTO {table} VALUES (1)")
        yield c


def wait_for_lock(database, statement):
    wait_until(lambda: database.query("SELECT pid FROM pg_stat_activity WHERE query ~ %s AND wait_event_type = 'Lock'"
                                      " AND datname = current_database()", (statement,)), 60, f"{statement} waits")


def test_cancelled_index_does_not_hold_the_end_up(cli, database, migrations, counter):
    """SIGTERM while the build waits for somebody: cleaning up would wait for the same one."""
    write(migrations, count("2a") + "CREATE INDEX CONCURRENTLY i ON t (a);\n")
    with in_the_way(database, "t"):
        run = cli.start("migrate")
        wait_for_lock(database, "^CREATE INDEX")
        run.terminate()
        _, err = run.communicate(timeout=30)
        assert run.returncode == 5, err.decode()
    cli.ok("migrate")
    assert counted(database) == ["2a"] and finished(database)
    assert database.query("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == [("i", True)]


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend", "SIGTERM"])
def test_cancelled_detach_is_taken_up_again(cli, database, migrations, counter, how):
    if database.value("SELECT current_setting('server_version_num')::int") < 140000:
        pytest.skip("DETACH PARTITION CONCURRENTLY came with PostgreSQL 14")
    database.query("CREATE TABLE p (a int) PARTITION BY LIST (a)")
    database.query("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    write(migrations, count("2a") + "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n")
    with in_the_way(database, "p"):
        run = cli.start("migrate")
        wait_for_lock(database, "^ALTER TABLE")
        if how == "SIGTERM":
            run.terminate()
        else:
            database.query(f"SELECT {how}(pid) FROM pg_stat_activity WHERE query ~ '^ALTER TABLE'"
                           " AND datname = current_database()")
            if how == "pg_cancel_backend":
                run.wait(30)
    _, err = run.communicate(timeout=60)
    assert run.returncode == {"pg_cancel_backend": 1, "pg_terminate_backend": 0, "SIGTERM": 5}[how], err.decode()
    cli.ok("migrate")
    assert counted(database) == ["2a"] and finished(database)
    assert database.query("SELECT inhrelid FROM pg_inherits WHERE inhparent = 'p'::regclass") == []
