"""Bodies of requests: how long they may be, those that come in chunks, and those that are files.

A file is a form with one, or the body itself. Neither is ever whole in memory.
"""

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
FORM_BYTES = 10_000  # what a form may have around the file
_IN_MEMORY = 1 << 20


def refuse_longer(request: HttpRequest, longest: int) -> None:
    """Raise Problem 413 where the request says that its body is longer: it is not read then. `longest`: bytes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > longest:
        raise _too_long(longest)


def take_in_chunks(request: HttpRequest, longest: int) -> None:
    """Read a body that says no length (Transfer-Encoding: chunked, as .NET sends JSON) and give it one.

    Django takes such a body for an empty one. No more than `longest` bytes are read; Problem 413 where there are more.
    """
    meta = request.META
    if "HTTP_TRANSFER_ENCODING" not in meta or meta.get("CONTENT_LENGTH") or not meta.get("wsgi.input_terminated"):
        return
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  gone with the request
    size = 0
    while chunk := meta["wsgi.input"].read(AT_ONCE):
        size += file.write(chunk)
        if size > longest:
            raise _too_long(longest)
    file.seek(0)
    meta["CONTENT_LENGTH"] = str(size)
    cast(Any, request)._stream = file


def _too_long(longest: int) -> Problem:
    return Problem(413, "too_large", _("The body of a request may have %(n)d bytes.") % {"n": longest})


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
