"""Numbers a customer gives back: the operator approves or holds (upstreams.md 9.3 and 9.4).

A request is whatever number has status 2, however it came to it; the table only adds an id and
remembers what was decided.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..exchange import Json, Refusal, Request, Response
from ..numbers import NumberFilter, revised
from ..paging import next_link, paging
from ..tenants import known_tenant
from .kinds import detail, invalid, too_many
from .tables import Event

if TYPE_CHECKING:
    from ..world import World

DECISIONS = {"Approve": "Approved", "Hold": "Held"}
STATUSES = ("Pending", "Held", "Approved", "Withdrawn")
_OPEN = "('Pending', 'Held')"
_FIELDS = (
    "id",
    "telephoneNumber",
    "tenantId",
    "requestedOn",
    "status",
    "comment",
    "decidedOn",
    "completedOn",
)
_COLUMNS = "id, telephone_number, tenant_id, requested, status, comment, decided, completed"
_COMMENT_LENGTH = 1000


def refresh(world: World) -> None:
    """Give new requests an id and close those whose number is no longer marked for removal."""
    marked = {one["telephoneNumber"]: one for one in world.numbers.select(NumberFilter(status=2))}
    with world.store.transaction() as connection:
        sql = f"SELECT id, telephone_number FROM release_request WHERE status IN {_OPEN}"
        known = {text: key for key, text in connection.execute(sql)}
        for text in known.keys() - marked.keys():
            sql = "UPDATE release_request SET status = 'Withdrawn', completed = ? WHERE id = ?"
            connection.execute(sql, (world.clock.stamp(), known[text]))
        for text, number in marked.items():
            if text not in known:
                values = (str(uuid.uuid4()), text, number["tenantId"], number["lastModifiedOn"])
                sql = (
                    "INSERT INTO release_request (id, telephone_number, tenant_id, requested,"
                    " status) VALUES (?, ?, ?, ?, 'Pending')"
                )
                connection.execute(sql, values)


def by_status(world: World) -> dict[str, int]:
    """How many requests there are, by status."""
    refresh(world)
    sql = "SELECT status, COUNT(*) FROM release_request GROUP BY status ORDER BY status"
    return dict(world.store.connection.execute(sql))


def list_requests(world: World, request: Request) -> Response:
    """``GET …/release-requests?status=&tenantId=``, oldest first; all of them without a filter."""
    unknown = sorted(set(request.query) - {"status", "tenantId", "top", "skip"})
    if unknown:
        raise Refusal(400, "InvalidParameter", f"Unknown parameter: {', '.join(unknown)}.")
    refresh(world)
    top, skip = paging(request)
    where, values = "1", list[Any]()
    if "status" in request.query:
        names = {name.lower(): name for name in STATUSES}
        if request.query["status"].lower() not in names:
            raise Refusal(400, "InvalidStatus", f"status is one of {', '.join(STATUSES)}.")
        where, values = "status = ?", [names[request.query["status"].lower()]]
    if "tenantId" in request.query:
        tenant = known_tenant(world, request.query["tenantId"])
        where, values = f"{where} AND tenant_id = ?", [*values, tenant["tenantId"]]
    connection = world.store.connection
    counting = f"SELECT COUNT(*) FROM release_request WHERE {where}"
    total = connection.execute(counting, values).fetchone()[0]
    sql = f"SELECT {_COLUMNS} FROM release_request WHERE {where} ORDER BY seq LIMIT ? OFFSET ?"
    value = [_shown(row) for row in connection.execute(sql, [*values, top, skip])]
    link = next_link(request, skip, top, total)
    return Response(body={"value": value, "nextLink": link, "totalCount": total})


def decide(world: World, request: Request) -> Response:
    """``POST …/release-requests {"ids", "decision", "comment"}``: all of them or none.

    A held request may still be approved; 409 AlreadyDecided for anything else that was decided,
    404 for an id that is not known.
    """
    body = request.json()
    decision, comment, ids = body.get("decision"), body.get("comment"), body.get("ids")
    if not isinstance(decision, str) or decision not in DECISIONS:
        raise Refusal(400, "InvalidDecision", f"decision is one of {', '.join(DECISIONS)}.")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _COMMENT_LENGTH):
        raise invalid(f"comment may have at most {_COMMENT_LENGTH} characters.")
    if not isinstance(ids, list) or not ids:
        raise invalid("ids must be a list with entries.")
    too_many(len(ids))
    refresh(world)
    found = [_known(world, one) for one in dict.fromkeys(str(one) for one in ids)]
    _refuse_decided(found, DECISIONS[decision])
    with world.store.transaction() as connection:
        sql = "UPDATE release_request SET status = ?, comment = ?, decided = ? WHERE id = ?"
        stamp = world.clock.stamp()
        for one in found:
            connection.execute(sql, (DECISIONS[decision], comment, stamp, one["id"]))
        if decision == "Approve":
            _approve(world, found)
    return Response(body={"value": [_known(world, one["id"]) for one in found]})


def _known(world: World, key: str) -> Json:
    sql = f"SELECT {_COLUMNS} FROM release_request WHERE id = ?"
    row = world.store.connection.execute(sql, (key,)).fetchone()
    if row is None:
        raise Refusal(404, "ReleaseRequestNotFound", f"There is no release request '{key}'.")
    return _shown(row)


def _shown(row: tuple[Any, ...]) -> Json:
    return dict(zip(_FIELDS, row, strict=True))


def _refuse_decided(found: list[Json], wanted: str) -> None:
    decided = [one for one in found if one["status"] in ("Approved", "Withdrawn", wanted)]
    if decided:
        text = "Some requests have been decided already."
        details = [
            detail("AlreadyDecided", one["telephoneNumber"], f"Status {one['status']}.")
            for one in decided
        ]
        raise Refusal(409, "AlreadyDecided", text, details)


def _approve(world: World, found: list[Json]) -> None:
    now = world.clock.now()
    known = world.numbers.get_many(one["telephoneNumber"] for one in found)
    world.numbers.put(
        revised(number, iso(now), acquiredNumberStatus=3) for number in known.values()
    )
    at = now + world.job_settings.duration("release-requests", "approved")
    for one in found:
        world.jobs.schedule(at, "gone", one["id"])


def vanish(world: World, event: Event) -> None:
    """An approved number is gone, unless a test has made something else of it."""
    one = _known(world, event.subject)
    number = world.numbers.get(one["telephoneNumber"])
    if number and number["acquiredNumberStatus"] == 3 and number["tenantId"] == one["tenantId"]:
        world.numbers.delete([one["telephoneNumber"]])
    sql = "UPDATE release_request SET completed = ? WHERE id = ?"
    world.store.connection.execute(sql, (iso(event.at), one["id"]))
