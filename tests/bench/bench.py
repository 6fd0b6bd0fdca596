"""Measures pgmigrated against its goals and its peers: see docs/benchmarks.md. Run by script/bench."""
import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import workloads
from report import Report
from rig import Rig, memory_kb, median, ratio, thread_seconds, wait_until, wakeups


class Bench:
    def __init__(self, rig, report, quick):
        self.rig, self.report, self.quick = rig, report, quick
        self.tools = rig.tools()
        self.sets = {}

    def migrations(self, name, texts):
        if name not in self.sets:
            self.sets[name] = workloads.Migrations(f"{self.rig.top}/{name}", texts)
        return self.sets[name]

    def small(self, n):
        return self.migrations(f"small{n}", [workloads.small(i) for i in range(1, n + 1)])

    def apply(self, tool, migrations, database, port=None, **arguments):
        return self.rig.run(self.tools[tool](self.rig.url(database, port), migrations), database.server, **arguments)

    def fresh(self, tool, migrations, server=None, port=None, **arguments):
        """A function that applies the set to a new database."""
        return lambda: self.apply(tool, migrations, self.rig.database(server), port, **arguments)

    def skip_peers(self):
        for peer in ("dbmate",):
            if peer not in self.tools:
                self.report.skip(f"against {peer}: not installed")
        for peer in ("flyway", "migrate"):
            if not shutil.which(peer):
                self.report.skip(f"against {peer}: not installed")

    # -- sections --

    def nothing_to_do(self):
        self.report.begin("nothing to do, 100 migrations applied")
        rig, s, add = self.rig, self.small(100), self.report.add
        database = rig.database()
        self.apply("pgmigrated", s, database)
        query = [f"{rig.bindir}/psql", "-qX", "-o", "/dev/null", "-c", "SELECT * FROM flyway_schema_history",
                 rig.url(database)]
        runs = {"pgmigrated": lambda: self.apply("pgmigrated", s, database), "psql": lambda: rig.run(query)}
        if "dbmate" in self.tools:
            other = rig.database()
            self.apply("dbmate", s, other)
            runs["dbmate"] = lambda: self.apply("dbmate", s, other)
        results = rig.in_turn(15 if self.quick else 40, runs)
        mine = results["pgmigrated"]
        with rig.proxy(rig.server, 0) as (port, trips):
            self.apply("pgmigrated", s, database, port)
            add("round trips beyond the pooler check", trips() - 1, at_most=5)
        add("WAL syncs", min(r["syncs"] for r in mine), at_most=0)
        add("bytes of WAL", min(r["wal"] for r in mine), at_most=0)
        add("peak memory", max(r["rss_kb"] for r in mine) / 1024, "MB", at_most=14)
        add("CPU", 1e3 * median([r["cpu"] for r in mine]), "ms")
        add("wall", 1e3 * median([r["wall"] for r in mine]), "ms")
        add("CPU / psql's one query", ratio(results, "pgmigrated", "psql", "cpu"), "x", at_most=1.2)
        add("wall / psql's one query", ratio(results, "pgmigrated", "psql"), "x", at_most=1.2)
        if "dbmate" in self.tools:
            add("CPU / dbmate", ratio(results, "pgmigrated", "dbmate", "cpu"), "x", at_most=1)
            add("wall / dbmate", ratio(results, "pgmigrated", "dbmate"), "x", at_most=1)
        self.skip_peers()
        self.idle_cpu = median([r["cpu"] for r in mine])

    def changelogs(self):
        """Formatted SQL changesets, against the real Liquibase where it is."""
        self.report.begin("Liquibase changelogs")
        add, counts, rounds = self.report.add, (100,) if self.quick else (100, 1000), 2 if self.quick else 3
        tools = [t for t in ("changelog", "liquibase") if t in self.tools]
        for n in counts:
            s = self.small(n)
            results = self.rig.in_turn(rounds, {t: self.fresh(t, s) for t in tools})
            self.one_changelog(f"{n} changesets", results)
        database = self.rig.database()
        self.apply("changelog", s, database)
        results = self.rig.in_turn(rounds, {t: (lambda t=t: self.apply(t, s, database)) for t in tools})
        self.one_changelog(f"nothing to do, {n} applied", results)
        many = self.migrations("many", [workloads.tiny(i) for i in range(10000)])
        other = self.rig.database()
        self.apply("changelog", many, other)
        idle = self.rig.in_turn(rounds, {"changelog": lambda: self.apply("changelog", many, other)})["changelog"]
        add("wall, nothing to do of 10,000", 1e3 * median([r["wall"] for r in idle]), "ms")
        add("peak memory, 10,000 changesets", max(r["rss_kb"] for r in idle) / 1024, "MB")

    def one_changelog(self, what, results):
        add, mine = self.report.add, results["changelog"]
        add(f"wall, {what}", median([r["wall"] for r in mine]), "s")
        add(f"peak memory, {what}", max(r["rss_kb"] for r in mine) / 1024, "MB")
        if "liquibase" not in results:
            self.report.skip("against liquibase: needs Java and the npm registry")
            return
        add(f"wall / liquibase, {what}", ratio(results, "changelog", "liquibase"), "x", at_most=0.5)
        add(f"CPU / liquibase, {what}", ratio(results, "changelog", "liquibase", "cpu"), "x", at_most=0.02)
        add(f"peak memory / liquibase, {what}", ratio(results, "changelog", "liquibase", "rss_kb"), "x", at_most=0.15)

    def server_alone(self, migrations):
        """The same texts, run by a procedure in the server: no client at all."""
        database = self.rig.database()
        database.query(workloads.HISTORY + "CREATE TABLE texts (i int PRIMARY KEY, t text NOT NULL)")
        with contextlib.closing(database.server.connect(database.name)) as c, c.cursor() as cursor:
            cursor.executemany("INSERT INTO texts VALUES (%s, %s)",
                               [(i, t + workloads.history_row(i)) for i, t in enumerate(migrations.texts, 1)])
        loop = ("DO $$ DECLARE r record; BEGIN FOR r IN SELECT t FROM texts ORDER BY i LOOP EXECUTE r.t; COMMIT; END LOOP;"
                " END $$")
        return self.rig.run([f"{self.rig.bindir}/psql", "-qX", "-c", loop, self.rig.url(database)])

    def small_migrations(self, n, rounds):
        self.report.begin(f"{n} small migrations")
        rig, s, add = self.rig, self.small(n), self.report.add
        peers = [t for t in ("psql", "dbmate") if t in self.tools]
        runs = {t: self.fresh(t, s) for t in ("pgmigrated", *peers)}
        runs["server"] = lambda: self.server_alone(s)
        results = rig.in_turn(rounds, runs)
        mine = results["pgmigrated"]
        with rig.proxy(rig.server, 0) as (port, trips):
            self.fresh("pgmigrated", s, port=port)()
            add("round trips", trips(), at_most=n / 10 + 10)
        add("WAL syncs", min(r["syncs"] for r in mine), at_most=n + 6)
        add("WAL syncs of psql", min(r["syncs"] for r in results["psql"]))
        add("CPU each, beyond nothing to do", 1e3 * (median([r["cpu"] for r in mine]) - self.idle_cpu) / n, "ms",
            at_most=0.2)
        add("wall", median([r["wall"] for r in mine]), "s")
        add("wall / psql", ratio(results, "pgmigrated", "psql"), "x", at_most=0.9)
        add("wall / inside the server", ratio(results, "pgmigrated", "server"), "x", at_most=1.15)
        if "dbmate" in self.tools:
            add("wall / dbmate", ratio(results, "pgmigrated", "dbmate"), "x")
        if n == 100:
            self.far_away(s, peers, rounds)
        return max(r["rss_kb"] for r in mine)

    def far_away(self, s, peers, rounds):
        with self.rig.proxy(self.rig.server, 500) as (port, _):
            results = self.rig.in_turn(rounds, {t: self.fresh(t, s, port=port) for t in ("pgmigrated", *peers)})
        for peer in peers:
            self.report.add(f"wall / {peer}, 1 ms round trip", ratio(results, "pgmigrated", peer), "x", at_most=0.35)

    def slow_commits(self):
        self.report.begin("slow commits: each flush 2 ms longer, 100 migrations")
        server, s = self.rig.start_server(preload=True), self.small(100)
        base = self.tools["pgmigrated"]

        def run(flush):
            return self.rig.run([*base(self.rig.url(self.rig.database(server)), s), f"--flush={flush}"], server)

        results = self.rig.in_turn(3 if self.quick else 6, {f: lambda f=f: run(f) for f in ("immediate", "deferred")})
        self.report.add("wall, flush deferred / immediate", ratio(results, "deferred", "immediate"), "x", at_most=0.6)
        self.report.add("WAL syncs, deferred", min(r["syncs"] for r in results["deferred"]))

    def many_migrations(self, rss_100, rss_1000):
        self.report.begin("many migrations")
        add = self.report.add
        add("memory, 1,000 beyond 100", (rss_1000 - rss_100) / 1024, "MB", at_most=2)
        s = self.migrations("tiny", [workloads.tiny(i) for i in range(1, 10001)])
        database = self.rig.database()
        command = self.tools["pgmigrated"](self.rig.url(database), s)
        self.rig.run([*command, "--flush=deferred"])
        results = [self.rig.run([*command, "--json"]) for _ in range(5)]
        planning = [json.loads(r["output"])["phases_ms"]["planning"] for r in results]
        add("reading the history of 10,000 and planning", median(planning), "ms", at_most=50)
        add("nothing to do with 10,000, wall", 1e3 * median([r["wall"] for r in results]), "ms")
        add("nothing to do with 10,000, peak memory", max(r["rss_kb"] for r in results) / 1024, "MB")

    def big_files(self, idle_rss_kb):
        size = 10_000_000 if self.quick else 50_000_000
        kinds = [("100-row INSERTs", lambda: workloads.big_inserts(size, 100), 1.0),
                 ("one-row INSERTs", lambda: workloads.big_inserts(size, 1), 0.4),
                 ("COPY", lambda: workloads.big_copy(size), 1.2)]
        for i, (name, text, limit) in enumerate(kinds):
            self.report.begin(f"one file of {size // 1_000_000} MB, {name}")
            s = workloads.Migrations(f"{self.rig.top}/big{i}", [text()])
            rounds = 2 if self.quick or "one-row" in name else 3
            results = self.rig.in_turn(rounds, {t: self.fresh(t, s, watch=True) for t in ("pgmigrated", "psql")})
            mine = results["pgmigrated"]
            self.report.add("memory beyond nothing to do, the mapped file included", (max(r["rss_kb"] for r in mine) - idle_rss_kb) / 1024, "MB",
                            at_most=8)
            self.report.add("private memory of the backend", max(r["backend_kb"] for r in mine) / 1024, "MB", at_most=16)
            self.report.add("private memory in all", max(r["private_kb"] for r in mine) / 1024, "MB")
            self.report.add("CPU", median([r["cpu"] for r in mine]), "s")
            self.report.add("wall", median([r["wall"] for r in mine]), "s")
            self.report.add("wall / psql", ratio(results, "pgmigrated", "psql"), "x", at_most=limit)

    def many_databases(self, n):
        self.report.begin(f"{n} databases x 20 migrations")
        s, add, rig = self.small(20), self.report.add, self.rig

        def service(parallel):
            databases = [rig.database() for _ in range(n)]
            return self.migrate_all([(d.name, rig.url(d), s.flyway) for d in databases], parallel)

        def loop():
            databases = [rig.database() for _ in range(n)]
            began = time.monotonic()
            for d in databases:
                subprocess.run(self.tools["psql"](rig.url(d), s), check=True, env=rig.environment())
            return {"wall": time.monotonic() - began}

        results = rig.in_turn(1 if n > 100 else 2, {"1": lambda: service(1), "8": lambda: service(8), "psql": loop})
        eight = results["8"]
        add("throughput, 8 connections / 1", ratio(results, "1", "8"), "x", at_least=1.25)
        add("wall, 8 connections / psql in a loop", ratio(results, "8", "psql"), "x", at_most=0.6)
        add("wall, 8 connections", median([r["wall"] for r in eight]), "s")
        add("CPU for each", 1e3 * median([r["cpu"] for r in eight]) / n, "ms", at_most=8)
        add("threads at work", max(r["threads"] for r in eight), at_most=1)
        add("memory at work", max(r["rss_kb"] for r in eight) / 1024, "MB")
        add("p99 of /status while 8 are at work", max(r["load"]["p99_ms"] for r in eight), "ms", at_most=5)

    def migrate_all(self, databases, parallel):
        d = self.rig.start_daemon(databases, max_parallel=parallel, migrate_on_start="yes")
        began = time.monotonic()
        d.start(ready=None)
        pid = d.process.pid
        wait_until(lambda: d._answers("/healthz"), 20, "it answers", interval=0.002)
        load = subprocess.Popen([f"{self.rig.top}/httpload", str(d.port), "/status", "1", "1", "100"],
                                stdout=subprocess.PIPE) if parallel > 1 else None
        threads = 0
        while not d._answers("/readyz"):
            threads = max(threads, len(os.listdir(f"/proc/{pid}/task")))
            time.sleep(0.05)
            if time.monotonic() - began > 300:
                raise RuntimeError(f"not migrated in 5 minutes: {d.get('/readyz')} {d.log()[-2000:]}")
        wall = time.monotonic() - began
        result = {"wall": wall, "threads": threads, "cpu": thread_seconds(pid), "rss_kb": memory_kb(pid, "VmHWM")}
        if load:
            result["load"] = json.loads(load.communicate()[0])
        d.stop()
        return result

    def waiting_databases(self):
        port, n = self.rig.ports.take(), 200
        sizes = {}
        for count in (1, n):
            databases = [(f"d{i}", f"postgresql://u@127.0.0.1:{port}/d{i}", self.small(20).flyway) for i in range(count)]
            d = self.rig.start_daemon(databases, max_parallel=n, migrate_on_start="yes")
            d.start()
            time.sleep(2)
            sizes[count] = memory_kb(d.process.pid)
            d.kill()
        self.report.begin("databases that do not answer")
        self.report.add("memory for each that is waited for", (sizes[n] - sizes[1]) / (n - 1), "kB", at_most=100)

    # -- waking --

    def refusing(self, server, database):
        """From the server's line about being ready to the end of a run that had been waiting."""
        server.stop()
        size = os.path.getsize(server.log_path)
        run = subprocess.Popen(self.tools["pgmigrated"](self.rig.url(database), self.small(20)),
                               env=self.rig.environment(), stdout=subprocess.DEVNULL)
        time.sleep(2.5 if self.quick else 4.5)
        server.start(wait=False)
        if run.wait(60) != 0:
            raise RuntimeError("a run that waited for its server failed")
        ended = time.time()
        with open(server.log_path, encoding="utf-8", errors="replace") as f:
            f.seek(size)
            when = re.search(r"^(\S+ \S+) UTC .*ready to accept connections", f.read(), re.M).group(1)
        seconds, fraction = when.split(".")
        ready = time.mktime((*time.strptime(seconds, "%Y-%m-%d %H:%M:%S")[:8], 0)) - time.timezone
        return ended - ready - float(f"0.{fraction}")

    def holding(self, database):
        """From the moment that a proxy lets the connection it holds go on to the end of the run; and how many it was given."""
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
            accepted, release = [], threading.Event()

            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        client, _ = listener.accept()
                        accepted.append(client)
                        release.wait()
                        upstream = socket.create_connection(("127.0.0.1", database.server.port))
                        for a, b in ((client, upstream), (upstream, client)):
                            threading.Thread(target=pump, args=(a, b), daemon=True).start()

            threading.Thread(target=serve, daemon=True).start()
            url = self.rig.url(database, listener.getsockname()[1])
            run = subprocess.Popen(self.tools["pgmigrated"](url, self.small(20)), env=self.rig.environment(),
                                   stdout=subprocess.DEVNULL)
            time.sleep(2)
            began = time.monotonic()
            release.set()
            run.wait(60)
            return time.monotonic() - began, len(accepted)

    def woken_database(self):
        self.report.begin("a database that wakes up")
        rig, add = self.rig, self.report.add
        server = rig.start_server()
        database = rig.database(server)
        self.apply("pgmigrated", self.small(20), database)
        latencies = [self.refusing(server, database) for _ in range(3 if self.quick else 7)]
        add("ready to success where it refused, median", 1e3 * median(latencies), "ms", at_most=150)
        add("ready to success where it refused, slowest", 1e3 * max(latencies), "ms")
        seconds, attempts = self.holding(database)
        add("let go on to success where it held", 1e3 * seconds, "ms", at_most=150)
        add("attempts where it held", attempts, at_most=1)

    # -- the service --

    def start_background(self):
        """What is measured over minutes runs beside the rest."""
        url = f"postgresql://u@127.0.0.1:{self.rig.ports.take()}/d"
        self.waiter = subprocess.Popen([*self.tools["pgmigrated"](url, self.small(20)), "--wake-timeout=2h"],
                                       env=self.rig.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.rig.at_end(self.waiter.kill)
        self.idle = self.rig.start_daemon([("d", url, self.small(20).flyway)]).start()
        self.began = time.monotonic()

    def finish_background(self):
        pids = (self.waiter.pid, self.idle.process.pid)
        time.sleep(max(0.0, self.began + 65 - time.monotonic()))
        cpu, woken, at = thread_seconds(pids[0]), wakeups(pids[1]), time.monotonic()
        time.sleep(20 if self.quick else 60)
        minutes = (time.monotonic() - at) / 60
        self.report.begin("over minutes")
        self.report.add("CPU of a run that waits, after the first minute", 1e3 * (thread_seconds(pids[0]) - cpu) / minutes,
                        "ms/m", at_most=10)
        self.report.add("wake-ups of the idle service", (wakeups(pids[1]) - woken) / minutes, "/min", at_most=0)

    def ready_ms(self):
        path = f"{self.rig.top}/notify"
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as s:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            s.bind(path)
            s.settimeout(10)
            url = f"postgresql://u@127.0.0.1:{self.rig.ports.take()}/d"
            d = self.rig.start_daemon([("d", url, self.small(20).flyway)], NOTIFY_SOCKET=path)
            took = []
            for _ in range(2): # the second finds its state
                began = time.monotonic()
                d.start(ready=None)
                while b"READY=1" not in s.recv(4096):
                    pass
                took.append(1e3 * (time.monotonic() - began))
                d.stop()
                self.drain(s)
            return took

    @staticmethod
    def drain(s):
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while s.recv(4096):
                pass
        s.settimeout(10)

    def service(self):
        self.report.begin("the service")
        add, rig = self.report.add, self.rig
        first, later = zip(*(self.ready_ms() for _ in range(10)))
        add("start to READY, median of 10", median(later), "ms", at_most=15)
        add("first start to READY, which makes the state, median of 10", median(first), "ms")
        add("memory, idle", memory_kb(self.idle.process.pid) / 1024, "MB", at_most=12)
        self.latency_during_a_run()
        unused = f"postgresql://u@127.0.0.1:{rig.ports.take()}/d"
        self.against_nginx(rig.start_daemon([("d", unused, self.small(20).flyway)]).start())

    def latency_during_a_run(self):
        database = self.rig.database()
        d = self.rig.start_daemon([(database.name, self.rig.url(database), self.small(1000).flyway)]).start()
        d.submit()
        load = subprocess.run([f"{self.rig.top}/httpload", str(d.port), "/status", "1", "2", "200"], check=True,
                              capture_output=True).stdout
        d.stop()
        self.report.add("p99 of /status during a run", json.loads(load)["p99_ms"], "ms", at_most=5)

    def against_nginx(self, d):
        def load(port, path):
            out = subprocess.run([f"{self.rig.top}/httpload", str(port), path, "8", "2", "0"], check=True,
                                 capture_output=True).stdout
            return {"wall": 1.0, **json.loads(out)}

        runs = {"pgmigrated": lambda: load(d.port, "/status")}
        if not shutil.which("nginx"):
            self.report.skip("/status against nginx: not installed")
            self.report.add("/status", runs["pgmigrated"]()["per_second"], "/s")
            return
        with self.nginx(d.get("/status").content) as port:
            runs["nginx"] = lambda: load(port, "/status")
            results = self.rig.in_turn(3, runs)
        self.report.add("/status", median([r["per_second"] for r in results["pgmigrated"]]), "/s")
        self.report.add("/status / nginx with the same bytes", ratio(results, "pgmigrated", "nginx", "per_second"), "x",
                        at_least=0.6)

    @contextlib.contextmanager
    def nginx(self, content):
        """One worker that serves the bytes from a file."""
        top, port = f"{self.rig.top}/nginx", self.rig.ports.take()
        os.makedirs(f"{top}/www", exist_ok=True)
        os.chmod(self.rig.top, 0o755)
        with open(f"{top}/www/status", "wb") as f:
            f.write(content)
        conf = workloads.write(f"{top}/nginx.conf", f"""worker_processes 1; daemon off; pid {top}/pid; error_log {top}/error;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 100000000; default_type application/json; sendfile on; tcp_nopush on;
  client_body_temp_path {top}/b; proxy_temp_path {top}/p; fastcgi_temp_path {top}/f; uwsgi_temp_path {top}/u; scgi_temp_path {top}/s;
  server {{ listen 127.0.0.1:{port}; root {top}/www; open_file_cache max=10; }} }}
""")
        process = subprocess.Popen(["nginx", "-c", conf, "-p", top], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: answers(port), 10, "nginx answers")
            yield port
        finally:
            process.terminate()
            process.wait()

    def all(self):
        quick = self.quick
        self.start_background()
        self.nothing_to_do()
        rss_100 = self.small_migrations(100, 4 if quick else 8)
        rss_1000 = self.small_migrations(1000, 1 if quick else 3)
        self.slow_commits()
        self.many_migrations(rss_100, rss_1000)
        self.changelogs()
        self.big_files(self.idle_rss())
        self.many_databases(20)
        if not quick:
            self.many_databases(200)
        self.waiting_databases()
        self.woken_database()
        self.service()
        self.finish_background()

    def idle_rss(self):
        database = self.rig.database()
        self.apply("pgmigrated", self.small(20), database)
        return self.apply("pgmigrated", self.small(20), database)["rss_kb"]


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def answers(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def main():
    parser = argparse.ArgumentParser(prog="script/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    report = Report("quick" if options.quick else "full", sys.stdout)
    with contextlib.closing(Rig(options.build, options.quick)) as rig:
        Bench(rig, report, options.quick).all()
    return 1 if report.finish(f"{options.build}/bench.json") else 0


if __name__ == "__main__":
    sys.exit(main())
