"""The pages of a list of numbers: which rows, how many there are, where the next ones begin.

Numbers are listed in their own order (e164), which every index of the table ends with. A page by number skips rows in
an index alone, from the end that is nearer, and fetches only those that it shows; a page after a number skips nothing,
so it costs the same however deep it lies. Up to 10,000 rows everything is exact; what is remembered of longer lists is
as old as 15 seconds.
"""

from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet, Subquery

from ..models.phone_number import PhoneNumberQuerySet
from . import records

COUNTED_AT_ONCE = DEEP = 10_000
REMEMBER_SECONDS = 15


def page(numbers: PhoneNumberQuerySet, key: str, number: int, size: int) -> list[records.Row]:
    """The rows of page `number` (from 1). `key` stands for who asks, and for what.

    Where a deep page begins is remembered for some seconds, and so is where the one after it does: a program that goes
    from page to page skips nothing, and what is added meanwhile does not shift its pages.
    """
    first = (number - 1) * size
    ordered = numbers.order_by("e164")
    if first == 0:
        return records.rows_of(ordered[:size])
    place = f"{key}:place:{first}"
    known = cache.get(place) if first >= DEEP else None
    if known is not None:
        return _remember(records.rows_of(ordered.filter(**known)[:size]), key, first, size)
    keys = Subquery(_keys(numbers, key, first, size))
    return _remember(records.rows_of(numbers.model.objects.filter(e164__in=keys).order_by("e164")), key, first, size)


def _keys(numbers: PhoneNumberQuerySet, key: str, first: int, size: int) -> QuerySet[Any, Any]:
    """The numbers of the `size` rows behind the first `first`. Shallow ones are not worth a count."""
    if first >= DEEP:
        from_end = max(_count(numbers, key) - first, 0)
        if from_end < first:
            return numbers.order_by("-e164").values("e164")[max(from_end - size, 0) : from_end]
    return numbers.order_by("e164").values("e164")[first : first + size]


def _remember(rows: list[records.Row], key: str, first: int, size: int) -> list[records.Row]:
    if rows and first + size >= DEEP:
        if first >= DEEP:
            cache.set(f"{key}:place:{first}", {"e164__gte": rows[0].e164}, REMEMBER_SECONDS)
        if len(rows) == size:
            cache.set(f"{key}:place:{first + size}", {"e164__gt": rows[-1].e164}, REMEMBER_SECONDS)
    return rows


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
    return _count(numbers, key)


def _count(numbers: PhoneNumberQuerySet, key: str) -> int:
    known = cache.get(f"{key}:count")
    if known is not None:
        return int(known)
    plain = numbers.order_by()
    count = plain.values("pk")[: COUNTED_AT_ONCE + 1].count()
    if count > COUNTED_AT_ONCE:
        count = plain.count()
        cache.set(f"{key}:count", count, REMEMBER_SECONDS)
    return count
