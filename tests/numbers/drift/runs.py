"""Running a comparison or a repair in a test, as the worker would, and reading what it says."""

from typing import Any

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.numbers.models import DriftFinding, DriftRun
from ocadmin.numbers.operations import drift
from ocadmin.numbers.operations.drift.repair import Repair
from ocadmin.tasks.models import Task
from tests.numbers import passes

Found = set[tuple[str, str, int | None]]


def compare(channel: str = Channel.WEB) -> Task:
    """A whole comparison."""
    return passes.finish(drift.start(by=SYSTEM, channel=channel))


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
