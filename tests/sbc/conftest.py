"""The bench, once per way of writing rules."""

import pytest

from sbc.models import WriteStrategy
from sbc.strategies import STRATEGIES
from tests.sandbox_process import Sandbox

from .bench import Bench


@pytest.fixture(params=list(STRATEGIES))
def bench(db: None, sandbox: Sandbox, request: pytest.FixtureRequest) -> Bench:
    """For everything that must not depend on how rules are written."""
    return Bench(sandbox, request.param)


@pytest.fixture
def cli_bench(db: None, sandbox: Sandbox) -> Bench:
    """Written by CLI scripts."""
    return Bench(sandbox, WriteStrategy.CLI_INCREMENTAL)


@pytest.fixture
def csv_bench(db: None, sandbox: Sandbox) -> Bench:
    """Written by CSV file."""
    return Bench(sandbox, WriteStrategy.CSV_FILE)
