"""Pages of a list without counting a million rows."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import QuerySet

COUNT_LIMIT = 10_000
PAGE_SIZES = (25, 50, 100, 250)
LAST_PAGE = 1_000_000  # a number beyond it is a typing error, and some databases cannot skip that far


@dataclass(frozen=True)
class Page:
    """One page of a list. `total` is exact up to COUNT_LIMIT; `capped` says that there are more."""

    number: int
    size: int
    total: int
    capped: bool
    has_next: bool
    rows: list[Any]

    @property
    def first(self) -> int:
        """Position of the first row, from 1; 0 on an empty page."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Position of the last row."""
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def next(self) -> int:
        """The next page's number."""
        return self.number + 1

    @property
    def previous(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def total_text(self) -> str:
        """How many rows, for reading: "1,234", or "10,000+" where nobody counted on."""
        return f"{self.total:,}+" if self.capped else f"{self.total:,}"

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before."""
        return self.number > 1

    @property
    def beyond(self) -> bool:
        """Whether this page lies after the end of the list."""
        return not self.rows and self.number > 1

    @property
    def numbers(self) -> list[int | None]:
        """Page numbers to link: the first, those around this one, and the last where it is known; None is a gap."""
        last = -(-self.total // self.size) if not self.capped else self.number + self.has_next
        last = max(last, 1)
        wanted = sorted({1, last} | {page for page in range(self.number - 2, self.number + 3) if 1 <= page <= last})
        shown: list[int | None] = []
        for page in wanted:
            if shown and shown[-1] is not None and page - shown[-1] > 1:
                shown.append(page - 1 if page - shown[-1] == 2 else None)
            shown.append(page)
        return shown


def read_number(text: str | None) -> int | None:
    """A page number from the address; None where it is not one. Absent means 1."""
    if not text:
        return 1
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LAST_PAGE)):
        return None
    return int(text) if 1 <= int(text) <= LAST_PAGE else None


def paginate(ordered: QuerySet[Any], countable: QuerySet[Any], number: int, size: int, unique: str = "pk") -> Page:
    """One page of `ordered`, and the bounded count of `countable` (the same rows without joins and order).

    The page is looked up by its keys (`unique`), found in a subquery: skipping rows and sorting then work on the keys
    alone, mostly in an index, and not on whole rows with their joins.
    """
    start = (number - 1) * size
    keys = ordered.select_related(None).values(unique)[start : start + size + 1]
    rows = list(ordered.filter(**{f"{unique}__in": keys}))
    has_next = len(rows) > size
    rows = rows[:size]
    if rows and not has_next:
        total = start + len(rows)  # the last page tells the count by itself
    elif not rows and number == 1:
        total = 0
    else:
        total = bounded_count(countable)
    capped = total > COUNT_LIMIT and has_next
    return Page(number, size, COUNT_LIMIT if capped else total, capped, has_next, rows)


def bounded_count(rows: QuerySet[Any]) -> int:
    """How many rows, looking at COUNT_LIMIT + 1 of them at most."""
    try:
        plain = rows.order_by().values("pk")
    except FieldError:
        plain = rows.order_by()
    return plain[: COUNT_LIMIT + 1].count()
