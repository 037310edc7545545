"""From a selection to a task: choose, say what to change, look at the plan, confirm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
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
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.principal import Principal
from ocadmin.access.request import SignedInRequest
from ocadmin.console.selection import Fingerprint, Selection, SelectionLost
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskState
from ocadmin.tasks.plans import Group, Plan

from ..action_forms import FORMS, ActionForm
from ..forms import DecisionForm
from ..models import PhoneNumber
from ..operations import ON_NUMBERS
from ..operations.base import NumberOperation
from ..operations.plan import WILL
from ..selecting import EXPORTS, Selected, resolve
from .export import with_selected

SHOWN = 200  # rows on a page
LISTED = 1000  # numbers in an answer for programs


@dataclass(frozen=True)
class Proposal:
    """A plan with all that made it; `shown` says which plan a person has seen."""

    operation: NumberOperation
    selected: Selected
    params: dict[str, Any]
    plan: Plan
    by: Principal

    @cached_property
    def shown(self) -> str:
        """Which numbers, and which of them will change."""
        return mark_of(self.plan, self.selected.numbers, self.having(WILL))

    def having(self, code: str) -> QuerySet[PhoneNumber]:
        """The numbers with a verdict."""
        return self._judged.filter(verdict=code)

    @cached_property
    def _judged(self) -> QuerySet[Any]:
        return self.operation.judged(self.selected.numbers, self.params, self.by)


@dataclass(frozen=True)
class Instead:
    """Another operation that would do for numbers that are refused: a link that carries the same selection."""

    label: str
    url: str


@login_required
@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    """Turn ticked rows, or "all that match", into a selection and go to the plan of the action."""
    action = request.POST.get("action", "")
    operation = None if action in EXPORTS else _operation(action)
    back = way_back(request, request.POST.get("back", ""))
    if request.POST.get("all"):
        selection = Selection(query=request.POST.get("query", "")[:4000])
    elif keys := request.POST.getlist("row"):
        selection = Selection(keys=tuple(sorted({key[:16] for key in keys})))
    else:
        messages.error(request, _("Nothing is selected. Tick numbers, or “All that match”, then choose again."))
        return redirect(back)
    if operation is None:
        return with_selected(request, EXPORTS[action], selection, back)
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
        return _as_json(request, operation, wanted, proposal)
    form = DecisionForm(request.POST or None)
    changed = ""
    if request.method == "POST" and proposal is not None and form.is_valid():
        if request.POST.get("shown") == proposal.shown and proposal.plan.will:
            return _submit(request, proposal, form.cleaned_data, back)
        changed = what_changed(request.POST.get("shown", ""), proposal.shown)
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
        "rows_in_all": count_of(proposal.plan, request.GET.get("show", "")) if proposal else 0,
        "count": proposal.plan.total if proposal else selected.numbers.count() + len(selected.strangers),
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
    return Proposal(operation, selected, params, plan, request.principal)


def _submit(request: SignedInRequest, proposal: Proposal, data: dict[str, Any], back: str) -> HttpResponse:
    operation, plan = proposal.operation, proposal.plan
    task = operation.submit(
        proposal.selected.numbers,
        proposal.params | {"comment": data["comment"]},
        title=operation.title(plan.will),
        by=request.principal,
        channel=Channel.WEB,
        ticket=data["ticket"],
        strangers=proposal.selected.strangers,
    )
    return answer(request, services.wait(task), back)


def answer(request: SignedInRequest, task: Task, back: str) -> HttpResponse:
    """Back to the list with the result where all is done and went well; else to the live page of the task."""
    if task.state == TaskState.SUCCEEDED and not task.refused:
        messages.success(request, f"{task.title.rstrip('.')}. {task.message}")
        return redirect(back)
    return redirect("tasks:detail", task.pk)


def _instead(request: SignedInRequest, group: Group) -> Instead | None:
    """What would do for this group; None where nothing would, or the person may not."""
    operation = ON_NUMBERS.get(group.remedy)
    if operation is None or operation.missing(request.principal):
        return None
    kept = {name: request.GET[name] for name in ("selection", "back") if name in request.GET}
    return Instead(str(operation.label), f"{reverse('numbers:act', args=[operation.kind])}?{urlencode(kept)}")


def _as_json(
    request: SignedInRequest, operation: NumberOperation, wanted: forms.Form | None, proposal: Proposal | None
) -> JsonResponse:
    """The plan for programs, with the numbers that they ask for; or what is wrong with the parameters."""
    if proposal is None:
        errors = wanted.errors.get_json_data() if wanted is not None else {}
        return JsonResponse({"operation": operation.kind, "errors": errors}, status=400)
    plan = {"operation": operation.kind, "params": proposal.params} | proposal.plan.as_dict()
    return JsonResponse(plan | (_numbers(proposal, request) if "show" in request.GET else {}))


def _numbers(proposal: Proposal, request: SignedInRequest) -> dict[str, Any]:
    """The numbers with the verdict that the address asks for, after the one where the last answer ended."""
    code, after = request.GET["show"], after_of(request)
    if strange := [one.key for one in proposal.selected.strangers if one.code == code]:
        return listed(following(strange, after))
    if not count_of(proposal.plan, code):
        return listed([])
    rows = proposal.having(code).filter(e164__gt=after).order_by("e164").values_list("e164", flat=True)
    return listed(list(rows[: LISTED + 1]))


def after_of(request: SignedInRequest) -> str:
    """The number after which an answer goes on; empty for the first. A plus that nobody encoded comes as a space."""
    after = request.GET.get("after", "")[:100].replace("\x00", "")
    return f"+{after[1:]}" if after.startswith(" ") else after


def following(keys: Iterable[str], after: str) -> list[str]:
    """Those after `after`, in order, each once: as many as an answer holds, and one more."""
    return sorted({key for key in keys if key > after})[: LISTED + 1]


def listed(keys: Sequence[str]) -> dict[str, Any]:
    """The numbers of one answer; `next` is what `after` of the following one says, None where there are no more."""
    return {"numbers": keys[:LISTED], "next": keys[LISTED - 1] if len(keys) > LISTED else None}


def count_of(plan: Plan, code: str) -> int:
    """How many numbers have a verdict."""
    return plan.will if code == WILL else sum(group.count for group in plan.left_alone if group.code == code)


def _operation(kind: str) -> NumberOperation:
    try:
        return ON_NUMBERS[kind]
    except KeyError:
        raise Http404(_("There is no such action.")) from None


def way_back(request: SignedInRequest, address: str) -> str:
    """The list to go back to; Number Management where the address is not one of ours."""
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()})
    return address if ours else reverse("numbers:list")


def mark_of(plan: Plan, rows: QuerySet[Any], going: QuerySet[Any]) -> str:
    """Which plan a person has seen: how many were selected and which, how many of them will change and which."""
    return f"{plan.total}-{Fingerprint.of(rows).mark}/{Fingerprint.of(going).mark}"


def what_changed(before: str, now: str) -> str:
    """One sentence about a plan (its mark) that is not the shown one; nothing was done."""
    then, found = _counts(before), _counts(now)
    if before == now or then is None or found is None:
        return _("Nothing was done. Look at the plan, then confirm it.")
    words = {"will": then[0], "total": then[1], "now": found[0], "all": found[1]}
    if then == found and before.rpartition("/")[2] == now.rpartition("/")[2]:
        text = _(
            "Nothing was done, because the plan has changed since you looked: the same numbers would change, but the "
            "others are not the same, or are left alone for other reasons. Look again, then confirm."
        )
    elif then == found:
        text = _(
            "Nothing was done, because the numbers have changed since you looked: still %(now)s of %(all)s would "
            "change, but other ones than were shown. Look again, then confirm."
        )
    else:
        text = _(
            "Nothing was done, because the numbers have changed since you looked: then %(will)s of %(total)s would "
            "have changed, now it is %(now)s of %(all)s. Look again, then confirm."
        )
    return text % words


def _counts(mark: str) -> tuple[str, str] | None:
    """How many would change, of how many; None where the mark is none."""
    selected, _slash, going = mark.partition("/")
    will, total = going.partition("-")[0], selected.partition("-")[0]
    return (will, total) if will.isdecimal() and total.isdecimal() else None


def _rows(proposal: Proposal, request: SignedInRequest) -> QuerySet[PhoneNumber] | list[PhoneNumber]:
    """The first numbers with the verdict that the address asks to see."""
    code = request.GET.get("show", "")
    if not count_of(proposal.plan, code):
        return []
    return proposal.having(code).select_related("customer").order_by("e164")[:SHOWN]
