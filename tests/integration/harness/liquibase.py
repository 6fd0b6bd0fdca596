"""What a database looks like after Liquibase, in the form in which the corpus has it (corpus/liquibase/generate.sh)."""
import json
import os
import re
import shlex
import subprocess

CORPUS = os.path.join(os.path.dirname(__file__), "..", "..", "corpus", "liquibase")
ROOTS = ("changelog.xml", "changelog.yaml", "changelog.yml", "changelog.json", "changelog.sql")


class Case:
    """A folder of the corpus: a changelog, how it was run, and what came of it."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        self.root = next(r for r in ROOTS if os.path.exists(f"{path}/{r}"))
        self.conf = dict(re.findall(r"^(\w+)=(.*)$", self.read("case.conf") or "", re.M))
        self.step2, self.fails = self.conf.get("STEP2"), "EXPECT_FAIL" in self.conf
        self.options = {}
        for word in shlex.split(shlex.split(self.conf.get("ARGS", '""'))[0]):
            name, value = word.split("=", 1)
            self.options[{"--contexts": "contexts", "--label-filter": "labels"}[name]] = value

    def read(self, name):
        path = f"{self.path}/{name}"
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as f:
            return f.read()

    def rows(self, name="rows.4.28.json"):
        text = self.read(name)
        return text and json.loads(text)


def cases():
    top = f"{CORPUS}/cases"
    return [Case(f"{top}/{name}") for name in sorted(os.listdir(top))] + [Case(f"{CORPUS}/tree-200")]


COLUMNS = ("id", "author", "filename", "orderexecuted", "exectype", "md5sum", "description", "comments", "tag",
           "liquibase", "contexts", "labels")


def rows(database):
    """databasechangelog without times and deployments; [] when the table does not exist."""
    if not database.exists("public.databasechangelog"):
        return []
    found = database.query(f"SELECT {', '.join(COLUMNS)} FROM public.databasechangelog ORDER BY orderexecuted, id")
    return [dict(zip(COLUMNS, row)) for row in found]


def schema(server, database):
    """pg_dump --schema-only without the two tables, comments and settings."""
    dump = subprocess.run(
        [f"{server.bindir}/pg_dump", "--schema-only", "--no-owner", "--no-privileges", "-T", "public.databasechangelog",
         "-T", "public.databasechangeloglock", database.url()],
        check=True, capture_output=True, text=True).stdout
    return [line for line in dump.splitlines()
            if line and not re.match(r"--|SET |SELECT pg_catalog.set_config|\\(un)?restrict", line)]


def without_oids(lines):
    """Large objects get their numbers from the server: those of the table `lo` are left out."""
    found, table = [], None
    for line in lines:
        table = line if line.startswith("# ") else table
        found.append(re.sub(r",\d+\)$", ",<oid>)", line) if table == "# public.lo" else line)
    return found


def data(database):
    """The contents of all other tables, as text."""
    lines = []
    for (table,) in database.query(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN "
            "('pg_catalog', 'information_schema') AND tablename NOT LIKE 'databasechangelog%' ORDER BY 1"):
        lines.append(f"# {table}")
        for (row,) in database.query(f'SELECT t::text FROM {table} t ORDER BY t::text COLLATE "C"'):
            lines.append(re.sub(r"\d{4}-\d\d-\d\d [0-9:]{8}\.\d{3,6}", "<timestamp>", row))
    return without_oids("\n".join(lines).splitlines())
