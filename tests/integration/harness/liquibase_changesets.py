"""Changelogs made at random: every type of change in every syntax, with the texts that are hard to get right."""
import json
import os
from xml.sax.saxutils import escape

TEXTS = ("t", "person", "first_name", "Ünïcode", "Cafe\u0301", "\u00a0nbsp\u00a0", "a\ufffdb", "emoji \U0001f600", "it's", 'say "x"',
         "<a & b>", "a\nb", "a\r\nb", "a\rb", "tab\there", " spaces ", "", "${p}", "${undefined}", "${ p }", "${nested}", "null", "NULL",
         "back\\slash", "100%", "x" * 120, "Z", "_a", "ａｂ", "\uff5e", "x=\"y\"", "]", "[", "#no", "-- no", "a,b", " a , b")
BOOLEANS = ("true", "false", "TRUE", "True", "yes", "1", "")
INTEGERS = ("0", "1", "-1", "007", "+5", "-0", "123456789012345678901234567890", "100")
NUMBERS = ("1", "1.50", "-3", ".5", "-.5", ",5", "+5", "1 day", "(1)", "((1)", "(now())", "now()", "null", "NULL", "1e3", "",
           "GENERATED_BY_DEFAULT", "(", "()")
DATES = ("2020-01-02", "2020-02-30", "10:11:12", "25:00:00", "2020-01-02T03:04:05", "2020-01-02 03:04:05", "2020-01-02T03:04:05.120",
         "2020-13-01T03:04:05.000", "2020-01-02T03:04:05.123456789Z", "2020-01-02T03:04:05.5+01:00", "now()", "CURRENT_TIMESTAMP", "null",
         "1:2:3", "2020-1-234", "20200102", "2020-01-02T03:04")
# As they are written in YAML without quotes.
PLAIN = ("1", "-5", "017", "0x1F", "1_000", "1.50", "1e3", "1.5e+10", "0.1", "100000000.0", "0.00001", "12345678901234567890", "true",
         "yes", "No", "off", "~", "null", "2020-01-02", "text", "1.0", "-0.0", ".inf", "1.2.3", "2020-01-02x", "a b", "007", "0")
PLAIN_INTEGERS = ("1", "-5", "1_000", "12345678901234567890", "0x1F", "017")
PLAIN_DATES = ("2020-01-02", "2020-1-2", "2020-01-02 03:04:05", "2020-01-02T03:04:05.6", "2020-12-31")
DBMS = ("postgresql", "h2", "!postgresql", "postgresql, h2", "!h2", "all", "none", " postgresql ", "oracle,mssql,mysql", "")
CONTEXTS = ("test", "prod", "test and prod", "!test", "test, other", "")
LABELS = ("a", "B, a ,a", "x,y,,", "Z", "")
SQL = ("select 1", "insert into t(id)\n values (16)", "select  'a   b';\n\n\tselect 2;\r\nselect 3", "-- only a comment", "/* c */ select 1 -- d\n;",
       "create function f() returns int as $$\nbegin\n  return 1;\nend\n$$ language plpgsql", "select 'Ünïcode Cafe\u0301 \ufffd \u00a0'", "update t set a = '${p}'",
       "select 1\n/", "select 1\n/\nselect 2\n/\n", "  \n", "select '\U0001f600'", "GO\nselect 1\nGO")
CSV = ("id,name\n1,a\n", "id,name\r\n1,a\r\n\r\n2,b", "# c\nid\n1\n", "id\n1\n# c\n# d\n", "id\n1\n\n\n# c\n", "\n\nid\n#x", "\ufeffid,ä\n1,ö\n", "id\n1\n//c\n2", "",
       "#", "id\n-1\n--x\n", "id\n\"a\n# in quotes\nb\"\n", "id\r1\r", "id\nä1\nx\n", "# a\n\n# b\nid\n\n\n")
COMMENT_STARTS = ("#", "//", "-", "", "ä", "xyz")
DELIMITERS = (";", "/", "GO", "$$", "\\n/", "")
COLUMN_TEXTS = ("type", "encoding", "remarks", "valueBlobFile", "valueClobFile", "valueComputed", "valueSequenceNext", "valueSequenceCurrent",
                "defaultValueConstraintName", "defaultValue", "defaultValueComputed", "defaultValueSequenceNext", "generationType", "value")
