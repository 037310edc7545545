"""What the tests of numbers start from."""

import pytest
from django.db import connection

from tests.numbers.world import World
from tests.sandbox_process import Sandbox

collect_ignore = [] if connection.vendor == "postgresql" else ["test_sync_postgresql.py"]


@pytest.fixture
def world(sandbox: Sandbox, db: None) -> World:
    """A customer, a profile and an SBC, at Microsoft and here."""
    return World(sandbox)
