"""One sandbox process for all of these tests, set back to the demo before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .jobs import Jobs
from .process import Sim


@pytest.fixture(scope="session")
def sim_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    process = Sim(tmp_path_factory.mktemp("sim"), "--control")
    yield process
    process.stop()


@pytest.fixture
def sim(sim_process: Sim) -> Sim:
    sim_process.control("POST", "/reset", {"seed": "demo"})
    return sim_process


@pytest.fixture
def jobs(sim: Sim) -> Jobs:
    return Jobs(sim)
