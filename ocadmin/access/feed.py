"""The audit trail in the order in which its entries became visible, for readers who come back for what is new.

Ids are given out when an entry is written, not when it can be seen: an entry of a long transaction appears between
entries that were read long ago. So PostgreSQL keeps with every entry the number of the transaction that wrote it
(`xact`, filled in by the database). A reader is given entries of transactions older than every one that is still under
way: no later commit can put anything before them. Entries are ordered by `xact`, then id. SQLite has one writer at a
time, so the ids are in that order already and `xact` is 0.

A long transaction anywhere on the server holds the feed back for as long as it lasts, and loses nothing.
"""

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models import F, Func, Max, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThanOrEqual

from .principal import Scope

# Longer than any transaction of ours that writes entries lasts: their times are as good as in order beyond it.
LONGEST_TRANSACTION = datetime.timedelta(hours=1)
PLACES_AT_ONCE = 100
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Xact(Func):
    """The number of the transaction that writes a row; 0 where the database has one writer at a time."""

    arity = 0
    template = "0"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """ocadmin_xact: the migration that made the column says what it is."""
        return self.as_sql(compiler, connection, template="ocadmin_xact(pg_current_xact_id())", **extra)


class Position(NamedTuple):
    """A place in the feed: behind the entry with this `xact` and id. The beginning is (0, 0)."""

    xact: int
    pk: int

    def __str__(self) -> str:
        """As programs keep it."""
        return f"{self.xact}-{self.pk}"


BEGINNING = Position(0, 0)


@dataclass(frozen=True)
class Asked:
    """Where a reader wants to begin: behind `position`, without entries older than `since`."""

    position: Position
    since: datetime.datetime | None = None


def function_sql(offset: int) -> str:
    """The function that makes a BIGINT of a transaction's number. `offset`: what to add (see `keep_order`)."""
    return (
        "CREATE OR REPLACE FUNCTION ocadmin_xact(xid8) RETURNS bigint LANGUAGE sql STABLE AS "
        f"'SELECT $1::text::bigint + {int(offset)}'"
    )


def keep_order(**_signal: Any) -> None:
    """Called after every `migrate`: a database that was restored on another server goes on counting where it stopped.

    Transactions are numbered by the server. On one that has counted less far, new entries would stand before the old
    ones, where nobody looks any more.
    """
    from .models import AuditEntry

    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('ocadmin_xact(xid8)') IS NOT NULL")
        if not cursor.fetchone()[0]:  # migrated back to a time before the feed
            return
        cursor.execute("LOCK TABLE access_auditentry IN SHARE ROW EXCLUSIVE MODE")
        last = AuditEntry.objects.filter(object_type="number").aggregate(last=Max("xact"))["last"] or 0
        cursor.execute("SELECT ocadmin_xact(pg_snapshot_xmax(pg_current_snapshot()))")
        if last >= cursor.fetchone()[0]:
            cursor.execute(function_sql(last))


def read_cursor(text: str) -> Position | None:
    """The position that `str(position)` wrote, "0" for the beginning; None for any other text."""
    if text == "0":
        return BEGINNING
    found = _CURSOR.fullmatch(text)
    return Position(int(found[1]), int(found[2])) if found else None


def horizon() -> Position:
    """The place up to which nothing can appear any more. Everything that is committed later lies behind it."""
    from .models import AuditEntry

    if connection.vendor != "postgresql":
        return Position(0, AuditEntry.objects.order_by().aggregate(last=Max("pk"))["last"] or 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ocadmin_xact(pg_snapshot_xmin(pg_current_snapshot()))")
        return Position(int(cursor.fetchone()[0]), 0)


def upto(position: Position) -> TupleLessThanOrEqual:
    """The condition of entries that do not lie behind a place."""
    return TupleLessThanOrEqual(Tuple(F("xact"), F("pk")), tuple(position))


def since_instant(instant: datetime.datetime) -> Asked:
    """Where to begin for everything that happened at `instant` or after it, however late it was committed."""
    from .models import AuditEntry

    earlier = AuditEntry.objects.filter(at__lt=instant - LONGEST_TRANSACTION).order_by("-at", "-pk")
    last = earlier.values_list("xact", "pk").first()
    return Asked(Position(*last) if last else BEGINNING, instant)


def entries(kind: str, scope: Scope, asked: Asked, end: Position, limit: int, narrower: Q | None = None) -> list[Any]:
    """At most `limit` entries about objects of `kind` in `scope`, behind `asked` and not behind `end`, in order.

    `narrower`: a further condition. One range of an index for each channel and customer: a page costs the same however
    much happened elsewhere.
    """
    from .models import AuditEntry

    behind = TupleGreaterThan(Tuple(F("xact"), F("pk")), tuple(asked.position))
    rows = AuditEntry.objects.filter(behind, upto(end), object_type=kind).order_by("xact", "pk")
    if narrower is not None:
        rows = rows.filter(narrower)
    if asked.since is not None:
        rows = rows.filter(at__gte=asked.since)
    if scope.everything:
        return list(rows[:limit])
    places = [Q(channel_ref=pk) for pk in sorted(scope.channels)] + [
        Q(customer_ref=pk) for pk in sorted(scope.customers)
    ]
    keys = sorted({key for part in _parts(places) for key in _first(rows, part, limit)})[:limit]
    return list(AuditEntry.objects.filter(pk__in=[pk for _xact, pk in keys]).order_by("xact", "pk"))


def _parts(places: list[Q]) -> Iterator[list[Q]]:
    walk = iter(places)
    while part := list(islice(walk, PLACES_AT_ONCE)):
        yield part


def _first(rows: QuerySet[Any], places: list[Q], limit: int) -> Iterable[tuple[int, int]]:
    """The first positions among the rows of some places, in one query where the database can say that."""
    queries = [rows.filter(place).values_list("xact", "pk")[:limit] for place in places]
    if len(queries) > 1 and connection.features.supports_slicing_ordering_in_compound:
        return list(queries[0].union(*queries[1:]))
    return [row for query in queries for row in query]
