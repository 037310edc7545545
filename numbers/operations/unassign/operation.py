"""Un-assign numbers: what is left alone and why, and the order in which the rest goes (live-platform.md §3.7)."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.outcomes import Finished, Outcome, Wait
from ocadmin.tasks.run import Run

from ...assignment import UNASSIGNED, Assignment
from ...choices import unknown_words
from ...models import ConnectionState
from .. import holds, standing
from ..base import NumberOperation
from ..holds import now
from ..items import UNKNOWN, close, close_all
from ..plan import Caution, Verdict
from . import in_tenant, operator_side
from .stages import CHECKING, CONFIRMING, FOLLOWED, SETTLING, at, earliest, in_doubt

_LOST: list[tuple[str, Q, str | Promise]] = [
    (
        "conference",
        Q(assignment_status=Assignment.CONFERENCE),
        gettext_lazy(
            "These belong to an audio conferencing bridge: nobody can dial in with them any more. Microsoft keeps a "
            "bridge's default number until the customer has chosen another."
        ),
    ),
    (
        "voice_app",
        Q(assignment_status=Assignment.VOICE_APP),
        gettext_lazy("These belong to an auto attendant or a call queue: calls to it end."),
    ),
    (
        "third_party_app",
        Q(assignment_status=Assignment.THIRD_PARTY),
        gettext_lazy("These belong to an application of another maker: calls to it end."),
    ),
    (
        "policy",
        Q(assignment_status=Assignment.POLICY),
        gettext_lazy("These belong to a calling policy: whoever calls out under it loses the number."),
    ),
    (
        "other_assignment",
        unknown_words(),
        gettext_lazy("These are assigned in a way that this console does not know. Microsoft has the last word."),
    ),
]


class Unassign(NumberOperation):
    """Graph in the customer's tenant, one number a request; done when the operator's side shows it too."""

    kind = "unassign"
    label = gettext_lazy("Un-assign")
    permission = Permission.UNASSIGN
    destructive = True
    note = gettext_lazy(
        "Whoever uses a number loses it at once: calls to it end. The customer keeps the number and may assign it anew."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Only active numbers that somebody uses, of customers whose tenant we may enter."""
        already = gettext_lazy("Nobody uses it.")
        unknown = gettext_lazy("It is not known whether somebody uses this number. Synchronise it first.")
        return [
            Verdict("already_unassigned", already, Q(assignment_status=UNASSIGNED), ItemState.UNCHANGED),
            *standing.only_active(),
            Verdict("assignment_unknown", unknown, Q(assignment_status__isnull=True)),
            not_connected(),
        ]

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """What ends with the assignment, and customers of whom nobody knows whether we may act there."""
        unchecked = gettext_lazy(
            "Nobody has checked yet whether we may act in this customer's tenant. It is tried; where we may not, "
            "the numbers stay as they are and say what to do."
        )
        condition = Q(customer__connection=ConnectionState.UNKNOWN) & ~Q(assignment_status=UNASSIGNED)
        lost = [Caution(code, sentence, condition) for code, condition, sentence in _LOST]
        return [*lost, Caution("connection_unknown", unchecked, condition)]

    def freed(self, run: Run, keys: list[str], code: str, message: str) -> None:
        """Nobody uses these numbers any more. Inside `run.commit()`."""
        close(run, keys, ItemState.SUCCEEDED, code=code, message=message)
        if code == operator_side.NOT_SEEN:
            run.task.result[code] = run.task.result.get(code, 0) + len(keys)

    def finished(self, task: Task) -> str:
        """How many were un-assigned, and what was left."""
        text = ngettext("%(n)d number un-assigned.", "%(n)d numbers un-assigned.", task.succeeded)
        text %= {"n": task.succeeded}
        if task.failed:
            left = ngettext("%(n)d was not; it says why.", "%(n)d were not; each says why.", task.failed)
            text += " " + left % {"n": task.failed}
        if late := task.result.get(operator_side.NOT_SEEN):
            text += " " + _("Microsoft's operator side does not show %(n)d of them yet.") % {"n": late}
        return text

    def step(self, run: Run) -> Outcome:
        """The next of: look at what is in doubt, follow, see what the operator's side shows, send; else wait or end."""
        return self.move(run) or rest(run) or self.ended(run.task)

    def move(self, run: Run) -> Outcome | None:
        """The next piece of work; None where nothing is due now."""
        return (
            in_tenant.look(run) or in_tenant.follow(run) or operator_side.settle(run, self.freed) or in_tenant.send(run)
        )

    def cancel(self, run: Run) -> Outcome:
        """Let go of what has not been sent; what Microsoft is doing already is followed to its end."""
        with run.commit():
            dropped = at(run, "").update(state=ItemState.CANCELLED, updated_at=timezone.now())
            run.task.result["cancelled"] = run.task.result.get("cancelled", 0) + dropped
            self.free_settling(run)
            self.stop(run)
        outcome = self.step(run)
        if not isinstance(outcome, Finished):
            return outcome
        dropped = run.task.result["cancelled"]
        left = ngettext(
            "Cancelled: %(n)d number was not sent to Microsoft and is as before.",
            "Cancelled: %(n)d numbers were not sent to Microsoft and are as before.",
            dropped,
        )
        return Finished(TaskState.CANCELLED, f"{outcome.message} {left % {'n': dropped}}".strip(), run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """What was not sent is as before; what was sent may still happen, and the next synchronisation will tell."""
        with run.commit():
            self.free_settling(run)
            close_all(run, at(run, ""), ItemState.FAILED, code=code, message=message)
            sent = at(run, CHECKING, FOLLOWED)
            close_all(run, sent, ItemState.FAILED, code=UNKNOWN, message=in_doubt(message))

    def free_settling(self, run: Run) -> None:
        """What is done in the tenant is done, whatever the operator's side shows. Inside `run.commit()`."""
        operator_side.free(run, list(at(run, SETTLING, CONFIRMING)), self.freed, seen=False)

    def stop(self, run: Run) -> None:
        """The task was cancelled: what becomes of numbers that are done but held. Inside `run.commit()`."""

    def ended(self, task: Task) -> Finished:
        """The last word."""
        state = TaskState.SUCCEEDED
        if task.failed:
            state = TaskState.PARTIAL if task.succeeded else TaskState.FAILED
        return Finished(state, self.finished(task), task.result)


def not_connected() -> Verdict:
    """Numbers of customers whose tenant we may not enter, with what to do instead."""
    return Verdict(
        in_tenant.NOT_CONNECTED,
        in_tenant.not_connected_sentence(),
        Q(customer__connection=ConnectionState.NOT_CONNECTED),
    )


def rest(run: Run) -> Wait | None:
    """How long nothing is due, and why; None where nothing is left to do."""
    waiting: list[tuple[float, str]] = []
    held = holds.held_customers(run)
    if moment := earliest(at(run, CHECKING, CONFIRMING, FOLLOWED).exclude(customer_ref__in=held)):
        waiting.append((moment, _("Microsoft is un-assigning the numbers.")))
    if moment := earliest(at(run, SETTLING)):
        until, why = holds.until(run, holds.OPERATOR)
        patience = _("Un-assigned; Microsoft's operator side does not show it yet.")
        waiting.append((until, why) if until > moment else (moment, patience))
    at_tenants = at(run, "", CHECKING, CONFIRMING, FOLLOWED)
    theirs = at_tenants.filter(customer_ref__in=held).order_by().values_list("customer_ref", flat=True).distinct()
    waiting += [holds.until(run, str(pk)) for pk in theirs]
    if at(run, "").exclude(customer_ref__in=held).exists():
        waiting.append((now(), ""))  # their pause has ended while this was looked at
    if not waiting:
        return None
    moment, why = min(waiting)
    return Wait(max(moment - now(), 0.0), why)
