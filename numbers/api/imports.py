"""Importing a file: upload it, look at what would happen, confirm. The same machinery as on the screens.

POST file ▸ (columns, where a header is not known) ▸ check, a task ▸ rows ▸ confirm ▸ the task that imports.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.access.services import principal_of
from ocadmin.api.authentication import client_behind, may
from ocadmin.api.bodies import CSV, FORM_BYTES, XLSX, file_of
from ocadmin.api.paging import KeysetPage, KeysetParams, page_of
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, OwnBody, Params, answers, csv_answer, csv_content, file_content, json_answer
from ocadmin.console import sheets
from ocadmin.console.sheets.refusals import too_large
from ocadmin.console.sheets.sheet import MEGABYTE
from ocadmin.tasks.api_plans import Planned, hindered

from .. import import_files, importing
from ..import_forms import LEAVE_OUT, MappingForm
from ..models import Mode, NumberImport
from ..operations.imports import IMPORT, NEEDS, NotReady, changes_of, plan_of, start_import
from .import_records import OUTCOMES, ImportRecord, OutcomeWord, RowRecord, of_import, of_row

router = Router(tags=["imports"])

FIELD = "file"
RECENT = 100
EXAMPLE = "telephoneNumber,note\r\n+442079460110,Reception\r\n"
_admitted = may(*NEEDS.values())


class HowToImport(Params):
    """What the rows may do."""

    mode: Mode = Field(Mode.UPSERT, description="upsert: add and update; create, update: only that; compare: nothing.")
    fileName: str = Field("", max_length=200, description="What the file is called, where it is the body itself.")


class WhichRows(KeysetParams):
    """Which rows."""

    outcome: OutcomeWord | None = Field(None, description="Those with this outcome.")


class Columns(OwnBody):
    """What the columns mean. What is left out stays as it was understood."""

    columns: dict[str, str | None] = Field(
        {},
        description="Header of the file to a column of ours (GET …/example.csv has them all); null leaves it out.",
        examples=[{"DDI": "telephoneNumber", "Comment": None}],
    )
    defaults: dict[str, str] = Field(
        {}, description="Values for rows that do not say them.", examples=[{"customer": "Contoso"}]
    )
    mode: Mode | None = None


class Confirmation(OwnBody):
    """How to import what was checked."""

    whole: bool = Field(False, description="All or nothing: refused while a row is refused.")
    ticketId: str = Field("", max_length=64, description="Kept with the task and in the history.")
    comment: str = Field("", max_length=500, description="Why; kept in the history.")


@router.post(
    "/v3/oc/imports",
    auth=may(*NEEDS.values(), longest_body=settings.ENV.import_max_mb * MEGABYTE + FORM_BYTES),
    response=answers(ImportRecord, 409, 413, 415),
    summary="Upload a file to import",
    openapi_extra=file_content(FIELD, EXAMPLE, CSV, XLSX),
)
def upload_file(request: HttpRequest, asked: Query[HowToImport]) -> HttpResponse:
    """Takes CSV or XLSX, as a form with the field `file` or as the body itself, and checks it; nothing is changed.

    Its state is then checking (ask again until it is ready or unusable), or mapping, where a header is not known or
    nothing says whose new numbers would be: complete that with POST …/check, or check it as it is.
    """
    _demand_whole_rights(request)
    file = file_of(request, FIELD)
    limit = sheets.Limits.of_settings().bytes
    size = getattr(file, "real_size", 0) or file.size or 0
    if size > limit:
        raise Problem(413, "too_large", too_large(size, limit).sentence)
    try:
        batch = importing.keep(_named(file, asked.fileName), mode=asked.mode, user=client_behind(request))
    except sheets.Unreadable as problem:
        raise Problem(400, problem.code, problem.sentence) from None
    if importing.needs_nobody(batch):
        importing.check(batch, by=principal_behind(request), channel=Channel.API)
    return _told(request, batch.pk)


@router.get("/v3/oc/imports", auth=_admitted, response=answers(list[ImportRecord]), summary="List imports")
def list_imports(request: HttpRequest) -> HttpResponse:
    """The files that the client has uploaded and that are still kept, the last one first.

    Without those in which a customer was found whom the client does not reach (any more).
    """
    by = principal_behind(request)
    kept = list(NumberImport.objects.of(by)[:RECENT])
    return json_answer([of_import(batch) for batch in importing.those_visible(kept, by)])


@router.get(
    "/v3/oc/imports/example.csv",
    auth=_admitted,
    response=answers(str),
    summary="Download an example file",
    openapi_extra=csv_content(),
)
def download_example(request: HttpRequest) -> StreamingHttpResponse:
    """A file with all columns and two rows."""
    return csv_answer(import_files.example(), "numbers-example.csv")


@router.get("/v3/oc/imports/{importId}", auth=_admitted, response=answers(ImportRecord), summary="Get an import")
def get_import(request: HttpRequest, importId: uuid.UUID) -> HttpResponse:
    """Where it stands, and once it is checked how many rows would be new, changed, unchanged and refused."""
    return _told(request, importId)


@router.post(
    "/v3/oc/imports/{importId}/check", auth=_admitted, response=answers(ImportRecord, 409), summary="Check a file again"
)
def check_import(request: HttpRequest, body: Columns, importId: uuid.UUID) -> HttpResponse:
    """Say what the columns mean, or just check once more: numbers change meanwhile. 409: it is at work."""
    _demand_whole_rights(request)
    batch = _own(request, importId)
    _assign(batch, body)
    if importing.check(batch, by=principal_behind(request), channel=Channel.API) is None:
        raise Problem(409, "at_work", _("This file is being checked or imported."))
    return _told(request, batch.pk)


@router.get(
    "/v3/oc/imports/{importId}/rows",
    auth=_admitted,
    response=answers(KeysetPage[RowRecord]),
    summary="List the rows of an import",
)
def list_rows(request: HttpRequest, asked: Query[WhichRows], importId: uuid.UUID) -> HttpResponse:
    """What each number of the file would become, and what is wrong with it, in the order of the file."""
    rows = _previewed(request, importId).rows.all()
    if asked.outcome:
        rows = rows.filter(outcome=next(key for key, word in OUTCOMES.items() if word == asked.outcome))
    found, link = page_of(request, asked, rows)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [of_row(row) for row in found]})


@router.get(
    "/v3/oc/imports/{importId}/rejected.csv",
    auth=_admitted,
    response=answers(str),
    summary="Download the refused rows",
    openapi_extra=csv_content(),
)
def download_rejected(request: HttpRequest, importId: uuid.UUID) -> StreamingHttpResponse:
    """The refused rows as they stand in the file, with a column `error`; corrected, they import as they are."""
    return _file(request, importId, import_files.rejected, "rejected")


@router.get(
    "/v3/oc/imports/{importId}/differences.csv",
    auth=_admitted,
    response=answers(str),
    summary="Download the differences",
    openapi_extra=csv_content(),
)
def download_differences(request: HttpRequest, importId: uuid.UUID) -> StreamingHttpResponse:
    """What a comparison has found: cells that differ, and numbers that only one side has."""
    return _file(request, importId, import_files.differences, "differences")


@router.post(
    "/v3/oc/imports/{importId}/confirm",
    auth=_admitted,
    response=answers(ImportRecord | Planned, 409),
    summary="Import a checked file",
)
def confirm_import(request: HttpRequest, asked: Query[DryRun], body: Confirmation, importId: uuid.UUID) -> HttpResponse:
    """Begins the task that imports (`taskId`). 409: it is not ready, or nothing would change."""
    _demand_whole_rights(request)
    batch = _previewed(request, importId)
    by = principal_behind(request)
    if asked.dryRun:
        return hindered(IMPORT, plan_of(batch), _unready(batch, body, by))
    try:
        start_import(batch, whole=body.whole, by=by, channel=Channel.API, ticket=body.ticketId, comment=body.comment)
    except NotReady as problem:
        raise Problem(409, "not_ready", str(problem)) from None
    return _told(request, batch.pk)


def _unready(batch: NumberImport, body: Confirmation, by: Principal) -> Problem | None:
    """What keeps it from being confirmed."""
    try:
        changes_of(batch, whole=body.whole, by=by)
    except NotReady as problem:
        return Problem(409, "not_ready", str(problem))
    return None


@router.delete(
    "/v3/oc/imports/{importId}", auth=_admitted, response=answers(None, 409, status=204), summary="Forget an import"
)
def forget_import(request: HttpRequest, importId: uuid.UUID) -> HttpResponse:
    """Delete the file and its preview. What was imported stays. 409: it is at work."""
    batch = _own(request, importId)
    if not importing.idle(batch):
        raise Problem(409, "at_work", _("This file is being checked or imported."))
    importing.forget(batch)
    return HttpResponse(status=204)


def _demand_whole_rights(request: HttpRequest) -> None:
    """Rows are judged later, by what the client may do then; a token that may less must not reach further by a file."""
    by, whole = principal_behind(request), principal_of(client_behind(request))
    if by.only is not None or set(by.grants) != set(whole.grants):
        sentence = _("An import takes all that the API client may do: use a token without scope, and no channel.")
        raise Problem(403, "limited_token", sentence)


def _named(file: UploadedFile, name: str) -> UploadedFile:
    """A file that came as the body has no name of its own."""
    file.name = name or file.name or _("upload")
    return file


def _own(request: HttpRequest, pk: uuid.UUID) -> NumberImport:
    """An import of this client's. Raises Problem 404."""
    batch = NumberImport.objects.of(principal_behind(request)).filter(pk=pk).first()
    if batch is None:
        raise Problem(404, "import_not_found", _("There is no import %s, or it is no longer kept.") % pk)
    return batch


