"""The loop around the children, with children that take no time."""

import io
import os
import signal
import sys
import time

import pytest

from ocadmin.supervisor import family as module
from ocadmin.supervisor.child import Command
from ocadmin.supervisor.family import Family
from ocadmin.supervisor.problems import CannotRun


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def family(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Family:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    return Family(out)


def python(name: str, code: str, **more: bool) -> Command:
    return Command(name, [sys.executable, "-u", "-c", code], dict(os.environ), **more)


def test_output_is_prefixed_line_by_line(family: Family, out: io.StringIO) -> None:
    code = "import sys, time; print('one'); print('err', file=sys.stderr); print('no end', end='')"
    assert family.run_once(python("talker", code, once=True)) == 0
    assert out.getvalue().splitlines() == ["talker  | one", "talker  | err", "talker  | no end"]


def test_exit_code_of_a_single_run(family: Family) -> None:
    assert family.run_once(python("failing", "raise SystemExit(3)", once=True)) == 3


def test_quiet_children_are_heard_when_they_die(family: Family, out: io.StringIO) -> None:
    family.start(python("quiet", "print('the reason'); raise SystemExit(1)", quiet=True))
    assert family.wait_until(lambda: "the reason" in out.getvalue(), 10)
    assert "quiet ended with exit code 1; it is started again in 0.01 s" in out.getvalue()
    family.stop()


def test_too_many_deaths(family: Family) -> None:
    family.start(python("dying", "print('last words'); raise SystemExit(7)"))
    with pytest.raises(CannotRun, match=r"dying ended with exit code 7, for the 5th time.*\n    last words"):
        family.wait_until(lambda: False, 20)
    family.stop()


def test_one_that_does_not_go_is_killed(family: Family, out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    child = family.start(python("deaf", code))
    assert family.wait_until(lambda: "| deaf" in out.getvalue(), 10)
    began = time.monotonic()
    family.stop()
    assert time.monotonic() - began < 5
    assert child.process.returncode == -signal.SIGKILL
    assert "deaf did not end within 0 s and is killed" in out.getvalue()


def test_servers_end_after_those_who_use_them(family: Family, out: io.StringIO) -> None:
    code = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *a: sys.exit(print('bye'))); "
        "print('up'); time.sleep(60)"
    )
    family.start(python("server", code, last=True))
    family.start(python("user", code))
    assert family.wait_until(lambda: out.getvalue().count("| up") == 2, 10)
    family.stop()
    assert [line for line in out.getvalue().splitlines() if "bye" in line] == ["user    | bye", "server  | bye"]
    assert family.children == []


def test_a_child_that_closes_its_output_is_not_busy(family: Family) -> None:
    child = family.start(python("mute", "import os, time; os.close(1); os.close(2); time.sleep(60)"))
    assert family.wait_until(lambda: child.mute, 10)
    began = time.process_time()
    family.wait_until(lambda: False, 0.5)
    assert time.process_time() - began < 0.3
    family.stop()
