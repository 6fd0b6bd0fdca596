"""A folder that grows, is changed and is repaired, with pgmigrated and Flyway in turns on one database. Two more
databases have had the one and the other alone: what the three hold must be the same after every step."""
import collections
import json

import pytest

from folders import SESSION_LOCK

Step = collections.namedtuple("Step", "what command files removed options fails", defaults=("migrate", {}, (), {}, False))

EVERY = {"placeholder_who": "all"}
LATE = {**EVERY, "out_of_order": "yes"}
GONE = {**EVERY, "ignore_migration_patterns": "*:missing"}

STEPS = (
    Step("the first", files={
        "V1__t.sql": "CREATE TABLE t (x int, who text DEFAULT '${who}');",
        "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT x FROM t;",
        "afterEachMigrate.sql": "CREATE TABLE IF NOT EXISTS seen (n serial, script text);"
                                "INSERT INTO seen (script) VALUES ('${who}');"}),
    Step("more, and a view changed", files={
        "V2__y.sql": "ALTER TABLE t ADD y int;", "sub/V2.1__rows.sql": "INSERT INTO t VALUES (1, '${who}', 2);",
        "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT x, y FROM t;",
        "R__w.sql": "CREATE OR REPLACE VIEW w AS SELECT * FROM v;"}),
    Step("nothing new"),
    Step("a later one", files={"V5__five.sql": "CREATE TABLE five (x int);"}),
    Step("one that comes late", files={"V3__three.sql": "CREATE TABLE three (x int);"}, fails=True),
    Step("one that comes late, allowed", options=LATE),
    Step("a baseline script, for new databases only", files={"B6__all.sql": "SELECT 1/0;"}),
    Step("one that fails", files={"V7__seven.sql": "CREATE TABLE seven (x int); SELECT 1/0;"}, fails=True),
    Step("mended", files={"V7__seven.sql": "CREATE TABLE seven (x int);", "R__w.sql": "SELECT 'was the view w';"}),
    Step("one changed after it ran", files={"V2__y.sql": "ALTER TABLE t ADD y int; -- why\n"}, fails=True),
    Step("the change is accepted", command="repair"),
    Step("one renamed after it ran", files={"V3__drei.sql": "CREATE TABLE three (x int);"}, removed=["V3__three.sql"],
         fails=True),
    Step("the name is accepted", command="repair"),
    Step("one gone", removed=["V5__five.sql"], command="validate", fails=True),
    Step("one gone, ignored", options=GONE),
    Step("a view gone", removed=["R__w.sql"], options=GONE),
    Step("all gone are marked", command="repair"),
    Step("after that", files={"V8__eight.sql": "CREATE TABLE eight (x int);"}),
    Step("the end", command="validate"),
)


class Either:
    """Ours and Flyway for one database, as one: whether the command was carried out."""

    def __init__(self, database, ours, theirs):
        self.database, self.ours, self.theirs = database, ours, theirs

    def __call__(self, turn, command, options):
        if turn == "ours":
            result = self.ours(command, **options)
            return result.code == 0, result.err
        answer = self.theirs(command, **options)
        return answer.ok, answer.words

    def must(self, turn, step):
        done, said = self(turn, step.command, {**EVERY, **step.options})
        assert done != step.fails, f"{turn}, {step.what}: {said}"


STATES = {"applied": "Success", "undone": "Deleted"}


def states(ours, options):
    """What ours says of each migration, in Flyway's words; Flyway does not show the rows that mark a version deleted."""
    entries = json.loads(ours.ok("status", "--json", **options))["entries"]
    entries = [{**e, "state": "applied" if e["state"] == "marker" else e["state"]} for e in entries
               if e["state"] != "marker" or not e["version"]]
    return sorted((e["version"] or e["description"], STATES.get(e["state"], e["state"].title()).replace(" Of ", " of "))
                  for e in entries)


TURNS = {"ours": ("ours", "ours"), "theirs": ("theirs", "theirs"), "in turns": ("ours", "theirs")}


