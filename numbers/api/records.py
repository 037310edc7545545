"""A number as the interface shows it: the 32 fields of get-numbers-v3.txt, in the order of its example.

Rows come as plain tuples and leave as plain dicts: a page of 200 costs about what the database needs for it. Lists of
words are passed on as the JSON text that they are stored as.
"""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from ninja import Schema

from ..exporting.sql import Sql
from ..models import SipConnection
from ..models.phone_number import PhoneNumberQuerySet

NOT_OURS = "ocsync"  # what the interface calls a number that came in outside this console (live-platform.md, 4.4)


class Sbc(Schema):
    """An SBC that carries the number."""

    sbcName: str
    sbcId: int


class NumberV2(Schema):
    """A number in version 2 of the interface. `sbcName` is "FQDN [address]" here."""

    uploadTelephoneNumberEntryId: int | None
    source: str
    sbcList: list[Sbc]
    id: int
    uploadToAccountJobId: int | None
    whenCreated: datetime.datetime
    acquiredNumberStatus: int
    telephoneNumber: str
    callingProfileId: uuid.UUID | None
    acquiredCapabilities: list[str]
    availableCapabilities: list[str] | None
    acquiredOn: datetime.datetime | None
    isoCountryCode: str | None
    tnUploadJobId: uuid.UUID | None
    locationId: uuid.UUID | None
    civicAddressId: uuid.UUID | None
    assignmentStatus: str | None
    tenantId: uuid.UUID
    aslcht: datetime.datetime | None
    aslsct: datetime.datetime | None
    aslvCode: int | None
    asticks: int | None


class NumberV3(NumberV2):
    """A number in version 3 of the interface. `sbcListJson` and `sbcListArray` are always empty, as there."""

    tenantCallingProfileId: int | None
    ocSipConnectionName: str | None
    ocSipConnectionDescription: str | None
    umpCustomerGuid: uuid.UUID | None
    sbcListJson: str | None
    ovocChannelId: int
    consentedOn: datetime.datetime | None
    umpCustomerFullName: str
    msCompanyName: str | None
    sbcListArray: list[str]


class Row(NamedTuple):
    """What a record is made of; names are lookups of PhoneNumber, lists of words are JSON text."""

    pk: int
    e164: str
    customer_id: int
    status: int
    source: str
    when_created: datetime.datetime
    upload_entry_id: int | None
    upload_job_id: int | None
    tenant_calling_profile_id: int | None
    iso_country_code: str
    calling_profile_id: uuid.UUID | None
    assignment_status: str | None
    acquired_on: datetime.datetime | None
    tn_upload_job_id: uuid.UUID | None
    location_id: uuid.UUID | None
    civic_address_id: uuid.UUID | None
    aslcht: datetime.datetime | None
    aslsct: datetime.datetime | None
    aslv_code: int | None
    asticks: int | None
    customer__tenant_id: uuid.UUID
    customer__full_name: str
    customer__ms_company_name: str
    customer__ump_customer_guid: uuid.UUID | None
    customer__consented_on: datetime.datetime | None
    customer__channel__ovoc_channel_id: int | None
    exact_times_text: str
    acquired_text: str
    available_text: str | None


def rows_of(numbers: PhoneNumberQuerySet) -> list[Row]:
    """One row for each number, in the order of `numbers`. One query."""
    texts = {
        "exact_times_text": _text("exact_times"),
        "acquired_text": _text("acquired_capabilities"),
        "available_text": _text("available_capabilities"),
    }
    return list(map(Row._make, numbers.annotate(**texts).values_list(*Row._fields)))


def _text(column: str) -> Sql:
    return Sql("{0}::text", column, sqlite="{0}")


