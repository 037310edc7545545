"""One number: its page with lazy tabs, each of which reads only what it shows."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import SignedInRequest

from .. import capabilities, drift_words, facts, on_one, routing_state
from ..lifecycle import Source
from ..models import DriftFinding, Location, PhoneNumber, SipConnection
from ..operations import hindrances
from ..operations.capabilities import Capabilities
from ..operations.relocate import Relocate
from ..search import number_fragment
from ..tables_drift import kind_pill
from . import departed, past
from .numbers import begin_sync


def _read(request: SignedInRequest, text: str) -> str:
    """The number that an address names, in E.164. Raises Http404 where it is none, PermissionDenied without a role."""
    e164 = number_fragment(text)
    if e164 is None or not e164.startswith("+"):
        raise Http404(
            _("“%s” is not a number. Write it with its plus and country, for example +442079460958.") % text[:30]
        )
    if not request.principal.can(Permission.VIEW):
        raise PermissionDenied
    return e164


def _find(request: SignedInRequest, e164: str, *related: str) -> PhoneNumber | None:
    """The number, if it is here and in scope."""
    found = PhoneNumber.objects.visible_to(request.principal).select_related("customer", *related)
    return found.filter(e164=e164).first()


def _details(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    return {"groups": facts.groups(number, _links(number))}


def _emergency(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    address = number.civic_address
    locations = Location.objects.filter(civic_address=address) if address else Location.objects.none()
    return {
        "address": address,
        "locations": list(locations[:100]) if address else [],
        "button": on_one.button(number, request.principal, Relocate.kind),
    }


def _capabilities(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    return {
        "rows": capabilities.compare(number.acquired_capabilities, number.available_capabilities),
        "button": on_one.button(number, request.principal, Capabilities.kind),
    }


def _routing(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    links, places = _links(number), routing_state.places(number)
    concerned = {link.sbc_id for link in links} | {place.sbc.pk for place in places}
    return {
        "links": links,
        "findings": _findings(request, number),
        "places": places,
        "hindrances": hindrances.find(hindrances.Doing.LOOKING, concerned) if concerned else [],
        "external": number.source == Source.EXTERNAL,
        "may_open": request.principal.can_everywhere(Permission.VIEW),
    }


def _findings(request: SignedInRequest, number: PhoneNumber) -> list[dict[str, Any]]:
    """What the drift report says of the number."""
    rows = DriftFinding.objects.current().visible_to(request.principal).filter(e164=number.e164)
    found = list(rows.select_related("sbc"))
    names = drift_words.owners(found, request.principal)
    return [
        {
            "kind": kind_pill(one),
            "sbc": one.sbc,
            "microsoft": drift_words.microsoft(one, names),
            "device": drift_words.device(one),
            "expected": drift_words.expected(one),
            "since": one.since,
            "stale": one.stale,
        }
        for one in found
    ]


def _history(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    return past.history(request, number.e164, number)


def _tasks(request: SignedInRequest, number: PhoneNumber) -> dict[str, Any]:
    return past.tasks(request, number.e164)


TABS: dict[str, tuple[Any, Callable[[SignedInRequest, PhoneNumber], dict[str, Any]], tuple[str, ...]]] = {
    "details": (gettext_lazy("Details"), _details, ("customer__channel", "calling_profile")),
    "emergency": (gettext_lazy("Emergency address"), _emergency, ("civic_address", "location")),
    "capabilities": (gettext_lazy("Capabilities"), _capabilities, ()),
    "routing": (gettext_lazy("SBC routing"), _routing, ("calling_profile",)),
    "history": (gettext_lazy("History"), _history, ()),
    "tasks": (gettext_lazy("Tasks"), _tasks, ()),
}


@login_required
@require_safe
def number_detail(request: SignedInRequest, e164: str) -> HttpResponse:
    """The page with the tab that the address names; for htmx only the region #number-tabs.

    A number that has left has a page of its own (departed.py).
    """
    tab = request.GET.get("tab", "details")
    tab = tab if tab in TABS else "details"
    _label, read, related = TABS[tab]
    known = _read(request, e164)
    number = _find(request, known, *related)
    if number is None:
        return departed.page(request, known)
    context = {
        "number": number,
        "tab": tab,
        "tabs": [(key, label) for key, (label, _read, _related) in TABS.items()],
        "panel": f"numbers/_number_{tab}.html",
    }
    swapping = request.htmx and request.htmx.target == "number-tabs" and not request.htmx.history_restore_request
    if not swapping:
        context["may_export"] = _covers(request.principal, Permission.EXPORT, number)
        context["may_sync"] = _covers(request.principal, Permission.SYNC, number)
        buttons = on_one.buttons(number, request.principal)
        context["buttons"] = [button for button in buttons if not button.why_not]
        context["not_possible"] = [button for button in buttons if button.why_not]
    template = "numbers/_number_panel.html" if swapping else "numbers/number_detail.html"
    response = render(request, template, context | read(request, number))
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@login_required
@require_POST
def number_sync(request: SignedInRequest, e164: str) -> HttpResponse:
    """Synchronise this number only."""
    known = _read(request, e164)
    number = _find(request, known)
    if number is None:
        raise Http404(_("There is no number %s here, or it is not within your scope.") % known[:20])
    if not _covers(request.principal, Permission.SYNC, number):
        raise PermissionDenied(_("Your role does not include synchronising this customer's numbers."))
    return begin_sync(request, number.get_absolute_url(), customers=[number.customer], numbers=[number.e164])


def _covers(principal: Principal, permission: Permission, number: PhoneNumber) -> bool:
    """Whether the permission reaches this number."""
    scope = principal.scope(permission)
    return scope.everything or number.customer_id in scope.customers or number.customer.channel_id in scope.channels


def _links(number: PhoneNumber) -> list[SipConnection]:
    """The SIP connections that carry the number."""
    links = SipConnection.objects.filter(customer=number.customer_id, calling_profile=number.calling_profile_id)
    return list(links.select_related("sbc").order_by("sbc__name"))
