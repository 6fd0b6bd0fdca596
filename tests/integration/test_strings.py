"""Several small migrations share a string of SQL: what fails in it must be told from what shares it."""


def run_of(cli, *arguments):
    import json
    result = cli("migrate", "--json", *arguments)
    document = json.loads(result.out)
    return result, document.get("result", document)


def states(run):
    return {s["id"]: s["state"] for s in run["steps"]}


def test_syntax_error_does_not_stop_those_before_it(cli, database, migrations):
    migrations.write({
        "V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "CREATE TABLE b ();",
        "V3__bad.sql": "CREATE TABLE c ();\nCREATE TABEL d ();\n", "V4__e.sql": "CREATE TABLE e ();"})
    result, run = run_of(cli)
    assert result.code == 1, result
    assert states(run) == {"1": "applied", "2": "applied", "3": "failed", "4": "pending"}
    assert run["error"]["file"].endswith("V3__bad.sql")
    assert (run["error"]["line"], run["error"]["column"]) == (2, 8)
    assert "migration 3" in run["error"]["text"]
    assert database.query("SELECT version FROM flyway_schema_history ORDER BY 1") == [("1",), ("2",)]


def test_error_at_commit_names_the_migration(cli, database, migrations):
    migrations.write({
        "V1__a.sql": "CREATE TABLE a (i int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);",
        "V2__bad.sql": "INSERT INTO a VALUES (1), (1);", "V3__c.sql": "CREATE TABLE c ();"})
    result, run = run_of(cli)
    assert result.code == 1, result
    assert states(run) == {"1": "applied", "2": "failed", "3": "pending"}
    assert run["error"]["sqlstate"] == "23505"
    assert "migration 2" in run["error"]["text"] and "COMMIT" in run["error"]["text"]
    assert database.query("SELECT version FROM flyway_schema_history ORDER BY 1") == [("1",)]
