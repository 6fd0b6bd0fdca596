"""The real Flyway: which versions are here, and one Java process for each that is used."""
import collections
import os
import queue
import shutil
import subprocess
import threading
import urllib.parse

FOLDER = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 120
# What an option of ours is called there.
OPTIONS = {
    "table": "table", "schemas": "schemas", "default_schema": "defaultSchema", "create_schemas": "createSchemas",
    "target": "target", "out_of_order": "outOfOrder", "mixed": "mixed", "group": "group",
    "validate_on_migrate": "validateOnMigrate", "validate_naming": "validateMigrationNaming",
    "ignore_migration_patterns": "ignoreMigrationPatterns", "baseline_on_migrate": "baselineOnMigrate",
    "baseline_version": "baselineVersion", "baseline_description": "baselineDescription",
    "installed_by": "installedBy", "placeholder_replacement": "placeholderReplacement",
    "placeholder_prefix": "placeholderPrefix", "placeholder_suffix": "placeholderSuffix",
}

Answer = collections.namedtuple("Answer", "ok words")
Info = collections.namedtuple("Info", "version description state script checksum")


def installed():
    """{(11, 3): folder}, by version."""
    top = os.environ.get("PGMIGRATED_TEST_FLYWAY") or os.path.join(FOLDER, "../../build/flyway")
    found = {}
    for name in os.listdir(top) if os.path.isdir(top) else ():
        if os.path.exists(os.path.join(top, name, "classes/RunFlyway.class")):
            found[tuple(int(n) for n in name.split("."))] = os.path.join(top, name)
    return dict(sorted(found.items()))


def properties_of(options):
    """Our options (as tests give them: yes and no) as properties of Flyway; names with a dot are Flyway's own."""
    properties = {}
    for name, value in options.items():
        value = {"yes": "true", "no": "false"}.get(value, str(value))
        if name.startswith("placeholder_") and name not in OPTIONS:
            name = "placeholders." + name.removeprefix("placeholder_")
        properties["flyway." + OPTIONS.get(name, name)] = value
    return properties


class Machine:
    """The Java process of one version. One command at a time."""

    def __init__(self, version, folder, log_path):
        self.version, self.log_path = version, log_path
        self._lock, self._answers = threading.Lock(), queue.Queue()
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(
                [shutil.which("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp",
                 f"{folder}/classes:{folder}/*", "RunFlyway"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._answers.put(line.rstrip("\n").split(" "))
        self._answers.put(["gone"])

    def run(self, command, properties):
        words = [command, *(f"{k}={urllib.parse.quote_plus(v)}" for k, v in properties.items())]
        with self._lock:
            self._process.stdin.write(" ".join(words) + "\n")
            self._process.stdin.flush()
            verdict, *words = self._answers.get(timeout=TIMEOUT)
        assert verdict in ("ok", "error"), f"Java ended: {self.log()[-4000:]}"
        return Answer(verdict == "ok", [urllib.parse.unquote_plus(w) for w in words])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def close(self):
        self._process.kill()  # nothing to be kept
        self._process.wait()


class Theirs:
    """Flyway for one database and one folder."""

    def __init__(self, machine, database, folder):
        self.machine, self.version, self.database = machine, machine.version, database
        self._properties = {
            "flyway.url": f"jdbc:postgresql://127.0.0.1:{database.server.port}/{database.name}",
            "flyway.user": "postgres", "flyway.locations": f"filesystem:{folder}"}

    def __call__(self, command, **options):
        """Answer; options as ours, or as they are when the name is not ours: **{"postgresql.transactional.lock": "no"}."""
        return self.machine.run(command, {**self._properties, **properties_of(options)})

    def ok(self, command, **options):
        answer = self(command, **options)
        assert answer.ok, f"Flyway {self.version} {command}: {answer.words}\n{self.machine.log()[-3000:]}"
        return answer.words

    def migrate(self, **options):
        """How many it ran."""
        return int(self.ok("migrate", **options)[0])

    def info(self, **options):
        words = self.ok("info", **options)
        return [Info(*words[i:i + 5]) for i in range(0, len(words), 5)]

    def start(self, command, **options):
        """In the background; join() of what is returned gives the Answer."""
        return Background(lambda: self(command, **options))


class Background:
    def __init__(self, function):
        self._result = queue.Queue()
        threading.Thread(target=self._run, args=(function,), daemon=True).start()

    def _run(self, function):
        try:
            self._result.put((function(), None))
        except Exception as e:  # raised by join
            self._result.put((None, e))

    def join(self):
        result, failure = self._result.get(timeout=TIMEOUT)
        if failure:
            raise failure
        return result
