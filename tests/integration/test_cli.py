"""The command line as scripts and people use it: output, exit codes, JSON, terminals, secrets. What migrate and its relatives do
to a database is in test_migrate.py, bad input in test_bad_input.py."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from harness.daemon import check_sanitizer, environment
from harness.postgres import PASSWORD
from harness.waiting import wait_until

RUN_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")


@pytest.fixture
def two(migrations):
    return migrations.write({"V1__create_users.sql": "CREATE TABLE users (id int);",
                             "V2__add_name.sql": "ALTER TABLE users ADD name text;"})


@pytest.fixture
def ctl(cli, daemon):
    """ctl("status", ...) against the test's daemon; the Cli's options say nothing of where it is."""
    return lambda *arguments, **more: cli("ctl", *arguments, PGMIGRATED_CTL_URL=f"http://127.0.0.1:{daemon.port}", **more)


def document(text):
    assert text.endswith("\n")
    return json.loads(text)


# -- the direct commands --


def test_each_command_in_turn(cli, database, two):
    """A life: nothing on standard error unless something happens, results on standard output."""
    plan = cli("plan")
    assert plan.code == 0 and plan.err == "" and plan.out.splitlines()[1].split()[:3] == ["1", "create", "users"]
    assert "no version, 0 applied, 2 pending" in cli.ok("status")
    assert "no history" in cli.ok("history")
    assert cli("validate").code == 3
    first = cli("migrate", "--target", "1", "--detailed-exitcode")
    assert first.code == 2 and "1 applied" in first.out and "none -> 1" in first.out
    assert first.err.splitlines() == [line for line in first.err.splitlines() if "applied 1 create users" in line]
    assert cli("migrate", "--quiet").err == ""
    again = cli("migrate", "--detailed-exitcode")
    assert again.code == 0 and again.err == "" and "nothing to do" in again.out
    assert cli("plan", "--detailed-exitcode").code == 0
    assert "version 2, 2 applied, 0 pending" in cli.ok("status")
    rows = cli.ok("history").splitlines()
    assert [r.split()[:2] for r in rows[1:]] == [["1", "1"], ["2", "2"]]
    assert cli.ok("validate").strip() == "valid"
    assert "nothing to do" in cli.ok("repair")
    refused = cli("undo")
    assert refused.code == 3 and "no undo script" in refused.err and "U2__" in refused.err
    two.write({"U2__add_name.sql": "ALTER TABLE users DROP name;"})
    undone = cli.ok("undo")
    assert "1 undone" in undone and "version 2 -> 1" in undone
    assert cli("baseline").code == 3
    assert cli.ok("wait", "--version", "1").strip() == "available"
    late = cli("wait", "--version", "9", "--timeout", "1s")
    assert late.code == 4 and "9" in late.err and "1" in late.err, late
    assert cli("version").out.startswith("pgmigrated ")


def test_wait_for_a_version_that_comes(cli, database, two):
    waiting = cli.start("wait", "--version", "2", "--timeout", "30s")
    time.sleep(0.5)
    assert waiting.poll() is None
    cli.ok("migrate")
    assert waiting.wait(20) == 0
    waiting.communicate()


JSON_COMMANDS = {
    "migrate": (["migrate"], lambda d: (d["state"], d["to_version"], [s["state"] for s in d["steps"]])
                == ("succeeded", "2", ["applied"] * 2)),
    "dry run": (["migrate", "--dry-run"], lambda d: (d["state"], [s["state"] for s in d["steps"]])
                == ("succeeded", ["pending"] * 2)),
    "plan": (["plan"], lambda d: [s["file"] for s in d["steps"]] == ["V1__create_users.sql", "V2__add_name.sql"]),
    "status": (["status"], lambda d: (d["schema"]["pending"], len(d["entries"])) == (2, 2)),
    "history": (["history"], lambda d: d["exists"] is False and d["history"] == []),
    "validate": (["validate"], lambda d: "2" in d["detail"] + str(d) or not d["valid"]),
    "baseline": (["baseline"], lambda d: d["state"] == "succeeded"),
    "repair": (["repair"], lambda d: d["state"] == "succeeded"),
    "undo": (["undo"], lambda d: "state" in d or d["status"] == 409),
    "wait": (["wait"], lambda d: d["name"]),
    "check-config": (["check-config"], lambda d: d["databases"][0]["format"] == "flyway"),
}


@pytest.mark.parametrize("case", JSON_COMMANDS)
def test_json_is_one_document(cli, database, two, case):
    arguments, right = JSON_COMMANDS[case]
    result = cli(*arguments, "--json")
    assert right(document(result.out)), result
    assert result.code in (0, 3) and result.err == "", result


def test_failure_as_json(cli, database, two):
    two.write({"V3__bad.sql": "SELECT 1;\nSELECT nosuch;"})
    failed = cli("migrate", "--json")
    assert failed.code == 1
    problem = document(failed.out)
    assert (problem["status"], problem["sqlstate"], problem["line"], problem["column"]) == (500, "42703", 2, 8)
    assert problem["file"].endswith("V3__bad.sql") and problem["result"]["state"] == "failed"
    bad = cli("migrate", "--json", "--migratons", "x")
    assert bad.code == 64 and "--migrations" in bad.out + bad.err


def test_exit_codes(cli, database, two, ports):
    assert cli("migrate", "--detailed-exitcode").code == 2
    assert cli("migrate", "--detailed-exitcode").code == 0
    assert cli("migrate").code == 0
    two.write({"V3__bad.sql": "SELECT 1/0;"})
    assert cli("plan", "--detailed-exitcode").code == 2
    for flags in ((), ("--detailed-exitcode",)):
        assert cli("migrate", *flags).code == 1
        assert cli("migrate", *flags, target="77").code == 3
        assert cli("migrate", *flags, DATABASE_URL=database.url(ports.take()), wake_timeout="1s").code == 4
    assert cli("frobnicate").code == 64
    assert cli("migrate", "--config", "/nonexistent/file").code == 78


def test_interrupt_rolls_back_and_exits_with_5(cli, database, two):
    two.write({"V2__add_name.sql": "CREATE TABLE half ();\nSELECT pg_sleep(60);"})
    for number in (signal.SIGINT, signal.SIGTERM):
        run = cli.start("migrate")
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                                          " AND datname = current_database()"), 20, "asleep")
        begun = time.monotonic()
        run.send_signal(number)
        out, err = run.communicate(timeout=20)
        assert run.returncode == 5 and b"cancelled" in out + err, (run.returncode, out, err)
        assert time.monotonic() - begun < 5
        assert not database.exists("half")
        wait_until(lambda: database.sessions() == 0, 5, "no session")
    check_sanitizer(cli.directory)


def test_environment_alone_is_enough(binary, database, two, workdir):
    """As in a container: no configuration file, no arguments but the command."""
    def run(**variables):
        done = subprocess.run([binary, "migrate"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd=workdir,
                              env=environment(workdir, {"migrate_on_start": None, **variables}))
        check_sanitizer(workdir)
        return done

    done = run(DATABASE_URL=database.url())  # ./migrations, format found out
    assert done.returncode == 0, done
    assert len(database.history()) == 2
    parts = {"PGHOST": "127.0.0.1", "PGPORT": str(database.server.port), "PGUSER": "postgres", "PGDATABASE": database.name}
    assert run(**parts).returncode == 0


def test_new(cli, database, two):
    path = cli.ok("new", "Add an index").strip()
    assert os.path.basename(path).startswith("V3__") and os.path.exists(path) and os.path.getsize(path) == 0
    second = cli.ok("new", "again").strip()
    assert os.path.basename(second).startswith("V4__")
    assert os.path.dirname(cli.ok("new", "../es/cape").strip()) == two.folder
    nameless = cli("new", "")
    assert nameless.code != 0 and nameless.err
    assert len(os.listdir(two.folder)) == 5


def test_check_config_shows_what_is_meant(cli, database, two, workdir):
    path = os.path.join(workdir, "pgmigrated.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"format = flyway\n[database one]\nurl = {database.url()}\n[database two]\n"
                f"url = host=db.example.com dbname=two user=u\nmigrations = migrations\n")
    result = cli("check-config", "--config", path, DATABASE_URL=None, migrations=None)
    assert result.code == 0 and path in result.out, result
    for word in ("one", "two", database.name, "db.example.com", two.folder):
        assert word in result.out
    names = [d["name"] for d in document(cli.ok("check-config", "--json", "--config", path, DATABASE_URL=None))["databases"]]
    assert names == ["one", "two"]


def test_several_databases_in_one_command(cli, server, database, two, workdir):
    other = server.create_database()
    path = os.path.join(workdir, "pgmigrated.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(f"[database {n}]\nurl = {d.url()}\n" for n, d in (("one", database), ("two", other))))
    common = {"DATABASE_URL": None}
    assert cli("undo", "--config", path, **common).code == 64
    only = cli("migrate", "--config", path, "--database", "two", "--json", **common)
    assert only.code == 0 and document(only.out)["database"] == "two" and database.history() == []
    both = cli("migrate", "--config", path, "--json", "--detailed-exitcode", **common)
    assert both.code == 2 and [(r["database"], r["applied"]) for r in document(both.out)] == [("one", 2), ("two", 0)]
    typo = cli("migrate", "--config", path, "--database", "tow", **common)
    assert typo.code in (64, 66, 78) and "two" in typo.err


# -- help --


def test_help_names_every_command_and_option(cli):
    text = cli.ok("--help")
    for word in ("serve", "migrate", "plan", "status", "history", "validate", "baseline", "repair", "undo", "wait", "new",
                 "check-config", "ctl"):
        assert word in text, word
    migrate = cli.ok("migrate", "--help")
    for word in ("--detailed-exitcode", "--dry-run", "--reason", "--json"):
        assert word in migrate, word
    for word in ("--target", "--lock-timeout", "--listen"):
        assert word in text, word
    assert max(map(len, text.splitlines() + migrate.splitlines())) <= 130


# -- pipes and terminals --


def on_a_terminal(cli, *arguments, columns=80, **options):
    """Runs with standard error on a terminal; returns what that showed."""
    leader, follower = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=follower, check=True)
    run = subprocess.Popen(cli.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=follower,
                           cwd=cli.directory, env={**environment(cli.directory, {**cli.options, **options}), "TERM": "xterm"})
    os.close(follower)
    shown = b""
    while True:
        if not select.select([leader], [], [], 60)[0]:
            raise AssertionError(f"silent: {shown}")
        try:
            got = os.read(leader, 65536)
        except OSError:
            break
        if not got:
            break
        shown += got
    os.close(leader)
    run.communicate(timeout=20)
    check_sanitizer(cli.directory)
    return run.returncode, shown.decode()


def screen(shown):
    """What is left on the screen: each line as it was last drawn."""
    lines = []
    for line in shown.replace("\r\n", "\n").split("\n"):
        lines.append(line.split("\r")[-1].replace("\x1b[K", ""))
    return lines


def test_plain_lines_in_a_pipe_and_a_live_line_on_a_terminal(cli, database, two):
    two.write({"V3__slow_one.sql": "SELECT pg_sleep(1.2);"})
    piped = cli("migrate", target="2")
    assert piped.code == 0 and "\r" not in piped.err and "\x1b" not in piped.err + piped.out
    assert [line.split(" (")[0].split(": ", 1)[1] for line in piped.err.splitlines()] == [
        "applied 1 create users", "applied 2 add name"]
    code, shown = on_a_terminal(cli, "migrate")
    assert code == 0
    assert re.search(r"applying 3 slow one.*\b1 s", shown), shown  # with a clock that runs
    assert [line for line in screen(shown) if line.strip()] == [
        line for line in screen(shown) if "applied 3 slow one" in line]  # the live line is gone
    assert all(len(part) <= 80 for part in re.split(r"[\r\n]", shown.replace("\x1b[K", "")))


def test_narrow_terminal(cli, database, migrations):
    migrations.write({"V1__a_rather_long_description_of_what_it_does.sql": "SELECT pg_sleep(0.5);"})
    code, shown = on_a_terminal(cli, "migrate", columns=30)
    live = [p for p in re.split(r"[\r\n]", shown.replace("\x1b[K", "")) if "applying" in p]
    assert code == 0 and live and all(len(p) <= 30 for p in live)


def test_dumb_terminal_gets_plain_lines(cli, database, two):
    leader, follower = pty.openpty()
    run = subprocess.run(cli.command("migrate"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=follower, timeout=60,
                         cwd=cli.directory, env={**environment(cli.directory, cli.options), "TERM": "dumb"})
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert run.returncode == 0 and "\x1b" not in shown and "applied 2 add name" in shown


def test_control_characters_do_not_reach_the_terminal(cli, database, migrations):
    migrations.write({"V1__n.sql": "DO $$ BEGIN RAISE NOTICE E'a\\x1b[2Jb\\r\\nc'; RAISE EXCEPTION E'x\\x1b]0;owned\\x07y'; END $$;"})
    failed = cli("migrate")
    assert failed.code == 1 and "\x1b" not in failed.err + failed.out and "\x07" not in failed.err + failed.out
    assert "owned" in failed.err  # shown, not obeyed
    _, shown = on_a_terminal(cli, "migrate")
    assert "\x1b[2J" not in shown and "\x1b]" not in shown


def test_closed_pipe_does_no_harm(cli, database, two):
    run = subprocess.run(["bash", "-c", f"'{cli.binary}' migrate 2>&1 | true; echo ${{PIPESTATUS[0]}}"], capture_output=True,
                         timeout=60, env=environment(cli.directory, cli.options), cwd=cli.directory)
    assert int(run.stdout) in (0, 74), run
    check_sanitizer(cli.directory)
    assert len(database.history()) == 2


def test_waiting_is_said_once_in_a_pipe(cli, database, two, ports):
    failed = cli("migrate", DATABASE_URL=database.url(ports.take()), wake_timeout="2s")
    assert failed.code == 4
    waiting = [line for line in failed.err.splitlines() if "waiting for the database" in line]
    assert len(waiting) == 1 and "refused" in waiting[0], failed.err


# -- secrets --


def test_no_secret_in_any_output(own_server, cli, two, workdir):
    own_server.create_password_role()
    database = own_server.create_database()
    secret = PASSWORD.replace(" ", "%20")
    url = database.url(user="with_password").replace("with_password@", f"with_password:{secret}@")
    wrong = url.replace(secret, "hunter2secret")
    path = os.path.join(workdir, "password")
    with open(path, "w", encoding="utf-8") as f:
        f.write("filehunter3\n")
    seen = []
    for given in (url, wrong, url.replace("postgresql:", "postgresq:"), url.replace("/t1", "/nosuch?bad=1"),
                  url.replace("127.0.0.1:", "127.0.0.1:x")):
        for arguments in (["check-config"], ["check-config", "--json"], ["migrate"], ["status", "--json"]):
            result = cli(*arguments, DATABASE_URL=given, wake_timeout="1s", log_level="debug")
            seen.append(result.out + result.err)
    result = cli("migrate", DATABASE_URL=database.url(user="with_password"), password_file=path, wake_timeout="1s")
    assert result.code == 4 and "password" in result.err
    seen.append(result.out + result.err)
    for text in seen:
        for word in (PASSWORD, secret, "correct", "hunter2secret", "filehunter3"):
            assert word not in text, text
    assert len(database.history()) == 2


# -- ctl --


def test_ctl(ctl, daemon, database, two):
    assert database.name in ctl("status").out
    done = ctl("migrate", "--reason", "by hand", "--detailed-exitcode")
    assert done.code == 2 and "succeeded, 2 applied" in done.out
    assert [line.split(" (")[0].split(": ", 1)[1] for line in done.err.splitlines()] == [
        "applied 1 create users", "applied 2 add name"], done
    assert ctl("migrate", "--detailed-exitcode").code == 0
    status = document(ctl("status", "--json").out)
    assert status["databases"][0]["schema"]["version"] == "2"
    runs = document(ctl("runs", "--json").out)["runs"]
    assert [r["state"] for r in runs] == ["succeeded"] * 2 and runs[1]["trigger"]["reason"] == "by hand"
    table = ctl("runs").out
    assert {r["id"] for r in runs} == set(RUN_ID.findall(table))
    one = ctl("runs", runs[1]["id"])
    assert one.code == 0 and "create users" in one.out
    assert document(ctl("runs", runs[1]["id"], "--json").out) == daemon.run(runs[1]["id"])
    assert ctl("runs", "--state", "failed").code == 0
    assert ctl("runs", "--limit", "1").out.count("succeeded") == 1

    two.write({"V3__bad.sql": "SELECT 1;\nSELECT nosuch;"})
    failed = ctl("migrate")
    assert failed.code == 1 and "V3__bad.sql:2:8" in failed.err and "42703" in failed.err
    assert document(ctl("migrate", "--json").out)["error"]["line"] == 2
    assert ctl("migrate", "--target", "99").code == 3
    assert ctl("migrate", "--database", "nosuch").code == 66


def test_ctl_cancel(ctl, daemon, database, two):
    two.write({"V2__add_name.sql": "SELECT pg_sleep(60);"})
    started = ctl("migrate", "--no-wait")
    assert started.code == 0
    id = RUN_ID.search(started.out).group()
    daemon.wait_run(id, "applying")
    assert ctl("cancel", id).code == 0
    assert daemon.wait_run(id, timeout=10)["state"] == "cancelled"
    missing = ctl("cancel", "01JD0000000000000000000000")
    assert missing.code == 66 and "01JD0000000000000000000000" in missing.err


def test_ctl_follows_a_run_across_a_restart(ctl, cli, make_daemon, database, two):
    daemon = make_daemon(database.url(), shutdown_grace="500ms")
    two.write({"V2__add_name.sql": "SELECT pg_sleep(3);"})
    following = cli.start("ctl", "migrate", "--url", f"http://127.0.0.1:{daemon.port}")
    wait_until(lambda: daemon.runs() and daemon.runs()[0]["state"] == "applying", 20, "applying")
    daemon.stop()
    two.write({"V2__add_name.sql": "SELECT 1;"})
    daemon.start()
    out, err = following.communicate(timeout=40)
    assert following.returncode == 0 and b"succeeded" in out, (out, err)


def test_ctl_finds_the_service(cli, make_daemon, database, ports):
    local = make_daemon(database.url(), unix_socket=True)
    path = local.options["socket"]
    for arguments, options in ((["--url", f"unix:{path}"], {}), ([], {"socket": path}), ([], {"PGMIGRATED_CTL_URL": path})):
        result = cli("ctl", "status", *arguments, **options)
        assert result.code == 0 and database.name in result.out, result
    port = ports.take()
    away = cli("ctl", "status", "--url", f"http://127.0.0.1:{port}")
    assert away.code == 4 and str(port) in away.err and "running" in away.err
