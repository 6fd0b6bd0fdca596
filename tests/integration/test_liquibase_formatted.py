"""Reading formatted SQL, on generated files: ids, texts and delimiters against corpus/liquibase/check/lbsum.py; everything, with the errors
and the line that each piece of text is from, against Liquibase's own expressions (facts: liquibase.md 2.2) applied one after the other.

PGMIGRATED_TEST_SPLITS   how many files; default 4000
PGMIGRATED_TEST_SEED     what they are made from; default: 1, so that every run of the suite is the same"""
import os
import random
import re
import sys

from harness import liquibase
from harness.liquibase_probe import ask

sys.path.insert(0, f"{liquibase.CORPUS}/check")
import lbsum  # noqa: E402

BLANK = "".join(map(chr, range(33)))  # what Java trims
HEADERS = ["--liquibase formatted sql", "-- Liquibase Formatted SQL", "--liquibaseformatted", " --  liquibase   formatted sql logicalFilePath:x/y.sql",
           "\n\t\n--liquibase formatted sql"]
NAMES = ["a", "b c", "é", '"x:y"', "a\"b", "1"]
IDS = ["1", "2-b", "é:2", '"3 4"', '"5', "6"]
ATTRIBUTES = ["splitStatements:false", "splitStatements:true", "stripComments:false", "stripComments:x", "endDelimiter:/", "endDelimiter:", 'endDelimiter:"//"',
              "rollbackEndDelimiter:@@", "rollbackSplitStatements:false", "ENDDELIMITER:GO", "context:a", 'contextFilter:"a or b"', "labels:l,m",
              'labels:"x y', "dbms:postgresql", "dbms:h2,!x y", "runOnChange:true", "logicalFilePath:other.sql", "failOnError:false", "fooLabels:z",
              "endDelimiter:\\n/\\s*", "runInTransaction:", "ignore:true"]
SETS = ["--changeset {a}:{i} {t}", "-- changeset {a}:{i} {t}", "  --ChangeSet  {a}:{i} {t}", "--changeset {a}:{i}{t}"]
SQL = ["select 1;", "  select 2", "", "", " \t", "/", "-- note", "--rollbackx", " --comment no", "'it'", "- x", "--", "/* c */", "é\U0001f600", "---- rollback",
       "/* liquibase rollback ", "-- liquibase formatted sql", "---", "--property", "--not a property:x y:z"]
OTHERS = ["--comment one", "--comment: two", "--COMMENT  three ", "--validCheckSum: 1:any", "--validCheckSum x", "--rollback drop table a;",
          " -- rollback b", "--rollback ", "--rollback empty", "--rollback not required", "--rollback changesetId:1 changesetAuthor:a",
          "/* liquibase rollback\nx\n  y */", "/*liquibaserollback\n*/", "/* liquibase rollback\n--\ta\n\nb\n*/  ", "--ignoreLines:start\nx\n--changeset q:q\n--ignoreLines:end",
          "--ignoreLines:2\nx\n--comment y", "--ignoreLines:1", "--ignoreLines:start", "--property name:p value:v", "--property name:p value:v dbms:h2 global:false",
          "--preconditions onFail:MARK_RAN onError:HALT", "--preconditions", "--precondition-sql-check expectedResult:0 select 0",
          "--precondition-sql-check '1 2' select 1", "--precondition-table-exists table:t schema:s", "--precondition-view-exists view:v"]
MISTAKES = ["--changeset a", "--changeset a: b", "-changeset a:b x", "--changeset ", "--changeset  :7", "-- comments: x", "-comment x", "-rollback x",
            "-preconditions x", "-precondition-x", "--precondition-x", "--precondition-no-such x", "-validCheckSum 3", "-ignoreLines:start", "--ignore:x",
            "--ignoreLines:nothing", "--property name:x", "---property x", "-property a:b c:d", "/* liquibase rollback\nx"]

