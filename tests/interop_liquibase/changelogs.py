"""Random changelogs of Liquibase in XML, YAML, JSON and formatted SQL, with the files that they name: all change types, modifySql,
properties, includes, and texts of odd characters. What the check script of the corpus does not model is not made."""
import datetime
import json
import os
from xml.sax.saxutils import escape, quoteattr

import yaml

from harness.liquibase import CORPUS

WORDS = ["a", "id", "person", "Some Name", "x y", "", " ", "e\u0301", "\u00e9", "\u1100\u1161\u11a8", "a\u0328\u0301", "\u212b", "\ufffd", "\U0001f600",
         "\uff5e", "\u00a0", "\u00ad", "\ufeff", "'", '"', "<&>", "]]>", "${p1}", "${ P1 }", "${p2}", "${p${n}}", "${nope}", "${", "$", "}", "${p3",
         "\n", "\r\n", "\t", "  ", "true", "FALSE", "null", "0", "007", "1.50", "2020-01-02", "now()", ",", ";", ":", "#", "--", "/*", "\\", "=",
         "[", "\n    name=\"x\"", "select 1", "insert into t values ('a');", "-- comment", "/* c */", "begin", "\n/"]
NUMBERS = ["1", "-1", "1.50", "-.5", ",5", "+5", "1 day", "(1)", "(1", "(a)", "-(1)", "()", "NULL", "GENERATED_BY_DEFAULT", "1e5", "a1", "-", "nextval('s')",
           "((1))", "0x1f"]
CONTEXTS = ["", "test", "test,prod"]
EXPRESSIONS = [None, None, "test", "prod", "!test", "test and prod", "(test or dev) and not prod", "@test"]
DATABASES = [None, None, None, "postgresql", "oracle", "postgresql, oracle,h2", "!oracle", "!postgresql", "all", "none", "mysql,mssql,postgresql"]
COLUMN_TEXTS = ["name", "type", "encoding", "remarks", "valueBlobFile", "valueClobFile", "valueComputed", "valueSequenceNext", "valueSequenceCurrent",
                "defaultValueConstraintName", "defaultValue", "defaultValueComputed", "defaultValueSequenceNext", "generationType", "value"]
COLUMN_FLAGS = ["computed", "autoIncrement", "descending", "valueBoolean", "defaultValueBoolean", "defaultOnNull"]
CONSTRAINT_TEXTS = ["notNullConstraintName", "primaryKeyName", "primaryKeyTablespace", "references", "referencedTableCatalogName",
                    "referencedTableSchemaName", "referencedTableName", "referencedColumnNames", "uniqueConstraintName", "checkConstraint",
                    "foreignKeyName"]
CONSTRAINT_FLAGS = ["nullable", "primaryKey", "unique", "deleteCascade", "initiallyDeferred", "deferrable", "validateNullable", "validateUnique",
                    "validatePrimaryKey", "validateForeignKey"]
DIRECT = {"sql": "sql", "createView": "selectQuery", "createProcedure": "procedureText", "stop": "message", "output": "message"}
FILE_PARAMS = ("path", "file", "relativeToChangelogFile", "encoding")
WITH_COLUMNS = ("addColumn", "createIndex", "createTable", "dropColumn", "insert", "update", "loadData", "loadUpdateData")


def read_params():
    """Change type -> parameter -> (type, required)."""
    params = {}
    with open(f"{CORPUS}/change-params.tsv", encoding="utf-8") as f:
        for line in f:
            change, name, kind, _, _, required, *_ = line.rstrip("\n").split("\t") if line[0] != "#" else [None] * 8
            if change and change != "customChange":
                params.setdefault(change, {})
                if kind not in ("-", "List"):
                    params[change][name] = (kind, required == "yes")
    return params


PARAMS = read_params()


