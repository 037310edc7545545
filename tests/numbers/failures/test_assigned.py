"""F14 to F17: a release that Microsoft does not carry out."""

import uuid

import pytest
from django.test import Client

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    asked,
    asked_at_once,
    counters,
    customer_does,
    history,
    jobs,
    message_of,
    number_page,
    once_each,
    outcomes,
    plan_of,
    release,
    standing,
    task_page,
    text,
    wait_of,
)

pytestmark = pytest.mark.django_db

OFFER = "Un-assign, then release…"


@pytest.mark.failure("F14")
def test_an_assigned_number_is_refused_before_anything_is_sent_and_the_way_out_is_offered(
    world: World, alice_client: Client
) -> None:
    (number,) = world.numbers(1, assignment_status="UserAssigned")
    address, plan = plan_of(alice_client, "release", [number])
    assert "It is assigned. Un-assign it first, or choose “Un-assign, then release”." in text(plan)
    assert OFFER in text(plan)
    assert plan.context["plan"].will == 0
    alice_client.post(address, {"shown": plan.context["proposal"].shown})
    assert not Task.objects.exists()
    assert asked(world, "releases") == []
    (_group, instead) = plan.context["left_alone"][0]
    assert "1 number selected" in text(alice_client.get(instead.url))  # the same selection goes along


@pytest.mark.failure("F14")
def test_a_number_that_only_microsoft_knows_to_be_assigned_fails_alone(world: World, alice_client: Client) -> None:
    free, used = world.numbers(2)
    world.at_microsoft([used], acquiredNumberStatus=0, assignmentStatus="UserAssigned")
    task = passes.finish(release())
    assert counters(task) == (TaskState.PARTIAL, 1, 1)
    assert outcomes(task)[used.e164] == (ItemState.FAILED, "NumberAssigned")
    assert message_of(task, used) in task_page(alice_client, task)
    assert jobs() == [("Complete", 2, 1, 1)]
    assert standing(used) == (Status.ACTIVE, message_of(task, used))
    assert used.assignment_status == "Assigned"
    assert not PhoneNumber.objects.filter(pk=free.pk).exists()
    assert world.device_prefixes() == {used.e164}  # its calls still arrive
    assert history(used) == ["release.requested", "release.failed", "release.assigned"]
    assert "not released" in number_page(alice_client, used.e164, "history").lower()
    assert OFFER in text(plan_of(alice_client, "release", [used])[1])


@pytest.mark.failure("F15")
def test_a_number_that_another_task_works_on_is_left_to_it(world: World, alice_client: Client) -> None:
    """Here one operation has a number at a time: a second one says so before it begins."""
    numbers = world.numbers(2)
    world.sandbox.call("PUT", "/state", {"hold": {"capability-updates": True}})
    params = {"add": [], "remove": ["OutboundCalling"]}
    held = PhoneNumber.objects.filter(pk=numbers[0].pk)
    first = ON_NUMBERS["capabilities"].submit(held, params, title="Update", by=SYSTEM, channel="web")
    passes.advance(first)
    words = "Another operation is running on this number. Wait for it, then try again."
    _address, plan = plan_of(alice_client, "release", numbers)
    assert (plan.context["plan"].will, words in text(plan)) == (1, True)
    second = passes.finish(release())
    assert (counters(second), second.refused) == ((TaskState.SUCCEEDED, 1, 0), 1)
    assert outcomes(second)[numbers[0].e164] == (ItemState.REFUSED, "busy")
    assert words in task_page(alice_client, second)
    assert standing(numbers[0])[0] == Status.ACTIVE

    world.sandbox.call("PUT", "/state", {"hold": {"capability-updates": False}})
    asked_at_once(first)
    assert passes.finish(first).state == TaskState.SUCCEEDED, first.message
    assert counters(passes.finish(release())) == (TaskState.SUCCEEDED, 1, 0)
    assert once_each(world, "releases", [number.e164 for number in numbers])


