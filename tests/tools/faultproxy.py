#!/usr/bin/env python3
"""A proxy before PostgreSQL that knows messages, and lets things go wrong at exact places, one after the other.

As a module: FaultProxy(server_port, [fault, ...]).start(); as a program: faultproxy.py PORT SERVER_PORT WHEN WHAT, with WHEN as
"message:12:after" and WHAT as "cut". Places are counted over all connections since the start, so that a place found in a
run without a fault means the same in the next one; those of the second fault are counted from the first one on. No TLS.

WHEN
  message:N:before   the Nth message of the client's (from 1, the startup message counts) is here and not passed on
  message:N:after    ... is passed on
  message:N:answered ... is passed on, and the first byte of the answer is here and not passed on
  up:K, down:K       K bytes of the client's, of the server's were passed on
WHAT
  cut       the client's connection ends (FIN), the server's too
  reset     the same with RST
  orphan    the client's connection ends, the server's stays open for `linger` seconds: what a lost route looks like
  freeze    nothing is passed on in either direction for `linger` seconds; then as `cut`
  pause     nothing is passed on for `linger` seconds; then all goes on
  call      fault.call(connection) is called, in the proxy's thread, `linger` seconds later, and all goes on meanwhile
"""
import contextlib
import dataclasses
import selectors
import socket
import struct
import sys
import threading
import time
from typing import Callable, Optional

CHUNK = 65536


@dataclasses.dataclass
class Fault:
    where: str  # message, up, down
    n: int
    when: str = "before"  # of a message: before, after, answered
    what: str = "cut"
    linger: float = 0.5
    call: Optional[Callable] = None
    text: bytes = b""  # of message:...: only messages with this in them

    def __str__(self):
        return f"{self.where}:{self.n}{':' + self.when if self.where == 'message' else ''} {self.what} {self.linger:.2f}"


class Messages:
    """Cuts what a client sends into messages: feed() gives the ends of the messages in the bytes fed."""

    def __init__(self):
        self._head, self._left, self._startup = b"", 0, True

    def feed(self, data):
        at, ends = 0, []
        while at < len(data):
            if self._left:
                n = min(self._left, len(data) - at)
                self._left -= n
                at += n
            else:
                size = 4 if self._startup else 5
                n = min(size - len(self._head), len(data) - at)
                self._head += data[at:at + n]
                at += n
                if len(self._head) < size:
                    continue
                length = struct.unpack("!I", self._head[-4:])[0]
                self._left = length - 4
                self._startup = self._startup and length == 8  # SSLRequest: the startup message is still to come
                self._head = b""
            if not self._left and not self._head:
                ends.append(at)
        return ends


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.messages, self.backend_pid, self._greeting = Messages(), None, b""
        self.to_server, self.to_client = [], []  # held back while paused
        self.swallow = False

    def watch_greeting(self, data):
        """Finds BackendKeyData, which says which process serves the connection."""
        if self.backend_pid is None:
            if not self._greeting and data[:1] == b"N":  # no to an SSLRequest
                data = data[1:]
            self._greeting += data
            at = 0
            while at + 5 <= len(self._greeting):
                kind, length = self._greeting[at:at + 1], struct.unpack("!I", self._greeting[at + 1:at + 5])[0]
                if at + 1 + length > len(self._greeting):
                    break
                if kind == b"K":
                    self.backend_pid = struct.unpack("!I", self._greeting[at + 5:at + 9])[0]
                    break
                at += 1 + length


