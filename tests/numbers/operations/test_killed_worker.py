"""kill -9 of the worker at every step of a release and of an upload: each number is acted on once, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("operation", "least"), [("release", 20), ("upload", 20)])
def test_a_worker_may_die_at_any_step(operation: str, least: int) -> None:
    command = [sys.executable, "-m", "tests.numbers.operations.mortal", operation]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["moments"] >= least
