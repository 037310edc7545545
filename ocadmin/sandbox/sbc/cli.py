"""The incremental CLI script: the part of the device's command line that handles dial plans.

The grammar is that of upstreams.md 9.6.  A line is understood where it stands or further out, so
that a rule need not be left with ``exit`` before the next one begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ..exchange import Json, Refusal
from . import devices, rules
from .devices import Plan
from .rules import Rule

if TYPE_CHECKING:
    from ..world import World

PROPERTIES = ("name", "prefix", "tag")
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_INDEX = re.compile(r"\d{1,9}")


class Level(IntEnum):
    """How far inside the configuration a line stands."""

    ROOT = 0
    VOIP = 1
    PLAN = 2
    RULE = 3


@dataclass(slots=True)
class Draft:
    """The rule that is being written, begun in ``line``; ``changed`` while it is not kept yet."""

    index: int
    line: int
    values: dict[str, str]
    is_new: bool
    changed: bool


class _Problem(Exception):
    """What is wrong with the line at hand, or with the line that is named."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


def run(world: World, device: Json, text: str) -> tuple[str, bool]:
    """Run a script: (what its ``show`` commands printed, whether it wrote anything).

    400 names the first line that is wrong; the caller's transaction takes back what was written.
    """
    session = _Session(world, device)
    number = 0
    try:
        for number, line in enumerate(text.split("\n"), start=1):
            session.execute(number, line.strip())
        session.keep()
    except _Problem as problem:
        raise Refusal(400, None, f"Line {problem.line or number}: {problem}") from None
    return "".join(session.output), session.wrote


class _Session:
    """Where a script stands and what it has done so far."""

    def __init__(self, world: World, device: Json) -> None:
        self.store = world.store
        self.device = device
        self.level = Level.ROOT
        self.plan: Plan | None = None
        self.draft: Draft | None = None
        self.output: list[str] = []
        self.wrote = False
        self.room = device["capacity"] - rules.count(world.store, device["id"])

    def execute(self, number: int, line: str) -> None:
        """One line; blank ones and those that begin with # are passed over."""
        if not line or line.startswith("#"):
            return
        if line.count('"') % 2:
            raise _Problem("Invalid command")
        words = [quoted or plain for quoted, plain in _WORD.findall(line)]
        match words:
            case ["dial-plan-rule", index, *pairs]:
                self._open_rule(number, index)
                self._set(pairs)
            case [("name" | "prefix" | "tag"), _, *_]:
                self._need(Level.RULE)
                self._set(words)
            case ["no", "dial-plan-rule", index]:
                self._remove_rule(index)
            case ["activate"]:
                self._need(Level.PLAN)
                self.keep()
            case ["exit"]:
                self._need(Level.VOIP)
                self._go_to(Level(self.level - 1))
            case ["configure", "voip"]:
                self._go_to(Level.VOIP)
            case ["sbc", "dial-plan", name]:
                self._enter(Level.VOIP)
                self.plan, self.level = devices.plan(self.device, name), Level.PLAN
            case ["show", *what]:
                self.keep()
                self.output.append(self._shown(what))
            case _:
                raise _Problem("Invalid command")

    def keep(self) -> None:
        """Put the rule that is being written into the table; 400 when it is full."""
        draft, plan = self.draft, self.plan
        if draft is None or plan is None or not draft.changed:
            return
        missing = rules.problem("prefix", draft.values["prefix"])
        if missing:
            raise _Problem(missing, draft.line)
        if draft.is_new:
            if self.room <= 0:
                raise Refusal(400, None, rules.TABLE_FULL)
            self.room -= 1
        rules.put(self.store, plan, Rule(draft.index, **draft.values))
        draft.is_new = draft.changed = False
        self.wrote = True

    def _need(self, level: Level) -> None:
        if self.level < level:
            raise _Problem("Invalid command")

    def _go_to(self, level: Level) -> None:
        """Leave what lies further inside; the rule that was being written is kept."""
        self.keep()
        if level < Level.RULE:
            self.draft = None
        self.level = level

    def _enter(self, level: Level) -> None:
        """Stand at a level that encloses this line or is the one it stands at."""
        self._need(level)
        self._go_to(level)

    def _index(self, text: str) -> int:
        if not _INDEX.fullmatch(text):
            raise _Problem("Invalid command")
        return int(text)

    def _in_plan(self) -> Plan:
        self._enter(Level.PLAN)
        if self.plan is None:
            raise _Problem("Invalid command")
        return self.plan

    def _open_rule(self, number: int, text: str) -> None:
        plan, index = self._in_plan(), self._index(text)
        there = rules.find(self.store, plan, index)
        values = {field: getattr(there, field) if there else "" for field in PROPERTIES}
        self.draft = Draft(index, number, values, is_new=there is None, changed=there is None)
        self.level = Level.RULE

    def _set(self, pairs: list[str]) -> None:
        """Properties as ``name value`` pairs; those that are not named stay as they are."""
        draft, plan = self.draft, self.plan
        if draft is None or plan is None or len(pairs) % 2:
            raise _Problem("Invalid command")
        for field, value in zip(pairs[::2], pairs[1::2], strict=True):
            if field not in PROPERTIES:
                raise _Problem("Invalid command")
            problem = rules.problem(field, value)
            if problem:
                raise _Problem(problem)
            if field == "prefix" and rules.index_of(self.store, plan, value) not in (
                None,
                draft.index,
            ):
                raise _Problem("duplicate prefix")
            draft.values[field], draft.changed = value, True

    def _remove_rule(self, text: str) -> None:
        plan, index = self._in_plan(), self._index(text)
        if not rules.remove(self.store, plan, index):
            raise _Problem(f"Dial plan rule {index} not found")
        self.room += 1
        self.wrote = True

    def _shown(self, what: list[str]) -> str:
        match what:
            case ["running-config"] | ["running-config", "voip"]:
                return self._listing(devices.plans(self.device))
            case ["running-config", "voip", "sbc", "dial-plan"]:
                return self._listing(devices.plans(self.device))
            case ["running-config", "voip", "sbc", "dial-plan", name]:
                return self._listing([devices.plan(self.device, name)])
            case ["system", "version"]:
                return f"{self.device['productType']} {self.device['versionID']}\n"
        raise _Problem("Invalid command")

    def _listing(self, plans: list[Plan]) -> str:
        """Plans with their rules as a script that would make them: one line for each rule."""
        lines = ["configure voip"]
        for plan in plans:
            lines.append(f" sbc dial-plan {_quoted(plan.name)}")
            lines += [f"  {_command(rule)}" for rule in rules.of_plan(self.store, plan)]
            lines.append(" exit")
        return "\n".join([*lines, "exit", ""])


def _command(rule: Rule) -> str:
    values = zip(PROPERTIES, rule[1:], strict=True)
    return " ".join(
        [f"dial-plan-rule {rule.place}", *(f"{field} {_quoted(value)}" for field, value in values)]
    )


def _quoted(value: str) -> str:
    """In quotes where it would not be one word without them."""
    return value if value and not re.search(r"\s", value) else f'"{value}"'
