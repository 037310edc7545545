"""Which encoding a text has, judged by all of it: a file may be ASCII for megabytes before its first umlaut.

One pass in flat memory, which also refuses what no table has: control characters, and lines without end.
"""

import codecs
import io
import re
from pathlib import Path

from django.utils.translation import gettext as _

from . import refusals
from .sheet import Unreadable

CHUNK = 1 << 18
FALLBACK = "cp1252"
# Longest first: the mark of UTF-16 is the beginning of that of UTF-32.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tab, line ends, and what Excel and FileMaker write for a line end inside a cell.
ALLOWED = b"\t\n\r\x0b\x0c"
CONTROLS = bytes(set(range(32)) - set(ALLOWED))
FIRST_CONTROL = re.compile(b"[" + re.escape(CONTROLS) + b"]")
# A UTF-8 letter read as Windows-1252: “Ã¼”, “Â ”, “â€œ”. As real text in that encoding these pairs do not occur.
UTF8_LETTER = re.compile(rb"\xc3[\x80-\xbf]|\xc2[\xa0-\xbf]|\xe2[\x80-\x84][\x80-\xbf]")
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", FALLBACK: "Windows-1252"}


def name_of(encoding: str) -> str:
    """What people call an encoding."""
    return NAMES.get(encoding, encoding.upper())


def encoding_of(path: Path, longest_line: int) -> tuple[str, list[str]]:
    """The encoding, and what people should know about it. Raises Unreadable where no encoding fits the whole file."""
    with path.open("rb") as file:
        head = file.read(4096)
    marked = next((name for mark, name in MARKS if head.startswith(mark)), "") or _unmarked_utf16(head)
    if marked:
        _scan(path, marked, longest_line)
        return marked, []
    try:
        _scan(path, "utf-8", longest_line)
    except UndecodableError as error:
        if _has_utf8_letters(path):
            raise refusals.mixed_encodings(error.line) from None
        _scan(path, FALLBACK, longest_line)
        return FALLBACK, [_("Read as Windows-1252, because it is not UTF-8. Look at the letters with accents.")]
    return "utf-8", []


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 without a mark has a zero in every second byte of what is Latin; empty where it is something else."""
    pairs = len(head) // 2
    if pairs < 4:
        return ""
    high, low = head[: 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if low > pairs * 0.4 and high == 0:
        return "utf-16-le"
    return "utf-16-be" if high > pairs * 0.4 and low == 0 else ""


class UndecodableError(Unreadable):
    """A byte that is no character in the encoding that was tried."""

    def __init__(self, byte: int, line: int, encoding: str) -> None:
        refused = refusals.undecodable(byte, line, name_of(encoding))
        super().__init__(refused.code, refused.sentence)
        self.line = line


def _scan(path: Path, encoding: str, longest_line: int) -> None:
    """Decode everything once. Raises Unreadable with the line of what no table has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)  # every kind of line end becomes one \n
    line, length = 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                text = newlines.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                if encoding in NAMES:  # what has control characters too is no text in any encoding
                    _refuse_controls(re.sub("\r\n?", "\n", error.object.decode("latin-1")), line)
                raise _undecodable(error, line, encoding) from None
            _refuse_controls(text, line)
            first = text.find("\n")
            length += len(text) if first < 0 else first
            if length > longest_line:
                raise refusals.long_line(line)
            if first >= 0:
                line += text.count("\n")
                length = len(text) - text.rfind("\n") - 1
            if not chunk:
                return


def _undecodable(error: UnicodeDecodeError, line: int, encoding: str) -> UndecodableError:
    """The refusal for a chunk that begins in this line."""
    before = error.object[: error.start].decode(encoding.removesuffix("-sig"), "replace")
    return UndecodableError(error.object[error.start], line + len(re.findall("\r\n|\r|\n", before)), encoding)


def _refuse_controls(text: str, line: int) -> None:
    """Taking them out and looking whether something is missing is ten times quicker than looking for them."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data.translate(None, CONTROLS)) != len(data):
        found = FIRST_CONTROL.search(data)
        assert found is not None  # noqa: S101  it was counted above
        raise refusals.control_character(data[found.start()], line + data.count(b"\n", 0, found.start()))


def _has_utf8_letters(path: Path) -> bool:
    """Whether a text that is not UTF-8 has letters in UTF-8 all the same."""
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if UTF8_LETTER.search(tail + chunk):
                return True
            tail = chunk[-2:]
    return False
