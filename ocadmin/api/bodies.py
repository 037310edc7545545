"""Bodies that are files: a form with a file, or the file itself as the body. Neither is ever whole in memory."""

import tempfile
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .problems import Problem

MULTIPART = "multipart/form-data"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RAW = frozenset({CSV, XLSX})
AT_ONCE = 1 << 16
_IN_MEMORY = 1 << 20


def raw_body(request: HttpRequest) -> UploadedFile:
    """The body of the request as a file, read once however often it is asked for.

    How long it may be is the business of the operation's `may(longest_body=…)`: no more than it said is read.
    """
    held = cast(Any, request)
    if not hasattr(held, "raw_body_file"):
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  gone with the request
        size = 0
        while chunk := request.read(AT_ONCE):
            size += file.write(chunk)
        file.seek(0)
        held.raw_body_file = UploadedFile(file, None, request.content_type, size)
    return cast(UploadedFile, held.raw_body_file)


def file_of(request: HttpRequest, field: str) -> UploadedFile:
    """The file of a request: the form's field of that name, or its body. Raises Problem 400, 415."""
    kind = (request.content_type or "").lower()
    if kind in RAW:
        return raw_body(request)
    if kind != MULTIPART:
        raise Problem(415, "unsupported_media_type", _("Send the file as %s.") % _(" or ").join((MULTIPART, CSV, XLSX)))
    files = request.FILES.getlist(field)
    if len(files) != 1:
        raise Problem(400, "invalid_request", _("Send one file, in the field “%s”.") % field)
    return files[0]
