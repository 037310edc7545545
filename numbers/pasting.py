"""Reading a list of numbers that somebody pasted from a mail, a sheet or a ticket."""

import re
from dataclasses import dataclass, field

LIMIT = 10_000
_SEPARATORS = re.compile(r"[,;\t|]+")
_DECORATION = re.compile(r"\(0\)|[\s()\-./\u00a0\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\ufeff'\"]")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_WHOLE = re.compile(r"\+?[0-9]{7,}")


class TooMany(ValueError):
    """More than LIMIT numbers."""


@dataclass
class Reading:
    """A pasted text: its numbers in order, each once; the pieces that are none; how many lacked the plus."""

    numbers: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    assumed_plus: int = 0


def read(text: str) -> Reading:
    """Read numbers in any layout: one per line (spaces, dashes, brackets inside are fine), or separated by , ; tab |.

    Raises TooMany beyond LIMIT different numbers or pieces.
    """
    reading = Reading()
    numbers: dict[str, None] = {}
    unreadable: dict[str, None] = {}
    for line in text.replace("\x00", "").splitlines():
        for piece in _SEPARATORS.split(line):
            for part in _split(piece.strip()):
                number, assumed = _read_one(part)
                if number is None:
                    unreadable[part[:60]] = None
                elif number not in numbers:
                    numbers[number] = None
                    reading.assumed_plus += assumed
        if len(numbers) + len(unreadable) > LIMIT:
            raise TooMany
    reading.numbers, reading.unreadable = list(numbers), list(unreadable)
    return reading


def _split(piece: str) -> list[str]:
    """One number with spaces inside, or several that only spaces divide: a plus begins each, or each is whole alone."""
    if not piece:
        return []
    words = piece.split()
    if piece.count("+") > 1:
        return [part.strip() for part in re.split(r"(?=\+)", piece) if part.strip()]
    if len(words) > 1 and all(_WHOLE.fullmatch(word) for word in words):
        return words
    return [piece]


def _read_one(part: str) -> tuple[str | None, bool]:
    """(number, whether the plus was assumed); (None, False) where the text is no number."""
    bare = _DECORATION.sub("", part)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    assumed = not bare.startswith("+")
    number = f"+{bare}" if assumed else bare
    return (number, assumed) if _E164.fullmatch(number) and len(number) > 4 else (None, False)
