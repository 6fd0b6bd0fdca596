"""Waiting for databases that sleep, are stopped, frozen, unresolvable, or refuse the password."""
import os
import time

import pytest

from harness.postgres import PASSWORD
from harness.processes import client_sockets
from harness.tools import AutoPause, silent_resolver
from harness.daemon import Timeline
from harness.waiting import wait_until

# IDLE is longer than a step of the back-off may be here: else the stand-in pauses again between two attempts, which no
# real database (300 s and more) does.
IDLE, RESUME = 2.5, 1.0
WATCHED = 1.5
# Failed attempts follow each other by 50 ms, 100 ms, ...: after t seconds the next comes within another t, plus jitter.
# The rest is for a slow machine with sanitizers.
MARGIN = 1.5

NEVER_AWAKE = {"unknown", "asleep"}
AWAKENING = {"resolving", "connecting", "waking"}


@pytest.fixture(autouse=True)
def one_migration(migrations):
    migrations.write({"V1__t.sql": "CREATE TABLE t AS SELECT clock_timestamp() AS at;"})


def applied_at(database):
    return database.value("SELECT extract(epoch FROM at)::float8 FROM t")


def assert_course(states):
    """unknown or asleep, then waking in whatever steps, ready, and asleep again."""
    assert states[0] in NEVER_AWAKE and states[-1] == "asleep", states
    middle = [s for s in states if s not in NEVER_AWAKE]
    assert set(middle) <= AWAKENING | {"ready"}, states
    assert set(middle) & AWAKENING, states
    assert "ready" not in middle[:-1], states


@pytest.mark.parametrize("style", AutoPause.STYLES)
def test_paused_database(server, database, make_autopause, make_daemon, style):
    paused = make_autopause(server, style, idle=IDLE, resume=RESUME)
    daemon = make_daemon(database.url(paused.port))
    time.sleep(WATCHED)
    assert paused.events() == [] and client_sockets(paused.port) == 0  # starting up wakes nobody

    with Timeline(daemon, paused.port) as seen:
        answer = daemon.migrate(wait=30)
        assert answer.status_code == 200, answer
        daemon.wait_availability("asleep")
        time.sleep(0.1)
    up = paused.wait_for("up")["t"]
    assert_course(seen.states)
    assert seen.sockets <= 1  # a short one may not be seen
    assert up - 0.05 <= applied_at(database) <= up + RESUME + MARGIN
    run = answer.json()
    assert run["phases_ms"]["waking"] >= (RESUME - 0.2) * 1000
    if style != "hold":
        waking = [a for _, a in seen.samples if a["last_error"]]
        assert waking and {a["last_error"]["class"] for a in waking} == {"unavailable"}

    # Nothing is connected any more: it falls asleep, and looking at us does not wake it.
    paused.wait_for("pause")
    end = time.monotonic() + WATCHED
    while time.monotonic() < end:
        for path in ("/healthz", "/readyz", "/status", "/metrics", "/runs"):
            assert daemon.get(path).status_code == 200
        assert client_sockets(paused.port) == 0
    assert [e["ev"] for e in paused.events()] == ["wake", "up", "pause"]
    assert max(e["open"] for e in paused.events()) <= 1

    # Asked for, a probe wakes it, once.
    assert daemon.status(probe=1, timeout=30)["schema"]["version"] == "1"
    paused.wait_for("pause", 2)
    assert len(paused.events("wake")) == 2


def test_paused_database_and_command_line(server, database, make_autopause, cli):
    paused = make_autopause(server, "mix", idle=IDLE, resume=RESUME)
    cli.ok("migrate", DATABASE_URL=database.url(paused.port))
    assert database.exists("t") and client_sockets(paused.port) == 0
    paused.wait_for("pause")
    assert len(paused.events("wake")) == 1


def test_stopped_server_is_waited_for(own_server, make_daemon):
    database = own_server.create_database()
    own_server.stop()
    daemon = make_daemon(database.url())
    with Timeline(daemon, own_server.port) as seen:
        id = daemon.submit()
        daemon.wait_run(id, "waking", timeout=5)
        error = wait_until(lambda: daemon.availability()["last_error"], 5, "an error")
        assert error["class"] == "unavailable" and "refused" in error["message"]
        assert daemon.get("/healthz").status_code == 200 and daemon.get("/readyz").status_code == 503
        begun = time.time()
        own_server.start()
        started = time.time()
        assert daemon.wait_run(id, timeout=30)["state"] == "succeeded"
        daemon.wait_availability("asleep")
        time.sleep(0.1)
    assert applied_at(database) <= started + (started - begun) + 2 + MARGIN
    assert_course(seen.states)
    assert seen.sockets <= 1  # a short one may not be seen


def test_deadline_of_waking(database, ports, make_daemon, cli):
    nobody = database.url(ports.take())
    daemon = make_daemon(nobody, wake_timeout="1s")
    answer = daemon.migrate(wait=30)
    assert answer.status_code == 503 and answer.headers["Retry-After"], answer
    run = answer.json()
    assert run["state"] == "unavailable" and run["error"], run
    assert daemon.availability()["state"] == "asleep"
    failed = cli("migrate", DATABASE_URL=nobody, wake_timeout="1s")
    assert failed.code == 4 and "refused" in failed.err


