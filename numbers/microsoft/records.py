"""Microsoft's records as ours: one frozen dataclass per noun, one function that reads it.

Field names of the operator API are the reconstructed ones of upstreams.md §9.2; addresses and consents follow the
published contract in §1.2. Lengths are those of our columns.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from .. import assignment
from ..models import CallingProfile, CivicAddress, Customer, Location, PhoneNumber, Trunk
from . import fields
from .errors import Asked, BadAnswer, UnreadableRecord
from .fields import Record, Unusable

T = TypeVar("T")


def _limits(model: Any) -> dict[str, int]:
    """Column name to length, for every text column that has one."""
    return {field.name: field.max_length for field in model._meta.concrete_fields if field.max_length}


_NUMBER, _CUSTOMER, _PROFILE = _limits(PhoneNumber), _limits(Customer), _limits(CallingProfile)
_TRUNK, _ADDRESS, _LOCATION = _limits(Trunk), _limits(CivicAddress), _limits(Location)


@dataclass(frozen=True, slots=True)
class NumberRecord:
    """A number as Microsoft holds it. `assignment_status` is in our words, an unknown word as it came."""

    e164: str
    tenant_id: uuid.UUID
    upstream_status: int | None
    iso_country_code: str
    calling_profile_id: uuid.UUID | None
    assignment_status: str | None
    assignment_target_id: str
    activation_state: str
    usage: str
    additional_usages: tuple[str, ...]
    acquired_capabilities: list[str]
    available_capabilities: list[str] | None
    acquired_on: datetime | None
    tn_upload_job_id: uuid.UUID | None
    location_id: uuid.UUID | None
    civic_address_id: uuid.UUID | None
    allow_tenant_address_update: bool | None
    displayed_country_code: str


@dataclass(frozen=True)
class Consent:
    """A customer's consent. `status` and `relationship_status` keep Microsoft's words; `contacts` are its objects."""

    tenant_id: uuid.UUID
    status: str
    relationship_status: str
    company_name: str
    consented_on: datetime | None
    consented_countries: list[str]
    contacts: list[dict[str, Any]]


@dataclass(frozen=True)
class TrunkRecord:
    """A trunk of a profile. `sbc_fqdns` and `sbc_names` are those of the SBCs Microsoft's side matched to it."""

    fqdn: str
    trunk_id: str
    sbc_fqdns: tuple[str, ...]
    sbc_names: tuple[str, ...]


@dataclass(frozen=True)
class CallingProfileRecord:
    """A calling profile with its trunks (live-platform.md §3.8)."""

    id: uuid.UUID
    name: str
    region: str
    carrier: str
    offer_types: list[str]
    emergency_dial_strings: list[str]
    is_emergency_profile: bool
    emergency_profile_id: uuid.UUID | None
    trunks: tuple[TrunkRecord, ...]


@dataclass(frozen=True)
class LocationRecord:
    """A place inside a civic address."""

    id: uuid.UUID
    description: str
    additional_info: str
    is_default: bool
    elin: str


@dataclass(frozen=True)
class CivicAddressRecord:
    """A civic address with its locations; the names are those of our columns."""

    id: uuid.UUID
    country: str
    house_number: str
    house_number_suffix: str
    pre_directional: str
    street_name: str
    street_suffix: str
    post_directional: str
    city: str
    city_alias: str
    county: str
    state: str
    postal_code: str
    description: str
    company_name: str
    company_id: str
    latitude: str
    longitude: str
    default_location_id: uuid.UUID | None
    validation_status: str
    locations: tuple[LocationRecord, ...]


@dataclass(frozen=True)
class UsagePlan:
    """What a number may be uploaded for, and which capabilities go with it."""

    name: str
    usage: str
    offer_types: list[str]
    mandatory_capabilities: list[str]
    choosable_capabilities: list[str]
    supports_toll_free: bool


def parse_number(record: Record) -> NumberRecord:
    """A number of a page. Raises UnreadableRecord with the reason and the number it was, as far as it says."""
    try:
        return _number(record)
    except Unusable as problem:
        given = record.get("telephoneNumber")
        raise UnreadableRecord(str(problem), fields.shown(given) if isinstance(given, str) else None) from None


def _number(record: Record) -> NumberRecord:
    word = fields.text(record, "assignmentStatus", _NUMBER["assignment_status"])
    return NumberRecord(
        e164=fields.e164(record, "telephoneNumber"),
        tenant_id=fields.required_guid(record, "tenantId"),
        upstream_status=fields.small_number(record, "acquiredNumberStatus"),
        iso_country_code=fields.country(record, "isoCountryCode", _NUMBER["iso_country_code"]),
        calling_profile_id=fields.guid(record, "callingProfileId"),
        assignment_status=_plain(assignment.normalise(word)),
        assignment_target_id=fields.text(record, "assignmentTargetId", _NUMBER["assignment_target_id"]),
        activation_state=fields.text(record, "activationState", _NUMBER["activation_state"]),
        usage=fields.text(record, "usage", _NUMBER["usage"]),
        additional_usages=tuple(fields.words(record, "additionalUsages") or ()),
        acquired_capabilities=fields.words(record, "acquiredCapabilities") or [],
        available_capabilities=fields.words(record, "availableCapabilities"),
        acquired_on=fields.moment(record, "acquiredOn"),
        tn_upload_job_id=fields.guid(record, "tnUploadJobId"),
        location_id=fields.guid(record, "locationId"),
        civic_address_id=fields.guid(record, "civicAddressId"),
        allow_tenant_address_update=fields.truth(record, "allowTenantAddressUpdate"),
        displayed_country_code=fields.country(record, "displayedCountryCode", _NUMBER["displayed_country_code"]),
    )


