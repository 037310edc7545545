"""What cancelling, retrying and answering a task would do."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from ocadmin.access.principal import Principal

from . import monitor, services
from .models import ITEM_ALIVE, ItemState, Task, TaskItem, TaskItemQuerySet
from .plans import Plan, group_of, sample_of

_UNDER_WAY = gettext_lazy("Work on these has begun: it is followed to its end.")
_DONE = gettext_lazy("Done already: their outcomes stand.")
_TAKEN = gettext_lazy("Another task is at work on these.")


def of_rest(task: Task, by: Principal) -> Plan:
    """What is left of a task, which a request to cancel would stop and an answer would let go on.

    Of the numbers that `by` may see. A task that finds its numbers by itself has none before it has found them.
    """
    items = monitor.visible_items(task, by)
    pending = items.filter(state=ItemState.PENDING)
    groups = [
        group_of("under_way", str(_UNDER_WAY), ItemState.UNCHANGED, _names(items.filter(state=ItemState.RUNNING))),
        group_of("done", str(_DONE), ItemState.UNCHANGED, _names(items.exclude(state__in=sorted(ITEM_ALIVE)))),
    ]
    return Plan(pending.count(), sample_of(_names(pending)), [group for group in groups if group.count])


def of_failed(task: Task) -> Plan:
    """The failed numbers of a task, not looked at any further."""
    failed = task.items.filter(state=ItemState.FAILED)
    return Plan(failed.count(), sample_of(_names(failed)), [])


def of_retry(task: Task, *, by: Principal, channel: str) -> Plan:
    """What services.retry_failed would do: it is done, looked at, and taken back. Raises what that raises.

    So the numbers are judged by the very code that a retry is judged by, whatever the operation.
    """
    with transaction.atomic():
        fresh = services.retry_failed(task, by=by, channel=channel)
        plan = _of_items(task, fresh)
        transaction.set_rollback(True)
    return plan


def _of_items(task: Task, fresh: Task) -> Plan:
    """What became of the failed numbers in the task that was made for them."""
    failed = task.items.filter(state=ItemState.FAILED)
    elsewhere = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE)).exclude(task=fresh)
    taken = failed.filter(key__in=elsewhere.values("key"))
    items = fresh.items.all()
    left = items.exclude(state__in=sorted(ITEM_ALIVE))
    kinds = left.order_by("code").values_list("code", "message", "state").distinct()
    groups = [
        group_of(code, message, state, _names(left.filter(code=code, message=message, state=state)))
        for code, message, state in kinds
    ]
    groups += [group_of("busy", str(_TAKEN), ItemState.REFUSED, _names(taken))]
    # An operation that finds its numbers by itself has no items yet.
    will = items.filter(state__in=sorted(ITEM_ALIVE)) if items.exists() else failed.exclude(pk__in=taken.values("pk"))
    return Plan(will.count(), sample_of(_names(will)), [group for group in groups if group.count])


def _names(items: TaskItemQuerySet) -> QuerySet[TaskItem, str]:
    return items.order_by("pk").values_list("key", flat=True)
