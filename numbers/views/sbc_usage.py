"""Who uses an SBC: the part of the SBC's page that only this room can tell."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from ocadmin.access.request import Request
from sbc.models import SBC

from ..models import SipConnection, Trunk

SHOWN = 100


@login_required
@require_GET
def sbc_usage(request: Request, pk: int) -> HttpResponse:
    """Customers, trunks and calling profiles that use the SBC: a fragment for htmx, a page of its own otherwise."""
    sbc = get_object_or_404(SBC.objects.visible_to(request.principal), pk=pk)
    connections = SipConnection.objects.filter(sbc=sbc).order_by("customer__full_name", "calling_profile__name")
    total = connections.aggregate(customers=Count("customer", distinct=True), connections=Count("pk"))
    context = {
        "sbc": sbc,
        "total": total,
        "connections": list(connections.select_related("customer", "calling_profile")[:SHOWN]),
        "shown": SHOWN,
        "trunks": list(Trunk.objects.filter(sbc=sbc).select_related("profile")[:SHOWN]),
    }
    return render(request, "numbers/_sbc_usage.html" if request.htmx else "numbers/sbc_usage.html", context)
