"""A database in which somebody put other things where ours are expected: an answer with its reason, never a crash."""
import pytest

from test_bad_input import refused

COMMANDS = [("migrate",), ("status",), ("plan",), ("history",), ("validate",), ("repair",),
            ("repair", "--resolve", "done"), ("repair", "--resolve", "rerun"), ("baseline", "1"), ("undo",)]
FILES = {"V1__a.sql": "CREATE TABLE a ();", "U1__a.sql": "DROP TABLE a;", "V2__b.sql": "VACUUM;\nVACUUM a;",
         "R__r.sql": "SELECT 1;"}
COLUMNS = ("installed_rank int, version text, description text, type text, script text, checksum int,"
           " installed_by text, installed_on timestamp, execution_time int, success bool")

# What stands where the history is expected.
HISTORIES = {
    "one row of NULLs": f"CREATE TABLE flyway_schema_history ({COLUMNS}); INSERT INTO flyway_schema_history DEFAULT VALUES",
    "many rows of NULLs": f"CREATE TABLE flyway_schema_history ({COLUMNS});"
                          "INSERT INTO flyway_schema_history SELECT FROM generate_series(1, 3)",
    "NULLs in one column": f"CREATE TABLE flyway_schema_history ({COLUMNS});"
                           "INSERT INTO flyway_schema_history VALUES (1, '1', NULL, 'SQL', NULL, NULL, NULL, NULL, NULL, true),"
                           " (2, NULL, 'r', 'SQL', 'R__r.sql', NULL, NULL, NULL, NULL, true),"
                           " (3, '2', 'b', NULL, 'V2__b.sql', NULL, NULL, NULL, NULL, NULL),"
                           " (NULL, '3', 'b', 'UNDO_SQL', 'V2__b.sql', NULL, NULL, NULL, NULL, NULL),"
                           " (4, '', '', '', '', NULL, '', NULL, NULL, true),"
                           " (5, 'x.y', 'b', 'DELETE', 'V2__b.sql', NULL, NULL, NULL, NULL, true),"
                           " (6, NULL, NULL, 'BASELINE', NULL, NULL, NULL, NULL, NULL, true),"
                           " (7, NULL, NULL, 'SCHEMA', NULL, NULL, NULL, NULL, NULL, true),"
                           " (8, NULL, NULL, 'UNDO_SQL', NULL, NULL, NULL, NULL, NULL, true),"
                           " (9, NULL, NULL, 'SQL_BASELINE', NULL, NULL, NULL, NULL, NULL, false)",
    "other columns": "CREATE TABLE flyway_schema_history (x int)",
    "no columns": "CREATE TABLE flyway_schema_history (); INSERT INTO flyway_schema_history DEFAULT VALUES",
    "other types": f"CREATE TABLE flyway_schema_history ({COLUMNS.replace('int', 'text').replace('timestamp', 'timestamptz').replace('bool', 'text')});"
                   "INSERT INTO flyway_schema_history VALUES ('x', '1', 'a', 'SQL', 'V1__a.sql', 'y', 'me', now(), 'z', 'maybe')",
    "text for time": f"CREATE TABLE flyway_schema_history ({COLUMNS.replace('timestamp', 'text')})",
    "arrays": f"CREATE TABLE flyway_schema_history ({COLUMNS.replace('text', 'text[]')});"
              "INSERT INTO flyway_schema_history VALUES (1, '{1}', '{}', '{a,b}', '{NULL}', 1, '{}', now(), 1, true)",
    "huge numbers": f"CREATE TABLE flyway_schema_history ({COLUMNS.replace('int', 'numeric')});"
                    "INSERT INTO flyway_schema_history VALUES (1e60, repeat('9', 90000), repeat('d', 90000), 'SQL', repeat('/', 90000), 1e99, 'me', 'infinity', -1e60, true)",
    "the same version twice": f"CREATE TABLE flyway_schema_history ({COLUMNS});"
                              "INSERT INTO flyway_schema_history SELECT n, '1', 'a', 'SQL', 'V1__a.sql', 0, 'me', now(), 0, true FROM generate_series(-2, 3) n",
    "a view": f"CREATE TABLE x ({COLUMNS}); CREATE VIEW flyway_schema_history AS SELECT * FROM x",
    "a view that fails": "CREATE VIEW flyway_schema_history AS SELECT n / 0 AS installed_rank, NULL::text AS version,"
                         " NULL::text AS description, NULL::text AS type, NULL::text AS script, 1 AS checksum, NULL::text AS"
                         " installed_by, now() AS installed_on, 1 AS execution_time, true AS success FROM generate_series(1, 2) n",
    "an index": "CREATE TABLE x (x int); CREATE INDEX flyway_schema_history ON x (x)",
    "a sequence": "CREATE SEQUENCE flyway_schema_history",
    "a type": "CREATE TYPE flyway_schema_history AS (x int)",
    "a domain": "CREATE DOMAIN flyway_schema_history AS int",
    "a partitioned table": f"CREATE TABLE flyway_schema_history ({COLUMNS}) PARTITION BY LIST (installed_rank)",
    "a trigger that says no": f"CREATE TABLE flyway_schema_history ({COLUMNS});"
                              "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                              "CREATE TRIGGER t BEFORE INSERT ON flyway_schema_history FOR EACH ROW EXECUTE FUNCTION f()",
    "row security": f"CREATE TABLE flyway_schema_history ({COLUMNS}); ALTER TABLE flyway_schema_history ENABLE ROW LEVEL SECURITY,"
                    " FORCE ROW LEVEL SECURITY",
}

