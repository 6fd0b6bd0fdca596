"""However many of us run, each migration is applied once, nobody waits for ever, and all end well."""
import contextlib
import json
import time

import pytest

from harness.daemon import Cli
from harness.faults import check_truth, outside, server_major, small
from harness.migrations import Migrations
from harness.waiting import wait_until

DAEMONS, COMMANDS = 10, 10
PATIENCE = 120


@pytest.fixture
def crowd(own_server, make_daemon, binary, workdir, migrations):
    """crowd(database) -> the runs of services and commands that all begin to talk to the server at the same instant."""
    def gather(database):
        cli = Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": migrations.folder, "format": "flyway"})
        with own_server.frozen():
            daemons = [make_daemon(database.url(), ready=None, migrate_on_start="yes") for _ in range(DAEMONS)]
            commands = [cli.start("migrate", "--json") for _ in range(COMMANDS)]
            for daemon in daemons:
                wait_until(lambda d=daemon: answers(d), PATIENCE, "the service listens")
            time.sleep(0.5)  # the commands have no sign of being up but a connection that hangs
        runs = []
        for command in commands:
            out, err = command.communicate(timeout=PATIENCE)
            assert command.returncode == 0, f"{command.returncode}: {out.decode()} {err.decode()}"
            runs.append(json.loads(out))
        for daemon in daemons:
            wait_until(lambda d=daemon: d.runs()[0]["state"] == "succeeded", PATIENCE, lambda d=daemon: str(d.runs()))
            runs.append(daemon.run(daemon.runs()[0]["id"]))
        return runs
    return gather


def answers(daemon):
    with contextlib.suppress(OSError):
        return daemon.get("/healthz").status_code == 200
    return False


def check(server, database, scenario, runs, pending):
    assert {r["state"] for r in runs} == {"succeeded"} and len(runs) == DAEMONS + COMMANDS
    assert sum(r["applied"] for r in runs) == pending
    steps = [s["id"] for r in runs for s in r["steps"] if s["state"] == "applied"]
    assert len(steps) == len(set(steps)) == pending
    check_truth(database, scenario)
    assert server.logged("deadlock detected") == 0
    assert server.logged("ERROR:  duplicate key") == 0


def test_twenty_on_an_empty_database(own_server, migrations, crowd):
    scenario, database = small(server_major(own_server)), own_server.create_database()
    migrations.write(scenario.files)
    check(own_server, database, scenario, crowd(database), len(scenario.scripts))


def test_twenty_with_concurrent_indexes_pending(own_server, migrations, crowd, binary, workdir):
    """CREATE INDEX CONCURRENTLY waits for every older snapshot: whoever waits for the lock must hold none."""
    scenario, database = outside(server_major(own_server)), own_server.create_database()
    first = Migrations(f"{workdir}/first").write({"V1__prepare.sql": scenario.files["V1__prepare.sql"]})
    Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": first.folder}).ok("migrate")
    database.query("INSERT INTO t SELECT i, 'more' FROM generate_series(10000, 200000) i")
    migrations.write(scenario.files)
    check(own_server, database, scenario, crowd(database), len(scenario.scripts) - 1)
