"""pgmigrated as its users see it: the service and the command line."""
import collections
import contextlib
import glob
import os
import signal
import subprocess
import threading
import time

from . import processes
from .http import Client
from .waiting import wait_until

FINISHED = {"succeeded", "failed", "refused", "unavailable", "cancelled"}
CLI_TIMEOUT = 120
# Said once by every program with fibers; they do tell ASan when they switch stacks.
FIBER_WARNING = "WARNING: ASan doesn't fully support makecontext/swapcontext"

Result = collections.namedtuple("Result", "code out err")


def environment(directory, options):
    """Nothing of ours but what the options say: unknown PGMIGRATED_ names are refused. Keys that are not all upper
    case are options (connect_timeout), others go in as they are. None: not set. Tests say themselves when a run
    begins."""
    options = {"migrate_on_start": "no", **options}
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if k in os.environ}
    report = f"log_path={directory}/sanitizer"
    options = {k: v for k, v in options.items() if v is not None}
    return {
        **kept, "HOME": str(directory),
        "ASAN_OPTIONS": f"detect_leaks=1:exitcode=99:{report}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:halt_on_error=1:exitcode=99:{report}",
        **{k if k.isupper() else f"PGMIGRATED_{k.upper()}": str(v) for k, v in options.items()},
    }


def check_sanitizer(directory):
    for path in glob.glob(f"{directory}/sanitizer.*"):
        with open(path, encoding="utf-8", errors="replace") as f:
            report = "".join(line for line in f if FIBER_WARNING not in line)
        os.unlink(path)
        if report.strip():
            raise AssertionError(f"a sanitizer complains:\n{report[:20000]}")


class Cli:
    """Runs commands: cli("migrate", "--target", "2") -> Result(code, out, err)."""

    def __init__(self, binary, directory, options):
        self.binary, self.directory, self.options = binary, str(directory), options

    def command(self, *arguments, user=None):
        return [*processes.as_user(user), self.binary, *map(str, arguments)]

    def __call__(self, *arguments, user=None, timeout=CLI_TIMEOUT, cwd=None, **options):
        done = subprocess.run(
            self.command(*arguments, user=user), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
            cwd=cwd or self.directory, env=environment(self.directory, {**self.options, **options}))
        result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
        check_sanitizer(self.directory)
        assert 0 <= result.code < 99, f"{arguments} ended badly: {result}"
        return result

    def ok(self, *arguments, **more):
        """The same, for what must succeed: the result's standard output."""
        result = self(*arguments, **more)
        assert result.code == 0, f"{arguments}: {result}"
        return result.out

    def start(self, *arguments, **options):
        """In the background; the caller waits for it."""
        return subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.directory, env=environment(self.directory, {**self.options, **options}))


