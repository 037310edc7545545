"""Calling profiles: how calls are carried. Microsoft's data, read-only here."""

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request
from ocadmin.console.lists import ListView

from ..filters_inventory import CallingProfileFilter
from ..models import CallingProfile, Customer, PhoneNumber, Trunk
from ..overview import Bar, Chart, numbers_url
from ..tables_inventory import CallingProfileTable, offer_names

TOP_CUSTOMERS = 20


def trunks_of(profiles: list[Any], principal: Principal) -> dict[uuid.UUID, list[Trunk]]:
    """Trunks per profile in one query. The SBC behind a trunk is shown to people of the whole system only."""
    trunks = Trunk.objects.filter(profile__in=profiles)
    whole_system = principal.can_everywhere(Permission.VIEW)
    found: dict[uuid.UUID, list[Trunk]] = {}
    for trunk in trunks.select_related("sbc") if whole_system else trunks:
        if not whole_system:
            trunk.sbc = None
        found.setdefault(trunk.profile_id, []).append(trunk)
    return found


class CallingProfileList(ListView):
    """Profiles that the person's numbers use; all of them for the whole system."""

    screen = "numbers:calling-profiles"
    title = gettext_lazy("Calling profiles")
    subtitle = gettext_lazy("As Microsoft holds them. They are changed there, and read at each synchronisation.")
    empty_text = gettext_lazy("A synchronisation reads the operator's calling profiles from Microsoft.")
    queryset = CallingProfile.objects.all()
    table_class = CallingProfileTable
    filterset_class = CallingProfileFilter

    def prepare(self, rows: list[Any]) -> None:
        """Trunks and number counts of the page's profiles, one query each."""
        principal = self.request.principal
        trunks = trunks_of(rows, principal)
        numbers = PhoneNumber.objects.visible_to(principal).filter(calling_profile__in=rows).order_by()
        counts = dict(numbers.values_list("calling_profile_id").annotate(n=Count("*")))
        for row in rows:
            row.page_trunks = trunks.get(row.pk, [])
            row.number_count = counts.get(row.pk, 0)


calling_profile_list = CallingProfileList.as_view()


@login_required
@require_GET
def calling_profile_detail(request: Request, pk: uuid.UUID) -> HttpResponse:
    """One profile: its facts, its trunks, and whose numbers use it."""
    principal = request.principal
    profile = get_object_or_404(CallingProfile.objects.visible_to(principal), pk=pk)
    numbers = PhoneNumber.objects.visible_to(principal).filter(calling_profile=profile).order_by()
    counts = numbers.values_list("customer_id").annotate(n=Count("*")).order_by("-n", "customer_id")
    by_customer = dict(counts)
    names = Customer.objects.in_bulk(list(by_customer)[:TOP_CUSTOMERS])
    bars = [
        Bar(names[customer].full_name, by_customer[customer], numbers_url(profile=pk, customer=customer))
        for customer in names
    ]
    context = {
        "profile": profile,
        "offers": offer_names(profile),
        "trunks": trunks_of([profile], principal).get(profile.pk, []),
        "number_count": sum(by_customer.values()),
        "numbers_url": numbers_url(profile=pk),
        "customers": Chart(sorted(bars, key=lambda bar: -bar.count), len(by_customer) - len(bars)),
        "emergency_profile": _emergency_profile(profile, principal),
    }
    return render(request, "numbers/calling_profile_detail.html", context)


def _emergency_profile(profile: CallingProfile, principal: Principal) -> CallingProfile | None:
    """The profile that carries this one's emergency calls; None where there is none that the person may see."""
    if profile.emergency_profile_id is None:
        return None
    return CallingProfile.objects.visible_to(principal).filter(pk=profile.emergency_profile_id).first()
