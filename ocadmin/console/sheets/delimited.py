"""CSV: its dialect, its header, its records.

The records come from the standard library's reader as it is; what is done to each of 100,000 in Python is kept to one
join, which answers whether the record is empty and whether one of its cells can be too long.
"""

import csv
import re
from collections.abc import Iterator
from itertools import dropwhile, islice
from pathlib import Path
from typing import TextIO

from . import refusals
from .encodings import encoding_of
from .sheet import CSV, Limits, Sheet, Unreadable

# The order decides between equals. A comma stands in texts more often than the others, so it comes last.
DELIMITERS = "\t;|,"
# A line before the header: Excel's, and that of Windows PowerShell's Export-Csv.
SEP_LINE = re.compile(r'"?sep=([^\w"\r\n ])"?\1*\s*$', re.IGNORECASE)
TYPE_LINE = re.compile(r"#TYPE\s+\S")
BLANKS = " \t\r\n\u00a0\ufeff" + DELIMITERS
# By how much of the file the delimiter is judged.
HEAD_LINES, HEAD_CHARACTERS = 100, 200_000


def open_csv(path: Path, limits: Limits) -> Sheet:
    """Everything but the rows. Raises Unreadable."""
    # Twice for cells that are all quotes, and room for those at the ends.
    encoding, notes = encoding_of(path, limits.columns * (2 * limits.field + 3))
    with open_text(path, encoding) as file:
        first = file.readline()
        named = SEP_LINE.match(first)
        aside = bool(named or TYPE_LINE.match(first))
        lines = dropwhile(_blank, file if aside else _chained(first, file))
        head = _head(lines)
    if not head:
        raise refusals.unusable("blank")
    draft = Sheet(CSV, encoding, named[1] if named else _delimiter(head), "", [], 1, notes)
    for line, record in _records(path, draft, limits):
        if not "".join(record).strip(BLANKS) or (aside and line == 1):
            continue
        headers = [cell.strip(" \t\r\n\u00a0\ufeff") for cell in record]
        if len(headers) > limits.columns:
            raise refusals.too_many_columns(limits, refusals.place(CSV, line))
        sheet = Sheet(CSV, encoding, draft.delimiter, "", headers, line, notes)
        refusals.refuse_long_cells(record, line, draft, limits)  # by the column's number: its name is what is too long
        if next(csv_rows(path, sheet, limits, 0), None) is None:
            raise refusals.unusable("no_rows")
        return sheet
    raise refusals.unusable("blank")


def csv_rows(path: Path, sheet: Sheet, limits: Limits, skip: int) -> Iterator[tuple[int, list[str]]]:
    """See reading.rows."""
    width, longest, most = len(sheet.headers), limits.field, limits.rows
    count = 0
    for line, record in _records(path, sheet, limits):
        joined = "".join(record)
        if not joined or joined.isspace() or line <= sheet.header_line:
            continue
        count += 1
        if count > most:
            raise refusals.too_many_rows(limits, refusals.place(CSV, line))
        if len(joined) > longest:
            refusals.refuse_long_cells(record, line, sheet, limits)
        if count <= skip:
            continue
        if len(record) != width:
            _fit(record, width)
            if len(record) > limits.columns:
                raise refusals.too_many_columns(limits, refusals.place(CSV, line))
        yield line, record


def open_text(path: Path, encoding: str) -> TextIO:
    """The file as text with its own line ends: the csv module wants to see them."""
    return path.open(encoding=encoding, newline="")


def _records(path: Path, sheet: Sheet, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """Every record from the first line on with the line in which it begins; damaged quoting raises Unreadable."""
    with open_text(path, sheet.encoding) as file:
        reader = csv.reader(file, delimiter=sheet.delimiter, strict=True)
        line = 1
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except csv.Error:
            raise _damaged(path, sheet, limits, line, reader.line_num) from None
        except UnicodeDecodeError as error:  # the file is not the one that was opened
            raise refusals.undecodable(error.object[error.start], line, sheet.encoding) from None


def _blank(line: str) -> bool:
    return not line.strip(BLANKS)


def _chained(first: str, rest: TextIO) -> Iterator[str]:
    yield first
    yield from rest


def _head(lines: Iterator[str]) -> list[str]:
    """The header and what follows it, as much as is wanted to judge the delimiter."""
    head, size = [], 0
    for line in islice(lines, HEAD_LINES):
        head.append(line)
        size += len(line)
        if size > HEAD_CHARACTERS:
            break
    return head


def _delimiter(head: list[str]) -> str:
    """The one that divides the header into most columns.

    Only where it divides most rows below too: “Address (street, city); Number” has more commas than semicolons.
    Between equals the one by which most rows have as many cells as the header.
    """

    def score(delimiter: str) -> tuple[bool, int, int]:
        records = list(_lenient(head, delimiter))
        if not records:
            return False, 0, 0
        widths = [len(record) for record in records[1:] if record]
        divides = 2 * sum(width > 1 for width in widths) >= len(widths)
        return divides, len(records[0]), sum(width == len(records[0]) for width in widths)

    found = max(DELIMITERS, key=score)
    return found if score(found)[1] > 1 else ","


def _lenient(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    """Records up to the first that cannot be read: damage is told when the rows are read."""
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return


def _fit(record: list[str], width: int) -> None:
    """Pad to the width of the header; take empty cells beyond it away, keep others for the caller to refuse."""
    if len(record) < width:
        record.extend([""] * (width - len(record)))
    while len(record) > width and not record[-1].strip():
        record.pop()


def _damaged(path: Path, sheet: Sheet, limits: Limits, first: int, last: int) -> Unreadable:
    """What is wrong with the quotes of the record in these lines.

    The csv module says only that something is. Walking through the record again finds the quote that opened last.
    """
    state, opened, column = "start", first, 0
    with open_text(path, sheet.encoding) as file:
        for number, line in enumerate(islice(file, first - 1, last), first):
            for character in line:
                if state == "quoted":
                    state = "closed" if character == '"' else "quoted"
                elif state == "closed" and character == '"':  # a quote that was written twice
                    state = "quoted"
                elif character == sheet.delimiter or character in "\r\n":
                    state, column = "start", column + 1
                elif state == "closed":
                    return refusals.stray_quote(number, opened)
                elif state == "start" and character == '"':
                    state, opened = "quoted", number
                else:
                    state = "plain"
        if state == "quoted" and next(file, None) is None:
            return refusals.open_quote(opened)
    return refusals.long_cell(limits, sheet, opened, column, broken=state == "quoted")
