"""Reading a list of numbers and ranges that somebody typed, or pasted from a mail, a sheet or a ticket.

Nothing is guessed: what could be read in two ways is a problem with a sentence, never a number (design.md §5,
upstreams.md §6).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import e164
from .countries import calling_code
from .e164 import Flawed, undecorated

LIMIT = 10_000
# Reading stops here: what is named this often, repeats counted, is no list that somebody wants to work with.
_MOST_NAMED = 10 * LIMIT
_LONGEST_PART = 120
_SHORTENED_END = 5

# A comma between one digit and digits with an E is the decimal comma of 4,48719E+11.
_SEPARATORS = re.compile(r"(?:[;\t|]|(?<!\b\d),|,(?!\d+[eE]\+?\d))+")
_EDGES = " '\"`="
_TEL = re.compile(r"\btel:", re.IGNORECASE)
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_BEFORE_PLUS = re.compile(r"(?=\+)")
_WHOLE = re.compile(r"\+?\d{7,}(?:(?:-|\.\.+)\d+)?")
_OPEN_END = re.compile(r"(?:-+|\.\.+|\sto)$", re.IGNORECASE)
_TO = re.compile(r"\s+to\s+|\s*\.\.+\s*", re.IGNORECASE)
_DASHED = re.compile(r"(.*)([-/])([^-/]*)")

# What may be wrong with a piece of the text: the code that is stored, the sentence that is shown.
SENTENCES: dict[str, Promise] = e164.SENTENCES | {
    "range_unclear": _(
        "This may be a range or a single number. For a range write both ends in full, as in "
        "+442079460000 - +442079460099; for a single number leave out the dash."
    ),
    "range_reversed": _("The range ends before it begins. Write the lower number first."),
    "range_mixed_length": _("The two ends of the range have different numbers of digits. Correct one of them."),
    "range_other_country": _("The two ends of the range have different country codes. Write a range for each country."),
    "range_too_large": _("The range has more than 10,000 numbers. Divide it into ranges of 10,000 at most."),
}


class TooMany(ValueError):
    """More than LIMIT numbers, ranges written out, or more unreadable pieces than that; its text is for people.

    `count` is how many there are; where a text names more than ten times LIMIT, how many had been named by then.
    """

    def __init__(self, count: int) -> None:
        sentence = gettext(
            "The list has %(count)s entries, ranges written out; 10,000 are the most. Divide it into parts."
        )
        super().__init__(sentence % {"count": f"{count:,}"})
        self.count = count


@dataclass(frozen=True)
class Problem:
    """A piece of the text (its first 60 characters) that could not be read, and the code of the reason."""

    text: str
    code: str

    @property
    def sentence(self) -> str:
        """What is wrong with it and what to do."""
        # A list is kept for a week, so its code may come from an older version of this table.
        return str(SENTENCES.get(self.code, SENTENCES["no_number"]))


@dataclass
class Reading:
    """What a text says.

    numbers: E.164, in the order of the text, each once, ranges written out. ranges: (first, last), each once.
    duplicates: numbers named more than once, each once. assumed_plus: how many numbers and ranges lacked the plus.
    """

    numbers: list[str] = field(default_factory=list)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    assumed_plus: int = 0


@dataclass(frozen=True)
class _Entry:
    """A number (first == last, ranged False) or a range, both ends in E.164; whether a plus was added."""

    first: str
    last: str
    ranged: bool
    assumed: bool

    @property
    def size(self) -> int:
        return int(self.last) - int(self.first) + 1

    def numbers(self) -> Iterator[str]:
        return (f"+{number}" for number in range(int(self.first), int(self.last) + 1))


def read(text: str) -> Reading:
    """Read numbers in any layout: one per line (spaces, dashes, brackets inside are fine), or separated by , ; tab |.

    A range is two numbers with a dash, two dots or the word "to" between them; the second may be shortened to its last
    digits (at most five). Raises TooMany beyond LIMIT different numbers or LIMIT unreadable pieces.
    """
    numbers: dict[str, None] = {}
    ranges: dict[tuple[str, str], None] = {}
    duplicates: dict[str, None] = {}
    problems: dict[str, str] = {}
    assumed = named = 0
    for part in _parts(text):
        try:
            entry = _entry(part)
        except Flawed as flaw:
            problems.setdefault(part[:60], flaw.code)
            named += 1
        else:
            named += entry.size
            if named <= _MOST_NAMED:
                before = len(numbers)
                for number in entry.numbers():
                    (duplicates if number in numbers else numbers)[number] = None
                assumed += entry.assumed and len(numbers) > before
                if entry.ranged:
                    ranges[entry.first, entry.last] = None
        if named > _MOST_NAMED:
            raise TooMany(named)
    for count in (len(numbers), len(problems)):
        if count > LIMIT:
            raise TooMany(count)
    found = [Problem(text, code) for text, code in problems.items()]
    return Reading(list(numbers), list(ranges), list(duplicates), found, assumed)


def expand(first: str, last: str) -> list[str]:
    """All numbers of a range given by its ends in E.164 form. Raises Flawed (SENTENCES)."""
    return list(_range(first, last, assumed=False).numbers())


def _parts(text: str) -> Iterator[str]:
    """The pieces of a text that should each be a number or a range."""
    for line in _plain(text).splitlines():
        for piece in _SEPARATORS.split(line):
            bare = piece.strip(_EDGES)
            if bare:
                yield from [bare] if e164.SCIENTIFIC.search(bare) else _divide(_TEL.sub(" ", bare))


def _plain(text: str) -> str:
    """The text with ASCII digits, dashes, brackets and blanks for their many relatives, without invisible signs."""
    text = text.replace("\x00", "")
    return text if text.isascii() else re.sub(r"[^\x00-\x7f]", lambda found: _plain_sign(found[0]), text)


@lru_cache(maxsize=1024)
def _plain_sign(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return str(unicodedata.decimal(sign))
    if kind == "Pd" or sign == "\N{MINUS SIGN}":
        return "-"
    if kind in ("Cf", "Zs"):
        return "" if kind == "Cf" else " "
    if kind in ("Pi", "Pf"):
        return "'"
    folded = unicodedata.normalize("NFKC", sign)
    # A footnote's ² must not become a digit of the number.
    return sign if any(one.isdigit() for one in folded) else folded


def _divide(piece: str) -> Iterator[str]:
    """Numbers that only blanks divide: a plus begins each, or each is whole alone. A range's two ends stay together."""
    held: list[str] = []
    for chunk in _BEFORE_PLUS.split(piece):
        if held and not _awaits_end(held[-1]):
            yield from _words("".join(held).strip(_EDGES))
            held = []
        held.append(chunk)
    yield from _words("".join(held).strip(_EDGES))


