"""The items of a running task: which are still open, and how they end."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.run import Run

from ..models import Customer, UpstreamJob

CHUNK = 1000
UNKNOWN = "unknown_outcome"  # Microsoft may have done it; the next synchronisation tells


def alive(task: Task) -> QuerySet[TaskItem]:
    """Items that have no outcome yet."""
    return TaskItem.objects.filter(task=task, state__in=(ItemState.PENDING, ItemState.RUNNING))


def pending(task: Task) -> QuerySet[TaskItem]:
    """Items that nothing has been begun for, in order."""
    return TaskItem.objects.filter(task=task, state=ItemState.PENDING).order_by("pk")


def at_work(task: Task) -> str:
    """How many numbers Microsoft has at the moment, for people."""
    n = alive(task).exclude(job_ref=None).count()
    return ngettext("Microsoft is working on %(n)d number.", "Microsoft is working on %(n)d numbers.", n) % {"n": n}


def customer_of(item: TaskItem) -> Customer:
    """Whose number it is."""
    assert item.customer_ref is not None  # noqa: S101 - a row about one of our numbers has its customer
    return Customer.objects.get(pk=item.customer_ref)


def close(
    run: Run,
    keys: Sequence[str],
    state: ItemState,
    *,
    code: str = "",
    message: str = "",
    job: UpstreamJob | None = None,
) -> None:
    """End the items of `keys` with one outcome and count them. Inside `run.commit()`."""
    for start in range(0, len(keys), CHUNK):
        rows = alive(run.task).filter(key__among=keys[start : start + CHUNK])
        close_all(run, rows, state, code=code, message=message, job=job)


def close_all(
    run: Run,
    items: QuerySet[TaskItem],
    state: ItemState,
    *,
    code: str = "",
    message: str = "",
    job: UpstreamJob | None = None,
) -> None:
    """The same for a set of open items, in one statement."""
    more = {"upstream_ids": {"ms_job_id": str(job.ms_job_id)}} if job is not None and job.ms_job_id else {}
    closed = items.update(state=state, code=code[:64], message=message[:500], updated_at=timezone.now(), **more)
    run.count(state, closed)
