"""The service beside its manager: sd_notify(3), signals, sockets that are passed in, and what outlives a restart."""
import os
import signal
import sys
import time

import pytest

from harness.http import Client
from harness.processes import client_sockets
from harness.waiting import wait_until

ACTIVATION = os.path.join(os.path.dirname(__file__), "harness", "socket_activation.py")
# Not in a transaction, so that what it has done can be seen while it goes on.
SLOW = "CREATE TABLE slow ();\nSELECT pg_sleep({});\n"


def sleeping(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          " AND wait_event = 'PgSleep'")


def submit_slow(daemon, database, migrations, seconds):
    """A run whose migration is asleep in the server."""
    migrations.write({"V1__slow.sql": SLOW.format(seconds)})
    id = daemon.submit()
    daemon.wait_run(id, "applying")
    wait_until(lambda: sleeping(database), 10, "the migration at its pg_sleep")
    return id


@pytest.fixture
def notified(make_daemon, database, notify_socket):
    """(daemon, notify_socket), started."""
    return make_daemon(database.url(), NOTIFY_SOCKET=notify_socket.path, shutdown_grace="1s"), notify_socket


# -- what the manager is told --


def test_ready_comes_when_requests_are_answered(make_daemon, database, notify_socket):
    daemon = make_daemon(database.url(), ready=None, NOTIFY_SOCKET=notify_socket.path)
    notify_socket.wait_for("READY", "1")
    assert daemon.get("/healthz").status_code == 200
    assert notify_socket.statuses()[-1] == "Idle, 1 database"
    mark = notify_socket.mark()
    daemon.stop()
    assert notify_socket.all("STOPPING", "1", mark) and not notify_socket.all("READY", since=mark)


def test_not_ready_when_it_cannot_start(cli, daemon, notify_socket):
    failed = cli("serve", listen=f"127.0.0.1:{daemon.port}", state_directory=f"{cli.directory}/other",
                 NOTIFY_SOCKET=notify_socket.path)
    assert failed.code != 0 and str(daemon.port) in failed.err
    assert not notify_socket.all("READY")


def test_status_shows_the_phases(notified, database, migrations):
    daemon, manager = notified
    migrations.write({"V1__first_thing.sql": "CREATE TABLE t ();"})
    mark = manager.mark()
    assert daemon.migrate().status_code == 200
    ended = f"{database.name}: succeeded"
    wait_until(lambda: manager.statuses(mark)[-1:] == [ended], 5, lambda: manager.statuses(mark))
    said = " | ".join(manager.statuses(mark))
    for word in (f"{database.name}: waking", f"{database.name}: applying", "applying 1 first thing"):
        assert word in said, said


def test_watchdog_is_fed_also_while_a_statement_runs(make_daemon, database, notify_socket, migrations):
    daemon = make_daemon(database.url(), NOTIFY_SOCKET=notify_socket.path, WATCHDOG_USEC=1_000_000)
    migrations.write({"V1__slow.sql": "SELECT pg_sleep(3);"})
    assert daemon.migrate().status_code == 200
    times = [t for t, _ in notify_socket.all("WATCHDOG", "1")]
    assert len(times) >= 4
    assert max(b - a for a, b in zip(times, times[1:])) < 1


# -- reload --


def write_config(path, *databases, extra=""):
    with open(path, "w", encoding="utf-8") as f:
        f.write(extra + "".join(f"[database {name}]\nurl = {url}\n" for name, url in databases))


@pytest.fixture
def configured(make_daemon, database, notify_socket, workdir):
    """(daemon, path of its configuration file): database one, and the manager's socket."""
    path = os.path.join(workdir, "pgmigrated.conf")
    write_config(path, ("one", database.url()))
    return make_daemon(None, arguments=("--config", path), NOTIFY_SOCKET=notify_socket.path), path


def reload(daemon, manager):
    """SIGHUP, until it is ready again; returns the two messages' times."""
    mark = manager.mark()
    daemon.process.send_signal(signal.SIGHUP)
    begun = manager.wait_for("RELOADING", "1", mark)
    ended = manager.wait_for("READY", "1", mark)
    assert begun[0] <= ended[0]
    return int(begun[1]["MONOTONIC_USEC"])


def names(daemon):
    return [d["name"] for d in daemon.get("/status").json()["databases"]]


