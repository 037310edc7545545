"""What one has to know to act: channels, customers, their emergency addresses, and the numbers that were released."""

import datetime
import uuid
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.paging import GuidKeysetParams, KeysetPage, KeysetParams, page_of
from ocadmin.api.rest import Moment, answers, json_answer

from ..models import Channel, CivicAddress, ConnectionState, Customer, Location, ReleasedNumber
from .lists import Tenant
from .naming import AskedNumber, customer_of

router = Router(tags=["customers"])


class CustomerRecord(Schema):
    """A customer. `ovocChannelId` is 0 where it came through no channel.

    `syncHeldSince`: its synchronisation is on hold since then; null: it is not.
    """

    id: int
    msTenantId: uuid.UUID
    name: str
    msCompanyName: str | None
    umpCustomerGuid: uuid.UUID | None
    ovocChannelId: int
    consentStatus: str
    consentedOn: datetime.datetime | None
    consentedCountries: list[str]
    connection: ConnectionState
    syncHeldSince: datetime.datetime | None
    syncHoldReason: str | None


class ChannelRecord(Schema):
    """A channel. `ovocChannelId` is what X-Ovoc-Channel-Id takes; null: it has none."""

    id: int
    name: str
    ovocChannelId: int | None


class LocationRecord(Schema):
    """A place inside an address. `id` is what a number's locationId says; null elin: none."""

    id: uuid.UUID
    description: str
    additionalInfo: str
    isDefault: bool
    elin: str | None


class AddressRecord(Schema):
    """A civic address with its places. `validationStatus` is Microsoft's word."""

    id: uuid.UUID
    msTenantId: uuid.UUID
    address: str
    country: str
    city: str
    postalCode: str
    companyName: str
    description: str
    validationStatus: str
    defaultLocationId: uuid.UUID | None
    locations: list[LocationRecord]


class ReleasedRecord(Schema):
    """A released number. `resting`: in quarantine, kept back from other customers."""

    id: int
    telephoneNumber: str
    tenantId: uuid.UUID
    customerName: str
    isoCountryCode: str | None
    callingProfileId: uuid.UUID | None
    source: str
    acquiredOn: datetime.datetime | None
    releasedAt: datetime.datetime
    releasedBy: str
    quarantineUntil: datetime.datetime
    resting: bool
    msJobId: uuid.UUID | None
    taskId: int | None


class WhichCustomers(KeysetParams):
    """Which customers."""

    msTenantId: Tenant = None
    name: str = Field("", max_length=200, description="A part of the name.")


class WhichAddresses(GuidKeysetParams):
    """Whose addresses."""

    msTenantId: Tenant = None


class WhichReleased(KeysetParams):
    """Which released numbers."""

    msTenantId: Tenant = None
    telephoneNumber: AskedNumber = Field("", description="The number, in E.164.")
    country: str = Field("", max_length=8, description="ISO code, such as GB.")
    resting: bool | None = Field(None, description="true: in quarantine; false: free again.")
    releasedAfter: Moment | None = Field(None, description="Released then or later.")
    releasedBefore: Moment | None = Field(None, description="Released before then.")


@router.get(
    "/v3/oc/channels",
    auth=may(Permission.VIEW),
    response=answers(KeysetPage[ChannelRecord]),
    summary="List channels",
)
def list_channels(request: HttpRequest, asked: Query[KeysetParams]) -> HttpResponse:
    """The channels that the client has a role in; all of them for the whole system."""
    found, link = page_of(request, asked, Channel.objects.visible_to(principal_behind(request)))
    data = [{"id": row.pk, "name": row.name, "ovocChannelId": row.ovoc_channel_id} for row in found]
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": data})


@router.get(
    "/v3/oc/customers",
    auth=may(Permission.VIEW),
    response=answers(KeysetPage[CustomerRecord]),
    summary="List customers",
)
def list_customers(request: HttpRequest, asked: Query[WhichCustomers]) -> HttpResponse:
    """The customers that the client reaches, with their tenant IDs."""
    rows = Customer.objects.visible_to(principal_behind(request)).select_related("channel")
    if asked.msTenantId:
        rows = rows.filter(tenant_id=asked.msTenantId)
    if asked.name:
        rows = rows.filter(full_name__icontains=asked.name)
    found, link = page_of(request, asked, rows)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [customer_record(row) for row in found]})


