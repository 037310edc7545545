"""What a number says about its country, and which countries count as one.

upstreams.md §6: `phonenumbers` tells countries that share a calling code apart only for numbers that it knows, and it
knows a mobile number of Great Britain as one of Guernsey. So countries are compared by group, never by equality, and
nothing is inferred where a calling code is shared and the number is not known.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

# The allow-list of countries that count as one: the British Isles without Ireland, and the North American plan.
GROUPS: tuple[frozenset[str], ...] = (
    frozenset({"GB", "GG", "IM", "JE"}),
    frozenset(
        {"US", "CA", "PR", "AG", "AI", "AS", "BB", "BM", "BS", "DM", "DO", "GD", "GU", "JM", "KN", "KY", "LC", "MP"}
        | {"MS", "SX", "TC", "TT", "VC", "VG", "VI"}
    ),
)
_NORTH_AMERICA = 1
# Not every one of them is in the library's ranges, and Microsoft asks for the displayed country of all.
_NORTH_AMERICAN_TOLL_FREE = ("800", "822", "833", "844", "855", "866", "877", "888")
_NOWHERE = "001"  # the library's word for numbers of no country, such as +800
_SAME: dict[str, frozenset[str]] = {country: group for group in GROUPS for country in group}


def country_of(e164: str) -> str | None:
    """The ISO 3166 country of a number, such as GB.

    None where the number does not tell: of no country (+800), or a range unknown to the library whose calling code
    several countries share. `may_be_in` answers for those too.
    """
    return _facts(e164)[0]


@lru_cache(maxsize=4096)
def same_country(one: str, other: str) -> bool:
    """Whether two ISO countries count as one. Microsoft also writes UK for GB (upstreams.md §1.2)."""
    return _iso(other) in countries_like(one)


@lru_cache(maxsize=1024)
def countries_like(code: str) -> frozenset[str]:
    """All ISO countries that count as the same as this one, itself among them."""
    country = _iso(code)
    return _SAME.get(country, frozenset({country}))


def may_be_in(e164: str, country: str) -> bool:
    """Whether a number can be one of the ISO country: by its own country, or, where it tells none, by its code."""
    own, _toll_free, code = _facts(e164)
    if own is not None:
        return same_country(own, country)
    return bool(code) and _iso(country) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())


def is_toll_free(e164: str) -> bool:
    """Whether calling the number is free for the caller, as far as its digits tell."""
    return _facts(e164)[1]


def is_north_american(e164: str) -> bool:
    """Whether the number belongs to the North American numbering plan (+1)."""
    return _facts(e164)[2] == _NORTH_AMERICA


def _iso(country: str) -> str:
    code = country.strip().upper()
    return "GB" if code == "UK" else code


@lru_cache(maxsize=20_000)
def _facts(e164: str) -> tuple[str | None, bool, int]:
    """(country, toll-free, calling code); (None, False, 0) for what is no number.

    The same that `phonenumbers` says when it parses the number and looks for its region and type (held by a test), in a
    tenth of the time: a file may name a hundred thousand numbers.
    """
    parts = _parts(e164)
    if parts is None:
        try:
            number = phonenumbers.parse(e164)
        except phonenumbers.NumberParseException:
            return None, False, 0
        code, national = number.country_code or 0, phonenumbers.national_significant_number(number)
    else:
        code, national = parts
    region = next((one.region for one in _regions(code) if one.has(national)), None)
    free = region is not None and _toll_free(code, region, national)
    free = free or (code == _NORTH_AMERICA and national.lstrip("0").startswith(_NORTH_AMERICAN_TOLL_FREE))
    return (None if region == _NOWHERE else region), free, code


def _parts(e164: str) -> tuple[int, str] | None:
    """Calling code and national number without the library's parser; None where the parser may say something else.

    It takes off what is dialled before a national number; it does so for few, and those are left to it.
    """
    digits = e164[1:]
    if not (e164.startswith("+") and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        return None
    code = calling_code(digits)
    national = digits[len(code) :]
    if not code or len(national) < 2 or national.startswith("0"):
        return None
    begins = _dialled_before(int(code))
    return None if begins is not None and begins.match(national) else (int(code), national)


_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def calling_code(digits: str) -> str:
    """The country calling code that the digits (without a plus) begin with, empty for none."""
    for length in (1, 2, 3):
        if digits[:length] in _CODES:
            return digits[:length]
    return ""


@lru_cache(maxsize=512)
def _dialled_before(code: int) -> re.Pattern[str] | None:
    """What the library's parser may take off the beginning of a national number of this calling code."""
    metadata = _metadata(phonenumbers.region_code_for_country_code(code), code)
    prefix = metadata.national_prefix_for_parsing if metadata is not None else None
    return re.compile(prefix) if prefix else None


@dataclass(frozen=True)
class _Region:
    """A region of a calling code: its numbers begin with `leading`, or are `numbers`; with neither all are its."""

    region: str
    leading: re.Pattern[str] | None = None
    numbers: re.Pattern[str] | None = None

    def has(self, national: str) -> bool:
        """Whether a national number is one of this region's."""
        if self.leading is not None:
            return bool(self.leading.match(national))
        return self.numbers is None or bool(self.numbers.fullmatch(national))


@lru_cache(maxsize=512)
def _regions(code: int) -> tuple[_Region, ...]:
    """The regions of a calling code, in the order in which the library asks them. One alone has all its numbers."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if len(regions) == 1:
        return (_Region(regions[0]),)
    found = []
    for region in regions:
        metadata = _metadata(region, code)
        if metadata is None:
            continue
        leading = re.compile(metadata.leading_digits) if metadata.leading_digits else None
        found.append(_Region(region, leading, _numbers(metadata)))
    return tuple(found)


_KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)


def _numbers(metadata: phonenumbers.PhoneMetadata) -> re.Pattern[str]:
    """National numbers of any kind that a region has."""
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    return re.compile("|".join(_one(kind) for kind in kinds if kind is not None and kind.national_number_pattern))


def _one(kind: phonenumbers.PhoneNumberDesc) -> str:
    """The pattern of one kind; its lengths count as well."""
    lengths = [length for length in kind.possible_length if length > 0]
    ahead = "(?=" + "|".join(rf"\d{{{length}}}\Z" for length in lengths) + ")" if lengths else ""
    return f"{ahead}(?:{kind.national_number_pattern})"


def _toll_free(code: int, region: str, national: str) -> bool:
    """Of the kinds the library looks for premium rate first, then for toll-free."""
    patterns = _toll_free_patterns(region, code)
    if patterns is None:
        return False
    free, dearer = patterns
    return bool(free.fullmatch(national)) and not (dearer is not None and dearer.fullmatch(national))


@lru_cache(maxsize=512)
def _toll_free_patterns(region: str, code: int) -> tuple[re.Pattern[str], re.Pattern[str] | None] | None:
    """National numbers that are toll-free, and those of premium rate; None for a region without toll-free ones."""
    metadata = _metadata(region, code)
    if metadata is None or not metadata.toll_free or not metadata.toll_free.national_number_pattern:
        return None
    premium = metadata.premium_rate
    dearer = re.compile(_one(premium)) if premium and premium.national_number_pattern else None
    return re.compile(_one(metadata.toll_free)), dearer


def _metadata(region: str, code: int) -> phonenumbers.PhoneMetadata | None:
    if region == _NOWHERE:
        return phonenumbers.PhoneMetadata.metadata_for_nongeo_region(code)
    return phonenumbers.PhoneMetadata.metadata_for_region(region, None)
