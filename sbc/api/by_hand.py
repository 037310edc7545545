"""SBCs whose rules a person loads: the export to bring, the file to load, and the word that it was loaded."""

import datetime
import uuid
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.bodies import CSV, FORM_BYTES, file_of
from ocadmin.api.problems import Problem
from ocadmin.api.rest import answers, csv_content, file_content, json_answer
from ocadmin.console.sheets.sheet import MEGABYTE
from sbc import by_hand
from sbc.models import SBC, HandFile, HandFileKind

from .reading import ONE, SbcId, router, the_sbc

FIELD = "export"
RECENT = 20
EXAMPLE = 'DialPlanName,Name,Prefix,Tag\r\n"OCDialPlan","Contoso","+442079460110#","trunk1.example"\r\n'
_FILES = f"{ONE}/hand-files"
_FILE = f"{_FILES}/{{fileId}}"


class HandFileRecord(Schema):
    """A file to load into the SBC, made from its export: how many rules it adds, changes and removes."""

    id: uuid.UUID
    name: str
    kind: HandFileKind
    dialPlan: str
    sha256: str
    added: int
    changed: int
    removed: int
    madeAt: datetime.datetime
    madeBy: str
    confirmedAt: datetime.datetime | None
    confirmedBy: str


class HandFileConfirmed(HandFileRecord):
    """`confirmedRules`: how many rules are confirmed by it; tasks that waited for them go on."""

    confirmedRules: int


@router.get(_FILES, auth=may(Permission.VIEW), response=answers(list[HandFileRecord]), summary="List files to load")
def list_hand_files(request: HttpRequest, sbcId: int = SbcId) -> HttpResponse:
    """The last files that were made for an SBC whose rules are written by hand, the newest first."""
    rows = HandFile.objects.filter(sbc=the_sbc(request, sbcId))[:RECENT]
    return json_answer([_told(row) for row in rows])


@router.post(
    _FILES,
    auth=may(Permission.PUSH_SBC, longest_body=settings.ENV.import_max_mb * MEGABYTE + FORM_BYTES),
    response=answers(HandFileRecord, 409, 413, 415),
    summary="Make a file to load",
    openapi_extra=file_content(FIELD, EXAMPLE, CSV),
)
@once.outside  # the file is kept beside the database
def make_hand_file(request: HttpRequest, sbcId: int = SbcId) -> HttpResponse:
    """Takes what the SBC has exported (its CSV file of dial plans; as a form also the output of its show command).

    Answers the file to load: the export with our rules worked in. 409: its rules are not written by hand.
    """
    sbc = _by_hand(request, sbcId)
    content = file_of(request, FIELD).read()
    try:
        made = by_hand.prepare(sbc, content, by=principal_behind(request), channel=Channel.API)
    except by_hand.Refused as problem:
        raise Problem(400, "export_refused", str(problem)) from None
    return json_answer(_told(made))


@router.get(
    f"{_FILE}/content",
    auth=may(Permission.PUSH_SBC),
    response=answers(str),
    summary="Download a file to load",
    openapi_extra=csv_content("text/plain"),
)
def download_hand_file(request: HttpRequest, fileId: uuid.UUID, sbcId: int = SbcId) -> FileResponse:
    """The file as it is loaded into the SBC. Kept for a week."""
    file = _file(the_sbc(request, sbcId, Permission.PUSH_SBC), fileId)
    try:
        return FileResponse(file.path.open("rb"), as_attachment=True, filename=file.name, content_type="text/plain")
    except FileNotFoundError:
        raise Problem(404, "file_gone", _("This file is no longer kept. Upload a new export of the SBC.")) from None


@router.post(
    f"{_FILE}/confirm",
    auth=may(Permission.PUSH_SBC),
    response=answers(HandFileConfirmed, 409),
    summary="Confirm that a file was loaded",
)
@once.outside  # the SBC is asked where it can be
def confirm_hand_file(request: HttpRequest, fileId: uuid.UUID, sbcId: int = SbcId) -> HttpResponse:
    """It was loaded, and the SBC's configuration saved. Where the SBC can be asked, it is asked first.

    409: it was confirmed before, is outdated, or the SBC does not hold what is in it.
    """
    file = _file(_by_hand(request, sbcId), fileId)
    try:
        count = by_hand.confirm(file, by=principal_behind(request), channel=Channel.API)
    except by_hand.Refused as problem:
        raise Problem(409, "not_confirmed", str(problem)) from None
    return json_answer(_told(file) | {"confirmedRules": count})


def _by_hand(request: HttpRequest, pk: int) -> SBC:
    sbc = the_sbc(request, pk, Permission.PUSH_SBC)
    if not sbc.by_hand:
        raise Problem(409, "sbc_not_by_hand", _("The rules of this SBC are not written by hand."))
    return sbc


def _file(sbc: SBC, pk: uuid.UUID) -> HandFile:
    file = HandFile.objects.filter(sbc=sbc, pk=pk).select_related("sbc").first()
    if file is None:
        raise Problem(404, "hand_file_not_found", _("The SBC has no such file."))
    return file


def _told(row: HandFile) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "dialPlan": row.dial_plan,
        "sha256": row.digest,
        "added": row.added,
        "changed": row.changed,
        "removed": row.removed,
        "madeAt": row.made_at,
        "madeBy": row.made_by,
        "confirmedAt": row.confirmed_at,
        "confirmedBy": row.confirmed_by,
    }
