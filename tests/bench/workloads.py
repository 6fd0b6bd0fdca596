"""The migrations that are timed: as Flyway's files, as dbmate's, and as one file for psql with the same transactions."""
import hashlib
import os

HISTORY = """CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL, version VARCHAR(50), description VARCHAR(200) NOT NULL,
  type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INTEGER, installed_by VARCHAR(100) NOT NULL,
  installed_on TIMESTAMP NOT NULL DEFAULT now(), execution_time INTEGER NOT NULL, success BOOLEAN NOT NULL,
  CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank));
CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success);
"""
BIG_TABLE = "CREATE TABLE big (id bigint PRIMARY KEY, name text NOT NULL, payload text NOT NULL);\n"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def history_row(i):
    return (f"INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by,"
            f" execution_time, success) VALUES ({i}, '{i}', 'm{i:05d}', 'SQL', 'V{i}__m{i:05d}.sql', {i}, current_user, 1, true);\n")


def small(i):
    """A table with two indexes, and two rows."""
    return (f"CREATE TABLE t{i:05d} (id bigint PRIMARY KEY, name text NOT NULL, created timestamptz NOT NULL DEFAULT now());\n"
            f"CREATE INDEX t{i:05d}_name ON t{i:05d} (name);\n"
            f"INSERT INTO t{i:05d} (id, name) VALUES (1, 'first row of migration {i}');\n"
            f"INSERT INTO t{i:05d} (id, name) VALUES (2, 'second row; it''s quoted');\n")


def tiny(i):
    return f"SELECT {i};\n"


class Migrations:
    """A set of migrations below top, in the ways in which the tools want it."""

    def __init__(self, top, texts):
        self.top, self.count = top, len(texts)
        self.flyway, self.dbmate, self.liquibase = f"{top}/flyway", f"{top}/dbmate", f"{top}/changelog.sql"
        write(self.liquibase, "--liquibase formatted sql\n" + "".join(
            f"--changeset bench:{i}\n{text}" for i, text in enumerate(texts, 1)))
        psql = [HISTORY]
        for i, text in enumerate(texts, 1):
            write(f"{self.flyway}/V{i}__m{i:05d}.sql", text)
            write(f"{self.dbmate}/{20240101000000 + i}_m{i:05d}.sql", f"-- migrate:up\n{text}\n-- migrate:down\n")
            psql.append(f"BEGIN;\n{text}{history_row(i)}COMMIT;\n")
        self.psql = write(f"{top}/psql.sql", "".join(psql))
        self.texts = texts


def _row(j):
    return j, f"name-{j:08d}", hashlib.md5(str(j).encode()).hexdigest()


def big_inserts(size, rows):
    parts, have, j = [BIG_TABLE], 0, 0
    while have < size:
        values = []
        for _ in range(rows):
            j += 1
            values.append("({}, '{}', '{}')".format(*_row(j)))
        parts.append("INSERT INTO big (id, name, payload) VALUES\n" + ",\n".join(values) + ";\n")
        have += len(parts[-1])
    return "".join(parts)


def big_copy(size):
    parts, have, j = [BIG_TABLE, "COPY big (id, name, payload) FROM stdin;\n"], 0, 0
    while have < size:
        j += 1
        parts.append("{}\t{}\t{}\n".format(*_row(j)))
        have += len(parts[-1])
    return "".join([*parts, "\\.\n"])
