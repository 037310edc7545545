"""What a person has chosen from a list, on its way to an action: some rows by their keys, or all that match a filter.

A selection travels as a signed token that belongs to one person; keys never stand in hidden fields. It is a
description, not a list: it is resolved within the person's scope when the plan is shown and again when it is applied,
and the two fingerprints are compared (anchors.md, finding 4).
"""

from dataclasses import dataclass

from django.core import signing
from django.db.models import Count, F, Max, Min, QuerySet, Sum

SALT = "ocadmin.console.selection"
MAX_AGE_SECONDS = 12 * 60 * 60


class SelectionLost(Exception):
    """The token is not ours, not this person's, or too old."""


@dataclass(frozen=True)
class Selection:
    """`keys`: the chosen rows. `query`: the filter of the list (an encoded query string) when `keys` is None."""

    keys: tuple[str, ...] | None = None
    query: str = ""

    def token(self, user_id: int) -> str:
        """The selection as text for an address; only the person `user_id` can use it."""
        content = [user_id, list(self.keys) if self.keys is not None else None, self.query]
        return signing.dumps(content, salt=SALT, compress=True)

    @classmethod
    def of(cls, token: str, user_id: int) -> "Selection":
        """The selection of a token. Raises SelectionLost."""
        try:
            owner, keys, query = signing.loads(token, salt=SALT, max_age=MAX_AGE_SECONDS)
        except (signing.BadSignature, ValueError):
            raise SelectionLost from None
        if owner != user_id:
            raise SelectionLost
        return cls(tuple(keys) if keys is not None else None, query)


@dataclass(frozen=True)
class Fingerprint:
    """How many rows a set has and which ones: equal fingerprints mean the same set of rows."""

    count: int
    mark: str

    @classmethod
    def of(cls, rows: QuerySet) -> "Fingerprint":
        """Of the rows as they are now, in one aggregate."""
        mixed = Sum(F("pk") * F("pk") % 1_000_003)  # tells sets apart that agree in count and sum
        found = rows.order_by().aggregate(n=Count("pk"), total=Sum("pk"), mixed=mixed, low=Min("pk"), high=Max("pk"))
        return cls(found["n"], "-".join(str(found[key] or 0) for key in ("n", "total", "mixed", "low", "high")))
