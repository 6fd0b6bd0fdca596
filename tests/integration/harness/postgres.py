"""A throw-away PostgreSQL server: start, stop, freeze, crash."""
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from . import processes
from .waiting import wait_until

HBA = """\
local all all                     trust
host  all with_password 127.0.0.1/32 scram-sha-256
host  all all           127.0.0.1/32 trust
"""
PASSWORD = "correct horse"


def find_bindir():
    """$PGMIGRATED_TEST_PG_BINDIR, else the newest server of Debian's; None when there is none."""
    chosen = os.environ.get("PGMIGRATED_TEST_PG_BINDIR")
    if chosen:
        return chosen
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    return os.path.dirname(max(found, key=lambda p: int(p.split("/")[4]))) if found else None


def server_user():
    """Who runs the server: it refuses to be root."""
    return "postgres" if os.geteuid() == 0 else None


def initdb(bindir):
    """A fresh data folder in a new temporary folder, to be copied for each server."""
    top = tempfile.mkdtemp(prefix="pgm-initdb-", dir="/tmp")
    if server_user():
        processes.give_to(top, server_user())
    subprocess.run(
        [*processes.as_user(server_user()), f"{bindir}/initdb", "-D", f"{top}/data", "-U", "postgres", "-E", "UTF8",
         "--locale=C.UTF-8", "-A", "trust", "-N"],
        check=True, stdout=subprocess.DEVNULL, cwd="/tmp")
    with open(f"{top}/data/pg_hba.conf", "w", encoding="utf-8") as f:
        f.write(HBA)
    return top


class Postgres:
    def __init__(self, bindir, template, port, fsync=False, settings=None):
        self.bindir, self.port = bindir, port
        self.top = tempfile.mkdtemp(prefix="pgm-pg-", dir="/tmp")
        if server_user():
            processes.give_to(self.top, server_user())
        subprocess.run([*processes.as_user(server_user()), "cp", "-a", f"{template}/data", self.top], check=True,
                       cwd="/tmp")
        self.data, self.log_path = f"{self.top}/data", f"{self.top}/log"
        self.settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": self.top,
            "max_connections": 100, "fsync": "on" if fsync else "off", "log_connections": "on",
            "log_disconnections": "on", "log_statement": "all", "log_line_prefix": "%m [%p] %q%a/%d ",
            "timezone": "UTC", "log_timezone": "UTC", "password_encryption": "scram-sha-256", **(settings or {}),
        }
        self.process = None
        self._databases = 0

    # -- life --

    def start(self, wait=True):
        arguments = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*processes.as_user(server_user()), f"{self.bindir}/postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/tmp")
        if wait:
            wait_until(self.answers, 60, lambda: f"PostgreSQL on port {self.port} ready: {self.log()[-2000:]}")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended: {self.log()[-2000:]}")
        try:
            self.connect().close()
            return True
        except psycopg2.OperationalError:
            return False

    def _signal_and_wait(self, number):
        if self.process and self.process.poll() is None:
            everyone = processes.children(self.process.pid)
            self.process.send_signal(number)
            self.process.wait(60)
            wait_until(lambda: not any(map(processes.alive, everyone)), 60, "the server's children gone")
        self.process = None

    def stop(self):
        """Fast shutdown: sessions are ended, all is written."""
        self._signal_and_wait(signal.SIGINT)

    def stop_immediately(self):
        """What a crash looks like to clients, with an orderly end of the processes: needs recovery."""
        self._signal_and_wait(signal.SIGQUIT)

    def crash(self):
        """SIGKILL for all processes of the server at once."""
        everyone = [self.process.pid, *processes.children(self.process.pid)]
        for pid in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(60)
        wait_until(lambda: not any(map(processes.alive, everyone)), 60, "the server's children gone")
        self.process = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.data}/postmaster.pid")

    def restart(self):
        self.stop()
        return self.start()

    @contextlib.contextmanager
    def frozen(self, sessions=False):
        """The postmaster (and, when asked, every session) stopped by SIGSTOP: connections are accepted by the kernel,
        and then nothing happens."""
        pids = [self.process.pid, *(processes.children(self.process.pid) if sessions else ())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGCONT)
        self.stop_immediately()
        shutil.rmtree(self.top, ignore_errors=True)

    # -- use --

    def connect(self, database="postgres", user="postgres"):
        """A session in autocommit mode, over the Unix socket, so that it is not counted as a TCP client."""
        c = psycopg2.connect(host=self.top, port=self.port, user=user, dbname=database, connect_timeout=5,
                             application_name="harness")
        c.autocommit = True
        return c

    def create_database(self, prefix="t", encoding=None):
        self._databases += 1
        name = f"{prefix}{self._databases}"
        with contextlib.closing(self.connect()) as c, c.cursor() as cursor:
            # Not LOCALE, which is not known before PostgreSQL 13.
            special = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'" if encoding else ""
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 {special}')
        return Database(self, name)

    def create_password_role(self):
        """The role with_password, which pg_hba.conf asks for PASSWORD."""
        with contextlib.closing(self.connect()) as c, c.cursor() as cursor:
            cursor.execute("CREATE ROLE with_password LOGIN SUPERUSER PASSWORD %s", (PASSWORD,))

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def logged(self, pattern):
        """How many lines of the server's log match."""
        return len(re.findall(pattern, self.log(), re.M))


class Database:
    """One database of a server, and what tests ask of it."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def url(self, port=None, user="postgres", host="127.0.0.1"):
        return f"postgresql://{user}@{host}:{port or self.server.port}/{self.name}"

    def query(self, sql, parameters=None):
        """The rows of a query; [] for what gives none."""
        with contextlib.closing(self.server.connect(self.name)) as c, c.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, parameters=None):
        return self.query(sql, parameters)[0][0]

    def exists(self, relation):
        return self.value("SELECT to_regclass(%s) IS NOT NULL", (relation,))

    def sessions(self):
        """Sessions in this database other than the harness's own."""
        return self.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                          " AND application_name <> 'harness'")

    def wait_for_no_session(self, timeout=5):
        """The server ends a session soon after its client has, not before."""
        wait_until(lambda: self.sessions() == 0, timeout, f"no session in {self.name}")

    def history(self, table="flyway_schema_history"):
        """Rows as dictionaries, by rank; [] when there is no table."""
        columns = ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by",
                   "execution_time", "success")
        if not self.exists(f'"{table}"'):
            return []
        rows = self.query(f'SELECT {", ".join(columns)} FROM "{table}" ORDER BY installed_rank')
        return [dict(zip(columns, row)) for row in rows]

    def fingerprint(self):
        """All that a migration could leave behind: to compare before with after."""
        objects = self.query(
            "SELECT 'r', n.nspname, c.relname, c.relkind::text, c.xmin::text FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " UNION ALL SELECT 'n', nspname, '', '', xmin::text FROM pg_namespace"
            " UNION ALL SELECT 'f', n.nspname, p.proname, '', p.xmin::text FROM pg_proc p JOIN pg_namespace n"
            " ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2, 3")
        tables = [(o[1], o[2]) for o in objects if o[0] == "r" and o[3] == "r"]
        contents = [(t, self.query(f'SELECT md5(coalesce(string_agg(x::text, chr(10) ORDER BY x::text), \'\'))'
                                   f' FROM "{t[0]}"."{t[1]}" x')) for t in tables]
        return objects, contents
