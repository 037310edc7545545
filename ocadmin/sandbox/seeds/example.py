"""The ten numbers of the contract's example, value for value, on both sides.

Source: get-numbers-v3.example.json.  No other rule of any seed may touch them.
"""

from __future__ import annotations

from typing import Any

from .directory import BY_KEY, EXAMPLE_PROFILE
from .records import AVAILABLE, REQUESTED, oc_number

TENANT = BY_KEY["example"]
ACQUIRED = ["Geographic", "Office365", "InboundCalling", "OutboundCalling", "UserAssignment"]
TICKS = 639069187671521345

# Last digit, upload entry, id, acquired on, checked (and last changed) on; None: not synchronised.
_ROWS: tuple[tuple[int, int, int, str | None, str | None], ...] = (
    (0, 294672, 121452, "2026-02-16T16:17:41.0518562", "2026-02-17T09:52:59.6920174"),
    (1, 294673, 121453, "2026-02-16T16:17:41.0518868", "2026-02-17T09:52:59.7470197"),
    (2, 294676, 121456, None, None),
    (3, 294677, 121457, None, None),
    (4, 294678, 121458, None, None),
    (5, 294679, 121459, None, None),
    (6, 294680, 121460, None, None),
    (7, 294681, 121461, None, None),
    (8, 294682, 121462, None, None),
    (9, 294683, 121463, None, None),
)
_ACTIVE_JOB = (4977, "1d3d24fd-3d2d-4b26-b964-ebb8558c1091", "2026-02-16T16:17:56.1427926")
_PENDING_JOB = (4980, "4bc846cb-0f7a-434f-a6ec-2f552b0bf068", "2026-02-17T10:18:16.2101833")


def _zone(text: str | None, zone: str) -> str | None:
    return text + zone if text else None


def example_records() -> list[dict[str, Any]]:
    """The ten records as the former platform serves them."""
    return [_record(*row) for row in _ROWS]


def _record(
    digit: int, entry: int, key: int, acquired: str | None, checked: str | None
) -> dict[str, Any]:
    active = acquired is not None
    job, job_id, created = _ACTIVE_JOB if active else _PENDING_JOB
    return {
        "uploadTelephoneNumberEntryId": entry,
        "source": "webapi",
        "sbcList": [{"sbcName": "US SP1 SBC", "sbcId": 11}],
        "tenantCallingProfileId": None,
        "ocSipConnectionName": None,
        "ocSipConnectionDescription": None,
        "umpCustomerGuid": TENANT.ump_guid,
        "sbcListJson": None,
        "ovocChannelId": 0,
        "consentedOn": None,
        "umpCustomerFullName": TENANT.full_name,
        "msCompanyName": TENANT.name,
        "sbcListArray": [],
        "id": key,
        "uploadToAccountJobId": job,
        "whenCreated": f"{created}+00:00",
        "acquiredNumberStatus": 0 if active else 4,
        "telephoneNumber": f"+44871894300{digit}",
        "callingProfileId": EXAMPLE_PROFILE,
        "acquiredCapabilities": ACQUIRED if active else REQUESTED,
        "availableCapabilities": AVAILABLE if active else None,
        "acquiredOn": _zone(acquired, "+00:00"),
        "isoCountryCode": "GB",
        "tnUploadJobId": job_id,
        "locationId": None,
        "civicAddressId": None,
        "assignmentStatus": "Unassigned" if active else None,
        "tenantId": TENANT.tenant_id,
        "aslcht": _zone(checked, "+00:00"),
        "aslsct": _zone(checked, "+00:00"),
        "aslvCode": 200 if active else None,
        "asticks": TICKS if active else None,
    }


def example_numbers() -> list[dict[str, Any]]:
    """The same ten as Microsoft lists them: two active, eight that stay pending for ever."""
    return [_number(record) for record in example_records()]


def _number(record: dict[str, Any]) -> dict[str, Any]:
    acquired = record["acquiredOn"]
    created = record["whenCreated"].replace("+00:00", "Z")
    return oc_number(
        record["telephoneNumber"],
        record["tenantId"],
        record["isoCountryCode"],
        record["callingProfileId"],
        acquiredNumberStatus=record["acquiredNumberStatus"],
        additionalUsages=[],
        tnUploadJobId=record["tnUploadJobId"],
        acquiredOn=acquired.replace("+00:00", "Z") if acquired else None,
        lastModifiedOn=created,
    )
