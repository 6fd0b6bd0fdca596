"""The contract of the control API against real databases. What needs no database is in tests/tools/http_contract.py."""
import json
import os
import re
import time

import pytest

from harness.events import EventStream
from harness.waiting import wait_until

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FILES = {"V1__one.sql": "CREATE TABLE one ();", "V2__two.sql": "CREATE TABLE two ();\nSELECT 2;"}


@pytest.fixture
def two(migrations):
    return migrations.write(FILES)


def keys(document, *names):
    assert set(names) <= set(document), document


def blocker(database):
    """A session that holds table t locked until it is closed."""
    connection = database.server.connect(database.name)
    cursor = connection.cursor()
    cursor.execute("BEGIN; LOCK TABLE t")
    return connection


# -- reading --


def test_status_before_during_and_after(daemon, database, two):
    document = daemon.get("/status").json()
    keys(document["service"], "name", "version", "started_at", "uptime_ms", "state")
    assert document["service"]["state"] == "running" and RFC3339.fullmatch(document["service"]["started_at"])
    status = daemon.status()
    assert status["name"] == database.name and status["availability"]["state"] in ("unknown", "asleep")
    assert status["schema"] is None and status["current_run"] is None and status["last_run"] is None
    assert status["lock"] == {"held": False, "waiting": False, "holder": None}

    two.write({"V3__sleep.sql": "SELECT pg_sleep(1.5);"})
    id = daemon.submit()
    during = wait_until(lambda: next((s for s in [daemon.status()] if s["current_run"]
                                      and s["current_run"]["state"] == "applying" and s["lock"]["held"]), None), 10, "applying")
    assert during["current_run"]["id"] == id and during["availability"]["state"] == "ready"
    daemon.wait_run(id)
    after = daemon.status()
    keys(after["availability"], "state", "since", "attempts", "waking_ms", "last_ready_at", "last_wake_ms", "last_error")
    assert after["availability"]["state"] == "asleep" and RFC3339.fullmatch(after["availability"]["last_ready_at"])
    schema = after["schema"]
    assert (schema["format"], schema["version"], schema["applied"], schema["pending"], schema["failed"]) == ("flyway", "3", 3, 0, 0)
    assert RFC3339.fullmatch(schema["known_at"])
    assert after["last_run"]["id"] == id and after["last_run"]["state"] == "succeeded"
    assert not after["lock"]["held"] and after["current_run"] is None


def test_readyz_tells_why_not(daemon, database, two):
    not_yet = daemon.get("/readyz")
    assert not_yet.status_code == 503 and not_yet.headers["Content-Type"].startswith("application/problem+json")
    assert database.name in str(not_yet.json()["reasons"])
    assert daemon.get("/readyz", database=database.name).status_code == 503
    assert daemon.migrate(target="1").status_code == 200
    assert "1 pending" in str(daemon.get("/readyz").json()["reasons"])
    assert daemon.migrate().status_code == 200
    assert daemon.get("/readyz").status_code == 200
    two.write({"V3__bad.sql": "SELECT 1/0;"})
    assert daemon.migrate().status_code == 500
    assert "division by zero" in str(daemon.get("/readyz").json()["reasons"])
    assert daemon.get("/healthz").text.strip() == "ok"


def test_run_document(daemon, database, two):
    run = daemon.migrate(reason="deploy 7").json()
    keys(run, "id", "database", "trigger", "state", "created_at", "started_at", "finished_at", "phases_ms", "from_version",
         "to_version", "progress", "steps", "error", "warnings")
    assert run["trigger"] == {"kind": "api", "reason": "deploy 7"} and run["database"] == database.name
    assert run["from_version"] is None and run["to_version"] == "2" and run["error"] is None
    assert run["created_at"] <= run["started_at"] <= run["finished_at"] and RFC3339.fullmatch(run["created_at"])
    assert list(run["phases_ms"]) == ["queued", "waking", "locking", "planning", "applying"]
    assert run["progress"]["steps"] == 2
    assert [(s["id"], s["description"], s["file"], s["kind"], s["state"], s["transactional"], s["statements"], s["retries"])
            for s in run["steps"]] == [("1", "one", "V1__one.sql", "versioned", "applied", True, 1, 0),
                                       ("2", "two", "V2__two.sql", "versioned", "applied", True, 2, 0)]
    assert daemon.run(run["id"]) == run