@router.get(
    "/v3/oc/emergency-addresses",
    auth=may(Permission.VIEW),
    response=answers(KeysetPage[AddressRecord]),
    summary="List emergency addresses",
)
def list_addresses(request: HttpRequest, asked: Query[WhichAddresses]) -> HttpResponse:
    """Civic addresses with the locations inside them, of one customer or of all; without those that are gone."""
    by = principal_behind(request)
    rows = CivicAddress.objects.visible_to(by).filter(removed_at=None).select_related("customer")
    if asked.msTenantId:
        rows = rows.filter(customer=customer_of(asked.msTenantId, by, Permission.VIEW))
    places = Location.objects.filter(removed_at=None).order_by("-is_default", "description", "pk")
    found, link = page_of(request, asked, rows.prefetch_related(Prefetch("locations", places)))
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [_address(row) for row in found]})


@router.get(
    "/v3/oc/released-numbers",
    auth=may(Permission.VIEW),
    response=answers(KeysetPage[ReleasedRecord]),
    summary="List released numbers",
)
def list_released(request: HttpRequest, asked: Query[WhichReleased]) -> HttpResponse:
    """Numbers that were given back, the last one first, and until when each rests."""
    by, now = principal_behind(request), timezone.now()
    rows = ReleasedNumber.objects.visible_to(by).select_related("customer").defer("record")
    if asked.msTenantId:
        rows = rows.filter(customer=customer_of(asked.msTenantId, by, Permission.VIEW))
    if asked.resting is not None:
        rows = rows.filter(**{"quarantine_until__gt" if asked.resting else "quarantine_until__lte": now})
    wanted = {
        "e164": asked.telephoneNumber,
        "iso_country_code__iexact": asked.country,
        "released_at__gte": asked.releasedAfter,
        "released_at__lt": asked.releasedBefore,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    found, link = page_of(request, asked, rows, newest_first=True)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [_released(row, now) for row in found]})


def customer_record(row: Customer) -> dict[str, Any]:
    """The fields of CustomerRecord; its channel is read."""
    return {
        "id": row.pk,
        "msTenantId": row.tenant_id,
        "name": row.full_name,
        "msCompanyName": row.ms_company_name or None,
        "umpCustomerGuid": row.ump_customer_guid,
        "ovocChannelId": (row.channel and row.channel.ovoc_channel_id) or 0,
        "consentStatus": row.consent_status,
        "consentedOn": row.consented_on,
        "consentedCountries": row.consented_countries,
        "connection": row.connection,
        "syncHeldSince": row.sync_held_at,
        "syncHoldReason": row.sync_hold_reason or None,
    }


def _address(row: CivicAddress) -> dict[str, Any]:
    return {
        "id": row.pk,
        "msTenantId": row.customer.tenant_id,
        "address": row.one_line,
        "country": row.country,
        "city": row.city,
        "postalCode": row.postal_code,
        "companyName": row.company_name,
        "description": row.description,
        "validationStatus": row.validation_status,
        "defaultLocationId": row.default_location_id,
        "locations": [
            {
                "id": place.pk,
                "description": place.description,
                "additionalInfo": place.additional_info,
                "isDefault": place.is_default,
                "elin": place.elin or None,
            }
            for place in row.locations.all()
        ],
    }


def _released(row: ReleasedNumber, now: datetime.datetime) -> dict[str, Any]:
    return {
        "id": row.pk,
        "telephoneNumber": row.e164,
        "tenantId": row.customer.tenant_id,
        "customerName": row.customer.full_name,
        "isoCountryCode": row.iso_country_code or None,
        "callingProfileId": row.calling_profile_id,
        "source": row.source,
        "acquiredOn": row.acquired_on,
        "releasedAt": row.released_at,
        "releasedBy": row.released_by,
        "quarantineUntil": row.quarantine_until,
        "resting": row.quarantine_until > now,
        "msJobId": row.ms_job_id,
        "taskId": row.task_ref,
    }
