"""From a selection to a task: choose, look at the plan, confirm."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.request import SignedInRequest
from ocadmin.console.selection import Fingerprint, Selection, SelectionLost

from ..forms import DecisionForm
from ..models import PhoneNumber
from ..operations import ON_NUMBERS
from ..operations.base import NumberOperation, Plan
from ..selecting import resolve

SHOWN = 200


@login_required
@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    """Turn ticked rows, or "all that match", into a selection and go to the plan of the action."""
    operation = _operation(request.POST.get("action", ""))
    back = _back(request, request.POST.get("back", ""))
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
    """GET: the plan. POST: do it, unless the plan is no longer the one that was shown."""
    operation = _operation(kind)
    if not request.principal.can(operation.permission):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": operation.permission.label})
    back = _back(request, request.GET.get("back", ""))
    try:
        selection = Selection.of(request.GET.get("selection", ""), request.user.pk)
    except SelectionLost:
        messages.error(request, _("This selection is not yours or is too old. Select the numbers again."))
        return redirect(back)
    numbers = resolve(selection, request)
    form = DecisionForm(request.POST or None)
    plan = operation.plan(numbers, {}, request.principal)
    shown = _shown(numbers, plan)
    changed = ""
    if request.method == "POST" and form.is_valid():
        if request.POST.get("shown") == shown and plan.will:
            return _submit(request, operation, numbers, form.cleaned_data, plan)
        changed = _what_changed(request.POST.get("shown", ""), plan)
    context = {
        "operation": operation,
        "plan": plan,
        "form": form,
        "shown": shown,
        "back": back,
        "changed": changed,
        "rows": _rows(operation, numbers, request) if request.GET.get("show") else [],
        "show": request.GET.get("show", ""),
    }
    return render(request, "numbers/act.html", context, status=409 if changed else 200)


def _submit(
    request: SignedInRequest,
    operation: NumberOperation,
    numbers: QuerySet[PhoneNumber],
    data: dict[str, Any],
    plan: Plan,
) -> HttpResponse:
    title = ngettext("%(what)s: %(count)d number", "%(what)s: %(count)d numbers", plan.will)
    task = operation.submit(
        numbers,
        {"comment": data["comment"]},
        title=title % {"what": operation.label, "count": plan.will},
        by=request.principal,
        channel=Channel.WEB,
        ticket=data["ticket"],
    )
    return redirect("tasks:detail", task.pk)


def _operation(kind: str) -> NumberOperation:
    try:
        return ON_NUMBERS[kind]
    except KeyError:
        raise Http404(_("There is no such action.")) from None


def _back(request: SignedInRequest, address: str) -> str:
    """The list to go back to; Number Management where the address is not one of ours."""
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()})
    return address if ours else reverse("numbers:list")


def _shown(numbers: QuerySet[PhoneNumber], plan: Plan) -> str:
    """What the person has seen: which numbers, and how many of them will change."""
    return f"{Fingerprint.of(numbers).mark}/{plan.will}"


def _what_changed(before: str, plan: Plan) -> str:
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


def _rows(operation: NumberOperation, numbers: QuerySet[PhoneNumber], request: SignedInRequest) -> list[PhoneNumber]:
    """The first numbers with the verdict that the address asks to see."""
    judged = operation.judged(numbers, {}, request.principal).filter(verdict=request.GET["show"])
    return list(judged.select_related("customer").order_by("e164")[:SHOWN])