class Changelog:
    """One random changelog in a folder of its own. kinds: the extensions that its root may have."""

    def __init__(self, rng, folder, n):
        self.rng, self.folder, self.n, self.n_files = rng, folder, 0, 0
        os.makedirs(f"{folder}/sub")
        self.kind = rng.choice(["xml", "yaml", "json", "sql"])
        self.root = f"changelog.{self.kind}"
        self.contexts = rng.choice(CONTEXTS)
        parts = []
        if self.kind != "sql":
            for place in rng.sample(["sub/", "sub/", ""], rng.randint(0, 2)):
                kind = rng.choice(["xml", "yaml", "json", "sql"])
                name = f"part{len(parts)}.{kind}"
                self.write_changelog(place + name, kind, place, n // 4, [])
                parts.append(self.include(place, name))
        self.write_changelog(self.root, self.kind, "", max(1, n - self.n), parts)

    # ---- texts ----

    def some(self, probability=0.5):
        return self.rng.random() < probability

    def text(self, most=4):
        return "".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(1, most)))

    def solid(self):
        """A text that is not blank."""
        return self.rng.choice("abcXYZ\u00e9") + self.text(2)

    def flag(self):
        return self.rng.choice([True, False, "true", "TRUE", "false", "yes", "1", "", True, False])

    def integer(self):
        return self.rng.choice([0, 1, -3, 10 ** 30, "007", "+5", "-0", "12", "-007"])

    def number(self):
        return self.rng.choice(NUMBERS + [1, -2, 1.5, 1e7, 1e-3, 12345678.9, 1e-4, 100.0, 0.1, True])

    def date(self):
        rng = self.rng
        if self.kind == "yaml" and self.some(0.2):
            return datetime.date(rng.randint(1000, 9999), rng.randint(1, 12), rng.randint(1, 28))
        if self.some(0.1):
            return self.text(2)

        def part(most):
            return str(rng.randint(0, most)).zfill(rng.choice([2, 2, 2, 2, 1, 3]))
        day = f"{rng.randint(1600, 2999)}-{part(14)}-{part(33)}"
        time = ":".join((part(25), part(61), part(61)))
        text = rng.choice([day, time, f"{day}T{time}", f"{day} {time}", f"{day}T{time}.{rng.randint(0, 10 ** rng.randint(1, 12))}",
                           f"{day}T{time}.{part(999)}{rng.choice(['Z', '+02:00', '-0500', 'x', ''])}"])
        if self.some(0.15):
            at = rng.randrange(4, len(text))
            text = text[:at] + rng.choice(["", ":", "T", ".", "1", "x"]) + text[at + 1:]
        return text if text[8:] or ":" in text else text + "1"

    def typed(self, kind):
        return self.flag() if kind == "Boolean" else self.integer() if kind == "BigInteger" else self.text(3)

    # ---- files that changes name ----

    def write(self, place, data, extension):
        self.n_files += 1
        name = f"file{self.n_files}.{extension}"
        with open(f"{self.folder}/{place}{name}", "wb") as f:
            f.write(data)
        return name

    def refer(self, attributes, param, place, name):
        """The attributes that name a file beside the changelog, in one of the ways that there are."""
        relative = self.some()
        attributes[param] = name if relative else place + name
        attributes["relativeToChangelogFile"] = relative
        if not relative and self.some():
            del attributes["relativeToChangelogFile"]

    def csv(self):
        rng = self.rng
        lines = [rng.choice(["#c", "#", "", "a,b", '"x', '#y"', "1,2", " #", "-- c", ";", "\u00e9\u00e8,#", "##", "\r", "\t"])
                 for _ in range(rng.randint(0, 12))]
        return "".join(line + rng.choice(["\n", "\n", "\n", "\r\n", "\n\n", "\r", ""]) for line in lines).encode(rng.choice(["utf-8", "latin-1"]))

    def add_file(self, name, attributes, place):
        rng = self.rng
        text = "".join(rng.choice([w for w in WORDS if w != "\ufeff"]) for _ in range(rng.randint(0, 20)))
        if name in ("loadData", "loadUpdateData"):
            self.refer(attributes, "file", place, self.write(place, self.csv(), "csv"))
            return
        data, encoding = (text + "\u0153").encode(), rng.choice([None, None, None, "UTF-8", "ISO-8859-1", "UTF-16BE", "UTF-16LE", "windows-1252"])
        if name == "sqlFile" and encoding:
            data = text.encode(encoding, "replace")
        elif name != "sqlFile" and self.some(0.2):
            data += rng.choice([b"\xff", b"\xc3", b"\xe2\x82 x", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80"]) + b"tail"
        if encoding in (None, "UTF-8") and self.some(0.2):
            data = b"\xef\xbb\xbf" + data
        if encoding:
            attributes["encoding"] = encoding
        self.refer(attributes, "path", place, self.write(place, data, "sql"))

    # ---- changes ----

    def column(self, positions):
        rng, column = self.rng, {}
        for names, make in ((COLUMN_TEXTS, lambda: self.text(3)), (COLUMN_FLAGS, self.flag), (["startWith", "incrementBy"], self.integer),
                            (["valueNumeric", "defaultValueNumeric"], self.number), (["valueDate", "defaultValueDate"], self.date),
                            (positions, lambda: self.text(2)), (["position"] if positions else [], lambda: self.rng.choice([0, 3, "007", "-1"]))):
            for name in names:
                if self.some(0.8 if name in ("name", "type") else 0.12):
                    column[name] = make()
        if self.some(0.3):
            column["constraints"] = {**{f: self.text(2) for f in rng.sample(CONSTRAINT_TEXTS, rng.randint(0, 2))},
                                     **{f: self.flag() for f in rng.sample(CONSTRAINT_FLAGS, rng.randint(0, 4))}}
        return column

    def change(self, place):
        """(type, attributes, columns or None, text of the element or None)"""
        name = self.rng.choice(list(PARAMS))
        attributes = {p: self.typed(kind) for p, (kind, required) in PARAMS[name].items()
                      if p not in FILE_PARAMS and p not in ("sql", "selectQuery", "procedureText", "procedureBody") and
                      self.some(0.85 if required or p == "tableName" else 0.3)}
        columns = text = None
        if name in ("loadData", "loadUpdateData"):
            attributes["tableName"] = self.solid()
            if self.some():
                attributes["commentLineStartsWith"] = self.rng.choice(["", "#", "--", ";", "\u00e9", "\u0153", "\U0001f600"])
        if "dbms" in attributes:
            attributes["dbms"] = self.rng.choice(DATABASES) or ""
        if name in WITH_COLUMNS:
            positions = ["beforeColumn", "afterColumn"] if name in ("addColumn", "createIndex") else []
            columns = [self.column(positions) for _ in range(self.rng.randint(0, 4))]
        if "path" in PARAMS[name] and (name == "sqlFile" or self.some()) or "file" in PARAMS[name]:
            self.add_file(name, attributes, place)
        if name in DIRECT and (name == "sql" or self.some(0.7)):
            attributes.pop("message", None)
            text = self.text(8)
        return name, attributes, columns, text

    def visitors(self):
        """[(attributes of modifySql, [(operation, attributes)])]"""
        found = []
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):
            about = {"dbms": self.rng.choice(DATABASES), "applyToRollback": self.flag() if self.some() else None,
                     "labels": self.rng.choice([None, None, "a", "B, a,b", "x,,y,,", "\u00c9,e"]),
                     self.rng.choice(["context", "contextFilter"]): self.rng.choice(EXPRESSIONS)}
            operations = []
            for _ in range(self.rng.randint(0, 3)):
                name = self.rng.choice(["append", "prepend", "replace", "regExpReplace"])
                operations.append((name, {p: self.text(3) for p in (["value"] if name.endswith("end") else ["replace", "with"])}))
            found.append(({k: v for k, v in about.items() if v is not None}, operations))
        return found

    def change_set(self, place):
        self.n += 1
        about = {"id": f"{self.n}-{self.text(2)}", "author": self.solid()}
        if self.some(0.1):
            about["runOrder"] = self.rng.choice(["first", "last"])
        if self.some(0.1):
            about["logicalFilePath"] = self.rng.choice(["/x/y.xml", "a\\b.sql", "l/${p1}", "some where"])
        if self.some(0.1):
            about["dbms"] = self.rng.choice(["postgresql", "oracle", "!postgresql", "all"])
        return {"about": about, "comments": [self.text(30 if self.some(0.1) else 4) for _ in range(self.rng.choice([0, 0, 1, 1, 2]))],
                "changes": [self.change(place) for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3]))], "visitors": self.visitors()}

    def properties(self):
        found = [{"name": "n", "value": "1"}]
        for name in ("p1", "P2", "p3", "p1"):
            p = {"name": name, "value": self.rng.choice(["one", "tw\u00f6", "${q}", "1.0", "a b", "${n}", "\u0301x", "$", "q'uote"])}
            if self.some(0.2):
                p["context"] = self.rng.choice(["test", "prod", "!test"])
            if self.some(0.2):
                p["dbms"] = self.rng.choice(["postgresql", "oracle"])
            if self.some(0.2):
                p["global"] = False
            found.append(p)
        return found

    def include(self, place, name):
        relative = self.some()
        return {"file": place + name, **({"relativeToChangelogFile": relative} if relative or self.some() else {})}

    # ---- changelogs ----

    def write_changelog(self, path, kind, place, n, includes):
        outer, self.kind = self.kind, kind
        properties = self.properties() if self.some(0.7) else []
        if kind == "sql":
            text = self.formatted(n)
        else:
            items = [("changeSet", self.change_set(place)) for _ in range(n)] + [("include", i) for i in includes]
            self.rng.shuffle(items)
            text = as_xml(self, properties, items) if kind == "xml" else as_tree(self, properties, items)
        with open(f"{self.folder}/{path}", "w", encoding="utf-8", newline="") as f:
            f.write(text)
        self.kind = outer

    def formatted(self, n):
        rng = self.rng
        lines = ["--liquibase formatted sql" + rng.choice(["", " logicalFilePath:log/ical.sql", "  "])]
        if self.some():
            lines += [f"--property name:p1 value:{rng.choice(['one', 'two', '${n}'])}", "--property name:n value:1 dbms:postgresql"]
        for _ in range(max(n, 1)):
            self.n += 1
            head = rng.choice([f"--changeset {rng.choice(['me', 'Some One', 'x.y', '${p1}'])}:{self.n}", f'-- changeset "a:b c":"{self.n} q"',
                               f"  --CHANGESET me: {self.n}".replace(": ", ":")])
            for name, values in (("splitStatements", "true false TRUE x"), ("stripComments", "true false"), ("endDelimiter", "/ ; // GO"),
                                 ("rollbackSplitStatements", "false"), ("context", "test"), ("labels", "a"), ("dbms", "postgresql oracle !oracle"),
                                 ("logicalFilePath", "other.sql /o/t.sql"), ("runOnChange", "true")):
                if self.some(0.15):
                    head += f" {name}:{rng.choice(values.split())}"
            lines.append(head)
            if self.some(0.3):
                lines.append("--comment" + rng.choice([" ", ": "]) + self.text(3).replace("\n", " ").replace("\r", " "))
            if self.some(0.1):
                lines.append("--validCheckSum: 8:abc")
            for _ in range(rng.randint(1, 5)):
                lines.append(rng.choice(["x ", "", " ", "-- note ", "select "]) + self.text(5))
            lines.append(rng.choice(["select 1;", "end", "/", "x/", "select '${p1}'", "-- last"]))
            if self.some(0.1):
                lines += ["--ignoreLines:start", "--changeset not:there", "--ignoreLines:end"]
            if self.some(0.2):
                lines.append("--rollback drop table x;")
            if self.some(0.1):
                lines += ["/* liquibase rollback", "drop table y;", "*/"]
        return rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["", "\n", "\n\n"])


