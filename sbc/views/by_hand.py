"""Rules that a person writes to an SBC: what waits, the export to bring, the file to load, and the word that it is."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.console.uploads import BoundedFileField
from sbc import by_hand, cli, rights
from sbc.models import SBC, HandFile, PlanReading, WriteStrategy
from sbc.push import outstanding_of

SAMPLE, RECENT = 10, 5


class ExportForm(forms.Form):
    """What the device gave."""

    export = BoundedFileField(
        label=gettext_lazy("Export of the SBC"),
        help_text=gettext_lazy("The CSV file of its dial plans, or the saved output of the command above."),
    )


def _sbc(request: SignedInRequest, pk: int) -> SBC:
    """One that is written by hand. 404 for others, and for people who may not see SBCs."""
    found = SBC.objects.visible_to(request.principal).filter(write_strategy=WriteStrategy.MANUAL)
    return get_object_or_404(found, pk=pk)


def _may_write(request: SignedInRequest) -> bool:
    return request.principal.can_everywhere(Permission.PUSH_SBC)


def _admit(request: SignedInRequest) -> None:
    """Whoever may have rules written may write them by hand."""
    rights.demand(request.principal, Permission.PUSH_SBC)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedInRequest, pk: int) -> HttpResponse:
    """GET: where it stands. POST: an export, of which the file to load is made."""
    sbc = _sbc(request, pk)
    form = ExportForm(request.POST, request.FILES) if request.method == "POST" else ExportForm()
    if request.method == "POST":
        _admit(request)
        if form.is_valid():
            content = form.cleaned_data["export"].read()
            try:
                by_hand.prepare(sbc, content, by=request.principal, channel=Channel.WEB)
            except by_hand.Refused as problem:
                form.add_error("export", str(problem))
            else:
                return redirect("sbc:by-hand", pk)
    return render(request, "sbc/by_hand.html", _context(request, sbc, form))


def _context(request: SignedInRequest, sbc: SBC, form: ExportForm) -> dict[str, Any]:
    rules = by_hand.with_action(outstanding_of(sbc), sbc)
    counts = rules.aggregate(
        all=Count("*"),
        add=Count("pk", filter=Q(wanted=True, there=False)),
        change=Count("pk", filter=Q(wanted=True, there=True)),
        remove=Count("pk", filter=Q(wanted=False)),
    )
    return {
        "sbc": sbc,
        "form": form,
        "counts": counts,
        "sample": list(rules.order_by("prefix")[:SAMPLE]) if counts["all"] else [],
        "reading": PlanReading.objects.current().filter(sbc=sbc).first(),
        "file": HandFile.objects.filter(sbc=sbc).waiting(),
        "recent": list(HandFile.objects.filter(sbc=sbc, confirmed_at__isnull=False).order_by("-confirmed_at")[:RECENT]),
        "may_write": _may_write(request),
        "verifies": bool(sbc.rest_url and sbc.has_credentials),
        "command": cli.SHOW.strip(),
    }


@login_required
@require_safe
def download(request: SignedInRequest, pk: int, file_id: str) -> HttpResponseBase:
    """The file to load."""
    sbc = _sbc(request, pk)
    _admit(request)
    file = get_object_or_404(HandFile, sbc=sbc, pk=file_id)
    try:
        return FileResponse(file.path.open("rb"), as_attachment=True, filename=file.name, content_type="text/plain")
    except FileNotFoundError:
        raise Http404(_("This file is no longer kept. Upload a new export of the SBC.")) from None


@login_required
@require_POST
def confirm(request: SignedInRequest, pk: int, file_id: str) -> HttpResponse:
    """It was loaded, and the configuration saved."""
    sbc = _sbc(request, pk)
    _admit(request)
    file = get_object_or_404(HandFile.objects.select_related("sbc"), sbc=sbc, pk=file_id)
    try:
        count = by_hand.confirm(file, by=request.principal, channel=Channel.WEB)
    except by_hand.Refused as problem:
        messages.error(request, str(problem))
    else:
        text = ngettext(
            "%(count)d rule is confirmed. Tasks that waited for it go on.",
            "%(count)d rules are confirmed. Tasks that waited for them go on.",
            count,
        )
        messages.success(request, text % {"count": count})
    return redirect("sbc:by-hand", pk)