def test_reload_takes_up_databases_and_lets_them_go(configured, database, notify_socket, migrations):
    daemon, path = configured
    migrations.write({"V1__t.sql": "CREATE TABLE t ();"})
    assert daemon.migrate().status_code == 200
    write_config(path, ("two", database.url()), ("one", database.url()))
    before = time.monotonic() * 1e6
    assert before <= reload(daemon, notify_socket) <= time.monotonic() * 1e6
    assert names(daemon) == ["two", "one"]
    assert daemon.status("one")["schema"]["version"] == "1"  # what was known stays known
    assert daemon.migrate(database="two").status_code == 200
    write_config(path, ("two", database.url()))
    reload(daemon, notify_socket)
    assert names(daemon) == ["two"]
    assert {r["database"] for r in daemon.runs()} == {"one", "two"}


@pytest.mark.parametrize("text, words", [
    ("[database one]\nurl = {url}\nlok_timeout = 1s\n", ["LINE=3", "lok_timeout", "lock_timeout"]),
    ("[database one]\nurl = mysql://{url}\n", ["LINE=2", "url"]),
    (None, []),
])
def test_broken_configuration_at_reload_keeps_the_old_one(configured, database, notify_socket, migrations, text, words):
    daemon, path = configured
    migrations.write({"V1__t.sql": "CREATE TABLE t ();"})
    if text:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.format(url=database.url()))
    else:
        os.unlink(path)
    reload(daemon, notify_socket)
    log = daemon.log()
    for word in (path, "old one stays", *words):
        assert word in log, log
    assert names(daemon) == ["one"]
    assert daemon.get("/status").json()["service"]["state"] == "running"
    assert daemon.migrate().status_code == 200


def test_reloads_while_questions_are_open(own_server, make_daemon, notify_socket, workdir):
    """Whoever is being served with an old configuration keeps it."""
    database = own_server.create_database()
    path = os.path.join(workdir, "pgmigrated.conf")
    write_config(path, ("one", database.url()))
    daemon = make_daemon(None, arguments=("--config", path), NOTIFY_SOCKET=notify_socket.path)
    reload(daemon, notify_socket)
    with own_server.frozen():
        question = daemon.http.open("GET", "/databases/one/plan")
        wait_until(lambda: client_sockets(own_server.port), 5, "a connection")
        for _ in range(3):
            reload(daemon, notify_socket)
        write_config(path, ("two", database.url()))
        for _ in range(2):
            reload(daemon, notify_socket)
    answer = question()
    assert answer.status_code == 200 and answer.json()["steps"] == []


# -- stop --


def test_short_migration_is_finished(make_daemon, database, notify_socket, migrations):
    daemon = make_daemon(database.url(), NOTIFY_SOCKET=notify_socket.path, shutdown_grace="60s")
    id = submit_slow(daemon, database, migrations, 3)
    migrations.write({"V2__next.sql": "SELECT 2;"})
    queued = daemon.submit()
    mark = notify_socket.mark()
    daemon.process.send_signal(signal.SIGTERM)
    notify_socket.wait_for("STOPPING", "1", mark)
    # While it stops, it answers, and takes nothing new.
    assert daemon.get("/healthz").status_code == 200
    assert daemon.get("/status").json()["service"]["state"] == "stopping"
    refused = daemon.post("/migrate", {"target": "1"})
    assert refused.status_code == 503 and refused.headers["Retry-After"], refused
    assert daemon.process.wait(20) == 0
    assert all(int(m["EXTEND_TIMEOUT_USEC"]) >= 5_000_000 for _, m in notify_socket.all("EXTEND_TIMEOUT_USEC", since=mark))
    assert len(notify_socket.all("EXTEND_TIMEOUT_USEC", since=mark)) >= 2
    assert [r["version"] for r in database.history()] == ["1"]
    daemon.start()
    assert daemon.run(id)["state"] == "succeeded"
    assert daemon.wait_run(queued)["state"] == "succeeded"
    assert [r["version"] for r in database.history()] == ["1", "2"]