def test_runs_are_listed_filtered_and_paged(daemon, database, two):
    good = daemon.migrate().json()["id"]
    two.write({"V3__bad.sql": "SELECT 1/0;"})
    bad = [daemon.migrate().json()["id"] for _ in range(3)]
    newest_first = [*reversed(bad), good]
    assert [r["id"] for r in daemon.runs()] == newest_first
    assert [r["id"] for r in daemon.runs(limit=2)] == newest_first[:2]
    assert [r["id"] for r in daemon.runs(limit=2, before=newest_first[1])] == newest_first[2:]
    assert [r["id"] for r in daemon.runs(state="succeeded")] == [good]
    assert [r["id"] for r in daemon.runs(state="failed", database=database.name)] == newest_first[:3]
    assert daemon.get("/runs", database="nosuch").status_code in (200, 404)


def test_plan_and_history(daemon, database, two):
    before = database.fingerprint()
    plan = daemon.get(f"/databases/{database.name}/plan").json()
    assert [(s["id"], s["file"], s["sql"]) for s in plan["steps"]] == [
        ("1", "V1__one.sql", FILES["V1__one.sql"]), ("2", "V2__two.sql", FILES["V2__two.sql"])]
    assert [s["id"] for s in daemon.get(f"/databases/{database.name}/plan", target="1").json()["steps"]] == ["1"]
    history = daemon.get(f"/databases/{database.name}/history").json()
    assert history["exists"] is False and history["history"] == []
    assert database.fingerprint() == before
    daemon.migrate()
    assert daemon.get(f"/databases/{database.name}/plan").json()["steps"] == []
    rows = daemon.get(f"/databases/{database.name}/history").json()["history"]
    assert [(r["rank"], r["version"], r["script"], r["success"]) for r in rows] == [
        (1, "1", "V1__one.sql", True), (2, "2", "V2__two.sql", True)]
    refused = daemon.get(f"/databases/{database.name}/plan", target="99")
    assert refused.status_code == 409 and "99" in refused.json()["detail"], refused
    database.wait_for_no_session()


def test_dry_run(daemon, database, two):
    before = database.fingerprint()
    run = daemon.migrate(dry_run=True)
    assert run.status_code == 200 and run.json()["state"] == "succeeded", run
    assert [s["state"] for s in run.json()["steps"]] in (["pending"] * 2, ["skipped"] * 2)
    assert database.fingerprint() == before
    assert daemon.migrate().json()["to_version"] == "2"


# -- how migrate answers --


def test_migrate_answers(daemon, database, two, ports, make_daemon):
    def problem_of(run):
        return run.json()["error"]

    assert daemon.post("/migrate").status_code == 202
    applied = daemon.migrate(wait=30)
    assert applied.status_code == 200 and applied.headers["Location"] == f"/runs/{applied.json()['id']}"
    nothing = daemon.post("/migrate", headers={"Prefer": "wait=30"})
    assert nothing.status_code == 200 and nothing.json()["steps"] == [] and "wait=30" in nothing.headers["Preference-Applied"]

    two.write({"V3__bad.sql": "SELECT 1;\n  SELECT nosuch;\n"})
    failed = daemon.migrate()
    assert failed.status_code == 500 and failed.json()["state"] == "failed"
    error = problem_of(failed)
    assert (error["sqlstate"], error["line"], error["column"]) == ("42703", 2, 10) and error["file"].endswith("V3__bad.sql")
    two.remove("V3__bad.sql")

    two.write({"V1__one.sql": "CREATE TABLE one (edited int);"})
    drift = daemon.migrate()
    assert drift.status_code == 409 and drift.json()["state"] == "refused" and "V1__one.sql" in str(problem_of(drift))
    two.write(FILES)
    target = daemon.migrate(target="99")
    assert target.status_code == 409 and "99" in str(problem_of(target))

    two.write({"V3__sleep.sql": "SELECT pg_sleep(30);"})
    waited = daemon.migrate(wait=1)
    assert waited.status_code == 202 and waited.json()["state"] == "applying"
    id = waited.json()["id"]
    waiting = daemon.http.open("POST", "/migrate?wait=30")  # queued behind it
    two.write({"V3__sleep.sql": "SELECT 3;"})
    assert daemon.http.request("DELETE", f"/runs/{id}").status_code in (200, 202)
    assert daemon.wait_run(id, timeout=10)["state"] == "cancelled"
    assert waiting().status_code == 200

    absent = make_daemon(database.url(ports.take()))
    late = absent.migrate(wait=30, timeout_ms=1000)
    assert late.status_code == 503 and int(late.headers["Retry-After"]) > 0 and late.json()["state"] == "unavailable", late
    assert "refused" in problem_of(late)["text"]


