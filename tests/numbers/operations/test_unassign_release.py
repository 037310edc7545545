"""Un-assign, then release: one action; no number is un-assigned and forgotten, whoever dies in between."""

from typing import Any

import pytest
from django.conf import settings

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Permission, Role
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import ConnectionState, Customer, PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.release import Release
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from sbc.models import State
from tests.factories import UserFactory, grant
from tests.numbers import passes
from tests.numbers.unassigning import finish, let_pass, posts
from tests.numbers.unassigning import submit as submit_any
from tests.numbers.world import World

pytestmark = pytest.mark.django_db

KIND = "unassign-release"
FIRST, SECOND, FREE = "+442079460500", "+442079460501", "+442079460600"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time to withdraw a release."""
    monkeypatch.setattr(settings.ENV, "release_grace_seconds", 0)


@pytest.fixture
def mixed(world: World) -> World:
    """Two numbers with a user, one without."""
    world.numbers(2, assignment_status="UserAssigned")
    world.numbers(1, first=int(FREE))
    return world


def submit(**more: Any) -> Task:
    return submit_any(KIND, **more)


def release_of(task: Task) -> Task:
    """The one release task that a chain has made."""
    (pk,) = task.result["next_tasks"]
    return Task.objects.get(pk=pk)


def test_one_action_takes_numbers_from_their_users_and_gives_them_back(mixed: World, alice: User) -> None:
    task = finish(submit(by=principal_of(alice)))
    release = release_of(task)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3)
    assert task.message == f"3 numbers are free and are being released by task {release.pk}."
    assert f"task {release.pk} releases it" in task.items.get(key=FIRST).message
    assert (release.kind, release.total, release.title) == ("release", 3, "Release: 3 numbers")
    assert (release.actor, release.channel, release.ticket) == (alice, "web", "CHG-9")
    assert release.params == {"comment": "left the company", "previous_task": task.pk}
    passes.finish(release)
    assert (release.state, release.succeeded) == (TaskState.SUCCEEDED, 3)
    assert not PhoneNumber.objects.exists()
    assert ReleasedNumber.objects.count() == 3
    assert mixed.device_prefixes() == set()
    assert mixed.status_at_microsoft(FIRST) is None
    assert len(posts(mixed)) == 2
    actions = AuditEntry.objects.filter(object_id=FIRST).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["unassign.completed", "release.requested", "release.completed"]


def test_numbers_that_nobody_uses_go_straight_to_the_release(world: World) -> None:
    world.numbers(2)
    task = passes.advance(submit())
    assert task.state == TaskState.SUCCEEDED
    assert not posts(world)
    assert release_of(task).total == 2


@pytest.mark.parametrize(
    ("fields", "code", "state"),
    [
        ({"assignment_status": None}, "assignment_unknown", ItemState.REFUSED),
        ({"status": Status.MARKED_FOR_REMOVAL}, "leaving", ItemState.REFUSED),
        ({"status": Status.PENDING_FIRST_SYNC}, "pending_first_sync", ItemState.REFUSED),
        ({"status": Status.RELEASE_REQUESTED}, "requested", ItemState.UNCHANGED),
    ],
)
def test_what_release_refuses_this_refuses_too_but_for_being_assigned(
    mixed: World, fields: dict[str, Any], code: str, state: ItemState
) -> None:
    PhoneNumber.objects.filter(e164=FIRST).update(**fields)
    plan = ON_NUMBERS[KIND].plan(PhoneNumber.objects.all(), {}, principal_of(grant(UserFactory())))
    assert plan.will == 2
    assert [(group.code, group.state, group.count) for group in plan.left_alone] == [(code, state, 1)]


def test_only_assigned_numbers_need_the_connection(mixed: World) -> None:
    Customer.objects.update(connection=ConnectionState.NOT_CONNECTED)
    task = finish(submit())
    refused = task.items.filter(code="not_connected", state=ItemState.REFUSED)
    assert set(refused.values_list("key", flat=True)) == {FIRST, SECOND}
    assert release_of(task).items.get().key == FREE
    assert not posts(mixed)


def test_a_range_is_not_begun_while_an_sbc_is_offline(mixed: World) -> None:
    mixed.sbc.state = State.OFFLINE
    mixed.sbc.save()
    task = submit(params={"range": True})
    assert set(task.items.values_list("code", flat=True)) == {"sbc_offline"}


def test_it_takes_both_permissions(mixed: World, contoso: Customer) -> None:
    operation = ON_NUMBERS[KIND]
    lite = principal_of(grant(UserFactory(), Role.LITE_OPERATOR))
    assert operation.missing(lite) == Permission.RELEASE
    plan = operation.plan(PhoneNumber.objects.all(), {}, lite)
    assert plan.will == 0
    assert [group.code for group in plan.left_alone] == ["not_permitted"]
    assert "Release numbers" in plan.left_alone[0].sentence
    assert "Un-assign" not in plan.left_alone[0].sentence  # that is permitted
    elsewhere = principal_of(grant(UserFactory(), Role.OPERATOR, customer=contoso))
    assert operation.missing(elsewhere) is None
    plan = operation.plan(PhoneNumber.objects.all(), {}, elsewhere)
    assert "“Release numbers” and “Un-assign numbers”" in plan.left_alone[0].sentence


def test_a_number_that_cannot_be_unassigned_stays_and_the_others_are_released(mixed: World) -> None:
    mixed.sandbox.call("PUT", "/state", {"failures": {SECOND: "InternalError"}})
    task = finish(submit())
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 2, 1)
    assert set(release_of(task).items.values_list("key", flat=True)) == {FIRST, FREE}
    assert "1 was not un-assigned; it says why." in task.message
    assert PhoneNumber.objects.get(e164=SECOND).status == Status.ACTIVE


def test_what_is_done_does_not_wait_long_for_what_is_not(mixed: World) -> None:
    mixed.sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    task = passes.advance(submit())
    assert task.items.filter(code="unassigned").count() == 1  # held: somebody else would find it busy
    assert not Task.objects.filter(kind="release").exists()
    passes.advance(let_pass(task, seconds=1000))
    assert (task.state, release_of(task).items.get().key) == (TaskState.WAITING, FREE)
    mixed.sandbox.call("PUT", "/state", {"hold": {"unassign": False}})
    finish(task)
    assert len(task.result["next_tasks"]) == 2
    assert set(TaskItem.objects.filter(task__kind="release").values_list("key", flat=True)) == {FIRST, SECOND, FREE}


def test_a_crash_before_the_release_exists_forgets_no_number(mixed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = submit()
    with monkeypatch.context() as patched:
        patched.setattr(Release, "claim", lambda *_args: 1 / 0)
        for _ in range(3):
            passes.advance(let_pass(task))
    assert task.alive
    assert task.items.filter(state=ItemState.RUNNING, code="unassigned").count() == 3
    assert not Task.objects.filter(kind="release").exists()
    assert PhoneNumber.objects.get(e164=FIRST).status == Status.ACTIVE
    finish(task)
    assert release_of(task).total == 3
    assert len(posts(mixed)) == 2


def test_a_task_that_gives_up_hands_over_what_is_free(mixed: World) -> None:
    mixed.sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    task = passes.advance(submit())
    Task.objects.filter(pk=task.pk).update(losses=100)
    passes.advance(task)
    assert (task.state, release_of(task).items.get().key) == (TaskState.FAILED, FREE)
    assert set(task.items.filter(state=ItemState.FAILED).values_list("key", flat=True)) == {FIRST, SECOND}


def test_cancelling_releases_nothing_and_says_what_is_unassigned(mixed: World) -> None:
    mixed.sandbox.call("PUT", "/state", {"lag": 10**6})
    task = submit()
    for _ in range(4):
        passes.advance(let_pass(task))
    services.cancel(Task.objects.filter(pk=task.pk), by=principal_of(grant(UserFactory())), channel="web")
    finish(task)
    assert task.state == TaskState.CANCELLED
    assert not Task.objects.filter(kind="release").exists()
    assert task.items.get(key=FREE).state == ItemState.CANCELLED
    unassigned = task.items.get(key=FIRST)
    assert (unassigned.state, unassigned.code) == (ItemState.SUCCEEDED, "not_released")
    assert "2 were un-assigned, but not released." in task.message
    assert PhoneNumber.objects.get(e164=FIRST).assignment_status == "Unassigned"


def test_failed_numbers_can_be_tried_again(mixed: World) -> None:
    mixed.sandbox.call("PUT", "/state", {"failures": {SECOND: "InternalError"}})
    task = finish(submit())
    mixed.sandbox.call("PUT", "/state", {"failures": {SECOND: None}})
    again = finish(services.retry_failed(task, by=principal_of(grant(UserFactory())), channel="web"))
    assert release_of(again).items.get().key == SECOND


def test_a_release_refused_as_assigned_leads_here(mixed: World) -> None:
    """Microsoft knew better (upstreams.md §9.7, F14, F16): the next plan says so and offers this action."""
    assigned = {"tenantId": str(mixed.customer.tenant_id), "action": "assign", "telephoneNumber": FREE}
    mixed.sandbox.call("POST", "/customer", assigned)
    numbers = PhoneNumber.objects.filter(e164=FREE)
    operator = principal_of(grant(UserFactory(), Role.OPERATOR))
    task = ON_NUMBERS["release"].submit(numbers, {}, title="Release", by=operator, channel="web")
    passes.finish(task)
    assert task.items.get().code == "NumberAssigned"
    number = numbers.get()
    assert (number.status, number.assignment_status, number.assigned) == (Status.ACTIVE, "Assigned", True)
    entry = AuditEntry.objects.get(action="release.assigned")
    assert (entry.before, entry.after) == ({"assignment_status": "Unassigned"}, {"assignment_status": "Assigned"})
    plan = ON_NUMBERS["release"].plan(numbers, {}, operator)
    assert [(group.code, group.remedy) for group in plan.left_alone] == [("assigned", KIND)]
    assert plan.as_dict()["leftAlone"][0]["remedy"] == KIND
    finish(submit())
    assert len(posts(mixed)) == 3