# Facts 2.2, as they are there.
RULES = [("property", r"\s*--\s*property\s+(.*:.*)\s+(.*:.*).*"), ("error", r"\s*?[-]+\s*property\s.*"), ("ignore", r"--\s*ignoreLines:(\w+)"),
         ("error", r"-\s*?ignoreLines:(\w+).*$"), ("error", r"--\s*ignore:(\w+)"), ("set", r'\s*--\s*changeset\s+("[^"]+"|[^:]+):("[^"]+"|\S+).*'),
         ("error", r"-\s*changeset\s.*"), ("error", r"\s*--\s*changeset\s*.*$"), ("inside", ""), ("comment", r"--\s*comment:? (.*)"),
         ("error", r"-\s*comment:? (.*)"), ("error", r"--\s*comments:? (.*)"), ("sum", r"--\s*validCheckSum:? (.*)"), ("error", r"^-\s*validCheckSum(.*)$"),
         ("rollback", r"\s*--\s*rollback (.*)"), ("error", r"\s*-\s*rollback\s.*"), ("block", r"\s*/\*\s*liquibase\s*rollback\s*"),
         ("preconditions", r"\s*--\s*preconditions(.*)"), ("error", r"\s*-\s*preconditions\s.*"),
         ("precondition", r"\s*--\s*precondition-([a-zA-Z0-9-]+) (.*)"), ("error", r"\s*-\s*precondition(.*)"), ("error", r"\s*--\s*precondition-([a-zA-Z0-9-]+)")]
RULES = [(kind, re.compile(f"(?ais:{regex})")) for kind, regex in RULES]


class Refused(Exception):
    pass


def recognise(line, inside):
    for kind, regex in RULES:
        if kind == "inside" and not inside:
            return ("error", None) if re.fullmatch(r"(?i)--\s*comment:? (.*)", line) else ("text", None)
        match = kind != "inside" and regex.fullmatch(line)
        if match:
            return kind, match
    return "text", None


def piece(lines):
    """What is left of lines once trimmed, and the number of each; (None, []) when nothing is."""
    whole = "".join(text for text, _ in lines)
    start = len(whole) - len(whole.lstrip(BLANK))
    text = whole.strip(BLANK)
    numbers, fresh = [], True
    for part, number in lines:
        if part and fresh:
            numbers.append(number)
        fresh = part.endswith("\n") if part else fresh
    skipped = whole[:start].count("\n")
    return (text, numbers[skipped:skipped + text.count("\n") + 1]) if text else (None, [])


class Walk:
    """The changesets of a file, by the rules."""

    def __init__(self, text):
        self.lines = re.split(r"\r\n|\r|\n", text)
        if self.lines[-1] == "":
            self.lines.pop()
        self.at, self.sets, self.current = 0, [], None
        while self.at < len(self.lines) and not self.lines[self.at].strip(BLANK):
            self.at += 1
        self.at += 1
        while self.at < len(self.lines):
            line, self.at = self.lines[self.at], self.at + 1
            kind, match = recognise(line, self.current is not None)
            if kind == "error":
                raise Refused(self.at)
            getattr(self, f"on_{kind}")(line, match)
        self.close(True)

    def on_property(self, line, match):
        pass

    def on_ignore(self, line, match):
        if match[1].lower() == "start":
            while self.at < len(self.lines):
                end = re.fullmatch(r"(?i)--\s*ignoreLines:(\w+)", self.lines[self.at])
                self.at += 1
                if end and end[1].lower() == "end":
                    break
        elif match[1].isdigit():
            self.at += int(match[1])
        else:
            raise Refused(self.at)

    def on_set(self, line, match):
        self.close(False)
        self.current = {"author": match[1], "id": match[2], "line": self.at, "body": [], "rollback": [], "comment": None, "sums": [], "conditions": []}
        for key in ("author", "id"):
            name = self.current[key]
            if len(name) > 1 and name[0] == name[-1] == '"':
                self.current[key] = name[1:-1]

    def on_comment(self, line, match):
        self.current["comment"] = match[1]

    def on_sum(self, line, match):
        self.current["sums"].append(match[1])

    def on_rollback(self, line, match):
        self.current["rollback"].append((match[1] + "\n", self.at))

    def on_block(self, line, match):
        start = self.at
        while self.at < len(self.lines):
            end = re.fullmatch(r"(?as:(.*)\s*\*/\s*)", self.lines[self.at])
            self.at += 1
            self.current["rollback"].append((end[1] + "\n" if end else self.lines[self.at - 1], self.at))
            if end:
                return
        raise Refused(start)

    def on_preconditions(self, line, match):
        self.current["conditions"] = []

    def on_precondition(self, line, match):
        if match[1].lower() not in ("sql-check", "table-exists", "view-exists"):
            raise Refused(self.at)
        self.current["conditions"].append(match[1].lower())

    def on_text(self, line, match):
        if self.current:
            self.current["body"].append((line + "\n", self.at))

    def close(self, last):
        if not self.current:
            return
        self.current["text"], self.current["lines"] = piece(self.current["body"])
        if last and not self.current["body"] and self.sets:
            self.current["text"], self.current["lines"] = self.sets[-1]["text"], None
        if not last and self.current["text"] is None:
            raise Refused(self.current["line"])
        self.sets.append(self.current)


