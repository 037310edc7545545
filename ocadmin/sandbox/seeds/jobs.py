"""Five jobs the demo remembers: what was done through Microsoft before the story begins.

Their dates are those of the story; they are kept for a retention counted from the seeding.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..jobs.codes import MAGIC_SUFFIXES
from .demo import BLOCKS, DAY, FIRST_UPLOAD, Block
from .directory import BY_KEY, addresses, fixed_id
from .records import LAST_PASS, TICKS_PER_SECOND, seconds_of

# Numbers of the demo's ranges that belong to nobody, with endings that fail.
REFUSED = [f"+161755501{ending}" for ending in MAGIC_SUFFIXES]
RELEASED = [f"+44207946011{digit}" for digit in range(4)]


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that is over; ``entries`` are (number, error code or None), ``began`` is in ticks."""

    id: str
    kind: str
    tenant: str
    status: str
    began: int
    request: dict[str, Any]
    entries: list[tuple[str, str | None]]

    def row(self, kept_from: float) -> tuple[Any, ...]:
        """The columns of the job table, without its running number."""
        failed = sum(1 for _, code in self.entries if code)
        created = seconds_of(self.began)
        correlation = fixed_id("correlation", self.id)
        tenant_id = BY_KEY[self.tenant].tenant_id
        request = {**self.request, "tenantId": tenant_id, "correlationId": correlation}
        return (
            self.id,
            self.kind,
            tenant_id,
            correlation,
            json.dumps(request),
            self.status,
            created,
            created + 7 + len(self.entries) / 200,
            kept_from,
            len(self.entries),
            len(self.entries) - failed,
            failed,
        )


def insert_past_jobs(
    connection: sqlite3.Connection, numbers: Iterable[dict[str, Any]], now: float
) -> None:
    """Write the five jobs; ``numbers`` are Microsoft's, ``now`` starts their retention."""
    sql = (
        "INSERT INTO job (id, kind, tenant_id, correlation_id, request, status, created,"
        " completed, kept_from, total, succeeded, failed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    for seq, job in enumerate(past_jobs(list(numbers)), start=1):
        connection.execute(sql, job.row(now))
        rows = [
            (seq, place, text, "Error" if code else "Success", code, None)
            for place, (text, code) in enumerate(job.entries)
        ]
        connection.executemany("INSERT INTO job_entry VALUES (?, ?, ?, ?, ?, ?)", rows)


def past_jobs(numbers: list[dict[str, Any]]) -> list[PastJob]:
    """Oldest first."""
    german = [one["telephoneNumber"] for one in numbers if one["isoCountryCode"] == "DE"]
    french = [one["telephoneNumber"] for one in numbers if one["isoCountryCode"] == "FR"]
    berlin = next(one for one in addresses() if one["cityOrTown"] == "Berlin")
    location = {"locationId": berlin["defaultLocationId"]}
    mobile = {text: {"add": [], "remove": ["Mobile"]} for text in french[:2]}
    ago = (LAST_PASS - 9 * DAY, LAST_PASS - 6 * DAY, LAST_PASS - 2 * DAY)
    capability = fixed_id("capability-update", 1)
    return [
        _upload("+16175550130", numbers, "PartialSuccess", REFUSED),
        _upload("+61255500100", numbers, "Success", []),
        _simple("release", "releases", "harbourline", "Complete", ago[0], {}, RELEASED),
        _simple(
            "location", "location-updates", "sauerland", "Success", ago[1], location, german[:3]
        ),
        PastJob(
            capability,
            "capability-updates",
            "harbourline",
            "Complete",
            ago[2],
            {"updates": mobile},
            [(text, None) for text in mobile],
        ),
    ]


def _simple(
    word: str,
    kind: str,
    tenant: str,
    status: str,
    began: int,
    request: dict[str, Any],
    texts: list[str],
) -> PastJob:
    body = {**request, "telephoneNumbers": texts}
    entries: list[tuple[str, str | None]] = [(text, None) for text in texts]
    return PastJob(fixed_id(word, 1), kind, tenant, status, began, body, entries)


def _upload(first: str, numbers: list[dict[str, Any]], status: str, refused: list[str]) -> PastJob:
    """The job that brought a block; its id is the one the block's numbers carry."""
    place, block = next((place, one) for place, one in enumerate(BLOCKS) if one.first == first)
    job_id = fixed_id("upload", first)
    entries: list[tuple[str, str | None]] = [
        (one["telephoneNumber"], None) for one in numbers if one["tnUploadJobId"] == job_id
    ]
    entries += [(text, MAGIC_SUFFIXES[text[-2:]]) for text in refused]
    began = FIRST_UPLOAD + place * 51 * DAY - 17 * TICKS_PER_SECOND
    return PastJob(
        job_id, "uploads", block.tenant, status, began, _request(block, entries), entries
    )


def _request(block: Block, entries: list[tuple[str, str | None]]) -> dict[str, Any]:
    return {
        "callingProfileId": block.profile,
        "usage": "CallingUserAssignment",
        "allowTenantAddressUpdate": True,
        "telephoneNumbers": [text for text, _ in entries],
    }
