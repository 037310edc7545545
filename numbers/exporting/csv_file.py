"""The rows as CSV (RFC 4180: commas, quotes where they are needed, CRLF; UTF-8), piece by piece.

PostgreSQL writes the lines itself (COPY), in one statement and so of one moment; SQLite hands texts over, of one moment
as well. Either way one piece is in memory at a time.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction

from .rows import Export

BOM = b"\xef\xbb\xbf"  # without it Excel does not take a file for UTF-8
PIECE = 64 * 1024
FETCHED = 400

# Only for the statement that follows. What a list is sorted by mostly has an index, and walking it gives the first row
# at once, in little memory: the planner has to know that rows are cheap to find (they are in memory), or it sorts all.
_IN_INDEX_ORDER = "SET LOCAL random_page_cost = 1.1; SET LOCAL max_parallel_workers_per_gather = 0"
_PLAIN_TIMES = "SET LOCAL datestyle = 'ISO'"


def stream(export: Export, *, bom: bool = True) -> Iterator[bytes]:
    """The file. The header comes before the database is asked.

    An iterator that is closed before its end leaves the connection as it was.
    """
    yield (BOM if bom else b"") + lines([export.header])
    try:
        sql, params = export.cells(guarded=True).query.sql_with_params()
    except EmptyResultSet:  # rows that cannot be, such as those of a scope without customers
        return
    pieces = _copied(sql, params) if connection.vendor == "postgresql" else _fetched(sql, params)
    yield from pieces


def lines(rows: Iterable[Sequence[str | None]]) -> bytes:
    """Rows as lines."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _copied(sql: str, params: Sequence[Any]) -> Iterator[bytes]:
    """PostgreSQL's own CSV. It ends its lines with LF, and hands over one line at a time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{_IN_INDEX_ORDER}; {_PLAIN_TIMES}")
        with cursor.copy(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv)", params) as copy:
            piece: list[memoryview] = []
            size = 0
            for line in copy:
                piece.append(line[:-1])
                size += len(line)
                if size >= PIECE:
                    yield b"\r\n".join((*piece, b""))
                    piece, size = [], 0
            if piece:
                yield b"\r\n".join((*piece, b""))


def _fetched(sql: str, params: Sequence[Any]) -> Iterator[bytes]:
    """SQLite's rows, written by us. No transaction of ours: it would keep others from writing."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(FETCHED):
            yield lines(rows)
