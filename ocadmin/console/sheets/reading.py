"""The way in: any file to a `Sheet`, a `Sheet` to its rows."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from . import refusals
from .delimited import csv_rows, open_csv
from .kinds import kind_of
from .sheet import CSV, XLSX, Limits, Sheet
from .workbook import open_xlsx, xlsx_rows


def open_sheet(path: Path, name: str, limits: Limits) -> Sheet:
    """Find out how to read a file that was uploaded as `name`. Raises Unreadable when it cannot be, or has no rows.

    The whole of a text is looked at once, for its encoding.
    """
    size = path.stat().st_size
    if size > limits.bytes:
        raise refusals.too_large(size, limits.bytes)
    sheet = open_xlsx(path, limits) if kind_of(path) == XLSX else open_csv(path, limits)
    if sheet.kind == CSV and name.lower().endswith((".xlsx", ".xls", ".ods")):
        sheet.notes.append(_("The name says that this is a workbook, but it is text, and was read as CSV."))
    elif sheet.kind == XLSX and name.lower().endswith((".csv", ".txt", ".tsv")):
        sheet.notes.append(_("The name says that this is text, but it is a workbook, and was read as XLSX."))
    return sheet


def rows(path: Path, sheet: Sheet, limits: Limits, *, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The records below the header: the line (XLSX: row) in which each begins, and its cells as they stand.

    Records without any text are left out. A record is padded to the width of the header; one that is longer has text
    beyond it. `skip` leaves out so many records. Lazy; raises Unreadable in the middle where a limit is passed or the
    file is damaged.
    """
    return xlsx_rows(path, sheet, limits, skip) if sheet.kind == XLSX else csv_rows(path, sheet, limits, skip)


def sample(path: Path, sheet: Sheet, limits: Limits, count: int = 5) -> list[list[str]]:
    """The cells of the first records."""
    return [cells for _line, cells in islice(rows(path, sheet, limits), count)]
