"""``/platform/api/v3/oc/numbers``: the platform the operator is moving away from.

It serves the V3 list of get-numbers-v3.txt: 32 fields per number, whole records stored as they are
served, so that every value, null and order of keys is the reference's own.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from .exchange import Json, Refusal, Request, Response, is_guid
from .routing import Mount, Route

if TYPE_CHECKING:
    from .world import World

DEFAULT_SIZE, MAX_SIZE = 200, 20_000
STATUSES = {
    "active": 0,
    "releaserequested": 1,
    "markedforremoval": 2,
    "readyforremoval": 3,
    "pendingfirstsync": 4,
}


def guard(world: World, request: Request) -> Response | None:
    """A live token for the platform."""
    request.token = world.tokens.require(request, "platform")
    return None


def list_numbers(world: World, request: Request) -> Response:
    """One page of records; without ``msTenantId`` those of every customer."""
    query = {name.lower(): value for name, value in request.query.items()}
    where, values = _conditions(world, query)
    page = _positive(query, "pageNumber", 1, 10_000_000)
    size = _positive(query, "pageSize", DEFAULT_SIZE, MAX_SIZE)
    connection = world.store.connection
    counting = f"SELECT COUNT(*) FROM platform_number WHERE {where}"
    total = connection.execute(counting, values).fetchone()[0]
    sql = f"SELECT body FROM platform_number WHERE {where} ORDER BY id LIMIT ? OFFSET ?"
    rows = connection.execute(sql, [*values, size, (page - 1) * size])
    pages = -(-total // size)
    head = f'"currentPage":{page},"pageSize":{size},"totalPages":{pages},"totalRecords":{total}'
    return Response(body=f'{{{head},"data":[{",".join(body for (body,) in rows)}]}}')


def _conditions(world: World, query: dict[str, str]) -> tuple[str, list[Any]]:
    parts, values = ["1"], list[Any]()
    tenant = query.get("mstenantid")
    if tenant:
        if not is_guid(tenant):
            raise Refusal(400, "InvalidTenantId", f"'{tenant}' is not a GUID.")
        if tenant.lower() not in world.store.documents("tenant"):
            raise Refusal(404, "TenantNotFound", f"Tenant '{tenant}' does not exist.")
        parts.append("tenant_id = ?")
        values.append(tenant.lower())
    status = _status(query.get("acquirednumberstatus") or "All")
    if status is not None:
        parts.append("status = ?")
        values.append(status)
    return " AND ".join(parts), values


def _status(text: str) -> int | None:
    """A status by name (blanks and case do not matter) or number; None for All."""
    word = re.sub(r"[\s_-]+", "", text).lower()
    if word == "all":
        return None
    if word in STATUSES:
        return STATUSES[word]
    if word in ("0", "1", "2", "3", "4"):
        return int(word)
    raise Refusal(400, "InvalidStatus", f"'{text}' is not a status of a number.")


def _positive(query: dict[str, str], name: str, default: int, high: int) -> int:
    text = query.get(name.lower()) or str(default)
    value = int(text) if re.fullmatch(r"\d{1,9}", text) else 0
    if not 1 <= value <= high:
        raise Refusal(400, "InvalidPaging", f"'{name}' must be from 1 to {high}.")
    return value


def render(request: Request, refusal: Refusal) -> Response:
    """ProblemDetails with the platform's additions (get-numbers-v3.txt, HTTP responses)."""
    body: Json = {
        "type": f"https://httpstatuses.com/{refusal.status}",
        "title": refusal.code,
        "status": refusal.status,
        "detail": refusal.message,
        "instance": request.path,
        "errorTicket": str(uuid.uuid4()),
        "errorCode": refusal.code,
        "traceId": request.request_id,
    }
    return Response(refusal.status, body, dict(refusal.headers), "application/problem+json")


MOUNT = Mount(
    "platform",
    (Route("GET", "/platform/api/v3/oc/numbers", list_numbers, "Numbers.Read"),),
    guard=guard,
    render=render,
)
