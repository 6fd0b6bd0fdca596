"""The crash matrix: something goes wrong at every step of a run, a restart finishes it, and the history tells the truth.

A fault strikes at a place that is found in the bytes of the connection (tests/tools/faultproxy.py), so that it is the
same at the next try. PGMIGRATED_FAULTS=N is how many there are (200), PGMIGRATED_SEED the seed that is printed,
PGMIGRATED_FAULT=I repeats only the one with that number."""
import concurrent.futures
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback

import pytest

from harness.daemon import Cli, Daemon
from harness.faults import SCENARIOS, check_truth, server_major, sessions, signal_backend
from harness.migrations import Migrations
from harness.waiting import wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from faultproxy import Fault, FaultProxy  # noqa: E402

FAULTS = int(os.environ.get("PGMIGRATED_FAULTS", "200"))
SEED = os.environ.get("PGMIGRATED_SEED") or str(random.SystemRandom().randrange(10 ** 9))
ONLY = os.environ.get("PGMIGRATED_FAULT")
AT_ONCE = 4
PATIENCE = 90  # seconds for a run to end by itself
OPTIONS = {"format": "flyway", "log_level": "info"}
CANCELLED = 5  # exit status
# How often each, out of a hundred. kill and stop (SIGTERM) end our process; the last two end the server's, and so
# everybody's session.
KINDS = {"kill": 22, "stop": 8, "terminate": 20, "cut": 16, "reset": 6, "orphan": 8, "freeze": 4, "pause": 3, "cut_bytes": 5,
         "stop_server": 5, "crash_backend": 3}
ALONE = {"stop_server", "crash_backend"}
SECOND = {k: n for k, n in KINDS.items() if k not in ALONE}
GOOD_STATES = {"queued", "waking", "locking", "planning", "applying", "interrupted", "succeeded"}
BY_PROXY = {"cut", "reset", "orphan", "freeze", "pause"}


class Place:
    """How much goes over the wire in a run of a scenario without a fault."""

    def __init__(self, proxy, seconds):
        self.messages, self.up, self.down, self.seconds = proxy.messages, proxy.up, proxy.down, seconds


class Bench:
    """What the faults share."""

    def __init__(self, server, binary, ports, workdir):
        self.server, self.binary, self.ports, self.workdir = server, binary, ports, workdir
        self.lock = threading.Lock()
        self.scenarios, self.places = [], {}
        for make in SCENARIOS:
            s = make(server_major(server))
            Migrations(f"{workdir}/{s.name}").write(s.files)
            self.scenarios.append(s)
            self.measure(s)

    def measure(self, scenario):
        database = self.database()
        begun = time.monotonic()
        with FaultProxy(self.server.port) as proxy:
            assert Attempt(self, scenario, database, f"{scenario.name}-measured", proxy.port).run() == 0
        self.places[scenario.name] = Place(proxy, time.monotonic() - begun)
        check_truth(database, scenario)

    def database(self):
        with self.lock:
            return self.server.create_database("f")

    def drop(self, database):
        with contextlib.closing(self.server.connect()) as c, c.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {database.name}")

    def port(self):
        with self.lock:
            return self.ports.take()


class Attempt:
    """One `pgmigrated migrate` after the other, on one database."""

    def __init__(self, bench, scenario, database, name, port, options=None):
        self.directory = f"{bench.workdir}/{name}"
        os.makedirs(self.directory, exist_ok=True)
        self.cli = Cli(bench.binary, self.directory, {
            "DATABASE_URL": database.url(port), "migrations": f"{bench.workdir}/{scenario.name}", **OPTIONS, **(options or {})})
        self.process, self.said = None, []

    def begin(self):
        self.process = self.cli.start("migrate")
        return self

    def kill(self, number):
        self.process.send_signal(number)

    def end(self):
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            err += b"\n*** had to be killed"
        self.said.append(f"exit {self.process.returncode}\n{out.decode()[-1500:]}\n{err.decode()[-2500:]}")
        return self.process.returncode

    def run(self):
        return self.begin().end()


