"""The drift report: its list, the file of it, comparing now, and the way to a repair."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ocadmin.access.audit import Channel, record
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.console.filters import ListFilterSet
from ocadmin.console.lists import ListView
from ocadmin.console.paging import Page
from ocadmin.console.selection import Selection, SelectionLost
from ocadmin.tasks import services
from ocadmin.tasks.plans import Group
from ocadmin.tasks.services import AlreadyRunning

from .. import drift, drift_words
from ..exporting import drift as drift_file
from ..filters_drift import DriftFilter
from ..forms import DecisionForm
from ..models import DriftFinding, DriftRun
from ..models.customer import reached_by
from ..operations.drift import Repair, start
from ..operations.drift.repair import ADOPT, LEAVE, by_keys
from ..selecting import Offer, Selected, Verb, filter_of
from ..tables_drift import DriftTable
from .actions import SHOWN, Instead, Proposal, answer, count_of, what_changed

REPAIR = Repair()
LONGEST_KEY = 60


class DriftList(ListView):
    """The findings of the last complete report in the person's scope, the most severe first."""

    screen = "numbers:drift"
    title = gettext_lazy("Drift")
    subtitle = gettext_lazy("Where database, Microsoft and SBCs disagree")
    empty_text = gettext_lazy("Nothing disagrees, or nothing was compared yet.")
    queryset = DriftFinding.objects.current()
    table_class = DriftTable
    filterset_class = DriftFilter
    joins: ClassVar = {"customer": ("customer",), "sbc": ("sbc",)}
    optional: ClassVar = ("severity",)
    template_name = "numbers/drift_list.html"
    toolbar_template = "numbers/_drift_tools.html"

    def prepare(self, rows: list[Any]) -> None:
        """Whose the page's conflicting numbers are at Microsoft."""
        self.table.owners = drift_words.owners(rows, self.request.principal)

    def extra_context(self, page: Page, filterset: ListFilterSet | None) -> dict[str, Any]:
        """What may be done, the counts, and what the report is made of."""
        principal = self.request.principal
        allowed = principal.can(Permission.PUSH_SBC)
        context = {
            "actions": Offer(
                reverse("numbers:drift-choose"), filter_of(self.request), [Verb("repair", str(REPAIR.label), allowed)]
            ),
            "may_export": principal.can(Permission.EXPORT),
        }
        if self.swapping:
            return context
        run = DriftRun.objects.current().first()
        return context | {
            "run": run,
            "sources": drift.sources(run) if run else [],
            "unread": sum(bool(one.why) for one in drift.sources(run)) if run else 0,
            "left_out": sum(run.left_out.values()) if run else 0,
            "tiles": drift.by_kind(principal),
            "sees_sbcs": principal.can_everywhere(Permission.VIEW),
            "may_check": principal.can_everywhere(Permission.SYNC),
        }


drift_list = DriftList.as_view()


class RepairForm(forms.Form):
    """What to do with numbers that came from elsewhere and have rules."""

    unmanaged = forms.ChoiceField(
        label=gettext_lazy("Numbers that came from elsewhere and have a rule"),
        choices=[
            (LEAVE, gettext_lazy("Leave them and their rules alone")),
            (ADOPT, gettext_lazy("Take them over: they are managed here from now on, and their rules kept right")),
        ],
    )


@login_required
@require_POST
def check(request: SignedInRequest) -> HttpResponse:
    """Compare now, and go to the task, or to the one that is running already."""
    if not request.principal.can_everywhere(Permission.SYNC):
        raise PermissionDenied(_("Comparing reads all SBCs: it needs the permission “Synchronise” for all customers."))
    try:
        task = start(by=request.principal, channel=Channel.WEB)
    except AlreadyRunning as running:
        messages.info(request, str(running))
        task = running.task
    return redirect("tasks:detail", task.pk)


@login_required
@require_safe
def export(request: SignedInRequest) -> HttpResponseBase:
    """What the list with this query string shows, as CSV. 400 where the address says what the list cannot do."""
    principal = request.principal
    if not principal.can(Permission.EXPORT):
        raise PermissionDenied(_("Your role does not include exporting."))
    view = DriftList()
    view.setup(request)
    view.read(request)
    errors = view.filterset.form.errors.values() if view.filterset else ()
    problems = [str(error) for of_field in errors for error in of_field]
    if problems or view.notes:
        raise BadRequest(" ".join([_("Nothing was exported."), *view.notes, *problems]))
    rows = view.ordered().filter(reached_by(principal.scope(Permission.EXPORT)))
    name = f"drift-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    what = {"format": "csv", "filter": request.GET.urlencode()}
    record(
        "drift.export", by=principal, channel=Channel.WEB, object_type="export", object_id=name, label=name, after=what
    )
    return StreamingHttpResponse(drift_file.stream(rows, principal), headers=headers)


