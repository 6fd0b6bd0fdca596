"""What migrate and its relatives do to a database, and what they write into Flyway's history table."""
import pytest

# What 3.6 of Flyway's format allows the community edition to read.
FLYWAY_TYPES = {"SCHEMA", "BASELINE", "DELETE", "SQL", "JDBC", "SCRIPT", "UNDO_SCRIPT", "CUSTOM", "SQL_BASELINE",
                "JDBC_BASELINE"}


def row(rank, version, description, script, checksum, type="SQL", success=True, installed_by="postgres"):
    return {"installed_rank": rank, "version": version, "description": description, "type": type, "script": script,
            "checksum": checksum, "installed_by": installed_by, "success": success}


def history(database):
    """The history without execution_time, which is only known to be sane."""
    rows = database.history()
    assert all(0 <= r.pop("execution_time") < 600_000 for r in rows)
    assert {r["type"] for r in rows} <= FLYWAY_TYPES
    return rows


def versions(database):
    return [r["version"] for r in database.history()]


@pytest.fixture
def two(migrations):
    return migrations.write({"V1__create_users.sql": "CREATE TABLE users (id int);\n",
                             "V2__add_name.sql": "ALTER TABLE users ADD name text;\r\nINSERT INTO users VALUES (1, 'a');"})


# -- the ordinary course --


def test_first_run_applies_and_second_does_nothing(cli, database, two):
    cli.ok("migrate")
    expected = [row(1, "1", "create users", "V1__create_users.sql", two.checksum("V1__create_users.sql")),
                row(2, "2", "add name", "V2__add_name.sql", two.checksum("V2__add_name.sql"))]
    assert history(database) == expected
    assert database.query("SELECT * FROM users") == [(1, "a")]
    before = database.fingerprint()
    cli.ok("migrate")
    assert database.fingerprint() == before


def test_history_table_is_flyways(cli, database, two):
    cli.ok("migrate")
    assert database.query(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)"
        " FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
        " WHERE a.attrelid = 'flyway_schema_history'::regclass AND a.attnum > 0 ORDER BY a.attnum") == [
        ("installed_rank", "integer", True, None),
        ("version", "character varying(50)", False, None),
        ("description", "character varying(200)", True, None),
        ("type", "character varying(20)", True, None),
        ("script", "character varying(1000)", True, None),
        ("checksum", "integer", False, None),
        ("installed_by", "character varying(100)", True, None),
        ("installed_on", "timestamp without time zone", True, "now()"),
        ("execution_time", "integer", True, None),
        ("success", "boolean", True, None)]
    assert database.query(
        "SELECT i.relname::text, x.indisprimary, pg_get_indexdef(x.indexrelid) ~ '[(]success[)]$' FROM pg_index x"
        " JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'flyway_schema_history'::regclass ORDER BY 1") == [("flyway_schema_history_pk", True, False), ("flyway_schema_history_s_idx", False, True)]


def test_names_versions_and_descriptions(cli, database, migrations):
    """Numeric order, text as written, folders below the folder, long descriptions cut as Flyway cuts them."""
    long = "d" * 220
    migrations.write({"V10__ten.sql": "SELECT 10;", "V9.sql": "SELECT 9;", "V001_5__x__y_z.SQL": "SELECT 1;",
                      "deep/er/V11__in_folder.sql": "SELECT 11;", f"V12__{long}.sql": "SELECT 12;",
                      ".hidden/V13__never.sql": "SELECT 1/0;", "README.md": "no migration"})
    cli.ok("migrate")
    assert [(r["version"], r["description"], r["script"]) for r in history(database)] == [
        ("001.5", "x  y z", "V001_5__x__y_z.SQL"), ("9", "", "V9.sql"), ("10", "ten", "V10__ten.sql"),
        ("11", "in folder", "deep/er/V11__in_folder.sql"), ("12", long[:197] + "...", f"V12__{long}.sql")]


