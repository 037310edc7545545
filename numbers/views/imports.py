"""Import: upload a file, say what its columns mean, look at what would happen, confirm; nothing happens before that."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ocadmin.access.audit import Channel
from ocadmin.access.request import SignedInRequest
from ocadmin.console import sheets
from ocadmin.tasks import services
from ocadmin.tasks.models import Task

from .. import import_files, importing, preview
from ..forms import DecisionForm
from ..import_forms import FileForm, MappingForm
from ..models import ImportState, Mode, NumberImport, RowOutcome
from ..operations.imports import NEEDS, NotReady, start_import

GOES = ("new", "changed")
RECENT = 10


def _admit(request: SignedInRequest) -> None:
    """Whoever may change something by a file may use this; each row is judged by what it needs."""
    if not any(request.principal.can(permission) for permission in NEEDS.values()):
        raise PermissionDenied(_("Your role does not include importing. An Operator can do it."))


def _batch(request: SignedInRequest, pk: uuid.UUID) -> NumberImport:
    """An import of this person; 404 for others: their existence is nobody's business."""
    _admit(request)
    return get_object_or_404(NumberImport.objects.of(request.principal), pk=pk)


def _preview(request: SignedInRequest, pk: uuid.UUID) -> NumberImport:
    """The same, to be looked at: only while the person may still see every customer that was found in it."""
    batch = _batch(request, pk)
    if not importing.visible(batch, request.principal):
        raise PermissionDenied(_("You may no longer see all customers of this file. Upload it again."))
    return batch


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: SignedInRequest) -> HttpResponse:
    """The file. One that is recognised is checked at once, for others the columns come first."""
    _admit(request)
    form = FileForm(request.POST or None, request.FILES or None) if request.method == "POST" else FileForm()
    if request.method == "POST" and form.is_valid():
        file, mode = form.cleaned_data["import_file"], form.cleaned_data["mode"]
        try:
            batch = importing.keep(file, mode=mode, user=request.user)
        except sheets.Unreadable as problem:
            form.add_error("import_file", problem.sentence)
        else:
            return _go_on(request, batch)
    recent = NumberImport.objects.of(request.principal)[:RECENT]
    return render(request, "numbers/import.html", {"form": form, "recent": recent})


def _go_on(request: SignedInRequest, batch: NumberImport) -> HttpResponse:
    if not importing.needs_nobody(batch):
        return redirect("numbers:import-columns", batch.pk)
    return _check(request, batch)