@dataclass(frozen=True)
class Routing:
    """The ways of a customer's numbers with one calling profile: SBCs, and the connections of IP groups by name."""

    sbcs: list[dict[str, Any]] = field(default_factory=list)
    sbcs_v2: list[dict[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        """The names of the connections that have one."""
        return ", ".join(self.names) or None

    @property
    def description(self) -> str | None:
        """Their descriptions."""
        return ", ".join(self.descriptions) or None


_NOWHERE = Routing()
Ways = dict[tuple[int, uuid.UUID | None], Routing]


def routing_of(rows: Iterable[Row]) -> Ways:
    """By customer and calling profile. One query for all rows, none where no number has a profile."""
    pairs = {(row.customer_id, row.calling_profile_id) for row in rows if row.calling_profile_id is not None}
    ways: Ways = {}
    if not pairs:
        return ways
    customers, profiles = {customer for customer, _ in pairs}, {profile for _, profile in pairs}
    links = SipConnection.objects.filter(customer_id__in=customers, calling_profile_id__in=profiles).order_by("sbc_id")
    columns = ("sbc_id", "sbc__name", "sbc__fqdn", "sbc__ip_address", "name", "description")
    for customer, profile, pk, name, fqdn, address, group, text in links.values_list(
        "customer_id", "calling_profile_id", *columns
    ):
        way = ways.setdefault((customer, profile), Routing())
        way.sbcs.append({"sbcName": name, "sbcId": pk})
        way.sbcs_v2.append({"sbcName": f"{fqdn} [{address}]" if address else fqdn, "sbcId": pk})
        way.names.extend([group] if group else [])
        way.descriptions.extend([text] if group and text else [])
    return ways


def v3(rows: list[Row]) -> list[dict[str, Any]]:
    """The records of version 3, for orjson."""
    ways = routing_of(rows)
    return [_record(row, ways.get((row.customer_id, row.calling_profile_id), _NOWHERE)) for row in rows]


def v2(rows: list[Row]) -> list[dict[str, Any]]:
    """The records of version 2, for orjson."""
    ways = routing_of(rows)
    records = []
    for row in rows:
        way = ways.get((row.customer_id, row.calling_profile_id), _NOWHERE)
        record = _record(row, way) | {"sbcList": way.sbcs_v2}
        records.append({name: record[name] for name in NumberV2.model_fields})
    return records


def _record(row: Row, way: Routing) -> dict[str, Any]:
    exact = orjson.loads(row.exact_times_text) if row.exact_times_text != "{}" else {}
    return {
        "uploadTelephoneNumberEntryId": row.upload_entry_id,
        "source": row.source or NOT_OURS,
        "sbcList": way.sbcs,
        "tenantCallingProfileId": row.tenant_calling_profile_id,
        "ocSipConnectionName": way.name,
        "ocSipConnectionDescription": way.description,
        "umpCustomerGuid": row.customer__ump_customer_guid,
        "sbcListJson": None,
        "ovocChannelId": row.customer__channel__ovoc_channel_id or 0,
        "consentedOn": row.customer__consented_on,
        "umpCustomerFullName": row.customer__full_name,
        "msCompanyName": row.customer__ms_company_name or None,
        "sbcListArray": [],
        "id": row.pk,
        "uploadToAccountJobId": row.upload_job_id,
        "whenCreated": _moment(exact.get("whenCreated"), row.when_created),
        "acquiredNumberStatus": row.status,
        "telephoneNumber": row.e164,
        "callingProfileId": row.calling_profile_id,
        "acquiredCapabilities": orjson.Fragment(row.acquired_text),
        "availableCapabilities": row.available_text and orjson.Fragment(row.available_text),
        "acquiredOn": _moment(exact.get("acquiredOn"), row.acquired_on),
        "isoCountryCode": row.iso_country_code or None,
        "tnUploadJobId": row.tn_upload_job_id,
        "locationId": row.location_id,
        "civicAddressId": row.civic_address_id,
        "assignmentStatus": row.assignment_status,
        "tenantId": row.customer__tenant_id,
        "aslcht": _moment(exact.get("aslcht"), row.aslcht),
        "aslsct": _moment(exact.get("aslsct"), row.aslsct),
        "aslvCode": row.aslv_code,
        "asticks": row.asticks,
    }


def _moment(text: str | None, value: datetime.datetime | None) -> str | datetime.datetime | None:
    """A time with the seven digits that it came with, as long as the column still holds that instant."""
    return text if text and value and datetime.datetime.fromisoformat(text) == value else value
