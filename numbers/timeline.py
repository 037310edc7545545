"""Everything that happened to one number, across its lives: one timeline from the audit trail and from what failed.

An outcome of a task stands here only where no entry of that task has said the same.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import Principal
from ocadmin.console.paging import Page
from ocadmin.tasks import registry
from ocadmin.tasks.models import ItemState, TaskItem

from . import on_one, undo, wording
from .history import OBJECT_TYPE
from .lifecycle import Status
from .models import PhoneNumber, UpstreamJob
from .undo import Undo

ROWS = 25
_ENTRY, _OUTCOME = 0, 1
_TOLD_OF = (ItemState.FAILED, ItemState.REFUSED)


@dataclass
class Line:
    """One thing that happened. `why_not` says why it cannot be undone; empty where `undo` is set, or for an outcome."""

    at: datetime.datetime
    title: str
    by: str
    through: str
    message: str
    ticket: str
    task: int | None
    code: str = ""
    tone: str = ""
    ms_job_id: str = ""
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)
    undo: Undo | None = None
    why_not: str = ""


def read(e164: str, number: PhoneNumber | None, principal: Principal, page: int) -> Page:
    """One page of Lines, the newest first, as far as the principal may see them. `number`: the row of today, if any."""
    found = _order(e164, principal, (page - 1) * ROWS)
    more, found = len(found) > ROWS, found[:ROWS]
    entries = _by_pk(_entries(e164, principal), [pk for _at, kind, pk in found if kind == _ENTRY])
    outcomes = _outcomes(e164, principal, found, entries.values())
    names = wording.names_of((record for one in entries.values() for record in (one.before, one.after)), principal)
    undoing = _Undoing(e164, number, principal, entries.values())
    rows = []
    for _at, kind, pk in found:
        if kind == _OUTCOME and pk in outcomes:
            rows.append(_of_outcome(outcomes[pk]))
        elif kind == _ENTRY and pk in entries:
            rows.append(_of_entry(entries[pk], outcomes.values(), names))
            rows[-1].undo, rows[-1].why_not = undoing.of(entries[pk])
    start = (page - 1) * ROWS
    return Page(page, ROWS, start + len(rows) + more, more, more, rows)


def exists(e164: str, principal: Principal) -> bool:
    """Whether the trail tells the principal anything of such a number."""
    return _entries(e164, principal).exists()


def _entries(e164: str, principal: Principal) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.visible_to(principal).filter(object_type=OBJECT_TYPE, object_id=e164)


def _items(e164: str, principal: Principal) -> QuerySet[TaskItem]:
    return TaskItem.objects.visible_to(principal).filter(key=e164)


def _order(e164: str, principal: Principal, start: int) -> list[tuple[datetime.datetime, int, int]]:
    """Time, kind and id of the page's lines and of one more, from both tables in one query."""
    told = AuditEntry.objects.filter(
        object_type=OBJECT_TYPE, object_id=e164, task_ref=OuterRef("task_id"), message=OuterRef("message")
    )
    failed = _items(e164, principal).filter(state__in=_TOLD_OF).filter(Q(message="") | ~Exists(told))
    parts = [
        rows.order_by().annotate(when=F(time), sort=Value(kind, IntegerField()), row=F("pk"))
        for rows, time, kind in ((_entries(e164, principal), "at", _ENTRY), (failed, "updated_at", _OUTCOME))
    ]
    first, second = (rows.values_list("when", "sort", "row") for rows in parts)
    return list(first.union(second, all=True).order_by("-when", "-sort", "-row")[start : start + ROWS + 1])


def _by_pk(rows: QuerySet[AuditEntry], keys: Sequence[int]) -> dict[int, AuditEntry]:
    return {row.pk: row for row in rows.filter(pk__in=keys)} if keys else {}


def _outcomes(
    e164: str, principal: Principal, found: Sequence[tuple[Any, int, int]], entries: Iterable[AuditEntry]
) -> dict[int, TaskItem]:
    """The items of the page's outcomes, and those of the tasks of its entries, which know Microsoft's job."""
    shown = [pk for _at, kind, pk in found if kind == _OUTCOME]
    tasks = {entry.task_ref for entry in entries if entry.task_ref is not None}
    if not shown and not tasks:
        return {}
    job = UpstreamJob.objects.filter(pk=OuterRef("job_ref")).values("ms_job_id")[:1]
    items = _items(e164, principal).filter(Q(pk__in=shown) | Q(task__in=tasks)).annotate(ms_job=Subquery(job))
    items = items.select_related("task").defer("task__params", "task__cursor", "task__result", "task__question")
    return {item.pk: item for item in items}


def _of_outcome(item: TaskItem) -> Line:
    task = item.task
    words = {"what": registry.kinds().get(task.kind, task.kind), "outcome": item.get_state_display().lower()}
    return Line(
        at=item.updated_at,
        title=_("%(what)s: %(outcome)s") % words,
        by=task.actor_name,
        through=task.get_channel_display(),
        message=item.message,
        ticket=task.ticket,
        task=task.pk,
        code=item.code,
        tone="red" if item.state == ItemState.FAILED else "amber",
        ms_job_id=_ms_job(item),
    )


def _of_entry(entry: AuditEntry, items: Iterable[TaskItem], names: wording.Names) -> Line:
    item = next((item for item in items if item.task_id == entry.task_ref), None)
    return Line(
        at=entry.at,
        title=entry.title,
        by=entry.actor_name,
        through=entry.get_channel_display(),
        message=entry.message,
        ticket=entry.ticket,
        task=entry.task_ref,
        ms_job_id=_ms_job(item) if item is not None else "",
        changes=wording.changes(entry.before, entry.after, names),
    )


def _ms_job(item: Any) -> str:
    """Microsoft's job about the number: as its outcome keeps it, else of the job that it was sent with."""
    return str(item.upstream_ids.get("ms_job_id") or item.ms_job or "")


class _Undoing:
    """Which of a page's entries can be undone. Only the newest change of a kind: what lies below it is covered."""

    def __init__(
        self, e164: str, number: PhoneNumber | None, principal: Principal, entries: Iterable[AuditEntry]
    ) -> None:
        undos = {entry.action: found for entry in entries if (found := undo.of(entry)) is not None}
        self.number = number
        self.newest: dict[str, int] = {}
        self.reasons: dict[str, str] = {}
        if number is None or not undos:
            return
        life = _entries(e164, principal).filter(customer_ref=number.customer_id, at__gte=number.when_created)
        newest = life.filter(action__in=undos).order_by().values_list("action").annotate(Max("pk"))
        self.newest = dict(newest)
        self.reasons = on_one.why_not(number, principal, {undos[action].kind for action in self.newest})

    def of(self, entry: AuditEntry) -> tuple[Undo | None, str]:
        """The undo of an entry, or why there is none."""
        found = undo.of(entry)
        if found is None:
            return None, undo.why_not(entry)
        if self.number is None:
            return None, _("The number has left, and its settings with it.")
        if self.newest.get(entry.action) != entry.pk:
            return None, _("Only the newest change of a kind can be undone, and something newer has happened since.")
        if entry.action == "release.requested" and self.number.status != Status.RELEASE_REQUESTED:
            return None, _("This release is not under way any more.")
        if not undo.still(entry, self.number):
            return None, _("It has changed again since.")
        reason = self.reasons[found.kind]
        return (None, reason) if reason else (found, "")
