"""F03, F04, F05: what came of a request is not known; it is looked for before it is sent again."""

import time
from collections.abc import Callable

import pytest
from django.test import Client

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    NEW,
    asked,
    counters,
    history,
    jobs,
    marks,
    message_of,
    number_page,
    once_each,
    outcomes,
    release,
    standing,
    start_upload,
    tags,
    task_page,
    timeout,
    wait_of,
    warm,
)

pytestmark = pytest.mark.django_db

RELEASES = {"mount": "oc", "method": "POST", "path": "/releases"}


def until(condition: Callable[[], object]) -> None:
    """Wait for something that happens outside this process."""
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.02)


@pytest.mark.failure("F03")
def test_a_change_that_failed_is_looked_for_before_it_is_sent_again(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    for status in (503, 500):
        world.sandbox.fault(RELEASES, {"status": status})
    task = passes.advance(release())
    assert (task.state, task.error_code) == (TaskState.WAITING, "server_error")
    assert wait_of(task) > 0
    seen = task_page(alice_client, task)
    assert "Microsoft's operator interface was asked for a job (releases): it failed itself (503" in seen
    assert standing(number)[0] == Status.RELEASE_REQUESTED
    passes.finish(task)
    assert asked(world, "releases") == ["send 503", "look up 200", "send 500", "look up 200", "send 202", "follow 200"]
    assert len(marks(world, "releases")) == 1
    assert once_each(world, "releases", [number.e164])
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert jobs() == [("Complete", 1, 1, 0)]
    assert UpstreamJob.objects.get().attempts == 2  # sends after the first one


@pytest.mark.failure("F03")
def test_a_question_that_failed_is_simply_asked_again(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    world.sandbox.fault({"mount": "oc", "method": "GET", "path": "/releases/"}, {"status": 503}, times=2)
    task = passes.advance(release())
    assert task.state == TaskState.WAITING
    assert "try again later" in task_page(alice_client, task)
    passes.finish(task)
    assert asked(world, "releases") == ["send 202", "follow 503", "follow 503", "follow 200"]
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert history(number) == ["release.requested", "release.completed"]


@pytest.mark.failure("F04")
@pytest.mark.parametrize("kind", ["releases", "uploads"])
def test_a_job_whose_answer_was_lost_is_found_and_not_sent_again(world: World, alice_client: Client, kind: str) -> None:
    world.route([])
    numbers = [number.e164 for number in world.numbers(2)] if kind == "releases" else NEW
    world.sandbox.fault({"mount": "oc", "method": "POST", "path": f"/{kind}"}, {"drop": "after_commit"})
    task = release() if kind == "releases" else start_upload(world, NEW)
    passes.advance(task)
    assert (task.state, task.error_code) == (TaskState.WAITING, "unreachable")
    assert "no connection to 127.0.0.1" in task_page(alice_client, task)
    job = UpstreamJob.objects.get()
    assert (job.ms_job_id, job.sent_at is not None) == (None, True)  # may be there, may not

    passes.finish(task)
    assert asked(world, kind) == ["send –", "look up 200", "follow 200"]
    assert once_each(world, kind, numbers)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    job.refresh_from_db()
    assert job.ms_job_id is not None
    assert {item.upstream_ids["ms_job_id"] for item in task.items.all()} == {str(job.ms_job_id)}
    if kind == "uploads":
        assert set(PhoneNumber.objects.values_list("e164", "status")) == {(e, Status.PENDING_FIRST_SYNC) for e in NEW}
        assert {prefix.rstrip("#") for prefix in tags(world)} == set(NEW)
    else:
        assert ReleasedNumber.objects.count() == 2


def slow_release(world: World, monkeypatch: pytest.MonkeyPatch) -> Task:
    """One number whose release is answered only after we have hung up."""
    world.numbers(1)
    warm()
    world.sandbox.fault(RELEASES, {"delayMs": 500})
    with monkeypatch.context() as impatient:
        timeout(impatient, 0.1)
        task = passes.advance(release())
    until(lambda: world.posts("/releases"))  # it has arrived there all the same
    return task


@pytest.mark.failure("F05")
def test_what_took_too_long_is_found_afterwards(
    world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = slow_release(world, monkeypatch)
    assert (task.state, task.error_code) == (TaskState.WAITING, "timed_out")
    assert "a job (releases): no answer came in time; try again later." in task_page(alice_client, task)
    assert UpstreamJob.objects.get().ms_job_id is None
    passes.finish(task)
    assert asked(world, "releases") == ["send 202", "look up 200", "follow 200"]
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert jobs() == [("Complete", 1, 1, 0)]


@pytest.mark.failure("F05")
def test_what_is_never_answered_is_called_unknown_and_the_next_synchronisation_tells(
    world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = slow_release(world, monkeypatch)
    number = PhoneNumber.objects.get()
    world.sandbox.fault({"mount": "oc", "method": "GET", "path": "/releases"}, {"status": 503}, times=1000)
    Task.objects.filter(pk=task.pk).update(attempts=98)
    passes.finish(task)
    assert counters(task) == (TaskState.FAILED, 0, 1)
    assert outcomes(task) == {number.e164: (ItemState.FAILED, "unknown_outcome")}
    words = "Microsoft may still carry this out; the next synchronisation tells."
    assert message_of(task, number).startswith(words)
    assert words in task_page(alice_client, task)
    assert standing(number)[0] == Status.RELEASE_REQUESTED  # it may be leaving: not called active
    assert "Release requested" in number_page(alice_client, number.e164)
    assert len(world.posts("/releases")) == 1

    world.sandbox.call("DELETE", "/faults")
    told = passes.synchronise(customers=[world.customer])
    assert told.result["released"] == 1
    assert not PhoneNumber.objects.filter(pk=number.pk).exists()
    assert history(number.e164)[-1] == "sync.released"
    assert "Released" in number_page(alice_client, number.e164)