class Service:
    """The same with the service, which migrates when it starts."""

    def __init__(self, bench, scenario, database, name, port, options):
        directory = f"{bench.workdir}/{name}"
        os.makedirs(directory, exist_ok=True)
        self.daemon = Daemon(bench.binary, directory, bench.port(), {
            "DATABASE_URL": database.url(port), "migrations": f"{bench.workdir}/{scenario.name}",
            "migrate_on_start": "yes", "shutdown_grace": "1ms", **OPTIONS, **options})
        self.killed, self.lock, self.over = threading.Event(), threading.Lock(), False

    @property
    def said(self):
        return [self.daemon.log()[-4000:]]

    def begin(self):
        self.daemon.start(ready=None)
        return self

    def kill(self, number):
        with self.lock:
            if not self.over:
                self.killed.set()
                self.daemon.process.send_signal(number)

    def end(self):
        """-9 when it was killed or stopped; else 0 once it is done, and then it is stopped."""
        done = wait_until(self._ended, PATIENCE, lambda: f"the run is done:\n{self.said}")
        if done == "done":
            with self.lock:  # a kill that comes this late strikes nobody
                self.over = not self.killed.is_set()
            if self.over:
                self.daemon.stop()
                return 0
            self.daemon.process.wait(30)
            self.killed.clear()
        self.daemon.process = None
        return -signal.SIGKILL

    def _ended(self):
        if self.daemon.process.poll() is not None:
            assert self.killed.is_set(), f"it ended with {self.daemon.process.returncode}"
            assert self.daemon.process.returncode in (0, -signal.SIGKILL), self.daemon.process.returncode
            self.killed.clear()
            return "killed"
        with contextlib.suppress(OSError):
            runs = self.daemon.runs()
            assert {r["state"] for r in runs} <= GOOD_STATES, runs
            return runs and all(r["state"] == "succeeded" for r in runs) and "done"
        return None


