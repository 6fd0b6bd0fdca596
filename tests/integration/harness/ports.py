"""TCP ports that are ours alone, also next to other test runs on the same machine.

Below 32768: a refused port inside the ephemeral range can connect to itself."""
import contextlib
import fcntl
import os
import random
import socket

FIRST, LAST = 21000, 23999
DIRECTORY = "/tmp/pgmigrated-test-ports"


def _claim(port):
    """The open lock file of the port, or None when somebody has it. The lock lasts until it is closed."""
    path = os.path.join(DIRECTORY, f"{port}.lock")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
    except OSError:
        os.close(fd)
        return None
    return fd


class Ports:
    """Hands out ports, and keeps them claimed until close()."""

    def __init__(self):
        os.makedirs(DIRECTORY, exist_ok=True)
        with contextlib.suppress(PermissionError):
            os.chmod(DIRECTORY, 0o1777)
        self._claims = {}
        self._untried = list(range(FIRST, LAST + 1))
        random.Random(os.getpid()).shuffle(self._untried)

    def take(self):
        while self._untried:
            port = self._untried.pop()
            fd = _claim(port)
            if fd is not None:
                self._claims[port] = fd
                return port
        raise RuntimeError(f"no free port from {FIRST} to {LAST}")

    def close(self):
        for fd in self._claims.values():
            os.close(fd)
        self._claims.clear()