def _plain(word: str | None) -> str | None:
    """A text instead of a member of our enumeration: drivers and COPY write the two differently."""
    return None if word is None else str(word)


def read(parse: Callable[[Record], T], record: Record, asked: Asked, name: str) -> T:
    """The parsed record. Raises BadAnswer that names the field and the record (its value of `name`)."""
    try:
        return parse(record)
    except (Unusable, UnreadableRecord) as problem:
        given = record.get(name)
        which = fields.shown(given) if isinstance(given, str) else _("a record without %s") % name
        raise BadAnswer(asked, f"{which}: {problem}") from None


def parse_consent(record: Record) -> Consent:
    """A consent. Raises Unusable."""
    contacts = fields.objects(record, "contacts")
    relationship = record.get("customerRelationship")
    return Consent(
        tenant_id=fields.required_guid(record, "tenantId"),
        status=fields.text(record, "status", _CUSTOMER["consent_status"]),
        relationship_status=fields.text(
            relationship if isinstance(relationship, dict) else {}, "status", _CUSTOMER["relationship_status"]
        ),
        company_name=next(filter(None, (_company(contact) for contact in contacts)), ""),
        consented_on=fields.moment(record, "consentedOn"),
        consented_countries=[fields.iso(code) for code in fields.words(record, "consentedCountries") or []],
        contacts=fields.storable(contacts),
    )


def _company(contact: Record) -> str:
    return fields.text(contact, "companyName", _CUSTOMER["ms_company_name"], cut=True)


def parse_profile(record: Record) -> CallingProfileRecord:
    """A calling profile. Offer types come as objects or as plain words. Raises Unusable."""
    return CallingProfileRecord(
        id=fields.required_guid(record, "callingProfileId"),
        name=fields.text(record, "name", _PROFILE["name"], required=True, cut=True),
        region=fields.text(record, "region", _PROFILE["region"], cut=True),
        carrier=fields.text(record, "carrier", _PROFILE["carrier"], cut=True),
        offer_types=_offer_types(record),
        emergency_dial_strings=fields.words(record, "emergencyDialStrings") or [],
        is_emergency_profile=bool(fields.truth(record, "isEmergencyProfile")),
        emergency_profile_id=fields.guid(record, "emergencyProfileId"),
        trunks=tuple(_trunk(trunk) for trunk in fields.objects(record, "trunksEnrolled")),
    )


def _offer_types(record: Record) -> list[str]:
    value = record.get("offerTypes")
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return [fields.text(one, "offerTypeName", 100, required=True) for one in value]
    return fields.words(record, "offerTypes") or []


def _trunk(record: Record) -> TrunkRecord:
    sbcs = fields.objects(record, "matchingSbcList")
    return TrunkRecord(
        fqdn=fields.text(record, "trunkFqdn", _TRUNK["fqdn"], required=True),
        trunk_id=fields.text(record, "trunkId", _TRUNK["trunk_id"]),
        sbc_fqdns=tuple(filter(None, (fields.text(sbc, "fqdn", 253) for sbc in sbcs))),
        sbc_names=tuple(filter(None, (fields.text(sbc, "name", 100, cut=True) for sbc in sbcs))),
    )


# Our column: Microsoft's name.
_ADDRESS_TEXTS = {
    "house_number": "houseNumber",
    "house_number_suffix": "houseNumberSuffix",
    "pre_directional": "preDirectional",
    "street_name": "streetName",
    "street_suffix": "streetSuffix",
    "post_directional": "postDirectional",
    "city": "cityOrTown",
    "city_alias": "cityOrTownAlias",
    "county": "countyOrDistrict",
    "state": "stateOrProvince",
    "postal_code": "postalOrZipCode",
    "description": "description",
    "company_name": "companyName",
    "company_id": "companyId",
    "validation_status": "validationStatus",
}


def parse_civic_address(record: Record) -> CivicAddressRecord:
    """A civic address. Over-long descriptive texts are cut visibly. Raises Unusable."""
    texts = {ours: fields.text(record, theirs, _ADDRESS[ours], cut=True) for ours, theirs in _ADDRESS_TEXTS.items()}
    return CivicAddressRecord(
        id=fields.required_guid(record, "id"),
        country=fields.country(record, "country", _ADDRESS["country"], required=True),
        latitude=fields.coordinate(record, "latitude", _ADDRESS["latitude"]),
        longitude=fields.coordinate(record, "longitude", _ADDRESS["longitude"]),
        default_location_id=fields.guid(record, "defaultLocationId"),
        locations=tuple(_location(location) for location in fields.objects(record, "locations")),
        **texts,
    )


def _location(record: Record) -> LocationRecord:
    return LocationRecord(
        id=fields.required_guid(record, "id"),
        description=fields.text(record, "description", _LOCATION["description"], cut=True),
        additional_info=fields.text(record, "additionalInfo", _LOCATION["additional_info"], cut=True),
        is_default=bool(fields.truth(record, "isDefault")),
        elin=fields.text(record, "elin", _LOCATION["elin"]),
    )


def parse_usage(record: Record) -> UsagePlan:
    """A capability plan. Raises Unusable."""
    return UsagePlan(
        name=fields.text(record, "name", 200, cut=True),
        usage=fields.text(record, "usage", _NUMBER["usage"], required=True),
        offer_types=fields.words(record, "offerTypes") or [],
        mandatory_capabilities=fields.words(record, "mandatoryCapabilities") or [],
        choosable_capabilities=fields.words(record, "choosableCapabilities") or [],
        supports_toll_free=bool(fields.truth(record, "supportsTollFree")),
    )