JOURNAL = "migration text, done bigint, prefix text, started boolean, before text, run text, changed timestamptz"
# What stands where the journal is expected.
JOURNALS = {
    "a row of NULLs": f"CREATE TABLE pgmigrated_journal ({JOURNAL}); INSERT INTO pgmigrated_journal DEFAULT VALUES",
    "NULLs of ours": f"CREATE TABLE pgmigrated_journal ({JOURNAL}); INSERT INTO pgmigrated_journal VALUES ('2')",
    "started and nothing else": f"CREATE TABLE pgmigrated_journal ({JOURNAL});"
                                "INSERT INTO pgmigrated_journal VALUES ('2', 1, NULL, true)",
    "far along": f"CREATE TABLE pgmigrated_journal ({JOURNAL});"
                 "INSERT INTO pgmigrated_journal VALUES ('2', 1000000, '*', true, 'x', 'y', now())",
    "before the beginning": f"CREATE TABLE pgmigrated_journal ({JOURNAL});"
                            "INSERT INTO pgmigrated_journal VALUES ('2', -1, '*', true, ':::  ok:', '', now())",
    "other columns": "CREATE TABLE pgmigrated_journal (x int)",
    "no columns": "CREATE TABLE pgmigrated_journal ()",
    "a view": f"CREATE VIEW pgmigrated_journal AS SELECT NULL::text AS migration, 1::bigint AS done, NULL::text AS prefix,"
              " true AS started, NULL::text AS before, NULL::text AS run, now() AS changed",
    "other types": "CREATE TABLE pgmigrated_journal (migration int, done text, prefix int, started text, before bytea, run int[],"
                   " changed text); INSERT INTO pgmigrated_journal VALUES (2, 'x', 0, 'y', '', '{}', '')",
}


RESET = """DO $$ DECLARE name text; BEGIN
FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
FOR name IN SELECT rolname FROM pg_roles WHERE rolname ~ ('_' || current_database() || '$') LOOP
    EXECUTE format('DROP OWNED BY %I', name); EXECUTE format('DROP ROLE %I', name); END LOOP;
EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database());
CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC; END $$"""


@pytest.fixture(scope="module")
def only_database(server):
    return server.create_database()


@pytest.fixture
def database(only_database):
    """One for all of these many tests, emptied before each."""
    only_database.query(RESET)
    return only_database


def all_commands(cli, database, commands=None, **options):
    """None may crash (the harness looks), none may leave a session behind."""
    for command in commands or COMMANDS:
        result = cli(*command, **options)
        assert result.code == 0 or result.err.strip(), f"{command} gives no reason: {result}"
    database.wait_for_no_session(20)


@pytest.mark.parametrize("case", HISTORIES)
def test_something_else_where_the_history_is_expected(cli, database, migrations, case):
    migrations.write(FILES)
    database.query(HISTORIES[case])
    all_commands(cli, database)


