"""Clients at their worst against the whole service: tests/tools/http_chaos.py over real databases."""
import contextlib
import json
import os
import random
import sys
import threading
import time

from harness.processes import children
from harness.waiting import wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import http_chaos  # noqa: E402

WARM_UP, SECONDS = 4, 26
MEMORY = 24 * 1024 * 1024  # what buffers, the event ring and the allocator's slack may take more than after warming up


class Client(http_chaos.Client):
    """The same misbehaviour; only what is expected of migrations is that of a real database called app."""

    def keep_alive(self):
        with self.connect() as s:
            for _ in range(self.random.randrange(1, 20)):
                target, statuses = self.random.choice(
                    [("/healthz", (200,)), ("/status", (200,)), ("/metrics", (200,)), ("/nope", (404,)), ("/runs?limit=0", (400,)),
                     ("/", (200,)), ("/runs?limit=20", (200,)), ("/%00", (400,)), ("/readyz", (200, 503)),
                     ("/databases/nope/plan", (404,))])
                if not self.expect(s, self.head("GET", target), *statuses):
                    http_chaos.fail(f"GET {target}: the connection was closed")
                    return

    def migrate(self):
        with self.connect() as s:
            for target, statuses in ((self.random.choice([("1", (200, 202)), ("99", (409, 202)), ("latest", (200, 202))])),):
                body = json.dumps({"database": "app", "target": target, "reason": "x" * self.random.randrange(1, 100)})
                self.expect(s, self.head("POST", "/migrate?wait=2", f"Content-Length: {len(body)}\r\n") + body.encode(), *statuses)

    def chunked(self):
        with self.connect() as s:
            body = b'{"database":"app","target":"1"}'
            s.sendall(self.head("POST", "/migrate", "Transfer-Encoding: chunked\r\n"))
            for i in range(len(body)):
                s.sendall(b"1\r\n" + body[i:i + 1] + b"\r\n")
            self.expect(s, b"0\r\n\r\n", 202)

    def long_poll_dropped(self):
        s = self.connect()
        what = self.random.choice(["/databases/app/plan", "/databases/app/history", "/status?probe=1"])
        s.sendall(self.head("GET", what))
        time.sleep(self.random.random() * 0.2)
        self.leave(s)
        http_chaos.note("long-poll dropped")


def misbehave(port, path, seconds, seed):
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=http_chaos.misbehave, args=(Client(port, path, seed + i), until))
               for i in range(http_chaos.CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def read_descriptors(pid):
    kinds = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            kinds.append(os.readlink(f"/proc/{pid}/fd/{fd}").split("[")[0])
    return sorted(kinds)


def descriptors(pid):
    """What is open, by kind, in the emptiest of several readings: a connection of our own that is just being closed
    is gone in the next one, and what was leaked is in all of them."""
    readings = []
    for _ in range(15):
        readings.append(read_descriptors(pid))
        time.sleep(0.2)
    return min(readings, key=len)


def memory(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_clients_that_misbehave(make_daemon, server, workdir, migrations):
    database = server.create_database()
    migrations.write({"V1__one.sql": "CREATE TABLE one ();", "V2__two.sql": "CREATE TABLE two ();"})
    path, config = os.path.join(workdir, "s"), os.path.join(workdir, "pgmigrated.conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"socket = {path}\n[database app]\nurl = {database.url()}\n")
    directory = os.path.join(workdir, "daemon1")
    daemon = make_daemon(
        None, arguments=("--config", config), keep_runs=50, shutdown_grace="5s", log_level="error",
        http_header_timeout="2s", http_body_timeout="2s", http_idle_timeout="2s",
        # Freed memory goes back at once, so that what is left says something; the log of leaks stays.
        ASAN_OPTIONS=f"detect_leaks=1:exitcode=99:log_path={directory}/sanitizer:quarantine_size_mb=1:allocator_release_to_os_interval_ms=100")
    seed = random.randrange(1 << 30)
    print("seed", seed)
    http_chaos.failures.clear()

    def settled():
        """Until only our own connection is left and nothing runs: (descriptors, memory, what it says of itself)."""
        wait_until(lambda: not daemon.runs(state="queued") and not daemon.status()["current_run"], 60, "all runs are over")
        wait_until(lambda: database.sessions() == 0, 30, "no session in the database")
        values = http_chaos.settle(daemon.port)
        pid = daemon.process.pid
        return descriptors(pid), memory(pid), values

    misbehave(daemon.port, path, WARM_UP, seed)
    fds, before, _ = settled()
    misbehave(daemon.port, path, SECONDS, seed + 100)
    fds_after, after, values = settled()
    print(f"{http_chaos.counts}, {values}, memory {before >> 20} -> {after >> 20} MB")
    assert not http_chaos.failures, http_chaos.failures[:20]
    assert fds_after == fds
    assert not children(daemon.process.pid)
    assert after < before + MEMORY
    assert values["pgmigrated_http_dropped_total"] > 20 and values["pgmigrated_http_timeouts_total"] > 0
    # A machine may charge a step for time that its host took: a few in many thousands say nothing of us.
    assert values["pgmigrated_loop_stalls_total"] <= values["pgmigrated_loop_dispatches_total"] / 2000, values
    assert daemon.migrate(target="latest").status_code == 200
    assert [r["version"] for r in database.history()] == ["1", "2"]
