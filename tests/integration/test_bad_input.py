"""Everything bad that can come in: a clear error that names what and where, and nothing changed in the database."""
import os
import time

import pytest

V1, V2 = "V1__one.sql", "V2__two.sql"
GOOD = {V1: "CREATE TABLE one ();\n", V2: "CREATE TABLE two ();\n"}


def refused(result, code, *words):
    assert result.code == code, result
    for word in words:
        assert word in result.err + result.out, f"{word!r} is not in: {result}"


# -- migrations: (files that change or, with None, go; what must be said) --

BAD_FOLDERS = {
    "duplicate version": ({"V01__again.sql": "SELECT 1;"}, [V1, "V01__again.sql"]),
    "duplicate repeatable": ({"R__r.sql": "SELECT 1;", "sub/R__r.sql": "SELECT 2;"}, ["R__r.sql", "sub/R__r.sql"]),
    "edited applied file": ({V1: "CREATE TABLE one (x int);\n"}, [V1, "1"]),
    "renamed applied file": ({V1: None, "V1__other.sql": GOOD[V1]}, ["V1__other.sql"]),
    "missing applied file": ({V1: None}, ["1", "one"]),
    "invalid UTF-8": ({"V3__bad.sql": b"SELECT 1;\nSELECT 'caf\xe9';\n"}, ["V3__bad.sql:2", "UTF-8"]),
    "NUL byte": ({"V3__bad.sql": b"SELECT 1;\nSELECT '\0';\n"}, ["V3__bad.sql:2", "NUL"]),
    "unknown key beside a script": ({"V3__x.sql": "SELECT 1;", "V3__x.sql.conf": "executeInTransacton=false\n"},
                                    ["V3__x.sql.conf", "executeInTransacton"]),
    "bad value beside a script": ({"V3__x.sql": "SELECT 1;", "V3__x.sql.conf": "executeInTransaction=maybe\n"},
                                  ["V3__x.sql.conf", "maybe"]),
    "shell script": ({"V3__x.sh": "echo"}, ["V3__x.sh"]),
    "unterminated placeholder": ({"V3__x.sql": "SELECT 1;\nSELECT '${open';"}, ["V3__x.sql"]),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_bad_folder(cli, database, migrations, case):
    files, words = BAD_FOLDERS[case]
    migrations.write(GOOD)
    cli.ok("migrate")
    before = database.fingerprint()
    migrations.write({"V4__pending.sql": "CREATE TABLE pending ();"})
    for name in [n for n, content in files.items() if content is None]:
        migrations.remove(name)
    migrations.write({n: content for n, content in files.items() if content is not None})
    for command in ("migrate", "validate"):
        refused(cli(command), 3, *words)
    assert database.fingerprint() == before


def test_bad_folder_through_the_service(daemon, database, migrations):
    migrations.write({**GOOD, "V01__again.sql": "SELECT 1;"})
    before = database.fingerprint()
    answer = daemon.migrate()
    assert answer.status_code == 409, answer
    run = answer.json()
    assert run["state"] == "refused" and "V01__again.sql" in str(run["error"]) and V1 in str(run["error"])
    assert daemon.get("/readyz").status_code == 503
    assert database.fingerprint() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_unreadable_file(cli, database, migrations):
    migrations.write(GOOD)
    os.chmod(migrations.path(V2), 0o600)
    os.chmod(cli.directory, 0o777)  # for the sanitizer's report
    before = database.fingerprint()
    result = cli("migrate", user="nobody")
    assert result.code in (3, 74), result
    refused(result, result.code, V2, "ermission denied")
    assert database.fingerprint() == before


def test_missing_folder(cli, database, migrations):
    migrations.vanish()
    before = database.fingerprint()
    result = cli("migrate")
    assert result.code in (3, 74, 78), result
    refused(result, result.code, migrations.folder)
    assert database.fingerprint() == before


def test_folder_vanishes_mid_run(daemon, database, migrations):
    # Not in a transaction, so it is not sent together with the next one.
    migrations.write({V1: "CREATE TABLE one ();\nSELECT pg_sleep(2);\n", f"{V1}.conf": "executeInTransaction=false\n",
                      V2: GOOD[V2]})
    id = daemon.submit()
    daemon.wait_run(id, "applying")
    deadline = time.monotonic() + 20
    while not database.exists("one") and time.monotonic() < deadline:
        time.sleep(0.02)
    migrations.vanish()
    run = daemon.wait_run(id)
    assert run["state"] in ("failed", "refused") and V2 in str(run["error"]), run
    assert [(r["version"], r["success"]) for r in database.history()] == [("1", True)]
    assert not database.exists("two")
    migrations.write({V1: "CREATE TABLE one ();\nSELECT pg_sleep(2);\n", V2: GOOD[V2]})
    assert daemon.migrate().status_code == 200
    assert database.exists("two")


# -- histories --

BAD_HISTORIES = {
    "failed row": ("INSERT INTO flyway_schema_history VALUES (3, '3', 'x', 'SQL', 'V3__x.sql', 1, 'x', now(), 1, false)",
                   ["3", "repair"]),
    "unknown type": ("INSERT INTO flyway_schema_history VALUES (3, '3', 'x', 'MAGIC', 'V3__x.sql', 1, 'x', now(), 1, true)",
                     ["MAGIC"]),
    "other table of that name": ("DROP TABLE flyway_schema_history; CREATE TABLE flyway_schema_history (x int)",
                                 ["flyway_schema_history"]),
}


@pytest.mark.parametrize("case", BAD_HISTORIES)
def test_dirty_history(cli, database, migrations, case):
    sql, words = BAD_HISTORIES[case]
    migrations.write(GOOD)
    cli.ok("migrate")
    database.query(sql)
    migrations.write({"V3__x.sql": "CREATE TABLE three ();", "V4__y.sql": "CREATE TABLE four ();"})
    before = database.fingerprint()
    result = cli("migrate")
    assert result.code in (1, 3), result
    refused(result, result.code, *words)
    assert database.fingerprint() == before


# -- configuration: (text of the file, what must be said) --

BAD_FILES = {
    "unknown option": ("listen = 127.0.0.1:1\nmigratons = x\n", [":2", "migratons", "migrations"]),
    "bad unit": ("connect_timeout = 10 parsecs\n", [":1", "connect_timeout", "parsecs"]),
    "out of range": ("connect_timeout = 0\n", [":1", "connect_timeout"]),
    "bad truth value": ("out_of_order = perhaps\n", [":1", "out_of_order", "perhaps"]),
    "no assignment": ("out_of_order\n", [":1"]),
    "given twice": ("out_of_order = yes\nout_of_order = no\n", [":2", "out_of_order"]),
    "NUL byte": ("out_of_order = yes\0\n", [":1"]),
}


@pytest.mark.parametrize("command", ["check-config", "migrate", "serve"])
@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_configuration_file(cli, database, migrations, workdir, case, command):
    text, words = BAD_FILES[case]
    path = os.path.join(workdir, "pgmigrated.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    before = database.fingerprint()
    refused(cli(command, "--config", path, state_directory=os.path.join(workdir, "state")), 78, path, *words)
    assert database.fingerprint() == before


@pytest.mark.parametrize("arguments, environment, code, words", [
    (["migrate", "--migratons", "x"], {}, 64, ["--migratons", "--migrations"]),
    (["migrate", "extra"], {}, 64, ["extra"]),
    (["migrat"], {}, 64, ["migrat", "migrate"]),
    ([], {}, 64, []),
    (["migrate"], {"connect_timeout": "10 parsecs"}, 78, ["PGMIGRATED_CONNECT_TIMEOUT", "parsecs"]),
    (["migrate"], {"conect_timeout": "10s"}, 78, ["PGMIGRATED_CONECT_TIMEOUT", "PGMIGRATED_CONNECT_TIMEOUT"]),
    (["migrate"], {"format": "flywya"}, 78, ["flywya", "flyway"]),
    (["migrate"], {"target": "one"}, 78, ["one"]),
    (["migrate"], {"DATABASE_URL": "mysql://x"}, 78, ["DATABASE_URL"]),
    (["migrate", "--url", "postgresql://u:hunter2@127.0.0.1/x"], {}, 64, []),
])
def test_bad_command_line_and_environment(cli, database, migrations, arguments, environment, code, words):
    migrations.write(GOOD)
    before = database.fingerprint()
    result = cli(*arguments, **environment)
    if "target" in environment and result.code == 3:
        code = 3  # found against the folder rather than in the options
    refused(result, code, *words)
    assert "hunter2" not in result.err + result.out
    assert database.fingerprint() == before


# -- the API --

BAD_REQUESTS = {
    "malformed JSON": ("POST", "/migrate", b'{"database": ', 400, ""),
    "not an object": ("POST", "/migrate", b"[]", 400, ""),
    "unknown member": ("POST", "/migrate", {"targt": "1"}, 400, "targt"),
    "wrong type": ("POST", "/migrate", {"dry_run": "yes"}, 400, "dry_run"),
    "duplicate member": ("POST", "/migrate", b'{"target": "1", "target": "2"}', 400, "target"),
    "negative timeout": ("POST", "/migrate", {"timeout_ms": -1}, 400, "timeout_ms"),
    "invalid UTF-8": ("POST", "/migrate", b'{"reason": "caf\xe9"}', 400, ""),
    "NUL in a string": ("POST", "/migrate", b'{"reason": "a\\u0000b"}', 400, ""),
    "deep nesting": ("POST", "/migrate", b"[" * 30000, 400, ""),
    "oversized body": ("POST", "/migrate", b'{"reason": "' + b"x" * 200_000 + b'"}', 413, ""),
    "unknown database": ("POST", "/migrate", {"database": "nosuch"}, 404, "nosuch"),
    "unknown parameter": ("POST", "/migrate?wiat=1", None, 400, "wiat"),
    "bad wait": ("POST", "/migrate?wait=soon", None, 400, "wait"),
    "negative wait": ("POST", "/migrate?wait=-1", None, 400, "wait"),
    "unknown parameter of a GET": ("GET", "/status?prob=1", None, 400, "prob"),
    "bad limit": ("GET", "/runs?limit=0", None, 400, "limit"),
    "bad state": ("GET", "/runs?state=done", None, 400, "done"),
    "no such run": ("GET", "/runs/01JD0000000000000000000000", None, 404, "01JD0000000000000000000000"),
    "cancel no such run": ("DELETE", "/runs/nope", None, 404, "nope"),
    "no such path": ("GET", "/nope", None, 404, ""),
    "wrong method": ("GET", "/migrate", None, 405, ""),
    "bytes that are no text": ("GET", "/runs/%ff%00", None, (400, 404), ""),
}


def test_bad_requests(daemon, database, migrations):
    migrations.write(GOOD)
    before = database.fingerprint()
    for case, (method, path, body, status, word) in BAD_REQUESTS.items():
        answer = daemon.http.request(method, path, body)
        expected = status if isinstance(status, tuple) else (status,)
        assert answer.status_code in expected, (case, answer)
        assert answer.headers["Content-Type"].startswith("application/problem+json"), case
        problem = answer.json()
        assert problem["status"] == answer.status_code and problem["title"] and problem["type"], (case, problem)
        assert word in problem["detail"] + problem.get("hint", ""), (case, problem)
    assert daemon.runs() == []
    assert database.fingerprint() == before
    assert daemon.migrate().status_code == 200


def test_second_service_in_the_same_state_directory(daemon, cli):
    result = cli("serve", state_directory=daemon.state_directory, listen="127.0.0.1:0", timeout=30)
    assert result.code not in (0, 70), result
    refused(result, result.code, daemon.state_directory, str(daemon.process.pid))
    assert daemon.get("/healthz").status_code == 200