def _previewed(request: HttpRequest, pk: uuid.UUID) -> NumberImport:
    """The same, as long as the client may see every customer that was found in it. Raises Problem 403, 404."""
    batch = _own(request, pk)
    if not importing.visible(batch, principal_behind(request)):
        raise Problem(403, "forbidden", _("This API client may no longer see all customers of this file."))
    return batch


def _assign(batch: NumberImport, body: Columns) -> None:
    """Take over what the columns mean, judged as on the screen. Raises Problem 400."""
    headers = sheets.Sheet.of(batch.sheet).headers
    if unknown := [header for header in body.columns if header not in headers]:
        raise Problem(400, "unknown_header", _("The file has no column “%s”.") % unknown[0][:60])
    shape = importing.shape_of(batch)
    compares = shape is not None and shape.compares
    said = {"mode": body.mode or batch.mode}
    for place, (header, column) in enumerate(zip(headers, batch.mapping, strict=True)):
        chosen = body.columns.get(header, column) if header in body.columns else column
        known = header in body.columns or column is not None
        said[f"column_{place}"] = (chosen or LEAVE_OUT) if known else ""
    said |= {f"default_{name}": text for name, text in (batch.defaults | body.defaults).items()}
    form = MappingForm(
        said, headers=headers, mapping=batch.mapping, defaults=batch.defaults, mode=batch.mode, compares=compares
    )
    if not form.is_valid():
        sentences = [str(error) for errors in form.errors.values() for error in errors]
        raise Problem(400, "columns_unclear", " ".join(dict.fromkeys(sentences)))
    batch.mapping, batch.defaults, batch.mode = form.mapping, form.defaults, form.cleaned_data["mode"]


def _file(
    request: HttpRequest, pk: uuid.UUID, lines: Callable[[NumberImport], Any], name: str
) -> StreamingHttpResponse:
    batch = _previewed(request, pk)
    if not batch.path.exists():
        raise Problem(404, "file_gone", _("The file is no longer kept."))
    return csv_answer(lines(batch), f"{name}-{batch.pk}.csv")


def _told(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return json_answer(of_import(_previewed(request, pk)))
