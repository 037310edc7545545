"""What the tests of numbers start from."""

import pytest

from tests.numbers.world import World
from tests.sandbox_process import Sandbox


@pytest.fixture
def world(sandbox: Sandbox, db: None) -> World:
    """A customer, a profile and an SBC, at Microsoft and here."""
    return World(sandbox)
