"""A child that dies is reported and comes back; one that dies again and again ends the run."""

import os
import signal
import time

import pytest

from .console_process import ConsoleProcess, wait_for

pytestmark = pytest.mark.slow


def test_a_killed_child_comes_back(console: ConsoleProcess) -> None:
    for name, part in (("web", "gunicorn"), ("worker", " worker "), ("broker", "valkey.sock")):
        old = console.child(part)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda name=name: f"{name} was ended by SIGKILL; it is started again" in console.output, "the report")
        assert wait_for(lambda part=part, old=old: (new := console.child(part)) != old and new, "a new one")
        wait_for(lambda: (console.get("/readyz")[1] or {}).get("status") == "ok", "the console to be ready again")


def test_a_child_that_keeps_dying_ends_the_run(console: ConsoleProcess) -> None:
    seen: set[int] = set()
    for _death in range(5):
        pid = wait_for(lambda: (new := console.child(" beat")) not in seen and new, "another clock")
        seen.add(pid)
        time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    assert console.process.wait(timeout=30) == 1
    console.end()
    assert "ocadmin cannot run: beat was ended by SIGKILL, for the 5th time within a minute." in console.output
    assert console.get("/healthz")[0] == 0
