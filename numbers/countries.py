"""What a number says about its country, and which countries count as one.

upstreams.md §6: `phonenumbers` tells countries that share a calling code apart only for numbers that it knows, and it
knows a mobile number of Great Britain as one of Guernsey. So countries are compared by group, never by equality, and
nothing is inferred where a calling code is shared and the number is not known.
"""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

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


def same_country(one: str, other: str) -> bool:
    """Whether two ISO countries count as one. Microsoft also writes UK for GB (upstreams.md §1.2)."""
    return _iso(other) in countries_like(one)


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
    """(country, toll-free, calling code); (None, False, 0) for what is no number."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None, False, 0
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number)
    free = phonenumbers.number_type(number) == PhoneNumberType.TOLL_FREE or (
        code == _NORTH_AMERICA and str(number.national_number).startswith(_NORTH_AMERICAN_TOLL_FREE)
    )
    return (None if region == _NOWHERE else region), free, code
