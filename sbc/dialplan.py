"""Dial plans as values: rules, the CSV file of a device, and what has to change. Nothing here talks to anybody.

The CSV has the header DialPlanName,Name,Prefix,Tag (upstreams.md §4). Rows that are not ours are kept byte for byte.
A prefix with and without the trailing # is the same prefix in every comparison (design.md §5).
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

COLUMNS = ("dialplanname", "name", "prefix", "tag")
END = "#"  # end of number: the rule matches this number only, not longer ones


class Rule(NamedTuple):
    """One rule. `prefix` is E.164 without # where it is wanted, and as the device writes it where it is present."""

    prefix: str
    name: str
    tag: str


class UnreadablePlan(ValueError):
    """What a device gave is no dial plan; the text says why in half a sentence."""


class Row(NamedTuple):
    """One record of the file. `raw` is its text with the line end; `rule` is None where it has not four columns."""

    raw: str
    plan: str
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The CSV of all dial plans of a device. `head` is the header line as it stands there, byte order mark included."""

    head: str
    rows: list[Row]

    def rules(self, plan: str) -> dict[int, Rule]:
        """The rules of one dial plan, by the place of their row."""
        return {at: row.rule for at, row in enumerate(self.rows) if row.plan == plan and row.rule is not None}


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be written. The keys of `change` and `remove` are those of the present rules.

    `prefixes` says for every prefix that was asked about what happens to it, for counting.
    """

    add: list[Rule] = field(default_factory=list)
    change: dict[int, Rule] = field(default_factory=dict)
    remove: list[int] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


def bare(prefix: str) -> str:
    """The prefix without its trailing #."""
    return prefix.removesuffix(END)


def same_prefix(one: str, other: str) -> bool:
    """Whether two prefixes are the same but for a trailing #."""
    return bare(one) == bare(other)


def written(prefix: str, with_hash: bool) -> str:
    """The form in which a prefix is written to a device, by the SBC's setting."""
    return bare(prefix) + END if with_hash else bare(prefix)


def is_right(there: Rule, wanted: Rule) -> bool:
    """Whether a present rule does what is wanted. A device does not tell tags apart by case (live-platform.md §6.3)."""
    return there.name == wanted.name and there.tag.casefold() == wanted.tag.casefold()


def difference(present: Mapping[int, Rule], wanted: Mapping[str, Rule | None], *, with_hash: bool) -> Difference:
    """What has to change so that the device does what is wanted for these prefixes, and these only.

    `present` are the rules of the plan under any key; `wanted` maps a prefix without # to its rule, None: not wanted.
    A rule that stands there keeps its form with or without #. Where a prefix stands there twice, with and without #,
    all of them are set right, none is removed: nobody knows which of them carries the calls.
    """
    there: dict[str, list[int]] = {}
    for key, rule in present.items():
        prefix = bare(rule.prefix)
        if prefix in wanted:
            there.setdefault(prefix, []).append(key)
    found = Difference()
    for prefix, goal in wanted.items():
        keys = there.get(prefix, [])
        if goal is None:
            found.remove.extend(keys)
            found.removed.extend([prefix] if keys else [])
        elif not keys:
            found.add.append(goal._replace(prefix=written(prefix, with_hash)))
            found.added.append(prefix)
        elif wrong := [key for key in keys if not is_right(present[key], goal)]:
            found.change.update({key: goal._replace(prefix=present[key].prefix) for key in wrong})
            found.changed.append(prefix)
    return found


def parse(content: bytes) -> PlanFile:
    """Read a device's CSV. Raises UnreadablePlan: writing back what was half understood would destroy rules."""
    text = content.decode("utf-8", "surrogateescape")
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    head, begun = "", 0
    try:
        for cells in reader:
            raw = "".join(lines[begun : reader.line_num])
            begun = reader.line_num
            if head:
                rows.append(_row(raw, cells))
            elif tuple(cell.strip("\ufeff \t").lower() for cell in cells) == COLUMNS:
                head = raw
            else:
                raise UnreadablePlan(_("its first line is not DialPlanName,Name,Prefix,Tag"))
    except csv.Error as error:
        raise UnreadablePlan(
            _("line %(line)d is not CSV: %(reason)s") % {"line": reader.line_num, "reason": error}
        ) from None
    if not head:
        raise UnreadablePlan(_("it is empty, not even the line DialPlanName,Name,Prefix,Tag is there"))
    return PlanFile(head, rows)


def _row(raw: str, cells: list[str]) -> Row:
    if len(cells) != len(COLUMNS):
        return Row(raw, cells[0] if cells else "", None)
    plan, name, prefix, tag = cells
    return Row(raw, plan, Rule(prefix, name, tag))


def render(file: PlanFile) -> bytes:
    """The file as bytes; `render(parse(content)) == content`."""
    text = "".join([file.head, *(row.raw for row in file.rows)])
    return text.encode("utf-8", "surrogateescape")


def merge(file: PlanFile, plan: str, change: Difference) -> PlanFile:
    """The file with the difference worked in. The keys are places of rows (`PlanFile.rules`); new rules go last."""
    head, newline = file.head, _line_end(file.head) or "\n"
    gone = set(change.remove)
    rows = []
    for at, row in enumerate(file.rows):
        if at in change.change:
            rows.append(_new_row(plan, change.change[at], _line_end(row.raw)))
        elif at not in gone:
            rows.append(row)
    if change.add:  # what was the end of the file need not end its line
        head = head if _line_end(head) else head + newline
        if rows and not _line_end(rows[-1].raw):
            rows[-1] = rows[-1]._replace(raw=rows[-1].raw + newline)
    return PlanFile(head, rows + [_new_row(plan, rule, newline) for rule in change.add])


def _new_row(plan: str, rule: Rule, newline: str) -> Row:
    cells = ",".join('"' + cell.replace('"', '""') + '"' for cell in (plan, rule.name, rule.prefix, rule.tag))
    return Row(cells + newline, plan, rule)


def _line_end(raw: str) -> str:
    return raw[len(raw.rstrip("\r\n")) :]