@pytest.mark.parametrize("case", JOURNALS)
def test_something_else_where_the_journal_is_expected(cli, database, migrations, case):
    migrations.write(FILES)
    cli.ok("migrate", "--target", "1")
    database.query(JOURNALS[case])
    all_commands(cli, database)


def test_rows_that_nobody_wrote_are_not_believed(cli, database, migrations):
    migrations.write(FILES)
    cli.ok("migrate", "--target", "1")
    database.query(JOURNALS["NULLs of ours"])
    refused(cli("migrate"), 3, "pgmigrated_journal", "did not write")
    database.query("UPDATE pgmigrated_journal SET done = 1000, prefix = 'any', started = false, before = '', run = ''")
    refused(cli("migrate"), 3, "V2__b.sql", "changed in its first 1000 statements")
    assert "2" not in [row["version"] for row in database.history()]


@pytest.mark.parametrize("cases", [HISTORIES, JOURNALS], ids=["history", "journal"])
def test_the_service_survives_it(make_daemon, database, migrations, cases):
    migrations.write(FILES)
    daemon = make_daemon(database.url(), drift="warn")
    for case, sql in cases.items():
        database.query(RESET)
        if cases is JOURNALS:
            assert daemon.migrate(target="1").status_code == 200
        database.query(sql)
        for answer in (daemon.migrate(), daemon.get("/status"), daemon.get(f"/databases/{database.name}/plan", timeout=60),
                       daemon.get(f"/databases/{database.name}/history", timeout=60),
                       daemon.get(f"/databases/{database.name}/drift", timeout=60)):
            assert answer.status_code in (200, 404, 409, 500), (case, answer)
            assert answer.status_code == 200 or "detail" in answer.text or "error" in answer.json(), (case, answer)
        assert daemon.get("/healthz").status_code == 200


# -- rights --

RIGHTS = {
    "none on the schema": "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM {role}",
    "only usage": "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}",
    "none on the history": "GRANT ALL ON SCHEMA public TO {role}",
    "reads the history": "GRANT ALL ON SCHEMA public TO {role}; GRANT SELECT ON flyway_schema_history TO {role}",
    "none on the journal": "GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON flyway_schema_history TO {role};"
                           "CREATE TABLE pgmigrated_journal (x int)",
    "reads the journal": f"GRANT ALL ON SCHEMA public TO {{role}}; GRANT ALL ON flyway_schema_history TO {{role}};"
                         f"CREATE TABLE pgmigrated_journal ({JOURNAL}); GRANT SELECT ON pgmigrated_journal TO {{role}}",
    "may not connect": 'REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC',
}


@pytest.mark.parametrize("case", RIGHTS)
def test_missing_rights(cli, database, migrations, case):
    migrations.write(FILES)
    cli.ok("migrate", "--target", "1")
    role = f"poor_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN")
    database.query(RIGHTS[case].format(role=role, database=database.name))
    all_commands(cli, database, DATABASE_URL=database.url(user=role))
    assert cli("migrate", DATABASE_URL=database.url(user=role)).code != 0


# -- encodings --


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP", "WIN1251"])
def test_encodings(cli, server, migrations, encoding):
    other = server.create_database(encoding=encoding)
    migrations.write({**FILES, "V3__é.sql": "SELECT 'é'; -- ☃\nSELECT 1 +", "V4__c.sql": "SELECT 1"})
    all_commands(cli, other, DATABASE_URL=other.url())
    migrations.write({"V3__é.sql": "SELECT 1"})
    all_commands(cli, other, DATABASE_URL=other.url())


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_bytes_that_are_no_utf8_in_the_history(cli, server, migrations, encoding):
    other = server.create_database(encoding=encoding)
    migrations.write(FILES)
    cli.ok("migrate", DATABASE_URL=other.url())
    other.query("ALTER TABLE flyway_schema_history DISABLE TRIGGER ALL; UPDATE flyway_schema_history SET description ="
                " convert_from('\\xe9ff', current_setting('server_encoding')), script = convert_from('\\xff',"
                " current_setting('server_encoding'))")
    all_commands(cli, other, DATABASE_URL=other.url())


