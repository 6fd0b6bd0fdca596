#!/usr/bin/python3
"""What a client may rely on, asked of the real HTTP server over an engine without databases (tests/unit/api_serve.c).

usage: http_contract.py [API_SERVE]      prints TAP
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

JSON = {"Content-Type": "application/json"}
# method, target, headers, body, status, headers wanted ("" = absent), text wanted in the body
ROWS = [
    ("GET", "/healthz", {}, None, 200, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
                                        "X-Content-Type-Options": "nosniff"}, "ok"),
    ("HEAD", "/healthz", {}, None, 200, {"Content-Length": "3"}, None),
    ("HEAD", "/events", {}, None, 200, {"Content-Type": "text/event-stream"}, None),
    ("GET", "/readyz", {}, None, 503, {"Content-Type": "application/problem+json", "Retry-After": "5"}, '"reasons":["'),
    ("GET", "/readyz?database=app", {}, None, 200, {}, '"ready":true'),
    ("GET", "/readyz?database=nope", {}, None, 404, {}, '"detail":"there is no database'),
    ("GET", "/status", {}, None, 200, {"Content-Type": "application/json"}, '"state":"running"'),
    ("GET", "/status?database=app", {}, None, 200, {}, '"name":"app"'),
    ("GET", "/status?probe=1", {}, None, 200, {}, '"name":"app"'),
    ("GET", "/status?probe=maybe", {}, None, 400, {}, "probe"),
    ("GET", "/status?databse=app", {}, None, 400, {}, "databse"),
    ("GET", "/status?probe=1&database=nope", {}, None, 404, {}, "nope"),
    ("GET", "/", {}, None, 200, {"Content-Type": "text/html; charset=utf-8"}, "&lt;script&gt;"),
    ("GET", "/metrics", {}, None, 200, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
     'pgmigrated_http_requests_total{method="GET",route="/healthz",status="200"}'),
    ("GET", "/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"}, None, 200,
     {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}, "# TYPE pgmigrated_http_requests counter"),
    ("POST", "/migrate", JSON, '{"database":"app","target":"now"}', 200, {"Location": "/runs/RUN1"}, '"id":"RUN1"'),
    ("POST", "/migrate", JSON, '{"database":"app"}', 202, {"Location": "/runs/RUN2"}, '"id":"RUN2"'),
    ("POST", "/migrate?wait=5", JSON, '{"database":"app"}', 200, {"Location": "/runs/RUN3"}, '"succeeded"'),
    ("POST", "/migrate", {**JSON, "Prefer": "respond-async, wait=5"}, '{"database":"app"}', 200,
     {"Preference-Applied": "wait=5"}, '"succeeded"'),
    ("POST", "/migrate?wait=1", JSON, '{"database":"app","target":"hang"}', 202, {"Location": "/runs/RUN5"}, '"applying"'),
    ("DELETE", "/runs/RUN5", {}, None, 202, {}, '"RUN5"'),
    ("GET", "/runs/RUN5", {}, None, 200, {}, '"cancelled"'),
    ("POST", "/migrate?wait=5", JSON, '{"database":"app","target":"fail"}', 500, {"Retry-After": ""}, '"failed"'),
    ("POST", "/migrate?wait=5", JSON, '{"database":"app","target":"refuse"}', 409, {}, '"refused"'),
    ("POST", "/migrate?wait=5", JSON, '{"database":"app","target":"unavailable"}', 503, {"Retry-After": "10"}, '"unavailable"'),
    ("POST", "/migrate?wait=5", {}, None, 200, {"Location": ""}, '{"runs":[{'),
    ("POST", "/migrate", {**JSON, "Idempotency-Key": "k1"}, '{"database":"app","target":"now"}', 200, {"Location": "/runs/RUN11"}, ""),
    ("POST", "/migrate", {**JSON, "Idempotency-Key": "k1"}, '{"database":"app"}', 200, {"Location": "/runs/RUN11"}, ""),
    ("POST", "/migrate", {**JSON, "Idempotency-Key": "a b"}, "{}", 400, {}, "Idempotency-Key"),
    ("POST", "/migrate", {**JSON, "Idempotency-Key": "k" * 256}, "{}", 400, {}, "Idempotency-Key"),
    ("POST", "/migrate?wait=x", {}, None, 400, {}, "wait"),
    ("POST", "/migrate", JSON, '{"database":"nope"}', 404, {}, "nope"),
    ("POST", "/migrate", JSON, '{"dryrun":true}', 400, {}, '\\"dryrun\\"'),
    ("POST", "/migrate", JSON, '{"database":', 400, {}, "line 1"),
    ("POST", "/migrate", {"Content-Type": "text/plain"}, "{}", 415, {}, "application/json"),
    ("POST", "/migrate", JSON, " " * 70000, 413, {"Connection": "close"}, "65536"),
    ("GET", "/healthz", {}, "body", 413, {}, "no body"),
    ("PUT", "/migrate", {}, None, 405, {"Allow": "POST, OPTIONS"}, "PUT"),
    ("OPTIONS", "/runs/x", {}, None, 204, {"Allow": "GET, HEAD, DELETE, OPTIONS"}, ""),
    ("GET", "/nope", {}, None, 404, {}, "urn:pgmigrated:error:not_found"),
    ("GET", "/runs?limit=2", {}, None, 200, {}, '{"runs":[{'),
    ("GET", "/runs?limit=0", {}, None, 400, {}, "limit"),
    ("GET", "/runs?state=done", {}, None, 400, {}, "state"),
    ("GET", "/runs/nope", {}, None, 404, {}, "nope"),
    ("GET", "/runs/nope/events", {}, None, 404, {}, "nope"),
    ("GET", "/events?last_event_id=x", {}, None, 400, {}, "last event id"),
    ("DELETE", "/runs/nope", {}, None, 404, {}, "nope"),
    ("GET", "/databases/app/plan", {}, None, 200, {}, '"steps"'),
    ("GET", "/databases/app/history", {}, None, 200, {}, '"applied"'),
    ("GET", "/databases/app/drift", {}, None, 200, {}, '"saved":false'),
    ("POST", "/databases/app/drift", {}, None, 200, {}, '"saved":true'),
    ("POST", "/databases/app/drift", JSON, "{}", 200, {}, '"saved":true'),
    ("POST", "/databases/app/drift", JSON, '{"save":false}', 400, {}, "body"),
    ("POST", "/databases/nope/drift", {}, None, 404, {}, "nope"),
    ("GET", "/databases/nope/plan", {}, None, 404, {}, "nope"),
    ("GET", "/healthz", {"Host": "evil.example"}, None, 421, {}, "evil.example"),
    ("POST", "/migrate", {"Origin": "http://evil.example"}, None, 403, {}, "origin"),
    ("GET", "/%00", {}, None, 400, {}, "control"),
]


class Failed(Exception):
    pass


def want(condition, text):
    if not condition:
        raise Failed(text)


def check_row(port, method, target, headers, body, status, wanted, text):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request(method, target, body=body, headers=headers)
    r = c.getresponse()
    if r.getheader("Content-Type") == "text/event-stream":
        data = ""
        c.close()
    else:
        data = r.read().decode()
    want(r.status == status, f"{r.status} instead of {status}: {data[:300]}")
    for name, value in wanted.items():
        want((r.getheader(name) or "") == value, f"{name}: {r.getheader(name)!r} instead of {value!r}")
    want(text is None or text in data, f"{text!r} is not in {data[:300]!r}")
    if r.getheader("Content-Type") in ("application/json", "application/problem+json") and method != "HEAD":
        json.loads(data)


class Events:
    """Reads Server-Sent Events off a raw socket."""

    def __init__(self, port, target, extra=""):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode())
        self.reader = http.client.HTTPResponse(self.socket)
        self.reader.begin()

    def next(self):
        """(event, id, data); None at the end of the stream."""
        fields = {}
        while True:
            line = self.reader.readline().decode()
            if not line:
                return None
            if line == "\n":
                if "data" in fields:
                    return fields.get("event"), fields.get("id"), fields["data"]
                fields = {}
            elif not line.startswith(":"):
                name, value = line.rstrip("\n").split(": ", 1)
                fields[name] = value


def post(port, target):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("POST", "/migrate", json.dumps({"database": "app", "target": target}), JSON)
    return json.loads(c.getresponse().read())["id"]


def check_run_stream(port, _):
    run = post(port, "x")
    e, got = Events(port, f"/runs/{run}/events"), []
    while (event := e.next()):
        got.append(json.loads(event[2])["state"])
    want(got == ["applying", "succeeded"], f"the stream of a run was {got}")


def check_resume(port, _):
    e = Events(port, "/events")
    first, second = e.next(), e.next()
    e.socket.close()
    again = Events(port, "/events", f"Last-Event-ID: {first[1]}\r\n")
    want(again.next() == second, "Last-Event-ID did not go on with the event after it")
    again = Events(port, f"/events?last_event_id={first[1]}")
    want(again.next() == second, "last_event_id did not go on with the event after it")


def check_gap(port, _):
    lost = Events(port, "/events", "Last-Event-ID: 5\r\n").next()
    want(lost[0] == "gap" and json.loads(lost[2])["from"] == 6, f"events that are gone: {lost}")
    future = Events(port, "/events", "Last-Event-ID: 99999999\r\n")
    want(future.next()[0] == "gap", "an id that was never given is not told")
    want(future.next()[0] == "notice", "the stream does not go on after the gap")


def check_too_many_streams(port, _):
    held = []
    while len(held) < 40:
        e = Events(port, "/events")
        held.append(e)
        if e.reader.status != 200:
            break
    want(len(held) == 33 and held[-1].reader.status == 503, f"{len(held)} streams, then {held[-1].reader.status}")
    want(held[-1].reader.getheader("Retry-After") == "5", "503 without Retry-After")
    for e in held:
        e.socket.close()


def check_keep_alive(port, _):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for target in ["/healthz", "/nope", "/databases/app/plan", "/runs?limit=x", "/healthz"]:
        c.request("GET", target)
        c.getresponse().read()
        s = c.sock
        want(s is not None, f"{target}: the connection was not kept")


def check_unix(_, path):
    want(os.stat(path).st_mode & 0o777 == 0o660, "the socket's mode is not 0660")
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
    want(b" 200 OK" in s.recv(4096), "no answer without a Host by the Unix socket")


def check_silence_is_idle(port, _):
    """Connections that wait cost nothing: a stream and a long-poll are open, and the process is not dispatching for them."""
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    for s in held:
        s.sendall(b"GET /databases/app/plan?target=hang HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def dispatches():
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", "/metrics")
        text = c.getresponse().read().decode()
        return int(text.split("\npgmigrated_loop_dispatches_total ")[1].split("\n")[0])

    before = dispatches()
    time.sleep(1)
    took = dispatches() - before
    # The engine that stands in publishes 50 events a second; a request is about 10 steps.
    want(took < 120, f"{took} steps in a second in which nothing happened")


def refuse(program, *arguments):
    r = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10)
    return r.returncode, r.stderr


def check_second_daemon(port, path, program="./api_serve"):
    code, text = refuse(program, path)
    want(code == 1 and "another process listens on" in text, f"a second daemon on the same socket: {code} {text}")


def check_stale_socket(_, path, program="./api_serve"):
    stale = path + ".stale"
    s = socket.socket(socket.AF_UNIX)
    s.bind(stale)
    s.close()
    p = subprocess.Popen([program, stale], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    want(p.stdout.readline().strip().isdigit(), "a stale socket was not replaced")
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=10)
    want(not os.path.exists(stale), "the socket was not removed at the end")


CHECKS = [check_run_stream, check_resume, check_gap, check_too_many_streams, check_keep_alive, check_unix,
          check_silence_is_idle]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "./api_serve"
    plan = [(f"{m} {t}", lambda p, _, row=(m, t, *rest): check_row(p, *row)) for m, t, *rest in ROWS]
    plan += [(c.__name__, c) for c in CHECKS]
    plan += [(c.__name__, lambda p, s, c=c: c(p, s, program)) for c in (check_second_daemon, check_stale_socket)]
    bad = 0
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "s")
        server = subprocess.Popen([program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        port = int(server.stdout.readline())
        print(f"1..{len(plan) + 1}")
        for i, (name, check) in enumerate(plan, 1):
            try:
                check(port, path)
                print(f"ok {i} - {name}")
            except Exception as e:
                bad += 1
                print(f"not ok {i} - {name}\n# {type(e).__name__}: {e}")
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=20)
        rest = json.loads(out)
        clean = server.returncode == 0 and rest["fds"] == 0 and rest["fibers"] == 0
        print(f"{'ok' if clean else 'not ok'} {len(plan) + 1} - nothing is left\n# {rest}" + ("" if clean else f" {err[-2000:]}"))
    return 1 if bad or not clean else 0


if __name__ == "__main__":
    sys.exit(main())
