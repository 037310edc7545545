"""Calling profiles, and customers as leads. Read only. Source: live-platform.md, 3.8 and 3.10."""

import datetime
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, json_answer, reads

from ..models import CallingProfile, CivicAddress, Customer, Location, Trunk
from .lists import MOST_ROWS, Tenant

router = Router(tags=["directory"])

ACTIVE = "active"


class OfferType(Schema):
    """What a profile is for."""

    offerTypeName: str
    testNumbers: list[str]


class MatchingSbc(Schema):
    """An SBC that a trunk ends on."""

    sbcId: int
    fqdn: str | None
    ipAddress: str | None
    name: str


class EnrolledTrunk(Schema):
    """A trunk of a profile."""

    trunkFqdn: str
    trunkId: str | None
    matchingSbcList: list[MatchingSbc]


class Profile(Schema):
    """A calling profile. `enviroment` is spelt as the reference spells it."""

    additionalSbcList: list[MatchingSbc]
    callingProfileId: uuid.UUID
    name: str
    enviroment: str | None
    region: str | None
    carrier: str | None
    offerTypes: list[OfferType]
    emergencyDialStrings: list[str]
    isEmergencyProfile: bool
    emergencyProfileId: uuid.UUID | None
    trunksEnrolled: list[EnrolledTrunk]
    validation: dict[str, str]


@reads(
    router,
    "/v3/oc/callingprofile",
    "/v2/oc/callingprofile",
    twins=("/v3/oc/callingprofiles", "/v2/oc/callingprofiles"),
    auth=may(Permission.VIEW),
    response=answers(list[Profile]),
    summary="List calling profiles",
)
def list_calling_profiles(request: HttpRequest) -> HttpResponse:
    """The profiles of the numbers and SIP connections that the client sees, with the SBCs behind their trunks."""
    trunks = Prefetch("trunks", Trunk.objects.select_related("sbc").order_by("fqdn"))
    profiles = CallingProfile.objects.visible_to(principal_behind(request)).filter(removed_at=None)
    return json_answer([_profile(one) for one in profiles.prefetch_related(trunks).order_by("name", "pk")])


def _profile(profile: CallingProfile) -> dict[str, Any]:
    return {
        "additionalSbcList": [],
        "callingProfileId": profile.pk,
        "name": profile.name,
        "enviroment": None,
        "region": profile.region or None,
        "carrier": profile.carrier or None,
        "offerTypes": [{"offerTypeName": word, "testNumbers": []} for word in profile.offer_types],
        "emergencyDialStrings": profile.emergency_dial_strings,
        "isEmergencyProfile": profile.is_emergency_profile,
        "emergencyProfileId": profile.emergency_profile_id,
        "trunksEnrolled": [_trunk(trunk) for trunk in profile.trunks.all()],
        "validation": {},
    }


def _trunk(trunk: Trunk) -> dict[str, Any]:
    sbc = trunk.sbc
    found = [{"sbcId": sbc.pk, "fqdn": sbc.fqdn or None, "ipAddress": sbc.ip_address, "name": sbc.name}] if sbc else []
    return {"trunkFqdn": trunk.fqdn, "trunkId": trunk.trunk_id or None, "matchingSbcList": found}


class LeadsAsked(Params):
    """Which leads."""

    msTenantId: Tenant = None
    pageNumber: int = Field(1, ge=0, le=10_000_000, description="The page, from 1; 0 is the first as well.")
    page: int | None = Field(None, ge=0, le=10_000_000, description="The same as pageNumber.")
    pageSize: int = Field(10, ge=1, le=MOST_ROWS, description="Leads on a page.")
    checkOnline: bool = Field(False, description="Accepted; synchronisation keeps the leads fresh.")


class Contact(Schema):
    """Somebody to talk to."""

    fullName: str | None
    email: str | None
    phoneNumber: str | None
    companyName: str | None
    companySize: str | None


class Place(Schema):
    """A place inside a civic address."""

    id: uuid.UUID
    civicAddressId: uuid.UUID
    description: str | None
    additionalInfo: str | None
    isDefault: bool
    elin: str | None


class Address(Schema):
    """A civic address, as Microsoft holds it."""

    id: uuid.UUID
    country: str
    houseNumber: str | None
    houseNumberSuffix: str | None
    preDirectional: str | None
    streetName: str | None
    streetSuffix: str | None
    postDirectional: str | None
    stateOrProvince: str | None
    countyOrDistrict: str | None
    cityOrTown: str | None
    cityOrTownAlias: str | None
    postalOrZipCode: str | None
    description: str | None
    companyName: str | None
    companyId: str | None
    defaultLocationId: uuid.UUID | None
    validationStatus: str | None
    tenantId: uuid.UUID
    partnerId: str | None
    locations: list[Place]


