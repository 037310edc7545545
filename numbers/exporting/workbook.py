"""The rows as an Excel workbook. Every cell is a text by its type, so that none is executed and a plus stays."""

import re
from collections.abc import Iterable, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

MOST_ROWS = 1_048_575  # of a sheet, without the header
LONGEST = 32_767  # characters in a cell; what is beyond is cut
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML has no way to write them
_WIDE, _USUAL, _NARROW = 40, 20, 11
_WIDTHS = {"country": _NARROW, "source": _NARROW, "status": _USUAL} | dict.fromkeys(
    ("emergencyAddress", "customer", "capabilities", "availableCapabilities", "note"), _WIDE
)


def write(header: Sequence[str], rows: Iterable[Sequence[str | None]], file: IO[bytes] | str) -> None:
    """Write the workbook to `file` (open, or a path). One row is in memory at a time: the sheet grows on disk."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Numbers")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(header, 1):
        width = _WIDE if name.endswith("Id") else _WIDTHS.get(name, _USUAL)
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append(header)
    for row in rows:
        sheet.append([_cell(sheet, text) if text else None for text in row])
    book.save(file)


def _cell(sheet: Any, text: str) -> Any:
    """The text as openpyxl has to be given it: left alone it takes some texts for formulas or error values."""
    text = _UNSPEAKABLE.sub("", text)[:LONGEST]
    if text[:1] not in ("=", "#"):
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell
