"""The outcome row of a number on its way: its stage, when to go on with it, and how a round is saved.

`data` of a row: `due`, when to go on, and `since`, when its stage began, in seconds since 1970; `link` of Microsoft's
operation; `already`: Graph found nobody to take the number from.
"""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.run import Run

from ..holds import now
from ..items import alive
from ..jobs import FIRST_POLL_SECONDS

# Stages of a row that is RUNNING, kept in its code.
CHECKING = "checking"  # perhaps sent: look at the number in its tenant first
FOLLOWED = "unassigning"  # Microsoft has an operation for it
SETTLING = "settling"  # unassigned in the tenant, not yet on the operator's side
CONFIRMING = "confirming"  # for so long that the tenant is asked again
FREE = "unassigned"  # held until what follows has begun

LONGEST_PAUSE_SECONDS = 1800.0
_COLUMNS = ["state", "code", "message", "data", "upstream_ids", "attempts", "updated_at"]


def at(run: Run, *stages: str) -> QuerySet[TaskItem]:
    """The task's rows in these stages, oldest first; "" are those that wait to be sent."""
    return alive(run.task).filter(code__in=stages).order_by("pk")


def due(run: Run, *stages: str) -> QuerySet[TaskItem]:
    """Those whose time has come."""
    return at(run, *stages).filter(data__due__lte=now())


def earliest(rows: QuerySet[TaskItem]) -> float | None:
    """When the first of `rows` is due; None where there is none."""
    return rows.order_by("data__due").values_list("data__due", flat=True).first()


def age(item: TaskItem) -> float:
    """Seconds in its stage."""
    return now() - float(item.data.get("since", now()))


def stage(item: TaskItem, name: str, seconds: float, message: str) -> None:
    """Go on with the row in `seconds`. Confirming is a part of settling: it does not begin anew."""
    if item.code != name and {item.code, name} != {SETTLING, CONFIRMING}:
        item.data["since"] = now()
    item.state, item.code, item.message = ItemState.RUNNING, name, message[:500]
    item.data["due"] = now() + seconds


def settling(item: TaskItem, seconds: float = 0.0) -> None:
    """The tenant shows the number as unassigned."""
    stage(item, SETTLING, seconds, _("Un-assigned; Microsoft's operator side does not show it yet."))


def settling_pause(item: TaskItem) -> float:
    """Seconds until the operator's side is looked at again: the longer it takes, the less often."""
    return max(FIRST_POLL_SECONDS, min(age(item) / 4, LONGEST_PAUSE_SECONDS))


def unsent(item: TaskItem, attempts: int) -> None:
    """Microsoft has not been asked, or has not done it: it waits to be sent."""
    item.state, item.code, item.message, item.attempts, item.data = ItemState.PENDING, "", "", attempts, {}


def fail(item: TaskItem, code: str, message: str) -> None:
    """The end of this number."""
    item.state, item.code, item.message = ItemState.FAILED, code[:64], message[:500]


def cancelled(item: TaskItem) -> None:
    """Microsoft has not done it, and it is no longer wanted."""
    item.state, item.code, item.message = ItemState.CANCELLED, "", ""


def save(run: Run, rows: list[TaskItem]) -> None:
    """Write a round of rows and count those that have ended. Inside `run.commit()`."""
    for row in rows:
        row.updated_at = timezone.now()
    TaskItem.objects.bulk_update(rows, _COLUMNS, batch_size=200)
    run.count(ItemState.FAILED, sum(row.state == ItemState.FAILED for row in rows))
    if dropped := sum(row.state == ItemState.CANCELLED for row in rows):
        run.task.result["cancelled"] = run.task.result.get("cancelled", 0) + dropped


def in_doubt(why: str) -> str:
    """The sentence for a number of which nobody can say what became of it."""
    return _("Microsoft may still carry this out; the next synchronisation tells. %(why)s") % {"why": why}
