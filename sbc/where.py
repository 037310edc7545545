"""Where a call would go: the rule of each SBC's dial plan, as last read, that a dialled number meets.

What is known of the number itself the rooms above tell (`describe_by`): this one knows nothing of numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ocadmin.access.principal import Principal

from .dialplan import END, META, Matcher, Rule
from .models import SBC, PlanReading, SeenRule

LONGEST = 50
MOST_PATTERNS = 20_000  # of all SBCs together; more are not looked through while somebody waits
_SCHEME = re.compile(r"^\s*(?:tel|sips?):", re.IGNORECASE)
_DECORATION = re.compile(r"[\s\-./()\u2010-\u2015]+")
_DIALLED = re.compile(rf"[+0-9A-Za-z*#]{{1,{LONGEST}}}")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a number: its page, what it is in words, and the tag that each SBC (id) should give it.

    `note` says why no SBC should, empty where one should.
    """

    url: str
    words: str
    tags: dict[int, str]
    note: str = ""


Describer = Callable[[Principal, str], Known | None]
_describers: list[Describer] = []


def describe_by(describer: Describer) -> None:
    """Ask this one what a number (as it was dialled) is, for this person; None: not known, or not theirs."""
    _describers.append(describer)


def known(principal: Principal, number: str) -> Known | None:
    """What the first that knows the number says."""
    told = (describer(principal, number) for describer in _describers)
    return next((one for one in told if one is not None), None)


@dataclass(frozen=True, slots=True)
class Met:
    """A rule that the number meets; `written` is its prefix as the device writes it."""

    written: str
    name: str
    tag: str
    place: int


@dataclass(slots=True)
class Answer:
    """What one SBC would do. `reading` is None where its plan was never read; `rules` match, the best first.

    `tag` is the tag that it should give, None where it is not known whether it should; `malformed` counts the rules
    that match nothing because their prefix is no pattern.
    """

    sbc: SBC
    reading: PlanReading | None
    tag: str | None
    rules: list[Met] = field(default_factory=list)
    malformed: int = 0

    @property
    def best(self) -> Met | None:
        """The rule that the call meets."""
        return self.rules[0] if self.rules else None

    @property
    def others(self) -> list[Met]:
        """What matches as well, but is less specific."""
        return self.rules[1:]

    @property
    def right(self) -> bool:
        """Whether the call gets the tag that it should get; tags are not told apart by case."""
        return self.best is not None and self.tag is not None and self.best.tag.casefold() == self.tag.casefold()


def dialled(text: str) -> str | None:
    """The number as a device would see it, from what a person writes: no blanks, dashes, brackets, no tel:.

    None where it is none.
    """
    words = _SCHEME.sub("", text).partition("@")[0].partition(";")[0]
    number = _DECORATION.sub("", words)
    return number if _DIALLED.fullmatch(number) else None


def answers(number: str, principal: Principal, what: Known | None) -> list[Answer]:
    """What every SBC that the person may see would do with a dialled number, by name; four queries."""
    tags = what.tags if what else {}
    sbcs = list(SBC.objects.visible_to(principal))
    readings = {one.sbc_id: one for one in PlanReading.objects.current().filter(sbc__in=sbcs)}
    told = [Answer(sbc, readings.get(sbc.pk), tags.get(sbc.pk)) for sbc in sbcs]
    by_reading = {answer.reading.pk: answer for answer in told if answer.reading}
    candidates = _candidates(number, list(by_reading))
    for pk, answer in by_reading.items():
        rules = sorted(candidates.get(pk, {}).items())
        matcher = Matcher((place, rule) for place, rule in rules)
        answer.rules = [Met(rule.prefix, rule.name, rule.tag, place) for place, rule in matcher.all(number)]
        answer.malformed = len(matcher.malformed)
    return told


def _candidates(number: str, readings: list[int]) -> dict[int, dict[int, Rule]]:
    """Reading (id) to the rules, by their place, that may match: what the number begins with, and all patterns."""
    starts = [number[:length] for length in range(1, len(number) + 1)]
    seen = SeenRule.objects.filter(reading__in=readings).order_by()
    columns = ("reading_id", "place", "prefix", "ends", "name", "tag")
    patterns = seen.filter(is_number=False, prefix__regex=META).values_list(*columns)[:MOST_PATTERNS]
    found: dict[int, dict[int, Rule]] = {}
    for reading, place, prefix, ends, name, tag in [*seen.filter(prefix__in=starts).values_list(*columns), *patterns]:
        found.setdefault(reading, {})[place] = Rule(prefix + END if ends else prefix, name, tag)
    return found
