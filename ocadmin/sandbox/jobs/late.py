"""What the customer's tenant already knows and the operator's side does not (upstreams.md 9.4).

A change made through Graph is kept beside the number until it is due; Graph shows the number with
it, the operator's side without.  Whatever else touches the number first brings it up to date.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..clock import iso
from ..exchange import Json
from ..numbers import revised
from .tables import Event

if TYPE_CHECKING:
    from ..world import World


def any_ahead(world: World) -> bool:
    """True when Graph and the operator's side differ about some number."""
    return world.store.connection.execute("SELECT 1 FROM ahead LIMIT 1").fetchone() is not None


def as_customer_sees(world: World, text: str) -> Json | None:
    """One number with its late changes, None when there is no such number."""
    number = world.numbers.get(text)
    return {**number, **_changes(world, text)} if number else None


def _changes(world: World, text: str) -> Json:
    sql = "SELECT changes FROM ahead WHERE telephone_number = ?"
    row = world.store.connection.execute(sql, (text,)).fetchone()
    changes: Json = json.loads(row[0]) if row else {}
    return changes


def change(world: World, text: str, values: Json, due: float | None) -> None:
    """Show ``values`` to the customer now and to the operator at ``due``.

    Without a time they only last until the next change (an operation that is still running).
    """
    merged = {**_changes(world, text), **values}
    row = (text, merged.get("assignmentStatus"), json.dumps(merged), due)
    world.store.connection.execute("INSERT OR REPLACE INTO ahead VALUES (?, ?, ?, ?)", row)
    world.store.touch()
    if due is not None:
        world.jobs.schedule(due, "late", text)


def settle(world: World, event: Event) -> None:
    """The operator's side learns of a change, unless a newer one has put that off."""
    sql = "SELECT 1 FROM ahead WHERE telephone_number = ? AND due <= ?"
    if world.store.connection.execute(sql, (event.subject, event.at)).fetchone():
        settle_now(world, [event.subject], event.at)


def settle_now(world: World, texts: Iterable[str], at: float | None = None) -> None:
    """Bring these numbers up to date on the operator's side; ``at`` defaults to now."""
    if not any_ahead(world):
        return
    stamp = iso(world.clock.now() if at is None else at)
    sql = (
        "SELECT telephone_number, changes FROM ahead WHERE due IS NOT NULL"
        " AND telephone_number IN (SELECT value FROM json_each(?))"
    )
    rows = world.store.connection.execute(sql, (json.dumps(list(texts)),)).fetchall()
    known = world.numbers.get_many(text for text, _ in rows)
    world.numbers.put(
        revised(known[text], stamp, **json.loads(changes))
        for text, changes in rows
        if text in known
    )
    drop(world, [text for text, _ in rows])


def drop(world: World, texts: Iterable[str]) -> None:
    """Forget late changes of these numbers."""
    sql = "DELETE FROM ahead WHERE telephone_number = ?"
    world.store.connection.executemany(sql, [(text,) for text in texts])
    world.store.touch()
