"""What uploads are judged by: customers, profiles, places and usages, read once for all settings of a list."""

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from ... import routing
from ...microsoft.errors import MicrosoftError
from ...microsoft.operator_connect import OperatorConnect
from ...microsoft.records import UsagePlan
from ...models import CallingProfile, CivicAddress, Customer, Location
from .. import failures
from .settings import Settings

Usages = dict[str, UsagePlan]


@dataclass(frozen=True)
class Known:
    """Rows by their ids; what is missing here is not there, or not for this person.

    `usages`: customer to what its numbers may be used for. `unsaid`: customer to why that is not known.
    """

    customers: dict[int, Customer]
    profiles: dict[uuid.UUID, CallingProfile]
    locations: dict[uuid.UUID, Location]
    addresses: dict[uuid.UUID, CivicAddress]
    routed: dict[routing.Pair, frozenset[int]]  # the SBCs (ids) that carry their calls
    usages: dict[int, Usages] = field(default_factory=dict)
    unsaid: dict[int, str] = field(default_factory=dict)

    def address(self, settings: Settings) -> CivicAddress | None:
        """The civic address that the settings mean, in use at Microsoft and of their customer; None for none."""
        if settings.location is not None:
            location = self.locations.get(settings.location)
            found = location.civic_address if location is not None and location.removed_at is None else None
        else:
            found = self.addresses.get(settings.civic_address) if settings.civic_address is not None else None
        usable = found is not None and found.removed_at is None and found.customer_id == settings.customer
        return found if usable else None


def load(every: Collection[Settings], by: Principal, *, strict: bool = False) -> Known:
    """Read all that the settings name, within the scope in which `by` may upload.

    Asks Microsoft for the usages of customers of whom none are known. Where it does not answer, `unsaid` says so; with
    `strict` a MicrosoftError that concerns more than this customer is raised. Not for use inside a transaction.
    """
    customers = Customer.objects.visible_to(by, Permission.UPLOAD).in_bulk({one.customer for one in every})
    locations = Location.objects.select_related("civic_address")
    known = Known(
        customers=customers,
        profiles=CallingProfile.objects.in_bulk({one.calling_profile for one in every}),
        locations=locations.in_bulk({one.location for one in every if one.location}),
        addresses=CivicAddress.objects.in_bulk({one.civic_address for one in every if one.civic_address}),
        routed=_routed({(one.customer, one.calling_profile) for one in every}),
    )
    for customer in customers.values():
        try:
            known.usages[customer.pk] = usages_of(customer)
        except MicrosoftError as error:
            if strict and (error.retryable or failures.about_us(error)):
                raise
            known.unsaid[customer.pk] = error.message
    return known


def usages_of(customer: Customer) -> Usages:
    """What numbers of the customer may be used for, as the last synchronisation was told, else as Microsoft says now.

    Raises MicrosoftError.
    """
    if customer.usage_plans:
        plans = [_plan(one) for one in customer.usage_plans]
    else:
        plans = list(OperatorConnect().usages(customer.tenant_id))
    return {plan.usage: plan for plan in plans}


def name_of(plan: UsagePlan) -> str:
    """What a usage is called on the screens: Microsoft's name and its word."""
    return _("%(name)s (%(usage)s)") % {"name": plan.name, "usage": plan.usage} if plan.name else plan.usage


def _routed(pairs: set[routing.Pair]) -> dict[routing.Pair, frozenset[int]]:
    """The pairs of customer and profile whose calls some SBC of ours carries, with the SBCs."""
    ways_of = routing.ways(pairs)
    return {pair: frozenset(way.sbc.pk for way in ways) for pair, ways in ways_of.items() if ways}


def _plan(values: dict[str, Any]) -> UsagePlan:
    empty = asdict(UsagePlan("", "", [], [], [], supports_toll_free=False))
    return UsagePlan(**{name: values.get(name, default) for name, default in empty.items()})
