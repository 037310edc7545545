"""The pages of a list of numbers: which rows, how many there are, where the next ones begin.

Numbers are listed in their own order (e164), which every index of the table ends with. A page by number skips rows in
an index alone and fetches only those that it shows; a page after a number skips nothing, so it costs the same however
deep it lies.
"""

from django.core.cache import cache
from django.db.models import Subquery

from ..models.phone_number import PhoneNumberQuerySet
from . import records

COUNTED_AT_ONCE = 10_000
COUNT_SECONDS = 15


def page(numbers: PhoneNumberQuerySet, number: int, size: int) -> list[records.Row]:
    """The rows of page `number` (from 1)."""
    first = (number - 1) * size
    ordered = numbers.order_by("e164")
    if first == 0:
        return records.rows_of(ordered[:size])
    keys = Subquery(ordered.values("e164")[first : first + size])
    return records.rows_of(numbers.model.objects.filter(e164__in=keys).order_by("e164"))


def after(numbers: PhoneNumberQuerySet, key: str, size: int) -> tuple[list[records.Row], str]:
    """At most `size` rows after the number `key` ("" for the first ones), and the key of those after them, or ""."""
    rest = numbers.filter(e164__gt=key) if key else numbers
    rows = records.rows_of(rest.order_by("e164")[: size + 1])
    return rows[:size], rows[size - 1].e164 if len(rows) > size else ""


def total(numbers: PhoneNumberQuerySet, key: str, rows: int, number: int, size: int) -> int:
    """How many numbers there are, when page `number` has this many `rows`.

    A last page says it by itself, and up to 10,000 are counted each time. More are counted once in 15 seconds for each
    `key` (who asks, and for what) in each process: they are of that moment.
    """
    if 0 < rows < size or (rows == 0 and number == 1):
        return (number - 1) * size + rows
    known = cache.get(key)
    if known is not None:
        return int(known)
    plain = numbers.order_by()
    count = plain.values("pk")[: COUNTED_AT_ONCE + 1].count()
    if count > COUNTED_AT_ONCE:
        count = plain.count()
        cache.set(key, count, COUNT_SECONDS)
    return count
