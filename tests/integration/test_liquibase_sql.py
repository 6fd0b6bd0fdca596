"""Every statement that the real Liquibase printed for the corpus (update-sql, rollback-sql) is the one generated here, byte by byte."""
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

# What is not generated as it was printed: (case, "update" or "rollback", changeset) -> why.
EXCEPTIONS = {}

FOREIGN_KEY = re.compile(
    r", CONSTRAINT \S+ FOREIGN KEY \([^)]*\) REFERENCES [^(]*\([^)]*\)"
    r"(?: ON DELETE CASCADE| INITIALLY DEFERRED| DEFERRABLE)*")


@pytest.fixture(scope="session")
def program(binary):
    path = os.path.join(os.path.dirname(binary), "liquibase_sql")
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not built: make check_PROGRAMS")
    return path


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
        body = re.sub(r"(?m)^(?:INSERT INTO|UPDATE|DELETE FROM) public\.databasechangelog .*;$", "", body)
        body = re.sub(r"\A(?:--.*\n)*", "", body)  # the changeset's comments
        body = re.sub(r"(?m)^-- WARNING The following SQL may change each run .*\n", "", body)
        found[key] = (body, error and error.group(1))
    return found


def printed(statements):
    """As Liquibase prints them."""
    return "\n\n".join(s if s.endswith(";") else f"{s};" for s in statements)


def squeezed(text):
    return re.sub(r"\n{2,}", "\n\n", text).strip("\n")


def generate(program, case, folder, kind):
    options = [f"{ {'label-filter': 'labels'}.get(name, name) }={value}" for name, value in case.options.items()]
    done = subprocess.run([program, *(["--rollback"] if kind == "rollback" else []), f"{folder}/{case.root}", *options],
                          capture_output=True, text=True, timeout=60, check=True)
    return {f"{s['path']}::{s['id']}::{s['author']}": s for s in json.loads(done.stdout)}


def differences(case, kind, program, workdir, rates):
    """[(changeset, generated, recorded)] of a case, counting into rates: type -> [equal, all]."""
    folder = f"{workdir}/{case.name}-{kind}"
    shutil.copytree(case.path, folder)
    if kind == "rollback" and case.step2:
        shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
    have = generate(program, case, folder, kind)
    found = []
    for key, (text, error) in recorded(case.read(RECORDS[kind]) or "", HEADS[kind]).items():
        mine = have.get(key, {"statements": [], "types": ["missing"], "error": "is not in the changelog"})
        if error:
            equal = error in mine.get("error", "")
        else:
            ours, theirs = printed(mine["statements"]), text
            equal = "error" not in mine and squeezed("\n\n".join(
                canonical(s) for s in ours.split("\n\n"))) == squeezed("\n\n".join(
                    canonical(s) for s in squeezed(theirs).split("\n\n")))
        for name in set(mine["types"]):
            rates[name][0] += equal
            rates[name][1] += 1
        if not equal:
            found.append((key, f"{printed(mine['statements'])} {mine.get('error', '')}".strip(), error or squeezed(text)))
    return found


@pytest.mark.parametrize("kind", HEADS)
def test_text_is_that_of_liquibase(kind, program, workdir, capsys):
    rates = collections.defaultdict(lambda: [0, 0])
    odd, known = [], set()
    for case in CASES.values():
        for key, mine, theirs in differences(case, kind, program, workdir, rates):
            if (case.name, kind, key) in EXCEPTIONS:
                known.add((case.name, kind, key))
            else:
                odd.append(f"{case.name} {key}\n  generated: {mine}\n  recorded:  {theirs}")
    with capsys.disabled():
        equal, total = (sum(column) for column in zip(*rates.values()))
        print(f"\n{kind}: {equal} of {total} equal by type; but for {len(known)} exceptions")
        for name, (good, n) in sorted(rates.items()):
            print(f"  {name}: {good} of {n}")
    assert not odd, "\n".join(odd)
    assert known == {e for e in EXCEPTIONS if e[1] == kind}, "an exception that is none any more"