class Trial:
    """A fault (sometimes another one while it recovers), the restart, and the truth afterwards. All that is random is
    drawn here, from the seed and the number."""

    def __init__(self, bench, number):
        dice = random.Random(f"{SEED}/{number}")
        self.bench, self.number = bench, number
        self.scenario = dice.choices(bench.scenarios, [2, 3, 6, 3])[0]
        self.runner = Service if dice.random() < 0.15 else Attempt
        self.options = {"flush": "deferred"} if dice.random() < 0.2 else {}
        self.kinds = [dice.choices(list(KINDS), list(KINDS.values()))[0]]
        self.faults = [self.draw(dice, self.kinds[0], bench.places[self.scenario.name])]
        if dice.random() < 0.3 and self.kinds[0] not in ALONE:
            self.kinds.append(dice.choices(list(SECOND), list(SECOND.values()))[0])
            self.faults.append(self.draw(dice, self.kinds[1], bench.places[self.scenario.name]))
        self.alone = not ALONE.isdisjoint(self.kinds)
        self.attempt = self.proxy = None
        self.struck, self.killed, self.server_back = 0, 0, threading.Event()

    def draw(self, dice, kind, place):
        when = dice.choice(["before", "after", "after", "answered"])
        linger = dice.uniform(0.1, 1.0) if kind in BY_PROXY else dice.choice([0, dice.expovariate(1 / 0.01)])
        if kind == "cut_bytes":
            where = dice.choice(["up", "down"])
            return Fault(where, dice.randrange(1, getattr(place, where)))
        return Fault("message", dice.randint(1, place.messages), when, kind if kind in BY_PROXY else "call", linger,
                     lambda c: self.strike(kind, c))

    def __str__(self):
        faults = ", then ".join(f"{k} at {f}" for k, f in zip(self.kinds, self.faults))
        return f"fault {self.number}: {self.runner.__name__} of {self.scenario.name}: {faults}"

    def strike(self, kind, connection):
        """In the proxy's thread."""
        if kind in ("kill", "stop"):
            self.killed += 1
            self.attempt.kill(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
        elif kind == "terminate":
            signal_backend(connection, signal.SIGTERM)
        else:
            threading.Thread(target=self.strike_server, args=(kind, connection)).start()

    def strike_server(self, kind, connection):
        server = self.bench.server
        if kind == "stop_server":
            server.stop_immediately()
            server.start()
        else:
            before = server.logged("ready to accept connections")
            # A session that was ending anyway takes nobody with it.
            deadline = time.monotonic() + (3 if signal_backend(connection, signal.SIGKILL) else 0)
            while server.logged("ready to accept connections") == before and time.monotonic() < deadline:
                time.sleep(0.02)
        wait_until(server.answers, 60, "the server is back")
        self.server_back.set()

    def run(self):
        database = self.bench.database()
        with FaultProxy(self.bench.server.port, self.faults) as self.proxy:
            self.attempt = self.runner(self.bench, self.scenario, database, f"trial{self.number}", self.proxy.port,
                                       self.options)
            code, restarts = self.attempt.begin().end(), 0
            while code in (-signal.SIGKILL, CANCELLED) and restarts < self.killed:
                code, restarts = self.attempt.begin().end(), restarts + 1
            self.struck = self.proxy.happened
            if self.alone and self.struck:
                assert self.server_back.wait(60), "the server did not come back"
            assert code == 0, f"exit {code} after {restarts} restarts: {sessions(database)}"
            check_truth(database, self.scenario)
        self.bench.drop(database)


def attempt(trial):
    """None, or what went wrong."""
    try:
        trial.run()
        return None
    except BaseException:
        said = "\n--\n".join(trial.attempt.said) if trial.attempt else ""
        messages = trial.proxy.log[-6:] if trial.proxy else ""
        return f"{trial}\n{traceback.format_exc(limit=4)}\n{said}\nlast messages: {messages}"


@pytest.fixture
def bench(make_server, binary, ports, workdir):
    print(f"PGMIGRATED_SEED={SEED} PGMIGRATED_FAULTS={FAULTS}")
    server = make_server(settings={"log_statement": "none", "autovacuum_naptime": "1s"})
    yield Bench(server, binary, ports, workdir)
    server.close()


def test_crash_matrix(bench):
    trials = [Trial(bench, i) for i in range(FAULTS) if ONLY is None or i == int(ONLY)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failures = list(filter(None, pool.map(attempt, [t for t in trials if not t.alone])))
    failures += filter(None, map(attempt, [t for t in trials if t.alone]))
    struck = sum(t.struck for t in trials)
    print(f"{struck} faults struck {len(trials)} runs, {len(failures)} did not recover")
    text = "\n\n".join(failures[:8])
    assert not failures, f"{len(failures)} of {len(trials)} failed. Again: PGMIGRATED_SEED={SEED} " \
                         f"PGMIGRATED_FAULT=N.\n\n{text}"
    assert struck >= len(trials) or ONLY


def test_readers_do_not_stop_the_cleaning_up(cli, database, migrations):
    """Who reads a table has its indexes locked, the invalid one too: that is no reason to leave the invalid one."""
    migrations.write({"V1__t.sql": "CREATE TABLE t (a int);"})
    cli.ok("migrate")
    migrations.write({"V2__i.sql": "CREATE INDEX CONCURRENTLY i ON t (a);"})
    with contextlib.closing(database.server.connect(database.name)) as other:
        other.autocommit = False
        other.cursor().execute("INSERT INTO t VALUES (1)")  # the build waits for this transaction to end
        first = cli.start("migrate")
        wait_until(lambda: database.exists("i"), PATIENCE, "the index is begun")
        first.kill()
        first.communicate()
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pgmigrated'")
        wait_until(lambda: database.sessions() == 0, PATIENCE, "the build has ended")
        other.rollback()
        assert not database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
        other.cursor().execute("SELECT FROM t")
        second = cli.start("migrate")
        wait_until(lambda: second.poll() is not None or database.query(
            "SELECT pid FROM pg_stat_activity WHERE query ~ '^DROP INDEX' AND wait_event_type = 'Lock'"), PATIENCE,
            lambda: f"it waits for the reader to drop the index: {sessions(database)}")
        other.rollback()
        _, err = second.communicate(timeout=PATIENCE)
        assert second.returncode == 0, err.decode()
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
    assert len(database.history()) == 2 and not database.exists("pgmigrated_journal")
