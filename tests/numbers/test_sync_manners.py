"""What a synchronisation leaves alone: numbers that others work on, decisions of people, and what has just left."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Cause, Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations import ON_NUMBERS, archive
from ocadmin.numbers.operations.sync import compare, reading
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import ReleasedNumberFactory, TaskFactory, TaskItemFactory
from tests.numbers.world import EMEA_PROFILE, World

from . import passes

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(hours=1)


@pytest.fixture
def world(sandbox: Any, db: None) -> World:
    """A customer of the sandbox with an SBC."""
    return World(sandbox)


def hold(number: PhoneNumber | str, state: str = ItemState.RUNNING) -> None:
    """Let another operation work on a number."""
    e164 = number if isinstance(number, str) else number.e164
    TaskItemFactory(task=TaskFactory(kind="upload", state=TaskState.RUNNING), key=e164, state=state)


def number(world: World, status: Status = Status.ACTIVE, *, at_microsoft: int | None = 0, **fields: Any) -> PhoneNumber:
    """One number that has had its status for an hour; `at_microsoft` is Microsoft's status, None: it has none."""
    (made,) = world.numbers(1, status=status, status_changed_at=LONG_AGO, routed=False, **fields)
    if at_microsoft is None:
        world.sandbox.numbers(delete=[made.e164])
    else:
        world.at_microsoft([made], acquiredNumberStatus=at_microsoft)
    return made


def look_at(number: PhoneNumber) -> Task:
    """A pass over one number."""
    return passes.synchronise(numbers=[number.e164])


def whole_pass(world: World) -> Task:
    """A pass over the customer's list."""
    return passes.synchronise(customers=[world.customer])


def row(number: PhoneNumber) -> dict[str, Any]:
    return PhoneNumber.objects.filter(pk=number.pk).values().get()


# Numbers that others work on


@pytest.mark.parametrize("state", [ItemState.PENDING, ItemState.RUNNING])
def test_a_busy_number_is_neither_changed_nor_moved_nor_stamped(world: World, state: ItemState) -> None:
    busy = number(world, Status.PENDING_FIRST_SYNC, assignment_status="UserAssigned")
    world.at_microsoft([busy], acquiredNumberStatus=0, assignmentStatus="Unassigned")
    hold(busy, state)
    before = row(busy)
    task = look_at(busy)
    assert row(busy) == before
    assert not AuditEntry.objects.filter(object_id=busy.e164).exists()
    assert not task.items.filter(key=busy.e164).exists()
    assert task.result["busy"] == 1
    assert "1 left to other operations that work on them" in task.message


def test_a_number_that_is_being_uploaded_is_not_brought_by_the_pass(world: World) -> None:
    uploading = number(world)
    PhoneNumber.objects.all().delete()
    hold(uploading)
    task = look_at(uploading)
    assert not PhoneNumber.objects.filter(e164=uploading.e164).exists()
    assert (PhoneNumber.objects.count(), task.result["busy"]) == (0, 1)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.RELEASE_REQUESTED])
def test_a_busy_number_that_is_missing_is_not_taken_for_gone(world: World, status: Status) -> None:
    busy = number(world, status, at_microsoft=None)
    hold(busy)
    whole_pass(world)
    assert PhoneNumber.objects.get(pk=busy.pk).status == status


def test_a_busy_number_of_another_owner_is_no_conflict_yet(world: World) -> None:
    busy = number(world)
    PhoneNumber.objects.update(customer=world.new_customer(EMEA_PROFILE, "Somebody else"))
    hold(busy)
    assert "conflicts" not in look_at(busy).result


def test_a_busy_number_whose_record_cannot_be_read_is_left_alone(world: World) -> None:
    busy = number(world)
    world.at_microsoft([busy], acquiredCapabilities="oops")
    hold(busy)
    task = look_at(busy)
    assert (row(busy)["aslv_code"], task.failed) == (None, 0)


def test_what_another_operation_did_during_the_pass_is_not_undone_by_an_older_list(world: World) -> None:
    mine = number(world, assignment_status="UserAssigned")
    task = passes.start(numbers=[mine.e164])
    run = passes.until(task, "compare")
    PhoneNumber.objects.update(assignment_status="Unassigned")
    hold(mine, ItemState.SUCCEEDED)
    compare.chunk(run)
    assert row(mine)["assignment_status"] == "Unassigned"
    look_at(mine)
    assert row(mine)["assignment_status"] == "UserAssigned"


