"""The splitter against an implementation that was checked with the real one over 40,000 inputs: corpus/liquibase/check/lbsplit.py.

PGMIGRATED_TEST_SPLITS   how many inputs; default 4000
PGMIGRATED_TEST_SEED     what they are made from; default: 1, so that every run of the suite is the same"""
import os
import random
import sys

from harness import liquibase
from harness.liquibase_probe import ask

sys.path.insert(0, f"{liquibase.CORPUS}/check")
import lbsplit  # noqa: E402

WORDS = ["select 1", "'a''b'", "'x\\'", '"q"', "$$", "$b$", "BEGIN", "END", "begin transaction", "end tran", ";", ";\n", "\n/\n", "\nGO\n",
         "go", "/", "--c\n", "-- c 'x\n", "/* c */", "/* un", "*/", "[a b]", "`z", "a . b", "1.5e3", "x.y", "é", "\U0001f600", "\u00a0",
         "\t", "\n", " ", "\n\n", "'", '"', "\\", "//", "@@", "$", "#", "declare x int;", "if;", "E'a\\n'", "_utf8'x'", "\r\n", "{d '1'}", "?",
         "if x then y; end if;", "case when a then b end", "0x1f", "1..2", "a.\nb", '"a"."b"', "{{", "\ufeff"]
# What is rare, at the edges of tokens.
ODD_WORDS = ["[\nx]", "[]", "[1]", "[é]", "``", '""', "[a\n", "`b`.`c`", "a.[b].\"c\"", "a\n.\n\nb", "a\t.b", "1e", "1e+", "1.e5", ".5", ".", "..", "/**/",
             "/***/", "/* * / **/", "/*/", "--", "--\r", "\r", "\r\r\n", "\u0085", "\u200d", "\u2028", "\u3000", "\u00bf", "\u00d7", "\uff65", "\uff66",
             "\ufffd", "\x01", "\f", "\v", "$1$ ; $1$", "DO $$", "rb'x'", "U&'x'", "n\"y\"", "_UTF8\"z", "b'\\'", "'\\\\'", "''''", "'\\''", "\"\\\"",
             "BEGIN;", "begin --c\ntran", "begin/**/dialog", "END;", "end\n;", "ENDE", "go;", "/;", "\n/", "\n/ \n", "\nGo", " /\n", "$$;", ";;", "@", "STOP",
             "stop", "a#b@c", "_", "\u0130", "\u00df", "null;;", "x" * 200]
# Spaces of an expression are those of ASCII for Java, but not for the check script: none of these finds others.
DELIMITERS = [None, None, None, ";", "/", "//", "$$", "GO", "@@", "\\n/\\s*\\n\\s*|\\n/$", "\n/$", "a", "--", "?", "\\s*;;", "END;", "'", "STOP", "é",
              "éa", ";|go", "[;@]+", "a.b", "\\n[ \\n]*go", "\\$\\$", "\"q\"", "(?:;)", "select 1"]


def make(rng):
    words = WORDS if rng.random() < 0.6 else WORDS + ODD_WORDS
    text = "".join(rng.choice(words) + rng.choice(["", "", " ", "\n"]) for _ in range(rng.randint(0, 25)))
    if rng.random() < 0.1:  # cut anywhere
        text = text[rng.randint(0, len(text)):]
    delimiter = rng.choice(DELIMITERS)
    if delimiter and rng.random() < 0.3:
        text += delimiter
    return {"do": "split", "sql": text, "strip": rng.random() < 0.5, "split": rng.random() < 0.8, "delimiter": delimiter}


def expected(case):
    try:
        pieces = lbsplit.split(case["sql"].replace("\r", ""), case["strip"], case["split"], case["delimiter"])
    except ValueError:  # a character that is no token
        return None
    return [p.encode("utf-16", "surrogatepass").decode("utf-16") for p in pieces]


def test_splits_as_liquibase_does(binary):
    seed = int(os.environ.get("PGMIGRATED_TEST_SEED", 1))
    print(f"PGMIGRATED_TEST_SEED={seed}")
    rng = random.Random(seed)
    cases = [make(rng) for _ in range(int(os.environ.get("PGMIGRATED_TEST_SPLITS", 4000)))]
    for case, answer in zip(cases, ask(binary, cases)):
        want = expected(case)
        assert ("error" in answer) if want is None else (answer == want), f"{case}: {want}, not {answer}"