@pytest.mark.flyway(since=(10,), ends=True)
@pytest.mark.parametrize("first", [0, 1], ids=["ours begins", "theirs begins"])
def test_growing_folder(first, server, migrations, make_ours, make_theirs, rows, schema_of):
    alone = {}
    for name in TURNS:
        database = server.create_database()
        alone[name] = Either(database, make_ours(database), make_theirs(database))
    for n, step in enumerate(STEPS):
        migrations.write(step.files)
        for name in step.removed:
            migrations.remove(name)
        for name, turns in TURNS.items():
            alone[name].must(turns[(n + first) % 2], step)
        want = rows(alone["theirs"].database)
        for name in ("ours", "in turns"):
            assert rows(alone[name].database) == want, f"{name}, {step.what}"
        options, shared = {**EVERY, **step.options}, alone["in turns"]
        infos = sorted((i.version or i.description, i.state) for i in shared.theirs.info(**options))
        assert states(shared.ours, options) == infos, step.what
    want = schema_of(alone["theirs"].database)
    seen = "SELECT count(*) FROM seen"
    for name in ("ours", "in turns"):
        assert schema_of(alone[name].database) == want
        assert alone[name].database.query(seen) == alone["theirs"].database.query(seen)


# -- commands that begin a history --

BASELINES = {
    "plain": {},
    "with words": {"baseline_version": "2", "baseline_description": "as it was"},
    "a schema of its own": {"default_schema": "other", "baseline_version": "1.5"},
}


@pytest.mark.flyway(since=(10,), ends=True)
@pytest.mark.parametrize("case", BASELINES)
def test_baseline_by_one_then_the_other_migrates(case, server, migrations, make_ours, make_theirs, rows, schema_of):
    options, schema = BASELINES[case], BASELINES[case].get("default_schema", "public")
    migrations.write({"V1__a.sql": "SELECT 1/0;", "V3__c.sql": "ALTER TABLE public.old ADD y int;"})
    if case == "plain":
        migrations.write({"V1__a.sql": "SELECT 1;"})
    a, b = server.create_database(), server.create_database()
    for database in (a, b):
        database.query("CREATE TABLE old (x int)")
    make_ours(a).ok("baseline", **options)
    make_theirs(b).ok("baseline", **options)
    assert rows(a, schema=schema) == rows(b, schema=schema)
    assert make_theirs(a).migrate(**options) == 1
    make_ours(b).ok("migrate", **options)
    assert rows(a, schema=schema) == rows(b, schema=schema)
    assert schema_of(a) == schema_of(b)


# -- what only one of them writes, the other can read --

@pytest.mark.flyway(since=(10,), ends=True)
def test_a_failed_row_of_theirs(database, migrations, ours, theirs, rows):
    """Outside a transaction Flyway leaves a row that says so: ours goes on no more than Flyway, until it is repaired."""
    migrations.write({"V1__t.sql": "CREATE TABLE t (x int);", "V2__two.sql": "CREATE TABLE two (x int); SELECT 1/0;",
                      "V2__two.sql.conf": "executeInTransaction=false"})
    assert not theirs("migrate", **SESSION_LOCK).ok
    assert [row[-1] for row in rows(database)] == [True, False]
    for command in ("migrate", "validate"):
        refused = ours(command)
        assert refused.code != 0 and "repair" in refused.err + refused.out, refused
    ours.ok("repair")
    assert len(rows(database)) == 1
    migrations.write({"V2__two.sql": "CREATE TABLE other (x int);"})
    assert theirs.migrate() == 1
    ours.ok("validate")


@pytest.mark.flyway(since=(10,), ends=True)
def test_undo_of_ours(database, migrations, ours, theirs, rows):
    """Flyway's free edition has no undo, and reads ours: the version is pending again, and applied again."""
    migrations.write({"V1__t.sql": "CREATE TABLE t (x int);", "V2__two.sql": "CREATE TABLE two (x int);",
                      "U2__two.sql": "DROP TABLE two;"})
    ours.ok("migrate")
    ours.ok("undo")
    assert not database.exists("two")
    assert {i.version: i.state for i in theirs.info()}["1"] == "Success"
    assert [i.script for i in theirs.info() if i.state == "Pending"] == ["V2__two.sql"]
    assert theirs.migrate() == 1 and database.exists("two")
    ours.ok("validate")
    assert "version 2" in ours.ok("status")
    theirs.ok("validate")
    ours.ok("undo")
    ours.ok("migrate")
    assert theirs.migrate() == 0