def _awaits_end(chunk: str) -> bool:
    """Whether the chunk is the first half of a range; a dash behind a name is none."""
    return bool(_OPEN_END.search(chunk.rstrip(_EDGES)[-4:])) and any(one.isdigit() for one in chunk)


def _words(chunk: str) -> Iterator[str]:
    if not chunk.strip("-() "):
        return
    words = chunk.split()
    several = len(words) > 1 and all(_WHOLE.fullmatch(word) for word in words)
    # In some countries two groups of seven digits and more are one number.
    if several and e164.flaw(undecorated(chunk[:_LONGEST_PART]).removeprefix("+")):
        yield from words
    else:
        yield chunk


def _entry(part: str) -> _Entry:
    """The number or range that the part is. Raises Flawed."""
    if _E164.fullmatch(part) and not e164.flaw(part[1:]):
        return _single(part, assumed=False)
    if len(part) > _LONGEST_PART:
        raise Flawed(e164.wrong_signs(part) or "glued")
    part = part.lstrip("- ")
    if e164.SCIENTIFIC.search(part):
        raise Flawed("scientific")
    if _OPEN_END.search(part):
        raise Flawed(e164.wrong_signs(_OPEN_END.sub("", part)) or "range_unclear")
    place = part.find("+", 1)
    if place > 0:
        return _full_range(part[:place].rstrip(_EDGES), part[place:])
    ends = _TO.split(part)
    if len(ends) == 1:
        return _dashed(part)
    if len(ends) > 2:
        raise Flawed(e164.wrong_signs(part) or "range_unclear")
    first, assumed = e164.number(ends[0])
    last, last_assumed = _range_end(first, ends[1])
    return _range(first, last, assumed or last_assumed)


