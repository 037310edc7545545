"""What the kinds of jobs have in common, and how numbers are named in a request."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..exchange import Json, Refusal, is_e164
from . import codes
from .tables import Job

if TYPE_CHECKING:
    from ..world import World

MAX_NUMBERS = 1000
Codes = dict[str, str | None]
# Calling code -> country, the longest codes first; the countries of the sandbox.
_COUNTRIES = {"972": "IL", "33": "FR", "44": "GB", "49": "DE", "61": "AU", "1": "US"}
_TICKET_LENGTH = 64
_CORRELATION_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Outcome:
    """Words for a job of which all, some or none of the numbers went well."""

    everything: str
    some: str
    nothing: str


class Kind(ABC):
    """One kind of job; ``path`` is its part of the address, ``name`` its type in the envelope."""

    path: str
    name: str
    outcome = Outcome("Success", "PartialSuccess", "Error")
    # Whether a result is seen only after the consistency lag.
    settles = False

    @abstractmethod
    def check(self, world: World, body: Json) -> list[str]:
        """Refuse what can be refused at once; answers the numbers the job is about."""

    @abstractmethod
    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """Number -> why it cannot be handled, None when it can; asked at the start and the end."""

    def begin(  # noqa: B027 - most kinds need only some of these
        self, world: World, job: Job, texts: list[str], at: float
    ) -> None:
        """What accepting the job does to the numbers that passed."""

    def finish(  # noqa: B027 - most kinds need only some of these
        self, world: World, job: Job, texts: list[str], at: float
    ) -> None:
        """What success does to numbers."""

    def fail(  # noqa: B027 - most kinds need only some of these
        self, world: World, job: Job, texts: list[str], at: float
    ) -> None:
        """Undo what ``begin`` did for numbers that failed after all."""

    def settle(  # noqa: B027 - most kinds need only some of these
        self, world: World, job: Job, texts: list[str], at: float
    ) -> None:
        """What becomes visible after the lag."""


def calling_country(text: str) -> str | None:
    """Country by calling code, None outside the sandbox's six countries."""
    return next((land for code, land in _COUNTRIES.items() if text.startswith(f"+{code}")), None)


def invalid(message: str, details: list[Json] | None = None) -> Refusal:
    """A request that makes no sense."""
    return Refusal(400, "InvalidRequest", message, details)


def detail(code: str, target: str, text: str) -> Json:
    """One entry of an error's details."""
    return {"code": code, "target": target, "message": text}


def check_common(body: Json) -> None:
    """The parts every job has: a ticket of at most 64 characters and a correlation id."""
    ticket, correlation = body.get("ticketId"), body.get("correlationId")
    if ticket is not None and (not isinstance(ticket, str) or len(ticket) > _TICKET_LENGTH):
        raise Refusal(400, "InvalidTicketId", "ticketId may have at most 64 characters.")
    long = isinstance(correlation, str) and len(correlation) > _CORRELATION_LENGTH
    if correlation is not None and (not isinstance(correlation, str) or long or not correlation):
        raise invalid("correlationId must be a text of at most 128 characters.")


def telephone_numbers(body: Json) -> list[str]:
    """The numbers of a request, single ones and ranges, each once and in order.

    Refused with 400: nothing at all, what is not E.164, more than 1,000, a range that cannot be
    counted through (upstreams.md 6 and 9.3).
    """
    singles, ranges = body.get("telephoneNumbers") or [], body.get("ranges") or []
    if not isinstance(singles, list) or not isinstance(ranges, list) or not (singles or ranges):
        raise invalid("telephoneNumbers or ranges must be a list with entries.")
    wrong = [str(one) for one in singles if not is_e164(one)]
    if wrong:
        details = [detail("InvalidTelephoneNumber", one, "This is not E.164.") for one in wrong]
        raise invalid("Some numbers cannot be used.", details)
    found = dict.fromkeys(singles)
    for one in ranges:
        first, count = _range(one)
        too_many(count)
        found.update(dict.fromkeys(f"+{first + place}" for place in range(count)))
    too_many(len(found))
    return list(found)


def too_many(count: int) -> None:
    """Refuse more numbers than one job may have."""
    if count > MAX_NUMBERS:
        raise Refusal(400, "TooManyNumbers", f"At most {MAX_NUMBERS} numbers are allowed.")


def _range(given: Any) -> tuple[int, int]:
    """First number and count of ``{"start", "end"}``."""
    start, end = (given.get("start"), given.get("end")) if isinstance(given, dict) else (None, None)
    if not is_e164(start) or not is_e164(end):
        raise _invalid_range(given, "start and end must be E.164.")
    first, last = str(start), str(end)
    if len(first) != len(last) or first > last:
        raise _invalid_range(given, "start must not be after end and both be equally long.")
    if calling_country(first) != calling_country(last):
        raise _invalid_range(given, "start and end must be in the same country.")
    return int(first[1:]), int(last[1:]) - int(first[1:]) + 1


def _invalid_range(given: Any, text: str) -> Refusal:
    return Refusal(400, "InvalidRange", text, [detail("InvalidRange", str(given), text)])


def own_numbers(
    world: World, tenant_id: str, texts: Iterable[str], busy: set[str], status: int
) -> tuple[dict[str, Json], Codes]:
    """The tenant's numbers among ``texts``, and what is wrong with those it cannot touch."""
    known = world.numbers.get_many(texts)
    found: Codes = {}
    for text in texts:
        number = known.get(text)
        if number is None or number["tenantId"] != tenant_id:
            found[text] = codes.NUMBER_NOT_OWNED
        elif text in busy or (number["acquiredNumberStatus"] == 1 and status != 1):
            found[text] = codes.OPERATION_IN_PROGRESS
        elif number["acquiredNumberStatus"] != status:
            found[text] = codes.NUMBER_NOT_ACTIVE
        else:
            found[text] = None
    return known, found


def location(world: World, tenant_id: str, location_id: Any) -> Json:
    """The civic address that has this location, or 404; addresses belong to the customer."""
    for address in world.store.documents("address").values():
        known = any(one["id"] == location_id for one in address["locations"])
        if known and address["tenantId"] == tenant_id:
            found: Json = address
            return found
    raise Refusal(404, "LocationNotFound", "The tenant has no such location.")


def address_problem(address: Json, country: str | None) -> str | None:
    """Why a number of this country cannot be at this address, None when it can."""
    if address["country"] != country:
        return codes.COUNTRY_MISMATCH
    validated = address["validationStatus"] == "validated"
    return None if validated else codes.ADDRESS_NOT_VALIDATED


def same_country(code: str) -> str:
    """ISO spelling of a consented country; Microsoft also sends ``UK`` (upstreams.md 1.2)."""
    return "GB" if re.fullmatch(r"(?i)uk", code) else code.upper()
