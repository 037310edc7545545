"""The operation `drift-repair`: put right what the drift report found on SBCs, as far as a machine may.

Whose a number is, and what Microsoft has, it never changes. What is to be done is judged anew by the table right before
(table.py): a rule that belongs to somebody by now is not removed. What was put right leaves the report at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Finished, Outcome
from ocadmin.tasks.run import Run

from ...models import DriftFinding, Kind
from ...models.drift_finding import DriftFindingQuerySet
from ..base import BUSY, NumberOperation, add_up
from ..items import alive, close_all
from ..plan import WILL, Stranger, Verdict
from . import mending

ADOPT, LEAVE = "adopt", "leave"
BATCH = 1000


class Repair(NumberOperation):
    """Works on findings, several of which may be of the same number; its items are numbers."""

    kind = "drift-repair"
    label = gettext_lazy("Repair")
    permission = Permission.PUSH_SBC
    destructive = True
    note = gettext_lazy(
        "Rules that are missing are written, wrong ones are corrected, and rules that nobody needs are removed. Every "
        "number is judged once more right before. Microsoft's side is never changed."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """What is left alone: everything that is not a rule of ours on an SBC (upstreams.md §8)."""
        conflict = gettext_lazy(
            "Two customers have this number. Who may keep it is for people to settle; nothing is repaired by itself."
        )
        resurrected = gettext_lazy(
            "It is released and rests, but Microsoft has it. Find out who uses it: nothing is repaired by itself."
        )
        lost = gettext_lazy(
            "Microsoft does not have it. Synchronise: it is found again or marked for removal. Uploading it anew, or "
            "approving its removal, ends this."
        )
        elsewhere = gettext_lazy("Microsoft has it and we do not. Synchronise: it then arrives here, with no source.")
        leave = gettext_lazy(
            "It came from elsewhere, so its rules are left alone. Choose to take such numbers over to keep their rules."
        )
        unknown = gettext_lazy("What Microsoft has is not known. Synchronise before rules are removed.")
        nobody = Q(kind=Kind.ACQUIRED_ELSEWHERE) | Q(kind=Kind.UNMANAGED, in_database=False)
        verdicts = [
            Verdict("ownership_conflict", conflict, Q(kind=Kind.OWNERSHIP_CONFLICT)),
            Verdict("resurrected", resurrected, Q(kind=Kind.RESURRECTED)),
            Verdict("not_at_microsoft", lost, Q(kind__in=(Kind.LOST_AT_MICROSOFT, Kind.GHOST))),
            Verdict("acquired_elsewhere", elsewhere, nobody),
            Verdict("microsoft_unknown", unknown, Q(kind=Kind.ORPHAN_RULE, at_microsoft=None)),
        ]
        if params.get("unmanaged") != ADOPT:
            verdicts.append(Verdict("left_alone", leave, Q(kind=Kind.UNMANAGED), ItemState.UNCHANGED))
        return verdicts

    def submit(
        self,
        numbers: QuerySet[Any],
        params: dict[str, Any],
        *,
        title: str,
        by: Principal,
        channel: str,
        ticket: str = "",
        strangers: Sequence[Stranger] = (),
    ) -> Task:
        """Make a task with one item for each number; its data are the findings that will be repaired."""
        with transaction.atomic():
            task = services.start(self.kind, title=title, by=by, channel=channel, params=params, ticket=ticket)
            for batch in _batches(self._items(task, self.judged(numbers, params, by), params, by)):
                TaskItem.objects.bulk_create(batch, ignore_conflicts=True)
                keys = [item.key for item in batch]
                there = set(task.items.filter(key__in=keys).values_list("key", flat=True))
                taken = [item for item in batch if item.key not in there]
                for item in taken:
                    item.state, item.code, item.message = BUSY.state, BUSY.code, str(BUSY.sentence)
                TaskItem.objects.bulk_create(taken)
            add_up(task)
        return task

    def _items(self, task: Task, judged: QuerySet[Any], params: dict[str, Any], by: Principal) -> Iterator[TaskItem]:
        """One for each number: pending where something will be repaired, else with the first verdict."""
        verdicts = {verdict.code: verdict for verdict in self._all(params, by)}
        columns = ("e164", "verdict", "kind", "sbc_id", "customer_id", "customer__channel_id")
        rows = judged.order_by("e164", "-severity", "pk").values_list(*columns)
        for e164, group in groupby(rows.iterator(chunk_size=2000), key=lambda row: row[0]):
            findings = list(group)
            will = [[row[2], row[3]] for row in findings if row[1] == WILL]
            item = TaskItem(task=task, key=e164, customer_ref=findings[0][4], channel_ref=findings[0][5])
            if will:
                item.data = {"findings": will}
            else:
                verdict = verdicts[findings[0][1]]
                item.state, item.code, item.message = verdict.state, verdict.code, str(verdict.sentence)[:500]
            yield item

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The failed numbers with what was to be done for them."""
        data = dict(task.items.filter(key__in=keys).values_list("key", "data"))
        items = super().retry_items(task, keys)
        for item in items:
            item.data = data[item.key]
        return items

    def retried(self, task: Task) -> None:
        """Judged anew anyway, number by number."""
        add_up(task)

    def step(self, run: Run) -> Outcome:
        """The next numbers; at the end of a round a pause where an SBC has to be waited for."""
        return mending.step(run) or _finished(run.task)

    def cancel(self, run: Run) -> Finished:
        """What is not repaired stays in the report."""
        with run.commit():
            alive(run.task).update(state=ItemState.CANCELLED, code="")
        done = run.task.succeeded
        text = ngettext("Stopped: %(n)d number was repaired.", "Stopped: %(n)d numbers were repaired.", done)
        return Finished(TaskState.CANCELLED, text % {"n": done}, run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """What is open has failed; it stays in the report."""
        with run.commit():
            close_all(run, alive(run.task), ItemState.FAILED, code=code, message=message)


def _finished(task: Task) -> Finished:
    text = ngettext("%(n)d number repaired.", "%(n)d numbers repaired.", task.succeeded) % {"n": task.succeeded}
    return Finished(TaskState.PARTIAL if task.failed else TaskState.SUCCEEDED, text, task.result)


def _batches(items: Iterable[TaskItem]) -> Iterator[list[TaskItem]]:
    batch: list[TaskItem] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def by_keys(keys: Iterable[str]) -> DriftFindingQuerySet:
    """The findings of the report that these keys name (`key_of`); a new report has them under the same keys."""
    wanted = Q(pk__in=[])
    for key in keys:
        e164, kind, sbc = (*key.split(" "), "", "")[:3]
        place = Q(sbc_id=int(sbc)) if sbc.isascii() and sbc.isdigit() and len(sbc) < 19 else Q(sbc=None)
        wanted |= Q(e164=e164, kind=kind) & place
    return DriftFinding.objects.current().filter(wanted)


def key_of(finding: DriftFinding) -> str:
    """What names a finding from one report to the next."""
    return f"{finding.e164} {finding.kind} {finding.sbc_id or ''}".strip()