class Lead(Schema):
    """A customer, with its consent. There is one for each tenant, so `id` is the tenant's."""

    civicAddresses: list[Address]
    comments: str | None
    umpCustomerGuid: uuid.UUID | None
    isNotActive: bool
    channelId: int | None
    ovocChannelId: int | None
    isDirectLead: bool
    id: uuid.UUID
    tenantId: uuid.UUID
    tenantOrigin: str | None
    operatorId: str | None
    status: str | None
    consentedOn: datetime.datetime | None
    lastModifiedOn: datetime.datetime | None
    consentedCountries: list[str]
    contactDetails: Contact
    contacts: list[Contact]


@reads(
    router,
    "/v3/oc/lead",
    "/v2/oc/lead",
    twins=("/v3/oc/leads", "/v2/oc/leads"),
    auth=may(Permission.VIEW),
    response=answers(list[Lead]),
    summary="List leads",
)
def list_leads(request: HttpRequest, asked: Query[LeadsAsked]) -> HttpResponse:
    """Customers with their consents and emergency addresses, by name: one page, or the one of a tenant, as an array."""
    customers = Customer.objects.visible_to(principal_behind(request)).select_related("channel")
    if asked.msTenantId is not None:
        customers = customers.filter(tenant_id=asked.msTenantId)
    places = Prefetch("locations", Location.objects.filter(removed_at=None))
    addresses = Prefetch("civic_addresses", CivicAddress.objects.filter(removed_at=None).prefetch_related(places))
    number = max(asked.pageNumber if asked.page is None else asked.page, 1)
    first = (number - 1) * asked.pageSize if asked.msTenantId is None else 0
    rows = customers.prefetch_related(addresses).order_by("full_name", "pk")[first : first + asked.pageSize]
    found = [_lead(one) for one in rows]
    if asked.msTenantId is not None and not found:
        raise Problem(404, "tenant_not_found", _("There is no customer with the tenant ID %s.") % asked.msTenantId)
    return json_answer(found)


def _lead(customer: Customer) -> dict[str, Any]:
    contacts = [_contact(one, customer) for one in customer.contacts if isinstance(one, dict)]
    channel = customer.channel.ovoc_channel_id if customer.channel else None
    status = customer.consent_status
    return {
        "civicAddresses": [_address(one, customer) for one in customer.civic_addresses.all()],
        "comments": None,
        "umpCustomerGuid": customer.ump_customer_guid,
        "isNotActive": status.lower() != ACTIVE,
        "channelId": channel,
        "ovocChannelId": channel,
        "isDirectLead": False,
        "id": customer.tenant_id,
        "tenantId": customer.tenant_id,
        "tenantOrigin": None,
        "operatorId": settings.ENV.operator_id or None,
        "status": status[:1].upper() + status[1:] or None,
        "consentedOn": customer.consented_on,
        "lastModifiedOn": None,
        "consentedCountries": customer.consented_countries,
        "contactDetails": contacts[0] if contacts else _contact({}, customer),
        "contacts": contacts,
    }


def _contact(contact: dict[str, Any], customer: Customer) -> dict[str, Any]:
    """Only the words that are documented, whatever else Microsoft may have told."""
    phone = contact.get("phoneNumber") or contact.get("telephoneNumber")
    company = contact.get("companyName") or customer.ms_company_name
    words = {"fullName": contact.get("fullName"), "email": contact.get("email"), "phoneNumber": phone}
    words |= {"companyName": company, "companySize": contact.get("companySize")}
    return {name: str(value) if value else None for name, value in words.items()}


def _address(address: CivicAddress, customer: Customer) -> dict[str, Any]:
    words = {
        "houseNumber": address.house_number,
        "houseNumberSuffix": address.house_number_suffix,
        "preDirectional": address.pre_directional,
        "streetName": address.street_name,
        "streetSuffix": address.street_suffix,
        "postDirectional": address.post_directional,
        "stateOrProvince": address.state,
        "countyOrDistrict": address.county,
        "cityOrTown": address.city,
        "cityOrTownAlias": address.city_alias,
        "postalOrZipCode": address.postal_code,
        "description": address.description,
        "companyName": address.company_name,
        "companyId": address.company_id,
    }
    return {
        "id": address.pk,
        "country": address.country,
        **{name: text or None for name, text in words.items()},
        "defaultLocationId": address.default_location_id,
        "validationStatus": address.validation_status or None,
        "tenantId": customer.tenant_id,
        "partnerId": None,
        "locations": [_place(one) for one in address.locations.all()],
    }


def _place(location: Location) -> dict[str, Any]:
    return {
        "id": location.pk,
        "civicAddressId": location.civic_address_id,
        "description": location.description or None,
        "additionalInfo": location.additional_info or None,
        "isDefault": location.is_default,
        "elin": location.elin or None,
    }
