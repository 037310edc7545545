"""A small world that is in sync, and that the report knows to be."""

import pytest

from tests.numbers.world import World
from tests.sandbox_process import Sandbox

from . import runs


@pytest.fixture
def world(sandbox: Sandbox, db: None) -> World:
    """A customer, a profile and an SBC with no rules yet; Microsoft's list was read an hour ago and is empty."""
    made = World(sandbox)
    runs.device(made, rules=[])
    runs.microsoft([])
    return made
