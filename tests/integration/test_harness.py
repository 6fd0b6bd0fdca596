"""The harness itself: a test that leans on it proves nothing when it is wrong."""
import os
import subprocess
import time

import psycopg2
import pytest

from harness.migrations import flyway_checksum
from harness.postgres import PASSWORD
from harness.processes import client_sockets
from harness.tools import faker, silent_resolver
from harness.waiting import wait_until


def connect(database, port, **more):
    return psycopg2.connect(database.url(port), connect_timeout=2, **more)


def test_databases_are_fresh_and_change_is_seen(server, database):
    before = database.fingerprint()
    assert database.fingerprint() == before and database.history() == [] and database.sessions() == 0
    database.query("CREATE TABLE t (x int)")
    created = database.fingerprint()
    database.query("INSERT INTO t VALUES (1)")
    assert len({repr(before), repr(created), repr(database.fingerprint())}) == 3
    assert not server.create_database().exists("t")


def test_server_stops_freezes_and_crashes(own_server):
    database = own_server.create_database()
    database.query("CREATE TABLE t ()")
    own_server.stop()
    with pytest.raises(psycopg2.OperationalError):
        own_server.connect()
    own_server.start().crash()
    own_server.start()
    with own_server.frozen():
        with pytest.raises(psycopg2.OperationalError, match="timeout"):
            connect(database, own_server.port)
    assert wait_until(lambda: database.exists("t"), 10, "thawed")


def test_password_role(own_server):
    own_server.create_password_role()
    database = own_server.create_database()
    url = database.url(user="with_password")
    psycopg2.connect(url, password=PASSWORD).close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url, password="wrong")
    assert own_server.logged("password authentication failed") == 1


def test_autopause_wakes_once_and_pauses(database, server, make_autopause):
    paused = make_autopause(server, "hold", idle=0.3, resume=0.5)
    assert paused.events() == []
    begun = time.time()
    c = connect(database, paused.port)
    assert time.time() - begun >= 0.45 and client_sockets(paused.port) == 1
    c.close()
    assert client_sockets(paused.port) == 0
    paused.wait_for("pause")
    assert [e["ev"] for e in paused.events()] == ["wake", "up", "pause"]


def test_faker(database, ports):
    port = ports.take()
    with faker(port, "fatal:57P03:the database system is starting up"):
        with pytest.raises(psycopg2.OperationalError, match="starting up"):
            connect(database, port)


@pytest.mark.parametrize("content, checksum", [
    (b"", 0), (b"SELECT 1;", 78787420), (b"SELECT 1;\r\n", 78787420), (b"\xef\xbb\xbfSELECT 1;", 78787420)])
def test_flyway_checksum(content, checksum):
    assert flyway_checksum(content) == checksum


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can unshare -mn")
def test_silent_resolver(workdir):
    command = [*silent_resolver(workdir), "getent", "hosts", "db.example.com"]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(command, timeout=2)