def _full_range(left: str, right: str) -> _Entry:
    """A range whose end has a plus; `left` still ends with the sign between. Raises Flawed."""
    if "+" in right[1:]:
        raise Flawed("range_unclear")
    left = _OPEN_END.sub("", left)
    try:
        first, assumed = e164.number(left)
        last, _certain = e164.number(right)
    except Flawed as flaw:
        sizes = {len(undecorated(side).removeprefix("+").removeprefix("00")) for side in (left, right)}
        if flaw.code in ("too_short", "too_long") and len(sizes) > 1:
            raise Flawed("range_mixed_length") from flaw
        raise
    return _range(first, last, assumed)


def _dashed(part: str) -> _Entry:
    """A part without an unmistakable sign of a range: a dash or slash may group digits, or divide two numbers.

    It divides where the left side is complete and the right side is as long, or is at most five digits that do not fit
    into the number any more. Where they do fit, only a left side that is no assignable number, or a lone 0 (a German
    switchboard's extension), makes it one number; all else is unclear.
    """
    match = _DASHED.fullmatch(part)
    head = e164.attempt(match[1]) if match else None
    tail = undecorated(match[3]) if match else ""
    if match is None or head is None or not e164.is_digits(tail):
        return _single(*e164.number(part))
    first, assumed = head
    whole = e164.attempt(part)
    if whole and (len(tail) > _SHORTENED_END or tail == "0" or (not e164.valid(first) and e164.valid(whole[0]))):
        return _single(*whole)
    if match[2] == "/":
        raise Flawed("glued")
    if whole:
        raise Flawed("range_unclear")
    last, last_assumed = _range_end(first, tail)
    return _range(first, last, assumed or last_assumed)


def _range_end(first: str, text: str) -> tuple[str, bool]:
    """(the last number of a range that begins with `first`, whether a plus was assumed for it). Raises Flawed.

    `text` is that number, with 00 or of the first one's length and country code if it lacks the plus, or its last
    digits, at most five.
    """
    digits = undecorated(text)
    if not e164.is_digits(digits) or (len(digits) > _SHORTENED_END and digits.startswith("00")):
        return e164.number(text)
    code = calling_code(first[1:])
    if len(digits) <= _SHORTENED_END and len(digits) < len(first) - 1 - len(code):
        return first[: -len(digits)] + digits, False
    if len(digits) != len(first) - 1 or not digits.startswith(code):
        raise Flawed("range_unclear")
    return e164.number(f"+{digits}")[0], True


def _single(number: str, assumed: bool) -> _Entry:
    return _Entry(number, number, ranged=False, assumed=assumed)


def _range(first: str, last: str, assumed: bool) -> _Entry:
    """design.md §5: start <= end, same length and country code, at most LIMIT numbers. Raises Flawed."""
    entry = _Entry(first, last, ranged=True, assumed=assumed)
    if calling_code(first[1:]) != calling_code(last[1:]):
        raise Flawed("range_other_country")
    if len(first) != len(last):
        raise Flawed("range_mixed_length")
    if entry.size < 1:
        raise Flawed("range_reversed")
    if entry.size > LIMIT:
        raise Flawed("range_too_large")
    return entry
