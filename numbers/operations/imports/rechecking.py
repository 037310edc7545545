"""What has changed between the preview of a file and its import."""

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.tasks.models import ITEM_ALIVE, ItemState, TaskItem
from ocadmin.tasks.outcomes import TaskFailed
from ocadmin.tasks.run import Run

from ...models import ImportRow, NumberImport, PhoneNumber, RowOutcome
from . import outcomes

NOTHING_DONE = gettext_lazy(
    "Numbers of this file have changed since it was checked, or another operation has taken them. Nothing was done, as "
    "you asked for all or nothing. Check the file again."
)


def changes(batch: NumberImport) -> int:
    """How many changes the rows ask for: a number may need several."""
    going = batch.rows.filter(outcome__in=(RowOutcome.NEW, RowOutcome.CHANGED))
    parts = {part: Count("pk", filter=Q(wish__has_key=part)) for part in ("relocate", "capabilities", "annotate")}
    return sum(going.aggregate(new=Count("pk", filter=Q(outcome=RowOutcome.NEW)), **parts).values())


def stale(batch: NumberImport) -> QuerySet[ImportRow]:
    """Rows whose preview is no longer true: new numbers that are here by now, numbers changed or gone, busy ones."""
    here = PhoneNumber.objects.filter(e164=OuterRef("e164"))
    same = here.filter(modified_at__lte=batch.checked_at, customer_id=OuterRef("customer_ref"))
    busy = TaskItem.objects.filter(key=OuterRef("e164"), state__in=sorted(ITEM_ALIVE))
    asks = Q(outcome=RowOutcome.NEW) | Q(wish__has_key="relocate") | Q(wish__has_key="capabilities")
    going = batch.rows.filter(outcome__in=(RowOutcome.NEW, RowOutcome.CHANGED))
    return going.filter(
        Q(Exists(here), outcome=RowOutcome.NEW)
        | Q(~Exists(same), outcome=RowOutcome.CHANGED)
        | (asks & Q(Exists(busy)))
    )


def recheck(run: Run, batch: NumberImport) -> None:
    """Leave such rows out, each with an outcome that says so; with "all or nothing" the task fails instead."""
    with run.commit():
        rows = stale(batch)
        if run.task.params["whole"] and rows.exists():
            raise TaskFailed(str(NOTHING_DONE), "changed_meanwhile")
        words = _("The number changed after the preview, or another operation has taken it; nothing was done.")
        left = outcomes.write(run.task, rows, ItemState.REFUSED, code="changed_meanwhile", message=words)
        left_out = run.task.items.filter(state=ItemState.REFUSED).values("key")
        batch.rows.filter(e164__in=left_out).update(outcome=RowOutcome.REFUSED)
        run.count(ItemState.REFUSED, left)
        run.task.total = changes(batch) + left
        run.cursor["rechecked"] = True
