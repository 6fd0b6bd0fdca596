"""The splitter against an implementation that was checked with the real one over 40,000 inputs: corpus/liquibase/check/lbsplit.py.

PGMIGRATED_TEST_SPLITS   how many inputs; default 4000
PGMIGRATED_TEST_SEED     what they are made from; default: the time"""
import os
import random
import sys
import time

from harness import liquibase
from harness.liquibase_probe import ask

sys.path.insert(0, f"{liquibase.CORPUS}/check")
import lbsplit  # noqa: E402

WORDS = ["select 1", "'a''b'", "'x\\'", '"q"', "$$", "$b$", "BEGIN", "END", "begin transaction", "end tran", ";", ";\n", "\n/\n", "\nGO\n",
         "go", "/", "--c\n", "-- c 'x\n", "/* c */", "/* un", "*/", "[a b]", "`z", "a . b", "1.5e3", "x.y", "é", "\U0001f600", "\u00a0",
         "\t", "\n", " ", "\n\n", "'", '"', "\\", "//", "@@", "$", "#", "declare x int;", "if;", "E'a\\n'", "_utf8'x'", "\r\n", "{d '1'}", "?",
         "if x then y; end if;", "case when a then b end", "0x1f", "1..2", "a.\nb", '"a"."b"', "{{", "\ufeff"]
DELIMITERS = [None, None, None, ";", "/", "//", "$$", "GO", "@@", "\\n/\\s*\\n\\s*|\\n/$", "\n/$", "a", "--", "?", "\\s*;;", "END;"]


def make(rng):
    text = "".join(rng.choice(WORDS) + rng.choice(["", "", " ", "\n"]) for _ in range(rng.randint(0, 25)))
    return {"do": "split", "sql": text, "strip": rng.random() < 0.5, "split": rng.random() < 0.8, "delimiter": rng.choice(DELIMITERS)}


def expected(case):
    try:
        pieces = lbsplit.split(case["sql"].replace("\r", ""), case["strip"], case["split"], case["delimiter"])
    except ValueError:  # a character that is no token
        return None
    return [p.encode("utf-16", "surrogatepass").decode("utf-16") for p in pieces]


def test_splits_as_liquibase_does(binary):
    seed = int(os.environ.get("PGMIGRATED_TEST_SEED", time.time()))
    print(f"PGMIGRATED_TEST_SEED={seed}")
    rng = random.Random(seed)
    cases = [make(rng) for _ in range(int(os.environ.get("PGMIGRATED_TEST_SPLITS", 4000)))]
    for case, answer in zip(cases, ask(binary, cases)):
        want = expected(case)
        assert ("error" in answer) if want is None else (answer == want), f"{case}: {want}, not {answer}"
