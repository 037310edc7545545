"""Ending the quarantine of released numbers early: choose, look at the count, give a reason, confirm."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.console.selection import Selection, SelectionLost

from .. import quarantine
from ..forms import ReasonForm
from ..selecting import EXPORTS, resolve_released
from .actions import mark_of, way_back, what_changed
from .export import with_selected


@login_required
@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    """Turn ticked rows (their ids), or "all that match", into a selection and go to the page that asks."""
    back = way_back(request, request.POST.get("back", ""))
    if request.POST.get("all"):
        selection = Selection(query=request.POST.get("query", "")[:4000])
    elif keys := request.POST.getlist("row"):
        selection = Selection(keys=tuple(sorted({key[:18] for key in keys})))
    else:
        messages.error(request, _("Nothing is selected. Tick numbers, or “All that match”, then choose again."))
        return redirect(back)
    if (action := request.POST.get("action", "")) in EXPORTS:
        return with_selected(request, EXPORTS[action], selection, back)
    query = urlencode({"selection": selection.token(request.user.pk), "back": back})
    return redirect(f"{reverse('numbers:end-quarantine')}?{query}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end_quarantine(request: SignedInRequest) -> HttpResponse:
    """GET: how many, and why. POST: end it, unless these are no longer the numbers that were shown."""
    permission = Permission.END_QUARANTINE
    if not request.principal.can(permission):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": permission.label})
    back = way_back(request, request.GET.get("back", ""))
    try:
        selection = Selection.of(request.GET.get("selection", ""), request.user.pk)
    except SelectionLost:
        messages.error(request, _("This selection is not yours or is too old. Select the numbers again."))
        return redirect(back)
    rows = resolve_released(selection, request)
    plan = quarantine.plan(rows, request.principal)
    if not plan.total:
        raise Http404(_("These released numbers are not here, or not within your scope."))
    form = ReasonForm(request.POST or None)
    shown = mark_of(plan, rows, quarantine.having(quarantine.WILL, rows, request.principal))
    changed = ""
    if request.method == "POST" and not plan.will:
        messages.info(request, _("Nothing was done: none of these numbers is in a quarantine that you may end."))
        return redirect(back)
    if request.method == "POST" and form.is_valid():
        if request.POST.get("shown") == shown:
            ended = quarantine.end(rows, by=request.principal, channel=Channel.WEB, **form.cleaned_data)
            _tell(request, ended)
            return redirect(back)
        changed = what_changed(request.POST.get("shown", ""), shown)
    context = {"plan": plan, "form": form, "shown": shown, "changed": changed, "back": back}
    return render(request, "numbers/end_quarantine.html", context, status=409 if changed else 200)


def _tell(request: SignedInRequest, ended: int) -> None:
    text = ngettext(
        "The quarantine of %(count)d number has ended. Every customer may have it now.",
        "The quarantine of %(count)d numbers has ended. Every customer may have them now.",
        ended,
    )
    messages.success(request, text % {"count": ended})
