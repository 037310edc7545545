"""Long lists in pieces."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

CHUNK = 5000

T = TypeVar("T")


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """Lists short enough that SQLite's other writers need not wait long for the statement about one."""
    rest = iter(rows)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
