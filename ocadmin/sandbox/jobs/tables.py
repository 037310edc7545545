"""The job tables: jobs with their entries, what is due when, and which numbers are in use."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..exchange import Json

if TYPE_CHECKING:
    from ..store import Store

FINAL = ("Success", "PartialSuccess", "Error", "Complete", "Failed", "Expired")
_COLUMNS = (
    "seq, id, kind, tenant_id, correlation_id, request, status, held, created, completed,"
    " kept_from, total, succeeded, failed, error_code"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the job table; times are virtual seconds, ``completed`` is None while it runs.

    ``kept_from`` is when its retention began (None while it runs).
    """

    seq: int
    id: str
    kind: str
    tenant_id: str
    correlation_id: str | None
    request: Json
    status: str
    held: bool
    created: float
    completed: float | None
    kept_from: float | None
    total: int
    succeeded: int
    failed: int
    error_code: str | None

    @property
    def final(self) -> bool:
        """True once nothing about the job changes any more."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a job; an open one may carry the code it will fail with."""

    place: int
    telephone_number: str
    status: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something due at a virtual time: ``what`` names the handler, ``subject`` what it is about."""

    id: int
    at: float
    what: str
    subject: str


def _job(row: tuple[Any, ...]) -> Job:
    values = list(row)
    values[5], values[7] = json.loads(values[5]), bool(values[7])
    return Job(*values)


class Jobs:
    """Reads and writes of the job tables; the caller holds the store's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _sql(self) -> sqlite3.Connection:
        return self._store.connection

    def add(self, kind: str, tenant_id: str, request: Json, total: int, now: float) -> Job:
        """A new pending job without entries."""
        job_id = str(uuid.uuid4())
        correlation = request.get("correlationId")
        sql = (
            "INSERT INTO job (id, kind, tenant_id, correlation_id, request, status, created, total)"
            " VALUES (?, ?, ?, ?, ?, 'Pending', ?, ?)"
        )
        values = (job_id, kind, tenant_id, correlation, json.dumps(request), now, total)
        self._sql.execute(sql, values)
        return self.require(job_id)

    def require(self, job_id: str) -> Job:
        """The job with this id, which must exist."""
        job = self.find(job_id)
        if job is None:
            raise LookupError(f"there is no job {job_id}")
        return job

    def find(self, job_id: str) -> Job | None:
        """The job with this id, None when there is none."""
        row = self._sql.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
        return _job(row) if row else None

    def page(self, where: Mapping[str, str], oldest: float, skip: int, top: int) -> list[Job]:
        """Jobs that pass, newest first; those whose retention began before ``oldest`` are over."""
        condition, values = _condition(where, oldest)
        sql = f"SELECT {_COLUMNS} FROM job WHERE {condition} ORDER BY seq DESC LIMIT ? OFFSET ?"
        return [_job(row) for row in self._sql.execute(sql, [*values, top, skip])]

    def count(self, where: Mapping[str, str], oldest: float) -> int:
        """How many jobs ``page`` has in all."""
        condition, values = _condition(where, oldest)
        sql = f"SELECT COUNT(*) FROM job WHERE {condition}"
        return int(self._sql.execute(sql, values).fetchone()[0])

    def update(self, job: Job, **values: Any) -> Job:
        """Set columns of a job; answers the job as it is now."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._sql.execute(f"UPDATE job SET {names} WHERE seq = ?", [*values.values(), job.seq])
        return self.require(job.id)

    def held(self, kind: str) -> list[Job]:
        """Jobs of a kind that were kept from finishing, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM job WHERE kind = ? AND held = 1 ORDER BY seq"
        return [_job(row) for row in self._sql.execute(sql, (kind,)).fetchall()]

    def by_status(self) -> dict[str, dict[str, int]]:
        """How many jobs per kind and status."""
        counts: dict[str, dict[str, int]] = {}
        sql = "SELECT kind, status, COUNT(*) FROM job GROUP BY kind, status ORDER BY kind, status"
        for kind, status, count in self._sql.execute(sql):
            counts.setdefault(kind, {})[status] = count
        return counts

    def add_entries(self, job: Job, codes: Mapping[str, str | None]) -> None:
        """Open entries in the order given; a code is kept until the job is worked off."""
        rows = [(job.seq, place, text, code) for place, (text, code) in enumerate(codes.items())]
        self._sql.executemany("INSERT INTO job_entry VALUES (?, ?, ?, 'Pending', ?, NULL)", rows)

    def entries(self, job: Job, status: str | None = None) -> list[Entry]:
        """Entries in order, all of them or those with one status."""
        sql = "SELECT place, telephone_number, status, error_code FROM job_entry WHERE job = ?"
        values: list[Any] = [job.seq]
        if status is not None:
            sql, values = f"{sql} AND status = ?", [*values, status]
        return [Entry(*row) for row in self._sql.execute(f"{sql} ORDER BY place", values)]

    def close_entries(
        self, job: Job, codes: Mapping[str, str | None], settle: float | None
    ) -> None:
        """Success for numbers without a code, Error for the rest; ``settle`` is when it shows."""
        rows = [
            ("Error" if code else "Success", code, None if code else settle, job.seq, text)
            for text, code in codes.items()
        ]
        sql = (
            "UPDATE job_entry SET status = ?, error_code = ?, settle_at = ?"
            " WHERE job = ? AND telephone_number = ?"
        )
        self._sql.executemany(sql, rows)

    def reopen(self, job: Job, codes: Mapping[str, str | None]) -> None:
        """Entries that failed are tried again."""
        sql = (
            "UPDATE job_entry SET status = 'Pending', error_code = ?"
            " WHERE job = ? AND telephone_number = ?"
        )
        self._sql.executemany(sql, [(code, job.seq, text) for text, code in codes.items()])

    def take_settled(self, job: Job, now: float) -> list[str]:
        """Numbers whose result becomes visible by now; each is answered once."""
        condition = "job = ? AND settle_at <= ?"
        sql = f"SELECT telephone_number FROM job_entry WHERE {condition} ORDER BY place"
        texts = [text for (text,) in self._sql.execute(sql, (job.seq, now))]
        sql = f"UPDATE job_entry SET settle_at = NULL WHERE {condition}"
        self._sql.execute(sql, (job.seq, now))
        return texts

    def occupy(self, job: Job, texts: Iterable[str]) -> None:
        """Keep other jobs from these numbers."""
        rows = [(text, job.seq) for text in texts]
        self._sql.executemany("INSERT INTO busy VALUES (?, ?)", rows)

    def free(self, job: Job) -> None:
        """Let other jobs have this job's numbers."""
        self._sql.execute("DELETE FROM busy WHERE job = ?", (job.seq,))

    def busy(self, texts: Iterable[str]) -> set[str]:
        """Those of the numbers that a running job works on."""
        sql = (
            "SELECT telephone_number FROM busy"
            " WHERE telephone_number IN (SELECT value FROM json_each(?))"
        )
        return {text for (text,) in self._sql.execute(sql, (json.dumps(list(texts)),))}

    def schedule(self, at: float, what: str, subject: str) -> None:
        """Let something happen at a virtual time."""
        sql = "INSERT INTO event (at, what, subject) VALUES (?, ?, ?)"
        self._sql.execute(sql, (at, what, subject))

    def next_event(self, now: float) -> Event | None:
        """The first thing that is due, None when nothing is."""
        sql = "SELECT id, at, what, subject FROM event WHERE at <= ? ORDER BY at, id LIMIT 1"
        row = self._sql.execute(sql, (now,)).fetchone()
        return Event(*row) if row else None

    def next_change(self, job: Job) -> float | None:
        """When something is due for a job, None when nothing is."""
        sql = "SELECT MIN(at) FROM event WHERE subject = ?"
        at: float | None = self._sql.execute(sql, (job.id,)).fetchone()[0]
        return at

    def remove_event(self, event: Event) -> None:
        """It has happened."""
        self._sql.execute("DELETE FROM event WHERE id = ?", (event.id,))


def _condition(where: Mapping[str, str], oldest: float) -> tuple[str, list[Any]]:
    parts, values = ["(kept_from IS NULL OR kept_from >= ?)"], list[Any]([oldest])
    for column, value in where.items():
        parts.append(f"{column} = ?")
        values.append(value)
    return " AND ".join(parts), values