@pytest.mark.parametrize("connect_timeout, attempts", [("60s", 1), ("1s", 2)])
def test_frozen_server(own_server, make_daemon, connect_timeout, attempts):
    """The kernel accepts, the postmaster does not answer: one held attempt, or several one after the other."""
    database = own_server.create_database()
    daemon = make_daemon(database.url(), connect_timeout=connect_timeout)
    with Timeline(daemon, own_server.port) as seen:
        with own_server.frozen():
            id = daemon.submit()
            time.sleep(2.5)
            assert daemon.run(id)["state"] == "waking"
            assert daemon.availability()["state"] in AWAKENING
            assert daemon.availability()["attempts"] >= attempts
            assert client_sockets(own_server.port) <= 1
            thawed = time.time()
        assert daemon.wait_run(id, timeout=30)["state"] == "succeeded"
        daemon.wait_availability("asleep")
        time.sleep(0.1)
    assert applied_at(database) <= thawed + 2.5 + MARGIN
    assert_course(seen.states)
    assert seen.sockets == 1 and seen.slowest < 1


def test_cancelled_and_stopped_while_frozen(own_server, make_daemon):
    database = own_server.create_database()
    daemon = make_daemon(database.url(), shutdown_grace="1s")
    with own_server.frozen():
        id = daemon.submit()
        daemon.wait_run(id, "waking")
        assert daemon.http.request("DELETE", f"/runs/{id}").status_code in (200, 202, 204)
        assert daemon.wait_run(id, timeout=5)["state"] == "cancelled"
        wait_until(lambda: client_sockets(own_server.port) == 0, 5, "no connection")
        second = daemon.submit()
        daemon.wait_run(second, "waking")
        assert daemon.stop(timeout=20) < 10
    daemon.start()
    assert daemon.wait_run(second)["state"] == "succeeded"  # resumed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can unshare -mn")
def test_resolver_that_never_answers(database, make_daemon, workdir):
    daemon = make_daemon(database.url(host="db.example.com"), prefix=silent_resolver(workdir), unix_socket=True,
                         shutdown_grace="1s")
    with Timeline(daemon) as seen:
        id = daemon.submit()
        daemon.wait_run(id, "waking", timeout=5)
        time.sleep(2)
        assert daemon.get("/healthz").status_code == 200
        assert daemon.http.request("DELETE", f"/runs/{id}").status_code in (200, 202, 204)
        assert daemon.wait_run(id, timeout=5)["state"] == "cancelled"
        daemon.wait_availability("asleep")
    assert set(seen.states) <= NEVER_AWAKE | {"resolving", "waking"} and "resolving" in seen.states
    assert seen.slowest < 0.5  # nothing waits for the resolver but the run
    assert daemon.stop(timeout=30) < 15


def test_wrong_then_corrected_password(own_server, make_daemon, workdir):
    own_server.create_password_role()
    database = own_server.create_database()
    path = os.path.join(workdir, "password")

    def write(password):
        with open(f"{path}.new", "w", encoding="utf-8") as f:
            f.write(password + "\n")
        os.rename(f"{path}.new", path)

    write("hunter2-wrong")
    daemon = make_daemon(database.url(user="with_password"), password_file=path)
    refused = "password authentication failed"
    id = daemon.submit()
    error = wait_until(lambda: daemon.availability()["last_error"], 10, "an error")
    assert error["class"] == "credentials" and error["sqlstate"] == "28P01"
    time.sleep(3)
    assert own_server.logged(refused) == 1  # a wrong password wakes and bills too: never the same one again
    assert daemon.availability()["state"] == "blocked"
    assert daemon.run(id)["state"] == "waking"
    assert client_sockets(own_server.port) == 0
    write(PASSWORD)
    corrected = time.time()
    assert daemon.wait_run(id, timeout=10)["state"] == "succeeded"
    assert applied_at(database) <= corrected + 1 + MARGIN
    assert own_server.logged(refused) == 1
    daemon.wait_availability("asleep")
    everything = daemon.log() + daemon.get("/status").text + daemon.get("/runs").text + daemon.get("/metrics").text
    assert "hunter2" not in everything and PASSWORD not in everything


def test_wrong_database_blocks(server, database, make_daemon, cli):
    url = f"postgresql://postgres@127.0.0.1:{server.port}/nosuchdatabase"
    daemon = make_daemon(url)
    answer = daemon.migrate(wait=30)
    assert answer.status_code == 503, answer
    availability = daemon.availability()
    assert availability["state"] == "blocked"
    assert availability["last_error"]["class"] == "configuration" and availability["last_error"]["sqlstate"] == "3D000"
    failed = cli("migrate", DATABASE_URL=url)
    assert failed.code == 4 and "nosuchdatabase" in failed.err
