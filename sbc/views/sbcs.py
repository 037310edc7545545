"""SBCs and the rules of their dial plans, to look at. Shared by customers: for people of the whole system only."""

from typing import Any

import django_filters
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ocadmin.access.permissions import Permission
from ocadmin.access.request import Request, SignedInRequest
from ocadmin.console.filters import ListFilterSet
from ocadmin.console.lists import ListView
from ocadmin.console.paging import COUNT_LIMIT, Page, bounded_count
from ocadmin.tasks.models import Task
from sbc import capacity, outstanding, rights
from sbc.examination import Examination
from sbc.models import SBC, DialPlanRule, PlanReading, SBCQuerySet, State
from sbc.tables import SBCTable
from sbc.trust import read

RULES_PER_PAGE = 50
PERIODS_SHOWN = 20


class SBCFilter(ListFilterSet):
    """?q=edge, ?state=offline."""

    q = django_filters.CharFilter(label=gettext_lazy("Name, FQDN or IP address"), method="search", max_length=100)

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"), choices=State.choices, empty_label=gettext_lazy("All")
    )

    class Meta:
        model = SBC
        fields: list[str] = []

    def search(self, queryset: SBCQuerySet, _name: str, value: str) -> SBCQuerySet:
        """A fragment of name, FQDN or address."""
        return queryset.search(value)


class SBCList(ListView):
    """All SBCs, with the size of their dial plans."""

    screen = "sbc:list"
    title = gettext_lazy("SBCs")
    subtitle = gettext_lazy("Session border controllers that carry the calls")
    empty_text = gettext_lazy("Somebody who may change SBCs has to add the first one.")
    template_name = "sbc/list.html"
    queryset = SBC.objects.all()
    table_class = SBCTable
    filterset_class = SBCFilter

    def get(self, request: SignedInRequest, **kwargs: Any) -> HttpResponse:
        """Refused with a sentence where the person's roles are for some customers only."""
        if request.principal.can(Permission.VIEW):
            rights.demand_sight(request.principal)
        return super().get(request, **kwargs)

    def extra_context(self, page: Page, filterset: ListFilterSet | None) -> dict[str, Any]:
        """Who may add one."""
        return {"may_manage": self.request.principal.can_everywhere(Permission.MANAGE_SBC)}

    def prepare(self, rows: list[Any]) -> None:
        """Our rules per SBC, what stands there, and how full its table is."""
        fillings = capacity.fillings(rows)
        for row in rows:
            filling = fillings[row.pk]
            row.wanted_count, row.present_count, row.share = filling.wanted, filling.present, filling.percent


sbc_list = SBCList.as_view()


def rules_page(rules: QuerySet[DialPlanRule], after: str) -> tuple[list[DialPlanRule], int | None]:
    """One page in order of the prefix, and the id to go on after (None: the end).

    `after` is the id of the last rule of the page before; where there is no such rule, it is the first page.
    """
    ordered = rules.order_by("prefix", "pk")
    last = rules.filter(pk=int(after)).first() if after.isascii() and after.isdigit() and len(after) < 19 else None
    if last is not None:
        ordered = ordered.filter(Q(prefix__gt=last.prefix) | Q(prefix=last.prefix, pk__gt=last.pk))
    page = list(ordered[: RULES_PER_PAGE + 1])
    return page[:RULES_PER_PAGE], page[RULES_PER_PAGE - 1].pk if len(page) > RULES_PER_PAGE else None


@login_required
@require_GET
def sbc_detail(request: Request, pk: int) -> HttpResponse:
    """One SBC: how it is and was, its facts, and its rules by page, searched by the start of their prefix."""
    return page(request, get_object_or_404(SBC.objects.visible_to(request.principal), pk=pk))


def page(request: Request, sbc: SBC, examination: Examination | None = None) -> HttpResponse:
    """The page of an SBC; `examination` is the result of a test that was just made."""
    words = request.GET.get("q", "").replace("\x00", "").strip().rstrip("#")[:50]
    rules = DialPlanRule.objects.filter(sbc=sbc)
    counts = rules.aggregate(
        all=Count("*"), wanted=Count("wanted", filter=Q(wanted=True)), present=Count("present", filter=Q(present=True))
    )
    found = rules.filter(prefix__startswith=words) if words else rules
    after = request.GET.get("after", "")
    shown, following = rules_page(found, after)
    found_count = bounded_count(found) if words else counts["all"]
    may_write = request.principal.can_everywhere(Permission.PUSH_SBC)
    context = {
        "sbc": sbc,
        "counts": counts,
        "words": words,
        "found": found_count,
        "found_text": f"{COUNT_LIMIT:,}+" if words and found_count > COUNT_LIMIT else f"{found_count:,}",
        "rules": shown,
        "after": after,
        "following": following,
        "todo": outstanding.todo(sbc),
        "reading": PlanReading.objects.current().filter(sbc=sbc).first(),
        "running": Task.objects.alive().filter(unique_key=outstanding.key_of(sbc)).first(),
        "periods": list(sbc.periods.all()[:PERIODS_SHOWN]),
        "asked_every": settings.ENV.sbc_health_seconds,
        "may_write": may_write,
        "may_manage": request.principal.can_everywhere(Permission.MANAGE_SBC),
        "pinned": read(sbc.pinned_certificate) if sbc.pinned_certificate else None,
        "examination": examination,
    }
    return render(request, "sbc/detail.html", context)
