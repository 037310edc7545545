"""The CSV file of all dial plans of a device: header DialPlanName,Name,Prefix,Tag (upstreams.md §4).

Rows that are not ours are kept byte for byte. What is kept is the bytes of the file; its rows are read as they are
asked for, because a row as an object takes ten times the space of its bytes.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _

from .changes import Difference
from .rules import Rule

COLUMNS = ("dialplanname", "name", "prefix", "tag")
# Rows as devices write them, every cell in quotes: seen to be sound in a fifth of the time that the csv module takes.
_QUOTED_ROWS = re.compile(rb'(?:(?:"[^"]{0,9999}+",){3}"[^"]{0,9999}+"\r?\n)*+')
_QUOTES_PER_ROW = 2 * len(COLUMNS)


class UnreadablePlan(ValueError):
    """What a device gave is no dial plan; the text says why in half a sentence."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A file that is understood to its end. `size` counts the rules of all its dial plans."""

    content: bytes = field(repr=False)
    size: int

    def rules(self, plan: str) -> "RulesOfFile":
        """The rules of one dial plan, by the place of their row, from 0 after the header."""
        return RulesOfFile(self, plan)


@dataclass(frozen=True, slots=True)
class RulesOfFile:
    """The rules of one plan of a file. Every look reads it anew; two are equal where the files and plans are."""

    file: PlanFile
    plan: str

    def items(self) -> Iterator[tuple[int, Rule]]:
        """Place and rule. Rows that have not four columns are nobody's rules."""
        plan, width = self.plan, len(COLUMNS)
        make = partial(tuple.__new__, Rule)  # what Rule(…) does, in half the time: there may be a million
        reader = csv.reader(_text(self.file.content), strict=True)
        next(reader)
        for place, cells in enumerate(reader):
            if len(cells) == width and cells[0] == plan:
                yield place, make((cells[2], cells[1], cells[3]))


def parse(content: bytes) -> PlanFile:
    """Read a device's CSV. Raises UnreadablePlan: writing back what was half understood would destroy rules."""
    reader = csv.reader(_text(content), strict=True)
    try:
        head = next(reader, None)
        if head is None:
            raise UnreadablePlan(_("it is empty, not even the line DialPlanName,Name,Prefix,Tag is there"))
        if tuple(cell.strip("\ufeff \t").lower() for cell in head) != COLUMNS:
            raise UnreadablePlan(_("its first line is not DialPlanName,Name,Prefix,Tag"))
        rows = content.find(b"\n") + 1
        if reader.line_num == 1 and rows and _QUOTED_ROWS.fullmatch(content, rows):
            return PlanFile(content, content.count(b'"', rows) // _QUOTES_PER_ROW)
        return PlanFile(content, sum(map(len(COLUMNS).__eq__, map(len, reader))))
    except csv.Error as error:
        words = {"line": reader.line_num, "reason": error}
        raise UnreadablePlan(_("line %(line)d is not CSV: %(reason)s") % words) from None


def render(file: PlanFile) -> bytes:
    """The file as bytes; `render(parse(content)) == content`."""
    return file.content


def merge(file: PlanFile, plan: str, change: Difference) -> PlanFile:
    """The file with the difference worked in. The keys are places of rows (`PlanFile.rules`); new rules go last."""
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8", errors="surrogateescape", newline="")
    gone = set(change.remove)
    records = _records(file)
    raw = next(records)
    newline = _line_end(raw) or "\n"
    text.write(raw)
    for place, row in enumerate(records):
        if place in change.change:
            raw = _row(plan, change.change[place], _line_end(row))
        elif place in gone:
            continue
        else:
            raw = row
        text.write(raw)
    if change.add and not _line_end(raw):  # what was the end of the file need not end its line
        text.write(newline)
    text.writelines(_row(plan, rule, newline) for rule in change.add)
    text.flush()
    return PlanFile(out.getvalue(), file.size + len(change.add) - len(change.remove))


def _text(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="surrogateescape", newline="")


def _records(file: PlanFile) -> Iterator[str]:
    """The text, line end included, of every record; the first is the header."""
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in _text(file.content):
            lines.append(line)
            yield line

    for _cells in csv.reader(noted(), strict=True):
        yield "".join(lines)
        lines.clear()


def _row(plan: str, rule: Rule, newline: str) -> str:
    cells = ",".join('"' + cell.replace('"', '""') + '"' for cell in (plan, rule.name, rule.prefix, rule.tag))
    return cells + newline


def _line_end(raw: str) -> str:
    return raw[len(raw.rstrip("\r\n")) :]
