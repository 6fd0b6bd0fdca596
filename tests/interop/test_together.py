"""Both at the same time: they keep out of each other's way, and every migration runs once."""
import pytest

from harness.waiting import wait_until

SLOW = "SELECT pg_sleep({});"
MODES = {"transactional lock": {}, "session lock": {"postgresql.transactional.lock": "no"}}
ROUNDS = 3
OTHERS = 2


def sleeps(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          " AND application_name <> 'harness' AND state = 'active' AND query LIKE '%pg_sleep%'")


@pytest.mark.flyway(since=(9, 1), ends=True)
@pytest.mark.parametrize("mode", MODES)
def test_on_an_empty_database(mode, server, migrations, make_ours, make_theirs):
    scripts = {f"V{n}__m.sql": f"CREATE TABLE m{n} (x int); {SLOW.format(0.02)}" for n in range(1, 9)}
    migrations.write({**scripts, "V9__m.sql": "ALTER TABLE m1 ADD y int;", "R__r.sql": "CREATE TABLE only_once (x int);"})
    for _ in range(ROUNDS):
        database = server.create_database()
        theirs, ours = make_theirs(database), make_ours(database)
        theirs.ok("info")
        flyway = theirs.start("migrate", **MODES[mode])
        others = [ours.start("migrate") for _ in range(OTHERS)]
        answer = flyway.join()
        for process in others:
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0, said
        assert answer.ok, answer.words
        assert [row["script"] for row in database.history()] == [*sorted(scripts), "V9__m.sql", "R__r.sql"]
        assert theirs.migrate(**MODES[mode]) == 0
        ours.ok("validate")


@pytest.mark.flyway(since=(9, 1), ends=True)
@pytest.mark.parametrize("mode", MODES)
def test_theirs_keeps_ours_out(mode, database, migrations, ours, theirs):
    migrations.write({"V1__a.sql": "CREATE TABLE a (x int);"})
    theirs.migrate()
    migrations.write({"V2__slow.sql": SLOW.format(1.5)})
    flyway = theirs.start("migrate", **MODES[mode])
    wait_until(lambda: sleeps(database), 30, "Flyway's migration runs")
    refused = ours("migrate", migration_lock_timeout="300ms")
    assert refused.code != 0 and "held by process" in refused.err, refused
    assert sleeps(database) == 1
    ours.ok("migrate")
    assert flyway.join().ok
    assert [row["script"] for row in database.history()] == ["V1__a.sql", "V2__slow.sql"]


@pytest.mark.flyway(since=(9, 1), ends=True)
@pytest.mark.parametrize("mode", MODES)
def test_ours_keeps_theirs_out(mode, database, migrations, ours, theirs):
    migrations.write({"V1__a.sql": "CREATE TABLE a (x int);"})
    ours.ok("migrate")
    migrations.write({"V2__slow.sql": SLOW.format(2.5)})
    process = ours.start("migrate")
    wait_until(lambda: sleeps(database), 30, "our migration runs")
    refused = theirs("migrate", **MODES[mode], lockRetryCount=1)
    assert not refused.ok and "lock" in refused.words[0], refused
    assert sleeps(database) == 1
    assert theirs.migrate(**MODES[mode]) == 0
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert [row["script"] for row in database.history()] == ["V1__a.sql", "V2__slow.sql"]
