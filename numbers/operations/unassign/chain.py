"""Un-assign, then release: one action, so that no number is un-assigned and forgotten (upstreams.md §9.7, F14).

The task un-assigns. A number that nobody uses any more stays with the task, busy for everybody else, until the release
of it exists: both are saved in one transaction. Whoever dies before that goes on with it; whatever ends the task but a
person's cancelling hands over what there is.
"""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission, Role
from ocadmin.access.principal import Grant, Principal
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.monitor import NEXT_TASKS
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.remedies import Remedy
from ocadmin.tasks.run import Run

from ...assignment import UNASSIGNED
from ...models import PhoneNumber
from ..items import close_all
from ..plan import Caution, Verdict
from ..release import NUMBER_ASSIGNED, REFUSED_AS, Release
from .operation import Unassign, not_connected, rest
from .stages import FREE, at

NOT_RELEASED = "not_released"
PATIENCE_SECONDS = 20.0  # what is done is not kept longer than this for what is not
_HANDED = "handed_over"  # only inside the transaction
_RELEASE = Release()


class UnassignRelease(Unassign):
    """As Un-assign; numbers that nobody uses, and those that it has freed, are given to a release task."""

    kind = "unassign-release"
    destructive = True
    label = gettext_lazy("Un-assign, then release")
    permission = Permission.RELEASE  # the stronger of the two decides who may cancel and retry
    also = (Permission.UNASSIGN,)
    note = gettext_lazy(
        "Whoever uses a number loses it at once, then the number leaves the customer. The release is a task of its own "
        "with its own moment in which it can be withdrawn; afterwards the number stays in quarantine."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """What Release refuses, but for being assigned; and assigned numbers of tenants that we may not enter."""
        released = [verdict for verdict in _RELEASE.verdicts(params) if verdict.code != REFUSED_AS]
        closed = not_connected()
        condition = closed.condition & ~Q(assignment_status=UNASSIGNED)
        return [*released, Verdict(closed.code, closed.sentence, condition)]

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """What either of the two should be known for."""
        return [*super().cautions(params), *_RELEASE.cautions(params)]

    def claim(self, task: Task) -> None:
        """Numbers that nobody uses need no request to their tenant."""
        unused = PhoneNumber.objects.filter(assignment_status=UNASSIGNED)
        pending = TaskItem.objects.filter(task=task, state=ItemState.PENDING, key__in=unused.values("e164"))
        message = _("Nobody uses it; its release comes next.")
        pending.update(state=ItemState.RUNNING, code=FREE, message=message, updated_at=timezone.now())

    def freed(self, run: Run, keys: list[str], code: str, message: str) -> None:
        """Kept until their release exists. Inside `run.commit()`."""
        items = run.task.items.filter(key__in=keys)
        items.update(state=ItemState.RUNNING, code=FREE, message=message, updated_at=timezone.now())

    def step(self, run: Run) -> Outcome:
        """As Un-assign; whenever nothing more is to be had soon, the numbers that are free are handed over."""
        outcome = self.move(run)
        if outcome is not None:
            return outcome
        wait = rest(run)
        if (wait is None or wait.seconds > PATIENCE_SECONDS) and hand_over(run):
            return Continue()
        return wait or self.ended(run.task)

    def stop(self, run: Run) -> None:
        """Nothing more is released. Numbers that were free from the start are as before."""
        free = at(run, FREE)
        untouched = free.filter(attempts=0).update(state=ItemState.CANCELLED, code="", updated_at=timezone.now())
        run.task.result["cancelled"] += untouched
        words = _("Un-assigned, but not released, because the task was cancelled.")
        if kept := free.count():
            close_all(run, free, ItemState.SUCCEEDED, code=NOT_RELEASED, message=words)
            run.task.result[NOT_RELEASED] = run.task.result.get(NOT_RELEASED, 0) + kept

    def give_up(self, run: Run, message: str, code: str) -> None:
        """What is un-assigned is released all the same: that is what was asked for."""
        super().give_up(run, message, code)
        hand_over(run)

    def finished(self, task: Task) -> str:
        """How many were handed to which release, and what was left."""
        kept = task.result.get(NOT_RELEASED, 0)
        parts = []
        if handed := task.succeeded - kept:
            text = ngettext(
                "%(n)d number is free and is being released by task %(tasks)s.",
                "%(n)d numbers are free and are being released by task %(tasks)s.",
                handed,
            )
            parts.append(text % {"n": handed, "tasks": ", ".join(map(str, task.result[NEXT_TASKS]))})
        if kept:
            text = ngettext(
                "%(n)d was un-assigned, but not released.", "%(n)d were un-assigned, but not released.", kept
            )
            parts.append(text % {"n": kept})
        if task.failed:
            text = ngettext(
                "%(n)d was not un-assigned; it says why.", "%(n)d were not un-assigned; each says why.", task.failed
            )
            parts.append(text % {"n": task.failed})
        return " ".join(parts)


def remedy(task: Task, principal: Principal) -> Remedy | None:
    """The button on the page of a release that has ended: leads to the plan for what Microsoft refused as assigned."""
    if task.alive or not _permitted(principal):
        return None
    refused = TaskItem.objects.visible_to(principal).filter(task=task, code=NUMBER_ASSIGNED)
    if not refused.exists():
        return None
    fields = {
        "action": UnassignRelease.kind,
        "all": "1",
        "query": f"task={task.pk}&code={NUMBER_ASSIGNED}",
        "back": reverse("tasks:detail", args=[task.pk]),
    }
    return Remedy(gettext_lazy("Un-assign, then release…"), reverse("numbers:choose"), fields, "unlink")


def _permitted(principal: Principal) -> bool:
    return all(principal.can(one) for one in (UnassignRelease.permission, *UnassignRelease.also))


def hand_over(run: Run) -> bool:
    """Make a release task for all numbers that are free, and end them here, in one transaction. False: there are none.

    By the same person, who was judged for both permissions when the chain was asked for.
    """
    with run.commit():
        count = at(run, FREE).count()
        if not count or run.cancelling:
            return False
        close_all(run, at(run, FREE), ItemState.SUCCEEDED, code=_HANDED)
        handed = run.task.items.filter(state=ItemState.SUCCEEDED, code=_HANDED)
        title = ngettext("%(what)s: %(count)d number", "%(what)s: %(count)d numbers", count)
        task = _RELEASE.submit(
            PhoneNumber.objects.filter(e164__in=handed.values("key")),
            run.task.params | {"previous_task": run.task.pk},
            title=title % {"what": _RELEASE.label, "count": count},
            by=Principal(run.task.actor_name, (Grant(Role.ADMIN),), run.task.actor_id),
            channel=run.task.channel,
            ticket=run.task.ticket,
        )
        handed.update(code="", message=_("Nobody uses it any more; task %(id)d releases it.") % {"id": task.pk})
        run.task.result[NEXT_TASKS] = [*run.task.result.get(NEXT_TASKS, []), task.pk]
        run.task.step = _("Handed over to the release")
    return True