def test_lock_of_somebody_else(daemon, database, two):
    """Flyway's advisory lock: the holder is shown, and the deadline of the run ends the wait."""
    other = database.server.connect(database.name)
    assert daemon.migrate(target="1").status_code == 200
    # The keys that a run takes, seen while one is going.
    two.write({"V2__two.sql": "SELECT pg_sleep(1);"})
    id = daemon.submit()
    locks = wait_until(lambda: database.query(
        "SELECT classid::int8, objid::int8, objsubid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"), 10, "advisory locks")
    assert daemon.wait_run(id)["state"] == "succeeded"
    two.write({"V3__three.sql": "CREATE TABLE three ();"})
    classid, objid, subid = locks[0]
    with other.cursor() as cursor:
        if subid == 2:
            cursor.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (signed(classid), signed(objid)))
        else:
            cursor.execute("SELECT pg_advisory_lock(%s::bigint)", (signed((classid << 32) | objid, 64),))
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    id = daemon.submit(timeout_ms=2500)
    daemon.wait_run(id, "locking", timeout=10)
    lock = wait_until(lambda: next((s["lock"] for s in [daemon.status()] if s["lock"]["waiting"]), None), 5, "waiting for the lock")
    assert lock["holder"]["pid"] == pid and lock["holder"]["application_name"] == "harness"
    run = daemon.wait_run(id, timeout=10)
    assert run["state"] == "unavailable" and str(pid) in str(run["error"]), run
    id = daemon.submit()
    daemon.wait_run(id, "locking", timeout=10)
    other.close()
    assert daemon.wait_run(id, timeout=15)["state"] == "succeeded"


def signed(n, bits=32):
    return n - (1 << bits) if n >= 1 << (bits - 1) else n


# -- queue --


def test_joining_queueing_and_idempotency(daemon, database, migrations):
    migrations.write({"V1__t.sql": "CREATE TABLE t (x int);"})
    assert daemon.migrate().status_code == 200
    migrations.write({"V2__wait.sql": "ALTER TABLE t ADD y int;"})
    other = blocker(database)
    first = daemon.submit()
    daemon.wait_run(first, "applying")
    second = daemon.submit(reason="b")
    assert second != first and daemon.submit(reason="c") == second and daemon.submit() == second
    assert daemon.submit(target="1") != second  # asks for something else
    key = {"Idempotency-Key": "k-1"}
    known = daemon.post("/migrate", {"database": database.name}, headers=key).json()["id"]
    assert daemon.post("/migrate", {"database": database.name}, headers=key).json()["id"] == known
    assert [r["state"] for r in daemon.runs()].count("queued") == len(daemon.runs()) - 2
    assert daemon.http.request("DELETE", f"/runs/{second}").status_code in (200, 202)
    assert daemon.run(second)["state"] == "cancelled"  # at once
    assert daemon.run(first)["state"] == "applying"
    other.close()
    assert daemon.wait_run(first)["state"] == "succeeded"
    daemon.wait_run(known)
    assert daemon.http.request("DELETE", f"/runs/{first}").json()["state"] == "succeeded"  # too late


