"""The file in a request: a multipart form with the field ``file``, or the body itself."""

from __future__ import annotations

from email.parser import BytesHeaderParser

from ..exchange import Refusal, Request

FIELD = "file"


def text_of(request: Request, raw_type: str | None = None) -> str:
    """The uploaded file as text; 400 when there is none or it is not UTF-8.

    ``raw_type`` is a content type whose body is the file itself, None where only a form will do.
    """
    content_type = request.headers.get_content_type()
    if content_type == "multipart/form-data":
        content = _field(request)
    elif content_type == raw_type:
        content = request.body
    else:
        expected = f"multipart/form-data with the field '{FIELD}'"
        raise Refusal(400, None, f"Expected {expected}{f' or {raw_type}' if raw_type else ''}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(400, None, "The file is not UTF-8 text") from None
    if not text.strip():
        raise Refusal(400, None, "The file is empty")
    return text


def _field(request: Request) -> bytes:
    """Content of the form's file field."""
    boundary = request.headers.get_boundary()
    delimiter = b"\r\n--" + (boundary or "").encode("latin-1", "replace")
    pieces = (b"\r\n" + request.body).split(delimiter)
    if not boundary or len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Refusal(400, None, "The form is incomplete")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head.lstrip(b" \t\r\n"))
        if headers.get_param("name", header="Content-Disposition") == FIELD:
            return content
    raise Refusal(400, None, f"The form has no field '{FIELD}'")
