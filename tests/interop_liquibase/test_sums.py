"""Random changelogs: identities, checksums of both versions, descriptions and comments as the real Liquibase computes them.

PGMIGRATED_TEST_CHANGESETS   about how many; default 2000 (a night's worth: 50000)
PGMIGRATED_TEST_SEED         what they are made from; default: the time
PGMIGRATED_TEST_CHANGELOG    only the changelog of that number"""
import base64
import glob
import os
import random
import subprocess
import time

import pytest

from changelogs import Changelog
from harness.liquibase_probe import ask

PER_CHANGELOG = 20
BLANK = "".join(map(chr, range(33)))
# Corners of the shapes that random texts take too seldom: a name -> a changelog's items.
COLUMN = """- changeSet: {{id: "{0}", author: a, changes: [{{insert: {{tableName: t, columns: [{{column: {{name: a, {1}}}}}]}}}}]}}"""
SCALARS = ("-.5 +.5 .5 -.5e1 ._5 -._5e1 1. 1.e3 1e3 +1e3 1_0.5 1.5e 1:30 1:30.5 -1:30:30.25 1:60.5 01:30 017 -017 08 0x1F -0b11 0_ 1__2 ~ Null nUll "
           "yes y on TRUE tRUE .inf -.INF .nan 2020-01-02 2020-1-2 0.00001 12345678.9 100000000.0 4.9e-324 123456789012345678901234567890").split()
TIMES = ["2020-01-02 03:04:05", "2020-01-02T03:04:05.25Z", "2020-01-02T03:04:05.25+02:00", "2020-1-2 3:04:05", "2020-01-02 25:61:61",
         "2020-01-02 03:04:05 -5"]
DATES = [f"2020-01-02T03:04:05.{f}" for f in ("1", "0123456789", "1234567891", "99999999999", "+5", "-5", "Z", "5+02", "5+02:00:00", "5+18:01",
                                               "5+0200", "5x", "123456789Z", "1234567890Z", "")] + [
    "2020-02-30T03:04:05.5", "2020-02-30T03:04:05.5Z", "2020-1-002T03:04:05.5Z", "2020-01-02 03:04:05.5", "2020-01-02 03:04:05.5Z", "null"]
CORNERS = [("value", s) for s in SCALARS + TIMES] + [("valueDate", s) for s in TIMES + ["2020-01-02"]] + [("valueDate", f'"{d}"') for d in DATES]
VISITORS = ["dbms='postgresql,'", "dbms='a,,postgresql,,'", f"dbms='{','.join('abcdefghijkl')},postgresql,h2'",
            f"dbms='{','.join('abcdefghijklmnopqrstuvwxyz')},postgresql,h2'", "dbms='a,b,c,d,e,f,g,h,i,postgresql,h2, oracle'",
            "labels='\u00c9t\u00c9,\u0130,\u03a3A\u03a3,\u1e9e'"]


@pytest.fixture(scope="module")
def summer(liquibase_home, classes):
    def answer(logs):
        jars = ":".join([classes, *glob.glob(f"{liquibase_home}/internal/lib/*.jar")])
        done = subprocess.run(["java", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-Duser.timezone=UTC",
                               "-Dliquibase.validateXmlChangelogFiles=false", "-cp", jars, "SumChangelogs"],
                              input="".join(f"{folder}\t{file}\t{contexts}\n" for folder, file, contexts in logs), capture_output=True, text=True,
                              env={**os.environ, "TZ": "UTC"}, check=True)
        lines = [[base64.b64decode(w[1:]).decode("utf-8", "replace") for w in line.split(" ")] for line in done.stdout.splitlines()]
        assert len(lines) == len(logs)
        return lines
    return answer


def limit(text, units):
    """Java counts UTF-16; half a character is not stored."""
    encoded = text.encode("utf-16-le")
    return text if len(encoded) <= 2 * units else encoded[:2 * (units - 3)].decode("utf-16-le", "ignore") + "..."


