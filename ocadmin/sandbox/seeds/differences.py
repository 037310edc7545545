"""How the former platform's knowledge and Microsoft's truth differ in the demo.

One table says how many numbers of each kind there are; one function per kind makes the difference.
The console's first synchronisation therefore has something of everything to report.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .directory import BY_KEY, Tenant, addresses, fixed_id
from .records import LAST_PASS, REQUESTED, TICKS_PER_SECOND, UNVERIFIED, instant

# The platform's job whose numbers had not been synchronised when it was left.
LAST_JOB = 4999

# Kind -> how many of the demo's numbers.  No number is of two kinds.
DIFFERENCES = {
    "only_at_microsoft": 45,
    "deleted_by_customer": 8,
    "release_running": 6,
    "release_completed": 4,
    "first_sync_done": 12,
    "marked_for_removal": 6,
    "ready_for_removal": 4,
    "customer_asks_release": 4,
    "assignment_changed": 15,
    "location_changed": 5,
    "owned_by_another_tenant": 1,
}


@dataclass(slots=True)
class Draft:
    """A number on both sides; None means that side does not know it."""

    tenant: Tenant
    number: dict[str, Any] | None
    record: dict[str, Any] | None
    kind: str | None = None
    fixed: bool = False


Rule = Callable[[dict[str, Any], dict[str, Any], Draft], None]


def _unassign(number: dict[str, Any], record: dict[str, Any]) -> None:
    """Only an unassigned number can be released, by either side (upstreams.md 0, 4)."""
    for side in (number, record):
        side["assignmentStatus"] = "Unassigned"
    number["assignmentTargetId"] = None


def _only_at_microsoft(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    number["tnUploadJobId"] = None
    draft.record = None


def _deleted_by_customer(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    draft.number = None


def _release_running(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    _unassign(number, record)
    number["acquiredNumberStatus"] = record["acquiredNumberStatus"] = 1


def _release_completed(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    _unassign(number, record)
    record["acquiredNumberStatus"] = 1
    draft.number = None


def _first_sync_done(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    """Uploaded half an hour after the platform's last pass, acquired another half later."""
    half_an_hour = 1800 * TICKS_PER_SECOND
    job = {"uploadToAccountJobId": LAST_JOB, "tnUploadJobId": fixed_id("upload", LAST_JOB)}
    nothing = ("availableCapabilities", "acquiredOn", "assignmentStatus", *UNVERIFIED)
    record.update(dict.fromkeys(nothing), acquiredNumberStatus=4, acquiredCapabilities=REQUESTED)
    record.update(job, whenCreated=instant(LAST_PASS + half_an_hour, "+00:00"))
    acquired = instant(LAST_PASS + 2 * half_an_hour)
    number.update(tnUploadJobId=job["tnUploadJobId"], acquiredOn=acquired, lastModifiedOn=acquired)


def _gone(status: int) -> Rule:
    def rule(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
        _unassign(number, record)
        record.update(acquiredNumberStatus=status, aslvCode=404)
        draft.number = None

    return rule


def _customer_asks_release(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    _unassign(number, record)
    number["acquiredNumberStatus"] = 2


def _assignment_changed(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    was_assigned = number["assignmentStatus"] != "Unassigned"
    record["assignmentStatus"] = "Unassigned" if was_assigned else "UserAssigned"


def _location_changed(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    others = [
        (location["id"], address["id"])
        for address in addresses()
        for location in address["locations"]
        if address["tenantId"] == number["tenantId"]
        and address["country"] == number["isoCountryCode"]
        and address["validationStatus"] == "validated"
        and location["id"] != number["locationId"]
    ]
    record["locationId"], record["civicAddressId"] = others[0]


def _owned_by_another(number: dict[str, Any], record: dict[str, Any], draft: Draft) -> None:
    _unassign(number, record)
    number.update(tenantId=BY_KEY["sauerland"].tenant_id, locationId=None, civicAddressId=None)


RULES: dict[str, Rule] = {
    "only_at_microsoft": _only_at_microsoft,
    "deleted_by_customer": _deleted_by_customer,
    "release_running": _release_running,
    "release_completed": _release_completed,
    "first_sync_done": _first_sync_done,
    "marked_for_removal": _gone(2),
    "ready_for_removal": _gone(3),
    "customer_asks_release": _customer_asks_release,
    "assignment_changed": _assignment_changed,
    "location_changed": _location_changed,
    "owned_by_another_tenant": _owned_by_another,
}


def _may_be(kind: str, draft: Draft) -> bool:
    """Whether a number can carry this kind of difference without becoming implausible."""
    if draft.kind or draft.fixed or draft.number is None or draft.record is None:
        return False
    if kind == "location_changed":
        return draft.number["locationId"] is not None and draft.tenant.key == "harbourline"
    if kind == "owned_by_another_tenant":
        british = bool(draft.number["isoCountryCode"] == "GB")
        return draft.tenant.key == "harbourline" and british
    for_users: bool = draft.number["usage"] == "CallingUserAssignment"
    if kind == "first_sync_done":
        return for_users and bool(draft.record["source"] != "ocsync")
    if kind == "only_at_microsoft":
        return True
    if kind == "assignment_changed":
        return for_users
    return draft.number["displayedCountryCode"] is None


def apply_differences(drafts: list[Draft], rng: random.Random) -> None:
    """Make the differences of the table, each on numbers picked by ``rng``."""
    order = list(drafts)
    rng.shuffle(order)
    # The pickiest kinds choose first.
    kinds = sorted(DIFFERENCES, key=lambda kind: sum(_may_be(kind, one) for one in order))
    for kind in kinds:
        chosen = [draft for draft in order if _may_be(kind, draft)][: DIFFERENCES[kind]]
        if len(chosen) < DIFFERENCES[kind]:
            raise ValueError(f"not enough numbers for {kind}")
        for draft in chosen:
            draft.kind = kind
            number, record = draft.number, draft.record
            if number is not None and record is not None:
                RULES[kind](number, record, draft)
