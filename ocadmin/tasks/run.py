"""One slice of a task: the time it may take, and the transaction in which it saves what it did."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from .lease import LEASE
from .models import ItemState, Task, TaskItem, TaskState

SLICE_SECONDS = 5.0
SQLITE_PAUSE_SECONDS = 0.03  # lets web writers in between two chunks (libraries.md: stall 5 s without, 0.4 s with)

_COUNTERS = {
    ItemState.SUCCEEDED: "succeeded",
    ItemState.UNCHANGED: "unchanged",
    ItemState.REFUSED: "refused",
    ItemState.FAILED: "failed",
}


class LeaseLost(Exception):
    """Somebody else holds the task by now; whatever this slice was about to save must not be saved."""


class Run:
    """What an operation's step works with. `cursor` and the counters are saved together with the step's effects."""

    def __init__(self, task: Task, owner: str) -> None:
        self.task = task
        self.owner = owner
        self.cursor: dict[str, Any] = dict(task.cursor)
        self.cancelling = task.state == TaskState.CANCELLING
        self._ends = time.monotonic() + SLICE_SECONDS

    @property
    def over(self) -> bool:
        """Whether the slice has used its time, or somebody wants the task cancelled."""
        return self.cancelling or time.monotonic() >= self._ends

    @contextmanager
    def commit(self) -> Iterator[None]:
        """One short transaction: the effects of the block, the cursor and the counters, or none of them.

        The task's row is locked first and checked to be ours still; raises LeaseLost where it is not.
        """
        with transaction.atomic():
            ours = Task.objects.select_for_update().filter(pk=self.task.pk, lease_owner=self.owner)
            state = ours.values_list("state", flat=True).first()
            if state is None:
                raise LeaseLost
            self.cancelling = state == TaskState.CANCELLING
            yield
            self._save()
        if connection.vendor == "sqlite":
            time.sleep(SQLITE_PAUSE_SECONDS)

    def count(self, state: ItemState, number: int) -> None:
        """Add `number` outcomes to the task's counters."""
        if number:
            name = _COUNTERS[state]
            setattr(self.task, name, getattr(self.task, name) + number)
            self.task.done += number

    def outcomes(self, items: Iterable[TaskItem]) -> None:
        """Write outcome rows (unsaved TaskItems of this task) and count them. Call inside `commit()`."""
        rows = list(items)
        TaskItem.objects.bulk_create(
            rows,
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["task", "key"],
            update_fields=["state", "code", "message", "data", "updated_at"],
        )
        for state in _COUNTERS:
            self.count(state, sum(row.state == state for row in rows))

    def _save(self) -> None:
        now = timezone.now()
        task = self.task
        task.attempts = 0
        Task.objects.filter(pk=task.pk).update(
            cursor=self.cursor,
            step=task.step,
            result=task.result,
            total=task.total,
            done=task.done,
            succeeded=task.succeeded,
            unchanged=task.unchanged,
            refused=task.refused,
            failed=task.failed,
            attempts=0,
            losses=0,
            message="",
            error_code="",
            heartbeat_at=now,
            lease_until=now + LEASE,
        )