def test_cancelling_rolls_back(daemon, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "CREATE TABLE b ();\nSELECT pg_sleep(60);"})
    id = daemon.submit()
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                                      " AND datname = current_database()"), 10, "asleep")
    begun = time.monotonic()
    answer = daemon.http.request("DELETE", f"/runs/{id}")
    assert answer.status_code in (200, 202) and answer.json()["id"] == id
    run = daemon.wait_run(id, timeout=10)
    assert run["state"] == "cancelled" and time.monotonic() - begun < 3
    database.wait_for_no_session()
    assert not database.exists("b")
    applied = [r["version"] for r in database.history()]
    assert applied in ([], ["1"]) and database.exists("a") == (applied == ["1"])
    assert {s["id"]: s["state"] == "applied" for s in run["steps"]} == {"1": applied == ["1"], "2": False}
    migrations.write({"V2__b.sql": "CREATE TABLE b ();"})
    assert daemon.migrate().status_code == 200


# -- several databases --


@pytest.fixture
def three(server, make_daemon, workdir):
    """(daemon, [databases]) with max_parallel 2."""
    databases = [server.create_database() for _ in range(3)]
    path = os.path.join(workdir, "pgmigrated.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("max_parallel = 2\n")
        for i, database in enumerate(databases):
            f.write(f"[database db{i}]\nurl = {database.url()}\n")
    return make_daemon(None, arguments=("--config", path)), databases


def test_several_databases_side_by_side(three, migrations):
    daemon, databases = three
    migrations.write({"V1__sleep.sql": "SELECT pg_sleep(1);"})
    answer = daemon.post("/migrate")
    assert answer.status_code == 202
    runs = answer.json()["runs"]
    assert [r["database"] for r in runs] == ["db0", "db1", "db2"]
    most = 0
    while True:
        states = [daemon.run(r["id"])["state"] for r in runs]
        most = max(most, sum(s not in ("queued", "succeeded") for s in states))
        if set(states) == {"succeeded"}:
            break
        assert "failed" not in states
        time.sleep(0.02)
    assert most == 2
    assert all(d.history() for d in databases)
    assert daemon.migrate().status_code == 200


def test_worst_of_several_databases_is_the_answer(three, migrations):
    daemon, databases = three
    databases[1].query("CREATE TABLE one ()")
    migrations.write({"V1__one.sql": "CREATE TABLE one ();"})
    answer = daemon.migrate()
    assert answer.status_code == 409
    assert [r["state"] for r in answer.json()["runs"]] == ["succeeded", "refused", "succeeded"]
    assert daemon.get("/readyz", database="db0").status_code == 200
    assert daemon.get("/readyz").status_code == 503 and "db1" in str(daemon.get("/readyz").json()["reasons"])
    assert daemon.migrate(database="db2").json()["database"] == "db2"


# -- events --


def test_events_resume_without_a_gap(daemon, database, two):
    with EventStream(daemon) as stream:
        run = daemon.migrate().json()
        seen = stream.until(lambda e: e.type == "run.state" and e.data["state"] == "succeeded")
    ids = [e.id for e in seen]
    assert ids == sorted(set(ids))
    states = [e.data["state"] for e in seen if e.type == "run.state"]
    assert states == ["waking", "locking", "planning", "applying", "succeeded"]
    assert [(e.data["id"], e.data["state"]) for e in seen if e.type == "step.state" and e.data["state"] == "applied"] == [
        ("1", "applied"), ("2", "applied")]
    # From anywhere, by header and by parameter: the same events again.
    for at in (0, len(seen) // 2, len(seen) - 2):
        for arguments in ({"last_event_id": seen[at].id}, {"parameter": seen[at].id}):
            with EventStream(daemon, **arguments) as again:
                assert [again.next() for _ in seen[at + 1:]] == seen[at + 1:]
    with EventStream(daemon, f"/runs/{run['id']}/events", last_event_id=seen[0].id - 1) as own:
        ended = own.rest()  # it ends with the run
    assert [e.data["state"] for e in ended if e.type == "run.state"][-1] == "succeeded"
    # Numbers grow across a restart, and what is gone is said to be.
    daemon.restart()
    with EventStream(daemon, last_event_id=seen[2].id) as after:
        two.write({"V3__x.sql": "SELECT 3;"})
        daemon.migrate()
        first = after.next()
        assert first.type == "gap", first
        assert after.next().id > seen[-1].id


def test_notices_and_failures_are_events(daemon, migrations):
    migrations.write({"V1__n.sql": "DO $$ BEGIN RAISE NOTICE 'said aloud'; END $$;\nSELECT 1/0;"})
    with EventStream(daemon) as stream:
        assert daemon.migrate().status_code == 500
        seen = stream.until(lambda e: e.type == "run.state" and e.data["state"] == "failed")
    assert "said aloud" in [e.data["message"] for e in seen if e.type == "notice"]
    assert seen[-1].data["error"]["sqlstate"] == "22012"


# -- metrics --

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9.eE+-]+|[+-]Inf|NaN)')


