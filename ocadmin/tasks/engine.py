"""The engine: take a task, run one slice of its operation, give it back.

The database is the truth. A Celery message carries a task's id and nothing else; losing all of them loses nothing,
because `nudge_due` finds every task whose time has come. A slice may be run twice: what it saves is fenced by the
lease (run.py), so that only the present holder's effects are kept.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from . import lease, registry
from .models import ITEM_ALIVE, ItemState, Task, TaskState
from .outcomes import Ask, Continue, Finished, Outcome, TaskFailed, TryLater, Wait
from .pauses import growing
from .run import LeaseLost, Run

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
MAX_INVITED_ATTEMPTS = 100  # of pauses whose length the other side has named: it is alive, only busy
LONGEST_PAUSE_SECONDS = 300.0


def nudge(task_id: int, seconds: float = 0) -> None:
    """Tell a worker to look at a task, after the transaction and `seconds`. A nudge that is lost does no harm."""
    from .celery_tasks import send_nudge

    transaction.on_commit(lambda: send_nudge(task_id, seconds))


def advance(task_id: int) -> Task | None:
    """Run one slice. Returns the task afterwards; None when it was not due or somebody else holds it."""
    owner = lease.new_owner()
    task = lease.take(task_id, owner)
    if task is None:
        return None
    run = Run(task, owner)
    try:
        outcome = _outcome(run)
    except LeaseLost:
        logger.warning("the lease of task %s was lost; its slice was not saved", task_id)
        return None
    _give_back(run, outcome)
    return Task.objects.get(pk=task_id)


def _outcome(run: Run) -> Outcome:
    """What the slice answered; an error becomes a pause or the end of the task. Raises LeaseLost."""
    task = run.task
    try:
        return _slice(run)
    except LeaseLost:
        raise
    except TryLater as later:
        return _pause(run, later)
    except TaskFailed as failure:
        return _failure(run, failure.message, failure.code)
    except Exception:
        logger.exception("task %s failed unexpectedly", task.uid)
        reference = _("An unexpected error stopped this task. Give this reference to support: %(uid)s.") % {
            "uid": task.uid
        }
        return _pause(run, TryLater(reference, "unexpected"))


def _slice(run: Run) -> Outcome:
    """Steps of the operation until the slice is over or the operation has something to say."""
    task = run.task
    try:
        operation = registry.get(task.kind)
    except registry.UnknownOperation:
        raise TaskFailed(
            _("This version knows no task of the kind %(kind)s.") % {"kind": task.kind}, "unknown_kind"
        ) from None
    if task.losses > MAX_ATTEMPTS:
        raise TaskFailed(_("The worker died %(n)d times at the same place.") % {"n": task.losses}, "worker_lost")
    if run.cancelling:
        return operation.cancel(run)
    outcome = operation.step(run)
    while isinstance(outcome, Continue) and not run.over:
        outcome = operation.step(run)
    return outcome


def _pause(run: Run, later: TryLater) -> Outcome:
    """Wait and try again, or fail when it has been tried often enough."""
    task = run.task
    attempts = task.attempts + 1
    if attempts >= (MAX_ATTEMPTS if later.seconds is None else MAX_INVITED_ATTEMPTS):
        return _failure(run, later.message, later.code)
    seconds = later.seconds if later.seconds is not None else growing(attempts, LONGEST_PAUSE_SECONDS)
    task.attempts, task.error_code = attempts, later.code
    return Wait(seconds, later.message)


def _failure(run: Run, message: str, code: str) -> Finished:
    """The end of the task, after its operation has put right what it had begun."""
    task = run.task
    try:
        registry.get(task.kind).give_up(run, message, code)
    except (LeaseLost, registry.UnknownOperation) as error:
        if isinstance(error, LeaseLost):
            raise
    except Exception:
        # The task ends all the same: what is left open is freed below and told by the next synchronisation.
        logger.exception("task %s could not put right what it had begun", task.uid)
    task.error_code = code
    return Finished(TaskState.FAILED, message, task.result)


def _give_back(run: Run, outcome: Outcome) -> None:
    """Save how the slice ended. A request to cancel that came meanwhile is kept."""
    now = timezone.now()
    task = run.task
    changes: dict = {"lease_owner": "", "lease_until": None, "heartbeat_at": now}
    match outcome:
        case Continue():
            changes |= {"state": _unless_cancelling(TaskState.RUNNING), "next_run_at": now}
        case Wait(seconds, why):
            changes |= {
                "state": _unless_cancelling(TaskState.WAITING),
                "next_run_at": now + timedelta(seconds=seconds),
                "message": why,
                "error_code": task.error_code,
                "attempts": task.attempts,
            }
        case Ask(text, choices, code):
            changes |= {
                "state": _unless_cancelling(TaskState.ASKING),
                "message": text,
                "error_code": code,
                "question": {"text": text, "choices": choices},
            }
        case Finished(state, message, result):
            changes |= {
                "state": state,
                "message": message,
                "error_code": task.error_code if state == TaskState.FAILED else "",
                "result": result or task.result,
                "finished_at": now,
            }
    with transaction.atomic():
        kept = Task.objects.filter(pk=task.pk, lease_owner=run.owner).update(**changes)
        if kept and isinstance(outcome, Finished):
            _free_numbers(task, outcome)
        if kept and not isinstance(outcome, Finished):
            if task.state != TaskState.CANCELLING and _to_be_cancelled(task, now):
                nudge(task.pk)
            elif not isinstance(outcome, Ask):
                nudge(task.pk, outcome.seconds if isinstance(outcome, Wait) else 0)


def _to_be_cancelled(task: Task, now: datetime) -> bool:
    """Whether a request to cancel came during the slice: it is met now, whatever the slice wanted to wait for."""
    return bool(Task.objects.filter(pk=task.pk, state=TaskState.CANCELLING).update(next_run_at=now))


def _free_numbers(task: Task, end: Finished) -> None:
    """A task that has ended holds no number: whatever its operation has left open is closed with the task's words."""
    cancelled = end.state == TaskState.CANCELLED
    left = task.items.filter(state__in=sorted(ITEM_ALIVE)).update(
        state=ItemState.CANCELLED if cancelled else ItemState.FAILED,
        code="" if cancelled else task.error_code or "not_done",
        message=end.message[:500],
        updated_at=timezone.now(),
    )
    if left and not cancelled:
        Task.objects.filter(pk=task.pk).update(failed=F("failed") + left, done=F("done") + left)


def _unless_cancelling(state: TaskState) -> Case:
    return Case(When(state=TaskState.CANCELLING, then=Value(TaskState.CANCELLING)), default=Value(state))


def nudge_due() -> int:
    """Nudge every task whose time has come, the ones of dead workers included. Returns how many."""
    lease.free_the_dead()
    due = list(Task.objects.due().values_list("pk", flat=True))
    for pk in due:
        nudge(pk)
    return len(due)