@login_required
@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    """Turn ticked findings, or "all that match", into a selection and go to the plan."""
    back = reverse("numbers:drift")
    if (given := request.POST.get("back", "")).startswith(f"{back}?"):
        back = given
    if request.POST.get("all"):
        selection = Selection(query=request.POST.get("query", "")[:4000])
    elif keys := request.POST.getlist("row"):
        selection = Selection(keys=tuple(sorted({key[:LONGEST_KEY] for key in keys})))
    else:
        messages.error(request, _("Nothing is selected. Tick findings, or “All that match”, then choose again."))
        return redirect(back)
    query = urlencode({"selection": selection.token(request.user.pk), "back": back})
    return redirect(f"{reverse('numbers:drift-repair')}?{query}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def repair(request: SignedInRequest) -> HttpResponse:
    """GET: the plan. POST: do it, unless the plan is no longer the one that was shown."""
    if missing := REPAIR.missing(request.principal):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": missing.label})
    back = request.GET.get("back", "")
    back = back if back.startswith(f"{reverse('numbers:drift')}?") else reverse("numbers:drift")
    try:
        selection = Selection.of(request.GET.get("selection", ""), request.user.pk)
    except SelectionLost:
        messages.error(request, _("This selection is not yours or is too old. Select the findings again."))
        return redirect(back)
    wanted = RepairForm({"unmanaged": request.GET.get("unmanaged", LEAVE)})
    params = wanted.cleaned_data if wanted.is_valid() else {"unmanaged": LEAVE}
    findings = _resolve(selection, request)
    plan = REPAIR.plan(findings, params, request.principal)
    proposal = Proposal(REPAIR, Selected(findings), params, plan, request.principal)
    form = DecisionForm(request.POST or None)
    changed = ""
    if request.method == "POST" and form.is_valid():
        if request.POST.get("shown") == proposal.shown and plan.will:
            return _submit(request, proposal, form.cleaned_data, back)
        changed = what_changed(request.POST.get("shown", ""), proposal.shown)
    code = request.GET.get("show", "")
    found: QuerySet[Any] = proposal.having(code)
    rows = found.select_related("customer", "sbc").order_by("e164")[:SHOWN]
    context = {
        "operation": REPAIR,
        "wanted": wanted,
        "proposal": proposal,
        "plan": plan,
        "form": form,
        "back": back,
        "hidden": {name: request.GET[name] for name in ("selection", "back") if name in request.GET},
        "changed": changed,
        "left_alone": [(group, _instead(group)) for group in plan.left_alone],
        "rows": rows if count_of(plan, code) else [],
        "rows_in_all": count_of(plan, code),
        "count": plan.total,
    }
    return render(request, "numbers/drift_repair.html", context, status=409 if changed else 200)


def _resolve(selection: Selection, request: SignedInRequest) -> QuerySet[Any]:
    """The selected findings that this person may see, in the report as it is now."""
    if selection.keys is not None:
        return by_keys(selection.keys).visible_to(request.principal)
    rows = DriftFinding.objects.current().visible_to(request.principal)
    filterset = DriftFilter(QueryDict(selection.query), rows, request=request)
    return filterset.qs


def _submit(request: SignedInRequest, proposal: Proposal, data: dict[str, Any], back: str) -> HttpResponse:
    title = ngettext("Repair %(count)d finding", "Repair %(count)d findings", proposal.plan.will)
    task = REPAIR.submit(
        proposal.selected.numbers,
        proposal.params | {"comment": data["comment"]},
        title=title % {"count": proposal.plan.will},
        by=request.principal,
        channel=Channel.WEB,
        ticket=data["ticket"],
    )
    return answer(request, services.wait(task), back)


def _instead(group: Group) -> Instead | None:
    """What the console offers for what is not repaired here."""
    if group.code in ("not_at_microsoft", "acquired_elsewhere", "microsoft_unknown"):
        return Instead(_("Number Management, to synchronise"), reverse("numbers:list"))
    return None