def test_later_migration_is_added(cli, database, two):
    cli.ok("migrate")
    two.write({"V3__more.sql": "CREATE TABLE more ();"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2", "3"] and database.exists("more")


def test_repeatables_run_last_and_again_when_changed(cli, database, two):
    two.write({"R__b_view.sql": "CREATE OR REPLACE VIEW b AS SELECT * FROM a;",
               "R__a_view.sql": "CREATE OR REPLACE VIEW a AS SELECT 1 AS x;"})
    first = [two.checksum("R__a_view.sql"), two.checksum("R__b_view.sql")]
    cli.ok("migrate")
    expected = [row(3, None, "a view", "R__a_view.sql", first[0]), row(4, None, "b view", "R__b_view.sql", first[1])]
    assert history(database)[2:] == expected
    cli.ok("migrate")
    assert len(database.history()) == 4
    two.write({"R__a_view.sql": "CREATE OR REPLACE VIEW a AS SELECT 2 AS x;"})
    cli.ok("migrate")
    assert history(database)[4:] == [row(5, None, "a view", "R__a_view.sql", two.checksum("R__a_view.sql"))]
    assert database.value("SELECT x FROM b") == 2


def test_baseline_migration_stands_for_the_older_ones(cli, database, two):
    two.write({"B2__all_so_far.sql": "CREATE TABLE users (id int, name text);", "V3__more.sql": "CREATE TABLE more ();"})
    cli.ok("migrate")
    assert [(r["version"], r["type"], r["script"]) for r in history(database)] == [
        ("2", "SQL_BASELINE", "B2__all_so_far.sql"), ("3", "SQL", "V3__more.sql")]


def test_baseline_migration_is_ignored_where_history_exists(cli, database, two):
    cli.ok("migrate")
    two.write({"B2__all_so_far.sql": "SELECT 1/0;"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2"]


# -- transactions --


def test_failure_leaves_what_came_before_and_nothing_of_itself(cli, database, two):
    two.write({"V3__breaks.sql": "CREATE TABLE half ();\n\nSELECT 1,\n       1/0;\n", "V4__never.sql": "CREATE TABLE never ();"})
    failed = cli("migrate")
    assert failed.code == 1
    for word in ("V3__breaks.sql", "division by zero", "3"):
        assert word in failed.err
    assert versions(database) == ["1", "2"]
    assert not database.exists("half") and not database.exists("never")
    two.write({"V3__breaks.sql": "CREATE TABLE whole ();"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2", "3", "4"] and database.exists("whole")


@pytest.mark.parametrize("sql", [
    "CREATE INDEX CONCURRENTLY users_id ON users (id);",
    "-- a comment first\nCREATE UNIQUE INDEX CONCURRENTLY users_id ON users (id);",
])
def test_create_index_concurrently(cli, database, two, sql):
    two.write({"V3__index.sql": sql})
    cli.ok("migrate", timeout=60)
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_id'::regclass")
    assert history(database)[2] == row(3, "3", "index", "V3__index.sql", two.checksum("V3__index.sql"))


def test_mixed_file_is_refused_unless_allowed(cli, database, two):
    cli.ok("migrate")
    two.write({"V3__mixed.sql": "CREATE TABLE t (x int);\nCREATE INDEX CONCURRENTLY t_x ON t (x);"})
    before = database.fingerprint()
    refused = cli("migrate")
    assert refused.code == 3 and "V3__mixed.sql" in refused.err
    assert database.fingerprint() == before
    cli.ok("migrate", mixed="yes")
    assert database.exists("t_x") and versions(database) == ["1", "2", "3"]


def test_script_configuration_turns_the_transaction_off(cli, database, two):
    two.write({"V3__vacuum.sql": "SELECT 1;\nVACUUM users;\nSELECT 2;",
               "V3__vacuum.sql.conf": "# a comment\nexecuteInTransaction=false\n"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2", "3"]


def test_quotes_and_comments_do_not_split(cli, database, migrations):
    migrations.write({"V1__f.sql": """
        CREATE TABLE t (x text); /* ; /* nested ; */ */ -- ;
        CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN RETURN 'a;b'; END; $body$;
        INSERT INTO t VALUES ('it''s; fine'), (E'a\\';b'), (f());"""})
    cli.ok("migrate")
    assert database.query("SELECT x FROM t") == [("it's; fine",), ("a';b",), ("a;b",)]


# -- placeholders and callbacks --


def test_placeholders(cli, database, migrations):
    migrations.write({
        "V1__p.sql": "CREATE TABLE ${name} AS SELECT '${flyway:user}' AS u, '${flyway:database}' AS d,"
                     " '${flyway:defaultSchema}' AS s, '${flyway:table}' AS t, '${flyway:filename}' AS f;"})
    cli.ok("migrate", placeholder_name="seen")
    assert database.query("SELECT * FROM seen") == [
        ("postgres", database.name, "public", "flyway_schema_history", "V1__p.sql")]
    assert history(database)[0]["checksum"] == migrations.checksum("V1__p.sql")


def test_unknown_placeholder_is_refused(cli, database, migrations):
    migrations.write({"V1__p.sql": "SELECT 1;\nSELECT '${nobody}';"})
    before = database.fingerprint()
    refused = cli("migrate")
    assert refused.code == 3 and "nobody" in refused.err and "V1__p.sql" in refused.err
    assert database.fingerprint() == before


def test_placeholders_can_be_turned_off(cli, database, migrations):
    migrations.write({"V1__p.sql": "CREATE TABLE t AS SELECT '${nobody}'::text AS x;"})
    cli.ok("migrate", placeholder_replacement="no")
    assert database.value("SELECT x FROM t") == "${nobody}"


def test_callbacks_run_in_flyways_order(cli, database, two):
    database.query("CREATE SCHEMA log; CREATE TABLE log.seen (n serial, what text)")
    events = ["beforeMigrate", "beforeEachMigrate", "afterEachMigrate", "afterVersioned", "beforeRepeatables",
              "afterMigrateApplied", "afterMigrate"]
    two.write({f"{e}.sql": f"INSERT INTO log.seen (what) VALUES ('{e}')" for e in events})
    two.write({"beforeMigrate__second.sql": "INSERT INTO log.seen (what) VALUES ('beforeMigrate__second')",
               "R__r.sql": "SELECT 1;"})
    cli.ok("migrate")
    each = ["beforeEachMigrate", "afterEachMigrate"]
    assert [w for w, in database.query("SELECT what FROM log.seen ORDER BY n")] == [
        "beforeMigrate", "beforeMigrate__second", *each, *each, "afterVersioned", "beforeRepeatables", *each,
        "afterMigrateApplied", "afterMigrate"]
    assert versions(database) == ["1", "2", None]
    database.query("TRUNCATE log.seen")
    cli.ok("migrate")
    assert ("afterMigrateApplied",) not in database.query("SELECT what FROM log.seen")


# -- target, order, baseline, repair, undo --


def test_target(cli, database, two):
    cli.ok("migrate", "--target", "1")
    assert versions(database) == ["1"]
    two.write({"V3__x.sql": "SELECT 3;"})
    cli.ok("migrate", target="next")
    assert versions(database) == ["1", "2"]
    refused = cli("migrate", target="7")
    assert refused.code == 3 and "7" in refused.err
    cli.ok("migrate", target="7?")
    assert versions(database) == ["1", "2", "3"]


def test_out_of_order(cli, database, two):
    cli.ok("migrate")
    two.write({"V1.5__late.sql": "CREATE TABLE late ();"})
    before = database.fingerprint()
    refused = cli("migrate")
    assert refused.code == 3 and "1.5" in refused.err
    assert database.fingerprint() == before
    cli.ok("migrate", out_of_order="yes")
    assert versions(database) == ["1", "2", "1.5"] and database.exists("late")
    cli.ok("migrate")


def test_schema_with_objects_needs_a_baseline(cli, database, two):
    database.query("CREATE TABLE users (id int)")
    before = database.fingerprint()
    refused = cli("migrate")
    assert refused.code == 3 and "baseline" in refused.err
    assert database.fingerprint() == before
    cli.ok("baseline")
    marker = "<< Flyway Baseline >>"
    assert history(database) == [row(1, "1", marker, marker, None, type="BASELINE")]
    before = database.fingerprint()
    cli.ok("baseline")
    assert database.fingerprint() == before
    cli.ok("migrate")
    assert versions(database) == ["1", "2"]
    assert cli("baseline", "--version", "3").code == 3


def test_baseline_on_migrate(cli, database, two):
    database.query("CREATE TABLE users (id int)")
    cli.ok("migrate", baseline_on_migrate="yes", baseline_version="1", baseline_description="taken over")
    rows = history(database)
    assert rows[0] == row(1, "1", "taken over", "taken over", None, type="BASELINE")
    assert [r["version"] for r in rows] == ["1", "2"]


def test_repair_accepts_changed_files_and_missing_ones(cli, database, two):
    cli.ok("migrate")
    two.write({"V1__create_users.sql": "CREATE TABLE users (id int); -- edited", "V3__x.sql": "SELECT 3;"})
    two.remove("V2__add_name.sql")
    assert cli("migrate").code == 3
    before = database.fingerprint()
    cli.ok("repair", "--dry-run")
    assert database.fingerprint() == before
    cli.ok("repair")
    rows = history(database)
    assert rows[0]["checksum"] == two.checksum("V1__create_users.sql")
    assert rows[2]["type"] == "DELETE" and rows[2]["version"] == "2" and rows[2]["installed_rank"] == 3
    cli.ok("migrate")
    assert versions(database)[-1] == "3"


def test_repair_removes_failed_rows(cli, database, two):
    cli.ok("migrate", target="1")
    database.query("INSERT INTO flyway_schema_history VALUES (2, '2', 'add name', 'SQL', 'V2__add_name.sql', 1, 'x',"
                   " now(), 1, false)")
    assert cli("migrate").code == 3
    cli.ok("repair")
    cli.ok("migrate")
    assert [(v["version"], v["success"]) for v in history(database)] == [("1", True), ("2", True)]


def test_undo_takes_back_and_migrate_applies_again(cli, database, two):
    two.write({"U2__add_name.sql": "ALTER TABLE users DROP name;"})
    cli.ok("migrate")
    assert versions(database) == ["1", "2"]  # undo scripts never run by themselves
    cli.ok("undo")
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'"
    assert database.value(columns) == 1
    assert cli("validate").code == 3  # 2 is pending again
    refused = cli("undo")
    assert refused.code == 3 and "1" in refused.err  # V1 has no undo script
    cli.ok("migrate")
    assert database.value(columns) == 2
    cli.ok("validate")
    history(database)


# -- asking --


def test_asking_changes_nothing(cli, database, two):
    before = database.fingerprint()
    plan = cli.ok("plan")
    assert "V1__create_users.sql" in plan and "V2__add_name.sql" in plan
    for command in ("status", "history"):
        cli.ok(command)
    cli.ok("migrate", "--dry-run")
    assert cli("validate").code == 3
    assert cli("plan", "--detailed-exitcode").code == 2
    assert database.fingerprint() == before
    assert cli("migrate", "--detailed-exitcode").code == 2
    assert cli("migrate", "--detailed-exitcode").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
    cli.ok("validate")
    assert "add name" in cli.ok("history")


def test_service_migrates_and_forgets_nothing(daemon, database, two):
    answer = daemon.migrate(wait=60, reason="deploy 1")
    assert answer.status_code == 200, answer
    run = answer.json()
    assert run["state"] == "succeeded" and run["to_version"] == "2" and run["trigger"]["reason"] == "deploy 1"
    assert [(s["id"], s["state"], s["file"]) for s in run["steps"]] == [
        ("1", "applied", "V1__create_users.sql"), ("2", "applied", "V2__add_name.sql")]
    assert versions(database) == ["1", "2"]
    assert daemon.get("/readyz").status_code == 200
    schema = daemon.status()["schema"]
    assert (schema["version"], schema["applied"], schema["pending"], schema["failed"]) == ("2", 2, 0, 0)
    daemon.kill()
    daemon.start()
    assert daemon.run(run["id"])["state"] == "succeeded"
    assert [r["id"] for r in daemon.runs()] == [run["id"]]
    assert daemon.status()["schema"]["version"] == "2"


def test_idempotency_key_outlives_the_service(daemon, database, two):
    key = {"Idempotency-Key": "deploy-1"}
    first = daemon.migrate(headers=key).json()["id"]
    assert daemon.migrate(headers=key).json()["id"] == first
    daemon.restart()
    assert daemon.migrate(headers=key).json()["id"] == first
    assert daemon.migrate().json()["id"] != first
    assert len(daemon.runs()) == 2
