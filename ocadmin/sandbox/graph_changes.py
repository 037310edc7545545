"""Graph's changes to a number: unassign it, move it (upstreams.md 2 and 9.5)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from .clock import iso
from .exchange import Json, Refusal, Request, Response
from .jobs import codes, engine, late
from .jobs.kinds import address_problem, location
from .jobs.location_update import place
from .jobs.tables import Job
from .jobs.unassign import Unassign

if TYPE_CHECKING:
    from .world import World

ROOT = "/graph/v1.0/admin/teams/telephoneNumberManagement"
STATUSES = {
    "Pending": "notStarted",
    "InProgress": "running",
    "Success": "succeeded",
    "Error": "failed",
}
NUMBER_TYPES = ("directRouting", "callingPlan", "operatorConnect")


def unassign(world: World, request: Request) -> Response:
    """``POST …/unassignNumber {"telephoneNumber", "numberType"}`` -> 202 and where to look."""
    body = request.json()
    if body.get("numberType") not in NUMBER_TYPES:
        raise Refusal(400, "BadRequest", f"numberType is one of {', '.join(NUMBER_TYPES)}.")
    number = _own_number(world, request, body)
    if number["assignmentStatus"] == "Unassigned":
        raise Refusal(400, "NumberNotAssigned", "The telephone number is not assigned.")
    wanted = {"tenantId": number["tenantId"], "telephoneNumber": number["telephoneNumber"]}
    job = engine.accept(world, engine.KINDS[Unassign.path], wanted)
    address = f"{request.base_url}{ROOT}/operations('{operation_id(job)}')"
    headers = {"Location": address, "Retry-After": engine.retry_after(world, job)}
    return Response(202, headers=headers)


def _own_number(world: World, request: Request, body: Json) -> Json:
    """The number as its tenant sees it; 404 for others', 409 while something works on it."""
    tenant = request.token.tenant_id if request.token else None
    text = body.get("telephoneNumber")
    number = late.as_customer_sees(world, text) if isinstance(text, str) else None
    if number is None or number["tenantId"] != tenant or number["acquiredNumberStatus"] == 4:
        raise Refusal(404, "NumberNotFound", "The tenant has no such telephone number.")
    if body.get("numberType", "operatorConnect") != "operatorConnect":
        raise Refusal(404, "NumberNotFound", "The tenant has no such number of this type.")
    running = text in world.jobs.busy([number["telephoneNumber"]])
    if running or number["acquiredNumberStatus"] == 1:
        raise Refusal(409, codes.OPERATION_IN_PROGRESS, codes.MESSAGES[codes.OPERATION_IN_PROGRESS])
    return number


def operation_id(job: Job) -> str:
    """Base64 of ``Unassignment|<guid>`` without padding (upstreams.md 2)."""
    text = f"{engine.KINDS[job.kind].name}|{job.id}"
    return base64.b64encode(text.encode()).decode().rstrip("=")


def get_operation(world: World, request: Request) -> Response:
    """``GET …/operations/{id}`` or ``…/operations('{id}')`` of the token's own tenant."""
    key = request.parameters["id"]
    job = _operation(world, key)
    tenant = request.token.tenant_id if request.token else None
    if job is None or job.tenant_id != tenant:
        raise Refusal(404, "NotFound", "There is no such operation.")
    status = STATUSES[job.status]
    context = f"{request.base_url}/graph/v1.0/$metadata#admin/teams/telephoneNumberManagement"
    return Response(
        body={
            "@odata.context": f"{context}/operations/$entity",
            "id": key,
            "createdDateTime": iso(job.created),
            "status": status,
            "numbers": [_result(world, request, job, status)],
        }
    )


def _operation(world: World, key: str) -> Job | None:
    try:
        text = base64.b64decode(key + "=" * (-len(key) % 4), validate=True).decode()
    except ValueError:
        return None
    kind, _, job_id = text.partition("|")
    job = world.jobs.find(job_id) if kind == Unassign.name else None
    oldest = world.clock.now() - world.job_settings.get("retention")
    over = job is not None and job.kept_from is not None and job.kept_from < oldest
    return None if job is None or job.kind != Unassign.path or over else job


def _result(world: World, request: Request, job: Job, status: str) -> Json:
    (entry,) = world.jobs.entries(job)
    operator = world.store.setting("operator_id")
    identity = base64.b64encode(f"{operator}|{entry.telephone_number}".encode()).decode()
    failed = entry.status == "Error"
    return {
        "resourceLocation": f"{request.base_url}{ROOT}/numberAssignments('{identity}')",
        "status": status,
        "statusDetail": codes.message(entry.code) if failed else None,
    }


def update(world: World, request: Request) -> Json:
    """``updateNumber``: an empty text clears, null or nothing keeps; answers the number.

    The operator's side sees a new location after the lag.
    """
    body = request.json()
    number = _own_number(world, request, body)
    for name in ("locationId", "networkSiteId"):
        if body.get(name) is not None and not isinstance(body[name], str):
            raise Refusal(400, "BadRequest", f"{name} must be a text.")
    lookups = body.get("reverseNumberLookupOptions")
    if lookups is not None and not isinstance(lookups, list):
        raise Refusal(400, "BadRequest", "reverseNumberLookupOptions must be a list.")
    with world.store.transaction():
        if body.get("locationId") is not None:
            _move(world, number, body["locationId"])
        _keep_options(world, number["telephoneNumber"], body)
    changed = late.as_customer_sees(world, number["telephoneNumber"])
    return changed or number


def _move(world: World, number: Json, wanted: str) -> None:
    """The rules of an operator's location update, and the customer must be allowed to (F18)."""
    problem = None
    if not number["allowTenantAddressUpdate"]:
        problem = codes.LOCATION_UPDATE_NOT_SUPPORTED
    elif wanted:
        address = location(world, number["tenantId"], wanted)
        problem = address_problem(address, number["isoCountryCode"])
    if problem:
        raise Refusal(400, problem, codes.MESSAGES[problem])
    values = place(world, number["tenantId"], wanted or None)
    due = world.clock.now() + world.job_settings.get("lag")
    late.change(world, number["telephoneNumber"], values, due)


def _keep_options(world: World, text: str, body: Json) -> None:
    """What only the customer's side knows about a number."""
    names = ("networkSiteId", "reverseNumberLookupOptions")
    given = {name: body[name] for name in names if body.get(name) is not None}
    if given:
        merged = {**options(world, [text]).get(text, {}), **given}
        sql = "INSERT OR REPLACE INTO customer_option VALUES (?, ?)"
        world.store.connection.execute(sql, (text, json.dumps(merged)))


def options(world: World, texts: list[str]) -> dict[str, Any]:
    """Network site and reverse lookup of those numbers that have them."""
    sql = (
        "SELECT telephone_number, body FROM customer_option"
        " WHERE telephone_number IN (SELECT value FROM json_each(?))"
    )
    rows = world.store.connection.execute(sql, (json.dumps(texts),))
    return {text: json.loads(body) for text, body in rows}
