"""The programs in tests/tools as context managers."""
import contextlib
import json
import os
import subprocess
import sys

from .waiting import wait_until

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "tools")


def _listening(port):
    """Whether somebody listens, found without connecting: a connection would wake autopause.py."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(fields[1].endswith(wanted) and fields[3] == "0A" for fields in map(str.split, f))


@contextlib.contextmanager
def _tool(port, name, *arguments):
    process = subprocess.Popen([sys.executable, os.path.join(FOLDER, name), *map(str, arguments)],
                               stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listening(port) or process.poll() is not None, 20, f"{name} listens on port {port}")
        assert process.poll() is None, f"{name} ended with {process.returncode}"
        yield process
    finally:
        process.kill()
        process.wait()


class AutoPause:
    """autopause.py in front of a server. style: hold, eof, hba, starting, refuse or mix; times in seconds."""

    STYLES = ("hold", "eof", "hba", "starting", "refuse", "mix")

    def __init__(self, ports, upstream, directory, style, idle=0.5, resume=1.0):
        self.port, self.log_path = ports.take(), os.path.join(directory, "autopause.log")
        self._arguments = (self.port, upstream, idle, resume, style, self.log_path)
        self._running = contextlib.ExitStack()

    def __enter__(self):
        self._running.enter_context(_tool(self.port, "autopause.py", *self._arguments))
        return self

    def __exit__(self, *_):
        self._running.close()

    def events(self, what=None):
        """What it logged: [{"t": seconds since 1970, "ev": "wake"|"up"|"pause", "open": connections}]."""
        with open(self.log_path, encoding="utf-8") as f:
            events = [json.loads(line) for line in f if line.endswith("\n")]
        return [e for e in events if what in (None, e["ev"])]

    def wait_for(self, what, n=1, timeout=20):
        """The nth event of that kind."""
        return wait_until(lambda: self.events(what)[n - 1:n], timeout, lambda: f"{n} x {what} in {self.events()}")[0]


def commit_proxy(port, upstream, mode):
    """commitproxy.py; mode: before (COMMIT is not forwarded) or after (it is, and the answer swallowed)."""
    return _tool(port, "commitproxy.py", port, upstream, mode)


def faker(port, mode):
    """faker.py; mode as described there: close, hang, fatal:CODE:MSG, ..."""
    return _tool(port, "faker.py", port, mode)


def notify_harness(directory, port, seconds, watchdog_usec, actions, command, env=None, timeout=60):
    """Runs a command under notify_harness.py to its end; returns the lines that it printed."""
    done = subprocess.run(
        [sys.executable, os.path.join(FOLDER, "notify_harness.py"), str(seconds), str(watchdog_usec), actions, *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout, check=True,
        env={**(env or os.environ), "NOTIFY_HARNESS_SOCKET": os.path.join(directory, "notify.sock"),
             "NOTIFY_HARNESS_PORT": str(port)})
    return done.stdout.decode().splitlines()


def silent_resolver(directory):
    """Words in front of a command: it then runs in a network of its own (nothing but loopback) whose name server never
    answers. Only root can do that."""
    path = os.path.join(directory, "resolv.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.1\noptions timeout:5 attempts:4\n")
    return ["unshare", "-mn", sys.executable, os.path.join(os.path.dirname(__file__), "silent_resolver.py"), path]
