"""The columns of an export: for each tab of the list those that it shows, in its order, and the further ones.

Headers are names for machines and never change with the language; values are raw words. What an import can change is
called as numbers/resources.py calls it, so that an exported file imports again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.db.models.expressions import Combinable

from ..lifecycle import Status
from . import sql
from .sip import connections

STATUS_WORDS = {status.value: status.name.title().replace("_", "") for status in Status}


@dataclass(frozen=True)
class Column:
    """A header, the function that gives its cell (guarded against spreadsheets, or not), the list's column it is.

    `shown` is empty where the list has no such column.
    """

    name: str
    cell: Callable[[bool], Combinable]
    shown: str = ""

    def expression(self, *, guarded: bool) -> Combinable:
        """The cell of a row: NULL where it is empty. Made for one query on this thread's connection."""
        return sql.nothing_if_empty(self.cell(guarded))


def _ours(name: str, value: Combinable, shown: str = "") -> Column:
    """A cell whose words are ours: it never begins like a formula."""
    return Column(name, lambda _guarded: value, shown)


def _free(name: str, value: Combinable, shown: str = "") -> Column:
    """A cell whose text people or Microsoft write."""
    return Column(name, lambda guarded: sql.harmless(value) if guarded else value, shown)


def _written(name: str, column: str) -> Column:
    """What people have written, of any length and with any sign."""
    return Column(name, lambda guarded: sql.written(column, guarded=guarded))


def _words(name: str, column: str) -> Column:
    """A list of words."""
    return Column(name, lambda guarded: sql.harmless_words(column) if guarded else sql.words(column))


_NUMBER = _free("telephoneNumber", F("e164"), "e164")
_CUSTOMER = _free("customer", F("customer__full_name"), "customer")
_COUNTRY = _free("country", F("iso_country_code"), "country")
_TENANT = _ours("msTenantId", sql.guid("customer__tenant_id"), "tenant")
_ADDRESS = Column(
    "emergencyAddress",
    lambda guarded: sql.harmless_address("civic_address") if guarded else sql.address("civic_address"),
    "address",
)
_PROFILE = _ours("callingProfileId", sql.guid("calling_profile_id"), "profile")
_SOURCE = _ours("source", F("source"), "source")
_ASSIGNMENT = _free("assignment", F("assignment_status"), "assignment")
_ACQUIRED = _ours("acquiredOn", sql.moment("acquired_on"), "acquired")
_LOCATION_NAME = sql.first_of("location__description", "location__additional_info", sql.guid("location_id"))
_LOCATION = _free("location", _LOCATION_NAME, "location")
_ELIN = _free("elin", F("location__elin"), "elin")
_VALIDATION = _free("validation", F("civic_address__validation_status"), "validation")

_ALL: tuple[Column, ...] = (
    _NUMBER,
    _CUSTOMER,
    _COUNTRY,
    _TENANT,
    _ADDRESS,
    Column("sipConnection", connections, "sip_connection"),
    _PROFILE,
    _SOURCE,
    _ours("msJobId", sql.guid("tn_upload_job_id"), "job"),
    _ASSIGNMENT,
    _ours("status", sql.word_for("status", STATUS_WORDS), "status"),
    _ACQUIRED,
    _free("callingProfile", F("calling_profile__name")),
    _free("usage", F("usage")),
    _words("additionalUsage", "additional_usages"),
    _words("capabilities", "acquired_capabilities"),
    _words("availableCapabilities", "available_capabilities"),
    _ours("civicAddressId", sql.guid("civic_address_id")),
    _ours("locationId", sql.guid("location_id")),
    _LOCATION,
    _ELIN,
    _VALIDATION,
    _ours("allowTenantAddressUpdate", sql.truth("allow_tenant_address_update")),
    _free("displayedCountry", F("displayed_country_code")),
    _free("assignedTo", F("assignment_target_id")),
    _free("activationState", F("activation_state")),
    _written("note", "note"),
    _words("tags", "tags"),
    _ours("statusSince", sql.moment("status_changed_at")),
    _written("statusReason", "status_reason"),
    _ours("created", sql.moment("when_created")),
    _ours("lastCheck", sql.moment("aslcht")),
    _ours("lastCheckCode", sql.digits("aslv_code")),
)

_EMERGENCY_FIRST = (_NUMBER, _CUSTOMER, _COUNTRY, _ADDRESS, _LOCATION, _VALIDATION, _ELIN, _ASSIGNMENT)

_RELEASED: tuple[Column, ...] = (
    _NUMBER,
    _CUSTOMER,
    _COUNTRY,
    _ours("releasedOn", sql.moment("released_at"), "released"),
    _free("releasedBy", F("released_by"), "released_by"),
    _ours("quarantineUntil", sql.moment("quarantine_until"), "quarantine"),
    _ours("msJobId", sql.guid("ms_job_id"), "job"),
    _TENANT,
    _PROFILE,
    _SOURCE,
    _ACQUIRED,
)

# The tab of the list, as its address names it, to all of its columns.
TABS: dict[str, tuple[Column, ...]] = {
    "": _ALL,
    "emergency": _EMERGENCY_FIRST + tuple(column for column in _ALL if column not in _EMERGENCY_FIRST),
    "released": _RELEASED,
}


def shown(tab: str, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns that the list shows (`names` are those of its table), in its order; the number always leads."""
    found = {column.shown: column for column in TABS[tab] if column.shown}
    return tuple(found[name] for name in names if name in found)


def named(tab: str, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns with these headers, in the tab's order."""
    return tuple(column for column in TABS[tab] if column.name in names)
