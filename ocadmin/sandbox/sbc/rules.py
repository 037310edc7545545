"""The rules of the dial plans: the running set, which calls follow, and the one saved to flash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..exchange import Refusal
from .devices import Plan

if TYPE_CHECKING:
    from ..store import Store

RUNNING, SAVED = 0, 1
TABLE_FULL = "table is full"
INSERT = (
    "INSERT INTO sbc_rule (sbc, flash, plan, place, name, prefix, tag) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_UPSERT = f"""{INSERT} ON CONFLICT (sbc, flash, plan, place)
    DO UPDATE SET name = excluded.name, prefix = excluded.prefix, tag = excluded.tag"""
_LONGEST = {"name": 15, "prefix": 50, "tag": 253}
# Digits, letters, wildcards, ranges, suffixes; # ends a number (upstreams.md 4).
_PREFIX = re.compile(r"[0-9A-Za-z+*.\\\[\](),-]+#?(\([^#]*\))?")


class Rule(NamedTuple):
    """One rule; ``place`` is its index in the command line, which never changes."""

    place: int
    name: str
    prefix: str
    tag: str


def problem(field: str, value: str) -> str | None:
    """What is wrong with a rule's ``name``, ``prefix`` or ``tag``, None when nothing is.

    Lengths and syntax: upstreams.md 4; a tag may be as long as a host name.
    """
    if len(value) > _LONGEST[field]:
        return f"{field} is longer than {_LONGEST[field]} characters"
    if '"' in value or not value.isprintable():
        return f"{field} contains a character that is not allowed"
    if field == "prefix" and not _PREFIX.fullmatch(value):
        return "prefix is invalid" if value else "prefix is missing"
    return None


def of_plan(store: Store, plan: Plan, flash: int = RUNNING) -> Iterator[Rule]:
    """The rules of a plan by index."""
    sql = "SELECT place, name, prefix, tag FROM sbc_rule WHERE sbc = ? AND flash = ? AND plan = ?"
    rows = store.connection.execute(f"{sql} ORDER BY place", (plan.sbc, flash, plan.index))
    return (Rule(*row) for row in rows)


def find(store: Store, plan: Plan, index: int) -> Rule | None:
    """The running rule with this index, None when there is none."""
    sql = (
        "SELECT place, name, prefix, tag FROM sbc_rule"
        " WHERE sbc = ? AND flash = 0 AND plan = ? AND place = ?"
    )
    row = store.connection.execute(sql, (plan.sbc, plan.index, index)).fetchone()
    return Rule(*row) if row else None


def index_of(store: Store, plan: Plan, prefix: str) -> int | None:
    """Index of the running rule with exactly this prefix, None when there is none."""
    sql = "SELECT place FROM sbc_rule WHERE sbc = ? AND flash = 0 AND plan = ? AND prefix = ?"
    row = store.connection.execute(sql, (plan.sbc, plan.index, prefix)).fetchone()
    return row[0] if row else None


def count(store: Store, sbc: int, flash: int = RUNNING) -> int:
    """How many rules all plans of an SBC have together."""
    sql = "SELECT COUNT(*) FROM sbc_rule WHERE sbc = ? AND flash = ?"
    return int(store.connection.execute(sql, (sbc, flash)).fetchone()[0])


def put(store: Store, plan: Plan, rule: Rule) -> None:
    """Add a running rule or replace the one with its index; its prefix must be free."""
    values = (plan.sbc, RUNNING, plan.index, rule.place, rule.name, rule.prefix, rule.tag)
    store.connection.execute(_UPSERT, values)


def remove(store: Store, plan: Plan, index: int) -> bool:
    """Take a running rule out; False when there was none."""
    sql = "DELETE FROM sbc_rule WHERE sbc = ? AND flash = 0 AND plan = ? AND place = ?"
    return store.connection.execute(sql, (plan.sbc, plan.index, index)).rowcount > 0


def replace(store: Store, plan: Plan, rules: Iterable[Rule], flash: int = RUNNING) -> None:
    """Give a plan these rules and no others."""
    empty(store, plan, flash)
    values = ((plan.sbc, flash, plan.index, *rule) for rule in rules)
    store.connection.executemany(INSERT, values)


def empty(store: Store, plan: Plan, flash: int) -> None:
    """Take all rules out of a plan."""
    sql = "DELETE FROM sbc_rule WHERE sbc = ? AND flash = ? AND plan = ?"
    store.connection.execute(sql, (plan.sbc, flash, plan.index))


def copy(store: Store, sbc: int, source: int, target: int) -> None:
    """Make one set of an SBC equal to the other: what saving and restarting do."""
    store.connection.execute("DELETE FROM sbc_rule WHERE sbc = ? AND flash = ?", (sbc, target))
    store.connection.execute(
        "INSERT INTO sbc_rule SELECT sbc, ?, plan, place, name, prefix, tag FROM sbc_rule"
        " WHERE sbc = ? AND flash = ?",
        (target, sbc, source),
    )


def require_room(store: Store, sbc: int, capacity: int) -> None:
    """400 when an SBC has more rules than it can hold (upstreams.md 9.7 F22)."""
    if count(store, sbc) > capacity:
        raise Refusal(400, None, TABLE_FULL)