# -- scripts --

# What comes back is odd. Each goes in a transaction, and statement by statement.
SCRIPTS = {
    "no columns": "SELECT;\nSELECT FROM generate_series(1, 3);\nCREATE TABLE z ();\nTABLE z;",
    "rows": "SELECT n, NULL, repeat('x', 1000) FROM generate_series(1, 3000) n;",
    "copy out": "COPY (SELECT n FROM generate_series(1, 9999) n) TO STDOUT;\nCOPY (SELECT) TO STDOUT;",
    "copy out fails": "COPY (SELECT 1 / (3 - n) FROM generate_series(1, 9) n) TO STDOUT;",
    "copy in of nothing": "CREATE TABLE z (x int);\nCOPY z FROM stdin;\n\\.\n",
    "copy in fails": "CREATE TABLE z (x int);\nCOPY z FROM stdin;\n1\nx\n\\.\n",
    "copy in without table": "COPY nowhere FROM stdin;\n1\n\\.\n",
    "nothing": ";;;;",
    "ends in an operator": "SELECT 1 +",
    "ends in a comment": "SELECT 1 -- and",
    "a cursor": "DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH ALL FROM c; CLOSE c;",
    "a rule's rows": "CREATE TABLE z (x int); CREATE RULE r AS ON INSERT TO z DO INSTEAD (SELECT 1; SELECT 2);\n"
                     "INSERT INTO z VALUES (1);",
    "notify": "LISTEN x; NOTIFY x, 'y'; NOTIFY x;",
    "messages": "DO $$ BEGIN FOR i IN 1 .. 500 LOOP RAISE WARNING '%', repeat('☃', i * 20); END LOOP; END $$;",
    "odd error": "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = repeat('m', 9000), DETAIL = repeat('☃', 9000),"
                 " HINT = E'a\\nb', ERRCODE = 'ZZZZZ', TABLE = repeat('t', 999), SCHEMA = 's', CONSTRAINT = ''; END $$;",
    "error without text": "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = '', ERRCODE = '57P01'; END $$;",
    "history dropped": "DROP TABLE flyway_schema_history;",
    "history's schema renamed": "ALTER SCHEMA public RENAME TO elsewhere;",
    "history replaced": "ALTER TABLE flyway_schema_history RENAME TO x; CREATE VIEW flyway_schema_history AS TABLE x;",
    "journal dropped": "DROP TABLE IF EXISTS pgmigrated_journal; SELECT 1;",
    "journal filled": "DO $$ BEGIN INSERT INTO pgmigrated_journal VALUES ('x', 0, '', false, '', '', now());"
                      " EXCEPTION WHEN undefined_table THEN NULL; END $$; SELECT 1;",
    "settings": "SET client_encoding = 'LATIN1'; SELECT 'é'; SET bytea_output = escape; SET datestyle = 'SQL, DMY';",
    "settings that break us": "SET search_path = pg_temp; SET standard_conforming_strings = off; SET role = none;",
    "role": "CREATE ROLE {role}; SET ROLE {role}; SELECT 1;",
    "authorization": "CREATE ROLE {role}; SET SESSION AUTHORIZATION {role}; SELECT 1;",
    "ends itself": "SELECT pg_terminate_backend(pg_backend_pid());",
    "cancels itself": "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1);",
    "deallocate": "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE ALL;",
    "types of our names": "CREATE SCHEMA evil; CREATE FUNCTION evil.concat_ws(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT NULL';"
                          " SET search_path = evil, pg_catalog, public;",
}


@pytest.mark.parametrize("how", ["in a transaction", "by statement"])
@pytest.mark.parametrize("case", SCRIPTS)
def test_odd_scripts(cli, database, migrations, case, how):
    migrations.write({"V1__a.sql": SCRIPTS[case].replace("{role}", f"r_{database.name}"), "V2__b.sql": "SELECT 1;",
                      "V3__c.sql": "SELECT 2;", "V3__c.sql.conf": "executeInTransaction=false\n"})
    if how == "by statement":
        migrations.write({"V1__a.sql.conf": "executeInTransaction=false\n"})
    all_commands(cli, database)
