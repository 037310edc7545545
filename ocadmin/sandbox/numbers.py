"""The telephone numbers as Microsoft holds them: lookups, filters and fast paging."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .store import Store

INSERT = (
    "INSERT INTO number (telephone_number, tenant, status, country, assignment, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)

# Graph's view: with what the operator's side has not heard of yet (see jobs/late.py).
CUSTOMERS_VIEW = (
    "(SELECT n.id, n.telephone_number, n.tenant, n.status, n.country,"
    " COALESCE(a.assignment, n.assignment) AS assignment, merged(n.body, a.changes) AS body"
    " FROM number n LEFT JOIN ahead a ON a.telephone_number = n.telephone_number)"
)


def revised(number: dict[str, Any], stamp: str, **values: Any) -> dict[str, Any]:
    """The number with new values, a new modification time and the next etag."""
    found = re.search(r"\d+", number.get("etag") or "")
    etag = f'W/"{int(found.group()) + 1 if found else 1}"'
    return {**number, **values, "lastModifiedOn": stamp, "etag": etag}


def row_of(number: dict[str, Any], tenant: int) -> tuple[Any, ...]:
    """The columns of a Number (upstreams.md 9.2); ``tenant`` is the tenant's index."""
    return (
        number["telephoneNumber"],
        tenant,
        number["acquiredNumberStatus"],
        number["isoCountryCode"],
        number["assignmentStatus"],
        json.dumps(number, ensure_ascii=False, separators=(",", ":")),
    )


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """What a list is narrowed to; None means no restriction.

    ``tenant`` is a tenant's index, ``synced_only`` leaves out status 4, ``fields`` are further
    (field name, value) pairs compared with the stored object, where a value of None means null.
    ``nothing`` is a filter that no number can pass.  ``customers_view`` looks at the numbers as the
    customer's tenant knows them, ahead of the operator's side.
    """

    tenant: int | None = None
    status: int | None = None
    country: str | None = None
    assignments: tuple[str, ...] | None = None
    known_assignments: tuple[str, ...] | None = None
    starts_with: str | None = None
    telephone_number: str | None = None
    synced_only: bool = False
    fields: tuple[tuple[str, str | None], ...] = ()
    nothing: bool = False
    customers_view: bool = False

    @property
    def source(self) -> str:
        """The table or query to read from."""
        return CUSTOMERS_VIEW if self.customers_view else "number"

    def where(self) -> tuple[str, list[Any]]:
        """SQL condition (always at least ``1``) and its values."""
        parts: list[str] = ["0" if self.nothing else "1"]
        values: list[Any] = []
        for column, value in (
            ("tenant", self.tenant),
            ("status", self.status),
            ("country", self.country),
            ("telephone_number", self.telephone_number),
        ):
            if value is not None:
                parts.append(f"{column} = ?")
                values.append(value)
        if self.starts_with:
            parts.append("telephone_number >= ? AND telephone_number < ?")
            values += [self.starts_with, self.starts_with + "\uffff"]
        if self.synced_only:
            parts.append("status <> 4")
        self._add_assignments(parts, values)
        for name, value in self.fields:
            parts.append(f"json_extract(body, '$.{name}') IS ?")
            values.append(value)
        return " AND ".join(parts), values

    def _add_assignments(self, parts: list[str], values: list[Any]) -> None:
        for word, wanted in (("IN", self.assignments), ("NOT IN", self.known_assignments)):
            if wanted is not None:
                parts.append(f"assignment {word} ({', '.join('?' * len(wanted))})")
                values += wanted


