"""Answers of the check program liquibase_probe, which the unit tests build beside pgmigrated."""
import json
import os
import subprocess

import pytest


def find(binary):
    """Its path: beside the tested pgmigrated. The tests that need it are skipped where it was not built."""
    path = os.path.join(os.path.dirname(binary), "liquibase_probe")
    if not os.access(path, os.X_OK):
        pytest.skip(f"no {path}: make check builds it")
    return path


def ask(binary, requests):
    done = subprocess.run([find(binary)], input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr[-4000:]
    answers = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(answers) == len(requests)
    return answers
