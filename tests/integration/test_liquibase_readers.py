"""Trees of changelogs in XML, YAML and JSON against those that the check script of the corpus reads: every file of it."""
import glob
import importlib.util
import os

import pytest

from harness.liquibase import CORPUS
from harness.liquibase_probe import ask

pytest.importorskip("yaml")
# What a check script without limits reads, and we refuse: folder of the corpus -> part of our error.
REFUSED = {
    "01-xml-not-wellformed": "mismatched tag",
    "21-json-syntax": "did not find expected",
    "24-empty-xml": "no element found",
    "20-yaml-not-a-list": "is no list",
    "33-xxe": "external entity",
    "33b-xxe-local": "external entity",
    "34-billion-laughs": "entities",
    "90-yaml-tags": "tags of other types",
    "91-yaml-multi-doc": "more than one document",
}


def load_script():
    spec = importlib.util.spec_from_file_location("lbsum", f"{CORPUS}/check/lbsum.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files():
    found = (f for kind in ("xml", "yaml", "yml", "json") for f in glob.glob(f"{CORPUS}/**/*.{kind}", recursive=True))
    return sorted(os.path.relpath(f, CORPUS) for f in found if not os.path.basename(f).startswith(("rows.", "history.")))


def is_changelog(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return "databaseChangeLog" in f.read()


def read(script, path):
    import yaml  # pylint: disable=import-outside-toplevel
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".xml"):
        return script.parse_xml(data)
    root = script.Node("databaseChangeLog")
    script.setval(root, yaml.load(script.read_text(data), script.L)["databaseChangeLog"])
    return root


def plain(script, node):
    """What the script has, in the probe's form: without types that only one side has."""
    value, values = node.value, []
    if isinstance(value, list):
        value, values = None, ["" if v is None else script.jstr(v) for v in value]
    kind = ("list" if values else "none" if value is None else "date" if isinstance(value, script.JDate) else
            "text" if isinstance(value, str) else "other")
    return {"name": node.name, "type": kind, "value": None if value is None else script.jstr(value), "values": values,
            "children": [plain(script, k) for k in node.kids]}


def without_iso(tree):
    return {**{k: v for k, v in tree.items() if k != "iso"}, "children": [without_iso(c) for c in tree["children"]]}


def test_trees(binary):
    script = load_script()
    paths = [p for p in files() if is_changelog(f"{CORPUS}/{p}")]
    assert len(paths) > 250
    compared = 0
    for path, answer in zip(paths, ask(binary, [{"do": "tree", "file": f"{CORPUS}/{p}"} for p in paths])):
        folder = path.split(os.sep)[1]
        if "error" in answer:
            assert REFUSED.get(folder, "that it is read") in answer["error"], f"{path}: {answer}"
            continue
        assert without_iso(answer) == plain(script, read(script, f"{CORPUS}/{path}")), path
        compared += 1
    assert compared > 240


@pytest.mark.parametrize("folder", sorted(REFUSED))
def test_refused(folder, binary):
    paths = sorted(p for kind in ("xml", "yaml", "json") for p in glob.glob(f"{CORPUS}/errors/{folder}/changelog.{kind}"))
    assert paths
    for path, answer in zip(paths, ask(binary, [{"do": "tree", "file": p} for p in paths])):
        assert REFUSED[folder] in answer.get("error", ""), answer
        assert answer["file"] == path and answer["line"] > 0
