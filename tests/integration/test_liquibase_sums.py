"""Checksums, descriptions and identities against the rows that the real Liquibase wrote: the corpus, both of its versions."""
import collections
import importlib.util
import os
import random
import shutil
import sys

import pytest

from harness import liquibase
from harness.liquibase_changesets import Changelogs
from harness.liquibase_probe import ask

# What the rows of 4.4 have that neither 4.28 nor we compute (facts: liquibase.md 4.7, 4.8): case -> why.
OLD_DIFFERENCES = {
    "035": "4.4 expands properties by a simple expression: no nesting, no trimming",
    "033": "4.4 stores ./ in paths of YAML and JSON as they are",
    "141": "4.4 keeps the quotes of a quoted author",
    "014b": "4.4 does not know deleteCascade",
    "043": "4.4 has the context of modifySql under another name",
}
# Checksums of 4.28 that it does not compute again itself: case and id -> why.
UNSTABLE = {("048b", "3"): "valueSequenceNext with schemaName: executing it changes what the checksum is computed of"}
FILES = (("rows.4.28.json", 9), ("rows.4.4.json", 8), ("rows.4.4-then-4.28.json", 9))
# 4.4 describes less, and knows no labels of includes: of its rows the checksums are what counts.
COMPARED = {"rows.4.28.json": ("md5sum", "description", "comments", "contexts", "labels", "tag")}


def prepared(case, workdir):
    """The changelog's folder; of a case in two steps as it is in the second."""
    if not case.step2:
        return case.path
    folder = f"{workdir}/{case.name}"
    if not os.path.exists(folder):
        shutil.copytree(case.path, folder)
        shutil.copy(f"{folder}/{case.step2}", f"{folder}/{case.root}")
    return folder


@pytest.mark.parametrize("name,version", FILES)
def test_rows(name, version, binary, workdir):
    cases = [c for c in liquibase.cases() if c.rows(name)]
    answers = ask(binary, [{"do": "sums", "root": prepared(c, workdir), "file": f"{prepared(c, workdir)}/{c.root}",
                            "contexts": c.options.get("contexts", ""), "labels": c.options.get("labels", ""),
                            "version": version} for c in cases])
    rate, wrong = collections.Counter(), []
    for case, answer in zip(cases, answers):
        assert isinstance(answer, list), f"{case.name}: {answer}"
        ours = {(r["filename"], r["id"], r["author"]): r for r in answer}
        for row in case.rows(name):
            number = case.name.split("-")[0]
            if name != "rows.4.28.json" and number in OLD_DIFFERENCES or (number, row["id"]) in UNSTABLE:
                continue
            mine = ours.get((row["filename"], row["id"], row["author"]))
            if mine and mine["filtered"] and row["md5sum"].startswith("8:"):
                continue  # what is filtered out keeps the checksum that it has
            different = [f"{f}: {row[f]!r}, not {mine[f]!r}" for f in COMPARED.get(name, ("md5sum",)) if row[f] != mine[f]] if mine else ["not there"]
            if row["tag"] and mine and not mine["tag"]:
                different = [d for d in different if not d.startswith("tag:")]
            for kind in {*(mine["kinds"] if mine else ()), "all"}:
                rate[kind, not different] += 1
            if different:
                wrong.append(f"{case.name} {row['filename']}::{row['id']}::{row['author']}: {'; '.join(different)}")
    for kind in sorted({k for k, _ in rate}):
        print(f"{name} {kind:32} {rate[kind, True]}/{rate[kind, True] + rate[kind, False]}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def lbsum():
    """The model of checksums that was fitted to the real Liquibase: a script, which does nothing when it is not asked for anything."""
    pytest.importorskip("yaml")
    before = sys.argv
    sys.argv = ["lbsum.py", "nothing"]
    try:
        spec = importlib.util.spec_from_file_location("lbsum", f"{liquibase.CORPUS}/check/lbsum.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.argv = before
    module.limit = limit
    return module


def limit(text, units):
    """Java counts UTF-16, the script characters. Half a character is not stored."""
    encoded = text.encode("utf-16-le")
    return text if len(encoded) <= 2 * units else encoded[:2 * (units - 3)].decode("utf-16-le", "ignore") + "..."


def expected(lbsum, folder, contexts):
    """The rows by the model: v8, v9, DESCRIPTION and COMMENTS."""
    loader = lbsum.Loader(folder, contexts)
    loader.load("changelog.xml")
    return {x.id: {8: lbsum.cs_sum(x, 8, contexts), 9: lbsum.cs_sum(x, 9, contexts), "description": lbsum.describe(x),
                   "comments": limit(lbsum.trim(x.comments or ""), 250), "filename": x.path,
                   "changes": [(c.name, getattr(c, "inter", "")) for c in x.changes], "joined": x.inter} for x in loader.sets}


def test_generated(binary, workdir, lbsum):
    """PGMIGRATED_TEST_SUMS changesets (2,000) that nobody thought of, made from PGMIGRATED_TEST_SEED (1)."""
    seed = os.environ.get("PGMIGRATED_TEST_SEED", "1")
    folders = max(1, int(os.environ.get("PGMIGRATED_TEST_SUMS", "2000")) // 80)
    print(f"PGMIGRATED_TEST_SEED={seed}")
    made, requests, wrong = Changelogs(random.Random(seed), lbsum.PARAMS), [], []
    for n in range(folders):
        folder = f"{workdir}/generated{n}"
        made.write(folder, 20)
        requests += [{"do": "sums", "root": folder, "file": f"{folder}/changelog.xml", "contexts": "test" if n % 2 else "", "labels": "",
                      "version": version} for version in (8, 9)]
    answers = ask(binary, requests)
    for request, answer in zip(requests, answers):
        assert isinstance(answer, list), f"seed {seed}: {answer}"
        theirs, version = expected(lbsum, request["root"], request["contexts"].split()), request["version"]
        ours = {r["id"]: r for r in answer}
        for key, row in theirs.items():
            mine = ours[key]
            pairs = [(mine["md5sum"], row[version])] + [(mine[f], row[f]) for f in ("description", "comments", "filename")]
            wrong += [f"{mine['filename']}::{key} v{version}: {a!r}, not {b!r}: {row['changes']} {row['joined']}" for a, b in pairs if a != b]
    assert not wrong, f"seed {seed}: {len(wrong)} differ\n" + "\n".join(wrong[:10])
