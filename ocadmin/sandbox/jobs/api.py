"""``/oc/v1/operators/{operatorId}/uploads`` and its three sisters: ask for a job, look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import iso
from ..exchange import Json, Refusal, Request, Response
from ..paging import next_link, paging
from ..routing import Handler, Route
from ..tenants import known_tenant
from . import codes, engine, release_requests
from .capability_update import CapabilityUpdate
from .kinds import Kind
from .location_update import LocationUpdate
from .release import Release
from .repeatability import repeatable
from .tables import Job
from .upload import Upload

if TYPE_CHECKING:
    from ..world import World

BASE = "/oc/v1/operators/{operatorId}"
READ, WRITE = "NumberManagement.Read", "NumberManagement.Write"
LIST_PARAMETERS = {"correlationId", "status", "tenantId", "top", "skip"}


def envelope(world: World, job: Job, with_entries: bool) -> Json:
    """A job as it is shown; the lists leave out the entries."""
    shown: Json = {
        "jobId": job.id,
        "type": engine.KINDS[job.kind].name,
        "tenantId": job.tenant_id,
        "status": job.status,
        "createdAt": iso(job.created),
        "completedAt": iso(job.completed) if job.completed is not None else None,
        "correlationId": job.correlation_id,
        "totalCount": job.total,
        "successCount": job.succeeded,
        "failureCount": job.failed,
        "errorCode": job.error_code,
        "errorMessage": codes.message(job.error_code),
    }
    if with_entries:
        shown["entries"] = _entries(world, job)
    return shown


def _entries(world: World, job: Job) -> list[Json]:
    """What will become of a number is told when the job is done, not before."""
    shown = []
    for entry in world.jobs.entries(job):
        open_status = entry.status == "Pending"
        code = None if open_status else entry.code
        one = {
            "telephoneNumber": entry.telephone_number,
            "status": job.status if open_status else entry.status,
            "errorCode": code,
            "errorMessage": codes.message(code),
        }
        shown.append(one)
    return shown


def _accepted(world: World, request: Request, kind: Kind, job: Job) -> Response:
    operator = request.parameters["operatorId"]
    address = f"{request.base_url}{BASE}/{kind.path}/{job.id}".replace("{operatorId}", operator)
    wait = engine.retry_after(world, job)
    headers = {"Location": address, "Operation-Location": address, "Retry-After": wait}
    return Response(202, {"jobId": job.id, "status": "Pending"}, headers)


def _creator(kind: Kind) -> Handler:
    def create(world: World, request: Request) -> Response:
        return _accepted(world, request, kind, engine.accept(world, kind, request.json()))

    return repeatable(create)


def _find(world: World, kind: Kind, request: Request) -> Job:
    """The job of the path; 404 for another kind's job and after its retention."""
    job_id = request.parameters["jobId"]
    job = world.jobs.find(job_id)
    over = job is not None and job.kept_from is not None and job.kept_from < _oldest(world)
    if job is None or job.kind != kind.path or over:
        raise Refusal(404, "JobNotFound", f"There is no job '{job_id}'.")
    return job


def _oldest(world: World) -> float:
    return world.clock.now() - float(world.job_settings.get("retention"))


def _getter(kind: Kind) -> Handler:
    def get(world: World, request: Request) -> Response:
        job = _find(world, kind, request)
        headers = {} if job.final else {"Retry-After": engine.retry_after(world, job)}
        return Response(body=envelope(world, job, with_entries=True), headers=headers)

    return get


def _lister(kind: Kind) -> Handler:
    def list_jobs(world: World, request: Request) -> Response:
        """Newest first, narrowed by correlation id, status and tenant."""
        unknown = sorted(set(request.query) - LIST_PARAMETERS)
        if unknown:
            raise Refusal(400, "InvalidParameter", f"Unknown parameter: {', '.join(unknown)}.")
        top, skip = paging(request)
        where = {"kind": kind.path}
        names = {"correlationId": "correlation_id", "status": "status", "tenantId": "tenant_id"}
        where.update((names[name], request.query[name]) for name in names if name in request.query)
        if "tenantId" in request.query:
            known_tenant(world, request.query["tenantId"])
        total = world.jobs.count(where, _oldest(world))
        jobs = world.jobs.page(where, _oldest(world), skip, top)
        value = [envelope(world, job, with_entries=False) for job in jobs]
        link = next_link(request, skip, top, total)
        return Response(body={"value": value, "nextLink": link, "totalCount": total})

    return list_jobs


def _retrier(kind: Kind) -> Handler:
    def retry(world: World, request: Request) -> Response:
        job = engine.retry(world, kind, _find(world, kind, request))
        return _accepted(world, request, kind, job)

    return repeatable(retry)


def _routes(kind: Kind) -> tuple[Route, ...]:
    path = f"{BASE}/{kind.path}"
    return (
        Route("POST", path, _creator(kind), WRITE),
        Route("GET", path, _lister(kind), READ),
        Route("POST", f"{path}/{{jobId}}:retry", _retrier(kind), WRITE),
        Route("GET", f"{path}/{{jobId}}", _getter(kind), READ),
    )


REQUESTS = f"{BASE}/release-requests"
ROUTES = (
    *_routes(Upload()),
    *_routes(Release()),
    *_routes(CapabilityUpdate()),
    *_routes(LocationUpdate()),
    Route("GET", REQUESTS, release_requests.list_requests, READ),
    Route("POST", REQUESTS, repeatable(release_requests.decide), WRITE),
)