# ---- how they are written ----

def plain(value):
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def xml_attributes(attributes):
    return "".join(f" {k}={quoteattr(plain(v), {chr(10): '&#10;', chr(13): '&#13;', chr(9): '&#9;'})}" for k, v in attributes.items())


def xml_text(log, text):
    if log.some(0.3) and "]]>" not in text and "\r" not in text:
        return f"<![CDATA[{text}]]>"
    return escape(text, {"\r": "&#13;"})


def xml_element(name, attributes, content=""):
    return f"<{name}{xml_attributes(attributes)}>{content}</{name}>" if content else f"<{name}{xml_attributes(attributes)}/>"


def xml_column(log, column):
    attributes = {k: v for k, v in column.items() if k != "constraints"}
    content = xml_text(log, attributes.pop("value")) if "value" in attributes and log.some(0.4) else ""
    if "constraints" in column:
        content += xml_element("constraints", column["constraints"])
    return xml_element("column", attributes, content)


def xml_change(log, name, attributes, columns, text):
    inner = {p: attributes.pop(p) for p in ("where", "comment") if p in attributes}
    content = "".join(xml_column(log, c) for c in columns or ()) + "".join(xml_element(p, {}, xml_text(log, plain(v))) for p, v in inner.items())
    return xml_element(name, attributes, content + (xml_text(log, text) if text is not None else ""))


