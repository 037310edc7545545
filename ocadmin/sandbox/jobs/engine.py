"""Accepting jobs and moving them along the clock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..exchange import Json, Refusal
from . import codes, late, release_requests
from .capability_update import CapabilityUpdate
from .kinds import Kind
from .location_update import LocationUpdate
from .release import Release
from .tables import Entry, Event, Job
from .unassign import Unassign
from .upload import Upload

if TYPE_CHECKING:
    from ..world import World

# Seconds, as upstreams.md 9.3 has them.
HELD_RETRY_AFTER = "2"

KINDS: dict[str, Kind] = {
    kind.path: kind
    for kind in (Upload(), Release(), CapabilityUpdate(), LocationUpdate(), Unassign())
}


def accept(world: World, kind: Kind, body: Json) -> Job:
    """Take a job on, or refuse it; everything it starts with is written in one transaction."""
    texts = kind.check(world, body)
    with world.store.transaction():
        return start(world, kind, str(body["tenantId"]), body, texts)


def start(world: World, kind: Kind, tenant_id: str, body: Json, texts: list[str]) -> Job:
    """A job about numbers that have been checked."""
    now = world.clock.now()
    job = world.jobs.add(kind.path, tenant_id, body, len(texts), now)
    world.jobs.add_entries(job, _begin(world, kind, job, texts, now))
    return job


def _begin(
    world: World, kind: Kind, job: Job, texts: list[str], now: float
) -> dict[str, str | None]:
    """Judge numbers, occupy those that passed and set the clock."""
    late.settle_now(world, texts)
    verdicts = kind.judge(world, job, texts, world.jobs.busy(texts))
    passed = [text for text in texts if verdicts[text] is None]
    world.jobs.occupy(job, passed)
    kind.begin(world, job, passed, now)
    world.jobs.schedule(now + world.job_settings.duration(kind.path, "pending"), "start", job.id)
    return {text: verdicts[text] for text in texts}


def retry(world: World, kind: Kind, job: Job) -> Job:
    """Try again what failed, as the same job or as a new one (a setting).

    It is the only way out of a final state; 409 for a running job or one without failures.
    """
    failed = [entry.telephone_number for entry in world.jobs.entries(job, "Error")]
    if not job.final:
        raise Refusal(409, "JobNotFinished", "The job is still running.")
    if not failed:
        raise Refusal(409, "NothingToRetry", "No number of this job has failed.")
    with world.store.transaction():
        if world.job_settings.get("retryNewJobId"):
            return start(world, kind, job.tenant_id, job.request, failed)
        again = {"status": "Pending", "completed": None, "kept_from": None, "error_code": None}
        job = world.jobs.update(job, failed=0, **again)
        verdicts = _begin(world, kind, job, failed, world.clock.now())
        world.jobs.reopen(job, verdicts)
    return job


def advance(world: World) -> None:
    """Let everything happen that is due by now, in the order of its time."""
    while True:
        event = world.jobs.next_event(world.clock.now())
        if event is None:
            return
        with world.store.transaction():
            world.jobs.remove_event(event)
            HANDLERS[event.what](world, event)


def retry_after(world: World, job: Job) -> str:
    """Virtual seconds until the job's next change, rounded up; ``0`` when it is over.

    What is due already happens first, so that a job may be over as soon as it is accepted.  When a
    held job goes on is not known: the answer is ``HELD_RETRY_AFTER``.
    """
    advance(world)
    job = world.jobs.require(job.id)
    if job.final:
        return "0"
    due = None if job.held else world.jobs.next_change(job)
    return HELD_RETRY_AFTER if due is None else str(math.ceil(due - world.clock.now()))


def release_held(world: World) -> None:
    """Let held jobs finish whose kind is no longer held."""
    hold = world.job_settings.get("hold")
    for path, kept in hold.items():
        for job in [] if kept else world.jobs.held(path):
            world.jobs.update(job, held=0)
            world.jobs.schedule(world.clock.now(), "finish", job.id)


def _start(world: World, event: Event) -> None:
    job = world.jobs.update(world.jobs.require(event.subject), status="InProgress")
    settings = world.job_settings
    per_number = settings.duration(job.kind, "perNumber") * job.total
    at = event.at + settings.duration(job.kind, "inProgress") + per_number
    world.jobs.schedule(at, "finish", job.id)


def _finish(world: World, event: Event) -> None:
    job = world.jobs.require(event.subject)
    if job.final:
        return
    if not world.job_settings.get("hold")[job.kind]:
        _complete(world, job, event.at)
        return
    world.jobs.update(job, held=1)
    if job.kind == Release.path:
        expires = max(event.at, job.created + world.job_settings.get("expiry"))
        world.jobs.schedule(expires, "expire", job.id)


def _complete(world: World, job: Job, at: float) -> None:
    kind = KINDS[job.kind]
    entries = world.jobs.entries(job, "Pending")
    verdicts = {entry.telephone_number: entry.code for entry in entries}
    passed = [text for text, code in verdicts.items() if code is None]
    verdicts.update(kind.judge(world, job, passed, set()))
    forced = world.job_settings.get("failures")
    verdicts.update(
        (text, forced[text]) for text in passed if not verdicts[text] and text in forced
    )
    kind.finish(world, job, [text for text in passed if verdicts[text] is None], at)
    kind.fail(world, job, [text for text in passed if verdicts[text] is not None], at)
    settle = at + world.job_settings.get("lag") if kind.settles else None
    world.jobs.close_entries(job, verdicts, settle)
    if settle is not None and any(code is None for code in verdicts.values()):
        world.jobs.schedule(settle, "settle", job.id)
    _close(world, job, at, None)


def _close(world: World, job: Job, at: float, status: str | None) -> None:
    """Free the numbers and set the final status; None works it out from the entries."""
    world.jobs.free(job)
    failed = len(world.jobs.entries(job, "Error"))
    done = job.total - failed
    outcome = KINDS[job.kind].outcome
    word = outcome.nothing if not done else outcome.some if failed else outcome.everything
    error = codes.EXPIRED if status else None if done else codes.ALL_FAILED
    counts = {"succeeded": done, "failed": failed, "held": 0, "completed": at, "kept_from": at}
    world.jobs.update(job, status=status or word, error_code=error, **counts)


def _expire(world: World, event: Event) -> None:
    """A job held for too long (upstreams.md 9.7 F17); a job that was let go is left alone."""
    job = world.jobs.require(event.subject)
    if job.final or not job.held:
        return
    entries: list[Entry] = world.jobs.entries(job, "Pending")
    taken = [entry.telephone_number for entry in entries if entry.code is None]
    KINDS[job.kind].fail(world, job, taken, event.at)
    verdicts = {entry.telephone_number: entry.code or codes.EXPIRED for entry in entries}
    world.jobs.close_entries(job, verdicts, None)
    _close(world, job, event.at, "Expired")


def _settle(world: World, event: Event) -> None:
    job = world.jobs.require(event.subject)
    KINDS[job.kind].settle(world, job, world.jobs.take_settled(job, event.at), event.at)


HANDLERS = {
    "start": _start,
    "finish": _finish,
    "expire": _expire,
    "settle": _settle,
    "late": late.settle,
    "gone": release_requests.vanish,
}
