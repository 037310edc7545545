"""One V3 record, checked and in our words. Field names: get-numbers-v3.txt; the null rules: upstreams.md §1.5."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from ... import assignment
from ...lifecycle import Source, Status
from ...microsoft import fields
from ...microsoft.fields import Record, Unusable

_SOURCES = {"webapi": Source.WEB_API, "webui": Source.WEB_UI, "ocsync": Source.EXTERNAL, "": Source.EXTERNAL}
_SEVEN_DIGITS = re.compile(r"\.\d{7}")
_FQDN_AND_IP = re.compile(r"(\S+)\s+\\?\[(.+?)\\?\]")
_TIMES = ("whenCreated", "acquiredOn", "aslcht", "aslsct")
_CHECK_CODES = (200, 404, 500)


@dataclass(frozen=True, slots=True)
class SbcLink:
    """An SBC of a record. V2 writes its name as "fqdn [ip]"; then `fqdn` holds the first part."""

    id: int | None
    name: str
    fqdn: str


@dataclass(frozen=True, slots=True)
class MoveInRecord:
    """A number of the other platform: columns of PhoneNumber, and whose it is."""

    e164: str
    row_id: int | None
    tenant_id: uuid.UUID
    company: str
    customer_name: str
    customer_guid: uuid.UUID | None
    channel_id: int | None
    consented_on: datetime | None
    calling_profile_id: uuid.UUID | None
    location_id: uuid.UUID | None
    civic_address_id: uuid.UUID | None
    sbcs: tuple[SbcLink, ...]
    connection_name: str
    connection_description: str
    columns: dict[str, Any]


def read(record: Record) -> MoveInRecord:
    """The record. Raises Unusable with the field's name and what is wrong with it."""
    return MoveInRecord(
        e164=fields.e164(record, "telephoneNumber"),
        row_id=_whole(record, "id"),
        tenant_id=fields.required_guid(record, "tenantId"),
        company=fields.text(record, "msCompanyName", 200, cut=True),
        customer_name=fields.text(record, "umpCustomerFullName", 200, cut=True),
        customer_guid=fields.guid(record, "umpCustomerGuid"),
        channel_id=_whole(record, "ovocChannelId") or None,
        consented_on=fields.moment(record, "consentedOn"),
        calling_profile_id=fields.guid(record, "callingProfileId"),
        location_id=fields.guid(record, "locationId"),
        civic_address_id=fields.guid(record, "civicAddressId"),
        sbcs=tuple(_sbc(sbc) for sbc in fields.objects(record, "sbcList")),
        connection_name=fields.text(record, "ocSipConnectionName", 100, cut=True),
        connection_description=fields.text(record, "ocSipConnectionDescription", 200, cut=True),
        columns=_columns(record),
    )


def _columns(record: Record) -> dict[str, Any]:
    created = fields.moment(record, "whenCreated")
    return {
        "status": _status(record),
        "source": _source(record),
        "iso_country_code": fields.country(record, "isoCountryCode", 8),
        "assignment_status": assignment.normalise(fields.text(record, "assignmentStatus", 64)),
        "acquired_capabilities": fields.words(record, "acquiredCapabilities") or [],
        "available_capabilities": fields.words(record, "availableCapabilities"),
        "acquired_on": fields.moment(record, "acquiredOn"),
        **({"when_created": created} if created else {}),
        "upload_entry_id": _whole(record, "uploadTelephoneNumberEntryId"),
        "upload_job_id": _whole(record, "uploadToAccountJobId"),
        "tn_upload_job_id": fields.guid(record, "tnUploadJobId"),
        "tenant_calling_profile_id": _whole(record, "tenantCallingProfileId"),
        "aslcht": fields.moment(record, "aslcht"),
        "aslsct": fields.moment(record, "aslsct"),
        "aslv_code": _check_code(record),
        "asticks": _whole(record, "asticks"),
        "exact_times": {name: record[name] for name in _TIMES if _SEVEN_DIGITS.search(str(record.get(name) or ""))},
    }


def _status(record: Record) -> int:
    """V2 leaves the status empty: then a number that was never acquired is pending, any other active."""
    value = fields.small_number(record, "acquiredNumberStatus")
    if value is None:
        return Status.ACTIVE if record.get("acquiredOn") else Status.PENDING_FIRST_SYNC
    if value not in Status.values:
        raise Unusable(_("acquiredNumberStatus %d is not a known status") % value)
    return value


def _source(record: Record) -> str:
    word = fields.text(record, "source", 64).lower()
    if word not in _SOURCES:
        raise Unusable(_("source “%s” is not webapi, webui or ocsync") % fields.shown(word))
    return _SOURCES[word]


def _check_code(record: Record) -> int | None:
    value = fields.small_number(record, "aslvCode")
    if value is not None and value not in _CHECK_CODES:
        raise Unusable(_("aslvCode %d is not 200, 404 or 500") % value)
    return value


def _whole(record: Record, name: str) -> int | None:
    """A whole number that fits eight bytes, None for null."""
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Unusable(_("%s is not a whole number") % name)
    return value


def _sbc(record: Record) -> SbcLink:
    name = fields.text(record, "sbcName", 100, required=True)
    match = _FQDN_AND_IP.fullmatch(name)
    return SbcLink(_whole(record, "sbcId"), name, match[1] if match else "")
