"""Upload numbers: whose they shall be, which numbers with what settings, the plan, and the task.

The numbers that somebody typed are kept on the server, everything else stands in the address: so a plan has an address
of its own, and reload and back work.
"""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.console.filters import OPTION_LIMIT
from ocadmin.tasks import registry, services

from ..choices import named
from ..forms import DecisionForm
from ..models import Customer, PhoneNumber
from ..operations import upload as operation
from ..operations.plan import Stranger
from ..pasted import keep, reading_of
from ..pasting import Reading
from ..upload_form import SettingsForm, UploadForm
from .actions import SHOWN, after_of, answer, count_of, following, listed, what_changed


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """GET: the customer, then the form, then (with `set`) the plan. POST: the form, or the plan that was shown."""
    if not request.principal.can(Permission.UPLOAD):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": Permission.UPLOAD.label})
    found = _customers(request)
    if len(found) != 1:
        return _choose_customer(request, found)
    if request.method == "POST" and "shown" not in request.POST:
        return _take_form(request, found[0])
    return _plan(request, found[0]) if request.GET.get("set") else _show_form(request, found[0])


def _customers(request: SignedInRequest) -> list[Customer]:
    """Those that the address means: by row id, tenant ID or a part of the name; without a word all that there are."""
    customers = Customer.objects.visible_to(request.principal, Permission.UPLOAD).order_by("full_name", "pk")
    if word := _word(request):
        customers = customers.filter(named(word, "tenant_id"))
    return list(customers[: OPTION_LIMIT + 1])


def _word(request: SignedInRequest) -> str:
    return request.GET.get("customer", "").strip()[:100].replace("\x00", "")


def _choose_customer(request: SignedInRequest, found: list[Customer]) -> HttpResponse:
    """The first step. 404 for a customer of whom this person may not know, 403 where they only may not upload."""
    word = _word(request)
    if word and not found and Customer.objects.visible_to(request.principal).filter(named(word, "tenant_id")).exists():
        raise PermissionDenied(_("Your role for this customer does not include “Upload numbers”."))
    context = {"word": word, "customers": found[:OPTION_LIMIT], "more": len(found) > OPTION_LIMIT}
    return render(request, "numbers/upload_customer.html", context, status=404 if word and not found else 200)


def _show_form(request: SignedInRequest, customer: Customer, form: UploadForm | None = None) -> HttpResponse:
    """The second step: empty, or with what the address and the kept list say."""
    if form is None:
        form = UploadForm(customer=customer, by=request.principal, initial=_initial(request))
    context = {"customer": customer, "form": form, "back": _back(customer)}
    return render(request, "numbers/upload.html", context)


def _initial(request: SignedInRequest) -> dict[str, Any]:
    """What was said before, to be changed."""
    given: dict[str, Any] = {}
    for name in SettingsForm.base_fields:
        if name in request.GET:
            several = name in ("additional_usages", "capabilities")
            given[name] = request.GET.getlist(name) if several else request.GET[name]
    reading = reading_of(request.GET.get("list", ""), request.user)
    if reading is not None:
        given["numbers"] = "\n".join([*reading.numbers, *(problem.text for problem in reading.problems)])
    return given


def _take_form(request: SignedInRequest, customer: Customer) -> HttpResponse:
    """Keep the numbers and go to the plan; or say what is wrong with the form."""
    form = UploadForm(request.POST, customer=customer, by=request.principal)
    if not form.is_valid():
        return _show_form(request, customer, form)
    query = QueryDict(mutable=True)
    query["customer"] = str(customer.tenant_id)
    for name in SettingsForm.base_fields:
        query.setlist(name, [value for value in request.POST.getlist(name) if value])
    query["list"] = str(keep(form.cleaned_data["numbers"], request.user))
    query["set"] = "1"
    return redirect(f"{reverse('numbers:upload')}?{query.urlencode()}")


