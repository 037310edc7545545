"""However it ends, nothing stays behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from .conftest import Start
from .console_process import BASE_DIR, ConsoleProcess, below, processes, wait_for

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])  # SIGINT: test_start.py
def test_asked_to_stop(console: ConsoleProcess, number: int) -> None:
    children = below(console.process.pid)
    assert len(children) >= 6  # broker, worker, beat, gunicorn and its two
    began = time.monotonic()
    assert console.end(number) == 0
    assert time.monotonic() - began < 15  # the worker's and the servers' graces together, and a slow machine
    assert not set(children) & set(processes())
    assert console.get("/healthz")[0] == 0


def test_kill_9_leaves_no_child(console: ConsoleProcess) -> None:
    children = below(console.process.pid)
    assert console.end(signal.SIGKILL) == -signal.SIGKILL
    wait_for(lambda: not set(children) & set(processes()), "the end of all children", 5)


def test_stop_while_starting(start: Start) -> None:
    """TERM in the middle of the first start."""
    console = start()
    wait_for(lambda: below(console.process.pid), "the first child")
    children = below(console.process.pid)
    assert console.end() == 0
    assert not set(children) & set(processes())


def test_end_with_parent() -> None:
    """`make run`: when make is killed, the console goes too."""
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', "
        "'import os, signal, time; from ocadmin.supervisor.child import end_with_parent; "
        "end_with_parent(os.getppid(), signal.SIGTERM); print(os.getpid(), flush=True); time.sleep(60)']); p.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: pid not in processes(), "the end of the process whose parent died", 5)
