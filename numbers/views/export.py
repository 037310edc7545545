"""Exporting what a list shows, or one number: at once as a stream, or prepared in the background for a download."""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ocadmin.access.audit import Channel, record
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.console.selection import Selection, SelectionLost
from ocadmin.tasks.models import Task, TaskState

from ..exporting import columns, csv_file, prepared, workbook
from ..exporting.rows import Export
from ..models import PhoneNumber
from ..models.customer import reached_by
from ..operations import export as background
from .numbers import NumberListView, tab_of

logger = logging.getLogger(__name__)

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SCREEN, ALL = "screen", "all"
OWN = ("format", "which", "bom", "direct", "selection")  # the parameters that are not the list's
WORKBOOK_AT_ONCE = 5000


@dataclass(frozen=True)
class Wish:
    """What is asked for: the kind of file, which columns, what the file is called."""

    suffix: str
    which: str
    name: str

    @classmethod
    def of(cls, request: SignedInRequest, stem: str, *, usual: str = SCREEN) -> "Wish":
        """Out of the address; `usual` are the columns where it names none. Raises BadRequest."""
        suffix, which = request.GET.get("format", "csv"), request.GET.get("which", usual)
        if suffix not in TYPES:
            raise BadRequest(_("There is no export as “%s”: choose csv or xlsx.") % suffix[:20])
        if which not in (SCREEN, ALL):
            raise BadRequest(_("Columns are “screen” or “all”, not “%s”.") % which[:20])
        return cls(suffix, which, f"{stem}.{suffix}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export_list(request: SignedInRequest) -> HttpResponseBase:
    """What the list with this query string shows. GET: the file, or for a long one the choice; POST: prepare it.

    `format` csv or xlsx, `which` columns (screen, all), `selection` a token for ticked rows, `bom=0` without the mark
    that Excel needs, `direct=1` without the choice.
    """
    _demand_permission(request)
    query = _with_selection(request)
    tab = query.get("tab", "")
    stem = f"numbers-{tab}" if tab in columns.TABS and tab else "numbers"
    wish = Wish.of(request, f"{stem}-{timezone.localtime():%Y-%m-%d-%H%M}")
    if request.method == "HEAD":
        return HttpResponse(headers=_headers(wish))
    keys = query.getlist("keys") if "keys" in query else None
    query.pop("keys", None)
    asked = request.GET
    request.GET = QueryDict(query.urlencode())
    export = read_list(request, tab, wish, keys)
    if request.method == "POST":
        return _prepare(request, export, wish, tab, query)
    limit = WORKBOOK_AT_ONCE if wish.suffix == "xlsx" else settings.ENV.export_task_rows
    count = export.count_up_to(limit)
    request.GET = asked
    if count is None and (wish.suffix == "xlsx" or asked.get("direct") != "1"):
        return _choice(request, export, wish)
    return _answer(request, export, wish, {"filter": query.urlencode(), "rows": count})


@login_required
@require_safe
def export_number(request: SignedInRequest, e164: str) -> HttpResponseBase:
    """One number, with all columns unless `which` says otherwise."""
    _demand_permission(request)
    rows = PhoneNumber.objects.visible_to(request.principal, Permission.EXPORT).filter(e164=e164)
    number = rows.select_related("customer").first()
    if number is None:
        raise Http404(_("There is no number %s here, or it is not within your scope.") % e164[:20])
    wish = Wish.of(request, number.e164, usual=ALL)
    if request.method == "HEAD":
        return HttpResponse(headers=_headers(wish))
    every = columns.TABS[""]
    listed = columns.shown("", list(NumberListView.table_class.base_columns))
    export = Export(rows.order_by("e164"), every if wish.which == ALL else listed)
    place = {"customer_ref": number.customer_id, "channel_ref": number.customer.channel_id}
    return _answer(request, export, wish, {"number": number.e164, "rows": 1}, **place)


@login_required
@require_safe
def download(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The prepared file, for the person who asked for it, as long as they may export what is in it."""
    task = Task.objects.filter(pk=pk, kind=background.Export.kind, actor=request.user).first()
    if task is None or task.state != TaskState.SUCCEEDED:
        raise Http404(_("There is no such file."))
    scope = request.principal.scope(Permission.EXPORT)
    if scope.empty or not prepared.still_reaches(scope, task.params["scope"]):
        raise PermissionDenied(_("You may no longer export all that is in this file."))
    files = prepared.Prepared(str(task.uid), task.params["suffix"])
    if files.until is None:
        raise Http404(_("This file has been deleted, because its time was over. Export again."))
    wish = Wish(task.params["suffix"], ALL, task.params["name"])
    if request.method != "HEAD":
        _record(request, "numbers.download", wish, {"rows": task.succeeded}, task_ref=task.pk)
    return _file(files.file.open("rb"), wish)


def read_list(request: SignedInRequest, tab: str, wish: Wish, keys: list[str] | None = None) -> Export:
    """The rows of the list itself, in its order, that may be exported. Raises BadRequest where its address says what
    it cannot do: the list shows something else then, and says so; a file could not.
    """
    view = tab_of(tab)()
    view.setup(request)
    view.read(request)
    errors = view.filterset.form.errors if view.filterset else {}
    problems = [str(error) for errors_of_field in errors.values() for error in errors_of_field]
    if problems or view.notes:
        raise BadRequest(" ".join([_("Nothing was exported."), *view.notes, *problems]))
    rows = view.ordered().filter(reached_by(request.principal.scope(Permission.EXPORT)))
    if keys is not None:
        rows = rows.filter(pk__in=keys) if tab == "released" else rows.filter(e164__in=keys)
    known = tab if tab in columns.TABS else ""
    return Export(rows, columns.TABS[known] if wish.which == ALL else columns.shown(known, view.columns))


def with_selected(request: SignedInRequest, suffix: str, selection: Selection, back: str) -> HttpResponse:
    """To the export of selected rows, with the columns and the order of the number list they were selected in.

    Another list (the approvals) has columns of its own: its rows come with the usual ones.
    """
    path, _mark, before_them = back.partition("?")
    before = QueryDict(before_them if path == reverse("numbers:list") else "")
    query = QueryDict(mutable=True)
    query.update({name: before[name] for name in ("tab", "sort", "columns") if name in before})
    query.update({"format": suffix, "which": SCREEN, "selection": selection.token(request.user.pk)})
    return redirect(f"{reverse('numbers:export')}?{query.urlencode()}")


def _demand_permission(request: SignedInRequest) -> None:
    if not request.principal.can(Permission.EXPORT):
        raise PermissionDenied(_("Your role does not include exporting."))


def _with_selection(request: SignedInRequest) -> QueryDict:
    """The list's query string; where rows were selected, that of the selection, or their `keys`. Raises BadRequest."""
    query = request.GET.copy()
    for name in OWN:
        query.pop(name, None)
    query.pop("keys", None)
    token = request.GET.get("selection")
    if not token:
        return query
    try:
        selection = Selection.of(token, request.user.pk)
    except SelectionLost:
        raise BadRequest(_("This selection is not yours or is too old. Select the numbers again.")) from None
    chosen = QueryDict(selection.query, mutable=True)
    for name in ("tab", "sort", "columns"):
        if given := request.GET.get(name):
            chosen[name] = given
    if selection.keys is not None:
        chosen.setlist("keys", list(selection.keys))
    return chosen


def _answer(
    request: SignedInRequest, export: Export, wish: Wish, what: dict[str, Any], **place: Any
) -> HttpResponseBase:
    """The file; noted in the audit trail before the first byte leaves."""
    _record(request, "numbers.export", wish, what | {"columns": export.header}, **place)
    if wish.suffix == "csv":
        pieces = csv_file.stream(export, bom=request.GET.get("bom") != "0")
        return StreamingHttpResponse(watched(pieces, wish.name), headers=_headers(wish))
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the response
    workbook.write(export.header, export.read(guarded=False), file)
    file.seek(0)
    return _file(file, wish)


def _file(file: IO[bytes], wish: Wish) -> FileResponse:
    """A file that is there."""
    kept = {name: _headers(wish)[name] for name in ("Cache-Control", "X-Accel-Buffering")}
    return FileResponse(file, as_attachment=True, filename=wish.name, content_type=TYPES[wish.suffix], headers=kept)


def watched(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The pieces. An error is told in the log and ends the connection in the middle: that is no complete file."""
    try:
        yield from pieces
    except GeneratorExit:
        logger.info("the export %s was broken off by whoever asked for it", name)
        raise
    except Exception:
        logger.exception("the export %s failed in the middle", name)
        raise


def _choice(request: SignedInRequest, export: Export, wish: Wish) -> HttpResponse:
    """What may be done with so many rows."""
    count = export.rows.order_by().count()
    if wish.suffix == "xlsx" and count > workbook.MOST_ROWS:
        text = _("A workbook holds %(most)s rows, and these are %(count)s. Export them as CSV.")
        raise BadRequest(text % {"most": f"{workbook.MOST_ROWS:,}", "count": f"{count:,}"})
    context = {
        "count": count,
        "wish": wish,
        "hours": settings.ENV.keep_files_hours,
        "back": f"{reverse('numbers:list')}?{_list_query(request.GET)}",
    }
    return render(request, "numbers/export.html", context)


def _list_query(query: QueryDict) -> str:
    kept = query.copy()
    for name in OWN:
        kept.pop(name, None)
    return kept.urlencode(safe=",")


def _prepare(request: SignedInRequest, export: Export, wish: Wish, tab: str, query: QueryDict) -> HttpResponse:
    """Start the task, and go to it."""
    known = tab if tab in columns.TABS else ""
    if wish.suffix == "xlsx" and export.count_up_to(workbook.MOST_ROWS) is None:
        raise BadRequest(_("A workbook holds %s rows. Export so many as CSV.") % f"{workbook.MOST_ROWS:,}")
    task = background.start(
        export, tab=known, suffix=wish.suffix, name=wish.name, by=request.principal, channel=Channel.WEB
    )
    what = {"filter": query.urlencode(), "rows": task.total, "columns": export.header}
    _record(request, "numbers.export", wish, what, task_ref=task.pk)
    return redirect("tasks:detail", task.pk)


def _headers(wish: Wish) -> dict[str, str]:
    """Of a file that is saved and kept by nobody on the way; a proxy passes it on as it comes."""
    return {
        "Content-Type": TYPES[wish.suffix],
        "Content-Disposition": f'attachment; filename="{wish.name}"',
        "Cache-Control": "private, no-store",
        "X-Accel-Buffering": "no",
    }


def _record(request: SignedInRequest, action: str, wish: Wish, what: dict[str, Any], **fields: Any) -> None:
    note(action, wish.name, {"format": wish.suffix, **what}, by=request.principal, channel=Channel.WEB, **fields)


def note(action: str, name: str, what: dict[str, Any], **fields: Any) -> None:
    """Write an export into the audit trail: the file's name, and what is in it. `fields`: by, channel, …"""
    record(
        action,
        object_type="export",
        object_id=name[:64],
        label=name,
        after=what,
        **fields,
    )