@pytest.mark.failure("F15")
def test_a_number_that_microsoft_is_busy_with_queues_behind_that(
    world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's operation, which only Microsoft knows of: the rest goes through, this one follows by itself."""
    monkeypatch.setattr("ocadmin.numbers.operations.jobs.growing", lambda attempt, longest: 100.0 * attempt)
    busy, free = world.numbers(2)
    world.sandbox.call("PUT", "/state", {"hold": {"location-updates": True}})
    theirs = {"tenantId": str(world.customer.tenant_id), "telephoneNumbers": [busy.e164], "locationId": None}
    OperatorConnect().start_job("location-updates", theirs, uuid.uuid4())
    task = release()
    for sends in (1, 2):
        passes.advance(task)
        assert (task.state, task.succeeded, task.failed) == (TaskState.WAITING, 1, 0)
        item = task.items.get(key=busy.e164)
        assert (item.state, item.code, item.attempts) == (ItemState.RUNNING, "queued", sends)
        assert 100 * (sends - 1) < wait_of(task) <= 100 * sends
        assert "Microsoft is at work on this number for somebody else" in task_page(alice_client, task)
        assert standing(busy)[0] == Status.RELEASE_REQUESTED
        Task.objects.update(cursor=task.cursor | {"queued_until": 0.0})
    assert not PhoneNumber.objects.filter(pk=free.pk).exists()

    world.sandbox.call("PUT", "/state", {"hold": {"location-updates": False}})
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert jobs() == [("Complete", 2, 1, 1), ("Failed", 1, 0, 1), ("Complete", 1, 1, 0)]
    assert history(busy) == ["release.requested", "release.completed"]
    assert not task.items.exclude(state=ItemState.SUCCEEDED).exists()


@pytest.mark.failure("F15")
def test_queueing_ends_some_time_and_can_be_cancelled(world: World, alice_client: Client) -> None:
    busy, other = world.numbers(2)
    world.sandbox.call("PUT", "/state", {"failures": {busy.e164: "OperationInProgress"}})
    task = passes.advance(release(PhoneNumber.objects.filter(pk=busy.pk)))
    task.items.update(attempts=14)
    Task.objects.update(cursor=task.cursor | {"queued_until": 0.0})
    passes.finish(task)
    assert counters(task) == (TaskState.FAILED, 0, 1)
    assert outcomes(task) == {busy.e164: (ItemState.FAILED, "OperationInProgress")}
    words = "Another operation on this telephone number is running."
    assert words in task_page(alice_client, task)
    assert standing(busy) == (Status.ACTIVE, words)

    world.sandbox.call("PUT", "/state", {"failures": {other.e164: "OperationInProgress"}})
    task = passes.advance(release(PhoneNumber.objects.filter(pk=other.pk)))
    alice_client.post(f"/tasks/{task.pk}/cancel/")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert outcomes(task)[other.e164][0] == ItemState.CANCELLED
    assert standing(other)[0] == Status.ACTIVE


@pytest.mark.failure("F16")
def test_a_plan_that_has_become_stale_is_shown_again_and_not_carried_out(world: World, alice_client: Client) -> None:
    """The customer assigns a number while somebody looks at the plan, and a synchronisation has noticed."""
    numbers = world.numbers(2)
    address, plan = plan_of(alice_client, "release", numbers)
    world.sandbox.call("POST", "/customer", customer_does(world, "assign", telephoneNumber=numbers[0].e164))
    passes.synchronise(numbers=[numbers[0].e164])
    answer = alice_client.post(address, {"shown": plan.context["proposal"].shown})
    assert answer.status_code == 409
    words = "the numbers have changed since you looked: then 2 of 2 would have changed, now it is 1 of 2."
    assert words in text(answer)
    assert not Task.objects.filter(kind="release").exists()
    assert asked(world, "releases") == []
    assert [standing(number)[0] for number in numbers] == [Status.ACTIVE] * 2


@pytest.mark.failure("F16")
def test_a_number_that_is_assigned_at_the_last_moment_stays_with_its_user(world: World, alice_client: Client) -> None:
    used, free = world.numbers(2)
    address, plan = plan_of(alice_client, "release", [used, free])
    act = customer_does(world, "assign", telephoneNumber=used.e164, when="before")
    world.sandbox.fault({"mount": "oc", "method": "POST", "path": "/releases"}, {"customer": act})
    alice_client.post(address, {"shown": plan.context["proposal"].shown})
    task = passes.finish(Task.objects.get())
    assert counters(task) == (TaskState.PARTIAL, 1, 1)
    assert outcomes(task)[used.e164] == (ItemState.FAILED, "NumberAssigned")
    assert "The telephone number is assigned; unassign it first." in task_page(alice_client, task)
    assert standing(used)[0] == Status.ACTIVE
    assert (used.assignment_status, used.assigned) == ("Assigned", True)
    assert world.device_prefixes() == {used.e164}
    assert asked(world, "releases") == ["send 202", "follow 200"]


@pytest.mark.failure("F17")
def test_a_release_that_expires_leaves_the_number_and_can_be_tried_again(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    world.sandbox.call("POST", "/clock", {"mode": "manual"})
    world.sandbox.call("PUT", "/state", {"hold": {"releases": True}, "expiry": 3600})
    task = passes.advance(release())
    assert (task.state, "Microsoft is working on 1 number." in task.message) == (TaskState.WAITING, True)
    world.sandbox.call("POST", "/clock/advance", {"seconds": 3600})
    asked_at_once(task)
    passes.finish(task)
    assert counters(task) == (TaskState.FAILED, 0, 1)
    assert outcomes(task) == {number.e164: (ItemState.FAILED, "Expired")}
    assert jobs() == [("Expired", 1, 0, 1)]
    assert standing(number) == (Status.ACTIVE, message_of(task, number))
    assert world.device_prefixes() == {number.e164}
    assert history(number) == ["release.requested", "release.failed"]
    assert message_of(task, number) in number_page(alice_client, number.e164)
    assert "Retry 1 failed number" in task_page(alice_client, task)

    world.sandbox.call("PUT", "/state", {"hold": {"releases": False}})
    alice_client.post(f"/tasks/{task.pk}/retry/")
    again = Task.objects.get(retry_of=task)
    assert standing(number)[0] == Status.RELEASE_REQUESTED
    passes.finish(again)
    assert counters(again) == (TaskState.SUCCEEDED, 1, 0)
    assert not PhoneNumber.objects.exists()
    assert [status for status, *_counts in jobs()] == ["Expired", "Complete"]
    assert history(number) == ["release.requested", "release.failed", "release.requested", "release.completed"]


@pytest.mark.failure("F14", "F17")
def test_a_retry_does_not_ask_for_what_would_be_refused_by_now(world: World, alice_client: Client) -> None:
    used, free = world.numbers(2)
    world.sandbox.call("PUT", "/state", {"failures": dict.fromkeys([used.e164, free.e164], "Expired")})
    task = passes.finish(release())
    world.sandbox.call("PUT", "/state", {"failures": dict.fromkeys([used.e164, free.e164])})
    PhoneNumber.objects.filter(pk=used.pk).update(assignment_status="UserAssigned")
    alice_client.post(f"/tasks/{task.pk}/retry/")
    again = Task.objects.get(retry_of=task)
    assert (again.total, again.done, again.refused) == (2, 1, 1)
    assert [standing(number)[0] for number in (used, free)] == [Status.ACTIVE, Status.RELEASE_REQUESTED]
    passes.finish(again)
    assert (counters(again), again.refused) == ((TaskState.SUCCEEDED, 1, 0), 1)
    assert "It is assigned. Un-assign it first" in task_page(alice_client, again)
    assert world.asked_about("releases")[used.e164] == 1