class Daemon:
    """`pgmigrated serve`. Its state directory outlives kill(), stop() and start() again.

    prefix: words in front of the command (unshare, setpriv). With unix_socket, the API is reached through that."""

    def __init__(self, binary, directory, port, options, prefix=(), arguments=(), unix_socket=False):
        self.binary, self.directory, self.port = binary, str(directory), port
        self.prefix, self.arguments = list(prefix), list(arguments)
        self.state_directory, self.log_path = f"{directory}/state", f"{directory}/stderr"
        self.options = {"state_directory": self.state_directory, "listen": f"127.0.0.1:{port}", **options}
        unix_path = f"{directory}/api.sock" if unix_socket else None
        if unix_path:
            self.options.update(listen="", socket=unix_path)
        self.http = Client(port, unix_path)
        self.process = None

    # -- life --

    def start(self, ready="/healthz", timeout=20):
        """Waits until ready answers 200; None: does not wait."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, "serve", *self.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, env=environment(self.directory, self.options))
        if ready:
            wait_until(lambda: self._answers(ready), timeout, lambda: f"{ready} answers 200:\n{self.log()[-4000:]}")
        return self

    def _answers(self, path):
        if self.process.poll() is not None:
            raise AssertionError(f"pgmigrated ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        with contextlib.suppress(OSError):
            return self.get(path).status_code == 200
        return False

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def stop(self, timeout=60):
        """SIGTERM; asserts a clean end. Returns how many seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {timeout} s after SIGTERM:\n{self.log()[-4000:]}") from None
        self.process = None
        check_sanitizer(self.directory)
        assert code == 0, f"exit status {code} after SIGTERM:\n{self.log()[-4000:]}"
        return time.monotonic() - begun

    def restart(self, **arguments):
        if self.running:
            self.stop()
        return self.start(**arguments)

    def close(self):
        """At the end of every test: it must still be there (unless the test ended it), stop, and have leaked nothing."""
        if self.process is None:
            return check_sanitizer(self.directory)
        code = self.process.poll()
        if code is None:
            return self.stop()
        self.process = None
        check_sanitizer(self.directory)
        raise AssertionError(f"pgmigrated had ended with {code}:\n{self.log()[-4000:]}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    # -- the API --

    def get(self, path, **arguments):
        return self.http.get(path, **arguments)

    def post(self, path, body=None, **arguments):
        return self.http.post(path, body, **arguments)

    def status(self, database=None, **query):
        """One database's part of /status: the named one, or the first."""
        answer = self.get("/status", **query)
        assert answer.status_code == 200, answer
        databases = answer.json()["databases"]
        return next(d for d in databases if database in (None, d["name"]))

    def migrate(self, wait=60, headers=None, **body):
        return self.post("/migrate", body or None, headers=headers, timeout=wait + 30, wait=wait)

    def submit(self, **body):
        """Starts a run and returns its id at once."""
        answer = self.post("/migrate", body or None)
        assert answer.status_code == 202, answer
        assert answer.headers["Location"].startswith("/runs/"), answer.headers
        return answer.headers["Location"].removeprefix("/runs/")

    def run(self, id):
        answer = self.get(f"/runs/{id}")
        assert answer.status_code == 200, answer
        return answer.json()

    def runs(self, **query):
        """The runs, newest first."""
        answer = self.get("/runs", **query)
        assert answer.status_code == 200, answer
        document = answer.json()
        return document["runs"] if isinstance(document, dict) else document

    def wait_run(self, id, states=FINISHED, timeout=60):
        """The run, once it is in one of the states."""
        states = {states} if isinstance(states, str) else set(states)

        def reached():
            run = self.run(id)
            assert run["state"] in states or run["state"] not in FINISHED, run
            return run if run["state"] in states else None

        return wait_until(reached, timeout, lambda: f"run in {sorted(states)}: {self.run(id)}")

    def wait_availability(self, state, timeout=20):
        return wait_until(lambda: self.availability() if self.availability()["state"] == state else None, timeout,
                          lambda: f"availability {state}: {self.availability()}")

    def availability(self):
        return self.status()["availability"]


class Timeline:
    """Watches /status and the sockets towards a port, in a thread, as fast as it can.

    states: the availability states in the order seen, each once in a row; sockets: the most that were open at once;
    slowest: the longest that /status took, in seconds."""

    def __init__(self, daemon, port=None):
        self._daemon, self._port = daemon, port
        self.samples, self.sockets, self.slowest, self.failure = [], 0, 0.0, None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._watch_status, daemon=True)]
        if port:
            self._threads.append(threading.Thread(target=self._watch_sockets, daemon=True))

    def _watch_status(self):
        while not self._stop.wait(0.01):
            begun = time.monotonic()
            try:
                availability = self._daemon.availability()
            except Exception as e:  # shown by __exit__
                self.failure = e
                return
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.samples.append((time.time(), availability))

    def _watch_sockets(self):
        while not self._stop.wait(0.002):
            self.sockets = max(self.sockets, processes.client_sockets(self._port))

    @property
    def states(self):
        names = [a["state"] for _, a in self.samples]
        return [n for i, n in enumerate(names) if i == 0 or names[i - 1] != n]

    def __enter__(self):
        self.samples.append((time.time(), self._daemon.availability()))  # before anything is asked for
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        for t in self._threads:
            t.join()
        if self.failure and kind is None:
            raise AssertionError("/status failed while it was watched") from self.failure
