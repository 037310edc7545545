"""How a number looks on each side, and the rules for its nulls.

The operator's side: Number of upstreams.md 9.2.  The former platform: the 32 fields of
get-numbers-v3.txt, in the order of its example.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .directory import OPERATOR_ID, Tenant, profile_sbcs

# .NET ticks (100 ns since year 1) of 1970-01-01; the contract counts in them.
_EPOCH_TICKS = 621_355_968_000_000_000
TICKS_PER_SECOND = 10_000_000
# The last sync pass the former platform made (live-platform.md 4.5).
LAST_PASS = 639_069_187_671_521_345

CALLS = ["InboundCalling", "OutboundCalling"]
# What the example shows before and after the first synchronisation.
REQUESTED = ["InboundCalling", "Office365", "OutboundCalling", "UserAssignment"]
AVAILABLE = [
    "Geographic",
    "FirstPartyAppAssignment",
    "Office365",
    *CALLS,
    "UserAssignment",
    "SharedCalling",
]
TOLL_FREE = ["TollFree", "Office365", *CALLS, "FirstPartyAppAssignment"]
_TOLL_FREE_NUMBER = re.compile(r"^\+(4480\d|1(800|888|877|866|855|844|833)|49800|33800|611800)")

# assignment -> (usage, capability that usage brings); live-platform.md 5.1.
USAGES = {
    "UserAssigned": ("CallingUserAssignment", "UserAssignment"),
    "ConferenceAssigned": ("ConferenceAssignment", "ConferenceAssignment"),
    "VoiceApp": ("FirstPartyAppAssignment", "FirstPartyAppAssignment"),
    "ThirdPartyAppAssigned": ("ThirdPartyAppAssignment", "ThirdPartyAppAssignment"),
}


def instant(ticks: int, zone: str = "Z") -> str:
    """.NET ticks as ISO-8601 with seven decimals; ``zone`` is ``Z`` or ``+00:00``."""
    seconds, rest = divmod(ticks - _EPOCH_TICKS, TICKS_PER_SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:07d}{zone}"


def seconds_of(ticks: int) -> float:
    """.NET ticks as seconds since 1970."""
    return (ticks - _EPOCH_TICKS) / TICKS_PER_SECOND


def is_toll_free(telephone_number: str) -> bool:
    """True for the toll-free codes of the demo's countries."""
    return bool(_TOLL_FREE_NUMBER.match(telephone_number))


def available_for_new(telephone_number: str) -> list[str]:
    """What a number that nobody has acquired yet could do."""
    return [*TOLL_FREE, "ConferenceAssignment"] if is_toll_free(telephone_number) else AVAILABLE


def capabilities(assignment: str, toll_free: bool) -> tuple[str, list[str], list[str]]:
    """Usage, acquired and available capabilities that go with an assignment."""
    usage, brought = USAGES.get(assignment, USAGES["UserAssigned"])
    if toll_free:
        return "FirstPartyAppAssignment", TOLL_FREE, [*TOLL_FREE, "ConferenceAssignment"]
    available = AVAILABLE if brought in AVAILABLE else [*AVAILABLE, brought]
    return usage, ["Geographic", "Office365", *CALLS, brought], available


def oc_number(
    telephone_number: str, tenant_id: str, country: str, profile_id: str, **values: Any
) -> dict[str, Any]:
    """An active, unassigned Number; ``values`` replace or complete its fields."""
    toll_free = is_toll_free(telephone_number)
    assignment = values.get("assignmentStatus") or "Unassigned"
    usage, acquired, available = capabilities(assignment, toll_free)
    number = {
        "telephoneNumber": telephone_number,
        "tenantId": tenant_id,
        "operatorId": OPERATOR_ID,
        "isoCountryCode": country,
        "callingProfileId": profile_id,
        "acquiredNumberStatus": 0,
        "activationState": "Activated",
        "assignmentStatus": assignment,
        "assignmentTargetId": None,
        "usage": usage,
        "additionalUsages": [] if toll_free else ["FirstPartyAppAssignment"],
        "acquiredCapabilities": acquired,
        "availableCapabilities": available,
        "locationId": None,
        "civicAddressId": None,
        "allowTenantAddressUpdate": False,
        "displayedCountryCode": country if toll_free else None,
        "tnUploadJobId": None,
        "acquiredOn": None,
        "lastModifiedOn": None,
        "etag": 'W/"1"',
    }
    number.update(values)
    return pending(number) if number["acquiredNumberStatus"] == 4 else number


def pending(number: dict[str, Any]) -> dict[str, Any]:
    """A Number that Microsoft has not synchronised yet: nulls of upstreams.md 1.5."""
    nothing = dict.fromkeys(("assignmentStatus", "availableCapabilities", "acquiredOn"))
    requested = {"acquiredCapabilities": REQUESTED, "activationState": "AssignmentPending"}
    return {**number, **nothing, **requested, "assignmentTargetId": None}


def platform_record(
    number: dict[str, Any], tenant: Tenant, place: int, job: int, source: str, acquired: int
) -> dict[str, Any]:
    """The former platform's record of an active number.

    ``place`` counts the records, ``acquired`` is in .NET ticks.  A number the platform only met
    (source ocsync) has no upload, and no SBC was told about it (live-platform.md 4.4).
    """
    uploaded = source != "ocsync"
    return {
        "uploadTelephoneNumberEntryId": 294_683 + place if uploaded else 0,
        "source": source,
        "sbcList": profile_sbcs(number["callingProfileId"]) if uploaded else [],
        "tenantCallingProfileId": None,
        "ocSipConnectionName": None,
        "ocSipConnectionDescription": None,
        "umpCustomerGuid": tenant.ump_guid,
        "sbcListJson": None,
        "ovocChannelId": tenant.channel,
        "consentedOn": tenant.consented_on.replace("Z", "+00:00"),
        "umpCustomerFullName": tenant.full_name,
        "msCompanyName": tenant.name,
        "sbcListArray": [],
        "id": 121_463 + place,
        "uploadToAccountJobId": job if uploaded else 0,
        "whenCreated": instant(acquired + 15 * TICKS_PER_SECOND, "+00:00"),
        "acquiredNumberStatus": 0,
        "telephoneNumber": number["telephoneNumber"],
        "callingProfileId": number["callingProfileId"],
        "acquiredCapabilities": number["acquiredCapabilities"],
        "availableCapabilities": number["availableCapabilities"],
        "acquiredOn": instant(acquired, "+00:00"),
        "isoCountryCode": number["isoCountryCode"],
        "tnUploadJobId": number["tnUploadJobId"],
        "locationId": number["locationId"],
        "civicAddressId": number["civicAddressId"],
        "assignmentStatus": number["assignmentStatus"],
        "tenantId": tenant.tenant_id,
        **_verification(number, place, uploaded, acquired),
    }


def _verification(
    number: dict[str, Any], place: int, uploaded: bool, acquired: int
) -> dict[str, Any]:
    """The quartet of live-platform.md 4.5: checked in the last pass, changed once when assigned."""
    checked = instant(LAST_PASS + 125_000_000 + place * 550_000, "+00:00")
    changed = instant(acquired + 9_000_000_000 + place * 77_777_777, "+00:00")
    known = checked if number["assignmentStatus"] == "Unassigned" else changed
    return {
        "aslcht": checked,
        "aslsct": known if uploaded else None,
        "aslvCode": 200,
        "asticks": LAST_PASS,
    }


UNVERIFIED = ("aslcht", "aslsct", "aslvCode", "asticks")
