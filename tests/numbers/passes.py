"""Running a synchronisation in a test, as the worker would, without its pauses."""

from typing import Any

from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import UpstreamJob
from ocadmin.numbers.operations import sync
from ocadmin.tasks import engine, lease
from ocadmin.tasks.models import Task, TaskState
from ocadmin.tasks.run import Run


def start(**what: Any) -> Task:
    """A new synchronisation; `what`: customers=…, numbers=…"""
    return sync.start(by=SYSTEM, channel="command", **what)


def advance(task: Task) -> Task:
    """One slice, due or not, and so are Microsoft's jobs."""
    UpstreamJob.objects.filter(task=task, poll_at__isnull=False).update(poll_at=timezone.now())
    Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
    engine.advance(task.pk)
    task.refresh_from_db()
    return task


def until(task: Task, phase: str) -> Run:
    """The task's own run, at the beginning of a phase."""
    owner = lease.new_owner()
    taken = lease.take(task.pk, owner)
    assert taken is not None
    run = Run(taken, owner)
    while run.cursor.get("phase") != phase:
        sync.Sync().step(run)
    return run


def finish(task: Task) -> Task:
    """Slices until the task has ended or asks."""
    for _ in range(200):
        _end_holds(task)
        advance(task)
        if not task.alive or task.state == TaskState.ASKING:
            return task
    raise AssertionError(f"still {task.state}: {task.step} {task.message}")


def _end_holds(task: Task) -> None:
    """Let the time pass for which somebody is left alone (numbers/operations/holds.py)."""
    if held := task.cursor.get("held"):
        for one in held.values():
            one["until"] = 0
        Task.objects.filter(pk=task.pk).update(cursor=task.cursor)


def synchronise(**what: Any) -> Task:
    """A whole pass."""
    return finish(start(**what))
