"""What a file is, by its content. Names lie: people rename files, and programs save web pages as .xls."""

import re
from pathlib import Path

from . import refusals
from .sheet import CSV, XLSX

HEAD = 4096
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What a file begins with, and the sentence (refusals.UNUSABLE) that it gets.
MARKS = {
    b"%PDF-": "pdf",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
    b"II*\x00": "picture",
    b"MM\x00*": "picture",
    b"RIFF": "picture",
    b"\x1f\x8b": "archive",
    b"BZh91AY&SY": "archive",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"Rar!\x1a\x07": "archive",
    b"\xfd7zXZ": "archive",
    b"\x28\xb5\x2f\xfd": "archive",
    b"\x7fELF": "program",
    b"SQLite format 3\x00": "database",
    b"{\\rtf": "rich_text",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WEB_PAGE = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table|meta|script)\b", re.I | re.S)
XML = re.compile(rb"\s*<(\?xml\b|[A-Za-z_][\w:.-]*[\s/>])")
JSON = re.compile(rb'\s*(\{\s*"[^"\n]*"\s*:|\[\s*\{\s*")')


def kind_of(path: Path) -> str:
    """CSV or XLSX; the rest is refused with its own sentence. Whether it really is text is the reader's to find."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise refusals.unusable("empty")
    if head.startswith(ZIP):
        return XLSX
    if head.startswith(OLE):
        raise refusals.unusable("encrypted" if _holds(path, "EncryptedPackage".encode("utf-16-le")) else "old_excel")
    for mark, code in MARKS.items():
        if head.startswith(mark):
            raise refusals.unusable(code)
    if head.startswith(b"MZ") and b"\x00" in head[:64]:
        raise refusals.unusable("program")
    text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")  # UTF-16 without its zeros, as far as this matters
    for pattern, code in ((WEB_PAGE, "web_page"), (XML, "xml"), (JSON, "json")):
        if pattern.match(text.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")):
            raise refusals.unusable(code)
    return CSV


def _holds(path: Path, wanted: bytes) -> bool:
    """Whether these bytes stand anywhere in the file."""
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            if wanted in tail + chunk:
                return True
            tail = chunk[-len(wanted) :]
    return False