class FaultProxy:
    """Counters: messages, up, down: what was passed on so far, over all connections. happened: how many faults did."""

    def __init__(self, server_port, faults=(), port=0):
        self.server_port, self.faults = server_port, list(faults)
        self.messages = self.up = self.down = 0
        self.happened = 0
        self.log = []  # (message number, type or "startup", first bytes)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._connections, self._later = set(), []
        self._stop_read, self._stop_write = socket.socketpair()
        self._selector.register(self._stop_read, selectors.EVENT_READ, "stop")
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self.failure = None

    # -- life --

    def start(self):
        self._thread.start()
        return self

    def close(self):
        self._stop_write.send(b"x")
        self._thread.join(30)
        if self.failure:
            raise self.failure

    __enter__ = start

    def __exit__(self, *_):
        self.close()

    def serve(self):
        try:
            while self._turn():
                pass
        except Exception as e:  # shown by close()
            self.failure = e
        for c in list(self._connections):
            self._drop(c)
        self._listener.close()
        self._stop_read.close()
        self._selector.close()

    def _turn(self):
        wait = max(0, min(at for at, _ in self._later) - time.monotonic()) if self._later else None
        for key, _ in self._selector.select(wait):
            if key.data == "stop":
                return False
            if key.data is None:
                self._accept()
            elif key.data[0] in self._connections:
                self._read(*key.data)
        now = time.monotonic()
        due = [f for at, f in self._later if at <= now]
        self._later = [(at, f) for at, f in self._later if at > now]
        for f in due:
            f()
        return True

    def _accept(self):
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port), 5)
        except OSError:
            client.close()
            return
        c = Connection(client, server)
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(c)
        self._watch(c, True)

    def _watch(self, c, yes):
        for s, from_client in ((c.client, True), (c.server, False)):
            if s.fileno() < 0:
                continue
            if yes:
                self._selector.register(s, selectors.EVENT_READ, (c, from_client))
            else:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(s)

    def _close(self, s, reset=False):
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(s)
        if reset:
            with contextlib.suppress(OSError):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def _drop(self, c, reset=False):
        self._connections.discard(c)
        self._close(c.client, reset)
        self._close(c.server, reset)

    # -- bytes --

    def _read(self, c, from_client):
        try:
            data = (c.client if from_client else c.server).recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            self._drop(c)
            return
        try:
            (self._from_client if from_client else self._from_server)(c, data)
        except OSError:  # the other side is gone
            self._drop(c)

    def _is(self, where, n, message=b""):
        return (bool(self.faults) and self.faults[0].where == where and self.faults[0].n <= n
                and self.faults[0].text in message)

    def _from_client(self, c, data):
        at = 0
        for end in c.messages.feed(data):
            self.messages += 1
            head = data[at:at + 60]
            self.log.append((self.messages, head[:1].decode("latin1"), head))
            message = data[at:end]
            if self._is("message", self.messages, message) and self.faults[0].when == "before":
                if not self._happen(c, data[at:]):
                    return
            if not self._up(c, data[at:end], data[end:]):
                return
            at = end
            if self._is("message", self.messages, message) and self.faults[0].when == "after":
                if not self._happen(c, data[at:]):
                    return
        self._up(c, data[at:])

    def _up(self, c, data, rest=b""):
        if self._is("up", self.up + len(data)):
            n = max(0, self.faults[0].n - self.up)
            c.server.sendall(data[:n])
            self.up += n
            if not self._happen(c, data[n:] + rest):
                return False
            data = data[n:]
        c.server.sendall(data)
        self.up += len(data)
        return True

    def _from_server(self, c, data):
        c.watch_greeting(data)
        if self._is("message", self.messages) and self.faults[0].when == "answered":
            if not self._happen(c, b"", data):
                return
        if self._is("down", self.down + len(data)):
            n = max(0, self.faults[0].n - self.down)
            c.client.sendall(data[:n])
            self.down += n
            if not self._happen(c, b"", data[n:]):
                return
            data = data[n:]
        c.client.sendall(data)
        self.down += len(data)

    # -- the fault --

    def _happen(self, c, to_server=b"", to_client=b""):
        """True: all goes on, and the caller passes on what it has."""
        fault, what = self.faults[0], self.faults[0].what
        del self.faults[0]
        self.happened += 1
        if self.faults:
            self.faults[0].n += getattr(self, "messages" if self.faults[0].where == "message" else self.faults[0].where)
        if what == "call":
            self._after(fault.linger, lambda: fault.call(c))
            return True
        if what in ("cut", "reset"):
            self._drop(c, what == "reset")
        elif what == "orphan":
            self._connections.discard(c)
            self._watch(c, False)
            self._close(c.client)
            self._after(fault.linger, lambda: self._close(c.server))
        elif what == "freeze":
            self._watch(c, False)
            self._after(fault.linger, lambda: self._drop(c))
        elif what == "pause":
            self._watch(c, False)
            self._after(fault.linger, lambda: self._thaw(c, to_server, to_client))
        return False

    def _after(self, seconds, f):
        if seconds:
            self._later.append((time.monotonic() + seconds, f))
        else:
            f()

    def _thaw(self, c, to_server, to_client):
        if c not in self._connections:
            return
        self._watch(c, True)
        try:
            # Counted as passed on; its messages have been counted, and the one fault has happened.
            c.server.sendall(to_server)
            c.client.sendall(to_client)
        except OSError:
            self._drop(c)
            return
        self.up += len(to_server)
        self.down += len(to_client)


def main():
    port, server_port, when, what = sys.argv[1:5]
    where, n, *moment = when.split(":")
    fault = Fault(where, int(n), *moment, what=what)
    FaultProxy(int(server_port), [fault], int(port)).serve()


if __name__ == "__main__":
    main()
