"""What Microsoft has, kept for the drift report: after a pass only the rows that differ are written.

A pass over everything counts once its list was whole; one over some customers or some numbers renews their part. The
moment that is told is that of the last pass over everything: what happened since is not judged (operations/drift). What
customers on hold have is kept like the rest: the report only reads it.
"""

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from ocadmin.tasks.models import Task
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ...models import MicrosoftNumber, MicrosoftReading, StagedNumber
from . import scope

CHUNK = 50_000


def step(run: Run) -> Outcome:
    """Keep the next part of what was read; after the last one the moment."""
    task = run.task
    low = run.cursor.get("kept_to", "")
    high = _end_of(task, low) if _whole(run) else None
    with run.commit():
        if _whole(run):
            _forget(task, low, high)
            _write(task, low, high)
            run.task.step = _("Keeping what Microsoft has")
        if high is not None:
            run.cursor["kept_to"] = high
            return Continue()
        if run.cursor.get("whole") and scope.limited_to(task) is None:
            MicrosoftReading.objects.update_or_create(pk=1, defaults={"began_at": scope.began(task)})
        run.cursor["phase"] = "finish"
    return Continue()


def _whole(run: Run) -> bool:
    """Whether the pass has read all that it is about. One over named numbers always has."""
    return bool(run.cursor.get("whole")) or "numbers" in run.task.params


def _end_of(task: Task, low: str) -> str | None:
    """Where the next part of the staged numbers ends; None: it is the last one."""
    following = StagedNumber.objects.filter(task=task, e164__gt=low).order_by("e164")
    return following.values_list("e164", flat=True)[CHUNK : CHUNK + 1].first()


def _within(rows: QuerySet[MicrosoftNumber], task: Task) -> QuerySet[MicrosoftNumber]:
    """Those that the pass is about."""
    customers = scope.limited_to(task)
    if "numbers" in task.params:
        return rows.filter(e164__in=task.params["numbers"])
    return rows if customers is None else rows.filter(customer_id__in=customers)


def _forget(task: Task, low: str, high: str | None) -> None:
    """Numbers that Microsoft no longer lists."""
    listed = StagedNumber.objects.filter(task=task, e164=OuterRef("e164"))
    place = Q(e164__gt=low) if high is None else Q(e164__gt=low, e164__lte=high)
    _within(MicrosoftNumber.objects.filter(place), task).filter(~Exists(listed)).delete()


def _write(task: Task, low: str, high: str | None) -> None:
    """Numbers that are new or differ, by one statement: a list that says the same again costs a join."""
    kept, staged = MicrosoftNumber._meta.db_table, StagedNumber._meta.db_table
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    up_to, values = ("", []) if high is None else ("AND s.e164 <= %s", [high])
    sql = f"""
        INSERT INTO {kept} (e164, customer_id, upstream_status, unreadable)
        SELECT s.e164, s.customer_id, s.upstream_status, s.problem <> '' FROM {staged} s
        LEFT JOIN {kept} k ON k.e164 = s.e164
        WHERE s.task_id = %s AND s.e164 > %s {up_to} AND (
            k.e164 IS NULL OR k.customer_id <> s.customer_id OR k.unreadable <> (s.problem <> '')
            OR k.upstream_status {distinct} s.upstream_status
        )
        ON CONFLICT (e164) DO UPDATE SET customer_id = excluded.customer_id,
            upstream_status = excluded.upstream_status, unreadable = excluded.unreadable
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [task.pk, low, *values])
