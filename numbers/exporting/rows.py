"""What is exported: rows in an order, and columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from .columns import Column

CHUNK = 2000


@dataclass(frozen=True)
class Export:
    """`rows`: in scope, filtered, ordered. Nothing is read before it is asked for."""

    rows: QuerySet[Any]
    columns: tuple[Column, ...]

    @property
    def header(self) -> list[str]:
        """The first line."""
        return [column.name for column in self.columns]

    def count_up_to(self, limit: int) -> int | None:
        """How many rows; None where there are more than `limit`: nobody counts on."""
        count = self.rows.order_by().values("pk")[: limit + 1].count()
        return count if count <= limit else None

    def cells(self, *first: str, guarded: bool) -> QuerySet[Any]:
        """One tuple for each row: the fields `first`, then the columns' texts, None where a cell is empty.

        For one use on this thread's connection.
        """
        cells = {f"cell_{place}": column.expression(guarded=guarded) for place, column in enumerate(self.columns)}
        return self.rows.select_related(None).annotate(**cells).values_list(*first, *cells)

    def read(self, *, guarded: bool) -> Iterator[tuple[str | None, ...]]:
        """The cells, a few thousand rows at a time."""
        return self.cells(guarded=guarded).iterator(chunk_size=CHUNK)

    def keys(self) -> Iterator[int]:
        """The ids of the rows, in order."""
        return self.rows.select_related(None).values_list("pk", flat=True).iterator(chunk_size=CHUNK)

    def of_keys(self, keys: list[int], *, guarded: bool) -> list[list[str | None]]:
        """The cells of these rows in this order; those that are not there (any more) are left out."""
        chosen = Export(self.rows.order_by().filter(pk__in=keys), self.columns)
        found = {key: cells for key, *cells in chosen.cells("pk", guarded=guarded)}
        return [found[key] for key in keys if key in found]