def test_a_number_that_is_taken_while_the_pass_compares_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = number(world, Status.RELEASE_REQUESTED)
    find = compare._differing_pks

    def then_somebody_takes_it(*args: Any) -> list[int]:
        pks = find(*args)
        hold(mine)
        return pks

    monkeypatch.setattr(compare, "_differing_pks", then_somebody_takes_it)
    task = look_at(mine)
    assert (row(mine)["status"], task.result["busy"]) == (Status.RELEASE_REQUESTED, 1)


@pytest.mark.parametrize("busy", [0, 3])
def test_busy_numbers_cost_no_query_more(world: World, busy: int) -> None:
    numbers = world.numbers(5, routed=False)
    whole_pass(world)
    for one in numbers[:busy]:
        hold(one)
    run = passes.until(passes.start(customers=[world.customer]), "compare")
    with CaptureQueriesContext(connection) as queries:
        compare.chunk(run)
    told = [one["sql"] for one in queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len(told) <= 8, told


# Decisions of people


def clear(number: PhoneNumber) -> None:
    rows = PhoneNumber.objects.filter(pk=number.pk)
    operation = ON_NUMBERS["clear-removal"]
    passes.finish(operation.submit(rows, {"comment": "a mistake"}, title="Clear", by=SYSTEM, channel="web"))
    rows.update(status_changed_at=LONG_AGO)


@pytest.mark.parametrize("at_microsoft", [Status.MARKED_FOR_REMOVAL, None], ids=["still-asked", "still-missing"])
def test_a_cleared_number_is_not_marked_again(world: World, at_microsoft: int | None) -> None:
    cleared = number(world, Status.MARKED_FOR_REMOVAL, at_microsoft=at_microsoft)
    clear(cleared)
    look_at(cleared)  # fills in what the row lacks
    entries = AuditEntry.objects.filter(object_id=cleared.e164).count()
    task = whole_pass(world)
    found = PhoneNumber.objects.get(pk=cleared.pk)
    assert (found.status, found.status_reason) == (Status.ACTIVE, "a mistake")
    assert found.removal_cleared_at is not None
    assert not task.items.filter(key=cleared.e164).exists()
    assert AuditEntry.objects.filter(object_id=cleared.e164).count() == entries


def test_other_changes_of_a_cleared_number_are_copied(world: World) -> None:
    cleared = number(world, Status.MARKED_FOR_REMOVAL, at_microsoft=Status.MARKED_FOR_REMOVAL)
    clear(cleared)
    world.at_microsoft([cleared], acquiredNumberStatus=Status.MARKED_FOR_REMOVAL, displayedCountryCode="IE")
    look_at(cleared)
    found = PhoneNumber.objects.get(pk=cleared.pk)
    assert (found.displayed_country_code, found.status) == ("IE", Status.ACTIVE)
    assert found.removal_cleared_at is not None


def test_the_decision_is_forgotten_once_microsoft_lists_the_number_as_active(world: World) -> None:
    cleared = number(world, Status.MARKED_FOR_REMOVAL, at_microsoft=None)
    clear(cleared)
    world.at_microsoft([cleared], acquiredNumberStatus=0)
    task = look_at(cleared)
    assert PhoneNumber.objects.get(pk=cleared.pk).removal_cleared_at is None
    assert task.items.get(key=cleared.e164).code == "restored"
    entry = AuditEntry.objects.get(object_id=cleared.e164, action="sync.restored")
    assert entry.after["removal_cleared_at"] is None
    world.at_microsoft([cleared], acquiredNumberStatus=Status.MARKED_FOR_REMOVAL)
    look_at(cleared)
    assert PhoneNumber.objects.get(pk=cleared.pk).status == Status.MARKED_FOR_REMOVAL


def test_a_cleared_number_does_not_weigh_on_the_brake(world: World) -> None:
    cleared = number(world, Status.MARKED_FOR_REMOVAL, at_microsoft=None)
    clear(cleared)
    run = passes.until(passes.start(customers=[world.customer]), "missing")
    assert cleared not in reading.not_listed(run)
    assert cleared not in reading.held_before(run)


def test_a_cleared_number_that_is_released_and_missing_has_been_released(world: World) -> None:
    cleared = number(world, Status.RELEASE_REQUESTED, at_microsoft=None, removal_cleared_at=LONG_AGO)
    whole_pass(world)
    assert ReleasedNumber.objects.filter(e164=cleared.e164).exists()


def test_asked_for_by_itself_a_cleared_number_is_said_to_stay(world: World) -> None:
    cleared = number(world, Status.MARKED_FOR_REMOVAL, at_microsoft=None)
    clear(cleared)
    task = passes.synchronise(numbers=[cleared.e164])
    assert "somebody has decided to keep it" in task.items.get().message


# Releases that ended without an answer


def test_a_release_that_was_not_carried_out_is_put_right(world: World) -> None:
    forgotten = number(world, Status.RELEASE_REQUESTED)
    task = look_at(forgotten)
    found = PhoneNumber.objects.get(pk=forgotten.pk)
    assert found.status == Status.ACTIVE
    assert found.status_reason == "Microsoft still lists it as active: its release was not carried out."
    item = task.items.get(key=forgotten.e164)
    assert (item.code, item.state, item.message) == ("release_not_done", ItemState.SUCCEEDED, found.status_reason)
    entry = AuditEntry.objects.get(object_id=forgotten.e164)
    assert (entry.action, entry.message) == ("sync.release_not_done", found.status_reason)
    assert (entry.before["status"], entry.after["status"]) == ("RELEASE_REQUESTED", "ACTIVE")
    assert "1 whose release was not carried out, active again" in task.message


def test_a_release_that_microsoft_works_on_is_left_alone(world: World) -> None:
    leaving = number(world, Status.RELEASE_REQUESTED, at_microsoft=Status.RELEASE_REQUESTED)
    look_at(leaving)
    assert PhoneNumber.objects.get(pk=leaving.pk).status == Status.RELEASE_REQUESTED


def test_a_release_that_is_younger_than_the_list_is_left_alone(world: World) -> None:
    mine = number(world)
    task = passes.start(numbers=[mine.e164])
    run = passes.until(task, "compare")
    PhoneNumber.objects.update(status=Status.RELEASE_REQUESTED, status_changed_at=timezone.now())
    compare.chunk(run)
    assert row(mine)["status"] == Status.RELEASE_REQUESTED


# What has just left


def test_a_number_that_left_while_the_list_was_read_does_not_come_back(world: World) -> None:
    mine = number(world, Status.RELEASE_REQUESTED)
    task = passes.start(numbers=[mine.e164])
    run = passes.until(task, "compare")
    leaving = PhoneNumber.objects.filter(pk=mine.pk)
    archive.leave(leaving, Cause.RELEASE_COMPLETED, at=timezone.now(), task_ref=task.pk)
    compare.chunk(run)
    assert not PhoneNumber.objects.filter(e164=mine.e164).exists()


@pytest.mark.parametrize(
    ("at_microsoft", "hours", "new"),
    [(Status.RELEASE_REQUESTED, 1, False), (Status.RELEASE_REQUESTED, 48, True), (Status.ACTIVE, 1, True)],
    ids=["lagging", "long-ago", "uploaded-elsewhere"],
)
def test_a_released_number_that_microsoft_still_shows_on_its_way_out(
    world: World, at_microsoft: Status, hours: int, new: bool
) -> None:
    mine = number(world, at_microsoft=at_microsoft)
    PhoneNumber.objects.all().delete()
    ReleasedNumberFactory(e164=mine.e164, customer=world.customer, released_at=timezone.now() - timedelta(hours=hours))
    look_at(mine)
    assert PhoneNumber.objects.filter(e164=mine.e164).exists() is new


def test_an_upload_that_ended_in_doubt_keeps_its_source(world: World) -> None:
    mine = number(world)
    PhoneNumber.objects.all().delete()
    upload = TaskFactory(kind="upload", params={"source": "webui"}, state=TaskState.FAILED, finished_at=timezone.now())
    doubt = {"task": upload, "state": ItemState.FAILED, "code": "unknown_outcome"}
    TaskItemFactory(key=mine.e164, customer_ref=world.customer.pk, **doubt)
    look_at(mine)
    assert PhoneNumber.objects.get(e164=mine.e164).source == "webui"
