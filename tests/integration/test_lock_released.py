"""Scripts that release the migration lock in the middle of a run."""
import contextlib
import threading
import zlib

import pytest

from harness.faults import NO_TRANSACTION
from harness.waiting import wait_until
from test_bad_input import refused

OBJECT = zlib.crc32(b'"public"."flyway_schema_history"')
KEY = f"x'70676d69'::int, {OBJECT}::bigint::bit(32)::int"  # docs/locks.md
OUR_LOCKS = ("SELECT count(DISTINCT (classid, objid)) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
             " AND granted AND application_name LIKE 'pgmigrated%'")
SLEEP = "SELECT pg_sleep(600) /* asleep */;\n"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%asleep */%' AND application_name LIKE 'pgmigrated%'"

# name: files; the last statement of V2 sleeps
SCRIPTS = {
    "in a transaction": {"V2__x.sql": "SELECT pg_advisory_unlock_all();\n" + SLEEP},
    "in capitals and a block": {"V2__x.sql": "DO $$ BEGIN PERFORM PG_ADVISORY_UNLOCK_ALL(); END $$;\n" + SLEEP},
    "by statement": {"V2__x.sql": "SELECT pg_advisory_unlock_all();\n" + SLEEP, "V2__x.sql.conf": NO_TRANSACTION},
    "discarded": {"V2__x.sql": "DISCARD ALL;\n" + SLEEP, "V2__x.sql.conf": NO_TRANSACTION},
    "in a transaction of its own": {"V2__x.sql": "BEGIN;\nSELECT pg_advisory_unlock_all();\n" + SLEEP + "COMMIT;\n"},
    "by a callback": {"beforeEachMigrate.sql": "SELECT pg_advisory_unlock_all();", "V2__x.sql": SLEEP},
    "by a callback before all": {"beforeMigrate.sql": "SELECT pg_advisory_unlock_all();", "V2__x.sql": SLEEP},
}


@pytest.fixture
def first(cli, migrations):
    migrations.write({"V1__t.sql": "CREATE TABLE t (x int);"})
    cli.ok("migrate")


@pytest.mark.parametrize("case", SCRIPTS)
def test_lock_is_taken_again(cli, database, migrations, first, case):
    migrations.write(SCRIPTS[case])
    run = cli.start("migrate")
    try:
        wait_until(lambda: database.value(ASLEEP) == 1, 60, "the script sleeps")
        assert database.value(OUR_LOCKS) == 2
        refused(cli("migrate", migration_lock_timeout="1s"), 4, "the migration lock is held by")
    finally:
        database.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgmigrated%'")
        run.communicate()


GATE = "SELECT pg_advisory_lock(1);\n"  # the harness has it until the rival waits


WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.mark.parametrize("configuration", ["", NO_TRANSACTION], ids=["in a transaction", "by statement"])
def test_lock_is_lost_to_somebody_else(cli, database, migrations, first, configuration):
    migrations.write({"V2__x.sql": f"CREATE TABLE made ();\n{GATE}SELECT pg_advisory_unlock_all();\nCREATE TABLE late ();",
                      "V2__x.sql.conf": configuration})
    connect = database.server.connect
    with contextlib.closing(connect(database.name)) as holder, contextlib.closing(connect(database.name)) as rival:
        holder.cursor().execute("SELECT pg_advisory_lock(1)")
        run = cli.start("migrate")
        wait_until(lambda: database.value(WAITING) == 1, 60, "the script waits")
        waiter = threading.Thread(target=lambda: rival.cursor().execute(f"SELECT pg_advisory_lock({KEY})"))
        waiter.start()
        wait_until(lambda: database.value(WAITING) == 2, 60, "the rival waits")
        holder.cursor().execute("SELECT pg_advisory_unlock(1)")
        _, err = run.communicate(timeout=60)
        waiter.join()
    assert run.returncode == 4, err
    for word in ("released the migration lock", "V2__x.sql:3:1", "harness"):
        assert word in err.decode(), err
    assert not database.exists("late") and database.exists("made") == bool(configuration)
    assert [r["version"] for r in database.history()] == ["1"]


@pytest.mark.parametrize("configuration", ["", NO_TRANSACTION], ids=["in a transaction", "by statement"])
def test_somebody_else_migrated_in_between(cli, database, migrations, first, configuration):
    """The lock is free again when it is taken again, but the history is another one."""
    migrations.write({"V2__x.sql": "DO $$ BEGIN PERFORM pg_advisory_unlock_all() /* asleep */; PERFORM pg_sleep(2); END $$;\n"
                                   "CREATE TABLE late ();", "V2__x.sql.conf": configuration})
    run = cli.start("migrate")
    wait_until(lambda: database.value(ASLEEP) == 1, 60, "the script sleeps")
    database.query("INSERT INTO flyway_schema_history SELECT installed_rank + 1, '2', 'x', 'SQL', 'V2__x.sql', 1, 'me', now(), 0,"
                   " true FROM flyway_schema_history")
    _, err = run.communicate(timeout=60)
    assert run.returncode == (4 if configuration else 1), err
    assert ("start again" if configuration else "23505") in err.decode()
    assert not database.exists("late")
    assert [r["version"] for r in database.history()] == ["1", "2"]


def test_other_locks_are_the_scripts_own(cli, database, migrations, first):
    migrations.write({"V2__x.sql": "SELECT pg_advisory_lock(1);\nSELECT pg_advisory_unlock(1);\nCREATE TABLE made ();"})
    cli.ok("migrate")
    assert database.exists("made")


def test_settings_after_discard_all(cli, database, migrations, first):
    role = f"owner_{database.name}"
    database.query(f"CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON flyway_schema_history TO {role}")
    migrations.write({"V2__x.sql": "DISCARD ALL;\nCREATE TABLE made AS SELECT current_setting('statement_timeout') AS s;",
                      "V2__x.sql.conf": NO_TRANSACTION})
    cli.ok("migrate", role=role, statement_timeout="77s")
    assert database.value("SELECT s FROM made") == "77s"
    assert database.value("SELECT tableowner FROM pg_tables WHERE tablename = 'made'") == role
