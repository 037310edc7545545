"""Which rule of a dial plan a dialled number meets: the best match, not the first (prefixes.py says what that is)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from .prefixes import Malformed, Pattern, Place, pattern
from .rules import END, Rule

__all__ = ["Malformed", "Matcher"]

Key = TypeVar("Key")

_PLAIN = re.compile(r"[+0-9]{1,49}")  # nearly every rule of a large plan


class Matcher(Generic[Key]):
    """The rules of one plan, loaded once, for as many numbers as wanted.

    `malformed` are rules that match nothing because their prefix is no pattern, with the reason. Of rules with the same
    prefix the first counts; which of them a device takes is not known.
    """

    def __init__(self, rules: Iterable[tuple[Key, Rule]]) -> None:
        self.malformed: list[tuple[Key, Rule, str]] = []
        self._open: dict[str, tuple[Key, Rule]] = {}
        self._ended: dict[str, tuple[Key, Rule]] = {}
        self._again: dict[tuple[str, bool], list[tuple[Key, Rule]]] = {}  # the same for the second time and more
        self._patterns: dict[str, _Patterns[Key]] = {}
        for entry in rules:
            self._load(entry)
        self._open_lengths = sorted({len(text) for text in self._open}, reverse=True)
        self._lead_lengths = sorted({len(lead) for lead in self._patterns}, reverse=True)
        for patterns in self._patterns.values():
            patterns.sort()

    def _load(self, entry: tuple[Key, Rule]) -> None:
        prefix = entry[1].prefix
        ends = prefix[-1:] == END
        text = prefix[:-1] if ends else prefix
        if not _PLAIN.fullmatch(text):
            try:
                found = pattern(prefix)
            except Malformed as problem:
                self.malformed.append((*entry, str(problem)))
                return
            if not found.whole:
                self._patterns.setdefault(found.lead, _Patterns()).entries.append((found, entry))
                return
            text = found.lead
        if (self._ended if ends else self._open).setdefault(text, entry) is not entry:
            self._again.setdefault((text, ends), []).append(entry)

    def best(self, number: str) -> tuple[Key, Rule] | None:
        """The rule that the number meets, with its key; None where no rule matches it.

        A text that numbers begin with beats every pattern that has less in front of its first wildcard, so patterns
        are asked only where they have as much.
        """
        exact = self._ended.get(number)
        if exact is not None:
            return exact
        found, most = None, len(number)
        known = -1
        for length in self._open_lengths:
            if length <= most and (found := self._open.get(number[:length])) is not None:
                known = length
                break
        for length in self._lead_lengths:
            if length < known:
                break
            if length <= most and (patterns := self._patterns.get(number[:length])) is not None:
                better = patterns.first(number)
                if better is not None:
                    return better
        return found

    def all(self, number: str) -> list[tuple[Key, Rule]]:
        """All rules that match, the best first."""
        found = sorted(self._matching(number), key=lambda one: one[0])
        return [entry for _order, entry in found]

    def _matching(self, number: str) -> Iterator[tuple[tuple[Place, ...], tuple[Key, Rule]]]:
        for length in range(len(number) + 1):
            text = number[:length]
            for rules, ends in ((self._open, False), (self._ended, True)):
                entry = rules.get(text) if length == len(number) or not ends else None
                if entry is not None:
                    order = pattern(entry[1].prefix).order
                    yield from ((order, one) for one in [entry, *self._again.get((text, ends), [])])
            for found, entry in self._patterns[text].entries if text in self._patterns else []:
                if re.match(found.regex, number):
                    yield found.order, entry


@dataclass
class _Patterns(Generic[Key]):
    """Patterns that begin with the same characters."""

    entries: list[tuple[Pattern, tuple[Key, Rule]]] = field(default_factory=list)

    def sort(self) -> None:
        """The more specific first, then as loaded."""
        self.entries.sort(key=lambda one: one[0].order)

    def first(self, number: str) -> tuple[Key, Rule] | None:
        """The most specific one that matches."""
        found = self._together.match(number)
        return self.entries[found.lastindex - 1][1] if found and found.lastindex else None

    @cached_property
    def _together(self) -> re.Pattern[str]:
        """All in one expression, whose alternatives are tried in order: hundreds are asked in one call."""
        return re.compile("|".join(f"({found.regex})" for found, _entry in self.entries))
