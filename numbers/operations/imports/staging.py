"""Writing checked rows down: COPY on PostgreSQL, many rows in a statement elsewhere."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from ...models import ImportGroup, ImportRow, NumberImport
from ..upload.settings import Settings

COLUMNS = (
    "batch_id",
    "line",
    "e164",
    "text",
    "outcome",
    "customer_ref",
    "channel_ref",
    "place",
    "ticket",
    "wish",
    "changes",
    "problems",
)

Row = tuple[Any, ...]  # one value for each of COLUMNS


def write(rows: Sequence[Row]) -> None:
    """Add rows of an import. Inside a transaction."""
    if connection.vendor != "postgresql":
        fields = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        ImportRow.objects.bulk_create([ImportRow(**values) for values in fields], batch_size=500)
        return
    table, names = ImportRow._meta.db_table, ", ".join(COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            wish, changes, problems = row[9:]
            last = (
                json.dumps(wish) if wish else "{}",
                json.dumps(changes) if changes else "{}",
                json.dumps(problems) if problems else "[]",
            )
            copy.write_row(row[:9] + last)


class Groups:
    """The settings of an import's new numbers, each with its place; kept in the database as they come up."""

    def __init__(self, batch: NumberImport) -> None:
        self.batch = batch
        self.places: dict[Settings, int] = {
            Settings.of(group.settings): group.place for group in batch.groups.order_by("place")
        }
        self._saved = len(self.places)

    def place(self, settings: Settings) -> int:
        """Where settings stand."""
        return self.places.setdefault(settings, len(self.places))

    def save(self) -> None:
        """Write down those that are new. Inside the transaction that writes the rows."""
        fresh = list(self.places.items())[self._saved :]
        ImportGroup.objects.bulk_create(
            [ImportGroup(batch=self.batch, place=place, settings=one.as_dict()) for one, place in fresh],
            batch_size=500,
        )
        self._saved = len(self.places)
