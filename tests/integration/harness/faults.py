"""Migrations whose loss or double application shows, faults at every place of a run, and what must be true afterwards."""
import contextlib
import dataclasses
import os

from .waiting import wait_until

NO_TRANSACTION = "executeInTransaction=false\n"


def count(key):
    return f"INSERT INTO counter VALUES ('{key}');\n"


PREPARE = f"""\
CREATE TABLE counter (key text NOT NULL, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE t (a int, b text);
INSERT INTO t SELECT i, repeat('x', 20) FROM generate_series(1, 2000) i;
CREATE TABLE parts (k int) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE SCHEMA other;
CREATE TABLE other.t (a int);
CREATE TYPE mood AS ENUM ('sad');
{count("1")}"""


@dataclasses.dataclass
class Scenario:
    name: str
    files: dict
    keys: set        # what is in counter afterwards, each once
    indexes: set = dataclasses.field(default_factory=set)
    parts: set = dataclasses.field(default_factory=lambda: {"parts_1", "parts_2"})

    @property
    def scripts(self):
        """In the order in which they are applied."""
        names = [n for n in self.files if n.endswith(".sql")]
        versioned = sorted((n for n in names if n[0] == "V"), key=lambda n: int(n[1:].split("__")[0]))
        return versioned + sorted(n for n in names if n[0] == "R")


def small(_):
    """Many of them share one string of SQL."""
    files = {"V1__prepare.sql": PREPARE}
    files |= {f"V{i}__small.sql": f"CREATE TABLE small_{i} (x int);\n{count(i)}" for i in range(2, 25)}
    files["R__view.sql"] = "CREATE OR REPLACE VIEW v AS SELECT 1 AS x;\n" + count("R")
    return Scenario("small", files, {str(i) for i in range(1, 25)} | {"R"})


def long(_):
    """Statement by statement: long ones, COPY, an index, and more text than one string holds."""
    rows = "".join(f"{i}\ttext of row {i}\n" for i in range(500))
    padding = "".join(f"-- {i:05d} {'p' * 90}\nINSERT INTO t VALUES ({i}, 'y');\n" for i in range(1200))
    return Scenario("long", {
        "V1__prepare.sql": PREPARE,
        "V2__update.sql": count("2a") + "UPDATE t SET b = b || 'z' WHERE a % 2 = 0;\n" + count("2b")
                          + "DELETE FROM t WHERE a > 1990;\n" + count("2c"),
        "V3__copy.sql": count("3a") + f"COPY t FROM stdin;\n{rows}\\.\n" + count("3b"),
        "V4__big.sql": count("4a") + padding + count("4b"),
        "V5__index.sql": "CREATE INDEX t_plain ON t (a);\nSET search_path = public;\n" + count("5"),
        "V6__after.sql": count("6"),
        "R__a.sql": count("Ra"), "R__b.sql": count("Rb") + "ANALYZE t;\n",
    }, {"1", "2a", "2b", "2c", "3a", "3b", "4a", "4b", "5", "6", "Ra", "Rb"}, {"t_plain"})


def outside(version):
    """What cannot run in a transaction, between what can."""
    detach = "ALTER TABLE parts DETACH PARTITION parts_1" + (" CONCURRENTLY" if version >= 14 else "") + ";\n"
    reindex = "REINDEX INDEX" + (" CONCURRENTLY" if version >= 12 else "") + " t_u;\n"
    return Scenario("outside", {
        "V1__prepare.sql": PREPARE,
        "V2__indexes.sql": count("2a") + "CREATE INDEX CONCURRENTLY t_a ON t (a);\n" + count("2b")
                           + "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_u ON t (a, b);\n"
                           + "CREATE INDEX CONCURRENTLY ON t (b);\n" + count("2c"),
        "V2__indexes.sql.conf": NO_TRANSACTION,
        "V3__between.sql": count("3"),
        "V4__drop.sql": "DROP INDEX CONCURRENTLY t_a;\n",
        "V5__detach.sql": detach,
        "V6__mixed.sql": reindex + count("6a") + "VACUUM t;\nALTER TYPE mood ADD VALUE 'glad';\n" + count("6b")
                         + "DROP INDEX CONCURRENTLY IF EXISTS t_u;\n",
        "V6__mixed.sql.conf": NO_TRANSACTION,
        "V7__session.sql": "SET search_path = other;\nINSERT INTO public.counter VALUES ('7a');\n"
                           "CREATE INDEX CONCURRENTLY o_a ON t (a);\nDROP INDEX CONCURRENTLY other.o_a;\n"
                           "CREATE INDEX CONCURRENTLY o_b ON t (a);\nINSERT INTO t VALUES (1);\n",
        "V7__session.sql.conf": NO_TRANSACTION,
        "V8__last.sql": count("8"),
        "R__concurrent.sql": "CREATE INDEX CONCURRENTLY t_r ON t (a DESC);\n",
    }, {"1", "2a", "2b", "2c", "3", "6a", "6b", "7a", "8"}, {"t_b_idx", "t_r", "other.o_b"}, {"parts_2"})


