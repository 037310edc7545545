"""Operations that Microsoft carries out in jobs: open some, send each once, follow them, take over how they end.

A job's row is written before its request leaves, with our correlation id. Whatever happens to the answer, the next
slice finds the row, asks Microsoft for a job with that mark, and sends again only where there is none: a number is
never asked about twice. upstreams.md §9.3, §9.4; the wait between polls is the one Microsoft names.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed, TryLater, Wait
from ocadmin.tasks.pauses import growing
from ocadmin.tasks.run import Run

from ..microsoft.errors import MicrosoftError, NotFound, Throttled
from ..microsoft.job_records import Entry, JobRecord
from ..microsoft.operator_connect import Accepted, OperatorConnect
from ..models import Customer, UpstreamJob
from . import failures, sending
from .base import NumberOperation
from .items import UNKNOWN, alive, at_work, close, customer_of, pending
from .job_ends import refusal, sorted_out
from .windows import seconds_until_free

REFUSED = "Refused"  # our word for a job that Microsoft did not take on
LOST = "Lost"  # our word for a job that Microsoft no longer knows
SENT, UNFINISHED, QUEUED = "sent", "not_finished", "queued"
THROTTLED, MOST_THROTTLED = "throttled", 100  # refusals in a row, for want of capacity, before a task fails
IN_PROGRESS = "OperationInProgress"  # Microsoft's word for a number that somebody else's operation has
MOST_SENDS, LONGEST_QUEUE_SECONDS = 15, 60.0  # together: queue behind it for some ten minutes
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 2.0, 30.0
AT_ONCE = 10  # jobs that are sent or asked for in one step

Opened = tuple[UpstreamJob, Sequence[TaskItem]]


class JobOperation(NumberOperation):
    """A subclass names the kind of job and says what goes into one and what its end means for numbers."""

    jobs: str  # Microsoft's name of the kind, a part of the address

    def prepare(self, run: Run) -> Outcome | None:
        """What has to be done before the next job is opened; None: open it."""
        return None

    def batch(self, pending: QuerySet[TaskItem]) -> list[TaskItem]:
        """The items of the next job, all of one customer; [] where there is none to open."""
        first = pending.first()
        if first is None:
            return []
        same = pending.filter(customer_ref=first.customer_ref).only("key", "customer_ref", "code")
        return list(same[: settings.ENV.job_size])

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """The request, without ids of ours. The same items give the same body."""
        raise TypeError(f"{type(self).__name__} has no request")

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """Microsoft has done it for these numbers: save what that changes, and what becomes of their items.

        They are the items of the job that are still running: those that failed are closed already.
        """
        raise TypeError(f"{type(self).__name__} ignores success")

    def put_back(self, run: Run, keys: list[str], reason: str) -> None:
        """Nothing has changed at Microsoft for these numbers: undo what `claim` did. Inside `run.commit()`."""

    def settle(self, run: Run) -> Outcome | None:
        """What follows after Microsoft's part; None where nothing is left to do now."""
        return None

    def finished(self, task: Task) -> str:
        """One sentence about a task that has ended."""
        raise TypeError(f"{type(self).__name__} has no last word")

    def step(self, run: Run) -> Outcome:
        """The next of: a job whose request is in doubt, preparation, a new job, a poll, what follows, the end."""
        try:
            for move in (self._resume, self._again, self._prepare, self._open, self._poll, self.settle):
                outcome = move(run)
                if outcome is not None:
                    return outcome
        except MicrosoftError as error:
            raise failures.of_task(error) from error
        return self._rest(run)

    def cancel(self, run: Run) -> Outcome:
        """Let go of what has not been sent; what Microsoft is doing already is followed to its end."""
        unsent = _unsent(run.task)
        with run.commit():
            keys = list(unsent.values_list("key", flat=True))
            if keys:
                words = _("Cancelled before it was sent to Microsoft.")
                unsent.update(state=ItemState.CANCELLED, code="", message=words, updated_at=timezone.now())
                self.put_back(run, keys, _("The task was cancelled before this was sent to Microsoft."))
                run.task.result["cancelled"] = run.task.result.get("cancelled", 0) + len(keys)
        outcome = self.step(run)
        if not isinstance(outcome, Finished):
            return outcome
        count = run.task.result.get("cancelled", 0)
        left = ngettext(
            "Cancelled: %(n)d number had not been sent to Microsoft and is as before.",
            "Cancelled: %(n)d numbers had not been sent to Microsoft and are as before.",
            count,
        )
        done = outcome.message if run.task.succeeded or run.task.failed else ""
        return Finished(TaskState.CANCELLED, f"{done} {left % {'n': count}}".strip(), run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """What was not sent is as before; what was sent may still happen, and the next synchronisation will tell."""
        with run.commit():
            keys = list(_unsent(run.task).values_list("key", flat=True))
            close(run, keys, ItemState.FAILED, code=code, message=message)
            self.put_back(run, keys, message)
            ended = UpstreamJob.objects.filter(task=run.task, completed_at__isnull=False)
            done = list(alive(run.task).filter(job_ref__in=ended.values("pk")).values_list("key", flat=True))
            words = _("Microsoft has done its part, but what follows here was not finished. %(why)s")
            close(run, done, ItemState.FAILED, code=UNFINISHED, message=words % {"why": message})
            in_doubt = list(alive(run.task).values_list("key", flat=True))
            words = _("Microsoft may still carry this out; the next synchronisation tells. %(why)s")
            close(run, in_doubt, ItemState.FAILED, code=UNKNOWN, message=words % {"why": message})
            _open_jobs(run.task).update(status=LOST, completed_at=timezone.now())

    # Sending

    def _resume(self, run: Run) -> Outcome | None:
        """A job whose request was cut off: find it at Microsoft, or send it (again)."""
        job = _open_jobs(run.task).filter(ms_job_id=None).order_by("pk").first()
        if job is None:
            return None
        try:
            found = self._client(run).find_job(self.jobs, job.correlation_id)
        except MicrosoftError as error:
            raise failures.patient(error, run.task.attempts) from error
        if found is not None:
            with run.commit():
                _accept(job, Accepted(found.id, found.status, 0))
            return Continue()
        if seconds_until_free(self.jobs):
            return None
        # Written down before the request leaves: whoever finds the row later has to look for the job first.
        UpstreamJob.objects.filter(pk=job.pk).update(sent_at=timezone.now(), attempts=F("attempts") + 1)
        return self._send(run, [(job, list(run.task.items.filter(job_ref=job.pk).order_by("pk")))])

    def _again(self, run: Run) -> Outcome | None:
        """The time of numbers has come that queue behind somebody else's operation: they begin anew."""
        queued = _queued(run.task)
        if run.cancelling or run.cursor.get("queued_until", 0.0) > time.time() or not queued.exists():
            return None
        with run.commit():
            queued.update(state=ItemState.PENDING, code="", message="", updated_at=timezone.now())
        return Continue()

    def _prepare(self, run: Run) -> Outcome | None:
        return self.prepare(run) if not run.cancelling and pending(run.task).exists() else None

    def _open(self, run: Run) -> Outcome | None:
        """Write down the next few jobs and send them."""
        if run.cancelling or not pending(run.task).exists():
            return None
        return self._send(run, self._written_down(run))

    def _written_down(self, run: Run) -> Iterator[Opened]:
        """The next jobs, each one in the database before it is given out; at most as many as a slice has time for."""
        for _place in range(AT_ONCE):
            with run.commit():
                if run.cancelling or seconds_until_free(self.jobs):
                    return
                items = self.batch(pending(run.task))
                if not items:
                    return
                job = _write_down(self.jobs, run.task, items)
                run.task.step = _("Sending to Microsoft")
            yield job, items
            if run.over:
                return

    def _send(self, run: Run, opened: Iterable[Opened]) -> Outcome | None:
        """Send what is written down; what Microsoft says is saved for all of them together. None: nothing to send."""
        sent: list[tuple[UpstreamJob, list[str]]] = []

        def letters() -> Iterator[tuple[UpstreamJob, dict[str, Any]]]:
            for job, items in opened:
                sent.append((job, [item.key for item in items]))
                yield job, self.body(run.task, job.customer, items)

        replies = sending.send(self._client(run), self.jobs, letters())
        trouble: TryLater | TaskFailed | None = None
        for reply in replies:
            if isinstance(reply, failures.REFUSALS) and failures.about_us(reply):
                trouble = TaskFailed(reply.message, reply.code)
            elif isinstance(reply, Throttled):
                trouble = _held_up(run, reply)
            elif isinstance(reply, MicrosoftError) and not isinstance(reply, failures.REFUSALS):
                trouble = failures.patient(reply, run.task.attempts)
        if any(reply is None or isinstance(reply, (Accepted, Throttled, *failures.REFUSALS)) for reply in replies):
            with run.commit():
                for (job, keys), reply in zip(sent, replies, strict=True):
                    if isinstance(reply, Accepted):
                        run.cursor.pop(THROTTLED, None)
                        _accept(job, reply)
                    elif isinstance(reply, failures.REFUSALS):
                        self._refused(run, job, keys, reply)
                    elif reply is None or isinstance(reply, Throttled):
                        _take_back(job)
                run.task.step = _("Microsoft is working on it")
        if trouble:
            raise trouble
        return Continue() if sent else None

    def _refused(self, run: Run, job: UpstreamJob, keys: list[str], error: MicrosoftError) -> None:
        """Microsoft did not take the job on. Numbers that it names fail; without names all do. The rest go again."""
        reasons = {str(one.get("target")): one for one in error.details}
        named = [] if failures.about_us(error) else [key for key in keys if key in reasons] or keys
        UpstreamJob.objects.filter(pk=job.pk).update(
            status=REFUSED,
            error_code=(error.upstream_code or error.code)[:64],
            error_message=error.message[:500],
            completed_at=timezone.now(),
        )
        again = run.task.items.filter(job_ref=job.pk).exclude(key__in=named)
        again.update(state=ItemState.PENDING, code="", message="", job_ref=None, updated_at=timezone.now())
        self._failed(run, [refusal(key, reasons.get(key), error) for key in named])

    # Following

    def _poll(self, run: Run) -> Outcome | None:
        """Ask for the jobs whose time has come, and take over those that have ended."""
        due = _open_jobs(run.task).filter(ms_job_id__isnull=False, poll_at__lte=timezone.now())
        found: list[tuple[UpstreamJob, JobRecord | None, float | None]] = []
        trouble: TryLater | None = None
        for job in due.order_by("poll_at", "pk")[:AT_ONCE]:
            if job.ms_job_id is None or (found and run.over):
                break
            try:
                found.append((job, *self._client(run).job(self.jobs, job.ms_job_id)))
            except NotFound:
                found.append((job, None, None))
            except MicrosoftError as error:
                trouble = failures.patient(error, run.task.attempts)
                break
        if found:
            with run.commit():
                for job, record, ask_in in found:
                    self._take_over(run, job, record, ask_in)
        if trouble:
            raise trouble
        return Continue() if found else None

    def _take_over(self, run: Run, job: UpstreamJob, record: JobRecord | None, ask_in: float | None) -> None:
        """What Microsoft says of a job; None where it no longer knows it (upstreams.md §9.4: after days)."""
        now = timezone.now()
        if record is not None and not record.final:
            _update(job, status=record.status, polled_at=now, poll_at=_next_poll(job, ask_in))
            return
        keys = list(TaskItem.objects.filter(job_ref=job.pk).values_list("key", flat=True))
        good, bad, silent = sorted_out(keys, record)
        words = _("Microsoft's job says nothing about this number; the next synchronisation tells.")
        _update(
            job,
            status=record.status if record else LOST,
            succeeded=len(good),
            failed=len(bad) + len(silent),
            error_code=record.error_code if record else "",
            error_message=record.error_message if record else "",
            polled_at=now,
            completed_at=now,
        )
        self._failed(run, bad, job)
        close(run, silent, ItemState.FAILED, code=UNKNOWN, message=words, job=job)
        if good:
            self.succeeded(run, job, good)

    def _failed(self, run: Run, entries: Sequence[Entry], job: UpstreamJob | None = None) -> None:
        """Outcome rows for numbers that Microsoft refused, grouped by its reason; the numbers are put back.

        Those that it is busy with queue behind that for a while (upstreams.md §9.7, F15).
        """
        busy = alive(run.task).filter(key__in=[entry.e164 for entry in entries if entry.code == IN_PROGRESS])
        queued = dict(busy.filter(attempts__lt=MOST_SENDS).values_list("key", "attempts"))
        if queued:
            words = _("Microsoft is at work on this number for somebody else; it is sent again after that.")
            busy.filter(key__in=queued).update(code=QUEUED, message=words, job_ref=None, updated_at=timezone.now())
            run.cursor["queued_until"] = time.time() + growing(max(queued.values()), LONGEST_QUEUE_SECONDS)
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for entry in entries:
            if entry.e164 not in queued:
                groups[entry.code, entry.message].append(entry.e164)
        for (code, message), keys in groups.items():
            close(run, keys, ItemState.FAILED, code=code, message=message, job=job)
            self.put_back(run, keys, message)

    def _rest(self, run: Run) -> Outcome:
        """Wait for the next thing that is due, or end."""
        moments = [moment for moment in _open_jobs(run.task).values_list("poll_at", flat=True) if moment]
        waits = [max((moment - timezone.now()).total_seconds(), 0.0) for moment in moments]
        text = ""
        if _queued(run.task).exists():
            waits.append(max(run.cursor.get("queued_until", 0.0) - time.time(), 0.1))
            text = _("Microsoft is at work on some of the numbers for somebody else. They are sent again after that.")
        elif waits:
            text = at_work(run.task)
        if pending(run.task).exists() or _open_jobs(run.task).filter(ms_job_id=None).exists():
            waits.append(max(seconds_until_free(self.jobs), 0.1))
            text = _("Waiting until Microsoft takes the next request.")
        if waits:
            return Wait(min(waits), text)
        task = run.task
        state = TaskState.SUCCEEDED
        if task.failed:
            state = TaskState.PARTIAL if task.succeeded else TaskState.FAILED
        return Finished(state, self.finished(task), task.result)

    def _client(self, run: Run) -> OperatorConnect:
        return OperatorConnect(run.task.uid)


def _unsent(task: Task) -> QuerySet[TaskItem]:
    """Items that no job of Microsoft's can know of."""
    return alive(task).filter(job_ref=None)


def _queued(task: Task) -> QuerySet[TaskItem]:
    """Items that wait until Microsoft has done with their numbers what somebody else has asked for."""
    return alive(task).filter(state=ItemState.RUNNING, code=QUEUED, job_ref=None)


def _open_jobs(task: Task) -> QuerySet[UpstreamJob]:
    return UpstreamJob.objects.filter(task=task, completed_at=None).select_related("customer")


def _update(job: UpstreamJob, **values: Any) -> None:
    UpstreamJob.objects.filter(pk=job.pk).update(**values)


def _write_down(kind: str, task: Task, items: Sequence[TaskItem]) -> UpstreamJob:
    """The row of a job that is about to be sent, with its items."""
    job = UpstreamJob.objects.create(
        kind=kind,
        customer=customer_of(items[0]),
        task=task,
        total=len(items),
        sent_at=timezone.now(),
        stage=items[0].code,
    )
    TaskItem.objects.filter(pk__among={item.pk for item in items}).update(
        state=ItemState.RUNNING,
        code=SENT,
        message=_("Sent to Microsoft."),
        job_ref=job.pk,
        attempts=F("attempts") + 1,
        updated_at=timezone.now(),
    )
    return job


def _take_back(job: UpstreamJob) -> None:
    """Microsoft has not seen this job, or not taken it: its numbers are ours again, to cancel, withdraw or send."""
    TaskItem.objects.filter(job_ref=job.pk, state=ItemState.RUNNING).update(
        state=ItemState.PENDING,
        code=job.stage,
        message=_("Not sent yet: Microsoft takes no more for now."),
        job_ref=None,
        updated_at=timezone.now(),
    )
    job.delete()


def _held_up(run: Run, error: Throttled) -> TryLater | TaskFailed:
    """Wait as long as Microsoft says, else longer each time; not for ever."""
    tries = run.cursor[THROTTLED] = run.cursor.get(THROTTLED, 0) + 1
    if tries > MOST_THROTTLED:
        return TaskFailed(error.message, error.code)
    pause = failures.patient(error, tries - 1).seconds
    return TryLater(error.message, error.code, pause)


def _accept(job: UpstreamJob, accepted: Accepted) -> None:
    pause = accepted.ask_in if accepted.ask_in is not None else FIRST_POLL_SECONDS
    moment = timezone.now() + timedelta(seconds=pause)
    _update(job, ms_job_id=accepted.job_id, status=accepted.status, poll_at=moment)


def _next_poll(job: UpstreamJob, ask_in: float | None) -> datetime:
    """When to ask again: as Microsoft says, and less often the longer it takes."""
    now = timezone.now()
    age = (now - (job.sent_at or job.created_at)).total_seconds()
    pause = max(FIRST_POLL_SECONDS if ask_in is None else ask_in, min(age / 10, LONGEST_POLL_SECONDS))
    return now + timedelta(seconds=pause)
