"""Emergency addresses: civic addresses of customers and the locations inside them. Microsoft's data, read-only here."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Field
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ocadmin.access.request import Request
from ocadmin.console.lists import ListView

from ..filters_inventory import EmergencyAddressFilter
from ..models import CivicAddress, Location, PhoneNumber
from ..overview import numbers_url
from ..tables import validation_pill
from ..tables_inventory import EmergencyAddressTable, present_pill

LOCATIONS_SHOWN = 200

# The lines of the page, in the order in which an address is written.
ADDRESS_FIELDS = (
    "house_number",
    "house_number_suffix",
    "pre_directional",
    "street_name",
    "street_suffix",
    "post_directional",
    "city",
    "city_alias",
    "county",
    "state",
    "postal_code",
    "country",
    "company_name",
    "company_id",
    "description",
    "latitude",
    "longitude",
)


class EmergencyAddressList(ListView):
    """Addresses of the person's customers."""

    screen = "numbers:emergency-addresses"
    title = gettext_lazy("Emergency addresses")
    subtitle = gettext_lazy("Where the emergency services go when somebody calls from a number.")
    empty_text = gettext_lazy("Customers enter their addresses at Microsoft; a synchronisation reads them.")
    queryset = CivicAddress.objects.select_related("customer")
    table_class = EmergencyAddressTable
    filterset_class = EmergencyAddressFilter

    def prepare(self, rows: list[Any]) -> None:
        """Locations and numbers of the page's addresses, one grouped query each."""
        inside = Location.objects.filter(civic_address__in=rows, removed_at=None).order_by()
        locations = dict(inside.values_list("civic_address_id").annotate(n=Count("*")))
        pointing = PhoneNumber.objects.visible_to(self.request.principal).filter(civic_address__in=rows).order_by()
        numbers = dict(pointing.values_list("civic_address_id").annotate(n=Count("*")))
        for row in rows:
            row.location_count = locations.get(row.pk, 0)
            row.number_count = numbers.get(row.pk, 0)


emergency_address_list = EmergencyAddressList.as_view()


@login_required
@require_GET
def emergency_address_detail(request: Request, pk: uuid.UUID) -> HttpResponse:
    """One address: all its fields, its locations, and how many numbers point at each."""
    principal = request.principal
    addresses = CivicAddress.objects.visible_to(principal).select_related("customer")
    address = get_object_or_404(addresses, pk=pk)
    pointing = PhoneNumber.objects.visible_to(principal).filter(civic_address=address).order_by()
    counts = dict(pointing.values_list("location_id").annotate(n=Count("*")))
    locations: list[Any] = list(Location.objects.filter(civic_address=address)[: LOCATIONS_SHOWN + 1])
    for location in locations:
        location.number_count = counts.get(location.pk, 0)
        location.presence = present_pill(location.removed_at)
        location.numbers_url = numbers_url(address=address.pk, location=location.pk)
    context = {
        "address": address,
        "validation": validation_pill(address.validation_status),
        "fields": [(_label(name), getattr(address, name)) for name in ADDRESS_FIELDS],
        "locations": locations[:LOCATIONS_SHOWN],
        "more_locations": len(locations) > LOCATIONS_SHOWN,
        "number_count": sum(counts.values()),
        "numbers_url": numbers_url(address=address.pk),
    }
    return render(request, "numbers/emergency_address_detail.html", context)


def _label(name: str) -> str:
    """What a column of the model is called."""
    field: Field[Any, Any] = CivicAddress._meta.get_field(name)  # type: ignore[assignment]  # no relation backwards
    return str(field.verbose_name)
