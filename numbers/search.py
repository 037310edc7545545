"""Finding numbers by what people type: any fragment of a number, however it is written, or of a customer's name."""

import re
from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

_DECORATION = re.compile(r"\(0\)|[\s()\-./\u00a0\u2010-\u2015]")
_NUMBER = re.compile(r"\+?[0-9]+")


def number_fragment(text: str) -> str | None:
    """The digits of a typed fragment ("0044 (0)20-7946" is "+44207946"); None where it is not part of a number.

    A leading plus is kept: it says that the number starts here. A leading 00 is such a plus.
    """
    bare = _DECORATION.sub("", text)
    if bare.startswith("00") and len(bare) > 2:
        bare = "+" + bare[2:]
    return bare if _NUMBER.fullmatch(bare) else None


def starts_with(field: str, prefix: str) -> Q:
    """Rows whose number starts with the prefix, in the form that the database answers from its index.

    SQLite's LIKE cannot use one, a range can; PostgreSQL has an index for LIKE, and orders "+" by its collation.
    """
    if connection.vendor == "postgresql" or not prefix.removeprefix("+"):
        return Q(**{f"{field}__startswith": prefix})
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix[:-1] + chr(ord(prefix[-1]) + 1)})


def matches(text: str, customers: Iterable[int]) -> Q:
    """Rows whose number contains the fragment `text`, or that belong to one of `customers` (ids whose name matches)."""
    fragment = number_fragment(text)
    ids = list(customers)
    found = Q(customer_id__in=ids) if ids else Q(pk__in=[])
    if fragment is None:
        return found
    number = starts_with("e164", fragment) if fragment.startswith("+") else Q(e164__contains=fragment)
    return number | found if ids else number
