"""Customers: who buys numbers, what they consented to, and whether we may act in their tenant."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ocadmin.access.audit import Channel as Through
from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request
from ocadmin.console.lists import ListView
from ocadmin.tasks.models import Task
from ocadmin.tasks.services import AlreadyRunning

from .. import drift, overview
from ..filters_inventory import CustomerFilter
from ..forms import HoldForm
from ..lifecycle import Status
from ..models import CallingProfile, ConnectionState, Customer, PhoneNumber
from ..operations import sync
from ..tables_inventory import CustomerTable, connection_pill, consent_pill

SHOWN = 10


class CustomerList(ListView):
    """Customers in the person's scope, by name."""

    screen = "numbers:customers"
    title = gettext_lazy("Customers")
    subtitle = gettext_lazy("Microsoft tenants that have given the operator their consent")
    empty_text = gettext_lazy("A synchronisation reads the tenants that have consented from Microsoft.")
    queryset = Customer.objects.all()
    table_class = CustomerTable
    filterset_class = CustomerFilter
    joins = {"channel": ("channel",)}

    def prepare(self, rows: list[Any]) -> None:
        """Number counts of the page's customers, by one grouped query instead of a join over all of them."""
        numbers = PhoneNumber.objects.filter(customer__in=rows).order_by()
        removal = Count("status", filter=Q(status=Status.MARKED_FOR_REMOVAL))
        counts = {
            pk: (n, gone) for pk, n, gone in numbers.values_list("customer_id").annotate(n=Count("*"), gone=removal)
        }
        for row in rows:
            row.number_count, row.removal_count = counts.get(row.pk, (0, 0))


customer_list = CustomerList.as_view()


def may(principal: Principal, permission: Permission, customer: Customer) -> bool:
    """Whether the permission reaches this customer."""
    scope = principal.scope(permission)
    return scope.everything or customer.pk in scope.customers or customer.channel_id in scope.channels


@login_required
@require_GET
def customer_detail(request: Request, tenant_id: uuid.UUID) -> HttpResponse:
    """One customer: facts, numbers counted, addresses, connections, profiles, tasks, history."""
    principal = request.principal
    customers = Customer.objects.visible_to(principal).select_related("channel")
    customer = get_object_or_404(customers, tenant_id=tenant_id)
    connections = list(customer.sip_connections.select_related("calling_profile", "sbc"))
    history = list(AuditEntry.objects.visible_to(principal).filter(customer_ref=customer.pk)[:SHOWN])
    addresses = list(customer.civic_addresses.filter(removed_at=None)[: SHOWN + 1])
    context = {
        "customer": customer,
        "consent": consent_pill(customer),
        "connection": connection_pill(customer),
        "not_connected": customer.connection == ConnectionState.NOT_CONNECTED,
        "addresses": addresses[:SHOWN],
        "more_addresses": len(addresses) > SHOWN,
        "connections": connections,
        "sees_sbcs": principal.can_everywhere(Permission.VIEW),
        "released": customer.released_numbers.count(),
        "tasks": list(Task.objects.visible_to(principal).filter(customer_ref=customer.pk)[:5]),
        "history": history,
        "open_tasks": _open_tasks(principal, {entry.task_ref for entry in history if entry.task_ref}),
        "drift": drift.by_kind(principal, customer=customer.pk),
        "may_sync": may(principal, Permission.SYNC, customer),
        "hold_form": HoldForm(auto_id="hold_%s"),
        "numbers_url": overview.numbers_url(customer=customer.pk),
    }
    return render(request, "numbers/customer_detail.html", context | _counts(customer))


def _open_tasks(principal: Principal, ids: set[int]) -> set[int]:
    """Those of the tasks that this person may open; the others are named without a link."""
    return set(Task.objects.visible_to(principal).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _counts(customer: Customer) -> dict[str, Any]:
    """The customer's numbers by status, assignment and calling profile, out of one grouped query."""
    numbers = customer.numbers.order_by()
    grouped = numbers.values_list("status", "assignment_status", "calling_profile_id").annotate(n=Count("*"))
    counts = overview.Counts.empty()
    profiles: dict[uuid.UUID, int] = {}
    for status, assignment, profile, count in grouped:
        counts.status[status] += count
        counts.assignment[assignment] += count
        if profile:
            profiles[profile] = profiles.get(profile, 0) + count
    names = CallingProfile.objects.in_bulk(list(profiles))
    return {
        "total": counts.total,
        "status": overview.status_chart(counts.status, customer=customer.pk),
        "assignment": overview.assignment_chart(counts.assignment, customer=customer.pk),
        "profiles": [
            (names[pk], count, overview.numbers_url(customer=customer.pk, profile=pk))
            for pk, count in sorted(profiles.items(), key=lambda pair: -pair[1])
        ],
    }


@login_required
@require_POST
def customer_sync(request: Request, tenant_id: uuid.UUID) -> HttpResponse:
    """Start a synchronisation of this customer and go to its task."""
    principal, customer = request.principal, _to_sync(request, tenant_id)
    try:
        task = sync.start(by=principal, channel=Through.WEB, customers=[customer])
    except sync.OnHold as held:
        messages.error(request, str(held))
        return redirect(customer)
    except AlreadyRunning as running:
        if Task.objects.visible_to(principal).filter(pk=running.task.pk).exists():
            messages.info(
                request, _("A synchronisation is running already: this is it. Start again when it has ended.")
            )
            return redirect("tasks:detail", pk=running.task.pk)
        messages.info(request, _("Another synchronisation is running. Try again in a few minutes."))
        return redirect(customer)
    messages.success(request, _("The synchronisation has started."))
    return redirect("tasks:detail", pk=task.pk)


@login_required
@require_POST
def customer_hold_sync(request: Request, tenant_id: uuid.UUID) -> HttpResponse:
    """Put this customer's synchronisation on hold (POST `reason`)."""
    customer, form = _to_sync(request, tenant_id), HoldForm(request.POST)
    if not form.is_valid():
        for error in form.errors["reason"]:
            messages.error(request, str(error))
    elif sync.hold(customer, reason=form.cleaned_data["reason"], by=request.principal, channel=Through.WEB):
        messages.success(request, _("The synchronisation of this customer is on hold."))
    else:
        messages.info(request, _("It was on hold already; nothing was changed."))
    return redirect(customer)


@login_required
@require_POST
def customer_resume_sync(request: Request, tenant_id: uuid.UUID) -> HttpResponse:
    """Let synchronisations of this customer go on."""
    customer = _to_sync(request, tenant_id)
    if sync.resume(customer, by=request.principal, channel=Through.WEB):
        messages.success(request, _("Resumed: the next synchronisation looks at this customer's numbers again."))
    else:
        messages.info(request, _("It was not on hold; nothing was changed."))
    return redirect(customer)


def _to_sync(request: Request, tenant_id: uuid.UUID) -> Customer:
    """The customer, where this person may synchronise it. Raises Http404 or PermissionDenied."""
    customer = get_object_or_404(Customer.objects.visible_to(request.principal), tenant_id=tenant_id)
    if not may(request.principal, Permission.SYNC, customer):
        raise PermissionDenied(_("Synchronising needs the permission “Synchronise” for this customer."))
    return customer
