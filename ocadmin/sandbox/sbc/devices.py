"""The SBCs themselves: what is known about each besides its rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..exchange import Json, Refusal

if TYPE_CHECKING:
    from ..world import World

OC_DIAL_PLAN = "OCDialPlan"
# What an SBC has from the start.  ``hang`` is in real seconds; ``runningUntil`` is real time in
# seconds since 1970; ``capacity`` counts the rules of all plans together.
DEFAULTS: Json = {
    "haSync": False,
    "locked": False,
    "hang": 0,
    "runningUntil": 0,
    "capacity": 100_000,
    "saves": 0,
    "alarms": [],
    "plans": [{"index": 0, "name": OC_DIAL_PLAN}, {"index": 1, "name": "CustDialPlan"}],
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A dial plan of an SBC; ``index`` is its place in the command line."""

    sbc: int
    index: int
    name: str


def slug(name: str) -> str:
    """``US SP1 SBC`` -> ``us-sp1-sbc``: how an SBC is named in an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def find(world: World, name: str) -> Json:
    """The SBC with this slug, 404 when there is none; do not change it, use ``update``."""
    for device in world.store.documents("sbc").values():
        if device["slug"] == name:
            return {**DEFAULTS, **device}
    raise Refusal(404, None, f"There is no SBC '{name}'.")


def update(world: World, device: Json, **values: Any) -> Json:
    """Write the SBC with new values; answers it as it is now."""
    changed = {**device, **values}
    world.store.put("sbc", str(device["id"]), changed)
    return changed


def plans(device: Json) -> list[Plan]:
    """The dial plans of an SBC in the order of their indices."""
    return [Plan(device["id"], one["index"], one["name"]) for one in device["plans"]]


def plan(device: Json, name: str) -> Plan:
    """The dial plan of this name or index; 400 when it is missing (upstreams.md 9.6)."""
    for one in plans(device):
        if name in (one.name, str(one.index)):
            return one
    raise Refusal(400, None, f"Dial plan {name} not found")