def _plan(request: SignedInRequest, customer: Customer) -> HttpResponse:
    """The third step, and its confirmation: nothing happens that was not shown."""
    wanted = SettingsForm(request.GET, customer=customer, by=request.principal)
    reading = reading_of(request.GET.get("list", ""), request.user)
    if reading is None:
        gone = _("This list of numbers is not yours, or it is older than a week. Name the numbers again.")
        wanted.add_error(None, forms.ValidationError(gone, code="list_gone"))
    proposal = _propose(request, wanted, reading)
    if request.GET.get("format") == "json":
        return _as_json(request, customer, wanted, proposal)
    decision = DecisionForm(request.POST or None)
    changed = ""
    if request.method == "POST" and proposal is not None and decision.is_valid():
        if request.POST.get("shown") == proposal.shown and proposal.plan.will:
            return _submit(request, customer, proposal, decision.cleaned_data)
        changed = what_changed(request.POST.get("shown", ""), proposal.shown)
    context = {
        "operation": registry.get(operation.KIND),
        "customer": customer,
        "wanted": wanted,
        "hidden": {"customer": customer.tenant_id, "list": request.GET.get("list", "")},
        "proposal": proposal,
        "plan": proposal.plan if proposal else None,
        "left_alone": [(group, None) for group in proposal.plan.left_alone] if proposal else [],
        "rows": _rows(request, proposal) if proposal else [],
        "rows_in_all": count_of(proposal.plan, request.GET.get("show", "")) if proposal else 0,
        "form": decision,
        "back": _back(customer),
        "changed": changed,
    }
    return render(request, "numbers/upload_plan.html", context, status=409 if changed else 200)


def _propose(request: SignedInRequest, wanted: SettingsForm, reading: Reading | None) -> operation.Proposal | None:
    """The plan; None as long as it is not clear what to upload."""
    if not wanted.is_valid() or wanted.settings is None or reading is None:
        return None
    settings = wanted.settings
    strangers = [Stranger(problem.text, problem.code, problem.sentence) for problem in reading.problems]
    rows = operation.rows_of(((e164, settings) for e164 in reading.numbers), strangers, reading.duplicates)
    return operation.propose(rows, request.principal, wanted.known)


def _submit(
    request: SignedInRequest, customer: Customer, proposal: operation.Proposal, data: dict[str, Any]
) -> HttpResponse:
    task = operation.submit(
        proposal.rows,
        title=operation.title_of(proposal.plan.will, customer),
        by=request.principal,
        channel=Channel.WEB,
        ticket=data["ticket"],
        comment=data["comment"],
        known=proposal.known,
    )
    return answer(request, services.wait(task), _back(customer))


def _as_json(
    request: SignedInRequest, customer: Customer, wanted: SettingsForm, proposal: operation.Proposal | None
) -> JsonResponse:
    """The plan for programs, with the numbers that they ask for; or what is wrong with the settings."""
    if proposal is None or wanted.settings is None:
        return JsonResponse({"operation": operation.KIND, "errors": wanted.errors.get_json_data()}, status=400)
    params = wanted.settings.as_dict() | {"customer": str(customer.tenant_id)}
    plan = {"operation": operation.KIND, "params": params} | proposal.plan.as_dict()
    if "show" in request.GET:
        plan |= listed(following(proposal.numbers(request.GET["show"]), after_of(request)))
    return JsonResponse(plan)


def _rows(request: SignedInRequest, proposal: operation.Proposal) -> list[tuple[str, str]]:
    """The first numbers with the verdict that the address asks to see, each with its page where the person has one."""
    code = request.GET.get("show", "")
    found = proposal.numbers(code)[:SHOWN] if code else []
    visible = PhoneNumber.objects.visible_to(request.principal)
    pages = {number.e164: number.get_absolute_url() for number in visible.filter(e164__in=found)}
    return [(text, pages.get(text, "")) for text in found]


def _back(customer: Customer) -> str:
    """The customer's numbers."""
    return f"{reverse('numbers:list')}?{urlencode({'customer': str(customer.tenant_id)})}"
