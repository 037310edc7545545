"""One sandbox process for all of these tests, set back to the demo before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .devices import Device
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


@pytest.fixture
def device(sim: Sim) -> Device:
    """An SBC whose dial plan holds two rules, saved."""
    device = Device(sim)
    first = {"name": "Harbourline", "prefix": "+442079460000", "tag": "trunk1.example"}
    device.control(rules=[first, {**first, "prefix": "+442079460001"}])
    return device
