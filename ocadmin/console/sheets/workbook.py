"""XLSX: which worksheet is read, its header, its rows.

openpyxl knows the formats and the calendar. The worksheet itself is read by worksheet.py: openpyxl takes several times
as long, goes through a whole worksheet only to find its size, and believes what a file says about it.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from . import refusals
from .archive import SMALL_PART, WORKBOOK, open_archive, open_part
from .sheet import XLSX, Limits, Sheet
from .worksheet import Formats, read_rows, read_texts


@dataclass(frozen=True)
class Tab:
    """A worksheet as the workbook lists it."""

    name: str
    part: str
    hidden: bool


def open_xlsx(path: Path, limits: Limits) -> Sheet:
    """The first worksheet that has cells, the visible ones first. Raises Unreadable."""
    with open_archive(path, limits) as archive:
        formats, texts = _formats(archive), _texts(archive, limits)
        filled = []
        for tab in sorted(_tabs(archive), key=lambda tab: tab.hidden):
            first = list(islice(_filled_rows(archive, tab.part, texts, formats), 2))
            if first:
                filled.append((tab, first))
    if not filled:
        raise refusals.unusable("no_worksheet")
    tab, first = filled[0]
    if len(first) < 2:
        raise refusals.unusable("no_rows")
    line, cells = first[0]
    others = ", ".join(f"“{other.name}”" for other, _first in filled[1:])
    notes = [_("Only the worksheet “%(name)s” is read.") % {"name": tab.name}] if others else []
    if others:
        notes.append(_("Not read: %(names)s.") % {"names": others})
    sheet = Sheet(XLSX, "", "", tab.name, [], line, notes)
    _refuse_wide(cells, line, limits)
    refusals.refuse_long_cells(cells, line, sheet, limits)  # by the column's number: its name is what is too long
    return replace(sheet, headers=[cell.strip() for cell in cells])


def xlsx_rows(path: Path, sheet: Sheet, limits: Limits, skip: int) -> Iterator[tuple[int, list[str]]]:
    """See reading.rows."""
    width, count = len(sheet.headers), 0
    with open_archive(path, limits) as archive:
        part = next((tab.part for tab in _tabs(archive) if tab.name == sheet.name), "")
        for line, cells in _filled_rows(archive, part, _texts(archive, limits), _formats(archive)):
            if line <= sheet.header_line:
                continue
            count += 1
            if count > limits.rows:
                raise refusals.too_many_rows(limits, refusals.place(XLSX, line))
            if count <= skip:
                continue
            if max(map(len, cells)) > limits.field:
                refusals.refuse_long_cells(cells, line, sheet, limits)
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            elif len(cells) > width:
                _refuse_wide(cells, line, limits)
            yield line, cells


def _refuse_wide(cells: list[str], line: int, limits: Limits) -> None:
    if len(cells) > limits.columns:
        raise refusals.too_many_columns(limits, refusals.place(XLSX, line))


def _filled_rows(
    archive: zipfile.ZipFile, part: str, texts: list[str], formats: Formats
) -> Iterator[tuple[int, list[str]]]:
    """The rows that have more than blanks in them, without empty cells at their ends."""
    with open_part(archive, part) as file:
        for line, cells in read_rows(file, texts, formats):
            while cells and not cells[-1].strip():
                cells.pop()
            if cells:
                yield line, cells


def _tabs(archive: zipfile.ZipFile) -> list[Tab]:
    """The worksheets in their order; sheets that are charts have no cells."""
    targets = {}
    for link in _tree(archive, "xl/_rels/workbook.xml.rels"):
        if link.get("Type", "").endswith("/worksheet"):
            targets[link.get("Id")] = posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
    found = []
    for element in _tree(archive, WORKBOOK).iter():
        if _plain(element.tag) == "sheet":
            link_id = next((value for key, value in element.attrib.items() if _plain(key) == "id"), None)
            if link_id in targets:
                hidden = element.get("state", "visible") != "visible"
                found.append(Tab(element.get("name", ""), targets[link_id], hidden))
    return found


def _formats(archive: zipfile.ZipFile) -> Formats:
    """Which formats of cells show dates or durations, and from which day the workbook counts."""
    base = CALENDAR_WINDOWS_1900
    for element in _tree(archive, WORKBOOK).iter():
        if _plain(element.tag) == "workbookPr" and element.get("date1904") in ("1", "true"):
            base = CALENDAR_MAC_1904
    codes: dict[str, str] = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    dates: set[str] = set()
    durations: set[str] = set()
    if "xl/styles.xml" in archive.namelist():
        styles = _tree(archive, "xl/styles.xml")
        codes.update((one.get("numFmtId", ""), one.get("formatCode", "")) for one in _named(styles, "numFmt"))
        for group in _named(styles, "cellXfs"):
            for place, one in enumerate(group):
                code = codes.get(one.get("numFmtId", "0"), "General")
                if is_date_format(code):
                    (durations if is_timedelta_format(code) else dates).add(str(place))
    return Formats(dates, durations, base)


def _texts(archive: zipfile.ZipFile, limits: Limits) -> list[str]:
    """The texts that cells share, by number."""
    name = next((name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
    if name is None:
        return []
    with open_part(archive, name) as file:
        return read_texts(file, limits.field + 1)


def _tree(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with open_part(archive, name, SMALL_PART) as file:
        return ElementTree.parse(file).getroot()  # noqa: S314  bounded, and without declarations


def _named(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if _plain(element.tag) == name)


def _plain(name: str) -> str:
    """A name without its namespace: Excel writes another one in its strict format."""
    return name.rpartition("}")[2]
