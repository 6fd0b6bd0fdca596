"""The corpus' error cases, step by step: what Liquibase refuses is refused, with the file at fault named and nothing left behind."""
import os
import re
import shutil

import pytest

from harness import liquibase
from harness.daemon import Cli

TOP = f"{liquibase.CORPUS}/errors"
CASES = sorted(name for name in os.listdir(TOP) if os.path.exists(f"{TOP}/{name}/steps"))

COMMANDS = {"update": "migrate", "status": "status", "validate": "validate", "update-sql": "plan", "history": "history",
            "changelog-sync": "baseline", "clear-checksums": "repair", "release-locks": "unlock", "rollback-count": "undo",
            "rollback": "undo", "rollback-to-date": "undo", "rollback-count-sql": "undo", "update-to-tag": "migrate",
            "update-count": "migrate"}
GLOBALS = {"--search-path": "migrations_root", "--default-schema-name": "default_schema",
           "--database-changelog-table-name": "table"}

# Where we do not do as Liquibase does, and why, by the case's number.
DIFFERENCES = {
    "10": "status shows a changed changeset; validate and migrate refuse it",
    "100": "status shows a changed changeset; validate and migrate refuse it",
    "45": "status shows a changed changeset; validate and migrate refuse it",
    "33b": "no entity of a file is ever read",
    "35": "paths stay below the root",
    "54": "a changelog whose every path has changed is refused: it would run again",
    "59": "paths stay below the root",
    "41": "an unknown tag is refused",
    "65": "classpath: is understood in includes",
    "68": "an XML file need not name its schema",
    "69": "the order of elements does not matter",
    "81": "its own unstable checksum is no mismatch here",
    "84": "what cannot run in a transaction goes through the journal",
    "93": "escapes of JDBC are nothing that PostgreSQL knows",
}

# What only the real tool's command line has.
UNKNOWN = ("list-locks", "tag-exists", "unexpected-changesets", "nosuchcommand", "update-to-tag", "rollback", "tag", "update-count",
           "update --nosuchoption=1")


class Steps:
    def __init__(self, cli, folder, database):
        self.cli, self.folder, self.database = cli, folder, database
        self.options = {"migrations_root": folder}
        self.root = next((r for r in liquibase.ROOTS if os.path.exists(f"{folder}/{r}")), "changelog.xml")

    def setting(self, name, value):
        if name == "@CL":
            self.root = value
        elif name == "@CD":
            self.folder, self.root = f"{self.folder}/{value}", "changelog.xml"
            self.options["migrations_root"] = self.folder
        else:
            for word in value.split():
                key, _, text = word.partition("=")
                if key not in GLOBALS or "," in text:
                    pytest.skip(f"{word}: no such option here")
                self.options[GLOBALS[key]] = os.path.join(self.folder, text) if key == "--search-path" else text

    def command(self, line):
        """The result of our counterpart of a command, None when there is none."""
        words = line.split()
        if line in UNKNOWN or words[0] in UNKNOWN[:3]:
            return None
        arguments, options = [COMMANDS[words[0]]], dict(self.options)
        for word in words[1:]:
            key, _, value = word.partition("=")
            if key == "--contexts":
                options["contexts"] = value
            elif key == "--count":
                arguments += ["--target", f"count:{value}"]
            elif key in ("--tag", "--date"):
                arguments += ["--target", value]
            elif key.startswith("-D"):
                options[f"placeholder_{key[2:]}"] = value
        if words[0].startswith("rollback") and words[0].endswith("-sql"):
            arguments.append("--dry-run")
        return self.cli(*arguments, migrations=f"{self.folder}/{self.root}", wake_timeout="2s", migration_lock_timeout="1s", **options)


def expected_exits(name):
    """What the real tool said: its exit codes, in order."""
    with open(f"{TOP}/{name}/observed.4.28.txt", encoding="utf-8") as f:
        return [int(code) for code in re.findall(r"^=> exit (\d+)", f.read(), re.M)]


def steps_of(name):
    with open(f"{TOP}/{name}/steps", encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f if line.strip()]


def is_sound(result):
    """An error says what is wrong: never a bare code, never our own fault."""
    assert result.err.strip(), result
    assert "internal error" not in result.err, result


@pytest.mark.parametrize("name", CASES)
def test_as_liquibase(name, binary, workdir, server):
    folder = f"{workdir}/case"
    shutil.copytree(f"{TOP}/{name}", folder)
    database = server.create_database()
    run = Steps(Cli(binary, workdir, {"DATABASE_URL": database.url(), "format": "liquibase"}), folder, database)
    exits = iter(expected_exits(name))
    for number, line in enumerate(steps_of(name), 1):
        if line.startswith("@URL="):
            pytest.skip("about addresses")
        if line.startswith("@"):
            run.setting(*line.split("=", 1))
        elif line.startswith("cp "):
            source, target = line.split()[1:]
            shutil.copy(f"{run.folder}/{source}", f"{run.folder}/{target}")
        elif line.startswith("sql select"):
            pass  # what it showed the one who looked
        elif line.startswith("sql "):
            database.query(line[4:])
        elif line != "rows":
            want = next(exits)
            before = database.fingerprint()
            result = run.command(line)
            if result is None:
                continue
            if (result.code != 0) != (want != 0):
                assert name.split("-")[0] in DIFFERENCES, f"step {number}, {line}: {result}"
            if result.code != 0:
                is_sound(result)
                if result.code in (3, 78):
                    assert database.fingerprint() == before, f"refused, and yet something changed: {result}"
