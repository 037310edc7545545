"""The worlds the sandbox can start with."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from ..numbers import INSERT, row_of
from ..sbc.rules import INSERT as INSERT_RULE
from . import dial_plans, directory
from .demo import demo_numbers
from .example import example_numbers, example_records
from .jobs import insert_past_jobs
from .large import large_rows

SEEDS = ("demo", "drift", "empty", "large")


def build_world(connection: sqlite3.Connection, name: str, numbers: int, random_seed: int) -> None:
    """Fill an empty database.

    ``demo`` is the story of a migration, ``drift`` is the same with dial plans that somebody has
    been at (``dial_plans.CASES``), ``empty`` knows all customers, profiles and SBCs but not
    one number, ``large`` has ``numbers`` numbers (the ten of the example among them) spread over
    the other five customers.  The same name, count and random seed give the same world.
    """
    if name not in SEEDS:
        raise ValueError(f"unknown seed {name!r}")
    for key, value in (
        ("seed", name),
        ("operator_id", directory.OPERATOR_ID),
        ("directory_tenant_id", directory.DIRECTORY_TENANT_ID),
    ):
        connection.execute("INSERT INTO setting VALUES (?, ?)", (key, json.dumps(value)))
    for kind, documents in directory.documents().items():
        rows = ((kind, key, place, dump(body)) for place, (key, body) in enumerate(documents))
        connection.executemany("INSERT INTO document VALUES (?, ?, ?, ?)", rows)
    if name in ("demo", "drift"):
        oc, platform = demo_numbers(random_seed)
        _insert_numbers(connection, [*example_numbers(), *oc])
        _insert_records(connection, [*example_records(), *platform])
        _insert_rules(connection, example_records() + platform, oc if name == "drift" else None)
        insert_past_jobs(connection, oc, time.time())
    elif name == "large":
        _insert_numbers(connection, example_numbers())
        _insert_records(connection, example_records())
        _insert_rules(connection, example_records(), None)
        connection.executemany(INSERT, large_rows(max(0, numbers - len(example_records()))))


def dump(value: Any) -> str:
    """Compact JSON that keeps non-ASCII letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _insert_numbers(connection: sqlite3.Connection, numbers: Iterable[dict[str, Any]]) -> None:
    places = {tenant.tenant_id: place for place, tenant in enumerate(directory.TENANTS)}
    ordered = sorted(numbers, key=lambda number: number["telephoneNumber"])
    rows = [row_of(number, places[number["tenantId"]]) for number in ordered]
    connection.executemany(INSERT, rows)


def _insert_rules(
    connection: sqlite3.Connection,
    records: list[dict[str, Any]],
    drifted: list[dict[str, Any]] | None,
) -> None:
    """The rules that go with the records; ``drifted`` are Microsoft's numbers, None: no drift."""
    rules = dial_plans.rules_for(records)
    if drifted is not None:
        cases = dial_plans.make_drift(rules, records, drifted)
        connection.execute("INSERT INTO setting VALUES ('sbc_drift', ?)", (json.dumps(cases),))
    connection.executemany(INSERT_RULE, dial_plans.rows(rules))


def _insert_records(connection: sqlite3.Connection, records: Iterable[dict[str, Any]]) -> None:
    rows = [
        (record["id"], record["tenantId"], record["acquiredNumberStatus"], dump(record))
        for record in records
    ]
    connection.executemany("INSERT INTO platform_number VALUES (?, ?, ?, ?)", rows)
