"""The dashboard: what there is, what runs, and what needs a person."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from ocadmin.access.models import User
from ocadmin.access.permissions import Permission, Role
from ocadmin.access.request import Request
from sbc import overview as sbc_overview

from .. import overview
from ..lifecycle import Status
from ..tables_inventory import customer_problems

ADMINS_NAMED = 5


@login_required
@require_GET
def dashboard(request: Request) -> HttpResponse:
    """Counts with links to the lists behind them; for a person without a role, whom to ask for one."""
    principal = request.principal
    if not principal.can(Permission.VIEW):
        return render(request, "numbers/dashboard_no_role.html", {"admins": _admins()})
    counts = overview.count_numbers(principal)
    syncs = overview.last_syncs(principal)
    problems = overview.problems(principal)
    context = {
        "counts": counts,
        "fresh": not counts.total and not syncs,
        "waiting": counts.status[Status.MARKED_FOR_REMOVAL],
        "waiting_url": overview.numbers_url(status=Status.MARKED_FOR_REMOVAL.value),
        "pending": counts.status[Status.PENDING_FIRST_SYNC],
        "pending_url": overview.numbers_url(status=Status.PENDING_FIRST_SYNC.value),
        "status": overview.status_chart(counts.status),
        "assignment": overview.assignment_chart(counts.assignment),
        "customers": overview.customer_chart(counts.customer),
        "countries": overview.country_chart(counts.country),
        "syncs": [task for task in syncs if not task.alive][: overview.SYNCS_SHOWN],
        "next_sync": overview.next_sync(syncs),
        "now": timezone.now(),
        "sync_minutes": settings.ENV.sync_minutes,
        "tasks": overview.attention(principal),
        "sbcs": sbc_overview.read() if principal.can_everywhere(Permission.VIEW) else None,
        "problems": problems,
        "problem_lines": [
            {"customer": customer, "problems": customer_problems(customer)} for customer in problems.customers
        ],
        "may_sync": principal.can(Permission.SYNC),
        "may_sync_all": principal.can_everywhere(Permission.SYNC),
    }
    return render(request, "numbers/dashboard.html", context)


def _admins() -> list[User]:
    """A few people who may give roles, so that the page can say whom to ask."""
    whole_system = {"memberships__channel": None, "memberships__customer": None}
    admins = User.objects.filter(is_active=True, memberships__role=Role.ADMIN, **whole_system)
    return list((admins | User.objects.filter(is_active=True, is_superuser=True)).distinct()[:ADMINS_NAMED])
