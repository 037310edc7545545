"""The customer has deleted a number: approve that (2 → 3), or clear the mark (2 → 0). live-platform.md §3.9, §4.2."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome
from ocadmin.tasks.run import Run

from .. import lifecycle
from ..history import author, number_entry
from ..lifecycle import Cause, Status
from ..models import PhoneNumber
from .base import NumberOperation, Verdict

CHUNK = 1000
_MARKED = Status.MARKED_FOR_REMOVAL


class _Decision(NumberOperation):
    """Moves marked numbers; nothing is asked of Microsoft, which has deleted them already."""

    permission = Permission.APPROVE_REMOVAL
    target: Status
    cause: Cause
    already: str | Promise

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Only marked numbers are decided upon."""
        not_marked = gettext_lazy("This number is not marked for removal.")
        return [
            Verdict("already", self.already, Q(status=self.target), ItemState.UNCHANGED),
            Verdict("not_marked", not_marked, ~Q(status=_MARKED)),
        ]

    def step(self, run: Run) -> Outcome:
        """Decide the next thousand."""
        with run.commit():
            pending = TaskItem.objects.filter(task=run.task, state=ItemState.PENDING).order_by("pk")
            keys = list(pending.values_list("key", flat=True)[:CHUNK])
            if keys:
                self._decide(run, keys)
        return Continue() if keys else _finished(run.task)

    def cancel(self, run: Run) -> Finished:
        """What is decided stays decided."""
        with run.commit():
            pending = TaskItem.objects.filter(task=run.task, state=ItemState.PENDING)
            left = pending.update(state=ItemState.CANCELLED, updated_at=timezone.now())
        done = _("%(done)d numbers were decided before the task was stopped, %(left)d were not touched.")
        return Finished(TaskState.CANCELLED, done % {"done": run.task.succeeded, "left": left}, run.task.result)

    def _decide(self, run: Run, keys: list[str]) -> None:
        """Move those that are still marked; the others changed since the plan, and say so."""
        reason = run.task.params.get("comment", "")
        marked = PhoneNumber.objects.select_for_update(of=("self",)).select_related("customer")
        numbers = list(marked.filter(e164__in=keys, status=_MARKED))
        rows = PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers])
        lifecycle.move(rows, _MARKED, self.target, self.cause, reason=reason)
        moved = [number.e164 for number in numbers]
        now = timezone.now()
        items = TaskItem.objects.filter(task=run.task, key__in=keys)
        items.filter(key__in=moved).update(state=ItemState.SUCCEEDED, updated_at=now)
        late = items.exclude(key__in=moved).update(
            state=ItemState.FAILED,
            code="changed_meanwhile",
            message=_("The number changed after the plan was shown; nothing was done."),
            updated_at=now,
        )
        AuditEntry.objects.bulk_create(self._entry(run.task, number, reason) for number in numbers)
        run.count(ItemState.SUCCEEDED, len(moved))
        run.count(ItemState.FAILED, late)

    def _entry(self, task: Task, number: PhoneNumber, reason: str) -> AuditEntry:
        return number_entry(
            f"removal.{self.cause.value}",
            number.e164,
            by=author(task),
            channel=task.channel,
            customer_id=number.customer_id,
            channel_id=number.customer.channel_id,
            before={"status": _MARKED.name},
            after={"status": self.target.name},
            task_ref=task.pk,
            ticket=task.ticket,
            message=reason[:500],
        )


class ApproveRemoval(_Decision):
    """The removal is right: the number leaves as soon as its routing is gone."""

    kind = "approve-removal"
    label = gettext_lazy("Approve removal")
    target = Status.READY_FOR_REMOVAL
    cause = Cause.APPROVE
    already = gettext_lazy("The removal of this number is approved already.")


class ClearRemoval(_Decision):
    """The removal was a mistake: the number is active again, until Microsoft says otherwise."""

    kind = "clear-removal"
    label = gettext_lazy("Clear removal mark")
    target = Status.ACTIVE
    cause = Cause.CLEAR
    already = gettext_lazy("This number is active; there is no mark to clear.")
    note = gettext_lazy(
        "The next synchronisation marks a number again when Microsoft still does not have it, or when the customer "
        "still asks to remove it."
    )


def _finished(task: Task) -> Finished:
    text = ngettext("%(done)d number decided.", "%(done)d numbers decided.", task.succeeded) % {"done": task.succeeded}
    if task.failed:
        text += " " + _("%(n)d had changed meanwhile and were left alone.") % {"n": task.failed}
    state = TaskState.PARTIAL if task.failed else TaskState.SUCCEEDED  # what was refused stood in the plan
    return Finished(state, text, {"decided": task.succeeded})
