"""Capability updates: what a number can do is changed (upstreams.md 9.3 and 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..exchange import Json, Refusal, is_e164
from ..numbers import revised
from ..tenants import known_tenant
from . import codes
from .kinds import Codes, Kind, Outcome, check_common, detail, invalid, own_numbers, too_many
from .tables import Job

if TYPE_CHECKING:
    from ..world import World

PARTS = {"add", "remove"}


class CapabilityUpdate(Kind):
    """All or nothing per number; the number says meanwhile that an update is pending."""

    path, name = "capability-updates", "CapabilityUpdate"
    outcome = Outcome("Complete", "Complete", "Error")

    def check(self, world: World, body: Json) -> list[str]:
        """400 when a number could never do that, or must not lose that (F19)."""
        tenant = known_tenant(world, body.get("tenantId"))
        check_common(body)
        updates = _updates(body.get("updates"))
        known = world.numbers.get_many(updates)
        own = {text: one for text, one in known.items() if one["tenantId"] == tenant["tenantId"]}
        missing, needed = _not_available(own, updates), _mandatory(tenant, own, updates)
        for code, wrong in (("CapabilityNotAvailable", missing), ("MandatoryCapability", needed)):
            if wrong:
                details = [detail(code, text, names) for text, names in wrong.items()]
                raise Refusal(400, code, "Some capabilities cannot be changed.", details)
        return list(updates)

    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """Active numbers of the tenant that still can do what they are to do."""
        known, verdicts = own_numbers(world, job.tenant_id, texts, busy, 0)
        updates = {text: job.request["updates"][text] for text in texts if not verdicts[text]}
        lost = _not_available({text: known[text] for text in updates}, updates)
        return {**verdicts, **dict.fromkeys(lost, codes.UPDATE_FAILED)}

    def begin(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The numbers show that something is about to change."""
        _state(world, texts, "UpdatePending", at)

    def finish(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The capabilities change."""
        updates = job.request["updates"]
        world.numbers.put(
            revised(
                number,
                iso(at),
                activationState="Activated",
                acquiredCapabilities=_changed(number, updates[text]),
            )
            for text, number in world.numbers.get_many(texts).items()
        )

    def fail(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The capabilities stay and the number says why."""
        _state(world, texts, "UpdateFailed", at)


def _updates(given: Any) -> dict[str, Json]:
    """``{"+44…": {"add": [...], "remove": [...]}}``; a capability cannot be in both."""
    if not isinstance(given, dict) or not given:
        raise invalid("updates must be an object with telephone numbers.")
    too_many(len(given))
    for text, change in given.items():
        if not is_e164(text):
            raise invalid(
                "Some numbers cannot be used.",
                [detail("InvalidTelephoneNumber", text, "This is not E.164.")],
            )
        lists = list(change.values()) if isinstance(change, dict) and set(change) <= PARTS else []
        good = bool(lists) and all(isinstance(one, list) for one in lists)
        if not good or not all(isinstance(word, str) for one in lists for word in one):
            raise invalid(f"The update of {text} needs lists 'add' or 'remove' of capabilities.")
        if set(change.get("add", [])) & set(change.get("remove", [])):
            raise invalid(f"The update of {text} adds and removes the same capability.")
    return given


def _not_available(known: dict[str, Json], updates: dict[str, Json]) -> dict[str, str]:
    """Numbers that cannot do what is added, with the names of it."""
    wrong: dict[str, str] = {}
    for text, number in known.items():
        could = {*(number["availableCapabilities"] or []), *(number["acquiredCapabilities"] or [])}
        missing = [one for one in updates[text].get("add", []) if one not in could]
        if missing:
            wrong[text] = f"Not available: {', '.join(missing)}."
    return wrong


def _mandatory(tenant: Json, known: dict[str, Json], updates: dict[str, Json]) -> dict[str, str]:
    """Numbers that would lose what their usage or their kind needs, with the names of it."""
    plans = {plan["usage"]: plan["mandatoryCapabilities"] for plan in tenant["usages"]}
    wrong: dict[str, str] = {}
    for text, number in known.items():
        fixed = {*plans.get(number["usage"], []), "Geographic", "TollFree"}
        needed = [one for one in updates[text].get("remove", []) if one in fixed]
        if needed:
            wrong[text] = f"Mandatory: {', '.join(needed)}."
    return wrong


def _changed(number: Json, update: Json) -> list[str]:
    kept = [
        one for one in number["acquiredCapabilities"] or [] if one not in update.get("remove", [])
    ]
    return list(dict.fromkeys([*kept, *update.get("add", [])]))


def _state(world: World, texts: list[str], state: str, at: float) -> None:
    numbers = world.numbers.get_many(texts).values()
    world.numbers.put(revised(number, iso(at), activationState=state) for number in numbers)
