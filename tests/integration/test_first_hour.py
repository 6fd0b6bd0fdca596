"""What somebody who wants to break it tries in the first hour. Each was wrong once."""
import shutil

import pytest

from test_bad_input import refused


def psql(database, *statements):
    for statement in statements:
        database.query(statement)


# -- schemas --

SEARCH_PATHS = {"nonexistent": "nonexistent", "empty": "''", "the user's": '"$user"'}


@pytest.mark.parametrize("case", SEARCH_PATHS)
def test_no_schema_in_search_path(cli, database, migrations, case):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    psql(database, f'ALTER DATABASE "{database.name}" SET search_path = {SEARCH_PATHS[case]}')
    for command in ("migrate", "status", "validate", "plan"):
        refused(cli(command), 78, database.name, "search_path", "default_schema")
    cli.ok("migrate", default_schema="other")
    assert database.exists("other.a")


def test_no_schema_in_search_path_through_the_service(make_daemon, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    psql(database, f'ALTER DATABASE "{database.name}" SET search_path = nonexistent')
    daemon = make_daemon(database.url())
    answer = daemon.migrate()
    assert answer.status_code == 409 and "default_schema" in answer.text, answer
    assert daemon.get("/healthz").status_code == 200


def test_schema_name_too_long(cli, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    refused(cli("migrate", schemas="z" * 70), 78, "schemas", "63 bytes")
    assert not database.query("SELECT FROM pg_namespace WHERE nspname LIKE 'zzz%'")


def test_schema_called_dollar_user(cli, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    before = database.fingerprint()
    refused(cli("migrate", default_schema="$user"), 78, "$user", "search_path")
    assert database.fingerprint() == before


@pytest.mark.parametrize("name", ['We"ird', "UPPER", "ünï", "a b", "q'q", "back\\slash"])
def test_odd_schema_names(cli, database, migrations, name):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    cli.ok("migrate", default_schema=name)
    assert database.value("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (name,)) == 2


ORDERS = [["one", "two"], ["two", "one"], ["one", "Two", "public"], [f"s{n}" for n in range(12, 0, -1)]]


@pytest.mark.parametrize("names", ORDERS)
def test_schemas_are_created_in_their_order(cli, database, migrations, names):
    """As Flyway does, whose row about them then has the same text."""
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    cli.ok("migrate", schemas=",".join(names))
    created = [name for name in names if name != "public"]
    assert database.query("SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s) ORDER BY oid", (created,)) == \
        [(name,) for name in created]
    assert database.value(f'SELECT script FROM "{names[0]}".flyway_schema_history WHERE type = \'SCHEMA\'') == \
        ",".join(f'"{name}"' for name in created)


def test_default_schema_besides_the_list_is_created_first(cli, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    cli.ok("migrate", schemas="one", default_schema="two")
    assert database.value("SELECT script FROM two.flyway_schema_history WHERE type = 'SCHEMA'") == '"two","one"'


# -- connection strings --

TORN = ["postgresql://app:p@hunter2@127.0.0.1/app", "postgresql://app:p@hunter2#x@127.0.0.1:5432/app"]


@pytest.mark.parametrize("url", TORN)
def test_unescaped_at_sign_does_not_show_the_password(cli, migrations, url):
    migrations.write({"V1__a.sql": "SELECT 1;"})
    for command in ("migrate", "check-config", "status"):
        result = cli(command, DATABASE_URL=url)
        refused(result, 78, "DATABASE_URL", "%40")
        assert "hunter" not in result.out + result.err


BAD_URLS = {
    "postgresql://u:hunter2@h/d?sslmode=bogus": ["bogus", "sslmode", "verify-full"],
    "postgresql://u:hunter2@h/d?sslmod=require": ["sslmod"],
    "postgresql://u:hunter2@h:99999/d": ["port"],
    "service=nope password=hunter2": ["nope", "service"],
    "jdbc:postgresql://h/d?user=u&password=hunter2": ["postgresql://"],
}


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_url_names_where_it_is(cli, workdir, migrations, url):
    path = f"{workdir}/c.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"[database app]\nurl = {url}\nmigrations = {migrations.folder}\n")
    for command in ("migrate", "check-config"):
        result = cli(command, "--config", path, DATABASE_URL=None, migrations=None)
        refused(result, 78, path + ":2", *BAD_URLS[url])
        assert "hunter" not in result.out + result.err


# -- files and statements --


def test_missing_folder_is_said_to_be_missing(cli, workdir):
    for form in ("auto", "flyway"):
        refused(cli("migrate", migrations=f"{workdir}/nope", format=form), 3, "nope", "No such file or directory")


def test_character_that_the_database_cannot_hold(cli, server, migrations):
    latin1 = server.create_database(encoding="LATIN1")
    migrations.write({"V1__ok.sql": "SELECT 'é';", "V2__snow.sql": "CREATE TABLE t ();\nSELECT 'é',\n '☃';\n",
                      "V3__ok.sql": "SELECT 1;"})
    result = cli("migrate", DATABASE_URL=latin1.url())
    refused(result, 1, "V2__snow.sql:3:3", "LATIN1", "22P05")
    assert "recording" not in result.err
    assert [row["version"] for row in latin1.history()] == ["1"]


def test_commit_in_a_block_says_what_to_do(cli, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE x (i int);\nDO $$ BEGIN INSERT INTO x VALUES (1); COMMIT; END $$;"})
    refused(cli("migrate"), 1, "V1__a.sql:2:1", "2D000", "executeInTransaction")
    assert not database.exists("x")
    migrations.write({"V1__a.sql.conf": "executeInTransaction=false\n"})
    cli.ok("migrate")
    assert database.value("SELECT count(*) FROM x") == 1


def test_no_right_to_create_the_history(cli, server, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    psql(database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
         "DO $$ BEGIN CREATE ROLE poor LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    refused(cli("migrate", DATABASE_URL=database.url(user="poor")), 1, "history table in schema public", "42501",
            "GRANT CREATE")


def test_deadline_names_its_option(cli, database, migrations):
    migrations.write({"V1__a.sql": "SELECT pg_sleep(30);"})
    refused(cli("migrate", run_timeout="1s"), 4, "migration 1", "run_timeout")


def test_missing_value_names_the_option_as_it_is_written(cli):
    refused(cli("migrate", "--lock-timeout"), 64, "--lock-timeout needs a value")


def test_failed_commit_names_the_file(cli, database, migrations):
    key = "CREATE TABLE {0} (i int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO {0} VALUES (1), (1);"
    migrations.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": key.format("b"), "V3__c.sql": "CREATE TABLE c ();"})
    refused(cli("migrate"), 1, "V2__b.sql", "migration 2", "COMMIT", "23505")
    assert [row["version"] for row in database.history()] == ["1"]
    migrations.write({"V2__b.sql": "CREATE TABLE b ();", "R__r.sql": key.format("r")})
    refused(cli("migrate"), 1, "R__r.sql", "COMMIT", "23505")
    assert [row["version"] for row in database.history()] == ["1", "2", "3"]


# -- the service --


def test_state_directory_removed_while_running(make_daemon, database, migrations):
    migrations.write({"V1__a.sql": "CREATE TABLE a ();"})
    daemon = make_daemon(database.url())
    shutil.rmtree(daemon.state_directory)
    answer = daemon.migrate()
    assert answer.status_code == 500 and "removed" in answer.text and "start pgmigrated again" in answer.text
    assert not database.exists("a")
    assert daemon.get("/healthz").status_code == 200
    daemon.restart()
    assert daemon.migrate().status_code == 200
    assert database.exists("a")


def test_curl_without_a_content_type_is_told_which(daemon):
    answer = daemon.post("/migrate", body=b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415 and "Content-Type: application/json" in answer.json()["hint"]


def test_bad_target_of_a_plan_is_the_clients_mistake(daemon, database, migrations):
    migrations.write({"V1__a.sql": "SELECT 1;"})
    answer = daemon.get(f"/databases/{database.name}/plan", target="zz")
    assert answer.status_code == 400 and '\\"zz\\"' in answer.text, answer


def test_database_that_nobody_named_is_named_at_once(cli, migrations):
    migrations.write({"V1__a.sql": "SELECT 1;"})
    result = cli("status", DATABASE_URL=None, wake_timeout="1s")
    refused(result, 4, "DATABASE_URL is not set: trying ")
    assert result.err.index("DATABASE_URL") < result.err.index("waiting for the database")
    for quiet in (cli("status", "--json", DATABASE_URL=None, wake_timeout="1s"),
                  cli("status", DATABASE_URL=None, PGHOST="127.0.0.1", PGPORT="1", wake_timeout="1s")):
        assert quiet.code == 4 and "is not set" not in quiet.err


def test_quotes_in_the_log_are_escaped(daemon, migrations):
    migrations.write({"V1__a.sql": 'TABLE "no such";'})
    assert daemon.migrate().status_code == 500
    assert r'relation \"no such\" does not exist' in daemon.log()
