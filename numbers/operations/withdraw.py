"""Withdraw a release that was requested by mistake, as long as it has not left for Microsoft (upstreams.md §9.4).

It is done in the transaction that makes the task, with the rows of the release tasks locked. A slice of a release
takes the same lock before it writes down what it is about to send: whatever is withdrawn here was never sent, and what
such a slice has written down first is refused here.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks.engine import nudge
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Finished
from ocadmin.tasks.remedies import Remedy
from ocadmin.tasks.run import Run

from .. import history, lifecycle
from ..lifecycle import Cause, Status
from ..models import PhoneNumber
from .base import NumberOperation
from .plan import Verdict
from .release import WITHDRAWN, Release, count_withdrawn, uncounted

AT_MICROSOFT = "at_microsoft"

_UNSENT = Q(task__kind=Release.kind, state__in=sorted(ITEM_ALIVE), job_ref=None)
_sent = gettext_lazy(
    "The release is at Microsoft already and cannot be called back; after it is released you may upload it to the same "
    "customer again."
)


class Withdraw(NumberOperation):
    """The numbers stay with the customer as if nothing had been asked."""

    kind = "withdraw"
    label = gettext_lazy("Withdraw release")
    permission = Permission.RELEASE
    note = gettext_lazy("The numbers become active again. What has been sent to Microsoft cannot be called back.")
    begins = ItemState.SUCCEEDED

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Only what waits to be sent."""
        not_requested = gettext_lazy("No release of this number has been requested.")
        unsent = TaskItem.objects.filter(_UNSENT, key=OuterRef("e164"))
        return [
            Verdict("not_requested", not_requested, ~Q(status=Status.RELEASE_REQUESTED)),
            Verdict(AT_MICROSOFT, _sent, ~Q(Exists(unsent))),
        ]

    def occupied(self) -> list[Verdict]:
        """It is their own release that holds these numbers."""
        return []

    def claim(self, task: Task) -> None:
        """End the release of these numbers and make them active again; those that were just sent are refused."""
        chosen = TaskItem.objects.filter(task=task, state=ItemState.SUCCEEDED)
        releases = _end(task, chosen)
        numbers = PhoneNumber.objects.filter(e164__in=chosen.values("key"))
        lifecycle.move(numbers, Status.RELEASE_REQUESTED, Status.ACTIVE, Cause.WITHDRAW)
        history.entries_of_items(
            "release.withdrawn",
            task,
            chosen,
            before={"status": Status.RELEASE_REQUESTED.name},
            after={"status": Status.ACTIVE.name},
            message=task.params.get("comment", "")[:500],
        )
        for release in releases:
            _tell(release)

    def step(self, run: Run) -> Finished:
        """Everything was done when the task was made; this says so."""
        n = run.task.succeeded
        if not n:
            return Finished(TaskState.FAILED, _("No release was withdrawn: Microsoft had got them all in this moment."))
        words = ngettext(
            "%(n)d release withdrawn, the number is active again.",
            "%(n)d releases withdrawn, the numbers are active again.",
            n,
        )
        return Finished(TaskState.SUCCEEDED, words % {"n": n})

    def cancel(self, run: Run) -> Finished:
        """There is nothing left that could be stopped."""
        return self.step(run)


def remedy(task: Task, principal: Principal) -> Remedy | None:
    """The button on the page of a release: leads to the plan for all its numbers that are still under way."""
    scope = principal.scope(Permission.RELEASE)
    unsent = TaskItem.objects.filter(_UNSENT, task=task)
    if not scope.everything:
        unsent = unsent.filter(Q(customer_ref__in=scope.customers) | Q(channel_ref__in=scope.channels))
    if not task.alive or scope.empty or not unsent.exists():
        return None
    back = reverse("tasks:detail", args=[task.pk])
    fields = {"action": Withdraw.kind, "all": "1", "query": f"task={task.pk}", "back": back}
    return Remedy(gettext_lazy("Withdraw release…"), reverse("numbers:choose"), fields)


def _end(task: Task, chosen: QuerySet[TaskItem]) -> list[Task]:
    """Take the chosen numbers out of their release tasks, which are returned, locked."""
    unsent = TaskItem.objects.filter(_UNSENT, key__in=chosen.values("key"))
    releases = list(Task.objects.select_for_update().filter(pk__in=unsent.values("task")).order_by("pk"))
    now = timezone.now()  # taken under the locks: together with them it tells what ends here from what ended before
    unsent.filter(task__in=releases).update(
        state=ItemState.CANCELLED,
        code=WITHDRAWN,
        message=_("Withdrawn by %(who)s before it was sent to Microsoft.") % {"who": task.actor_name},
        updated_at=now,
    )
    ended = TaskItem.objects.filter(task__in=releases, state=ItemState.CANCELLED, code=WITHDRAWN, updated_at=now)
    chosen.exclude(key__in=ended.values("key")).update(
        state=ItemState.REFUSED, code=AT_MICROSOFT, message=str(_sent), updated_at=now
    )
    return releases


def _tell(release: Task) -> None:
    """Count what was withdrawn; a release that has nothing left to do goes on at once, to end."""
    count_withdrawn(release, uncounted(release))
    if not release.items.filter(state__in=sorted(ITEM_ALIVE)).exists():
        release.next_run_at = timezone.now()
        nudge(release.pk)
    release.save(update_fields=["result", "done", "next_run_at"])
