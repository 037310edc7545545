"""How one cell of a file becomes a value, for the columns of numbers/resources.py."""

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import widgets

from . import e164

CLEAR = "-"  # what a cell says to empty the column; an empty cell leaves it as it is
_MINUS = ("-", "\N{MINUS SIGN}")  # a spreadsheet has calculated with the number
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?|\d{1,2}([./])\d{1,2}\1(?:\d\d){1,2}")
_SEPARATORS = re.compile(r"[;,|\n]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TRUE, _FALSE = frozenset({"true", "1", "yes", "y"}), frozenset({"false", "0", "no", "n"})
_DAMAGE: dict[str, Promise] = {
    "range_in_cell": gettext_lazy(
        "A range stands here. Write its first number in this column and its last one in the column rangeEnd."
    ),
    "date": gettext_lazy(
        "A spreadsheet turned this into a date. Format the column as text there and write the number again."
    ),
    "glued": gettext_lazy("More than one number seems to stand here. Write one number in a row."),
    "no_number": gettext_lazy("There is no number here. Write it with + and its country code, or remove the row."),
    "too_long": gettext_lazy(
        "There are more digits than a number with this country code has. Remove those that are too many, "
        "and write one number in a row."
    ),
}


class CellProblem(ValueError):
    """A cell cannot be used: a code for programs, a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NumberWidget(widgets.Widget):
    """A phone number. `clean` gives (E.164, whether its plus was added); raises CellProblem."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> tuple[str, bool]:
        """Read strictly; what a spreadsheet has done to it gets its own sentence (design §5)."""
        if value[:1] == "+" and value[1:].isascii() and value[1:].isdigit() and not e164.flaw(value[1:]):
            return value, False
        try:
            if value.lstrip()[:1] in _MINUS:
                raise e164.Flawed("signs")
            return e164.number(value)
        except e164.Flawed as flaw:
            code = _kind_of_damage(value) or flaw.code
            raise CellProblem(code, str(_DAMAGE.get(code) or e164.SENTENCES[code])) from None


def _kind_of_damage(text: str) -> str:
    """What tells better than the digits alone what has happened; empty where nothing does."""
    if _DATE.fullmatch(text.strip()):
        return "date"
    return "range_in_cell" if _is_range(text) else "glued" if _are_several(text) else ""


def _is_range(text: str) -> bool:
    """Two whole numbers with a sign or word between that means "to"."""
    ends = re.split(r"\s*(?:-|–|—|\.\.+|\bto\b)\s*(?=\+)", text.strip())
    return len(ends) == 2 and all(e164.attempt(end) for end in ends)


def _are_several(text: str) -> bool:
    """Whole numbers one after the other, each with its plus."""
    parts = [part.strip(" \t\n,;/|") for part in re.split(r"(?=\+)", text) if part.strip(" \t\n,;/|")]
    return len(parts) > 1 and all(e164.attempt(part) for part in parts)


class TextWidget(widgets.CharWidget):
    """A text of at most so many characters, line ends as \\n."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        """Raises CellProblem where it is too long or cannot be stored."""
        text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        _refuse_unstorable(text)
        if len(text) > self.longest:
            words = {"n": len(text), "longest": self.longest}
            raise CellProblem("too_long", _("It has %(n)d characters; at most %(longest)d are kept.") % words)
        return text


def _refuse_unstorable(text: str) -> None:
    """NUL and halves of characters, which no database takes. Raises CellProblem."""
    if _UNSTORABLE.search(text):
        sentence = _("A character that cannot be stored stands here (NUL, or half of one). Remove it.")
        raise CellProblem("control_character", sentence)


class GuidWidget(widgets.Widget):
    """A GUID, with or without braces."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> uuid.UUID:
        """Raises CellProblem."""
        try:
            return uuid.UUID(value.strip())
        except ValueError:
            sentence = _("This is no GUID. Copy it whole, such as 4d4b1a3c-0f6e-4c3f-9a58-2f1e6f0d9b7a.")
            raise CellProblem("no_guid", sentence) from None


class WordsWidget(widgets.Widget):
    """A list of words: between them a semicolon, comma, bar or line end; or JSON, where a word holds one of these.

    Those that are `known` may be written in any case; others are taken as they stand.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__()
        self.known = {word.casefold(): word for word in known}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> tuple[str, ...]:
        """Each once, in their order. Raises CellProblem."""
        text = value.strip()
        words = _json_words(text) if text.startswith("[") else _SEPARATORS.split(text)
        given = (word.strip() for word in words if word.strip())
        return tuple(dict.fromkeys(self.known.get(word.casefold(), word) for word in given))


def _json_words(text: str) -> list[str]:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        sentence = _('This begins like a JSON list and is none. Write words with ; between them, or ["a", "b"].')
        raise CellProblem("no_words", sentence)
    _refuse_unstorable("".join(words))
    return words


class ChoiceWidget(widgets.Widget):
    """One of some words, in any case; others as they stand, for the checks to judge."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.words = {word.casefold(): word for word in words}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        """The word as it is written in the contract."""
        return self.words.get(value.strip().casefold(), value.strip())


class TruthWidget(widgets.BooleanWidget):
    """True or false."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool:
        """Raises CellProblem for anything else."""
        word = value.strip().casefold()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise CellProblem("no_truth", _("Write true or false."))


class CountryWidget(widgets.Widget):
    """An ISO country of two letters."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        """In capitals. Raises CellProblem."""
        code = value.strip().upper()
        if len(code) != 2 or not (code.isascii() and code.isalpha()):
            raise CellProblem("unknown_country", _("“%s” is no country. Write two letters, such as US.") % code[:20])
        return code
