"""What the rows of a file name: customers, profiles, places. Looked up by sets, each name once for a whole file."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from ocadmin.access.principal import Principal

from ...models import CallingProfile, CivicAddress, Customer, Location, SipConnection

AT_ONCE = 500
_NAMED = ("msTenantId", "customer", "callingProfileId", "callingProfile", "locationId", "civicAddressId")


class References:
    """Rows by what files call them. What is missing here is not there, or not for this person."""

    def __init__(self, by: Principal) -> None:
        self.by = by
        self.customers: dict[int, Customer] = {}
        self.tenants: dict[uuid.UUID, int] = {}
        self.names: dict[str, tuple[int, ...]] = {}
        self.profiles: dict[uuid.UUID, CallingProfile] = {}
        self.profile_names: dict[str, tuple[uuid.UUID, ...]] = {}
        self.locations: dict[uuid.UUID, Location] = {}
        self.addresses: dict[uuid.UUID, CivicAddress] = {}
        self._asked: dict[str, set[Any]] = defaultdict(set)
        self._only_profile: dict[int, uuid.UUID | None] = {}

    def look_up(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Read what these rows (column to value) name and nobody has asked for yet."""
        wanted: dict[str, set[Any]] = defaultdict(set)
        for values in rows:
            for name in _NAMED:
                if isinstance(value := values.get(name), uuid.UUID | str):
                    wanted[name].add(value)
        for name, named in wanted.items():
            fresh = sorted(named - self._asked[name], key=str)
            self._asked[name] |= named
            for start in range(0, len(fresh), AT_ONCE):
                getattr(self, f"_read_{name}")(fresh[start : start + AT_ONCE])

    def only_profile(self, customer: int) -> uuid.UUID | None:
        """The calling profile of a customer that has just one."""
        if customer not in self._only_profile:
            links = SipConnection.objects.filter(customer=customer, calling_profile__removed_at=None)
            found = set(links.order_by().values_list("calling_profile_id", flat=True).distinct()[:2]) - {None}
            self._only_profile[customer] = found.pop() if len(found) == 1 else None
        return self._only_profile[customer]

    def _read_msTenantId(self, tenants: list[uuid.UUID]) -> None:
        self._keep(self._visible().filter(tenant_id__in=tenants))

    def _read_customer(self, names: list[str]) -> None:
        lower = [name.casefold() for name in names]
        called = Q(lower_name__in=lower) | Q(lower_ms_name__in=lower)
        called |= Q(full_name__in=names)  # SQLite knows small letters of ASCII only
        rows = self._visible().annotate(lower_name=Lower("full_name"), lower_ms_name=Lower("ms_company_name"))
        self._keep(rows.filter(called))

    def _visible(self) -> QuerySet[Customer]:
        return Customer.objects.visible_to(self.by)

    def _keep(self, customers: QuerySet[Customer]) -> None:
        for customer in customers:
            self.customers[customer.pk] = customer
            self.tenants[customer.tenant_id] = customer.pk
            for name in {customer.full_name.casefold(), customer.ms_company_name.casefold()} - {""}:
                self.names[name] = tuple(dict.fromkeys((*self.names.get(name, ()), customer.pk)))

    def _read_callingProfileId(self, ids: list[uuid.UUID]) -> None:
        self._keep_profiles(CallingProfile.objects.filter(pk__in=ids))

    def _read_callingProfile(self, names: list[str]) -> None:
        called = Q(lower_name__in=[name.casefold() for name in names]) | Q(name__in=names)
        self._keep_profiles(CallingProfile.objects.annotate(lower_name=Lower("name")).filter(called))

    def _keep_profiles(self, profiles: QuerySet[CallingProfile]) -> None:
        for profile in profiles:
            self.profiles[profile.pk] = profile
            key = profile.name.casefold()
            self.profile_names[key] = tuple(dict.fromkeys((*self.profile_names.get(key, ()), profile.pk)))

    def _read_locationId(self, ids: list[uuid.UUID]) -> None:
        self._keep_locations(Location.objects.filter(pk__in=ids))

    def _keep_locations(self, locations: QuerySet[Location]) -> None:
        """Only of customers that this person may see: a GUID of somebody else's place is an unknown one."""
        visible = locations.filter(civic_address__customer__in=self._visible()).select_related("civic_address")
        self.locations |= {row.pk: row for row in visible}

    def _read_civicAddressId(self, ids: list[uuid.UUID]) -> None:
        found = CivicAddress.objects.filter(pk__in=ids, customer__in=self._visible()).in_bulk()
        self.addresses |= found
        defaults = {one.default_location_id for one in found.values() if one.default_location_id is not None}
        self._keep_locations(Location.objects.filter(pk__in=defaults))
