"""Releases: numbers are given back (upstreams.md 9.3 and 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import iso
from ..exchange import Json, Refusal
from ..numbers import revised
from ..tenants import known_tenant
from . import codes
from .kinds import Codes, Kind, Outcome, check_common, detail, own_numbers, telephone_numbers
from .tables import Job

if TYPE_CHECKING:
    from ..world import World


class Release(Kind):
    """Accepted numbers are being released (1); they leave the lists after the lag.

    A release of which only some numbers went well is complete all the same; its entries tell.
    """

    path, name = "releases", "Release"
    outcome = Outcome("Complete", "Complete", "Failed")
    settles = True

    def check(self, world: World, body: Json) -> list[str]:
        """404 for an unknown tenant; 400 for numbers of several customers."""
        known_tenant(world, body.get("tenantId"))
        check_common(body)
        texts = telephone_numbers(body)
        owners = {text: one["tenantId"] for text, one in world.numbers.get_many(texts).items()}
        if len(set(owners.values())) > 1:
            strangers = [text for text, owner in owners.items() if owner != body["tenantId"]]
            text = "The numbers belong to different tenants."
            details = [detail("MixedTenants", one, text) for one in strangers]
            raise Refusal(400, "MixedTenants", text, details)
        return texts

    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """Only unassigned numbers; an assignment nobody knows counts as one (F14, F28)."""
        expected = 1 if job.status == "InProgress" else 0
        known, verdicts = own_numbers(world, job.tenant_id, texts, busy, expected)
        for text, code in verdicts.items():
            if code is None and known[text]["assignmentStatus"] != "Unassigned":
                verdicts[text] = codes.NUMBER_ASSIGNED
        return verdicts

    def begin(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """From now on the customer can do nothing with the numbers."""
        _put(world, texts, 0, 1, at)

    def fail(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The customer has the numbers back."""
        _put(world, texts, 1, 0, at)

    def settle(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The numbers are gone."""
        known = world.numbers.get_many(texts)
        world.numbers.delete(
            text
            for text, number in known.items()
            if number["tenantId"] == job.tenant_id and number["acquiredNumberStatus"] == 1
        )


def _put(world: World, texts: list[str], known: int, status: int, at: float) -> None:
    numbers = world.numbers.get_many(texts).values()
    world.numbers.put(
        revised(number, iso(at), acquiredNumberStatus=status)
        for number in numbers
        if number["acquiredNumberStatus"] == known
    )
