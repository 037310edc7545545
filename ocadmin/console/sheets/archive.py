"""The outside of a workbook: a ZIP archive of XML parts, which somebody may have made in order to harm.

Everything is bounded by what the archive's directory says, before anything is unpacked: zipfile never unpacks more of
a part than its directory entry says.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from . import refusals
from .sheet import Limits, Unreadable

MOST_PARTS = 2_000
# How many times the limit a workbook may unpack to: 100,000 rows of 12 columns are 67 MB, packed to 5.
UNPACKED = 10
# These are held in memory: shared texts of 20 MB of numbers, 40 MB of formats are more than anybody's workbook has.
SHARED, SMALL_PART = 5, 16_000_000
CHUNK = 1 << 16
WORKBOOK = "xl/workbook.xml"
# What tells the other kinds of ZIP archives, and the sentence (refusals.UNUSABLE) that each gets.
OTHERS = {
    "xl/workbook.bin": "binary_workbook",
    "word/document.xml": "word",
    "Index/Document.iwa": "apple_numbers",
    "Index.zip": "apple_numbers",
}
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    struct.error,
    expat.ExpatError,
    ParseError,
    OSError,
    EOFError,
    LookupError,
    ValueError,
    ArithmeticError,
    RuntimeError,  # a part with a password, or packed in a way that zipfile does not know
)


@contextmanager
def damage_refused() -> Iterator[None]:
    """Whatever a damaged workbook makes of the libraries becomes one sentence."""
    try:
        yield
    except (Unreadable, FileNotFoundError):
        raise
    except BROKEN as error:
        raise refusals.unusable("broken_workbook") from error


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The archive of a workbook. Raises Unreadable, also for what happens while it is open."""
    with damage_refused(), zipfile.ZipFile(path) as archive:
        _refuse_other_kinds(archive)
        parts = archive.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise refusals.unusable("encrypted")
        unpacked = sum(part.file_size for part in parts)
        shared = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
        if len(parts) > MOST_PARTS or unpacked > UNPACKED * limits.bytes or shared > SHARED * limits.bytes:
            raise refusals.unusable("too_packed")
        yield archive


def open_part(archive: zipfile.ZipFile, name: str, largest: int | None = None) -> IO[bytes]:
    """A part of the workbook, from its beginning. Raises Unreadable for one that declares a document type.

    A declaration is what entity attacks need, and no spreadsheet program writes one.
    """
    if largest is not None and archive.getinfo(name).file_size > largest:
        raise refusals.unusable("too_packed")
    parser = expat.ParserCreate()
    begun = False

    def declared(*_declaration: object) -> None:
        raise refusals.unusable("unsafe_workbook")

    def element(*_element: object) -> None:
        nonlocal begun
        begun = True

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = element
    with archive.open(name) as part:
        while not begun and (chunk := part.read(1024)):
            parser.Parse(chunk)
        if not begun:
            parser.Parse(b"", True)  # what the parser has kept back; without any element the part is damaged
    return archive.open(name)


def _refuse_other_kinds(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if WORKBOOK in names:
        return
    small = "mimetype" in names and archive.getinfo("mimetype").file_size < 200
    if small and b"opendocument" in archive.read("mimetype"):
        raise refusals.unusable("open_document")
    raise refusals.unusable(next((code for name, code in OTHERS.items() if name in names), "zip"))
