"""From the lines of a file to candidates: the number or range of each, and what its other cells ask for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ocadmin.console import sheets
from ocadmin.console.spreadsheet import from_typed, original

from ... import pasting
from ...e164 import Flawed
from ...models import NumberImport
from ...resources import COLUMNS, LONGEST_TAG, MOST_TAGS
from ...widgets import CLEAR, CellProblem
from .references import References
from .shapes import ASSIGNED, COMPARED, ENABLED, STANDING
from .wishes import CLEARED, Parsed, Problem, Wish, holds_for_known, parse, wish_of

MOST_REMEMBERED = 20_000  # combinations of cells; beyond that the memory is begun anew
PER_ROW = ("telephoneNumber", "rangeEnd", "note", "tags", *COMPARED, *STANDING)  # read for each row by themselves


@dataclass(slots=True)
class Candidate:
    """A line of a file: its number, or the numbers of its range; none where that could not be read."""

    line: int
    text: str
    numbers: Sequence[str]
    wish: Wish
    note: Any
    tags: Any
    told: dict[str, str]
    problems: list[Problem]
    assumed: bool
    blanks: bool


class Lines:
    """Reads the lines of one file."""

    def __init__(self, batch: NumberImport, references: References) -> None:
        sheet, mapping = sheets.Sheet.of(batch.sheet), batch.mapping
        self.references = references
        self.original = reading_of(sheet)
        self.defaults = {name: text for name, text in batch.defaults.items() if text.strip()}
        self.for_known = holds_for_known(batch.mode)
        self.at = {column: place for place, column in enumerate(mapping) if column}
        self.wide = len(mapping)
        self.nameless = [place for place, header in enumerate(sheet.headers) if not header and not mapping[place]]
        self.others = [(place, name) for name, place in self.at.items() if name not in PER_ROW]
        self.told = [(place, name) for name, place in self.at.items() if name in (*COMPARED, *STANDING)]
        self._places = [place for place, _name in self.others]
        self._remembered: dict[tuple[str, ...], Wish] = {}

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[Candidate]:
        """The candidates of some lines, one by one: ranges are long. What they name is looked up for all at once."""
        chunk = list(rows)
        keys = [tuple([cells[place] for place in self._places]) for _line, cells in chunk]
        self._remember(keys)
        for (line, cells), key in zip(chunk, keys, strict=True):
            yield self._candidate(line, cells, self._remembered[key])

    def _remember(self, keys: list[tuple[str, ...]]) -> None:
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered = {}
        fresh: dict[tuple[str, ...], Parsed] = {}
        filled: dict[tuple[str, ...], list[str]] = {}
        for key in keys:
            if key not in self._remembered and key not in fresh:
                named = {name: cell for (_place, name), cell in zip(self.others, key, strict=True)}
                filled[key] = [name for name in self.defaults if not named.get(name, "").strip()]
                named |= {name: self.defaults[name] for name in filled[key]}
                fresh[key] = parse(named, self.original)
        self.references.look_up(parsed.values for parsed in fresh.values())
        for key, parsed in fresh.items():
            self._remembered[key] = wish_of(parsed, self.references, filled[key], self.for_known)

    def _candidate(self, line: int, cells: list[str], wish: Wish) -> Candidate:
        at = self.at
        text = cells[at["telephoneNumber"]]
        problems = list(wish.problems)
        if len(cells) > self.wide or self.nameless:
            self._nameless(cells, problems)
        numbers, assumed = self._numbers(self.original(text), cells, problems)
        note = self._own("note", cells, problems) if "note" in at else None
        tags = self._own("tags", cells, problems) if "tags" in at else None
        told = {name: cells[place].strip() for place, name in self.told} if self.told else {}
        problems += _withheld(told)
        blanks = text != text.strip()
        return Candidate(line, text, numbers, wish, note, tags, told, problems, assumed, blanks)

    def _numbers(self, text: str, cells: list[str], problems: list[Problem]) -> tuple[Sequence[str], bool]:
        try:
            first, assumed = COLUMNS["telephoneNumber"].widget.clean(text)
        except CellProblem as problem:
            problems.append(Problem("telephoneNumber", text, problem.code, problem.sentence))
            return (), False
        end = cells[self.at["rangeEnd"]].strip() if "rangeEnd" in self.at else ""
        if not end:
            return (first,), assumed
        try:
            last, last_assumed = COLUMNS["rangeEnd"].widget.clean(self.original(end))
            return pasting.expand(first, last), assumed or last_assumed
        except CellProblem as problem:
            problems.append(Problem("rangeEnd", end, problem.code, problem.sentence))
        except Flawed as flaw:
            problems.append(Problem("rangeEnd", end, flaw.code, pasting.Problem(end, flaw.code).sentence))
        return (first,), assumed

    def _own(self, name: str, cells: list[str], problems: list[Problem]) -> Any:
        """A note or tags: None where the cell is empty, or has no word in it."""
        cell = cells[self.at[name]]
        if cell.strip() == CLEAR:
            return CLEARED
        text = self.original(cell)
        if not text.strip():
            return None
        try:
            value = COLUMNS[name].widget.clean(text)
        except CellProblem as problem:
            problems.append(Problem(name, text, problem.code, problem.sentence))
            return None
        if name == "tags" and (len(value) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in value)):
            sentence = _("At most %(most)d tags of %(longest)d characters are kept.")
            words = sentence % {"most": MOST_TAGS, "longest": LONGEST_TAG}
            problems.append(Problem(name, text, "too_many_tags", words))
        return value if value != () else None

    def _nameless(self, cells: list[str], problems: list[Problem]) -> None:
        """What stands under no header is not ignored."""
        for place in (*self.nameless, *range(self.wide, len(cells))):
            if cells[place].strip():
                sentence = _("Column %d has no header. Give it one, or empty the cell.") % (place + 1)
                problems.append(Problem("", cells[place], "no_header", sentence))


def reading_of(sheet: sheets.Sheet) -> Callable[[str], str]:
    """What takes off the guard of a cell: only in CSV a text has to be guarded against being executed."""
    return original if sheet.kind == sheets.CSV else from_typed


def _withheld(told: dict[str, str]) -> Iterator[Problem]:
    """Rows of the gateway (live-platform.md §1.6) that ask for the contrary of an upload."""
    for name, word in ((ENABLED, "false"), (ASSIGNED, "unassigned")):
        if told.get(name, "").casefold() == word:
            sentence = _(
                "By this the number is not to be with the customer, and a file cannot take it away. Remove the row."
            )
            yield Problem(name, told[name], "not_wanted", sentence)


def numbers_in(candidates: Iterable[Candidate]) -> Iterator[str]:
    """All numbers of some lines."""
    return (number for candidate in candidates for number in candidate.numbers)
