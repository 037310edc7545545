r"""The patterns of a rule's prefix: what they match, and how specific each of their places is.

Syntax (AudioCodes Mediant 800B and 4000 User's Manuals, version 7.2, "Configuring Dial Plans", table of the parameter
'Prefix'; upstreams.md §4): digits and letters stand for themselves, `x` for 0-9, `z` for 1-9, `n` for 2-9, `.` for a
letter or digit, `*` alone for any number, `\` before a sign for the sign itself, `#` at the end for the end of the
number, `[n-m,a,…]` for one of some numbers with equally many digits, `( )` at the end for how the number ends.

How specific (same manuals, "best match"): place by place from the left, the most constrained wins, in this order: a
specific character, a number range, the wildcards for digits, a suffix (the longest first), the dot.

What the manuals do not say, and what holds here: a narrower range or wildcard comes before a wider one of its kind, as
their examples have it; of a range with several digits each place counts how many digits any of its numbers has there;
of two suffixes of one length the one with the narrower places, from the left, comes first; `#` comes before everything
else at its place, the bare end of a prefix after everything, and `*` alone last. The digits of a suffix are not also
those of the prefix. Every other sign, such as a plus, a `#` in the middle or a `*` beside others, stands for itself;
letters are told apart by case, and only the small x, z and n are wildcards. None of it was tried on a device.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .rules import END

LONGEST = 50  # characters of a prefix (upstreams.md §4)
ANY = "*"
# What makes a prefix more than a text that numbers begin with; for databases as well.
META = r"[\]\[xzn.\\()*]"

Place = tuple[int, ...]  # the smaller, the more specific

_ENDS: Place = (0,)
_CHARACTER: Place = (1, 1)
_RANGE, _SUFFIX = 2, 4
_OPEN: Place = (6,)
_ANYTHING: Place = (7,)
_WILDCARDS: dict[str, tuple[Place, str]] = {
    "n": ((3, 8), "[2-9]"),
    "z": ((3, 9), "[1-9]"),
    "x": ((3, 10), "[0-9]"),
    ".": ((5, 62), "[0-9A-Za-z]"),
}


class Malformed(ValueError):
    """A prefix that is no pattern; the text says why in half a sentence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A prefix that is understood.

    `lead` are the characters that it begins with; `whole`: there is nothing else in it. Of two that match a number the
    one with the smaller `order` is the better match. `regex` matches at the start of a number.
    """

    lead: str
    whole: bool
    ends: bool
    order: tuple[Place, ...]
    regex: str


def pattern(prefix: str) -> Pattern:
    """Understand a prefix as a device writes it. Raises Malformed."""
    if len(prefix) > LONGEST:
        raise Malformed(_("it is longer than %d characters") % LONGEST)
    if prefix == ANY:
        return Pattern("", False, False, (_ANYTHING,), "")
    body, ends = prefix.removesuffix(END), prefix.endswith(END)
    if not body:
        raise Malformed(_("there is nothing in it"))
    places, regexes, at = _scan(body, 0)
    lead = _lead(body)
    if at == len(body):
        end = _ENDS if ends else _OPEN
        whole = all(place == _CHARACTER for place in places) and len(lead) == len(places)
        return Pattern(lead, whole, ends, (*places, end), "".join(regexes) + (r"\Z" if ends else ""))
    if ends or not body.endswith(")"):
        raise Malformed(_("something stands after its suffix, or the bracket of the suffix is not closed"))
    inside, tail = _suffix(body[at + 1 : -1])
    place: Place = (_SUFFIX, -len(inside), *(number for one in inside for number in one))
    regex = "".join(regexes) + "(?s:.*)" + tail + r"\Z"
    return Pattern(lead, False, False, (*places, place), regex)


def _lead(body: str) -> str:
    """The characters that stand for themselves at the start, without their escapes."""
    found = re.match(r"(?:[^xzn.\\\[\](]|\\.)*", body, re.DOTALL)
    return re.sub(r"\\(.)", r"\1", found.group(), flags=re.DOTALL) if found else ""


def _scan(text: str, at: int) -> tuple[list[Place], list[str], int]:
    """Places and regular expressions up to the end or to the bracket of a suffix, and where that is."""
    places: list[Place] = []
    regexes: list[str] = []
    while at < len(text) and text[at] != "(":
        sign = text[at]
        if sign in "])":
            raise Malformed(_("a bracket is closed that was not opened"))
        if sign == "[":
            end = text.find("]", at)
            if end < 0:
                raise Malformed(_("a square bracket is not closed"))
            more, regex = _choice(text[at + 1 : end])
            places += more
            at = end
        elif sign in _WILDCARDS:
            place, regex = _WILDCARDS[sign]
            places.append(place)
        else:
            if sign == "\\":
                at += 1
                if at == len(text):
                    raise Malformed(_("nothing stands after its last backslash"))
            places.append(_CHARACTER)
            regex = re.escape(text[at])
        regexes.append(regex)
        at += 1
    return places, regexes, at


def _suffix(text: str) -> tuple[list[Place], str]:
    """What stands in the round brackets: signs as in a prefix, or a choice without square brackets."""
    if "[" not in text and re.search(r"[-,]", text):
        return _choice(text)
    places, regexes, at = _scan(text, 0)
    if at < len(text) or not places:
        raise Malformed(_("its suffix is empty or has a bracket in it"))
    return places, "".join(regexes)


def _choice(text: str) -> tuple[list[Place], str]:
    """One of some numbers or texts with equally many signs: places, regular expression."""
    ways = [way for member in text.split(",") for way in _member(member)]
    width = len(ways[0])
    if any(len(way) != width for way in ways):
        raise Malformed(_("the numbers in its brackets have not equally many digits"))
    places: list[Place] = [
        (_RANGE, len({chr(code) for low, high in column for code in range(ord(low), ord(high) + 1)}))
        for column in zip(*ways, strict=True)
    ]
    return places, "(?:" + "|".join("".join(_one_of(low, high) for low, high in way) for way in ways) + ")"


Way = list[tuple[str, str]]  # for each place the lowest and the highest character


def _member(text: str) -> list[Way]:
    """One number or text, or all numbers from one to another."""
    low, dash, high = text.partition("-")
    if not dash:
        if not text:
            raise Malformed(_("a number is missing in its brackets"))
        return [[(sign, sign) for sign in text]]
    if not (low.isascii() and low.isdecimal() and high.isascii() and high.isdecimal()):
        raise Malformed(_("a range in its brackets is not from a number to a number"))
    if len(low) != len(high):
        raise Malformed(_("the numbers in its brackets have not equally many digits"))
    if low > high:
        raise Malformed(_("a range in its brackets ends before it begins"))
    return _between(low, high)


def _between(low: str, high: str) -> list[Way]:
    """The numbers from `low` to `high`, of equally many digits, as few ways of digits that do not depend on others."""
    if not low:
        return [[]]
    first, last, rest = low[0], high[0], len(low) - 1
    if first == last:
        return [[(first, first), *way] for way in _between(low[1:], high[1:])]
    begin: list[Way] = []
    end: list[Way] = []
    if low[1:] != "0" * rest:
        begin = [[(first, first), *way] for way in _between(low[1:], "9" * rest)]
        first = str(int(first) + 1)
    if high[1:] != "9" * rest:
        end = [[(last, last), *way] for way in _between("0" * rest, high[1:])]
        last = str(int(last) - 1)
    middle: list[Way] = [[(first, last), *[("0", "9")] * rest]] if first <= last else []
    return [*begin, *middle, *end]


def _one_of(low: str, high: str) -> str:
    return re.escape(low) if low == high else f"[{low}-{high}]"
