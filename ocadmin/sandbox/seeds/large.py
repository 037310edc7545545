"""Very many numbers, made quickly: one text template per kind of number instead of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .directory import (
    APAC_PROFILE,
    BY_KEY,
    EMEA_PROFILE,
    NOAM_PROFILE,
    TENANTS,
    fixed_id,
    usable_locations,
)
from .records import oc_number

# Twenty kinds in a row: assignment, and whether the number has a location.
KINDS = tuple(
    (assignment, place % 5 < 3)
    for place, assignment in enumerate(
        ("UserAssigned",) * 11
        + ("Unassigned",) * 6
        + ("ConferenceAssigned", "VoiceApp", "ThirdPartyAppAssigned")
    )
)
_HOLE = "@@@@"


@dataclass(frozen=True, slots=True)
class Range:
    """A customer's range; ``first`` leaves room for millions, in the order of the numbers."""

    tenant: str
    country: str
    first: int
    profile: str


# In the order of their digits as text, so that the table is written in the order it is read.
RANGES = (
    Range("brightwater", "US", 1_212_200_0000, NOAM_PROFILE),
    Range("kestrel", "GB", 44_113_200_0000, EMEA_PROFILE),
    Range("harbourline", "GB", 44_20_3000_0000, EMEA_PROFILE),
    Range("sauerland", "DE", 49_30_2000_0000, EMEA_PROFILE),
    Range("southerncross", "AU", 61_2_5000_0000, APAC_PROFILE),
)


def large_rows(count: int) -> Iterator[tuple[Any, ...]]:
    """``count`` rows for the number table, in equal shares and in order."""
    share, rest = divmod(count, len(RANGES))
    for place, block in enumerate(RANGES):
        yield from _range_rows(block, share + (1 if place < rest else 0))


def _range_rows(block: Range, count: int) -> Iterator[tuple[Any, ...]]:
    tenant = TENANTS.index(BY_KEY[block.tenant])
    templates = [_template(block, *kind, place) for place, kind in enumerate(KINDS)]
    kinds = len(KINDS)
    for number in range(count):
        head, middle, tail, assignment = templates[number % kinds]
        text = f"+{block.first + number}"
        # The last digits of an assigned number's target tell the targets apart.
        target = "" if middle is None else f"{middle}{number:012x}"
        yield text, tenant, 0, block.country, assignment, f"{head}{text}{target}{tail}"


def _template(
    block: Range, assignment: str, located: bool, place: int
) -> tuple[str, str | None, str, str]:
    """The JSON of a number cut at the number and, when it is assigned, at its target's digits.

    The second piece is None for an unassigned number; the last value is the assignment.
    """
    tenant = BY_KEY[block.tenant]
    target = f"{fixed_id('target', block.first)[:24]}{_HOLE}"
    values: dict[str, Any] = {
        "assignmentStatus": assignment,
        "assignmentTargetId": None if assignment == "Unassigned" else target,
        "tnUploadJobId": fixed_id("upload", block.first),
        "acquiredOn": f"2025-0{1 + place % 9}-14T09:{10 + place}:00Z",
        "lastModifiedOn": f"2025-10-{1 + place:02d}T12:00:00Z",
    }
    locations = usable_locations(tenant, block.country)
    if located and locations:
        values["locationId"], values["civicAddressId"] = locations[place % len(locations)]
    number = oc_number(_HOLE, tenant.tenant_id, block.country, block.profile, **values)
    head, *middle, tail = json.dumps(number, separators=(",", ":")).split(_HOLE)
    return head, middle[0] if middle else None, tail, assignment
