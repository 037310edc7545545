"""Reading one phone number: strict first, then what `phonenumbers` knows of calling codes and lengths.

A plus, at most 15 digits, none of them a letter; a calling code that exists; a length that its numbers have. Whether a
number is assignable ("valid") refuses nothing that has a plus (design.md §5, upstreams.md §6).
"""

import re
from functools import lru_cache

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from phonenumbers import ValidationResult

from .countries import calling_code

_TRUNK_ZERO = re.compile(r"(?<=[\d\s)])\(0\)")
_DECORATION = re.compile(r"[\s()\-./'\"]")
_GROUPS = re.compile(r"[\s()\-./'\"]+")
SCIENTIFIC = re.compile(r"(?<!\w)\d+(?:[.,]\d+)?[eE]\+?\d{1,3}(?!\w)")
_DECIMAL = re.compile(r"\+?\d{8,}\.0")

SENTENCES: dict[str, Promise] = {
    "no_number": _("There is no number here. Leave this out, or write a number with + and its country code."),
    "letters": _("There are letters here. Write digits only: a letter O is often meant to be the digit 0."),
    "signs": _("A sign that does not belong in a number stands here. Write +, digits and spaces only."),
    "scientific": _(
        "A spreadsheet turned this into scientific notation and lost digits. "
        "Format the column as text there and copy the numbers again."
    ),
    "decimal": _("A program turned this into a decimal number. Remove the .0 at the end."),
    "too_short": _("Digits are missing: numbers with this country code are longer. Write the number in full."),
    "too_long": _(
        "There are more digits than a number with this country code has. Remove the digits that are too many, "
        "and separate numbers by a comma or a new line."
    ),
    "leading_zero": _(
        "This begins with 0 instead of a country code. Write + and the country code without that 0: "
        "+44 20 7946 0958 instead of 020 7946 0958."
    ),
    "trunk_zero": _("After the country code stands a 0 that is only dialled inside the country. Leave that 0 out."),
    "no_country_code": _("This has no plus and no certain country code. Write + and the country code in front."),
    "unknown_country": _("No country code begins with these digits. Check the digits after the plus."),
    "glued": _("More than one number seems to stand here. Separate them by a comma or a new line, each in full."),
}


class Flawed(Exception):
    """A text is no number or range; `code` says why (the tables SENTENCES here and in pasting)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def number(text: str) -> tuple[str, bool]:
    """(E.164, whether the plus was assumed) of one number, with or without blanks, dashes and brackets in it.

    The plus is assumed where 00 stands (not counted as assumed), and where the digits are a full international number
    beyond doubt. Raises Flawed.
    """
    signs = wrong_signs(text)
    if signs:
        raise Flawed(signs)
    bare = undecorated(text)
    certain = bare.startswith(("+", "00"))
    digits = bare[2:] if bare.startswith("00") else bare.removeprefix("+")
    found = flaw(digits)
    if not certain and 7 <= len(digits) < 12 and found != "leading_zero" and (found or not valid(f"+{digits}")):
        # So few digits may as well be a national number that looks like one of another country.
        found = "no_country_code"
    if found == "too_long" and _complete_within(text):
        found = "glued"
    if found:
        raise Flawed(found)
    return f"+{digits}", not certain


def attempt(text: str) -> tuple[str, bool] | None:
    """`number`, or None where the text is none."""
    try:
        return number(text)
    except Flawed:
        return None


def wrong_signs(text: str) -> str | None:
    """The code of what makes a text no number before any digit is counted; None where its signs are a number's."""
    if SCIENTIFIC.search(text):
        return "scientific"
    if not any(one.isdigit() for one in text):
        return "no_number"
    if any(one.isalpha() for one in text):
        return "letters"
    if _DECIMAL.fullmatch(text.strip()):
        return "decimal"
    return None if is_digits(undecorated(text).removeprefix("+")) else "signs"


def flaw(digits: str) -> str | None:
    """The code of what keeps ASCII digits (without a plus) from being a number of their country; None: nothing."""
    if digits.startswith("0"):
        return "leading_zero"
    if len(digits) > 15:
        return "too_long"
    code = calling_code(digits)
    if not code:
        return "too_short" if len(digits) < 7 else "unknown_country"
    national = digits[len(code) :]
    return _national_flaw(int(code), len(national), national.startswith("0"))


def valid(e164: str) -> bool:
    """Whether the library knows the number as assignable. Only ever used to decide between two readings of a text."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False


def undecorated(text: str) -> str:
    """The text without blanks, brackets, dashes, dots, slashes and quotes, and without the (0) of "+44 (0)20"."""
    return _DECORATION.sub("", _TRUNK_ZERO.sub("", text))


def is_digits(text: str) -> bool:
    """Whether the text is ASCII digits, at least one."""
    return text.isascii() and text.isdigit()


@lru_cache(maxsize=4096)
def _national_flaw(country: int, length: int, zero: bool) -> str | None:
    """What is wrong with national numbers of this length, `zero` if they begin with 0. Only these two decide."""
    region = phonenumbers.region_code_for_country_code(country)
    if zero and (phonenumbers.ndd_prefix_for_region(region, True) or "").startswith("0"):
        return "trunk_zero"
    if not length:
        return "too_short"
    sample = phonenumbers.PhoneNumber(country_code=country, national_number=10 ** (length - 1))
    result = phonenumbers.is_possible_number_with_reason(sample)
    if result == ValidationResult.IS_POSSIBLE:
        return None
    return "too_long" if result == ValidationResult.TOO_LONG else "too_short"


def _complete_within(text: str) -> bool:
    """Whether a whole number ends at a blank or sign within the text, so that the rest belongs to something else."""
    digits = ""
    for group in _GROUPS.split(_TRUNK_ZERO.sub("", text))[:-1]:
        digits += group.removeprefix("+")
        if len(digits) > 15:
            return False
        if not flaw(digits.removeprefix("00")):
            return True
    return False
