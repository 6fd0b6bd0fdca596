"""pgmigrated and the real Liquibase on the same databases. Run with script/test --interop.

PGMIGRATED_TEST_LIQUIBASE   folder of the real Liquibase (script/liquibase-versions); default: build/liquibase/*"""
import base64
import glob
import importlib.util
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
_spec = importlib.util.spec_from_file_location("integration_fixtures",
                                               os.path.join(TOP, "tests", "integration", "conftest.py"))
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
globals().update({name: value for name, value in vars(_fixtures).items() if not name.startswith("__")})


class Machine:
    """One warm JVM. Commands run in the folder it was started in: Liquibase's search path is the working directory."""

    def __init__(self, home, classes, folder):
        jars = ":".join([classes, *glob.glob(f"{home}/internal/lib/*.jar")])
        self.process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-Duser.timezone=UTC", "-cp", jars,
             "RunLiquibase"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
            env={**os.environ, "LIQUIBASE_SHOW_BANNER": "false", "TZ": "UTC"})

    def send(self, words):
        self.process.stdin.write(b" ".join(base64.b64encode(w.encode()) for w in words) + b"\n")
        self.process.stdin.flush()

    def answer(self):
        code, out, err = self.process.stdout.readline().decode().rstrip("\n").split(" ")
        return int(code), base64.b64decode(out).decode(), base64.b64decode(err).decode()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture(scope="session")
def liquibase_home():
    home = os.environ.get("PGMIGRATED_TEST_LIQUIBASE") or max(glob.glob(f"{TOP}/build/liquibase/*/"), default=None)
    if not home:
        pytest.skip("no Liquibase here: script/liquibase-versions fetches it (needs Java and npm)")
    return home


@pytest.fixture(scope="session")
def classes(liquibase_home, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("classes"))
    core = f"{liquibase_home}/internal/lib/liquibase-core.jar"
    subprocess.run(["javac", "-cp", core, "-d", folder, *glob.glob(f"{HERE}/*.java")], check=True)
    return folder


class Theirs:
    """theirs("update") -> (exit code, output, errors) of the real Liquibase on the database and the test's folder."""

    def __init__(self, machine, database):
        self.machine, self.database = machine, database

    def words(self, command, *arguments):
        jdbc = f"jdbc:postgresql://127.0.0.1:{self.database.server.port}/{self.database.name}"
        return [f"--url={jdbc}", "--username=postgres", "--password=x", "--changelog-file=changelog.xml", command, *arguments]

    def start(self, command, *arguments):
        self.machine.send(self.words(command, *arguments))

    def __call__(self, command, *arguments):
        self.start(command, *arguments)
        return self.machine.answer()

    def ok(self, command, *arguments):
        code, out, err = self(command, *arguments)
        assert code == 0, f"{command}: {out}{err}"
        return out + err


@pytest.fixture
def theirs(liquibase_home, classes, migrations, database):
    machine = Machine(liquibase_home, classes, migrations.folder)
    yield Theirs(machine, database)
    machine.close()


@pytest.fixture
def ours(binary, workdir, migrations, database):
    return _fixtures.Cli(binary, workdir, {"DATABASE_URL": database.url(), "format": "liquibase",
                                           "migrations": migrations.path("changelog.xml")})
