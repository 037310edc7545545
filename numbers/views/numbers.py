"""Number Management: the list with its tabs, pasting a list, starting a synchronisation."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request, SignedInRequest
from ocadmin.console.filters import Chosen, ListFilterSet
from ocadmin.console.lists import ListView, ScopedRows
from ocadmin.console.paging import Page
from ocadmin.console.views import RUNNING_SHOWN
from ocadmin.tasks.models import ALIVE, Task, TaskState
from ocadmin.tasks.services import AlreadyRunning

from ..filters import NumberFilter, ReleasedFilter
from ..forms import PasteForm
from ..models import Customer, PhoneNumber, ReleasedNumber, SipConnection
from ..operations.imports import NEEDS
from ..operations.sync import OnHold
from ..operations.sync import start as start_sync
from ..pasted import Pasted, among, find, keep
from ..selecting import Offer, offer, offer_released
from ..tables import EmergencyTable, NumberTable, ReleasedTable


class NumberListView(ListView):
    """The tab All, and what the tabs have in common."""

    screen = "numbers:list"
    title = gettext_lazy("Operator Connect Number Management")
    empty_text = gettext_lazy("Numbers appear after an upload, or after the first synchronisation with Microsoft.")
    queryset: ScopedRows = PhoneNumber.objects.all()
    table_class = NumberTable
    filterset_class = NumberFilter
    template_name = "numbers/number_list.html"
    tabs_template = "numbers/_number_tabs.html"
    toolbar_template = "numbers/_number_tools.html"
    above_table_template = "numbers/_number_pasted.html"
    tie_breaker = "e164"
    joins: ClassVar = {"customer": ("customer",), "tenant": ("customer",), "address": ("civic_address",)}
    tab = ""
    pasted: Pasted | None = None

    def get_queryset(self) -> QuerySet[Any]:
        """Numbers in scope; those of a pasted list where the address names one."""
        rows = super().get_queryset()
        tab = self.request.GET.get("tab", "")
        if tab != self.tab:
            self.notes.append(_("There is no tab “%s”: these are all numbers.") % tab[:20])
        key = self.request.GET.get("list")
        if not key or self.queryset.model is not PhoneNumber:
            return rows
        self.pasted = find(key, self.request.user, rows)
        if self.pasted is None:
            self.notes.append(_("This pasted list is not yours, or it is older than a week: paste the numbers again."))
            return rows.none()
        return among(rows, self.pasted.id)

    def prepare(self, rows: list[Any]) -> None:
        """The SIP connections of the page's (customer, profile) pairs, in one query, when the column is shown."""
        if "sip_connection" in self.columns:
            self.table.sip_names = sip_names(rows)

    def chosen(self, filterset: ListFilterSet | None) -> list[Chosen]:
        """The filters, and the pasted list as one of them."""
        active = super().chosen(filterset)
        if self.pasted:
            count = ngettext("%(count)d number", "%(count)d numbers", self.pasted.count) % {"count": self.pasted.count}
            active.insert(0, Chosen(_("Pasted list"), count, ("list",)))
        return active

    def actions(self) -> Offer | None:
        """What may be done with the rows; None where nothing can be selected."""
        return offer(self.request) if self.table.selectable else None

    def extra_context(self, page: Page, filterset: ListFilterSet | None) -> dict[str, Any]:
        """The tabs, the form for pasting, what runs and when we last synchronised."""
        principal = self.request.principal
        context = {
            "actions": self.actions(),
            "tab": self.tab,
            "pasted": self.pasted,
            "paste_form": PasteForm(auto_id="paste_%s"),
            "may_sync": principal.can(Permission.SYNC),
            "may_upload": principal.can(Permission.UPLOAD),
            "may_import": any(principal.can(permission) for permission in NEEDS.values()),
            "may_export": principal.can(Permission.EXPORT),
        }
        return context if self.swapping else context | task_news(principal)


class EmergencyView(NumberListView):
    """The tab Emergency Address: numbers that have one, unless the filter asks otherwise."""

    screen = "numbers:list?tab=emergency"
    table_class = EmergencyTable
    joins: ClassVar = {
        "customer": ("customer",),
        "address": ("civic_address",),
        "location": ("location",),
        "validation": ("civic_address",),
        "elin": ("location",),
    }
    tab = "emergency"
    empty_text = gettext_lazy("No number has an emergency address.")

    def get_queryset(self) -> QuerySet[Any]:
        """Only numbers with an address, unless the filter says which."""
        rows = super().get_queryset()
        return rows if self.request.GET.get("address") else rows.filter(civic_address__isnull=False)

    def prepare(self, rows: list[Any]) -> None:
        """Nothing to look up."""


