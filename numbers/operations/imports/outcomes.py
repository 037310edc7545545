"""Outcome rows of a task for rows of a file, in one statement."""

from typing import Any

from django.db.models import F, QuerySet, Value
from django.utils import timezone

from ocadmin.tasks.models import ItemState, Task, TaskItem

from ... import setwise
from ...models import ImportRow


def write(
    task: Task, rows: QuerySet[ImportRow], state: ItemState, *, code: str = "", message: str = "", data: Any = None
) -> int:
    """One for each of `rows`, but for numbers that the rules of the database do not let in (setwise.insert).

    `data`: an expression over the rows, None for nothing. Returns how many there are.
    """
    return setwise.insert(
        TaskItem,
        rows,
        ignore_conflicts=True,
        order="e164",
        task_id=task.pk,
        key=F("e164"),
        customer_ref=F("customer_ref"),
        channel_ref=F("channel_ref"),
        state=state.value,
        code=code,
        message=Value(message[:500]),
        data={} if data is None else data,
        upstream_ids={},
        attempts=0,
        updated_at=timezone.now(),
    )
