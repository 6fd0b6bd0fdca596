"""pgmigrated and the real Flyway on the same databases. Run with script/test --interop.

PGMIGRATED_TEST_FLYWAY   folder with what script/flyway-versions fetches; default: build/flyway"""
import importlib.util
import os
import shutil
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.util.spec_from_file_location("integration_fixtures", os.path.join(HERE, "../integration/conftest.py"))
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
globals().update({name: value for name, value in vars(_fixtures).items() if not name.startswith("__")})

from flyway import Machine, Theirs, installed  # noqa: E402

VERSIONS = installed()


def pytest_generate_tests(metafunc):
    """flyway_version: every version here, or what a mark says: @pytest.mark.flyway(since=(10,), ends=True)."""
    if "flyway_version" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("flyway")
    wanted = {"since": (0,), "ends": False, **(mark.kwargs if mark else {})}
    versions = [v for v in VERSIONS if v >= wanted["since"]]
    if wanted["ends"]:
        versions = sorted({*versions[:1], *versions[-1:]})
    skip = pytest.mark.skip(reason="no Flyway here: script/flyway-versions fetches it")
    metafunc.parametrize("flyway_version", versions or [pytest.param(None, marks=skip)], scope="session",
                         ids=lambda v: ".".join(map(str, v)) if v else "none")


def pytest_configure(config):
    config.addinivalue_line("markers", "flyway(since=(n,), ends=bool): the versions of Flyway, or only the oldest and newest")


@pytest.fixture(scope="session")
def machines(tmp_path_factory):
    made, logs = {}, tmp_path_factory.mktemp("flyway")

    def machine(version):
        if version not in made:
            made[version] = Machine(version, VERSIONS[version], str(logs / ".".join(map(str, version))))
        return made[version]

    yield machine
    for m in made.values():
        m.close()


@pytest.fixture
def make_theirs(machines, migrations, flyway_version):
    """make_theirs(database) -> Flyway for it and the test's folder."""
    return lambda database: Theirs(machines(flyway_version), database, migrations.folder)


@pytest.fixture
def theirs(make_theirs, database):
    return make_theirs(database)


@pytest.fixture
def make_ours(binary, workdir, migrations):
    """make_ours(database) -> the command line for it and the test's folder."""
    return lambda database: _fixtures.Cli(
        binary, workdir, {"DATABASE_URL": database.url(), "migrations": migrations.folder, "format": "flyway"})


@pytest.fixture
def ours(make_ours, database):
    return make_ours(database)


@pytest.fixture
def schema_of(server):
    """schema_of(database) -> its definition as text, by pg_dump."""
    program = os.path.join(server.bindir, "pg_dump")
    if not shutil.which(program):
        pytest.skip(f"no {program}")

    def dump(database):
        text = subprocess.run([program, "-s", "-h", server.top, "-p", str(server.port), "-U", "postgres", database.name],
                              check=True, capture_output=True, text=True).stdout
        return "\n".join(line for line in text.splitlines() if not line.startswith("\\"))

    return dump


@pytest.fixture
def rows():
    """rows(database) -> the history, without what must differ: times."""
    def read(database, table="flyway_schema_history", schema="public"):
        columns = "installed_rank, version, description, type, script, checksum, installed_by, success"
        quoted = ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
        return database.query(f"SELECT {columns} FROM {quoted} ORDER BY installed_rank")

    return read
