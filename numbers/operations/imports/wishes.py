"""What the cells of a row ask for, apart from its number. Rows of a file mostly ask for the same: each is read once."""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from ...capabilities import BROUGHT
from ...models import Mode
from ...resources import COLUMNS
from ...widgets import CLEAR, CellProblem
from ..upload.settings import Settings
from .references import References

CLEARED = object()  # what stands for "-" where a column may be emptied
_MAY_CLEAR = frozenset({"locationId", "civicAddressId", "note", "tags"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell, or with a row as a whole (column ""). `value` is the cell as it stands, cut."""

    column: str
    value: str
    code: str
    sentence: str

    def as_list(self) -> list[str]:
        """For the database and for programs."""
        return [self.column, self.value[:200], self.code, self.sentence]


@dataclass(frozen=True)
class Parsed:
    """The cells of a row as values; empty cells, and columns that the file has not, are left out."""

    values: Mapping[str, Any]
    raw: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class Wish:
    """What rows with the same cells ask for.

    `problems` make the row unusable; `lacking` only matter where the number is new. `settings` are those of an upload,
    None where they cannot be made up. `values` are the cells that were given; those that are `filled` stand for the
    whole file, because the cell is empty.
    """

    values: Mapping[str, Any]
    raw: Mapping[str, str]
    customer: int | None = None
    ticket: str = ""
    location: uuid.UUID | object | None = None  # CLEARED; None: says nothing about it
    settings: Settings | None = None
    problems: tuple[Problem, ...] = ()
    lacking: tuple[Problem, ...] = field(default=())
    filled: frozenset[str] = frozenset()
    of_known: "Wish | None" = None  # what is asked for where the number is here, if that is less (`holds_for_known`)


def holds_for_known(mode: str) -> frozenset[str]:
    """The columns whose value for the whole file holds for numbers that are here as well.

    It stands for cells that nobody has written. So it changes a number that is here only where the file may do nothing
    but update, and then what an update can change; whose the numbers are holds always.
    """
    return _WHOSE | ({"locationId", "capabilities"} if mode == Mode.UPDATE else frozenset())


_WHOSE = frozenset({"customer", "msTenantId", "ticketId"})


def parse(cells: Mapping[str, str], original: Callable[[str], str]) -> Parsed:
    """Read cells (column to text as it stands in the file); `original` takes off what guards them in a spreadsheet."""
    values: dict[str, Any] = {}
    raw: dict[str, str] = {}
    problems = []
    for name, cell in cells.items():
        text = original(cell).strip()
        if not text:
            continue
        raw[name] = text
        if cell.strip() == CLEAR and name in _MAY_CLEAR:
            values[name] = CLEARED
            continue
        try:
            value = COLUMNS[name].widget.clean(text)
        except CellProblem as problem:
            problems.append(Problem(name, text, problem.code, problem.sentence))
        else:
            if value != ():  # signs between words and no word: it asks for nothing, as an empty cell does
                values[name] = value
    return Parsed(values, raw, tuple(problems))


def wish_of(
    parsed: Parsed, references: References, filled: Collection[str] = (), for_known: Collection[str] = ()
) -> Wish:
    """What the cells ask for, with everything that they name looked up; `filled` of them stand for the whole file.

    Of these `for_known` hold for numbers that are here.
    """
    spare = set(filled) - set(for_known)
    problems = list(parsed.problems)
    customer = _customer(parsed, references, problems)
    profile = _profile(parsed, references, problems)
    location = _location(parsed, references, problems)
    lacking: list[Problem] = []
    settings = None
    if not problems:
        settings = _settings(parsed, customer, profile, references, lacking)
    values = dict(parsed.values)
    if profile is not None:
        values["callingProfileId"] = profile
    return Wish(
        values,
        parsed.raw,
        customer,
        parsed.values.get("ticketId", ""),
        location,
        settings,
        tuple(problems),
        tuple(lacking),
        frozenset(filled),
        wish_of(_without(parsed, spare), references, set(filled) - spare, for_known) if spare else None,
    )


def _without(parsed: Parsed, columns: Collection[str]) -> Parsed:
    """The cells but for those of some columns."""
    return Parsed(
        {name: value for name, value in parsed.values.items() if name not in columns},
        {name: text for name, text in parsed.raw.items() if name not in columns},
        tuple(problem for problem in parsed.problems if problem.column not in columns),
    )


def _customer(parsed: Parsed, references: References, problems: list[Problem]) -> int | None:
    """By tenant; the name, where both are given, has to be the same customer's."""
    tenant, name = parsed.values.get("msTenantId"), parsed.values.get("customer")
    by_tenant = references.tenants.get(tenant) if tenant else None
    named = references.names.get(name.casefold(), ()) if name else ()
    if tenant and by_tenant is None:
        sentence = _("There is no customer with this tenant among those you may see.")
        problems.append(Problem("msTenantId", parsed.raw["msTenantId"], "unknown_customer", sentence))
        return None
    if by_tenant is not None:
        if name and by_tenant not in named:
            sentence = _("This is not the name of the customer with the tenant of this row. Correct one of them.")
            problems.append(Problem("customer", parsed.raw["customer"], "customer_contradicts", sentence))
        return by_tenant
    if name and len(named) != 1:
        code = "ambiguous_customer" if named else "unknown_customer"
        sentence = _("There is no customer of this name among those you may see. Write it as on the Customers page.")
        if named:
            sentence = _("There are %d customers of this name. Name the tenant (msTenantId) instead.") % len(named)
        problems.append(Problem("customer", parsed.raw["customer"], code, sentence))
        return None
    return named[0] if named else None


def _profile(parsed: Parsed, references: References, problems: list[Problem]) -> uuid.UUID | None:
    """By GUID, else by name."""
    given: uuid.UUID | None = parsed.values.get("callingProfileId")
    name = parsed.values.get("callingProfile")
    named = references.profile_names.get(name.casefold(), ()) if name else ()
    if given is not None:
        if given not in references.profiles:
            sentence = _("There is no such calling profile. See the Calling profiles page.")
            problems.append(Problem("callingProfileId", parsed.raw["callingProfileId"], "unknown_profile", sentence))
        elif name and given not in named:
            sentence = _("This is not the name of the calling profile of this row. Correct one of them.")
            problems.append(Problem("callingProfile", parsed.raw["callingProfile"], "profile_contradicts", sentence))
        return given
    if name and len(named) != 1:
        code = "ambiguous_profile" if named else "unknown_profile"
        sentence = _("There is no calling profile of this name. See the Calling profiles page.")
        if named:
            sentence = _("There are %d calling profiles of this name. Write the callingProfileId.") % len(named)
        problems.append(Problem("callingProfile", parsed.raw["callingProfile"], code, sentence))
        return None
    return named[0] if named else None


def _location(parsed: Parsed, references: References, problems: list[Problem]) -> uuid.UUID | object | None:
    """The place that is meant: the location, else the default location of the address. CLEARED takes it away."""
    location, address = parsed.values.get("locationId"), parsed.values.get("civicAddressId")
    if location is CLEARED or (address is CLEARED and location is None):
        return CLEARED
    if location is not None:
        row = references.locations.get(location)
        if row is None:
            sentence = _("There is no such emergency location. Synchronise the customer, or correct the GUID.")
            problems.append(Problem("locationId", parsed.raw["locationId"], "unknown_location", sentence))
        elif address not in (None, CLEARED) and row.civic_address_id != address:
            sentence = _("The location of this row is at another address. Leave this cell empty, or correct one.")
            raw = parsed.raw["civicAddressId"]
            problems.append(Problem("civicAddressId", raw, "location_contradicts", sentence))
        return location
    if address is None:
        return None
    found = references.addresses.get(address)
    if found is None:
        sentence = _("There is no such emergency address. Synchronise the customer, or correct the GUID.")
        problems.append(Problem("civicAddressId", parsed.raw["civicAddressId"], "unknown_address", sentence))
        return None
    return found.default_location_id


def _settings(
    parsed: Parsed, customer: int | None, profile: uuid.UUID | None, references: References, lacking: list[Problem]
) -> Settings | None:
    """The settings of an upload; what they lack is added to `lacking`."""
    values = parsed.values
    if customer is None:
        sentence = _("It is not said whose number this is. Name the tenant (msTenantId) or the customer.")
        lacking.append(Problem("msTenantId", "", "customer_required", sentence))
        return None
    profile = profile or references.only_profile(customer)
    if profile is None:
        sentence = _("The customer has no calling profile, or several. Name the one for this number.")
        lacking.append(Problem("callingProfileId", "", "profile_required", sentence))
    if not values.get("usage"):
        sentence = _("It is not said what the number is used for. Write one of: %s.") % ", ".join(BROUGHT)
        lacking.append(Problem("usage", "", "usage_required", sentence))
    if lacking or profile is None:
        return None
    location, address = values.get("locationId"), values.get("civicAddressId")
    location = None if location is CLEARED else location
    return Settings(
        customer=customer,
        calling_profile=profile,
        usage=values["usage"],
        additional_usages=values.get("additionalUsage", ()),
        capabilities=values.get("capabilities", ()),
        location=location,
        civic_address=address if location is None and address is not CLEARED else None,
        allow_tenant_address_update=values.get("allowTenantAddressUpdate", False),
        displayed_country=values.get("displayedCountry") or values.get("country", ""),
    )
