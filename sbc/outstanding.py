"""Rules that a device does not have as we want them, and the task that brings them there, or saves them to flash.

Removed is only what is not wanted any more; what an upload wants may be written by this task a moment earlier.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.tasks import services as tasks
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed, Wait
from ocadmin.tasks.run import Run

from . import services
from .errors import SBCError, pause
from .models import OUTSTANDING, SBC, DialPlanRule, State, WriteStrategy
from .push import outstanding_of, rules_of

KIND = "sbc-push"
CHUNK = 5000  # rules of one push: each reads the whole plan twice
KEY_LENGTH = TaskItem._meta.get_field("key").max_length or 16
AGAIN_AFTER = timedelta(minutes=30)  # the schedule leaves alone so long what has failed for good


@dataclass(frozen=True, slots=True)
class Todo:
    """How many rules are to be written and removed; `save`: what we wrote is not in flash yet."""

    write: int
    remove: int
    save: bool

    def __bool__(self) -> bool:
        return bool(self.write or self.remove or self.save)


def key_of(sbc: SBC) -> str:
    """What makes the task for an SBC unique."""
    return f"{KIND}:{sbc.pk}"


def todo(sbc: SBC) -> Todo:
    """What is outstanding now, rules that have drifted included."""
    return todos([sbc])[sbc.pk]


def todos(sbcs: Collection[SBC]) -> dict[int, Todo]:
    """The same for each SBC (id). One query."""
    rules = DialPlanRule.objects.filter(OUTSTANDING, sbc__in=sbcs, dial_plan=F("sbc__dial_plan")).order_by()
    write, remove = Count("pk", filter=Q(wanted=True)), Count("pk", filter=Q(wanted=False))
    counts = {pk: (w, r) for pk, w, r in rules.values_list("sbc_id").annotate(w=write, r=remove)}
    return {sbc.pk: Todo(*counts.get(sbc.pk, (0, 0)), save=sbc.save_pending) for sbc in sbcs}


def start(sbc: SBC, *, by: Principal, channel: str, save: bool = False, drifted: bool = True) -> Task:
    """Start the task for an SBC. `save`: only save its configuration, also where nothing of ours is unsaved.

    `drifted`: write also what was right and was changed on the device since. A person may have meant that change.
    Raises AlreadyRunning: one such task per SBC is alive at a time.
    """
    title = _("Save the configuration of %(sbc)s") if save else _("Write outstanding rules to %(sbc)s")
    params: dict[str, Any] = {"sbc": sbc.pk, "save": save, "drifted": drifted}
    return tasks.start(KIND, title=title % {"sbc": sbc}, by=by, channel=channel, params=params, unique_key=key_of(sbc))


def start_due() -> int:
    """What the schedule does: a task for each reachable SBC with something outstanding. Returns how many were started.

    Not for one whose last task has failed a while ago: that waits for a person, or for AGAIN_AFTER. Nor for one that is
    written by hand: its page says what waits there. Rules that have drifted are left to people (the drift report).
    """
    due = DialPlanRule.objects.filter(OUTSTANDING, drifted=False, sbc=OuterRef("pk"), dial_plan=OuterRef("dial_plan"))
    behind = Q(save_pending=True) | Exists(due)
    lately = timezone.now() - AGAIN_AFTER
    failed = Task.objects.filter(kind=KIND, state=TaskState.FAILED, finished_at__gt=lately)
    held = set(failed.values_list("unique_key", flat=True))
    started = 0
    ready = SBC.objects.reachable().exclude(state=State.HA_SYNC).exclude(write_strategy=WriteStrategy.MANUAL)
    for sbc in ready.filter(behind):
        if key_of(sbc) in held:
            continue
        try:
            start(sbc, by=SYSTEM, channel=Channel.SCHEDULE, drifted=False)
            started += 1
        except tasks.AlreadyRunning:
            continue
    return started


class PushOutstanding:
    """The operation of such a task: some rules at a time, then the flash."""

    kind = KIND
    label = gettext_lazy("Write outstanding SBC rules")
    permission = Permission.PUSH_SBC

    def step(self, run: Run) -> Outcome:
        """Push the next rules. Waits for a device that is away; ends where waiting is no use."""
        sbc = SBC.objects.filter(pk=run.task.params["sbc"]).first()
        if sbc is None:
            raise TaskFailed(_("The SBC was deleted."), "sbc_gone")
        only_save, rules = run.task.params["save"], outstanding_of(sbc)
        if not run.task.params["drifted"]:
            rules = rules.filter(drifted=False)
        some = [] if only_save else list(rules.order_by("prefix").values_list("prefix", "wanted")[:CHUNK])
        if not some and not sbc.save_pending and (run.cursor.get("saved") or not only_save):
            return _finished(run.task)
        try:
            services.push(sbc, [prefix for prefix, _wanted in some])
        except SBCError as error:
            if not error.retryable:
                raise TaskFailed(error.message, error.code) from error
            return _wait(run, error)
        with run.commit():
            run.cursor |= {"saved": True, "tries": 0}
            _tell(run, sbc, some)
            run.task.total = run.task.done + (0 if only_save else rules.count())
        return Continue()

    def cancel(self, run: Run) -> Finished:
        """What is written stays; the rest is outstanding as before."""
        words = _("%(n)d rules were written or removed before the task was stopped; the rest stays outstanding.")
        return Finished(TaskState.CANCELLED, words % {"n": run.task.succeeded}, run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Nothing to put right: what is outstanding stands in the database."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The same again."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """It finds its rules by itself."""
        return []

    def retried(self, task: Task) -> None:
        """Nothing to take."""


def _wait(run: Run, error: SBCError) -> Wait:
    """As long as the device has named, else longer with every try."""
    with run.commit():
        tries = run.cursor["tries"] = run.cursor.get("tries", 0) + 1
    return Wait(pause([error.retry_after], tries), _("Waiting for the SBC. %(why)s") % {"why": error.message})


def _tell(run: Run, sbc: SBC, some: Iterable[tuple[str, bool]]) -> None:
    """An outcome for each number whose rule is right now; what somebody changed meanwhile is left for the next step."""
    prefixes = [prefix for prefix, _wanted in some]
    left = set(rules_of(sbc, prefixes).filter(OUTSTANDING).values_list("prefix", flat=True))
    words = {
        True: _("Its rule is on %(sbc)s.") % {"sbc": sbc},
        False: _("Its rule is off %(sbc)s.") % {"sbc": sbc},
    }
    run.outcomes(
        TaskItem(task=run.task, key=prefix, state=ItemState.SUCCEEDED, message=words[wanted])
        for prefix, wanted in some
        if prefix not in left and len(prefix) <= KEY_LENGTH
    )


def _finished(task: Task) -> Finished:
    if task.params["save"]:
        return Finished(TaskState.SUCCEEDED, _("The configuration is saved."), task.result)
    words = ngettext("%(n)d rule was written or removed", "%(n)d rules were written or removed", task.succeeded)
    text = _("%(what)s, and the configuration is saved.") % {"what": words % {"n": task.succeeded}}
    return Finished(TaskState.SUCCEEDED, text, task.result)
