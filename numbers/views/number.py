"""One number: its page with lazy tabs, each of which reads only what it shows."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request
from ocadmin.console.paging import Page, paginate, read_number
from ocadmin.tasks.models import Task, TaskItem
from sbc.models import DialPlanRule

from .. import capabilities, facts
from ..history import OBJECT_TYPE, changes
from ..lifecycle import Source
from ..models import Location, PhoneNumber, SipConnection
from ..search import number_fragment
from .numbers import begin_sync

ROWS = 25


def _find(request: Request, text: str, *related: str) -> PhoneNumber:
    """The number in scope. Raises Http404 with a sentence that does not tell whether somebody else has it."""
    e164 = number_fragment(text)
    if e164 is None or not e164.startswith("+"):
        raise Http404(
            _("“%s” is not a number. Write it with its plus and country, for example +442079460958.") % text[:30]
        )
    if not request.principal.can(Permission.VIEW):
        raise PermissionDenied
    found = PhoneNumber.objects.visible_to(request.principal).select_related("customer", *related)
    number = found.filter(e164=e164).first()
    if number is None:
        raise Http404(_("There is no number %s here, or it is not within your scope.") % e164[:20])
    return number


def _details(request: Request, number: PhoneNumber) -> dict[str, Any]:
    return {"groups": facts.groups(number, _links(number))}


def _emergency(request: Request, number: PhoneNumber) -> dict[str, Any]:
    address = number.civic_address
    locations = Location.objects.filter(civic_address=address) if address else Location.objects.none()
    return {"address": address, "locations": list(locations[:100]) if address else []}


def _capabilities(request: Request, number: PhoneNumber) -> dict[str, Any]:
    return {"rows": capabilities.compare(number.acquired_capabilities, number.available_capabilities)}


def _routing(request: Request, number: PhoneNumber) -> dict[str, Any]:
    prefixes = (number.e164, number.e164.removeprefix("+"))
    return {
        "links": _links(number),
        "rules": list(DialPlanRule.objects.filter(prefix__in=prefixes).select_related("sbc")),
        "external": number.source == Source.EXTERNAL,
        "may_open": request.principal.can_everywhere(Permission.VIEW),
    }


def _history(request: Request, number: PhoneNumber) -> dict[str, Any]:
    entries = AuditEntry.objects.visible_to(request.principal).filter(object_type=OBJECT_TYPE, object_id=number.e164)
    page = _page(request, entries.order_by("-at", "-pk"))
    for entry in page.rows:
        entry.changes = changes(entry)
    return {"page": page, "open_tasks": _open_tasks(request.principal, [entry.task_ref for entry in page.rows])}


def _tasks(request: Request, number: PhoneNumber) -> dict[str, Any]:
    items = TaskItem.objects.visible_to(request.principal).filter(key=number.e164)
    page = _page(request, items.select_related("task").order_by("-updated_at", "-pk"))
    return {"page": page, "open_tasks": _open_tasks(request.principal, [item.task_id for item in page.rows])}


TABS: dict[str, tuple[Any, Callable[[Request, PhoneNumber], dict[str, Any]], tuple[str, ...]]] = {
    "details": (gettext_lazy("Details"), _details, ("customer__channel", "calling_profile")),
    "emergency": (gettext_lazy("Emergency address"), _emergency, ("civic_address", "location")),
    "capabilities": (gettext_lazy("Capabilities"), _capabilities, ()),
    "routing": (gettext_lazy("SBC routing"), _routing, ("calling_profile",)),
    "history": (gettext_lazy("History"), _history, ()),
    "tasks": (gettext_lazy("Tasks"), _tasks, ()),
}


@login_required
@require_safe
def number_detail(request: Request, e164: str) -> HttpResponse:
    """The page with the tab that the address names; for htmx only the region #number-tabs."""
    tab = request.GET.get("tab", "details")
    tab = tab if tab in TABS else "details"
    _label, read, related = TABS[tab]
    number = _find(request, e164, *related)
    context = {
        "number": number,
        "tab": tab,
        "tabs": [(key, label) for key, (label, _read, _related) in TABS.items()],
        "panel": f"numbers/_number_{tab}.html",
        "may_sync": _covers(request.principal, Permission.SYNC, number),
    }
    swapping = request.htmx and request.htmx.target == "number-tabs" and not request.htmx.history_restore_request
    template = "numbers/_number_panel.html" if swapping else "numbers/number_detail.html"
    response = render(request, template, context | read(request, number))
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@login_required
@require_POST
def number_sync(request: Request, e164: str) -> HttpResponse:
    """Synchronise this number only."""
    number = _find(request, e164)
    if not _covers(request.principal, Permission.SYNC, number):
        raise PermissionDenied(_("Your role does not include synchronising this customer's numbers."))
    return begin_sync(request, customers=[number.customer], numbers=[number.e164])


def _covers(principal: Principal, permission: Permission, number: PhoneNumber) -> bool:
    """Whether the permission reaches this number."""
    scope = principal.scope(permission)
    return scope.everything or number.customer_id in scope.customers or number.customer.channel_id in scope.channels


def _links(number: PhoneNumber) -> list[SipConnection]:
    """The SIP connections that carry the number."""
    links = SipConnection.objects.filter(customer=number.customer_id, calling_profile=number.calling_profile_id)
    return list(links.select_related("sbc").order_by("sbc__name"))


def _page(request: Request, rows: QuerySet[Any]) -> Page:
    return paginate(rows, rows, read_number(request.GET.get("page")) or 1, ROWS)


def _open_tasks(principal: Principal, ids: list[int | None]) -> set[int]:
    """Those of the tasks that this person may open; the others are named without a link."""
    wanted = {pk for pk in ids if pk is not None}
    if not wanted:
        return set()
    tasks = Task.objects.visible_to(principal).filter(pk__in=wanted)
    return set(tasks.values_list("pk", flat=True))