def own(version):
    """Files with transaction control of their own."""
    chain = " AND CHAIN" if version >= 12 else ";\nBEGIN"
    return Scenario("own", {
        "V1__prepare.sql": PREPARE,
        "V2__own.sql": f"BEGIN;\n{count('2a')}COMMIT;\n{count('2b')}BEGIN;\n{count('2c')}{count('2d')}COMMIT;\n"
                       f"BEGIN;\n{count('never')}ROLLBACK;\n{count('2e')}",
        "V3__chained.sql": f"BEGIN;\n{count('3a')}COMMIT{chain};\n{count('3b')}COMMIT{chain};\n"
                           f"{count('never')}{count('never')}ROLLBACK;\n{count('3c')}",
        "V4__after.sql": count("4"),
        "V5__own_and_index.sql": f"BEGIN;\n{count('5a')}COMMIT;\nCREATE INDEX CONCURRENTLY t_o ON t (a);\n{count('5b')}",
        "V5__own_and_index.sql.conf": NO_TRANSACTION,
        "R__last.sql": count("R"),
    }, {"1", "2a", "2b", "2c", "2d", "2e", "3a", "3b", "3c", "4", "5a", "5b", "R"}, {"t_o"})


SCENARIOS = [small, long, outside, own]


def server_major(server):
    """11, 15, ..."""
    with contextlib.closing(server.connect()) as c:
        return c.server_version // 10000


def check_truth(database, scenario):
    """All is done, each thing once, and nothing is left behind."""
    counted = dict(database.query("SELECT key, count(*) FROM counter GROUP BY key"))
    assert counted == dict.fromkeys(scenario.keys, 1), f"applied twice, or not at all: {odd(counted, scenario.keys)}"
    history = database.history()
    assert [r["script"] for r in history] == scenario.scripts, "the history's rows"
    assert [r["installed_rank"] for r in history] == list(range(1, len(history) + 1))
    assert all(r["success"] and r["type"] == "SQL" for r in history)
    indexes = dict(database.query(
        "SELECT i.indexrelid::regclass::text, i.indisvalid AND i.indisready AND i.indislive FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'other') AND c.relname !~ '^flyway'"))
    assert indexes == dict.fromkeys(scenario.indexes, True)
    parts = database.query(  # the column came with PostgreSQL 14
        "SELECT inhrelid::regclass::text, coalesce((to_jsonb(h) ->> 'inhdetachpending')::boolean, false)"
        " FROM pg_inherits h WHERE inhparent = 'parts'::regclass")
    assert dict(parts) == dict.fromkeys(scenario.parts, False)
    assert not database.exists("pgmigrated_journal"), database.query("SELECT * FROM pgmigrated_journal")
    wait_until(lambda: not database.sessions(), 20, lambda: f"sessions gone: {sessions(database)}")
    assert database.query("SELECT l.pid, l.locktype, l.mode FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                          " WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()"
                          " AND l.locktype = 'advisory'") == []


def odd(counted, keys):
    return {k: counted.get(k, 0) for k in {*counted, *keys} if counted.get(k, 0) != (k in keys)}


def sessions(database):
    return database.query("SELECT pid, application_name, state, wait_event, left(query, 200) FROM pg_stat_activity"
                          " WHERE datname = current_database() AND application_name <> 'harness'")


def signal_backend(connection, number):
    """As pg_terminate_backend() does; whether there was one: a connection that is being refused has none."""
    if not connection.backend_pid:
        return False
    try:
        os.kill(connection.backend_pid, number)
        return True
    except ProcessLookupError:
        return False
