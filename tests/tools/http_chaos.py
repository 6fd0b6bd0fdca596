#!/usr/bin/python3
"""Treats the HTTP server badly and then looks what is left of it.

usage: http_chaos.py [API_SERVE [SECONDS] [SEED [name=value ...]]], the rest for API_SERVE

Starts API_SERVE (tests/unit/api_serve.c: the real server over an engine without databases), lets many clients do what
clients do at their worst for some seconds, and then wants to see: every complete request answered correctly, no
connection, descriptor, fiber or byte left over, and no step of the event loop above 5 ms of CPU. Ends with 0 or 1.
"""
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CLIENTS = 12
failures = []
counts = {}


def note(kind):
    counts[kind] = counts.get(kind, 0) + 1


def fail(text):
    failures.append(text)


class Client:
    """One misbehaving client; each method is one thing it does."""

    def __init__(self, port, path, seed):
        self.port, self.path, self.random = port, path, random.Random(seed)

    def connect(self):
        for _ in range(50):
            try:
                if self.random.random() < 0.2:
                    s = socket.socket(socket.AF_UNIX)
                    s.settimeout(10)
                    s.connect(self.path)
                    return s
                return socket.create_connection(("127.0.0.1", self.port), 10)
            except (BlockingIOError, ConnectionError):
                time.sleep(0.02)
        raise TimeoutError("nobody accepts")

    @staticmethod
    def reset(s):
        """Closes with a RST, as a killed machine's peer sees it."""
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def leave(self, s):
        how = self.random.randrange(3)
        if how == 0:
            self.reset(s)
        elif how == 1:
            s.close()
        else:
            s.shutdown(socket.SHUT_WR)
            time.sleep(self.random.random() * 0.05)
            s.close()

    @staticmethod
    def head(method, target, extra=""):
        return f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode()

    @staticmethod
    def read_answer(s):
        """(status, body) of an answer with a Content-Length; None when the connection ended."""
        data = b""
        while b"\r\n\r\n" not in data:
            got = s.recv(65536)
            if not got:
                return None
            data += got
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        length = next((int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length:")), 0)
        while len(body) < length:
            got = s.recv(65536)
            if not got:
                return None
            body += got
        return int(lines[0].split()[1]), body

    def expect(self, s, request, *statuses):
        s.sendall(request)
        answer = self.read_answer(s)
        # Refused for too many connections or streams is an answer too, when everybody pushes at once.
        if answer is None:
            note("closed")
        elif answer[0] not in statuses and answer[0] != 503:
            fail(f"{request[:60]!r}: {answer[0]} instead of {statuses}: {answer[1][:200]!r}")
        else:
            note(str(answer[0]))
        return answer

    # -- what clients do --

    def keep_alive(self):
        with self.connect() as s:
            for _ in range(self.random.randrange(1, 20)):
                target, status = self.random.choice(
                    [("/healthz", 200), ("/status", 200), ("/metrics", 200), ("/nope", 404), ("/runs?limit=0", 400),
                     ("/", 200), ("/runs?limit=20", 200), ("/%00", 400), ("/readyz", 503)])
                if not self.expect(s, self.head("GET", target), status):
                    fail(f"GET {target}: the connection was closed")
                    return

    def migrate(self):
        with self.connect() as s:
            target, status = self.random.choice([("now", 200), ("fail", 500), ("refuse", 409), ("unavailable", 503), ("x", 200)])
            body = json.dumps({"database": "app", "target": target})
            self.expect(s, self.head("POST", "/migrate?wait=5", f"Content-Length: {len(body)}\r\n") + body.encode(), status)
            body = "{}"
            self.expect(s, self.head("POST", "/migrate", f"Content-Length: {len(body)}\r\n") + body.encode(), 202)

    def chunked(self):
        with self.connect() as s:
            body = b'{"database":"app","target":"now"}'
            s.sendall(self.head("POST", "/migrate", "Transfer-Encoding: chunked\r\n"))
            for i in range(len(body)):
                s.sendall(b"1\r\n" + body[i:i + 1] + b"\r\n")
            self.expect(s, b"0\r\n\r\n", 200)

    def pipeline_and_half_close(self):
        with self.connect() as s:
            s.sendall(self.head("GET", "/healthz") * 3)
            s.shutdown(socket.SHUT_WR)
            data = b""
            while True:
                got = s.recv(65536)
                if not got:
                    break
                data += got
            if data.count(b"HTTP/1.1 200") != 3:
                fail(f"pipelined and half-closed: {data.count(b'HTTP/1.1 200')} answers instead of 3")

    def long_poll_dropped(self):
        s = self.connect()
        what = self.random.choice(["/databases/app/plan?target=hang", "/databases/app/history", "/status?probe=1"])
        s.sendall(self.head("GET", what))
        time.sleep(self.random.random() * 0.2)
        self.leave(s)
        note("long-poll dropped")

    def migrate_dropped(self):
        s = self.connect()
        body = b'{"database":"app","target":"x"}'
        s.sendall(self.head("POST", "/migrate?wait=600", f"Content-Length: {len(body)}\r\n") + body)
        time.sleep(self.random.random() * 0.1)
        self.leave(s)
        note("migrate dropped")

    def stream_dropped(self):
        s = self.connect()
        s.sendall(self.head("GET", self.random.choice(["/events", "/events?last_event_id=1", "/runs/RUN1/events"]),
                            self.random.choice(["", "Last-Event-ID: 5\r\n"]).replace("Last-Event-ID", "last-event-id")))
        until = time.monotonic() + self.random.random() * 0.5
        s.settimeout(0.1)
        while time.monotonic() < until:
            try:
                if not s.recv(4096):
                    break
            except TimeoutError:
                pass
        self.leave(s)
        note("stream dropped")

    def stream_unread(self):
        s = self.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(self.head("GET", "/events?last_event_id=0"))
        time.sleep(self.random.random())
        self.leave(s)

    def half_a_request(self):
        s = self.connect()
        whole = self.random.choice([self.head("GET", "/status"),
                                    self.head("POST", "/migrate", "Content-Length: 20\r\n") + b'{"database":'])
        s.sendall(whole[:self.random.randrange(1, len(whole))])
        time.sleep(self.random.random() * 0.1)
        self.leave(s)
        note("half a request")

    def slow(self):
        """A byte now and then: cut by the header's or the body's absolute deadline of 2 s."""
        s = self.connect()
        begun = time.monotonic()
        data = self.random.choice([self.head("GET", "/status", "X: " + "x" * 200 + "\r\n"),
                                   self.head("POST", "/migrate", "Content-Length: 60000\r\n") + b" " * 300])
        try:
            for i in range(len(data)):
                s.sendall(data[i:i + 1] if i else data[:60])
                time.sleep(0.1)
                if time.monotonic() - begun > 8:
                    fail("a slow client was served for more than 8 s")
                    break
        except OSError:
            note("slow cut")
        s.close()

    def silent(self):
        s = self.connect()
        s.settimeout(8)
        try:
            if s.recv(1) != b"":
                fail("an answer to nothing")
            note("silent cut")
        except TimeoutError:
            fail("a silent client was kept for more than 8 s")
        except OSError:
            pass
        s.close()

    def oversized(self):
        with self.connect() as s:
            kind = self.random.randrange(4)
            try:
                if kind == 0:
                    self.expect(s, self.head("POST", "/migrate", "Content-Length: 100000000\r\n"), 413)
                elif kind == 1:
                    s.sendall(self.head("POST", "/migrate", "Transfer-Encoding: chunked\r\n"))
                    for _ in range(40):
                        s.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                    self.expect(s, b"0\r\n\r\n", 413)
                elif kind == 2:
                    s.sendall(self.head("POST", "/migrate", "Transfer-Encoding: chunked\r\n"))
                    while True:
                        s.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                else:
                    self.expect(s, self.head("GET", "/status", "X: " + "x" * 40000 + "\r\n"), 413, 431)
            except OSError:
                note("oversized cut")

    def smuggler(self):
        with self.connect() as s:
            extra = self.random.choice(["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                        "Content-Length: 5\r\nContent-Length: 6\r\n",
                                        "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n",
                                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"])
            s.sendall(self.head("POST", "/migrate", extra) + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            data = b""
            try:
                while True:
                    got = s.recv(65536)
                    if not got:
                        break
                    data += got
            except OSError:
                pass
            if data.count(b"HTTP/1.1 ") > 1 or b" 200 " in data.split(b"\r\n")[0]:
                fail(f"smuggled: {data[:80]!r}")
            note("smuggler")

    def garbage(self):
        s = self.connect()
        try:
            s.sendall(bytes(self.random.randrange(256) for _ in range(self.random.randrange(1, 3000))))
            time.sleep(0.01)
        except OSError:
            pass
        self.leave(s)
        note("garbage")


# By name: whoever knows another engine behind the server takes another Client.
ACTIONS = {"keep_alive": 30, "migrate": 15, "chunked": 5, "pipeline_and_half_close": 5, "long_poll_dropped": 20, "migrate_dropped": 15,
           "stream_dropped": 20, "stream_unread": 5, "half_a_request": 20, "slow": 2, "silent": 1, "oversized": 8, "smuggler": 6,
           "garbage": 8}


def misbehave(client, until):
    while time.monotonic() < until:
        action = client.random.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        try:
            getattr(client, action)()
        except (ConnectionError, BrokenPipeError):
            note(f"reset in {action}")
        except Exception as e:  # what a client of ours did not expect is the finding
            fail(f"{action}: {type(e).__name__}: {e}")


def gauges(port):
    """What the server says of itself once everybody is gone."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(10)
        s.sendall(Client.head("GET", "/metrics"))
        status, body = Client.read_answer(s)
    values = {}
    for line in body.decode().splitlines():
        if not line.startswith("#") and "{" not in line:
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
    return values if status == 200 else {}


def settle(port):
    """Waits until only our own connection is left; what remains after that has leaked."""
    for _ in range(100):
        values = gauges(port)
        if values.get("pgmigrated_http_connections") == 1 and values.get("pgmigrated_http_waiting") == 0:
            return values
        time.sleep(0.1)
    fail(f"connections left: {values.get('pgmigrated_http_connections')}, waiting: {values.get('pgmigrated_http_waiting')}")
    return values


def stop_while_busy(server, client):
    """Streams and long-polls that are open when the service stops are ended, not cut after the time-out."""
    held = []
    for request in [Client.head("GET", "/events"), Client.head("GET", "/databases/app/plan?target=hang"),
                    Client.head("POST", "/migrate?wait=60", "Content-Length: 17\r\n") + b'{"target":"hang"}',
                    b"GET /sta", Client.head("POST", "/migrate", "Content-Length: 20\r\n"), b""]:
        s = client.connect()
        s.sendall(request)
        held.append(s)
    time.sleep(0.3)
    begun = time.monotonic()
    server.send_signal(signal.SIGTERM)
    answers = []
    for s in held[:3]:
        data = b""
        s.settimeout(8)
        try:
            while True:
                got = s.recv(65536)
                if not got:
                    break
                data += got
        except OSError as e:
            fail(f"while stopping: {e}")
        answers.append(data)
    if time.monotonic() - begun > 3:
        fail("the waiting clients were not answered when the service stopped")
    if not answers[0].endswith(b"0\r\n\r\n"):
        fail(f"the stream did not end cleanly: {answers[0][-40:]!r}")
    if b"HTTP/1.1 202" not in answers[2]:
        fail(f"a waiting migrate was not told how far it is: {answers[2][:80]!r}")
    try:
        out, err = server.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        fail("the server does not stop")
        out, err = server.communicate()
    return out, err


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "./api_serve"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "s")
        server = subprocess.Popen([program, path] + sys.argv[4:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        port = int(server.stdout.readline())
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=misbehave, args=(Client(port, path, seed + i), until)) for i in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        values = settle(port)
        out, err = stop_while_busy(server, Client(port, path, 0))
        if os.path.exists(path):
            fail("the Unix socket was left behind")
    rest = json.loads(out.strip().splitlines()[-1]) if out.strip() else {}
    if server.returncode:
        fail(f"the server ended with {server.returncode}: {err[-4000:]}")
    for name in ["fds", "fibers"]:
        if rest.get(name) != 0:
            fail(f"{name}: {rest.get(name)} instead of 0 ({rest})")
    # A virtual machine may charge a step for time that its host took: a few in many thousands say nothing of us.
    if rest.get("stalls", 99) > rest.get("dispatches", 0) / 2000:
        fail(f"the loop stalled: {rest}")
    print(f"# seed {seed}: {sum(counts.values())} outcomes, {dict(sorted(counts.items()))}")
    print(f"# server: {rest}, {values.get('pgmigrated_http_accepted_total')} connections, "
          f"{values.get('pgmigrated_http_dropped_total')} dropped, {values.get('pgmigrated_http_timeouts_total')} timed out")
    for f in failures[:20]:
        print("#", f)
    print("not ok 1 - clients that misbehave" if failures else "ok 1 - clients that misbehave", "1..1", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
