"""Workbooks for tests: as openpyxl writes them, as Excel does, and with parts that somebody has changed."""

import io
import re
import zipfile
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(*table: tuple[Any, ...]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    return book


def packed(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target.getvalue()


def repacked(content: bytes, changes: dict[str, bytes], without: str = "") -> bytes:
    """The archive with parts replaced or added, and one left out."""
    return archive_of({name: data for name, data in (parts_of(content) | changes).items() if name != without})


def like_excel(content: bytes) -> bytes:
    """The first worksheet with its texts in a part of their own, where Excel and LibreOffice write them."""
    texts: list[bytes] = []

    def shared(match: re.Match[bytes]) -> bytes:
        texts.append(match[1])
        return b't="s"><v>%d</v>' % (len(texts) - 1)

    cells = re.sub(rb't="inlineStr"><is>(.*?)</is>', shared, parts_of(content)[SHEET], flags=re.DOTALL)
    items = b"".join(b"<si>%s</si>" % text for text in texts)
    return repacked(content, {SHEET: cells, SHARED: b'<sst xmlns="%s">%s</sst>' % (MAIN.encode(), items)})


def worksheet(cells: str, prefix: str = "") -> bytes:
    """A worksheet with this in its sheetData."""
    name = f":{prefix[:-1]}" if prefix else ""
    text = f'<{prefix}worksheet xmlns{name}="{MAIN}"><{prefix}sheetData>{cells}</{prefix}sheetData></{prefix}worksheet>'
    return text.encode()
