"""Files that an import gives back: the rejected rows, the differences, an example, the table of columns."""

import csv
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from ocadmin.console import sheets
from ocadmin.console.spreadsheet import Echo, harmless

from .models import ImportRow, NumberImport, PhoneNumber, RowOutcome
from .operations.imports.lines import reading_of
from .operations.imports.shapes import ERROR, KNOWN, LEFT_OUT, plain
from .operations.imports.wishes import holds_for_known
from .resources import COLUMNS
from .widgets import CLEAR

AT_ONCE = 1000


def rejected(batch: NumberImport) -> Iterator[str]:
    """The refused rows as they stand in the file, with our headers and a column that says what is wrong.

    Of a range only its refused numbers, each in a row of its own. Values that held for the whole file stand in each
    row, and no column would mean something else than before, so that what is corrected here imports as it is.
    Raises FileNotFoundError where the file is no longer kept.
    """
    sheet = sheets.Sheet.of(batch.sheet)
    lines = sheets.rows(batch.path, sheet, sheets.Limits.of_settings())
    read = reading_of(sheet)
    kept = _kept(batch, sheet.headers)
    at = {head: place for place, head in kept.items()}
    more = [name for name in batch.defaults if name not in at]
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow([*kept.values(), *more, ERROR])
    line = 0
    cells: list[str] = []
    here = _here(batch)
    for row in _refused(batch):
        while line < row.line:
            line, cells = next(lines)
        told = list(cells)
        values = batch.defaults if row.e164 not in here else _for_known(batch)
        for name, text in values.items():
            if name in at and not told[at[name]].strip():
                told[at[name]] = text
        if row.e164 and "rangeEnd" in at and told[at["rangeEnd"]].strip() and not _has_bad_range(row):
            told[at["telephoneNumber"]], told[at["rangeEnd"]] = row.e164, ""
        guarded = (_guarded(told[place], read) for place in kept)
        yield writer.writerow([*guarded, *(harmless(values.get(name, "")) for name in more), harmless(_errors(row))])


def _here(batch: NumberImport) -> frozenset[str]:
    """The refused numbers that are here: values for the whole file hold for few of their columns."""
    if not batch.defaults:
        return frozenset()
    refused = batch.rows.filter(outcome=RowOutcome.REFUSED).exclude(e164="")
    return frozenset(PhoneNumber.objects.filter(e164__in=refused.values("e164")).values_list("e164", flat=True))


def _for_known(batch: NumberImport) -> dict[str, str]:
    return {name: text for name, text in batch.defaults.items() if name in holds_for_known(batch.mode)}


def _kept(batch: NumberImport, headers: Sequence[str]) -> dict[int, str]:
    """Place in the file to header, for the columns that go into a file of refused rows.

    One that was left out must be left out again: not where its name means one of our columns, and of a file that was
    recognised, where nobody was asked, only where its name says so.
    """
    found = {}
    for place, (column, header) in enumerate(zip(batch.mapping, headers, strict=True)):
        name = plain(header)
        again = KNOWN.get(name, LEFT_OUT) == LEFT_OUT and name != ERROR and (name in KNOWN or not batch.shape)
        if column or again:
            found[place] = column or harmless(header)
    return found


def _has_bad_range(row: ImportRow) -> bool:
    """Whether the range itself could not be read: then its row is not one of its numbers."""
    return any(column == "rangeEnd" for column, *_rest in row.problems)


def _guarded(cell: str, read: Callable[[str], str]) -> str:
    """A cell of the file as CSV may hold it, read back to the same text; a “-” keeps its meaning."""
    return cell if cell.strip() == CLEAR else harmless(read(cell))


def _refused(batch: NumberImport) -> Iterator[ImportRow]:
    """In the order of the file, read in pieces."""
    rows = batch.rows.filter(outcome=RowOutcome.REFUSED).order_by("line", "pk")
    return rows.iterator(chunk_size=AT_ONCE)


def _errors(row: ImportRow) -> str:
    """Column, value and sentence of everything that is wrong with a row."""
    return " | ".join(
        f"{column}: {sentence}" if column else sentence for column, _value, _code, sentence in row.problems
    )


def differences(batch: NumberImport) -> Iterator[str]:
    """What a comparison has found, one line for each cell that differs and each number that only one side has."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(["telephoneNumber", "line", "outcome", "column", "here", "file"])
    rows = batch.rows.exclude(outcome=RowOutcome.UNCHANGED).order_by("pk")
    for row in rows.iterator(chunk_size=AT_ONCE):
        word = RowOutcome(row.outcome).name.lower()
        cells: list[Any] = [row.e164 or harmless(row.text), row.line or "", word]
        if row.problems:
            yield writer.writerow([*cells, "", "", harmless(_errors(row))])
        elif not row.changes:
            yield writer.writerow([*cells, "", "", ""])
        for column, (here, there) in row.changes.items():
            yield writer.writerow([*cells, column, harmless(str(here)), harmless(str(there))])


def example() -> Iterator[str]:
    """A file with all columns and two rows."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(list(COLUMNS))
    values = {name: column.example for name, column in COLUMNS.items()}
    tenant, profile = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
    given = {"msTenantId": tenant, "callingProfileId": profile, "displayedCountry": ""}
    ranged = values | given
    single = ranged | {"telephoneNumber": "+442079460110", "rangeEnd": "", "note": _("Reception"), "tags": "desk;vip"}
    for row in (ranged, single):
        yield writer.writerow([row[name] for name in COLUMNS])


def columns() -> Iterator[str]:
    """The table of columns: name, other names, meaning, example."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(["column", "also", "meaning", "example"])
    for name, column in COLUMNS.items():
        yield writer.writerow([name, ", ".join(column.aliases), str(column.help_text), harmless(column.example)])