def make(rng):
    lines = [rng.choice(HEADERS)]
    for _ in range(rng.randint(0, 4)):
        attributes = " ".join(rng.choice(ATTRIBUTES) for _ in range(rng.choice([0, 0, 1, 2, 3])))
        lines.append(rng.choice(SETS).format(a=rng.choice(NAMES), i=rng.choice(IDS), t=attributes))
        for _ in range(rng.choice([0, 1, 2, 6])):
            lines.append(rng.choice(rng.choice([SQL, SQL, OTHERS])))
    if rng.random() < 0.15:
        lines.insert(rng.randint(1, len(lines)), rng.choice(MISTAKES))
    end = rng.choice(["\n", "\n", "\r\n", "\r"])
    return {"do": "read", "sql": "\n".join(lines).replace("\n", end) + rng.choice(["", end])}


def children(node, name):
    return [c for c in node.get("children", ()) if c["name"] == name]


def value(node, name):
    return next((c.get("value") for c in children(node, name)), None)


def compare_rules(case, answer):
    try:
        sets = Walk(case["sql"]).sets
    except Refused as refused:
        assert "error" in answer, f"{case}: not refused, line {refused}"
        assert answer["line"] == refused.args[0] and answer["file"] == "file.sql", f"{case}: refused in line {refused}, not {answer}"
        return False
    assert "error" not in answer, f"{case}: {answer}"
    found = children(answer, "changeSet")
    assert len(found) == len(sets), f"{case}: {answer}"
    names = {"sqlCheck": "sql-check", "tableExists": "table-exists", "viewExists": "view-exists"}
    for ours, want in zip(found, sets):
        sql = children(ours, "sql")[0]
        assert (value(ours, "author"), value(ours, "id"), ours["line"]) == (want["author"], want["id"], want["line"]), f"{case}: {ours}"
        assert value(ours, "comment") == want["comment"], f"{case}: {ours}"
        assert [c.get("value") for c in children(ours, "validCheckSum")] == want["sums"], f"{case}: {ours}"
        assert sql.get("value") == want["text"] and want["lines"] in (None, sql.get("lines", [])), f"{case}: {sql}, not {want}"
        conditions = children(ours, "preConditions")[-1:]
        assert [names[c["name"]] for p in conditions for c in p.get("children", ()) if c["name"] in names] == want["conditions"], f"{case}: {ours}"
        compare_rollback(case, ours, want)
    return True


def compare_rollback(case, ours, want):
    found = children(ours, "rollback")
    assert len(found) == bool(want["rollback"]), f"{case}: {ours}"
    if not found:
        return
    text, lines = piece(want["rollback"])
    if text is None or text.lower().startswith(("not required", "empty")):
        assert not found[0].get("children"), f"{case}: {found}"
    elif "changesetid" in text.lower():
        assert value(found[0], "changesetId") and not children(found[0], "sql"), f"{case}: {found}"
    else:
        sql = children(found[0], "sql")[0]
        assert (sql["value"], sql["lines"], value(sql, "stripComments")) == (text, lines, "false"), f"{case}: {sql}, not {text!r} {lines}"


def compare_check(case, answer):
    loader = lbsum.Loader(".", [])
    loader.formatted(case["sql"], "file.sql", None, None)
    found = children(answer, "changeSet")
    assert len(found) == len(loader.sets), f"{case}: {answer}"
    for ours, want in zip(found, loader.sets):
        sql = children(ours, "sql")[0]
        assert (value(ours, "author"), value(ours, "id"), sql.get("value")) == (want.author, want.id, want.node.value), f"{case}: {ours}"
        assert value(ours, "dbms") == want.dbms and value(sql, "endDelimiter") == want.node.sval("endDelimiter"), f"{case}: {ours}"
        for key, unset in (("splitStatements", "true"), ("stripComments", "true")):
            flag = (value(sql, key) or unset).lower() == "true"
            assert flag == want.node.bval(key), f"{case}: {key} of {sql}"


def test_reads_as_liquibase_does(binary):
    seed = int(os.environ.get("PGMIGRATED_TEST_SEED", 1))
    print(f"PGMIGRATED_TEST_SEED={seed}")
    rng = random.Random(seed)
    cases = [make(rng) for _ in range(int(os.environ.get("PGMIGRATED_TEST_SPLITS", 4000)))]
    read = 0
    for case, answer in zip(cases, ask(binary, cases)):
        if compare_rules(case, answer):
            compare_check(case, answer)
            read += 1
    assert len(cases) // 10 < read < len(cases), f"{read} of {len(cases)} files are none at all: the generator is no good"
