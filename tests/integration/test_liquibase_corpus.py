"""Every changelog of the corpus, migrated: rows, schema and data are those that Liquibase left, and nothing is left to do."""
import json
import shutil

import pytest

from harness import liquibase
from harness.daemon import Cli

CASES = {case.name: case for case in liquibase.cases()}

# Cases that are refused or healed where the real tool fails: what it left behind is no measure.
REFUSED = {
    "032": "executeCommand runs a program, and allow_execute is not set",
    "104": "executeCommand runs a program, and allow_execute is not set",
}
HEALED = {"029b": "bodies in dollar quotes survive the splitter", "142": "bodies in dollar quotes survive the splitter"}
# Checksums that Liquibase itself does not compute again, by case and changeset.
UNSTABLE = {("048b", "3")}


def run(cli, case, expected):
    done = cli("migrate", **case.options)
    assert (done.code != 0) == expected, f"{done}"
    return done


@pytest.fixture
def migrate_case(binary, workdir, server):
    def migrate(name, fails=None):
        case = CASES[name]
        fails = case.fails if fails is None else fails
        folder = f"{workdir}/changelog"
        shutil.copytree(case.path, folder)
        database = server.create_database()
        if case.read("setup.sql"):
            database.query(case.read("setup.sql"))
        cli = Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": f"{folder}/{case.root}",
                                    "format": "liquibase"})
        done = run(cli, case, fails and not case.step2)
        if case.step2:
            shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
            done = run(cli, case, fails)
        return case, database, done
    return migrate


def number(name):
    return name.split("-")[0]


def stable(name, rows):
    return [{**row, "md5sum": None} if (number(name), row["id"]) in UNSTABLE else row for row in rows]


@pytest.mark.parametrize("name", [n for n in CASES if number(n) not in {**REFUSED, **HEALED}])
def test_as_liquibase_left_it(name, migrate_case, server):
    case, database, _ = migrate_case(name)
    assert stable(name, liquibase.rows(database)) == stable(name, case.rows() or [])
    assert liquibase.schema(server, database) == case.read("schema.sql").splitlines()
    assert liquibase.data(database) == liquibase.without_oids(case.read("data.txt").splitlines())
    if database.exists("databasechangeloglock"):
        assert database.query("SELECT locked, lockedby FROM databasechangeloglock") == [(False, None)]


@pytest.mark.parametrize("name", [n for n in CASES if number(n) in REFUSED])
def test_refused_before_anything_runs(name, migrate_case):
    case, database, done = migrate_case(name, fails=True)
    assert done.code == 3 and case.root in done.err
    assert not database.exists("databasechangelog")


@pytest.mark.parametrize("name", [n for n in CASES if number(n) in HEALED])
def test_better_than_liquibase(name, migrate_case):
    case, database, _ = migrate_case(name, fails=False)
    assert len(liquibase.rows(database)) > len(case.rows())


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if not c.fails])
def test_nothing_to_do_afterwards(name, server, binary, workdir):
    """On the rows of the real tool none of its changesets is pending, changed or unknown."""
    case, cli = CASES[name], on_rows(CASES[name], CASES[name].rows(), server, binary, workdir)[1]
    entries = json.loads(cli.ok("status", "--json", **case.options))["entries"]
    known = [e for e in entries if e["rank"] is not None and (number(name), e["changeset"].split("::")[1]) not in UNSTABLE]
    assert {e["state"] for e in known} <= {"applied", "outdated", "filtered"}, known
    assert not [e for e in known if e.get("reason", "").startswith("changed")]


OLD = [n for n, c in CASES.items() if c.rows("rows.4.4-then-4.28.json") and number(n) not in {**REFUSED, **HEALED}]


@pytest.mark.parametrize("name", OLD)
def test_checksums_of_4_4_are_brought_up_to_date(name, server, binary, workdir):
    """Where 4.28 has nothing to run on the rows of 4.4, it only replaces their checksums: so do we."""
    case = CASES[name]
    database, cli = on_rows(case, case.rows("rows.4.4.json"), server, binary, workdir)
    plan = cli("plan", "--json", **case.options)
    if plan.code or json.loads(plan.out)["steps"]:
        pytest.skip("4.28 finds something changed, or to run")
    cli.ok("migrate", **case.options)
    sums = {(r["filename"], r["id"], r["author"]): r["md5sum"] for r in case.rows("rows.4.4-then-4.28.json")}
    ours = {(r["filename"], r["id"], r["author"]): r["md5sum"] for r in liquibase.rows(database)}
    assert ours == sums


def on_rows(case, rows, server, binary, workdir):
    """A database with nothing but the rows, and the command line for it and the case's changelog."""
    database, folder = server.create_database(), f"{workdir}/changelog"
    seed(database, rows or [])
    shutil.copytree(case.path, folder)
    if case.step2:
        shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
    return database, Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": f"{folder}/{case.root}",
                                           "format": "liquibase"})


def seed(database, rows):
    database.query(
        "CREATE TABLE databasechangelog (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) "
        "NOT NULL, DATEEXECUTED TIMESTAMP WITHOUT TIME ZONE NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE "
        "VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), "
        "LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10))")
    for row in rows:
        database.query(
            f"INSERT INTO databasechangelog ({', '.join(liquibase.COLUMNS)}, dateexecuted) VALUES "
            f"({', '.join(['%s'] * len(liquibase.COLUMNS))}, now() + {row['orderexecuted']} * interval '1 second')",
            [row[c] for c in liquibase.COLUMNS])