def _check(request: SignedInRequest, batch: NumberImport) -> HttpResponse:
    """Start it, and wait a moment: most files are checked before anybody looks."""
    task = importing.check(batch, by=request.principal, channel=Channel.CSV)
    if task is not None:
        services.wait(task)
    return redirect("numbers:import-file", batch.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What each column means."""
    batch = _batch(request, pk)
    if not importing.idle(batch):
        return redirect("numbers:import-file", pk)
    sheet, shape = sheets.Sheet.of(batch.sheet), importing.shape_of(batch)
    form = MappingForm(
        request.POST if request.method == "POST" else None,
        headers=sheet.headers,
        mapping=batch.mapping,
        defaults=batch.defaults,
        mode=batch.mode,
        compares=shape is not None and shape.compares,
    )
    if request.method == "POST" and form.is_valid():
        batch.mapping, batch.defaults, batch.mode = form.mapping, form.defaults, form.cleaned_data["mode"]
        importing.remember(request.user, form.remembered)
        return _check(request, batch)
    context = {"batch": batch, "form": form, "sheet": sheet, "shape": shape}
    context["encoding"] = sheets.name_of(sheet.encoding)
    context["sample"] = list(zip(form.columns, _sample(batch, sheet), strict=True))
    return render(request, "numbers/import_columns.html", context)


def _sample(batch: NumberImport, sheet: sheets.Sheet) -> list[str]:
    """What the first rows say in each column, as far as they can be read."""
    try:
        rows = sheets.sample(batch.path, sheet, sheets.Limits.of_settings())
    except (sheets.Unreadable, FileNotFoundError):
        rows = []
    columns = [[row[place].strip() for row in rows] for place in range(len(sheet.headers))]
    return [" · ".join(dict.fromkeys(filter(None, cells))) for cells in columns]


@login_required
@require_safe
def file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Where the import stands: being checked, the preview, or what became of it."""
    batch = _preview(request, pk)
    if batch.state == ImportState.MAPPING:
        return redirect("numbers:import-columns", pk)
    return render(request, "numbers/import_file.html", _context(request, batch))


@login_required
@require_safe
def live(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The part of the page that renews itself while the file is being checked; then the whole page comes."""
    batch = _batch(request, pk)
    if batch.state != ImportState.CHECKING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "numbers/_import_progress.html", _context(request, batch))


def _context(request: SignedInRequest, batch: NumberImport, form: DecisionForm | None = None) -> dict[str, Any]:
    word = request.GET.get("show", "")
    outcome = preview.outcome_of(word)
    after = request.GET.get("after", "")
    counts = batch.counts
    ready = batch.state == ImportState.READY
    return {
        "batch": batch,
        "sheet": sheets.Sheet.of(batch.sheet),
        "encoding": sheets.name_of(batch.sheet["encoding"]),
        "shape": importing.shape_of(batch),
        "until": importing.until(batch),
        "idle": importing.idle(batch),
        "check": Task.objects.filter(pk=batch.check_ref or 0).first() if batch.state == ImportState.CHECKING else None,
        "task": Task.objects.visible_to(request.principal).filter(pk=batch.task_ref or 0).first(),
        "tabs": preview.tabs(batch, word if outcome is not None else ""),
        "show": word if outcome is not None else "",
        "page": preview.page(batch, outcome, int(after) if after.isdecimal() and len(after) < 19 else 0),
        "paged": bool(after),
        "goes": sum(counts.get(name, 0) for name in GOES),
        "refused": counts.get("refused", 0),
        "differs": batch.mode == Mode.COMPARE,
        "notes": list(batch.notes.values()),
        "left_out": _left_out(batch),
        "shown": _mark(batch),
        "decision": (form or DecisionForm()) if ready and batch.mode != Mode.COMPARE else None,
        "outcomes": RowOutcome,
    }


def _left_out(batch: NumberImport) -> list[str]:
    """Headers of columns that are not imported."""
    headers = batch.sheet["headers"]
    return [header for header, column in zip(headers, batch.mapping, strict=False) if not column and header]


def _mark(batch: NumberImport) -> str:
    """Which preview a person has seen."""
    return f"{batch.check_ref}-{batch.counts.get('new', 0)}-{batch.counts.get('changed', 0)}"


@login_required
@require_POST
def confirm(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Import what the preview shows; `whole`: all or nothing."""
    batch = _preview(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return render(request, "numbers/import_file.html", _context(request, batch, form), status=400)
    if batch.state == ImportState.READY and request.POST.get("shown") != _mark(batch):
        messages.warning(request, _("Nothing was done: the file was checked anew. Look at the preview, then confirm."))
        return redirect("numbers:import-file", pk)
    try:
        task = start_import(
            batch,
            whole=request.POST.get("rows") == "whole",
            by=request.principal,
            channel=Channel.CSV,
            ticket=form.cleaned_data["ticket"],
            comment=form.cleaned_data["comment"],
        )
    except NotReady as problem:
        messages.error(request, str(problem))
        return redirect("numbers:import-file", pk)
    services.wait(task)
    return redirect("tasks:detail", task.pk)


@login_required
@require_POST
def check_again(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Check the same file once more: numbers change meanwhile."""
    batch = _batch(request, pk)
    if batch.state == ImportState.MAPPING:
        return redirect("numbers:import-columns", pk)
    return _check(request, batch)


@login_required
@require_POST
def forget(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete the file and its preview now."""
    batch = _batch(request, pk)
    if batch.state == ImportState.CHECKING and Task.objects.alive().filter(pk=batch.check_ref or 0).exists():
        messages.error(request, _("The file is being checked. Cancel the check first."))
        return redirect("numbers:import-file", pk)
    if Task.objects.alive().filter(pk=batch.task_ref or 0).exists():
        messages.error(request, _("The file is being imported. It can be deleted when that has ended."))
        return redirect("numbers:import-file", pk)
    name = batch.file_name
    importing.forget(batch)
    messages.success(request, _("“%s” and its preview are deleted. What was imported stays.") % name)
    return redirect("numbers:import")


@login_required
@require_safe
def rejected(request: SignedInRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """The refused rows as a file that imports when it is corrected."""
    batch = _preview(request, pk)
    if not batch.path.exists():
        raise Http404(_("The file is no longer kept."))
    return _download(import_files.rejected(batch), _("rejected rows of %s.csv") % batch.file_name.rsplit(".", 1)[0])


@login_required
@require_safe
def differences(request: SignedInRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """What a comparison has found."""
    batch = _preview(request, pk)
    return _download(import_files.differences(batch), _("differences of %s.csv") % batch.file_name.rsplit(".", 1)[0])


@login_required
@require_safe
def example(request: SignedInRequest) -> StreamingHttpResponse:
    """A file to begin with."""
    return _download(import_files.example(), "numbers-example.csv")


@login_required
@require_safe
def fields(request: SignedInRequest) -> StreamingHttpResponse:
    """The table of columns."""
    return _download(import_files.columns(), "numbers-columns.csv")


def _download(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    safe = "".join(one if one.isalnum() or one in " .-_()" else "_" for one in name)
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{safe.encode("ascii", "replace").decode()}"'},
    )