def compare(binary, summer, logs, name):
    """How many changesets of the logs, each (folder, file, contexts), were compared."""
    requests = [{"do": "sums", "root": folder, "file": f"{folder}/{file}", "contexts": contexts, "labels": "", "version": version}
                for folder, file, contexts in logs for version in (9, 8)]
    answers, compared = ask(binary, requests), 0
    for i, words in enumerate(summer(logs)):
        assert len(words) > 1, f"{name(i)}: Liquibase says {words}"
        theirs = [words[k:k + 6] for k in range(0, len(words), 6)]
        for version in (0, 1):
            ours = answers[2 * i + version]
            assert isinstance(ours, list), f"{name(i)}: we say {ours}"
            assert len(ours) == len(theirs) // 2, name(i)
            for mine, (path, key, author, md5, description, comments) in zip(ours, theirs[version::2]):
                want = (path, key, author, md5, limit(description, 250), limit(comments.strip(BLANK), 250))
                got = tuple(mine[f] for f in ("filename", "id", "author", "md5sum", "description", "comments"))
                assert got == want, f"{name(i)}, version {9 - version}, {mine['kinds']}: {got}, not {want}"
            compared += len(ours)
    return compared


def test_random_changelogs(binary, workdir, summer):
    seed, only = int(os.environ.get("PGMIGRATED_TEST_SEED", time.time())), os.environ.get("PGMIGRATED_TEST_CHANGELOG")
    n = max(int(os.environ.get("PGMIGRATED_TEST_CHANGESETS", 2000)) // PER_CHANGELOG, 1)
    logs = {i: Changelog(random.Random(f"{seed}/{i}"), f"{workdir}/{i}", PER_CHANGELOG) for i in ([int(only)] if only else range(n))}
    names = [f"PGMIGRATED_TEST_SEED={seed} PGMIGRATED_TEST_CHANGELOG={i} ({log.kind})" for i, log in logs.items()]
    compared = compare(binary, summer, [(log.folder, log.root, log.contexts) for log in logs.values()], names.__getitem__)
    print(f"PGMIGRATED_TEST_SEED={seed}: {compared} sums compared")
    assert compared > len(logs) * PER_CHANGELOG


def test_corners(binary, workdir, summer):
    with open(f"{workdir}/c.yaml", "w", encoding="utf-8") as f:
        f.write("databaseChangeLog:\n" + "".join(COLUMN.format(i, f"{name}: {value}") + "\n" for i, (name, value) in enumerate(CORNERS)))
    with open(f"{workdir}/v.xml", "w", encoding="utf-8") as f:
        f.write("<databaseChangeLog xmlns='http://www.liquibase.org/xml/ns/dbchangelog'>" + "".join(
            f"<changeSet id='{i}' author='a'><dropTable tableName='t'/><modifySql {about}><append value='x'/></modifySql></changeSet>"
            for i, about in enumerate(VISITORS)) + "</databaseChangeLog>")
    with open(f"{workdir}/bad.sql", "wb") as f:
        f.write(b"a\xff\xc3 b\xe2\x82 c\xed\xa0\x80 d\xf0\x9f\x98 e\xf4\x90\x80\x80 f\xc0\xaf g\xf8\x88\x80\x80\x80 h\xe0\x80\x80 "
                b"i\xed\xa0\xbd\xed\xb8\x80 j\xf0\x9f")
    subprocess.run(["gzip", "-n"], input=b"#c\na,b\n1,2\n\n", stdout=open(f"{workdir}/d.csv.gz", "wb"), check=True)
    with open(f"{workdir}/f.yaml", "w", encoding="utf-8") as f:
        f.write('databaseChangeLog:\n- changeSet: {id: 1, author: a, changes: [{createView: {viewName: v, path: bad.sql}}]}\n'
                '- changeSet: {id: 2, author: a, changes: [{loadData: {tableName: v, file: d.csv.gz}}]}\n')
    files = ["c.yaml", "v.xml", "f.yaml"]
    assert compare(binary, summer, [(workdir, file, "") for file in files], files.__getitem__) == 2 * (len(CORNERS) + len(VISITORS) + 2)
