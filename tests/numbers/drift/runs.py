"""Running a comparison or a repair in a test, as the worker would, and reading what it says."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.numbers.models import Customer, DriftFinding, DriftRun, MicrosoftNumber, MicrosoftReading, PhoneNumber
from ocadmin.numbers.operations import drift
from ocadmin.numbers.operations.drift.repair import Repair
from ocadmin.tasks.models import Task
from ocadmin.tasks.services import AlreadyRunning
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, World

TAG = "trunk1.emea.example"
Found = set[tuple[str, str, int | None]]


def compare(channel: str = Channel.WEB) -> Task:
    """A whole comparison: the one that is under way, or a new one."""
    try:
        return passes.finish(drift.start(by=SYSTEM, channel=channel))
    except AlreadyRunning as running:
        return passes.finish(running.task)


def found(**which: Any) -> Found:
    """The findings of the report: number, kind, SBC."""
    rows = DriftFinding.objects.current().filter(**which)
    return set(rows.values_list("e164", "kind", "sbc_id"))


def report() -> DriftRun:
    """The report that people see."""
    return DriftRun.objects.current().get()


def submit(by: Principal = SYSTEM, params: dict[str, Any] | None = None, **which: Any) -> Task:
    """A repair of the findings that match."""
    findings = DriftFinding.objects.current().filter(**which)
    return Repair().submit(findings, params or {}, title="Repair", by=by, channel=Channel.WEB)


def repair(**which: Any) -> Task:
    """A repair to its end."""
    return passes.finish(submit(**which))


def microsoft(numbers: Iterable[PhoneNumber], *, customer: Customer | None = None, status: int = 0) -> None:
    """Let Microsoft's list, read an hour ago, hold these numbers too."""
    MicrosoftReading.objects.get_or_create(pk=1, defaults={"began_at": timezone.now() - timedelta(hours=1)})
    for number in numbers:
        owner = customer or number.customer
        values = {"customer": owner, "upstream_status": status}
        MicrosoftNumber.objects.update_or_create(e164=number.e164, defaults=values)


def settled(world: World, count: int = 1, **fields: Any) -> list[PhoneNumber]:
    """Numbers that have been here for long, at Microsoft and on the SBC."""
    numbers = world.numbers(count, **fields)
    PhoneNumber.objects.update(status_changed_at=timezone.now() - timedelta(days=9))
    microsoft(numbers)
    return numbers


def device(world: World, **change: Any) -> Any:
    """What happens to the SBC behind our back."""
    return world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", change)


def rule(e164: str, tag: str = TAG, name: str = "Harbourline") -> dict[str, str]:
    """A rule as the sandbox takes it."""
    return {"prefix": e164, "tag": tag, "name": name}


def rules(world: World) -> dict[str, str]:
    """Prefix to tag on the device, as saved to its flash."""
    return {one["prefix"]: one["tag"] for one in world.sandbox.call("GET", f"/sbc/{EMEA_SLUG}")["saved"]}
