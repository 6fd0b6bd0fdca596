"""A service manager's side of sd_notify(3): a datagram socket that remembers what it is told."""
import os
import socket
import threading
import time

from .waiting import wait_until


class NotifySocket:
    """messages: [(monotonic time, {variable: value})] in the order of arrival."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self._socket.settimeout(0.1)
        self._stop, self.messages = threading.Event(), []
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        while not self._stop.is_set():
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            fields = dict(line.split("=", 1) for line in data.decode().splitlines() if line)
            self.messages.append((time.monotonic(), fields))

    def mark(self):
        """Where the messages are now: for since."""
        return len(self.messages)

    def all(self, name, value=None, since=0):
        """The messages that set name (to value)."""
        return [(t, m) for t, m in self.messages[since:] if name in m and value in (None, m[name])]

    def statuses(self, since=0):
        return [m["STATUS"] for _, m in self.all("STATUS", since=since)]

    def wait_for(self, name, value=None, since=0, timeout=20):
        """The first message that sets name (to value): (time, fields)."""
        return wait_until(lambda: self.all(name, value, since), timeout,
                          lambda: f"{name}={value or '…'} in {self.messages[since:]}")[0]

    def close(self):
        self._stop.set()
        self._thread.join()
        self._socket.close()
