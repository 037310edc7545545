"""What people and programs do with tasks: start, cancel, answer, retry."""

import time
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.audit import record
from ocadmin.access.principal import Principal

from . import registry
from .engine import advance, nudge
from .models import ItemState, Task, TaskItem, TaskQuerySet, TaskState

QUICK_SECONDS = 0.5
PAUSE_SECONDS = 0.03
FINISH_SECONDS = 20.0


class AlreadyRunning(Exception):
    """A living task holds the same unique key. `task` is that one."""

    def __init__(self, task: Task) -> None:
        super().__init__(_("This is already running as task %(id)d.") % {"id": task.pk})
        self.task = task


class NothingToRetry(Exception):
    """No number of the task has failed."""


def start(
    kind: str, *, title: str, by: Principal, channel: str, items: list[TaskItem] | None = None, **fields: Any
) -> Task:
    """Create a task with its items and nudge a worker. `fields` are columns of Task (params, unique_key, ticket…).

    Raises AlreadyRunning where `unique_key` is taken, registry.UnknownOperation for an unknown kind.
    """
    registry.get(kind)
    task = Task(kind=kind, title=title, actor_id=by.user_id, actor_name=by.name, channel=channel, **fields)
    try:
        with transaction.atomic():
            task.save(force_insert=True)
            for item in items or []:
                item.task = task
            TaskItem.objects.bulk_create(items or [], batch_size=1000)
            _audit("task.start", task, by, channel, after={"kind": kind, "params": task.params})
            nudge(task.pk)
    except IntegrityError:
        running = already_running(task.unique_key)
        if running is None:
            raise
        raise running from None
    return task


def already_running(unique_key: str) -> AlreadyRunning | None:
    """What `start` would raise for this key now; None where nothing holds it."""
    holder = Task.objects.alive().filter(unique_key=unique_key).first() if unique_key else None
    return AlreadyRunning(holder) if holder is not None else None


def wait(task: Task) -> Task:
    """The task as soon as it has ended or asks, at the latest after QUICK_SECONDS: quick work feels synchronous.

    Call outside any transaction.
    """
    until = time.monotonic() + QUICK_SECONDS
    while task.alive and task.state != TaskState.ASKING and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
        task.refresh_from_db()
    return task


def finish(task: Task) -> Task:
    """Go on with a task here and now, beside the workers, for callers who are told what has happened, not what will.

    Returns it as soon as it has ended, asks or has to wait for somebody; else after FINISH_SECONDS, and whatever is
    left then is done by the workers. Call outside any transaction.
    """
    until = time.monotonic() + FINISH_SECONDS
    while task.state in (TaskState.QUEUED, TaskState.RUNNING) and time.monotonic() < until:
        if advance(task.pk) is None:  # a worker has it
            time.sleep(PAUSE_SECONDS)
        task.refresh_from_db()
    return task


def cancel(tasks: TaskQuerySet, *, by: Principal, channel: str) -> int:
    """Ask the living ones of `tasks` to stop after their present chunk. Returns how many were asked."""
    with transaction.atomic():
        rows = list(tasks.alive().exclude(state=TaskState.CANCELLING).select_for_update())
        Task.objects.filter(pk__in=[task.pk for task in rows]).alive().update(
            state=TaskState.CANCELLING, next_run_at=timezone.now(), question={}
        )
        for task in rows:
            _audit("task.cancel", task, by, channel)
            nudge(task.pk)
    return len(rows)


def wake(tasks: TaskQuerySet) -> int:
    """Let the waiting ones of `tasks` go on now: what they wait for may have come. Returns how many."""
    waiting = list(tasks.filter(state=TaskState.WAITING).values_list("pk", flat=True).distinct())
    Task.objects.filter(pk__in=waiting, state=TaskState.WAITING).update(next_run_at=timezone.now())
    for pk in waiting:
        nudge(pk)
    return len(waiting)


def answer(task: Task, choice: str, *, by: Principal, channel: str) -> bool:
    """Answer the question of a task. False when it no longer asks; ValueError where `choice` is none of its choices."""
    with transaction.atomic():
        fresh = Task.objects.select_for_update().get(pk=task.pk)
        if fresh.state != TaskState.ASKING:
            return False
        if choice not in fresh.question.get("choices", {}):
            raise ValueError(choice)
        Task.objects.filter(pk=task.pk).update(
            state=TaskState.QUEUED, cursor=fresh.cursor | {"answer": choice}, question={}, next_run_at=timezone.now()
        )
        _audit("task.answer", fresh, by, channel, before={"question": fresh.question["text"]}, after={"answer": choice})
        nudge(task.pk)
    return True


def retry_failed(task: Task, *, by: Principal, channel: str) -> Task:
    """A new task for the failed numbers of a finished one. Raises NothingToRetry, AlreadyRunning."""
    failed = task.items.filter(state=ItemState.FAILED).values_list("key", flat=True).order_by("pk")
    keys = list(failed)
    if not keys:
        raise NothingToRetry
    operation = registry.get(task.kind)
    items = operation.retry_items(task, keys)
    with transaction.atomic():
        retry = start(
            task.kind,
            items=items,
            total=len(items) or None,
            title=_("%(title)s, failed numbers again")
            % {"title": task.title.removesuffix(_(", failed numbers again"))},
            by=by,
            channel=channel,
            params=operation.retry_params(task, keys),
            retry_of=task,
            ticket=task.ticket,
            customer_ref=task.customer_ref,
            channel_ref=task.channel_ref,
        )
        operation.retried(retry)
    return retry


def _audit(action: str, task: Task, by: Principal, channel: str, **fields: Any) -> None:
    record(
        action,
        by=by,
        channel=channel,
        object_type="task",
        object_id=str(task.pk),
        label=task.title,
        customer_ref=task.customer_ref,
        channel_ref=task.channel_ref,
        task_ref=task.pk,
        ticket=task.ticket,
        **fields,
    )
