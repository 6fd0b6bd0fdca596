"""Checksums, descriptions and identities against the rows that the real Liquibase wrote: the corpus, both of its versions."""
import collections
import os
import shutil

import pytest

from harness import liquibase
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
