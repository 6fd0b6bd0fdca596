"""Every statement that the real Liquibase printed for the corpus (update-sql, rollback-sql) is generated here, byte by byte."""
import collections
import json
import os
import re
import shutil
import subprocess

import pytest

from harness import liquibase

CASES = {case.name: case for case in liquibase.cases()}
HEADS = {"update": "-- Changeset ", "rollback": "-- Rolling Back ChangeSet: "}
RECORDS = {"update": "update-sql.4.28.sql", "rollback": "rollback-sql.4.28.sql"}

PREPARED = "Liquibase does not print statements with parameters; here the values are in the statement"
NEEDS_DATABASE = "Liquibase asks the database, which update-sql leaves empty; here the server is asked as the statement runs"
PROGRAM = "executeCommand is refused: a daemon runs no programs"
NOT_RUN = "a precondition, which this program does not check, leaves the changeset out"
# What is not generated as it was printed: (case, "update" or "rollback", changeset) -> why.
EXCEPTIONS = {
    ("002b-xml-createTable-types-more", "update", "changelog.xml::36::ann"):
        "timestamp(9): an error in both, which failOnError=false hides in update-sql",
    ("004b-xml-createTable-defaults-invalid", "update", "changelog.xml::d4::ann"):
        "boolean default \"yes\": an error in both, which failOnError=false hides in update-sql",
    ("014-xml-foreignKey", "update", "changelog.xml::6::ann"): NEEDS_DATABASE,
    ("122-json-more", "update", "changelog.json::5::jay"): NEEDS_DATABASE,
    ("022-xml-insert", "update", "changelog.xml::6::ann"): PREPARED,
    ("022b-xml-insert-odd", "update", "changelog.xml::8::ann"): PREPARED,
    ("053-xml-loadData-types", "update", "changelog.xml::2::ann"): PREPARED,
    ("053-xml-loadData-types", "update", "changelog.xml::3::ann"): PREPARED,
    ("053-xml-loadData-types", "update", "changelog.xml::4::ann"): PREPARED,
    ("053-xml-loadData-types", "update", "changelog.xml::5::ann"): PREPARED,
    ("053-xml-loadData-types", "update", "changelog.xml::1::ann"):
        "NOW in a CSV file: the time at which Liquibase ran; here the server's",
    ("032-xml-executeCommand", "update", "changelog.xml::1::ann"): PROGRAM,
    ("032-xml-executeCommand", "update", "changelog.xml::2::ann"): PROGRAM,
    ("032-xml-executeCommand", "update", "changelog.xml::3::ann"): PROGRAM,
    ("104-yaml-alltypes", "update", "changelog.yaml::1::yan"): PROGRAM,
    ("036-xml-preconditions", "update", "changelog.xml::11::ann"): NOT_RUN,
    ("145-sql-preconditions-428", "update", "changelog.sql::3::sam"): NOT_RUN,
    ("052-xml-modifyChangeSets", "update", "m.sql::m1::ann"):
        "the delimiter of modifyChangeSets: Liquibase splits at semicolons all the same; here it is sent as one text",
    ("025-xml-loadUpdateData", "rollback", "changelog.xml::1::ann"):
        "the types of the columns come from the database, which this program does not have",
}

FOREIGN_KEY = re.compile(
    r", CONSTRAINT \S+ FOREIGN KEY \([^)]*\) REFERENCES [^(]*\([^)]*\)"
    r"(?: ON DELETE CASCADE| INITIALLY DEFERRED| DEFERRABLE)*")


@pytest.fixture(scope="session")
def program(binary):
    """tests/tools/liquibase_sql.c, which is built with the unit tests, or now."""
    folder = os.path.dirname(binary)
    if not os.path.exists(f"{folder}/Makefile"):
        pytest.skip(f"{folder} is no build tree, so that liquibase_sql is not there")
    subprocess.run(["make", "-s", "-C", folder, "liquibase_sql"], check=True, timeout=540)
    return f"{folder}/liquibase_sql"


def canonical(text):
    """Foreign keys of CREATE TABLE sorted: their order in Liquibase is that of a hash table."""
    keys = FOREIGN_KEY.findall(text) if text.startswith("CREATE ") else []
    for key in keys:
        text = text.replace(key, "\0", 1)
    for key in sorted(keys):
        text = text.replace("\0", key, 1)
    return text


