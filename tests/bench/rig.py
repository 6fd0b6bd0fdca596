"""What measures: the server with its default durability, the tools in turn, the proxy, and /proc."""
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../integration")

from harness import daemon, ports, postgres  # noqa: E402
from harness.waiting import wait_until  # noqa: E402,F401

PROGRAMS = {"timerun": ["-static"], "pgproxy": [], "httpload": [], "slowsync.so": ["-shared", "-fPIC"]}
# The walwriter and autovacuum would flush on their own account.
SETTINGS = {"log_statement": "none", "log_connections": "off", "log_disconnections": "off", "autovacuum": "off",
            "wal_writer_delay": "10s", "checkpoint_timeout": "1h", "max_wal_size": "8GB", "max_connections": 300}
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
USER, PASSWORD = "with_password", postgres.PASSWORD


def median(values):
    return statistics.median(values)


def thread_seconds(pid):
    """CPU time that the process has used, in seconds, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def wakeups(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return total


def memory_kb(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next((int(line.split()[1]) for line in f if line.startswith(f"{field}:")), 0)


def compile_programs(directory):
    for name, flags in PROGRAMS.items():
        source = f"{HERE}/{name.removesuffix('.so')}.c"
        subprocess.run(["gcc", "-O2", *flags, "-o", f"{directory}/{name}", source], check=True)


class MemoryWatch:
    """The most private memory that a client's backend had, and the client, looked at every 10 ms."""

    def __init__(self, server):
        self._children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
        self._own = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
        self.backend_kb, self.client_kb, self._stop = 0, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @staticmethod
    def _private_kb(children, word):
        """The largest of those children, or children's children, in whose command the word is."""
        largest = 0
        with contextlib.suppress(OSError):
            with open(children, encoding="ascii") as f:
                pids = f.read().split()
            for pid in pids:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                    command = f.read().split("\0")
                if word in command[0]:
                    largest = max(largest, memory_kb(pid, "RssAnon"))
                elif command[0].endswith("timerun"):
                    largest = max(largest, MemoryWatch._private_kb(f"/proc/{pid}/task/{pid}/children", word))
        return largest

    def _watch(self):
        while not self._stop.wait(0.01):
            self.backend_kb = max(self.backend_kb, self._private_kb(self._children, f" {USER} "))
            self.client_kb = max(self.client_kb, self._private_kb(self._own, "pgmigrated"))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Rig:
    def __init__(self, build, quick):
        self.build, self.quick = build, quick
        self.pgmigrated = f"{build}/pgmigrated"
        self.top = subprocess.run(["mktemp", "-d", "/tmp/pgmigrated-bench.XXXXXX"], check=True, capture_output=True,
                                  text=True).stdout.strip()
        self._stack = contextlib.ExitStack()
        self._stack.callback(shutil.rmtree, self.top, ignore_errors=True)
        compile_programs(self.top)
        self.ports = self._stack.enter_context(contextlib.closing(ports.Ports()))
        self.bindir = postgres.find_bindir()
        self._template = postgres.initdb(self.bindir)
        self._stack.callback(shutil.rmtree, self._template, ignore_errors=True)
        self.server = self.start_server()
        self.dbmate = self._find_dbmate()
        self.liquibase = self._find_liquibase()

    def close(self):
        self._stack.close()

    def at_end(self, function):
        self._stack.callback(function)

    # -- servers --

    def start_server(self, preload=False):
        server = self._stack.enter_context(contextlib.closing(
            postgres.Postgres(self.bindir, self._template, self.ports.take(), fsync=True, settings=SETTINGS)))
        if preload:
            shared = shutil.copy(f"{self.top}/slowsync.so", server.top)
            os.chmod(shared, 0o755)
            os.environ.update(LD_PRELOAD=shared, SLOWSYNC_US="2000")
        try:
            server.start()
        finally:
            os.environ.pop("LD_PRELOAD", None)
        server.create_password_role()
        return server

    @contextlib.contextmanager
    def proxy(self, server, delay_us):
        """The port of a proxy, and a function that gives the round trips of the connections that ended since it was asked last."""
        port, out = self.ports.take(), f"{self.top}/trips"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(out)
        process = subprocess.Popen([f"{self.top}/pgproxy", str(port), str(server.port), out, str(delay_us)])

        def trips():
            time.sleep(0.1)
            with contextlib.suppress(FileNotFoundError):
                with open(out, encoding="ascii") as f:
                    counts = [int(line) for line in f]
                os.unlink(out)
                return sum(counts)
            return 0

        time.sleep(0.2)
        try:
            yield port, trips
        finally:
            process.terminate()
            process.wait()

    def database(self, server=None):
        """A new one. None is dropped before the end: ext4 is slow with the files that come after a drop."""
        return (server or self.server).create_database("bench")

    def url(self, database, port=None):
        return f"postgresql://{USER}@127.0.0.1:{port or database.server.port}/{database.name}?sslmode=disable"

    # -- tools --

    def _find_dbmate(self):
        found = shutil.which("dbmate")
        if found or not shutil.which("npm"):
            return found
        directory = f"{self.build}/dbmate"
        native = f"{directory}/node_modules/@dbmate/linux-x64/bin/dbmate"
        if not os.path.exists(native):
            os.makedirs(directory, exist_ok=True)
            with contextlib.suppress(subprocess.SubprocessError):
                subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, "dbmate"],
                               timeout=120, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return native if os.path.exists(native) else None

    @staticmethod
    def _find_liquibase():
        """The folder of the real one (script/liquibase-versions), None where it or Java is not."""
        done = subprocess.run([f"{TOP}/script/liquibase-versions"], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.top, "PGMIGRATED_LOG_LEVEL": "warning", "PGPASSWORD": PASSWORD}

    def tools(self):
        """name -> how it applies a set to the database of a URL. Those that are not here are left out."""
        psql = f"{self.bindir}/psql"
        known = {
            "pgmigrated": lambda url, s: [self.pgmigrated, "migrate", "--quiet", f"--url={url}", f"--migrations={s.flyway}"],
            "psql": lambda url, s: [psql, "-qX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", s.psql, url],
        }
        if self.dbmate:
            known["dbmate"] = lambda url, s: [self.dbmate, "--url", url, "--migrations-dir", s.dbmate, "--no-dump-schema",
                                              "migrate"]
        known["changelog"] = lambda url, s: [self.pgmigrated, "migrate", "--quiet", f"--url={url}", "--format=liquibase",
                                             f"--migrations={s.liquibase}"]
        if self.liquibase:
            known["liquibase"] = lambda url, s: [
                f"{self.liquibase}/liquibase", f"--url=jdbc:{url.replace(f'{USER}@', '')}", f"--username={USER}", f"--password={PASSWORD}",
                f"--search-path={s.top}", "--changelog-file=changelog.sql", "--show-banner=false", "update"]
        return known

    def run(self, command, server=None, watch=False):
        """Wall and CPU seconds, peak memory in kB, WAL syncs and bytes; with watch, the backend's private memory too."""
        server = server or self.server
        out = f"{self.top}/timerun.json"
        watcher = MemoryWatch(server) if watch else contextlib.nullcontext()
        with contextlib.closing(server.connect()) as c, c.cursor() as cursor:
            def wal():
                cursor.execute("SELECT wal_sync, pg_current_wal_insert_lsn() - '0/0' FROM pg_stat_wal")
                return cursor.fetchone()

            before = wal()
            with watcher:
                done = subprocess.run([f"{self.top}/timerun", out, *command], env=self.environment(), cwd=self.top,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False)
            if done.returncode != 0:
                raise RuntimeError(f"{command[0]} failed: {done.stdout.decode()[-2000:]}")
            time.sleep(0.05)
            after = wal()
        with open(out, encoding="ascii") as f:
            result = json.load(f)
        result.update(syncs=after[0] - before[0], wal=int(after[1] - before[1]), output=done.stdout.decode())
        if watch:
            result.update(backend_kb=watcher.backend_kb, private_kb=watcher.client_kb)
        return result

    def in_turn(self, rounds, runs):
        """runs: name -> function that measures once. All in turn, the first one rotating; name -> results by round."""
        results, names = {name: [] for name in runs}, list(runs)
        for i in range(rounds):
            for name in names[i % len(names):] + names[:i % len(names)]:
                results[name].append(runs[name]())
        return results

    # -- the service --

    def start_daemon(self, databases, **options):
        """databases: (name, url, folder) each. Not waited for."""
        directory = subprocess.run(["mktemp", "-d", f"{self.top}/daemon.XXXXXX"], check=True, capture_output=True,
                                   text=True).stdout.strip()
        with open(f"{directory}/pgmigrated.conf", "w", encoding="utf-8") as f:
            for name, url, folder in databases:
                f.write(f"[database {name}]\nurl = {url}\nmigrations = {folder}\n")
        d = daemon.Daemon(self.pgmigrated, directory, self.ports.take(), {"log_level": "warning", "PGPASSWORD": PASSWORD, **options},
                          arguments=("--config", f"{directory}/pgmigrated.conf"))
        self._stack.callback(self._end, d)
        return d

    @staticmethod
    def _end(d):
        if d.running:
            d.kill()


def ratio(results, a, b, field="wall"):
    """The median of a/b, each within one round."""
    return median([x[field] / y[field] for x, y in zip(results[a], results[b])])