def xml_change_set(log, s):
    content = "".join(xml_element("comment", {}, xml_text(log, c)) for c in s["comments"])
    content += "".join("\n    " + xml_change(log, *c) for c in s["changes"])
    for about, operations in s["visitors"]:
        content += "\n    " + xml_element("modifySql", about, "".join(xml_element(o, a) for o, a in operations))
    return xml_element("changeSet", s["about"], content + "\n")


def as_xml(log, properties, items):
    head = ('<?xml version="1.0" encoding="UTF-8"?>\n<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog '
            'http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-4.28.xsd">\n')
    body = [xml_element("property", p) for p in properties]
    body += [xml_change_set(log, item) if name == "changeSet" else xml_element(name, item) for name, item in items]
    return head + "\n".join(body) + "\n</databaseChangeLog>\n"


def tree_change(log, name, attributes, columns, text):
    content = dict(attributes)
    if text is not None:
        if name in ("sql", "stop", "output") and not content and log.some(0.3):
            return {name: text}
        content["procedureBody" if name == "createProcedure" and log.some() else DIRECT[name]] = text
    if columns:
        one = len(columns) == 1 and columns[0] and log.some(0.2)
        content["columns"] = {"column": columns[0]} if one else [{"column": c} for c in columns]
    return {name: content}


def tree_change_set(log, s):
    content = dict(s["about"])
    if log.some(0.1):
        content["author"] = log.rng.choice([7, 1.5, True, 1e10])
    if s["comments"]:
        content["comment"] = s["comments"][0]
    content["changes"] = [tree_change(log, *c) for c in s["changes"]]
    if s["visitors"]:
        content["modifySql"] = [{**s["visitors"][0][0]}, *({o: a} for o, a in s["visitors"][0][1])]
    return content


def as_tree(log, properties, items):
    found = [{"property": p} for p in properties]
    found += [{name: tree_change_set(log, item) if name == "changeSet" else item} for name, item in items]
    root = {"databaseChangeLog": found}
    if log.kind == "json":
        return json.dumps(root, ensure_ascii=False, indent=log.rng.choice([None, 2]))
    return yaml.safe_dump(root, allow_unicode=log.some(), default_flow_style=log.rng.choice([True, False, None]),
                          default_style=log.rng.choice([None, None, None, '"']) if not log.some(0.7) else None,
                          sort_keys=False, width=log.rng.choice([40, 10000]))
