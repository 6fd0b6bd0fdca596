"""Every changelog of the corpus, migrated: rows, schema and data are those that Liquibase left, and nothing is left to do."""
import os
import shutil

import pytest

from harness import liquibase
from harness.daemon import Cli

CASES = {case.name: case for case in liquibase.cases()}

# What differs on purpose: (case, what is compared) -> why.
DIFFERENCES = {}


def run(cli, case, expected=None):
    done = cli("migrate", **case.options)
    if expected is not None:
        assert (done.code != 0) == expected, f"{done}"
    return done


@pytest.fixture
def migrate_case(binary, workdir, server):
    def migrate(name):
        case = CASES[name]
        folder = f"{workdir}/changelog"
        shutil.copytree(case.path, folder)
        database = server.create_database()
        if case.read("setup.sql"):
            database.query(case.read("setup.sql"))
        cli = Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": f"{folder}/{case.root}",
                                    "format": "liquibase"})
        done = run(cli, case, case.fails and not case.step2)
        if case.step2:
            shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
            done = run(cli, case, case.fails)
        return case, database, cli, done
    return migrate


def compare(name, what, have, want):
    if (name, what) not in DIFFERENCES:
        assert have == want


@pytest.mark.parametrize("name", CASES)
def test_as_liquibase_left_it(name, migrate_case, server):
    case, database, cli, done = migrate_case(name)
    compare(name, "rows", liquibase.rows(database), case.rows())
    compare(name, "schema", liquibase.schema(server, database), case.read("schema.sql").splitlines())
    compare(name, "data", liquibase.data(database), case.read("data.txt").splitlines())
    assert database.query("SELECT locked, lockedby FROM databasechangeloglock") == [(False, None)]


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if not c.fails])
def test_nothing_to_do_afterwards(name, server, binary, workdir):
    """On the rows of the real tool, with its schema: nothing runs again that would not run again there."""
    case = CASES[name]
    database = server.create_database()
    seed(database, case.rows() or [])
    folder = f"{workdir}/changelog"
    shutil.copytree(case.path, folder)
    if case.step2:
        shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
    cli = Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": os.path.join(folder, case.root),
                                "format": "liquibase"})
    pending = cli.ok("status", **case.options)
    assert "checksum" not in pending


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
