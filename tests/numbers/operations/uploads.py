"""What the tests of uploads share."""

from typing import Any

import pytest

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.operations import upload
from ocadmin.tasks.models import Task
from tests.numbers.world import World
from tests.sandbox_process import Sandbox

NUMBERS = ["+442079460700", "+442079460701"]  # Ofcom's drama range, not used by the sandbox's seeds


@pytest.fixture
def place(sandbox: Sandbox, db: None) -> World:
    """The world with an SBC that routes nothing yet."""
    world = World(sandbox)
    world.route([])
    return world


def settings_for(world: World, **more: Any) -> upload.Settings:
    """Numbers for users of the world's customer, who may choose the address."""
    values: dict[str, Any] = {
        "customer": world.customer.pk,
        "calling_profile": world.profile.pk,
        "usage": "CallingUserAssignment",
        "capabilities": ("InboundCalling", "OutboundCalling"),
        "allow_tenant_address_update": True,
    }
    return upload.Settings(**values | more)


def rows(world: World, numbers: list[str], **more: Any) -> upload.Rows:
    """The numbers, all with the same settings."""
    settings = settings_for(world, **more)
    return upload.rows_of((e164, settings) for e164 in numbers)


def submit(what: upload.Rows, **more: Any) -> Task:
    """A task that uploads them."""
    return upload.submit(what, title="Upload", by=SYSTEM, **{"channel": "web"} | more)
