"""Finding numbers by what people type: any fragment of a number, however it is written, or of a customer's name."""

import re
from collections.abc import Iterable

from django.db.models import Q

_DECORATION = re.compile(r"\(0\)|[\s()\-./\u00a0\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\ufeff]")
_INTERNATIONAL = re.compile(r"00[1-9]")
_NUMBER = re.compile(r"\+?[0-9]+")


def number_fragment(text: str) -> str | None:
    """The digits of a typed fragment ("+44 (0)20-7946" is "+44207946"); None where it is not part of a number.

    A leading plus is kept: it says that the number starts here. So does 00 before a country code.
    """
    bare = _DECORATION.sub("", text)
    if _INTERNATIONAL.match(bare):
        bare = "+" + bare[2:]
    return bare if _NUMBER.fullmatch(bare) else None


def starts_with(field: str, prefix: str) -> Q:
    """Rows whose number starts with the prefix, as a range: an index answers it in the order of the list.

    Numbers are a plus and digits, so that every collation agrees on their order. The end of "+4420" is "+4421".
    """
    stem = prefix.rstrip("9")
    if stem in ("", "+"):
        return Q(**{f"{field}__gte": prefix})
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": f"{stem[:-1]}{int(stem[-1]) + 1}"})


def matches(text: str, customers: Iterable[int]) -> Q:
    """Rows whose number contains the fragment `text`, or that belong to one of `customers` (ids whose name matches)."""
    ids = list(customers)
    found = Q(customer_id__in=ids) if ids else Q(pk__in=[])
    fragment = number_fragment(text)
    if fragment is None:
        return found
    number = starts_with("e164", fragment) if fragment.startswith("+") else Q(e164__icontains=fragment)
    if fragment.startswith("0") and len(fragment) > 3:  # as people write it at home: 020 7946…
        number |= Q(e164__icontains=fragment[1:])
    inside = _DECORATION.sub("", text)
    if inside.startswith("00") and fragment.startswith("+"):  # 00 may as well stand in the middle of a number
        number |= Q(e164__icontains=inside)
    return number | found if ids else number
