"""The customer has deleted a number: approve that (2 → 3), or clear the mark (2 → 0). live-platform.md §3.9, §4.2.

Where Microsoft waits for the decision it is told first: should anything stop between the two, the number is decided
upon once more and finds that Microsoft knows already.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import SYSTEM
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome
from ocadmin.tasks.run import Run

from .. import history, lifecycle
from ..lifecycle import Cause, Status
from ..microsoft.errors import MicrosoftError
from ..microsoft.operator_connect import OperatorConnect
from ..models import PhoneNumber
from . import clean_up, failures, hindrances, release_requests
from .base import NumberOperation
from .hindrances import Doing
from .items import close, pending
from .plan import Caution, Verdict

CHUNK = 1000
_MARKED = Status.MARKED_FOR_REMOVAL


class _Decision(NumberOperation):
    """Moves marked numbers, and tells Microsoft where it asks (release_requests.py)."""

    permission = Permission.APPROVE_REMOVAL
    target: Status
    cause: Cause
    already: str | Promise
    decision: str

    def fields(self) -> dict[str, Any]:
        """Columns that are set together with the status."""
        return {}

    def follow_up(self, task: Task) -> None:
        """What begins when some numbers were moved, in the transaction that moves them."""

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Only marked numbers are decided upon."""
        not_marked = gettext_lazy("This number is not marked for removal.")
        return [
            Verdict("already", self.already, Q(status=self.target), ItemState.UNCHANGED),
            Verdict("not_marked", not_marked, ~Q(status=_MARKED)),
        ]

    def step(self, run: Run) -> Outcome:
        """Decide a thousand at a time for as long as the slice lasts; what Microsoft waits for is read once."""
        keys = _next(run)
        if not keys:
            return _finished(run.task)
        comment = run.task.params.get("comment", "")
        try:
            client = OperatorConnect(run.task.uid)
            requests = release_requests.open_requests(client)
            while keys:
                marked = PhoneNumber.objects.filter(e164__in=keys, status=_MARKED).select_related("customer")
                otherwise = release_requests.tell(client, requests, marked, self.decision, comment)
                with run.commit():
                    self._decide(run, keys, otherwise)
                if run.over:
                    break
                keys = _next(run)
        except MicrosoftError as error:
            raise failures.of_task(error) from error
        return Continue()

    def cancel(self, run: Run) -> Finished:
        """What is decided stays decided."""
        with run.commit():
            left = pending(run.task).update(state=ItemState.CANCELLED, updated_at=timezone.now())
        done = _("%(done)d numbers were decided before the task was stopped, %(left)d were not touched.")
        return Finished(TaskState.CANCELLED, done % {"done": run.task.succeeded, "left": left}, run.task.result)

    def _decide(self, run: Run, keys: list[str], otherwise: Collection[str]) -> None:
        """Move those that are still marked and not decided `otherwise` at Microsoft; each of the rest says why."""
        reason = run.task.params.get("comment", "")
        marked = PhoneNumber.objects.filter(e164__in=keys, status=_MARKED).exclude(e164__in=otherwise)
        moved = list(marked.select_for_update().values_list("e164", flat=True))
        rows = PhoneNumber.objects.filter(e164__in=moved)
        lifecycle.move(rows, _MARKED, self.target, self.cause, reason=reason, **self.fields())
        history.entries_of_items(
            f"removal.{self.cause.value}",
            run.task,
            run.task.items.filter(key__in=moved),
            before={"status": _MARKED.name},
            after={"status": self.target.name},
            message=reason[:500],
        )
        close(run, moved, ItemState.SUCCEEDED)
        message = _(
            "Microsoft no longer waits for this decision: the customer has taken the request back, or it was decided "
            "otherwise there. Nothing was done. Synchronise, then decide again."
        )
        close(run, sorted(otherwise), ItemState.FAILED, code="decided_otherwise", message=message)
        late = sorted({*keys} - {*moved} - {*otherwise})
        message = _("The number changed after the plan was shown; nothing was done.")
        close(run, late, ItemState.FAILED, code="changed_meanwhile", message=message)
        if moved:
            self.follow_up(run.task)


class ApproveRemoval(_Decision):
    """The removal is right: the number leaves as soon as Microsoft and the SBCs no longer have it (clean_up.py)."""

    kind = "approve-removal"
    label = gettext_lazy("Approve removal")
    target = Status.READY_FOR_REMOVAL
    cause = Cause.APPROVE
    decision = release_requests.APPROVE
    already = gettext_lazy("The removal of this number is approved already.")
    destructive = True
    note = gettext_lazy("An approval cannot be taken back: the number leaves as soon as Microsoft no longer has it.")

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """SBCs whose rules cannot be taken off now."""
        return hindrances.cautions(Doing.REMOVING)

    def follow_up(self, task: Task) -> None:
        """The clean-up."""
        clean_up.start(by=SYSTEM, channel=Channel.SCHEDULE)


class ClearRemoval(_Decision):
    """The removal was a mistake: the number is active again, and stays it until Microsoft has had it anew."""

    kind = "clear-removal"
    label = gettext_lazy("Clear removal mark")
    target = Status.ACTIVE
    cause = Cause.CLEAR
    decision = release_requests.HOLD
    already = gettext_lazy("This number is active; there is no mark to clear.")
    note = gettext_lazy(
        "The numbers stay, also where Microsoft still does not have them or the customer still asks to remove them: "
        "a synchronisation marks them again only after Microsoft has listed them as active in between."
    )

    def fields(self) -> dict[str, Any]:
        """The decision is remembered: a synchronisation respects it (sync/compare.py, sync/reading.py)."""
        return {"removal_cleared_at": timezone.now()}


def _next(run: Run) -> list[str]:
    return list(pending(run.task).values_list("key", flat=True)[:CHUNK])


def _finished(task: Task) -> Finished:
    text = ngettext("%(done)d number decided.", "%(done)d numbers decided.", task.succeeded) % {"done": task.succeeded}
    if task.failed:
        text += " " + _("%(n)d had changed meanwhile and were left alone.") % {"n": task.failed}
    state = TaskState.PARTIAL if task.failed else TaskState.SUCCEEDED  # what was refused stood in the plan
    return Finished(state, text, {"decided": task.succeeded})
