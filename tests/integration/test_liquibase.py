"""Liquibase's changelogs through the commands and the service: what is applied, waited for, refused, taken up again, taken back."""
import json
import os
import signal

import pytest

from harness import liquibase
from harness.daemon import Cli
from harness.waiting import wait_until

SQL = "--liquibase formatted sql\n"
XML = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-4.28.xsd">
{}
</databaseChangeLog>
"""


@pytest.fixture
def changelog(migrations):
    """changelog(text, name="changelog.sql", **files) writes it and gives its path."""
    def write(text, name="changelog.sql", files=None):
        migrations.write({name: text, **(files or {})})
        return migrations.path(name)
    return write


@pytest.fixture
def lq(binary, workdir, database, migrations):
    return Cli(binary, workdir, {"DATABASE_URL": database.url(), "format": "liquibase", "migrations": migrations.folder})


def ids(database):
    return [row["id"] for row in liquibase.rows(database)]


def locked(database):
    return database.value("SELECT locked FROM databasechangeloglock")


# -- the lock row --

def test_lock_of_a_killed_run_is_taken_over(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n--changeset a:2\nSELECT pg_sleep(30);\n")
    process = lq.start("migrate")
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), 20, "asleep")
    assert locked(database) and "#pgmigrated" in database.value("SELECT lockedby FROM databasechangeloglock")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n--changeset a:2\nSELECT 2;\n")
    lq.ok("migrate")
    assert ids(database) == ["1", "2"] and not locked(database)


def test_foreign_lock_is_waited_for_shown_and_released_by_command(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nSELECT 1;\n")
    lq.ok("migrate")
    database.query("UPDATE databasechangeloglock SET locked = true, lockedby = 'ci-7 (10.1.2.3)', lockgranted = now()")
    assert "nothing to do" in lq.ok("migrate")  # nothing changes, so nobody has to be waited for
    changelog(SQL + "--changeset a:1\nSELECT 1;\n--changeset a:2\nSELECT 2;\n")
    done = lq("migrate", migration_lock_timeout="1s")
    assert done.code == 4 and "ci-7 (10.1.2.3)" in done.err and "pgmigrated unlock" in done.err
    assert ids(database) == ["1"]
    assert "ci-7" in lq.ok("unlock")
    lq.ok("migrate")
    assert ids(database) == ["1", "2"] and not locked(database)


def test_lock_is_given_back_after_a_failure(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nSELECT 1;\n--changeset a:2\nSELECT nothing;\n")
    assert lq("migrate").code == 1
    assert ids(database) == ["1"] and not locked(database)


def test_a_crowd_applies_each_once(lq, changelog, database):
    changelog(SQL + "".join(f"--changeset a:{i}\nCREATE TABLE t{i} (id int);\n" for i in range(20)))
    crowd = [lq.start("migrate", "--json") for _ in range(8)]
    runs = []
    for process in crowd:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{out} {err}"
        runs.append(json.loads(out))
    assert sum(r["applied"] for r in runs) == 20
    assert sorted(ids(database), key=int) == [str(i) for i in range(20)] and not locked(database)


# -- errors are at their place --

@pytest.mark.parametrize("name,text,files,place", [
    ("changelog.sql", SQL + "--changeset a:1\nSELECT 1;\n--comment x\nSELECT\n  nothing;\n", {}, "changelog.sql:6:3"),
    ("changelog.xml", XML.format('<changeSet id="1" author="a">\n<sql><![CDATA[\nSELECT 1;\nSELECT\n  nothing;]]></sql></changeSet>'), {},
     "changelog.xml:8:3"),
    ("changelog.yaml", "databaseChangeLog:\n- changeSet:\n    id: 1\n    author: a\n    changes:\n    - sql: |\n        SELECT 1;\n"
     "        SELECT nothing;\n", {}, "changelog.yaml:8"),
    ("changelog.xml", XML.format('<changeSet id="1" author="a">\n<sqlFile path="x/f.sql"/></changeSet>'),
     {"x/f.sql": "SELECT 1;\n\nSELECT\n nothing;\n"}, "x/f.sql:4:2"),
    ("changelog.xml", XML.format('<changeSet id="1" author="a"><empty/>\n<dropTable tableName="nothing"/></changeSet>'), {}, "changelog.xml:5"),
])
def test_place_of_an_error(lq, changelog, database, name, text, files, place):
    changelog(text, name, files)
    done = lq("migrate")
    assert done.code == 1 and place in done.err and "nothing" in done.err, done
    assert ids(database) == []


# -- what is not in a transaction --

def test_concurrent_index_needs_no_attribute_and_survives_a_kill(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE t AS SELECT generate_series(1, 200000) AS n;\n"
              "--changeset a:2\nCREATE INDEX CONCURRENTLY t_n ON t (n);\n")
    process = lq.start("migrate")
    wait_until(lambda: database.value("SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text = 't_n'"), 30, "the index begun",
               interval=0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lq.ok("migrate")
    assert ids(database) == ["1", "2"]
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass")


def test_run_without_transaction_is_taken_up_where_it_stopped(lq, changelog, database):
    text = SQL + "--changeset a:1 runInTransaction:false\nCREATE TABLE one (id int);\nCREATE TABLE {} (id int);\n"
    database.query("CREATE TABLE two (id int)")
    changelog(text.format("two"))
    assert lq("migrate").code == 1
    assert database.exists("one") and ids(database) == []
    database.query("DROP TABLE two")
    lq.ok("migrate")
    assert ids(database) == ["1"] and database.exists("two")


# -- history of older tools, and paths --

def test_checksums_of_version_8_are_upgraded(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nSELECT 1;\n--changeset a:2\nSELECT 2;\n")
    lq.ok("migrate")
    database.query("UPDATE databasechangelog SET md5sum = '8:1f5a8c2b4e0d4e4c8f3f9c8e1c0a7b52', liquibase = '4.4.0' WHERE id = '1'")
    done = lq("migrate")
    assert done.code == 3 and "changelog.sql::1::a" in done.err and "8:1f5a8c2b" in done.err
    lq.ok("repair")
    assert all(r["md5sum"].startswith("9:") for r in liquibase.rows(database))
    database.query("UPDATE databasechangelog SET md5sum = NULL")
    lq.ok("migrate")
    assert all(r["md5sum"].startswith("9:") for r in liquibase.rows(database))


def test_paths_of_the_history(lq, changelog, database, migrations):
    changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n", "db/changelog.sql")
    lq.ok("migrate", migrations=migrations.path("db/changelog.sql"), migrations_root=migrations.folder)
    assert liquibase.rows(database)[0]["filename"] == "db/changelog.sql"
    done = lq("migrate", migrations=migrations.path("db/changelog.sql"))
    assert done.code == 3 and "migrations_root" in done.err
    assert "nothing to do" in lq.ok("migrate", migrations=migrations.path("db/changelog.sql"), migrations_root=migrations.folder)


def test_changelog_is_found_in_its_folder(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nSELECT 1;\n", "db.changelog-master.sql")
    lq.ok("migrate", format="auto")
    assert ids(database) == ["1"]


def test_properties_that_only_the_database_knows(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE v AS SELECT '${database.databaseMajorVersion} ${database.defaultSchemaName}' AS v;\n")
    lq.ok("migrate")
    major = database.value("SELECT current_setting('server_version_num')::int / 10000")
    assert database.value("SELECT v FROM v") == f"{major} public"


def test_environment_is_not_read_unasked(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE v AS SELECT '${PGM_SECRET}' AS v;\n")
    lq.ok("migrate", PGM_SECRET="s3cret")
    assert database.value("SELECT v FROM v") == "${PGM_SECRET}"
    changelog(SQL + "--changeset a:2\nCREATE TABLE w AS SELECT '${PGM_SECRET}' AS v;\n")
    lq.ok("migrate", PGM_SECRET="s3cret", allow_environment="yes")
    assert database.value("SELECT v FROM w") == "s3cret"


# -- commands --

def test_targets_tags_and_undo(lq, changelog, database):
    changelog(XML.format("".join(
        f'<changeSet id="{i}" author="a"><createTable tableName="t{i}"><column name="id" type="int"/></createTable></changeSet>\n'
        + (f'<changeSet id="tag{i}" author="a"><tagDatabase tag="v{i}"/></changeSet>\n' if i % 2 == 0 else "") for i in range(1, 6))),
        "changelog.xml")
    lq.ok("migrate", "--target", "v2")
    assert ids(database) == ["1", "2", "tag2"]
    lq.ok("migrate", "--target", "count:1")
    assert ids(database)[-1] == "3"
    assert lq("migrate", "--target", "v9").code == 3
    lq.ok("migrate")
    assert ids(database)[-3:] == ["4", "tag4", "5"]
    assert "DROP TABLE public.t5" in lq.ok("undo", "--dry-run", "--json")
    lq.ok("undo")
    assert not database.exists("t5")
    lq.ok("tag", "release")
    assert liquibase.rows(database)[-1]["tag"] == "release"
    lq.ok("migrate")
    lq.ok("undo", "--target", "release")
    assert ids(database)[-1] == "4"  # the row of a tagDatabase goes with its tag, as in Liquibase
    assert lq("undo", "--target", "unknown").code == 3
    lq.ok("wait", "--version", "v2", "--timeout", "1s")
    assert lq("wait", "--version", "v7", "--timeout", "1s").code == 4
    lq.ok("undo", "--target", "count:100")
    assert ids(database) == [] and not database.exists("t1")


def test_what_cannot_be_undone_is_refused_before_anything_is(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE a (id int);\n--changeset a:2\nCREATE TABLE b (id int);\n--rollback DROP TABLE b;\n")
    lq.ok("migrate")
    done = lq("undo", "--target", "count:2")
    assert done.code == 3 and "changelog.sql::1::a" in done.err
    assert ids(database) == ["1", "2"] and database.exists("b")


def test_baseline_runs_nothing(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n--changeset a:2\nCREATE TABLE u (id int);\n")
    lq.ok("baseline", "--version", "next")
    assert ids(database) == ["1"]
    lq.ok("baseline")
    assert ids(database) == ["1", "2"] and not database.exists("t")
    assert "nothing to do" in lq.ok("migrate")


def test_changed_changeset_is_shown_and_refused(lq, changelog, database):
    changelog(SQL + "--changeset a:1\nSELECT 1;\n")
    lq.ok("migrate")
    path = changelog(SQL + "--changeset a:1\nSELECT 2;\n")
    assert "changed since it was applied" in lq.ok("status")
    for command in ("migrate", "validate", "plan"):
        done = lq(command)
        assert done.code == 3 and f"{path}:2" in done.err and "validCheckSum" in done.err
    lq.ok("repair")
    lq.ok("validate")


def test_plan_shows_the_sql(lq, changelog, database):
    changelog(XML.format('<changeSet id="1" author="a"><createSequence sequenceName="s"/></changeSet>'), "changelog.xml")
    steps = json.loads(lq.ok("plan", "--json"))["steps"]
    assert steps[0]["sql"] == "CREATE SEQUENCE  IF NOT EXISTS public.s;\n"
    assert "CREATE SEQUENCE  IF NOT EXISTS public.s;" in lq.ok("plan", "--sql")
    assert not database.exists("databasechangelog")


def test_programs_run_only_where_they_may(lq, changelog, database, workdir):
    changelog(XML.format(f"""<changeSet id="1" author="a"><executeCommand executable="touch"><arg value="{workdir}/ran it"/></executeCommand>
      <createTable tableName="t"><column name="id" type="int"/></createTable></changeSet>
      <changeSet id="2" author="a"><executeCommand executable="false" os="Windows 7, Mac OS X"/></changeSet>
      <changeSet id="3" author="a"><executeCommand executable="sh" timeout="1s"><arg value="-c"/><arg value="sleep 60"/></executeCommand></changeSet>
      <changeSet id="4" author="a"><executeCommand executable="false"/></changeSet>"""), "changelog.xml")
    done = lq("migrate")
    assert done.code == 3 and "allow_execute" in done.err and not os.path.exists(f"{workdir}/ran it")
    done = lq("migrate", allow_execute="yes")
    assert done.code == 1 and "did not end in time" in done.err and ids(database) == ["1", "2"]
    assert os.path.exists(f"{workdir}/ran it") and database.exists("t")
    changelog(XML.format("""<changeSet id="4" author="a"><executeCommand executable="false"/></changeSet>"""), "changelog.xml")
    done = lq("migrate", allow_execute="yes")
    assert done.code == 1 and "ended with status 1" in done.err and "changelog.xml:4" in done.err
    changelog(XML.format("""<changeSet id="5" author="a"><sql>SELECT 1</sql><executeCommand executable="true"/></changeSet>"""), "changelog.xml")
    done = lq("migrate", allow_execute="yes")
    assert done.code == 3 and "changeset of its own" in done.err


# -- the service --

def test_service(make_daemon, changelog, database):
    path = changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n")
    daemon = make_daemon(database.url(), format="liquibase", migrations=path, migrate_on_start="yes")
    wait_until(lambda: ids(database) == ["1"], 20, "applied at start")
    changelog(SQL + "--changeset a:1\nCREATE TABLE t (id int);\n--changeset a:2\nSELECT 2;\n")
    run = daemon.post("/migrate", wait=20).json()
    assert run["state"] == "succeeded" and run["applied"] == 1
    schema = daemon.status()["schema"] if "schema" in daemon.status() else daemon.status()["databases"][0]["schema"]
    assert schema["format"] == "liquibase" and schema["applied"] == 2 and schema["pending"] == 0


def test_what_always_runs_is_never_pending(make_daemon, changelog, database):
    path = changelog(SQL + "--changeset a:1 runAlways:true\nSELECT 1;\n--changeset a:2\nSELECT 2;\n")
    daemon = make_daemon(database.url(), format="liquibase", migrations=path, migrate_on_start="yes")
    wait_until(lambda: ids(database) == ["1", "2"], 20, "applied at start")
    wait_until(lambda: daemon.get("/readyz").status_code == 200, 20, "ready")
    assert daemon.post("/migrate", wait=20).json()["applied"] == 1
    assert [r["exectype"] for r in liquibase.rows(database)] == ["EXECUTED", "RERAN"]
    schema = daemon.status()["databases"][0]["schema"] if "databases" in daemon.status() else daemon.status()["schema"]
    assert schema["applied"] == 2 and schema["pending"] == 0
    assert daemon.get("/readyz").status_code == 200


# -- hostile input --

@pytest.mark.parametrize("text,says", [
    ('<!DOCTYPE x [<!ENTITY a "' + "x" * 1000 + '">' + "".join(f'<!ENTITY {chr(98 + i)} "' + f"&{chr(97 + i)};" * 50 + '">' for i in range(8))
     + "]><databaseChangeLog>&i;</databaseChangeLog>", "changelog.xml:1"),
    ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><databaseChangeLog><changeSet id="1" author="a"><sql>&e;</sql>'
     "</changeSet></databaseChangeLog>", "external entity"),
    ("<databaseChangeLog>" + "<a>" * 100000, "nested too deeply"),
    (b"<databaseChangeLog>\xff\xfe\x80</databaseChangeLog>", "changelog.xml:1"),
    (XML.format('<include file="../../../../etc/passwd.xml"/>'), "leads out of"),
    (XML.format('<changeSet id="1" author="a"><sqlFile path="/etc/hostname"/></changeSet>'), "changelog.xml:4"),
    (XML.format('<changeSet id="1" author="a"><loadData tableName="t" file="link.csv"/></changeSet>'), "link.csv"),
    (XML.format('<include file="changelog.xml"/>'), "in a circle"),
])
def test_hostile_xml(lq, changelog, database, migrations, text, says):
    changelog(text, "changelog.xml")
    os.symlink("/etc/passwd", migrations.path("link.csv"))
    done = lq("migrate", timeout=30)
    assert done.code == 3 and says in done.err, done
    assert not database.exists("databasechangelog") and "root:" not in done.err


def test_alias_bomb(lq, changelog, database):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)) + "databaseChangeLog:\n- changeSet: *a11\n"
    changelog(bomb, "changelog.yaml")
    done = lq("migrate", timeout=30)
    assert done.code == 3 and not database.exists("databasechangelog"), done


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_and_carriage_returns(lq, changelog, database, encoding):
    changelog((SQL + "--changeset a:1\nCREATE TABLE \"é\" (id int);\n").replace("\n", "\r\n").encode(encoding))
    lq.ok("migrate")
    assert database.exists('"é"')
    changelog(SQL + "--changeset a:1\nCREATE TABLE \"é\" (id int);\n")
    lq.ok("validate")