class Numbers:
    """The number table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._totals: dict[NumberFilter, int] = {}
        self._ends: dict[tuple[NumberFilter, int], str] = {}

    def page(self, wanted: NumberFilter, skip: int, top: int) -> tuple[list[str], int]:
        """The stored JSON of ``top`` numbers after ``skip``, by number, and how many there are.

        A reader who walks page by page asks for the place where the last page ended.  That place is
        remembered until a number changes, so the walk seeks instead of counting; any other ``skip``
        is counted off in an index, which takes some 50 ms per million.
        """
        self._forget_if_stale()
        where, values = wanted.where()
        total = self._total(wanted, where, values)
        if skip >= total or top == 0:
            return [], total
        start = self._ends.get((wanted, skip))
        if start is None:
            offset = skip
        else:
            where, values, offset = where + " AND telephone_number > ?", [*values, start], 0
        rows = self._rows(wanted.source, where, values, top, offset)
        if rows:
            self._ends[wanted, skip + len(rows)] = rows[-1][0]
        return [body for _, body in rows], total

    def _rows(
        self, source: str, where: str, values: list[Any], top: int, offset: int
    ) -> list[tuple[str, str]]:
        inner = f"SELECT id FROM {source} WHERE {where} ORDER BY telephone_number LIMIT ? OFFSET ?"
        sql = (
            f"SELECT telephone_number, body FROM {source} WHERE id IN ({inner})"
            " ORDER BY telephone_number"
        )
        return self._store.connection.execute(sql, [*values, top, offset]).fetchall()

    def _total(self, wanted: NumberFilter, where: str, values: list[Any]) -> int:
        if wanted not in self._totals:
            sql = f"SELECT COUNT(*) FROM {wanted.source} WHERE {where}"
            self._totals[wanted] = self._store.connection.execute(sql, values).fetchone()[0]
        return self._totals[wanted]

    def _forget_if_stale(self) -> None:
        if self._version != self._store.version or len(self._ends) > 20_000:
            self._version = self._store.version
            self._totals.clear()
            self._ends.clear()

    def select(self, wanted: NumberFilter, limit: int = -1) -> Iterator[dict[str, Any]]:
        """Numbers that pass, in order; ``limit`` of -1 means all."""
        where, values = wanted.where()
        for _, body in self._rows(wanted.source, where, values, limit, 0):
            yield json.loads(body)

    def get(self, telephone_number: str) -> dict[str, Any] | None:
        """One number, None when there is none."""
        sql = "SELECT body FROM number WHERE telephone_number = ?"
        row = self._store.connection.execute(sql, (telephone_number,)).fetchone()
        return json.loads(row[0]) if row else None

    def get_many(self, telephone_numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of the numbers that exist, by number and in the order given."""
        wanted = list(telephone_numbers)
        sql = (
            "SELECT telephone_number, body FROM number"
            " WHERE telephone_number IN (SELECT value FROM json_each(?))"
        )
        rows = dict(self._store.connection.execute(sql, (json.dumps(wanted),)).fetchall())
        return {text: json.loads(rows[text]) for text in wanted if text in rows}

    def put(self, numbers: Iterable[dict[str, Any]]) -> int:
        """Insert or replace numbers, whose tenants must exist; says how many."""
        rows = []
        for number in numbers:
            tenant = self._store.tenant_index(number["tenantId"])
            if tenant is None:
                raise ValueError(f"unknown tenant {number['tenantId']}")
            rows.append(row_of(number, tenant))
        last = {row[0]: row for row in rows}
        with self._store.transaction() as connection:
            sql = "DELETE FROM number WHERE telephone_number = ?"
            connection.executemany(sql, [(text,) for text in last])
            connection.executemany(INSERT, list(last.values()))
            self._store.touch()
        return len(rows)

    def delete(self, telephone_numbers: Iterable[str]) -> int:
        """Remove numbers with what the customer noted about them; says how many existed."""
        rows = [(number,) for number in telephone_numbers]
        with self._store.transaction() as connection:
            connection.executemany("DELETE FROM customer_option WHERE telephone_number = ?", rows)
            cursor = connection.executemany("DELETE FROM number WHERE telephone_number = ?", rows)
            self._store.touch()
            return cursor.rowcount

    def counts(self) -> dict[tuple[int, int], int]:
        """How many numbers per (tenant index, status)."""
        sql = "SELECT tenant, status, COUNT(*) FROM number GROUP BY tenant, status"
        rows = self._store.connection.execute(sql)
        return {(tenant, status): count for tenant, status, count in rows}