class ReleasedView(NumberListView):
    """The tab Released."""

    screen = "numbers:list?tab=released"
    queryset = ReleasedNumber.objects.all()
    table_class = ReleasedTable
    filterset_class = ReleasedFilter
    joins: ClassVar = {"customer": ("customer",)}
    tie_breaker = "pk"
    tab = "released"
    empty_text = gettext_lazy("No number has been released.")

    def prepare(self, rows: list[Any]) -> None:
        """Nothing to look up."""

    def actions(self) -> Offer | None:
        """Nothing is left to do to them but to end their quarantine."""
        return offer_released(self.request)


_TABS: dict[str, type[NumberListView]] = {"": NumberListView, "emergency": EmergencyView, "released": ReleasedView}


def tab_of(name: str) -> type[NumberListView]:
    """The list in a tab; an unknown tab is All."""
    return _TABS.get(name, NumberListView)


def number_list(request: Request) -> HttpResponseBase:
    """The list, in the tab that the address names."""
    return tab_of(request.GET.get("tab", "")).as_view()(request)


@require_safe
def released(request: Request) -> HttpResponse:
    """The tab Released by its own address; the query stays."""
    query = request.GET.copy()
    query["tab"] = "released"
    return redirect(f"{reverse('numbers:list')}?{query.urlencode()}")


@login_required
@require_POST
def paste(request: SignedInRequest) -> HttpResponse:
    """Keep a pasted list and show it, with the filters that were set (POST `back`: the list's query string)."""
    if not request.principal.can(Permission.VIEW):
        raise PermissionDenied
    query = QueryDict(request.POST.get("back", "")[:4000], mutable=True)
    query.pop("page", None)
    form = PasteForm(request.POST)
    if form.is_valid():
        reading = form.cleaned_data["numbers"]
        query["list"] = str(keep(reading, request.user))
        if reading.assumed_plus:
            added = ngettext(
                "%(count)d number came without a plus: it was added.",
                "%(count)d numbers came without a plus: it was added.",
                reading.assumed_plus,
            )
            messages.info(request, added % {"count": reading.assumed_plus})
    else:
        for error in form.errors["numbers"]:
            messages.error(request, str(error))
    return redirect(f"{reverse('numbers:list')}?{query.urlencode()}")


@login_required
@require_POST
def sync(request: Request) -> HttpResponse:
    """Synchronise with Microsoft: everything, or the customers that are this person's."""
    return begin_sync(request, customers=sync_customers(request.principal))


def begin_sync(request: Request, back: str = "numbers:list", **scope: Any) -> HttpResponse:
    """Start a synchronisation and go to its task, or to the one that is running already.

    Where all of it is on hold: say so on the page `back` (a name or address).
    """
    if not request.principal.can(Permission.SYNC):
        raise PermissionDenied(_("Your role does not include synchronising. An Operator or Admin can do it."))
    try:
        task = start_sync(by=request.principal, channel=Channel.WEB, **scope)
    except OnHold as held:
        messages.error(request, str(held))
        return redirect(back)
    except AlreadyRunning as busy:
        messages.info(request, str(busy))
        task = busy.task
    return redirect("tasks:detail", task.pk)


def sync_customers(principal: Principal) -> list[Customer] | None:
    """None for the whole system, otherwise the customers that this person may synchronise."""
    if principal.can_everywhere(Permission.SYNC):
        return None
    return list(Customer.objects.visible_to(principal, Permission.SYNC))


def sip_names(numbers: list[PhoneNumber]) -> dict[tuple[int, Any], list[str]]:
    """Names of the SIP connections for the (customer, profile) pairs of these numbers: IP-group name or SBC."""
    links = SipConnection.objects.filter(
        customer_id__in={number.customer_id for number in numbers},
        calling_profile_id__in={number.calling_profile_id for number in numbers},
    )
    names: dict[tuple[int, Any], list[str]] = {}
    for customer, profile, name, sbc in links.values_list("customer_id", "calling_profile_id", "name", "sbc__name"):
        names.setdefault((customer, profile), []).append(name or sbc)
    return {pair: sorted(found) for pair, found in names.items()}


def task_news(principal: Principal) -> dict[str, Any]:
    """The running tasks and the last finished synchronisation, in one query."""
    visible = Task.objects.visible_to(principal)
    synced = visible.filter(kind="sync", state__in=(TaskState.SUCCEEDED, TaskState.PARTIAL))
    last = synced.order_by("-created_at").values("pk")[:1]
    rows = visible.filter(Q(state__in=ALIVE) | Q(pk__in=last)).defer("params", "cursor", "result", "question")
    tasks = list(rows.order_by("-created_at")[: RUNNING_SHOWN + 2])
    running = [task for task in tasks if task.alive]
    return {
        "running_tasks": running[:RUNNING_SHOWN],
        "more_running": len(running) > RUNNING_SHOWN,
        "last_sync": next((task for task in tasks if not task.alive), None),
        "sees_all_tasks": principal.can_everywhere(Permission.VIEW),
    }
