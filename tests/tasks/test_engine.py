"""The engine: leases, slices, pauses, failures, cancelling, dead workers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.tasks import engine, lease, services
from ocadmin.tasks import run as run_module
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Ask, Outcome, TaskFailed, TryLater, Wait
from ocadmin.tasks.run import LeaseLost, Run

from .operations import Counting, registered

pytestmark = pytest.mark.django_db


def start(upto: int = 3, **fields: Any) -> Task:
    return services.start("counting", title="Count", by=SYSTEM, channel="web", params={"upto": upto}, **fields)


def run_to_end(task: Task, slices: int = 50) -> Task:
    """Advance as the worker would, without waiting for countdowns."""
    for _ in range(slices):
        Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
        engine.advance(task.pk)
        task.refresh_from_db()
        if not task.alive or task.state == TaskState.ASKING:
            return task
    raise AssertionError(f"still {task.state} after {slices} slices")


def test_a_task_runs_to_its_end_and_every_number_has_an_outcome() -> None:
    with registered(Counting()):
        task = run_to_end(start(3))
    assert (task.state, task.message, task.result) == (TaskState.SUCCEEDED, "counted to 3", {"counted": 3})
    assert (task.done, task.succeeded) == (3, 3)
    assert sorted(task.items.values_list("key", flat=True)) == ["+1", "+2", "+3"]
    assert task.lease_owner == ""
    assert task.finished_at is not None


def test_starting_nudges_a_worker_after_the_commit(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("ocadmin.tasks.celery_tasks.send_nudge", lambda pk, seconds: sent.append(pk))
    with registered(Counting()), django_capture_on_commit_callbacks(execute=True):
        task = start()
        assert sent == []
    assert sent == [task.pk]


def test_starting_is_recorded() -> None:
    with registered(Counting()):
        task = start(ticket="CHG-1")
    entry = AuditEntry.objects.get(action="task.start")
    assert (entry.task_ref, entry.ticket, entry.actor_name) == (task.pk, "CHG-1", "system")


def test_a_slice_ends_when_its_time_is_over_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "SLICE_SECONDS", 0.0)
    with registered(Counting()):
        task = start(3)
        engine.advance(task.pk)
        task.refresh_from_db()
        assert (task.state, task.done) == (TaskState.RUNNING, 1)
        monkeypatch.setattr(run_module, "SLICE_SECONDS", 5.0)
        assert run_to_end(task).done == 3


def test_a_task_that_somebody_holds_is_not_taken() -> None:
    with registered(Counting()):
        task = start()
        assert lease.take(task.pk, "somebody") is not None
        assert engine.advance(task.pk) is None
        assert Task.objects.due().count() == 0


def test_an_ended_lease_makes_the_task_due_again() -> None:
    with registered(Counting()):
        task = start()
        lease.take(task.pk, "somebody")
        Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert run_to_end(task).state == TaskState.SUCCEEDED


def test_the_lease_of_a_dead_process_is_taken_back_at_once() -> None:
    living = lease.new_owner()
    machine, _pid, started, unique = living.split(":")
    assert not lease.is_dead(living)
    assert lease.is_dead(f"{machine}:999999999:{started}:{unique}")
    assert not lease.is_dead(f"another-machine/1:999999999:{started}:{unique}")
    with registered(Counting()):
        task = start()
        lease.take(task.pk, f"{machine}:999999999:{started}:{unique}")
        assert Task.objects.due().count() == 0
        assert engine.nudge_due() == 1


def test_effects_of_a_slice_that_lost_its_lease_are_not_kept() -> None:
    def steal(run: Run) -> None:
        Task.objects.filter(pk=run.task.pk).update(lease_owner="thief")

    with registered(Counting(steal)):
        task = start()
        assert engine.advance(task.pk) is None
    task.refresh_from_db()
    assert (task.done, task.cursor, task.items.count()) == (0, {}, 0)


def test_a_commit_is_all_or_nothing() -> None:
    with registered(Counting()):
        task = lease.take(start().pk, "me")
    assert task is not None
    run = Run(task, "me")
    with pytest.raises(ZeroDivisionError), run.commit():  # noqa: PT012 — what the block has done must be undone
        run.outcomes([TaskItem(task=task, key="+1", state=ItemState.SUCCEEDED)])
        raise ZeroDivisionError
    assert task.items.count() == 0
    Task.objects.filter(pk=task.pk).update(lease_owner="")
    with pytest.raises(LeaseLost), run.commit():
        raise AssertionError("the block must not run")


def test_waiting_is_a_countdown_with_a_reason() -> None:
    said: list[bool] = []

    def throttled_once(run: Run) -> Outcome | None:
        if said:
            return None
        said.append(True)
        return Wait(7, "throttled")

    with registered(Counting(throttled_once)):
        task = start()
        engine.advance(task.pk)
        task.refresh_from_db()
        assert (task.state, task.message) == (TaskState.WAITING, "throttled")
        assert 5 < (task.next_run_at - timezone.now()).total_seconds() <= 7
        assert engine.advance(task.pk) is None
        assert run_to_end(task).message == "counted to 3"


def test_what_is_not_ready_is_tried_again_and_fails_in_the_end() -> None:
    def never(run: Run) -> Outcome | None:
        raise TryLater("Microsoft does not answer.", "unreachable")

    with registered(Counting(never)):
        task = start()
        engine.advance(task.pk)
        task.refresh_from_db()
        assert (task.state, task.attempts, task.error_code) == (TaskState.WAITING, 1, "unreachable")
        run_to_end(task)
    assert (task.state, task.message) == (TaskState.FAILED, "Microsoft does not answer.")
    assert task.error_code == "unreachable"


def test_a_failure_says_why() -> None:
    def refuse(run: Run) -> Outcome | None:
        raise TaskFailed("The secret has expired.", "expired_secret")

    with registered(Counting(refuse)):
        task = run_to_end(start())
    assert (task.state, task.message, task.error_code) == (
        TaskState.FAILED,
        "The secret has expired.",
        "expired_secret",
    )


def test_an_unexpected_error_shows_a_reference_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def crash(run: Run) -> Outcome | None:
        raise RuntimeError("secret inside")

    with registered(Counting(crash)):
        task = run_to_end(start())
    assert task.state == TaskState.FAILED
    assert str(task.uid) in task.message
    assert "secret inside" not in task.message
    assert str(task.uid) in caplog.text


def test_a_worker_that_dies_again_and_again_ends_the_task() -> None:
    with registered(Counting()):
        task = start()
        for _ in range(engine.MAX_ATTEMPTS + 2):
            lease.take(task.pk, "dead")
            Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        run_to_end(task)
    assert (task.state, task.error_code) == (TaskState.FAILED, "worker_lost")


def test_cancelling_stops_between_two_steps_and_says_how_far_it_came() -> None:
    def cancel_at_two(run: Run) -> None:
        if run.cursor.get("at") == 2:
            services.cancel(Task.objects.filter(pk=run.task.pk), by=SYSTEM, channel="web")

    with registered(Counting(cancel_at_two)):
        task = run_to_end(start(1000))
    assert task.state == TaskState.CANCELLED
    assert task.message == "stopped at 3"
    assert task.done == 3


def test_a_task_that_waits_is_cancelled_at_once() -> None:
    with registered(Counting(lambda run: Wait(3600, "long"))):
        task = start()
        engine.advance(task.pk)
        assert services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web") == 1
        assert services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web") == 0
        engine.advance(task.pk)
    task.refresh_from_db()
    assert task.state == TaskState.CANCELLED


@pytest.mark.parametrize("end", [Wait(3600, "long"), Ask("Really?", {"yes": "Yes"})])
def test_a_request_to_cancel_that_comes_during_a_slice_is_met_at_once(end: Outcome) -> None:
    """The slice that it comes into wants to wait: nobody waits for that any more."""

    def cancelled_meanwhile(run: Run) -> Outcome:
        services.cancel(Task.objects.filter(pk=run.task.pk), by=SYSTEM, channel="web")
        return end

    with registered(Counting(cancelled_meanwhile)):
        task = start()
        engine.advance(task.pk)
        assert Task.objects.due().filter(pk=task.pk).exists()
        engine.advance(task.pk)
    task.refresh_from_db()
    assert task.state == TaskState.CANCELLED


def test_a_question_stops_the_task_until_it_is_answered() -> None:
    def ask(run: Run) -> Outcome | None:
        return None if run.cursor.get("answer") else Ask("Really?", {"yes": "Yes"})

    with registered(Counting(ask)):
        task = run_to_end(start())
        assert (task.state, task.question["text"]) == (TaskState.ASKING, "Really?")
        assert Task.objects.due().count() == 0
        with pytest.raises(ValueError, match="no"):
            services.answer(task, "no", by=SYSTEM, channel="web")
        assert services.answer(task, "yes", by=SYSTEM, channel="web")
        assert not services.answer(task, "yes", by=SYSTEM, channel="web")
        assert run_to_end(task).state == TaskState.SUCCEEDED


def test_two_living_tasks_never_share_a_unique_key() -> None:
    with registered(Counting()):
        first = start(unique_key="only")
        with pytest.raises(services.AlreadyRunning) as raised:
            start(unique_key="only")
        assert raised.value.task == first
        run_to_end(first)
        start(unique_key="only")


def test_one_running_operation_per_number_is_a_rule_of_the_database() -> None:
    with registered(Counting()):
        one, two = start(), start()
    TaskItem.objects.create(task=one, key="+1", state=ItemState.PENDING)
    with pytest.raises(IntegrityError), transaction.atomic():
        TaskItem.objects.create(task=two, key="+1", state=ItemState.RUNNING)
    TaskItem.objects.filter(task=one).update(state=ItemState.SUCCEEDED)
    TaskItem.objects.create(task=two, key="+1", state=ItemState.RUNNING)


def test_retry_failed_makes_a_new_task_of_the_failed_numbers() -> None:
    with registered(Counting()):
        task = run_to_end(start(3, ticket="CHG-2"))
        with pytest.raises(services.NothingToRetry):
            services.retry_failed(task, by=SYSTEM, channel="web")
        task.items.filter(key__in=("+1", "+2")).update(state=ItemState.FAILED)
        retry = services.retry_failed(task, by=SYSTEM, channel="web")
    assert (retry.params, retry.retry_of, retry.ticket) == ({"upto": 2}, task, "CHG-2")


def test_rate_and_time_left() -> None:
    now = timezone.now()
    task = Task(state=TaskState.RUNNING, total=100, done=25, started_at=now - timedelta(seconds=5))
    assert task.rate == pytest.approx(5, rel=0.1)
    assert task.time_left is not None
    assert task.time_left.total_seconds() == pytest.approx(15, rel=0.1)
    assert task.percent == 25
    assert Task(state=TaskState.QUEUED).time_left is None


def test_a_pause_that_the_other_side_has_named_is_waited_for_as_often_as_it_says() -> None:
    pauses: list[int] = []

    def busy(run: Run) -> Outcome | None:
        if len(pauses) == 20:
            return None
        pauses.append(1)
        raise TryLater("Microsoft is busy.", "throttled", 7)

    with registered(Counting(busy)):
        task = run_to_end(start())
    assert (task.state, len(pauses)) == (TaskState.SUCCEEDED, 20)