def recorded(text, head):
    """changeset -> (what was printed for it, the error that ended it or None)."""
    found = {}
    for part in re.split(rf"(?m)^(?={re.escape(head)})", text)[1:]:
        key, body = part[len(head):].split("\n", 1)
        error = re.search(r"^-- ERROR: Exception Primary Reason:  (.*)$", body, re.M)
        body = re.split(r"(?m)^-- (?:Release Database Lock|exit code)", body)[0]
        body = re.sub(r"(?m)^SET SEARCH_PATH TO .*;$", "", body)
        body = re.sub(r"(?ms)^INSERT INTO public\.databasechangelog .*?'<deployment>'(?:, '[^']*')?\);$", "", body)
        body = re.sub(r"(?ms)^(?:UPDATE|DELETE FROM) public\.databasechangelog .*?;$", "", body)
        body = re.sub(r"\A(?:--.*\n)*", "", body)  # the changeset's comments
        body = re.sub(r"(?m)^-- WARNING The following SQL may change each run .*\n", "", body)
        found[key] = (body, error and error.group(1))
    return found


def delimiters(folder):
    """What statements may end with in the changelogs of a folder: Liquibase prints the delimiter that they have there."""
    found = {";"}
    for top, _, names in os.walk(folder):
        for name in names:
            if re.search(r"\.(xml|ya?ml|json|sql)$", name) and ".4.28." not in name:
                with open(f"{top}/{name}", encoding="utf-8", errors="replace", newline="") as f:
                    found |= set(re.findall(r"""(?i)endDelimiter['"]?\s*[:=]\s*['"]?([^\s'",}]+)""", f.read()))
    return {d.removeprefix("\\n") for d in found}


def is_printed(statements, text, ends):
    """Whether text is the statements in order, each with one of the ends, and nothing but space between them."""
    text = text.strip("\n")
    for statement in statements:
        statement = re.sub(r"\s*;\Z", "", re.sub(r"(?m)\r$", "", statement))  # as printed, and as recorded
        line = text.split("\n", 1)[0]
        if statement.startswith("CREATE ") and canonical(line) == canonical(f"{statement};"):
            text = text[len(line):].lstrip("\n")
            continue
        if not text.startswith(statement):
            return False
        text = text[len(statement):].lstrip("\n")
        end = next((e for e in sorted(ends, key=len, reverse=True) if text.startswith(e)), None)
        if end is None:
            return False
        text = text.removeprefix(end).lstrip("\n")
    return not text.strip()


def generate(program, case, folder, kind):
    options = [f"{ {'label-filter': 'labels'}.get(name, name) }={value}" for name, value in case.options.items()]
    done = subprocess.run([program, *(["--rollback"] if kind == "rollback" else []), f"{folder}/{case.root}", *options],
                          capture_output=True, encoding="utf-8", timeout=60, check=True)
    return {f"{s['path']}::{s['id']}::{s['author']}": s for s in json.loads(done.stdout)}


def differences(case, kind, program, workdir, rates):
    """[(changeset, generated statements, error, recorded)] of a case, counting into rates: type -> [equal, all]."""
    folder = f"{workdir}/{case.name}-{kind}"
    shutil.copytree(case.path, folder)
    if kind == "rollback" and case.step2:
        shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
    have, ends = generate(program, case, folder, kind), delimiters(folder)
    found = []
    for key, (text, error) in recorded(case.read(RECORDS[kind]) or "", HEADS[kind]).items():
        mine = have.get(key, {"statements": [], "types": ["missing"], "error": "is not in the changelog"})
        if error:
            equal = error in mine.get("error", "")
        else:
            equal = "error" not in mine and is_printed(mine["statements"], text, ends)
        for name in set(mine["types"]):
            rates[name][0] += equal
            rates[name][1] += 1
        if not equal:
            found.append((key, mine["statements"], mine.get("error"), error or text.strip()))
    return found


@pytest.mark.parametrize("kind", HEADS)
def test_text_is_that_of_liquibase(kind, program, workdir, capsys):
    rates = collections.defaultdict(lambda: [0, 0])
    odd, known = [], set()
    for case in CASES.values():
        for key, mine, error, theirs in differences(case, kind, program, workdir, rates):
            if (case.name, kind, key) in EXCEPTIONS:
                known.add((case.name, kind, key))
            else:
                odd.append(f"{case.name} {key}\n  generated: {mine} {error or ''}\n  recorded:  {theirs!r}")
    with capsys.disabled():
        equal, total = (sum(column) for column in zip(*rates.values()))
        print(f"\n{kind}: {equal} of {total} equal by type; but for {len(known)} exceptions")
        for name, (good, n) in sorted(rates.items()):
            print(f"  {name}: {good} of {n}")
    assert not odd, "\n".join(odd)
    assert known == {e for e in EXCEPTIONS if e[1] == kind}, "an exception that is none any more"
