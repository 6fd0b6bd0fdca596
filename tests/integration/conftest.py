"""Fixtures of the black-box tests. Run with /usr/bin/python3 -m pytest tests/integration.

PGMIGRATED_BIN              the built program (needed by all tests but test_harness.py)
PGMIGRATED_TEST_PG_BINDIR   PostgreSQL to test with; default: the newest in /usr/lib/postgresql
PGMIGRATED_TEST_KEEP=1      keeps the folders of failed tests"""
import contextlib
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness.daemon import Cli, Daemon  # noqa: E402
from harness.migrations import Migrations  # noqa: E402
from harness.notify import NotifySocket  # noqa: E402
from harness.ports import Ports  # noqa: E402
from harness.postgres import Postgres, find_bindir, initdb  # noqa: E402
from harness.tools import AutoPause  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--fsync", action="store_true", help="let the test servers flush to disk (slow)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.stash[FAILED] = True
        for daemon in item.stash.get(DAEMONS, []):
            if os.path.exists(daemon.log_path):
                report.sections.append((f"log of pgmigrated, port {daemon.port}", daemon.log()[-20000:]))


FAILED, DAEMONS = pytest.StashKey(), pytest.StashKey()


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("PGMIGRATED_BIN")
    if not path or not os.access(path, os.X_OK):
        pytest.fail(f"PGMIGRATED_BIN ({path}) must name the built pgmigrated", pytrace=False)
    return os.path.abspath(path)


@pytest.fixture(scope="session")
def ports():
    p = Ports()
    yield p
    p.close()


@pytest.fixture(scope="session")
def bindir():
    found = find_bindir()
    if not found:
        pytest.skip("no PostgreSQL server in /usr/lib/postgresql and no PGMIGRATED_TEST_PG_BINDIR")
    return found


@pytest.fixture(scope="session")
def data_template(bindir):
    top = initdb(bindir)
    yield top
    shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(scope="session")
def make_server(bindir, data_template, ports, pytestconfig):
    """make_server(settings=..., fsync=...) -> a started Postgres; stopped at the end of the session at the latest."""
    made = []

    def make(settings=None, fsync=None, start=True):
        server = Postgres(bindir, data_template, ports.take(),
                          pytestconfig.getoption("fsync") if fsync is None else fsync, settings)
        made.append(server)
        return server.start() if start else server

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def server(make_server):
    """The server that tests share. Leave it running; for rough handling take own_server."""
    return make_server()


@pytest.fixture
def own_server(make_server):
    """A server for this test alone: stop it, freeze it, crash it."""
    s = make_server()
    yield s
    s.close()


@pytest.fixture
def database(server):
    """A fresh, empty database. It is not dropped: the server's folder is deleted in the end."""
    return server.create_database()


@pytest.fixture
def workdir(request):
    """A folder that other users can enter (pytest's own cannot be)."""
    path = tempfile.mkdtemp(prefix="pgm-test-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    if not (os.environ.get("PGMIGRATED_TEST_KEEP") and request.node.stash.get(FAILED, False)):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def migrations(workdir):
    return Migrations(os.path.join(workdir, "migrations"))


@pytest.fixture
def cli(binary, workdir, database, migrations):
    """cli("migrate", ...) against the test's database and migrations; options as keywords."""
    return Cli(binary, workdir, {"DATABASE_URL": database.url(), "migrations": migrations.folder, "format": "flyway"})


@pytest.fixture
def make_daemon(request, binary, workdir, migrations, ports):
    """make_daemon(url, options...) -> a started Daemon; at the end of the test it must stop cleanly."""
    made = request.node.stash.setdefault(DAEMONS, [])

    def make(url, ready="/healthz", start=True, prefix=(), arguments=(), unix_socket=False, **options):
        directory = os.path.join(workdir, f"daemon{len(made) + 1}")
        os.mkdir(directory)
        daemon = Daemon(binary, directory, ports.take(),
                        {"DATABASE_URL": url, "migrations": migrations.folder, "format": "flyway", **options},
                        prefix, arguments, unix_socket)
        made.append(daemon)
        return daemon.start(ready) if start else daemon

    yield make
    for daemon in made:
        daemon.close()


@pytest.fixture
def daemon(make_daemon, database):
    """A running service for the test's database, which has not been asked for anything yet."""
    return make_daemon(database.url())


@pytest.fixture
def notify_socket(workdir):
    n = NotifySocket(workdir)
    yield n
    n.close()


@pytest.fixture
def make_autopause(ports, workdir):
    """make_autopause(server, style, idle=, resume=): a database that scales to zero, in front of a server."""
    with contextlib.ExitStack() as stack:
        yield lambda server, style, **times: stack.enter_context(
            AutoPause(ports, server.port, workdir, style, **times))
