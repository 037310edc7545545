"""F01, F02: Microsoft wants to be asked less often."""

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations import jobs as operations_jobs
from ocadmin.tasks import engine, services
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

from .scenes import asked, counters, history, jobs, once_each, outcomes, release, standing, task_page, wait_of

pytestmark = pytest.mark.django_db

RELEASES = {"mount": "oc", "method": "POST", "path": "/releases"}


@pytest.mark.failure("F01")
def test_the_named_pause_is_kept_to_the_second_and_nothing_is_sent_twice(world: World, alice_client: Client) -> None:
    numbers = world.numbers(2)
    world.sandbox.fault(RELEASES, {"status": 429, "headers": {"Retry-After": "7"}})
    task = passes.advance(release())
    assert (task.state, task.error_code, wait_of(task)) == (TaskState.WAITING, "throttled", 7.0)
    assert engine.advance(task.pk) is None  # not due: whoever is nudged early asks nobody
    assert asked(world, "releases") == ["send 429"]

    seen = task_page(alice_client, task)
    assert "it refused because of too many requests (429); ask again in 7 seconds." in seen
    assert f"It goes on by itself, next at {timezone.localtime(task.next_run_at):%H:%M:%S}" in seen

    assert [standing(number) for number in numbers] == [(Status.RELEASE_REQUESTED, "contract ended")] * 2
    assert {state for state, _code in outcomes(task).values()} == {ItemState.PENDING}
    assert set(task.items.values_list("message", flat=True)) == {"Not sent yet: Microsoft takes no more for now."}
    assert not UpstreamJob.objects.exists()

    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert jobs() == [("Complete", 2, 2, 0)]
    assert history(numbers[0]) == ["release.requested", "release.completed"]
    assert asked(world, "releases") == ["send 429", "send 202", "follow 200"]
    assert once_each(world, "releases", [number.e164 for number in numbers])


@pytest.mark.failure("F01")
def test_beyond_the_limit_the_rest_waits_and_what_was_accepted_is_not_asked_for_again(
    world: World, alice_client: Client
) -> None:
    """Microsoft's own limit, not a single refusal: the second customer's job comes too early."""
    other = world.new_customer(SAUERLAND, "Sauerland")
    (first,) = world.numbers(1)
    (second,) = world.numbers(1, first=442079460600, customer=other, routed=False)
    world.sandbox.call("POST", "/clock", {"mode": "manual"})
    world.sandbox.call("PUT", "/state", {"limits": {"releases": 1, "releasesSeconds": 30}})
    task = passes.advance(release())
    assert (task.state, wait_of(task)) == (TaskState.WAITING, 30.0)
    assert "ask again in 30 seconds." in task_page(alice_client, task)
    accepted = UpstreamJob.objects.get()
    assert (accepted.ms_job_id is not None, accepted.customer) == (True, world.customer)
    assert outcomes(task)[second.e164] == (ItemState.PENDING, "")

    world.sandbox.call("POST", "/clock/advance", {"seconds": 30})
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert asked(world, "releases").count("send 202") == 2
    assert asked(world, "releases").count("send 429") == 1
    assert once_each(world, "releases", [first.e164])
    assert not PhoneNumber.objects.filter(pk__in=(first.pk, second.pk)).exists()


@pytest.mark.failure("F02")
def test_without_a_named_pause_the_pauses_grow_and_are_not_all_alike(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    world.sandbox.fault(RELEASES, {"status": 429}, times=4)
    task = release()
    waits = []
    for _attempt in range(4):
        passes.advance(task)
        waits.append(wait_of(task))
    assert "too many requests (429); wait a while before asking again." in task_page(alice_client, task)
    for wait, plain in zip(waits, (2, 4, 8, 16), strict=True):
        assert 0.5 * plain <= wait <= 1.5 * plain
    # Many tasks that were refused in the same moment must not come back in the same moment.
    assert not all(wait == round(wait) for wait in waits)

    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert asked(world, "releases") == ["send 429"] * 4 + ["send 202", "follow 200"]
    assert once_each(world, "releases", [number.e164])
    assert jobs() == [("Complete", 1, 1, 0)]


@pytest.mark.failure("F01")
def test_what_is_held_up_can_be_cancelled_and_is_not_sent(world: World) -> None:
    (number,) = world.numbers(1)
    world.sandbox.fault(RELEASES, {"status": 429, "headers": {"Retry-After": "60"}})
    task = passes.advance(release())
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert task.message == "Cancelled: 1 number had not been sent to Microsoft and is as before."
    assert asked(world, "releases") == ["send 429"]
    assert standing(number)[0] == Status.ACTIVE
    assert outcomes(task)[number.e164] == (ItemState.CANCELLED, "")


@pytest.mark.failure("F01")
def test_what_is_held_up_can_be_withdrawn(world: World) -> None:
    (number,) = world.numbers(1)
    world.sandbox.fault(RELEASES, {"status": 429, "headers": {"Retry-After": "60"}})
    task = passes.advance(release())
    withdraw = ON_NUMBERS["withdraw"].submit(PhoneNumber.objects.all(), {}, title="Withdraw", by=SYSTEM, channel="web")
    passes.finish(withdraw)
    passes.finish(task)
    assert asked(world, "releases") == ["send 429"]
    assert standing(number)[0] == Status.ACTIVE


@pytest.mark.failure("F02")
def test_a_microsoft_that_never_takes_anything_ends_the_task_and_leaves_the_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations_jobs, "MOST_THROTTLED", 3)
    (number,) = world.numbers(1)
    world.sandbox.fault(RELEASES, {"status": 429}, times=10)
    task = passes.finish(release())
    assert (task.state, task.error_code) == (TaskState.FAILED, "throttled")
    assert outcomes(task)[number.e164] == (ItemState.FAILED, "throttled")
    assert standing(number)[0] == Status.ACTIVE
    assert not UpstreamJob.objects.filter(completed_at=None).exists()
