"""Whoever migrates first, the other finds everything done; and both leave the same database behind."""
import pytest

from folders import FOLDERS


def place(options):
    schema = options.get("default_schema") or options.get("schemas", "public").split(",")[0]
    return {"schema": schema, **({"table": options["table"]} if "table" in options else {})}


@pytest.mark.parametrize("name", FOLDERS)
def test_one_after_the_other(name, flyway_version, server, migrations, make_ours, make_theirs, rows, schema_of):
    folder = FOLDERS[name]
    if flyway_version < folder.since:
        pytest.skip(f"Flyway knows this since {folder.since}")
    migrations.write(folder.files)
    a, b = server.create_database(), server.create_database()
    for database in (a, b):
        if folder.prepare:
            database.query(folder.prepare)
    make_ours(a).ok("migrate", **folder.options)
    assert make_theirs(b).migrate(**folder.options, **folder.theirs) > 0
    written = rows(a, **place(folder.options))
    assert written == rows(b, **place(folder.options))
    assert schema_of(a) == schema_of(b)
    if folder.prepare.startswith("CREATE SCHEMA log"):
        seen = "SELECT what FROM log.seen WHERE what !~ 'Validate' ORDER BY n"
        assert a.query(seen) == b.query(seen)

    theirs_in_a, ours_in_b = make_theirs(a), make_ours(b)
    for command in ("validate", "migrate") if "target" not in folder.options else ("migrate",):
        answer = theirs_in_a.ok(command, **folder.options, **folder.theirs)
        assert answer in ([], ["0"])
        ours_in_b.ok(command, **folder.options)
    bad = {"Pending", "Missing", "Future", "Outdated", "Failed", "Out of Order"}
    assert not [i for i in theirs_in_a.info(**folder.options) if i.state in bad]
    if folder.repair:
        theirs_in_a.ok("repair", **folder.options)
    ours_in_b.ok("repair", **folder.options)
    assert rows(a, **place(folder.options)) == rows(b, **place(folder.options)) == written
