"""Rows about numbers that are here: what they would change, and what cannot be changed by a file."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal, Scope
from ocadmin.console.spreadsheet import printable

from ...assignment import Assignment
from ...capabilities import USAGES
from ...countries import same_country
from ...lifecycle import Status
from ...models import Location, PhoneNumber, RowOutcome
from .. import relocate, standing
from ..base import BUSY
from .references import References
from .wishes import CLEARED, Problem, Wish

_PERMISSIONS = (Permission.RELOCATE, Permission.CAPABILITIES, Permission.ANNOTATE)


class Here(NamedTuple):
    """A number as it is here, as far as a file may speak of it."""

    e164: str
    pk: int
    customer_id: int
    customer__channel_id: int | None
    status: int
    iso_country_code: str
    displayed_country_code: str
    calling_profile_id: uuid.UUID | None
    usage: str
    additional_usages: list[str]
    acquired_capabilities: list[str]
    location_id: uuid.UUID | None
    civic_address_id: uuid.UUID | None
    allow_tenant_address_update: bool | None
    note: str
    tags: list[str]
    assignment_status: str | None
    assignment_target_id: str
    activation_state: str
    source: str


@dataclass
class Verdict:
    """What would become of a number: its changes (column to [now, then]) and what to ask the verbs for."""

    outcome: RowOutcome = RowOutcome.UNCHANGED
    changes: dict[str, list[Any]] = field(default_factory=dict)
    wish: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)  # codes of CAUTIONS


# What to know of numbers that change: the same as the action says.
CAUTIONS: dict[str, Promise] = {
    "users_move": relocate.MOVED,
    "users_lose_location": relocate.LOST,
    "address_not_validated": relocate.NOT_VALIDATED,
}


class KnownRows:
    """Judges rows of one file for one person."""

    def __init__(self, by: Principal, references: References) -> None:
        self.references = references
        self.scopes: dict[Permission, Scope] = {one: by.scope(one) for one in _PERMISSIONS}

    def judge(self, wish: Wish, note: Any, tags: Any, here: Here, *, busy: bool) -> Verdict:
        """`note` and `tags`: as parsed, CLEARED or None where the row says nothing."""
        verdict = Verdict()
        verdict.problems += _fixed(wish, here)
        if verdict.problems:
            verdict.outcome = RowOutcome.REFUSED
            return verdict
        self._place(wish, here, verdict)
        self._capabilities(wish, here, verdict)
        self._annotations(note, tags, here, verdict)
        if verdict.changes:
            verdict.outcome = RowOutcome.CHANGED
            if busy and verdict.wish.keys() - {"annotate"}:
                verdict.problems.append(Problem("", "", BUSY.code, str(BUSY.sentence)))
        if verdict.problems:
            verdict.outcome = RowOutcome.REFUSED
        return verdict

    def _place(self, wish: Wish, here: Here, verdict: Verdict) -> None:
        """The emergency location and who may change it, which go in one request."""
        target = _target(wish, here)
        allow = wish.values.get("allowTenantAddressUpdate")
        moves = target != here.location_id or (wish.location is CLEARED and here.civic_address_id is not None)
        changes: dict[str, list[Any]] = {}
        if moves:
            changes["locationId"] = [_text(here.location_id), _text(target)]
        if allow is not None and allow != here.allow_tenant_address_update:
            changes["allowTenantAddressUpdate"] = [_truth(here.allow_tenant_address_update), _truth(allow)]
        if not changes:
            if wish.location is None and wish.values.get("civicAddressId") not in (None, here.civic_address_id):
                sentence = _("This address has no default location. Name the location (locationId) as well.")
                value = wish.raw["civicAddressId"]
                verdict.problems.append(Problem("civicAddressId", value, "address_without_location", sentence))
            return
        if target is None and wish.location is not CLEARED and here.civic_address_id is not None:
            # The request names a location or none: it would take the address away, which nobody has asked for.
            sentence = _("The number is at an address without a location. Name the location (locationId) as well.")
            value = wish.raw["allowTenantAddressUpdate"]
            verdict.problems.append(Problem("allowTenantAddressUpdate", value, "address_without_location", sentence))
        column = next(iter(changes))
        place = self.references.locations.get(target) if target is not None else None
        problem = self._forbidden(Permission.RELOCATE, here) or _not_active(here)
        if problem is None and not (target is not None and place is None and not moves):
            found = relocate.objection(
                place,
                customer_id=here.customer_id,
                country=here.iso_country_code,
                capabilities=here.acquired_capabilities,
            )
            problem = Problem("", "", *found) if found else None
        if problem is not None:
            verdict.problems.append(_at(problem, column, wish.raw.get(column, "")))
        if moves:
            verdict.cautions += _cautions(here, place)
        verdict.changes |= changes
        verdict.wish["relocate"] = {"location_id": _text(target) or None, "allow_tenant_address_update": allow}

    def _capabilities(self, wish: Wish, here: Here, verdict: Verdict) -> None:
        """What can be chosen: the rest comes with the number or its usage, and a file need not repeat it.

        Whether the number may have them is judged later, for all numbers with the same change at once (check.py).
        """
        words = wish.values.get("capabilities")
        if words is None:
            return
        have = set(here.acquired_capabilities)
        add = sorted(word for word in words if word not in have)
        remove = sorted(word for word in have if word in USAGES and word not in words)
        if not add and not remove:
            return
        problem = self._forbidden(Permission.CAPABILITIES, here)
        if problem is not None:
            verdict.problems.append(_at(problem, "capabilities", wish.raw["capabilities"]))
        then = [word for word in here.acquired_capabilities if word not in remove] + add
        verdict.changes["capabilities"] = [";".join(here.acquired_capabilities), ";".join(then)]
        parts = {"add": add, "remove": remove}
        verdict.wish["capabilities"] = {name: part for name, part in parts.items() if part}

    def _annotations(self, note: Any, tags: Any, here: Here, verdict: Verdict) -> None:
        """Ours alone: nobody has to be asked, in any status."""
        wanted_note = "" if note is CLEARED else note
        wanted_tags = [] if tags is CLEARED else tags
        changes: dict[str, list[Any]] = {}
        if wanted_note is not None and wanted_note != _lines(here.note):
            changes["note"] = [here.note, wanted_note]
            verdict.wish.setdefault("annotate", {})["note"] = wanted_note
        if wanted_tags is not None and list(wanted_tags) != _tidy(here.tags):
            changes["tags"] = [";".join(here.tags), ";".join(wanted_tags)]
            verdict.wish.setdefault("annotate", {})["tags"] = list(wanted_tags)
        if changes and (problem := self._forbidden(Permission.ANNOTATE, here)):
            verdict.problems.append(_at(problem, next(iter(changes)), ""))
        verdict.changes |= changes

    def _forbidden(self, permission: Permission, here: Here) -> Problem | None:
        if reaches(self.scopes[permission], here):
            return None
        sentence = _("Your role does not include “%(what)s” for this customer.") % {"what": permission.label}
        return Problem("", "", "not_permitted", sentence)


def existing(numbers: Iterable[str]) -> dict[str, Here]:
    """Those of `numbers` that are ours, whoever may see them."""
    rows = PhoneNumber.objects.filter(e164__among=frozenset(numbers)).order_by().values_list(*Here._fields)
    return {row[0]: Here._make(row) for row in rows}


def reaches(scope: Scope, here: Here) -> bool:
    """Whether a number is in a scope."""
    return scope.everything or here.customer_id in scope.customers or here.customer__channel_id in scope.channels


def _fixed(wish: Wish, here: Here) -> list[Problem]:
    """What a file cannot change, where it says something else than is here."""
    problems = []
    if wish.customer is not None and wish.customer != here.customer_id:
        column = "msTenantId" if "msTenantId" in wish.raw else "customer"
        sentence = _("The number belongs to another customer. It has to be released there first.")
        problems.append(Problem(column, wish.raw.get(column, ""), "other_customer", sentence))
    for column, differs, now in _COMPARED:
        if column in wish.values and differs(wish.values[column], here):
            sentence = _(
                "Here it is “%(now)s”, and a file cannot change it. Release the number and upload it again, or "
                "leave the cell empty."
            )
            words = sentence % {"now": now(here) or _("empty")}
            problems.append(Problem(column, wish.raw.get(column, ""), "fixed", words))
    return problems


_COMPARED: tuple[tuple[str, Callable[[Any, Here], bool], Callable[[Here], str]], ...] = (
    ("callingProfileId", lambda value, here: value != here.calling_profile_id, lambda here: _text(here[7])),
    # Microsoft does not name the usage of every number: what is not known here contradicts nothing.
    ("usage", lambda value, here: bool(here.usage) and value != here.usage, lambda here: here.usage),
    (
        "additionalUsage",
        lambda value, here: bool(here.usage) and set(value) != set(here.additional_usages),
        lambda here: ";".join(here.additional_usages),
    ),
    (
        "country",
        lambda value, here: (
            bool(here.iso_country_code)
            and not same_country(value, here.iso_country_code)
            and not (here.displayed_country_code and same_country(value, here.displayed_country_code))
        ),
        lambda here: here.iso_country_code,
    ),
    (
        "displayedCountry",
        lambda value, here: value != here.displayed_country_code.upper(),
        lambda here: here.displayed_country_code,
    ),
)


def _target(wish: Wish, here: Here) -> uuid.UUID | None:
    """Where the number shall be. An address that it is at already asks for nothing."""
    if wish.location is CLEARED:
        return None
    only_address = "locationId" not in wish.values
    if only_address and wish.values.get("civicAddressId") == here.civic_address_id:
        return here.location_id
    return wish.location if isinstance(wish.location, uuid.UUID) else here.location_id


def _cautions(here: Here, place: Location | None) -> list[str]:
    """What to know before a number moves to `place`, or to nowhere. A word that we do not know may mean a user."""
    found = []
    if here.assignment_status not in _NO_USER:
        found.append("users_lose_location" if place is None else "users_move")
    if place is not None and place.civic_address.validation_status.lower() != relocate.VALIDATED:
        found.append("address_not_validated")
    return found


_NO_USER = frozenset({None, *Assignment.values}) - {Assignment.USER.value}


def _not_active(here: Here) -> Problem | None:
    if here.status == Status.ACTIVE:
        return None
    code, sentence = standing.REASONS[Status(here.status)]
    return Problem("", "", code, str(sentence))


def _at(problem: Problem, column: str, value: str) -> Problem:
    return Problem(column, value, problem.code, problem.sentence)


def _lines(text: str) -> str:
    """As a cell is written and read: line ends, outer blanks and control characters make no difference."""
    return printable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _tidy(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in words if word.strip()))


def _text(value: uuid.UUID | None) -> str:
    return str(value) if value is not None else ""


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()