def parse_metrics(text, openmetrics=False):
    """{(name, labels): value}; asserts the rules of the text formats that a scraper would trip over."""
    samples, types, current, closed = {}, {}, None, set()
    assert text.endswith("\n")
    lines = text.split("\n")[:-1]
    if openmetrics:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            assert keyword in ("HELP", "TYPE"), line
            if name != current:
                assert name not in closed, f"{name} is in two places"
                closed.add(current)
                current = name
            if keyword == "TYPE":
                assert rest in ("counter", "gauge", "histogram"), line
                types[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        family = next((f for f in (name, name.removesuffix("_total"), re.sub("_(bucket|sum|count)$", "", name)) if f in types), None)
        assert family == current, f"{line} is not below its TYPE"
        if types[family] == "counter":
            assert name.endswith("_total") and float(value) >= 0, line
            assert openmetrics == (family != name), line
        assert (name, labels) not in samples, f"{line} twice"
        samples[name, labels] = float(value)
    return samples


def test_metrics(daemon, database, two):
    def value(samples, name, **labels):
        wanted = {f'{k}="{v}"' for k, v in labels.items()}
        return sum(v for (n, ls), v in samples.items() if n == name and wanted <= set((ls or "").split(",")))

    before = parse_metrics(daemon.get("/metrics").text)
    daemon.migrate()
    two.write({"V3__bad.sql": "SELECT 1/0;"})
    daemon.migrate()
    answer = daemon.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    after = parse_metrics(answer.text)
    assert set(before) <= set(after)
    me = {"database": database.name}
    assert value(after, "pgmigrated_migrations_applied_total", **me) == 2
    assert value(after, "pgmigrated_runs_total", state="succeeded", **me) == 1
    assert value(after, "pgmigrated_runs_total", state="failed", **me) == 1
    assert value(after, "pgmigrated_pending_migrations", **me) == 1
    assert value(after, "pgmigrated_connections", **me) == 0
    assert value(after, "pgmigrated_connection_attempts_total", **me) == 2
    assert value(after, "pgmigrated_http_requests_total", route="/migrate", status="200") == 1
    assert value(after, "pgmigrated_http_requests_total", route="/migrate", status="500") == 1
    assert value(after, "pgmigrated_http_connections") == 1
    open_metrics = daemon.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert {n for n, _ in parse_metrics(open_metrics.text, openmetrics=True)} >= {n for n, _ in after}


# -- errors --


def test_errors_of_the_database_are_problems(make_daemon, server, two):
    """What the database answers to a question comes as a problem with its SQLSTATE, never as a bare 500."""
    daemon = make_daemon(f"postgresql://postgres@127.0.0.1:{server.port}/nosuchdatabase")
    name = daemon.status()["name"]
    for path in (f"/databases/{name}/plan", f"/databases/{name}/history"):
        answer = daemon.get(path)
        assert answer.status_code == 503, answer
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        problem = answer.json()
        assert problem["sqlstate"] == "3D000" and "nosuchdatabase" in problem["detail"]
        assert problem["status"] == 503 and problem["type"].startswith("urn:pgmigrated:error:")
    probed = daemon.get("/status", probe=1)
    assert probed.status_code in (200, 503)
    assert daemon.status()["availability"]["state"] == "blocked"


def test_bad_files_are_problems_with_file_and_line(daemon, database, two):
    two.write({"V3__bad.sql": b"SELECT 1;\nSELECT '\xff';"})
    answer = daemon.get(f"/databases/{database.name}/plan")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["file"].endswith("V3__bad.sql") and problem["line"] == 2 and "UTF-8" in problem["detail"]
    json.dumps(problem)
