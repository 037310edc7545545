"""The page of a number that has left: what it was, until when it rests, and what happened to it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.request import SignedInRequest

from .. import quarantine, timeline, wording
from ..facts import Fact
from ..models import PhoneNumber, ReleasedNumber
from . import past

LIVES = 10
_UNTOLD = frozenset({"id", "e164", "customer_id", "exact_times", "status"})  # said already, or of no meaning any more
_Lives = list[ReleasedNumber]


def page(request: SignedInRequest, e164: str) -> HttpResponse:
    """The page with the tab that the address names; for htmx only the region #number-tabs.

    Raises Http404 where nothing is known of the number, or nothing that this person may see: the same sentence.
    """
    released = ReleasedNumber.objects.visible_to(request.principal).filter(e164=e164)
    lives = list(released.select_related("customer__channel").order_by("-released_at", "-pk")[:LIVES])
    if not lives and not timeline.exists(e164, request.principal):
        raise Http404(_("There is no number %s here, or it is not within your scope.") % e164[:20])
    tab = request.GET.get("tab", "")
    tab = tab if tab in _TABS else "details"
    _label, read = _TABS[tab]
    context: dict[str, Any] = {
        "e164": e164,
        "last": lives[0] if lives else None,
        "tab": tab,
        "tabs": [(key, label) for key, (label, _read) in _TABS.items()],
        "panel": f"numbers/_{'departed' if tab == 'details' else 'number'}_{tab}.html",
    }
    swapping = request.htmx and request.htmx.target == "number-tabs" and not request.htmx.history_restore_request
    if not swapping and lives:
        context["quarantine"] = _quarantine(request, lives[0])
    template = "numbers/_number_panel.html" if swapping else "numbers/number_departed.html"
    response = render(request, template, context | read(request, e164, lives))
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


def _quarantine(request: SignedInRequest, row: ReleasedNumber) -> dict[str, Any]:
    """Whether it rests, and why this person may not end that; empty where they may."""
    plan = quarantine.plan(ReleasedNumber.objects.filter(pk=row.pk), request.principal)
    return {"resting": row.resting, "why_not": "" if plan.will else plan.left_alone[0].sentence}


def _details(request: SignedInRequest, _e164: str, lives: _Lives) -> dict[str, Any]:
    if not lives:
        return {"facts": [], "earlier": []}
    return {"facts": _facts(lives[0].record, request), "earlier": lives[1:]}


def _facts(record: Mapping[str, Any], request: SignedInRequest) -> list[Fact]:
    """What the row of the number held when it left, without what was empty."""
    names = wording.names_of([record], request.principal)
    columns = [field.attname for field in PhoneNumber._meta.concrete_fields if field.attname not in _UNTOLD]
    values = {column: wording.shown(column, record.get(column), names) for column in columns}
    return [Fact(wording.label(column), "", value) for column, value in values.items() if value is not None]


def _history(request: SignedInRequest, e164: str, _lives: _Lives) -> dict[str, Any]:
    return past.history(request, e164, None)


def _tasks(request: SignedInRequest, e164: str, _lives: _Lives) -> dict[str, Any]:
    return past.tasks(request, e164)


_TABS: dict[str, tuple[Any, Callable[[SignedInRequest, str, _Lives], dict[str, Any]]]] = {
    "details": (gettext_lazy("What it was"), _details),
    "history": (gettext_lazy("History"), _history),
    "tasks": (gettext_lazy("Tasks"), _tasks),
}
