"""From a selection to a task: choose, say what to change, look at the plan, confirm."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.request import SignedInRequest
from ocadmin.console.selection import Fingerprint, Selection, SelectionLost
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskState

from ..action_forms import FORMS, ActionForm
from ..forms import DecisionForm
from ..models import PhoneNumber
from ..operations import ON_NUMBERS
from ..operations.base import NumberOperation
from ..operations.plan import Group, Plan
from ..selecting import Selected, resolve

SHOWN = 200


@dataclass(frozen=True)
class Proposal:
    """A plan with all that made it; `shown` says which plan a person has seen."""

    operation: NumberOperation
    selected: Selected
    params: dict[str, Any]
    plan: Plan

    @property
    def shown(self) -> str:
        """Which numbers, and how many of them will change."""
        return f"{Fingerprint.of(self.selected.numbers).mark}/{self.plan.will}"


@dataclass(frozen=True)
class Instead:
    """Another operation that would do for numbers that are refused: a link that carries the same selection."""

    label: str
    url: str


@login_required
@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    """Turn ticked rows, or "all that match", into a selection and go to the plan of the action."""
    operation = _operation(request.POST.get("action", ""))
    back = way_back(request, request.POST.get("back", ""))
    if request.POST.get("all"):
        selection = Selection(query=request.POST.get("query", "")[:4000])
    elif keys := request.POST.getlist("row"):
        selection = Selection(keys=tuple(sorted({key[:16] for key in keys})))
    else:
        messages.error(request, _("Nothing is selected. Tick numbers, or “All that match”, then choose again."))
        return redirect(back)
    query = urlencode({"selection": selection.token(request.user.pk), "back": back})
    return redirect(f"{reverse('numbers:act', args=[operation.kind])}?{query}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: SignedInRequest, kind: str) -> HttpResponse:
    """GET: what to change, then the plan. POST: do it, unless the plan is no longer the one that was shown."""
    operation = _operation(kind)
    if missing := operation.missing(request.principal):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": missing.label})
    back = way_back(request, request.GET.get("back", ""))
    try:
        selection = Selection.of(request.GET.get("selection", ""), request.user.pk)
    except SelectionLost:
        messages.error(request, _("This selection is not yours or is too old. Select the numbers again."))
        return redirect(back)
    selected = resolve(selection, request)
    wanted = _wanted(request, kind, selected)
    proposal = _propose(request, operation, selected, wanted)
    if request.GET.get("format") == "json":
        return _as_json(operation, wanted, proposal)
    form = DecisionForm(request.POST or None)
    changed = ""
    if request.method == "POST" and proposal is not None and form.is_valid():
        if request.POST.get("shown") == proposal.shown and proposal.plan.will:
            return _submit(request, proposal, form.cleaned_data, back)
        changed = what_changed(request.POST.get("shown", ""), proposal.plan)
    context = {
        "operation": operation,
        "wanted": wanted,
        "proposal": proposal,
        "plan": proposal.plan if proposal else None,
        "form": form,
        "back": back,
        "hidden": {name: request.GET[name] for name in ("selection", "back") if name in request.GET},
        "changed": changed,
        "left_alone": [(group, _instead(request, group)) for group in proposal.plan.left_alone] if proposal else [],
        "rows": _rows(proposal, request) if proposal else [],
        "count": None if proposal else selected.numbers.count() + len(selected.strangers),
    }
    return render(request, "numbers/act.html", context, status=409 if changed else 200)


def _wanted(request: SignedInRequest, kind: str, selected: Selected) -> ActionForm | None:
    """The form that says what to change; None where the action has nothing to say but itself."""
    if kind not in FORMS:
        return None
    return FORMS[kind](request.GET if request.GET.get("set") else None, numbers=selected.numbers, by=request.principal)


def _propose(
    request: SignedInRequest, operation: NumberOperation, selected: Selected, wanted: ActionForm | None
) -> Proposal | None:
    """The plan; None as long as it is not said, or not clear, what to change."""
    if wanted is not None and not wanted.is_valid():
        return None
    params = (wanted.params() if wanted is not None else {}) | ({"range": True} if selected.ranges else {})
    plan = operation.plan(selected.numbers, params, request.principal, selected.strangers)
    return Proposal(operation, selected, params, plan)


def _submit(request: SignedInRequest, proposal: Proposal, data: dict[str, Any], back: str) -> HttpResponse:
    operation, plan = proposal.operation, proposal.plan
    title = ngettext("%(what)s: %(count)d number", "%(what)s: %(count)d numbers", plan.will)
    task = operation.submit(
        proposal.selected.numbers,
        proposal.params | {"comment": data["comment"]},
        title=title % {"what": operation.label, "count": plan.will},
        by=request.principal,
        channel=Channel.WEB,
        ticket=data["ticket"],
        strangers=proposal.selected.strangers,
    )
    return answer(request, services.wait(task), back)


def answer(request: SignedInRequest, task: Task, back: str) -> HttpResponse:
    """Back to the list with the result where all is done and went well; else to the live page of the task."""
    if task.state == TaskState.SUCCEEDED and not task.refused:
        messages.success(request, f"{task.title}. {task.message}")
        return redirect(back)
    return redirect("tasks:detail", task.pk)


def _instead(request: SignedInRequest, group: Group) -> Instead | None:
    """What would do for this group; None where nothing would, or the person may not."""
    operation = ON_NUMBERS.get(group.remedy)
    if operation is None or operation.missing(request.principal):
        return None
    kept = {name: request.GET[name] for name in ("selection", "back") if name in request.GET}
    return Instead(str(operation.label), f"{reverse('numbers:act', args=[operation.kind])}?{urlencode(kept)}")


def _as_json(operation: NumberOperation, wanted: forms.Form | None, proposal: Proposal | None) -> JsonResponse:
    """The plan for programs, or what is wrong with the parameters."""
    if proposal is None:
        errors = wanted.errors.get_json_data() if wanted is not None else {}
        return JsonResponse({"operation": operation.kind, "errors": errors}, status=400)
    return JsonResponse({"operation": operation.kind, "params": proposal.params} | proposal.plan.as_dict())


def _operation(kind: str) -> NumberOperation:
    try:
        return ON_NUMBERS[kind]
    except KeyError:
        raise Http404(_("There is no such action.")) from None


def way_back(request: SignedInRequest, address: str) -> str:
    """The list to go back to; Number Management where the address is not one of ours."""
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()})
    return address if ours else reverse("numbers:list")


def what_changed(before: str, plan: Plan) -> str:
    """One sentence about a plan that is not the shown one; nothing was done."""
    marks, _slash, will = before.rpartition("/")
    total = marks.partition("-")[0]
    if not (total.isdecimal() and will.isdecimal()):
        return _("Nothing was done. Look at the plan, then confirm it.")
    text = _(
        "Nothing was done, because the numbers have changed since you looked: then %(will)s of %(total)s would have "
        "changed, now it is %(now)d of %(all)d. Look again, then confirm."
    )
    return text % {"will": will, "total": total, "now": plan.will, "all": plan.total}


def _rows(proposal: Proposal, request: SignedInRequest) -> QuerySet[PhoneNumber] | list[PhoneNumber]:
    """The first numbers with the verdict that the address asks to see."""
    if not request.GET.get("show"):
        return []
    judged = proposal.operation.judged(proposal.selected.numbers, proposal.params, request.principal)
    return judged.filter(verdict=request.GET["show"]).select_related("customer").order_by("e164")[:SHOWN]
