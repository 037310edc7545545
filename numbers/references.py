"""Rows that a number points at, found by Microsoft's ids or made where they are not known yet.

A tenant, profile or address that no directory has listed is made under its bare id: the number is real, and losing it
because its profile is unknown would be worse than showing an id until the next synchronisation brings the name.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .models import CallingProfile, CivicAddress, Customer, Location


@dataclass(frozen=True)
class Place:
    """Where a number says its emergency location is. Either id may be None."""

    customer_id: int
    country: str
    location_id: uuid.UUID | None
    civic_address_id: uuid.UUID | None


def placeholder_name(tenant: uuid.UUID) -> str:
    """The name of a customer of whom only the tenant is known."""
    return _("Tenant %(id)s") % {"id": tenant}


def customers(tenants: set[uuid.UUID]) -> tuple[dict[uuid.UUID, int], list[Customer]]:
    """Tenant to the id of its customer row, and the customers that were made because their tenants were unknown."""
    known = dict(Customer.objects.filter(tenant_id__in=tenants).values_list("tenant_id", "pk"))
    unknown = tenants - known.keys()
    made: list[Customer] = []
    if unknown:
        rows = [Customer(tenant_id=tenant, full_name=placeholder_name(tenant)) for tenant in sorted(unknown)]
        Customer.objects.bulk_create(rows, ignore_conflicts=True)
        made = list(Customer.objects.filter(tenant_id__in=unknown).order_by("pk"))  # now with their ids
        known |= {customer.tenant_id: customer.pk for customer in made}
    return known, made


def profiles(wanted: set[uuid.UUID]) -> list[CallingProfile]:
    """Make the calling profiles that are not known yet. Returns them."""
    unknown = wanted - set(CallingProfile.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    made = [CallingProfile(pk=pk, name=str(pk)) for pk in sorted(unknown)]
    return CallingProfile.objects.bulk_create(made, ignore_conflicts=True)


def addresses(places: Iterable[Place]) -> tuple[Mapping[uuid.UUID, uuid.UUID], list[CivicAddress]]:
    """Location to its civic address, for all locations that `places` name and that belong to a known address.

    The second part are the addresses that were made.

    Addresses, and locations that come with their address, are made where unknown. A location that is unknown and
    comes without an address is left out of the answer.
    """
    places = list(places)
    named = {place.civic_address_id: place for place in places if place.civic_address_id}
    unknown = named.keys() - set(CivicAddress.objects.filter(pk__in=named).values_list("pk", flat=True))
    made = CivicAddress.objects.bulk_create(
        [
            CivicAddress(pk=pk, customer_id=named[pk].customer_id, country=named[pk].country[:2])
            for pk in sorted(unknown)
        ],
        ignore_conflicts=True,
    )
    wanted = {place.location_id: place.civic_address_id for place in places if place.location_id}
    known = dict(Location.objects.filter(pk__in=wanted).values_list("pk", "civic_address_id"))
    fresh = {pk: address for pk, address in wanted.items() if pk not in known and address is not None}
    Location.objects.bulk_create(
        [Location(pk=pk, civic_address_id=address) for pk, address in fresh.items()], ignore_conflicts=True
    )
    return known | fresh, made