COLUMN_FLAGS = ("computed", "autoIncrement", "descending", "valueBoolean", "defaultValueBoolean", "defaultOnNull")
CONSTRAINT_TEXTS = ("notNullConstraintName", "primaryKeyName", "primaryKeyTablespace", "references", "referencedTableName",
                    "referencedColumnNames", "uniqueConstraintName", "checkConstraint", "foreignKeyName")
CONSTRAINT_FLAGS = ("nullable", "primaryKey", "unique", "deleteCascade", "initiallyDeferred", "deferrable", "validateNullable", "validateUnique",
                    "validatePrimaryKey", "validateForeignKey")
VISITORS = {"append": ("value",), "prepend": ("value",), "replace": ("replace", "with"), "regExpReplace": ("replace", "with")}
LOADS = ("loadData", "loadUpdateData")
WITH_PATH = ("createView", "createProcedure")
# Not made: what only Java can run, and what has neither a checksum nor a description of its own.
LEFT_OUT = ("customChange",)


class Plain(str):
    """A scalar of YAML without quotes."""


class Changelogs:
    """Folders of a root changelog.xml and one file below it in each syntax."""

    def __init__(self, random, params):
        self.random, self.params = random, {n: p for n, p in params.items() if n not in LEFT_OUT}
        self.plain, self.maps, self.number, self.files = False, False, 0, {}

    def maybe(self, chance):
        return self.random.random() < chance

    def scalar(self, pool, plain=PLAIN):
        return Plain(self.random.choice(plain)) if self.plain and self.maybe(0.15) else self.random.choice(pool)

    # ---- the model: a node is (name, attributes, children, text)

    def constraints(self):
        values = {n: self.scalar(TEXTS) for n in self.random.sample(CONSTRAINT_TEXTS, self.random.randint(0, 3))}
        values.update({n: self.scalar(BOOLEANS) for n in self.random.sample(CONSTRAINT_FLAGS, self.random.randint(0, 3))})
        return "constraints", values, [], None

    def column(self, extended):
        values = {"name": self.scalar(TEXTS)}
        values.update({n: self.scalar(TEXTS) for n in self.random.sample(COLUMN_TEXTS, self.random.randint(0, 4))})
        values.update({n: self.scalar(BOOLEANS) for n in self.random.sample(COLUMN_FLAGS, self.random.randint(0, 2))})
        for chance, names, pool, plain in ((0.2, ("startWith", "incrementBy"), INTEGERS, PLAIN_INTEGERS),
                                           (0.3, ("valueNumeric", "defaultValueNumeric"), NUMBERS, PLAIN),
                                           (0.3, ("valueDate", "defaultValueDate"), DATES, PLAIN_DATES)):
            for name in names:
                if self.maybe(chance):
                    values[name] = self.scalar(pool, plain)
        if extended and self.maybe(0.4):
            values.update({"beforeColumn": self.scalar(TEXTS), "position": self.random.choice(("1", "0", "-2"))})
        text = self.random.choice(TEXTS) if self.maybe(0.1) else None
        return "column", values, [self.constraints()] if self.maybe(0.4) else [], text

    def file(self, name, content):
        relative = self.maybe(0.5)
        self.files[f"sub/{name}" if relative else name] = content
        return name if self.maybe(0.9) else f"./{name}", relative

    def content(self, kind):
        if kind in LOADS:
            return self.random.choice(CSV).encode(), None
        text = "\n".join(self.random.choice(SQL) for _ in range(self.random.randint(1, 3)))
        if kind == "sqlFile" and self.maybe(0.2):
            return text.encode("iso-8859-1", "replace"), "ISO-8859-1"
        data = text.encode()
        if kind in WITH_PATH and self.maybe(0.3):
            data = data.replace(b"a", self.random.choice((b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\xaf", b"\xf4\x90\x80\x80")), 1)
        return (b"\xef\xbb\xbf" + data if self.maybe(0.2) else data), self.random.choice((None, "UTF-8"))

    def add_file(self, kind, values):
        self.number += 1
        data, encoding = self.content(kind)
        path, relative = self.file(f"file{self.number}.{'csv' if kind in LOADS else 'sql'}", data)
        values["file" if kind in LOADS else "path"] = path
        for name in ("encoding", "relativeToChangelogFile", "commentLineStartsWith"):
            values.pop(name, None)
        if encoding:
            values["encoding"] = encoding
        if relative:
            values["relativeToChangelogFile"] = "true"
        if kind in LOADS and self.maybe(0.5):
            values["commentLineStartsWith"] = self.random.choice(COMMENT_STARTS)

    def param(self, kind, name, about, values, children):
        if about["type"] == "List":
            if kind not in LOADS:
                children += [self.column(kind in ("addColumn", "createIndex")) for _ in range(self.random.choice((0, 1, 1, 2, 3)))]
        elif about["ser"] == "NESTED_OBJECT":
            children.append((name, {}, [], self.random.choice(TEXTS)))
        elif name == "dbms":
            values[name] = self.random.choice(DBMS)
        elif name == "endDelimiter":
            values[name] = self.random.choice(DELIMITERS)
        elif about["type"] == "Boolean":
            values[name] = self.scalar(BOOLEANS)
        elif about["type"] == "BigInteger":
            values[name] = self.scalar(INTEGERS, PLAIN_INTEGERS)
        elif name not in ("path", "file", "encoding"):
            values[name] = self.scalar(TEXTS)

    def change(self):
        kind = self.random.choice(list(self.params))
        values, children, text = {}, [], None
        for name, about in self.params[kind].items():
            if about["ser"] != "DIRECT_VALUE" and self.maybe(0.6):
                self.param(kind, name, about, values, children)
        if kind in LOADS or kind == "sqlFile" or kind in WITH_PATH and self.maybe(0.5):
            self.add_file(kind, values)
        elif kind in ("sql",) + WITH_PATH:
            text = self.random.choice(SQL)
        elif kind in ("stop", "output"):
            text = self.random.choice((None, "", "  ", "a message", "${p}", "a\nb"))
        if kind in LOADS:
            values["tableName"] = self.random.choice(TEXTS)
        return kind, values, children, text

    def visitors(self):
        values = {}
        for name, pool in (("dbms", DBMS), (self.random.choice(("context", "contextFilter")), CONTEXTS), ("labels", LABELS),
                           ("applyToRollback", BOOLEANS)):
            if self.maybe(0.4):
                values[name] = self.random.choice(pool)
        kinds = [self.random.choice(list(VISITORS)) for _ in range(self.random.randint(1, 2))]
        if self.maps:  # which have every key once
            kinds = list(dict.fromkeys(kinds))
        return "modifySql", values, [(k, {n: self.scalar(TEXTS) for n in VISITORS[k]}, [], None) for k in kinds], None

    def changeset(self):
        self.number += 1
        children = [("comment", {}, [], self.random.choice(TEXTS[:12] + SQL))] if self.maybe(0.3) else []
        children += [self.change() for _ in range(self.random.choice((0, 1, 1, 1, 2, 3)))]
        if self.maybe(0.2):
            children.append(self.visitors())
        return "changeSet", {"id": f"{self.number}", "author": self.random.choice(("me", "Ünï", "a b"))}, children, None

    # ---- the syntaxes

    def xml_node(self, node):
        name, values, children, text = node
        attributes = "".join(f" {k}={self.xml_attribute(v)}" for k, v in values.items())
        inner = "".join(self.xml_node(c) for c in children)
        if text is not None:
            inner += f"<![CDATA[{text}]]>" if self.maybe(0.2) else escape(text, {"\r": "&#13;"} if self.maybe(0.5) else {})
        return f"<{name}{attributes}>{inner}</{name}>\n"

    def xml_attribute(self, value):
        written = escape(value, {'"': "&quot;", **({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"} if self.maybe(0.7) else {})})
        return f'"{written}"'

    def xml(self, changesets):
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">\n'
                + "".join(self.xml_node(c) for c in changesets) + "</databaseChangeLog>\n")

    def tree(self, node):
        """What a node is in YAML: a map, or its text alone."""
        name, values, children, text = node
        columns = [{"column": self.tree(c)} for c in children if c[0] == "column"]
        inner = dict(values)
        if columns:
            inner["columns"] = columns if len(columns) > 1 or self.maybe(0.7) else columns[0]["column"]
        inner.update({c[0]: self.tree(c) for c in children if c[0] != "column"})
        direct = {"sql": "sql", "createView": "selectQuery", "createProcedure": "procedureText", "stop": "message", "output": "message"}
        if text is not None:
            if name in direct:
                inner[direct[name]] = text
            elif not inner:
                return text
        return inner

    def tree_of_changeset(self, node):
        _, values, children, _ = node
        changes = [{c[0]: self.tree(c)} for c in children if c[0] not in ("comment", "modifySql")]
        inner = {**values, "changes": changes}
        inner.update({c[0]: self.tree(c) for c in children if c[0] in ("comment", "modifySql")})
        return {"changeSet": inner}

    def json(self, changesets):
        tree = {"databaseChangeLog": [self.tree_of_changeset(c) for c in changesets]}
        return json.dumps(tree, ensure_ascii=False, indent=self.random.choice((None, 1, 4)))

    def yaml_value(self, value, depth):
        pad = "  " * depth
        if isinstance(value, dict) and value:
            return "\n" + "".join(f"{pad}{k}:{self.yaml_value(v, depth + 1)}" for k, v in value.items())
        if isinstance(value, list) and value:
            return "\n" + "".join(f"{pad}- {next(iter(v))}:{self.yaml_value(next(iter(v.values())), depth + 2)}" for v in value)
        if isinstance(value, Plain):
            return f" {value}\n"
        simple = isinstance(value, str) and value and "\r" not in value and value[0] not in " \n\t"
        if simple and "\n" in value and self.maybe(0.5):
            return f" |{self.random.choice(('', '-', '+'))}\n" + "".join(f"{pad}{line}\n" for line in value.split("\n"))
        if simple and "\n" not in value and self.maybe(0.2):
            return " '" + value.replace("'", "''") + "'\n"
        return f" {json.dumps(value, ensure_ascii=False)}\n"

    def yaml(self, changesets):
        return "databaseChangeLog:\n" + "".join(
            f"- changeSet:{self.yaml_value(self.tree_of_changeset(c)['changeSet'], 2)}" for c in changesets)

    def sql(self, count):
        out = ["-- liquibase formatted sql"]
        for _ in range(count):
            self.number += 1
            line = f"--changeset {self.random.choice(('me', 'Ünï'))}:{self.number}"
            for name, pool in (("splitStatements", ("true", "false")), ("stripComments", ("true", "false")), ("endDelimiter", ("/", "GO", ";;", "$$")),
                               ("dbms", ("postgresql", "h2")), ("runOnChange", ("true",))):
                if self.maybe(0.3):
                    line += f" {name}:{self.random.choice(pool)}"
            out.append(line)
            if self.maybe(0.3):
                out.append("--comment: " + self.random.choice(("why", "Cafe\u0301 " * 60, "a  b ")))
            for _ in range(self.random.randint(0, 3)):
                out += self.random.choice(SQL).split("\n")
                if self.maybe(0.2):
                    out += self.random.choice((["--rollback drop table t"], ["/* liquibase rollback", "drop table t", "*/"],
                                               ["--ignoreLines:start", "ignored", "--ignoreLines:end"], ["--ignoreLines:1", "ignored"]))
            out += ["-- the end"]
        return self.random.choice(("\n", "\r\n")).join(out) + self.random.choice(("", "\n"))

    def write(self, folder, count):
        """A folder with `count` changesets in each syntax."""
        self.files = {"changelog.xml": '<databaseChangeLog>\n<property name="p" value="v ü"/><property name="nested" value="n ${p}"/>\n' + "".join(
            f'<include file="sub/{name}"/>\n' for name in ("a.xml", "b.yaml", "c.json", "d.sql")) + "</databaseChangeLog>\n"}
        for name, write, self.maps, self.plain in (("a.xml", self.xml, False, False), ("b.yaml", self.yaml, True, True),
                                                   ("c.json", self.json, True, False)):
            self.files[f"sub/{name}"] = write([self.changeset() for _ in range(count)])
        self.files["sub/d.sql"] = self.sql(count)
        for name, content in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(content if isinstance(content, bytes) else content.encode())