@pytest.mark.parametrize("grace, second_signal", [("1s", False), ("10min", True)])
def test_long_migration_is_cancelled_and_rolled_back(make_daemon, database, migrations, notify_socket, grace, second_signal):
    daemon = make_daemon(database.url(), NOTIFY_SOCKET=notify_socket.path, shutdown_grace=grace)
    id = submit_slow(daemon, database, migrations, 120)
    begun = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    if second_signal:
        notify_socket.wait_for("STOPPING", "1")
        time.sleep(1)
        assert daemon.running and sleeping(database)
        begun = time.monotonic()
    assert daemon.stop(timeout=30) < 8
    assert time.monotonic() - begun < 8
    database.wait_for_no_session()
    assert not database.exists("slow")
    migrations.write({"V1__slow.sql": SLOW.format(0)})
    daemon.start()
    assert daemon.wait_run(id)["state"] == "succeeded"  # taken up again
    assert [r["version"] for r in database.history()] == ["1"] and database.exists("slow")


def test_waiting_clients_hear_of_the_stop(make_daemon, database, migrations):
    daemon = make_daemon(database.url(), shutdown_grace="1s")
    submit_slow(daemon, database, migrations, 120)
    waiting = daemon.http.open("POST", "/migrate?wait=100")
    stream = daemon.http.open("GET", "/events")
    time.sleep(0.3)
    assert daemon.stop(timeout=30) < 8
    answer = waiting()
    assert answer.status_code == 202 and answer.json()["state"] == "queued", answer
    assert b"event: run.state" in stream().content


# -- sockets --


def test_sockets_of_the_manager(make_daemon, database, workdir):
    path = os.path.join(workdir, "given.sock")
    daemon = make_daemon(database.url(), start=False, socket="", listen="127.0.0.1:1")
    daemon.prefix = [sys.executable, ACTIVATION, str(daemon.port), path]
    daemon.start()
    assert Client(unix_path=path).get("/healthz").status_code == 200
    assert daemon.migrate().status_code == 200
    daemon.stop()
    assert os.path.exists(path)  # whoever made it keeps it


# -- what outlives --


def test_restart_with_nothing_new_does_not_connect(server, database, make_autopause, make_daemon, migrations):
    proxy = make_autopause(server, "hold", idle=0.2, resume=0.2)
    migrations.write({"V1__t.sql": "CREATE TABLE t ();"})
    daemon = make_daemon(database.url(proxy.port), migrate_on_start="yes")
    wait_until(lambda: daemon.get("/readyz").status_code == 200, 20, "migrated at start")
    first = daemon.runs()
    assert [(r["trigger"]["kind"], r["state"]) for r in first] == [("start", "succeeded")]
    proxy.wait_for("pause")
    for end in (daemon.stop, daemon.kill):
        end()
        daemon.start()
        end_of_watch = time.monotonic() + 1
        while time.monotonic() < end_of_watch:
            assert client_sockets(proxy.port) == 0
            time.sleep(0.005)
        assert daemon.get("/readyz").status_code == 200  # known from before
        assert daemon.runs() == first
    assert [e["ev"] for e in proxy.events()] == ["wake", "up", "pause"]
    # A new file is seen, and that is worth waking it for.
    migrations.write({"V2__u.sql": "CREATE TABLE u ();"})
    daemon.restart()
    wait_until(lambda: database.exists("u"), 20, "the new migration")
    assert len(proxy.events("wake")) == 2


def test_killed_run_is_taken_up_again(daemon, database, migrations):
    id = submit_slow(daemon, database, migrations, 1)
    daemon.kill()
    assert not database.exists("slow")
    daemon.start()
    run = daemon.wait_run(id)
    assert run["state"] == "succeeded" and [s["state"] for s in run["steps"]] == ["applied"], run
    assert [r["id"] for r in daemon.runs()] == [id]
    assert [r["version"] for r in database.history()] == ["1"]


def test_killed_run_is_not_taken_up_when_told_so(make_daemon, database, migrations):
    daemon = make_daemon(database.url(), resume="no")
    id = submit_slow(daemon, database, migrations, 1)
    daemon.kill()
    daemon.start()
    assert daemon.run(id)["state"] == "interrupted"
    assert daemon.get("/readyz").status_code == 503
    assert [r["id"] for r in daemon.runs(state="interrupted")] == [id]
    assert daemon.migrate().status_code == 200


def test_only_so_many_runs_are_kept(make_daemon, database, migrations):
    daemon = make_daemon(database.url(), keep_runs=3)
    ids = [daemon.migrate().json()["id"] for _ in range(5)]
    daemon.restart()
    assert [r["id"] for r in daemon.runs()] == ids[:1:-1]
