"""Consoles that are taken down whatever happens."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .console_process import WITHOUT_SANDBOX, ConsoleProcess

TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "postgres://oc:oc@127.0.0.1:5432/oc")
TEST_REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/11")

Start = Callable[..., ConsoleProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts consoles on this test's own data directory."""
    running: list[ConsoleProcess] = []

    def begin(*arguments: str, data: Path = tmp_path / "data", **env: Any) -> ConsoleProcess:
        console = ConsoleProcess(data, *arguments, **env)
        running.append(console)
        return console

    yield begin
    for console in running:
        console.end()


@pytest.fixture(scope="session")
def started_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a console that has run: the next start has nothing to make."""
    data = tmp_path_factory.mktemp("console") / "data"
    first = ConsoleProcess(data, **WITHOUT_SANDBOX)
    try:
        first.wait_ready()
    finally:
        first.end()
    return data


@pytest.fixture
def console(start: Start, started_once: Path, tmp_path: Path) -> ConsoleProcess:
    """A ready console without a sandbox."""
    shutil.copytree(started_once, tmp_path / "data")
    return start(**WITHOUT_SANDBOX).wait_ready()
