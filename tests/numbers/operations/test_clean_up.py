"""Clean-up: what Microsoft no longer has loses its SBC rules, then leaves; what Microsoft still has keeps them."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.numbers import tasks
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations import ON_NUMBERS, clean_up
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import DialPlanRule
from tests.factories import PhoneNumberFactory, TaskFactory, TaskItemFactory
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, SAUERLAND, World

pytestmark = pytest.mark.django_db

READY = Status.READY_FOR_REMOVAL


def start() -> Task:
    clean_up.start(by=SYSTEM, channel="command")
    return Task.objects.get(kind="clean-up", finished_at=None)


def waiting(task: Task) -> Task:
    """Slices until the task pauses."""
    for _ in range(50):
        passes.advance(task)
        if task.state == TaskState.WAITING:
            return task
    raise AssertionError(f"{task.state}: {task.message}")


def approve(**by: Any) -> Task:
    marked = PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL)
    who = Principal("supervisor", SYSTEM.grants)
    task = ON_NUMBERS["approve-removal"].submit(
        marked, {"comment": "as agreed"}, title="Approve", by=who, channel="web", ticket="CHG-3"
    )
    return passes.finish(task)


def gone_at_microsoft(world: World, *numbers: PhoneNumber) -> None:
    world.sandbox.numbers(delete=[number.e164 for number in numbers])


def test_an_approved_removal_leaves_everywhere_in_order(world: World) -> None:
    numbers = world.numbers(2, status=Status.MARKED_FOR_REMOVAL)
    approve()
    task = passes.finish(Task.objects.get(kind="clean-up"))
    assert (task.state, task.succeeded, task.failed, task.total) == (TaskState.SUCCEEDED, 2, 0, 2), task.message
    assert task.message == "2 numbers removed."
    assert (task.customer_ref, task.actor_name, task.ticket) == (world.customer.pk, "system", "")
    assert not PhoneNumber.objects.exists()
    assert world.device_prefixes() == set()
    assert not DialPlanRule.objects.exists()
    gone = ReleasedNumber.objects.get(e164=numbers[0].e164)
    assert (gone.customer, gone.task_ref, gone.released_by) == (world.customer, task.pk, "supervisor")
    assert gone.quarantine_until - gone.released_at == timedelta(days=settings.ENV.quarantine_days)
    entries = AuditEntry.objects.filter(object_id=numbers[0].e164).order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["removal.approve", "removal.completed"]
    assert entries[1].before == {"status": "READY_FOR_REMOVAL"}
    assert {(entry.actor_name, entry.ticket) for entry in entries} == {("supervisor", "CHG-3")}


def test_a_number_that_nobody_approved_here_leaves_in_nobody_s_name(world: World) -> None:
    approved = world.numbers(1, status=Status.MARKED_FOR_REMOVAL)
    (other,) = world.numbers(1, first=442079460600, status=READY, routed=False)
    approve()
    gone_at_microsoft(world, *approved, other)
    passes.finish(Task.objects.get(kind="clean-up"))
    assert dict(ReleasedNumber.objects.values_list("e164", "released_by")) == {
        approved[0].e164: "supervisor",
        other.e164: "",
    }
    entry = AuditEntry.objects.get(object_id=other.e164, action="removal.completed")
    assert (entry.actor_name, entry.ticket) == ("", "")


def test_what_microsoft_still_lists_waits_with_its_rule_and_the_pauses_grow(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    task = start()
    pauses = []
    for _round in range(3):
        waiting(task)
        assert task.message == "Microsoft still lists 1 number."
        pauses.append((task.next_run_at - timezone.now()).total_seconds())
        assert world.device_prefixes() == {number.e164}
        assert DialPlanRule.objects.get().wanted
    assert pauses == sorted(pauses)
    assert pauses[0] < 6 < 15 < pauses[2]
    assert task.items.get().code == "still_listed"
    gone_at_microsoft(world, number)
    passes.finish(task)
    assert (task.state, world.device_prefixes()) == (TaskState.SUCCEEDED, set())


def test_one_that_waits_does_not_hold_up_the_others(world: World) -> None:
    first, second = world.numbers(2, status=READY)
    gone_at_microsoft(world, second)
    task = waiting(start())
    assert (task.succeeded, task.total) == (1, 2)
    assert list(PhoneNumber.objects.all()) == [first]
    assert world.device_prefixes() == {first.e164}


def test_microsoft_is_told_again_where_it_still_waits_for_the_approval(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    world.at_microsoft([number], acquiredNumberStatus=Status.MARKED_FOR_REMOVAL)
    task = passes.finish(start())
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 1)
    assert len(world.posts("/release-requests")) == 1


def test_an_sbc_that_is_offline_is_waited_for(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    gone_at_microsoft(world, number)
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": False})
    task = waiting(start())
    assert task.message.startswith("Waiting for an SBC. EMEA SP1 SBC: it could not be reached")
    assert PhoneNumber.objects.get().status == READY
    assert not ReleasedNumber.objects.exists()
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": True})
    passes.finish(task)
    assert (task.state, world.device_prefixes()) == (TaskState.SUCCEEDED, set())
    assert ReleasedNumber.objects.count() == 1


def test_a_number_that_is_back_before_its_rule_went_keeps_it(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    gone_at_microsoft(world, number)
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": False})
    task = waiting(start())
    assert not DialPlanRule.objects.get().wanted
    world.at_microsoft([number])
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": True})
    waiting(task)
    assert task.message == "Microsoft still lists 1 number."
    assert DialPlanRule.objects.get().wanted
    assert world.device_prefixes() == {number.e164}


def test_an_sbc_that_refuses_us_is_not_asked_again_soon(world: World) -> None:
    first, second = world.numbers(2, status=READY)
    gone_at_microsoft(world, first)
    world.sbc.username = "monitor"
    world.sbc.save()
    task = waiting(start())
    assert "EMEA SP1 SBC" in task.message
    asked = len([one for one in world.sandbox.requests()["value"] if "/sbc/" in one["path"]])
    waiting(task)
    assert len([one for one in world.sandbox.requests()["value"] if "/sbc/" in one["path"]]) == asked
    assert PhoneNumber.objects.count() == 2
    assert world.device_prefixes() == {first.e164, second.e164}


def test_a_number_that_came_in_elsewhere_never_touches_an_sbc(world: World) -> None:
    (number,) = world.numbers(1, status=READY, source=Source.EXTERNAL)
    world.route([number])
    gone_at_microsoft(world, number)
    passes.finish(start())
    assert world.device_prefixes() == {number.e164}
    assert not PhoneNumber.objects.exists()


def test_a_rule_from_an_earlier_routing_goes_as_well(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    gone_at_microsoft(world, number)
    number.customer.sip_connections.all().delete()
    world.profile.trunks.all().delete()
    passes.finish(start())
    assert world.device_prefixes() == set()


def test_only_one_runs_and_it_takes_in_what_becomes_ready_later(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    task = waiting(start())
    other = world.new_customer(SAUERLAND, "Sauerland")
    (later,) = world.numbers(1, first=442079460600, customer=other, status=Status.MARKED_FOR_REMOVAL, routed=False)
    approve()
    task.refresh_from_db()
    assert Task.objects.filter(kind="clean-up").count() == 1
    assert task.next_run_at <= timezone.now()
    waiting(task)
    assert (task.succeeded, task.total, task.customer_ref) == (1, 2, None)
    assert list(PhoneNumber.objects.all()) == [number]
    assert ReleasedNumber.objects.get().e164 == later.e164


def test_the_list_of_a_customer_spares_questions_about_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "MANY", 2)
    numbers = world.numbers(5, status=READY, routed=False)
    gone_at_microsoft(world, numbers[0])
    task = waiting(start())
    assert (task.succeeded, task.message) == (1, "Microsoft still lists 4 numbers.")
    singles = [one for one in world.sandbox.requests()["value"] if "/telephone-numbers/" in one["path"]]
    assert len(singles) == 1


def test_numbers_of_a_tenant_that_microsoft_no_longer_knows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "MANY", 0)
    PhoneNumberFactory(e164="+441134960000", status=READY)
    assert passes.finish(start()).succeeded == 1


def test_a_cancelled_clean_up_ends_at_once_and_the_numbers_stay_ready(world: World) -> None:
    numbers = world.numbers(2, status=READY)
    gone_at_microsoft(world, numbers[0])
    task = waiting(start())
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.advance(task)
    assert task.state == TaskState.CANCELLED
    assert task.message.startswith("Stopped: 1 number was removed. 1 stays ready")
    assert PhoneNumber.objects.get().status == READY
    assert task.items.get(key=numbers[1].e164).state == ItemState.CANCELLED
    tasks.scheduled_clean_up()
    assert waiting(Task.objects.get(kind="clean-up", finished_at=None)).total == 1


def test_the_schedule_starts_it_only_where_numbers_are_ready_and_idle(world: World) -> None:
    tasks.scheduled_clean_up()
    (number,) = world.numbers(1, status=READY)
    item = TaskItemFactory(task=TaskFactory(), key=number.e164, state=ItemState.RUNNING)
    tasks.scheduled_clean_up()
    assert not Task.objects.filter(kind="clean-up").exists()
    item.delete()
    tasks.scheduled_clean_up()
    task = Task.objects.get(kind="clean-up")
    assert task.channel == "schedule"
    assert settings.CELERY_BEAT_SCHEDULE["clean-up"]["task"] == tasks.scheduled_clean_up.name


def test_microsoft_away_changes_nothing(world: World) -> None:
    (number,) = world.numbers(1, status=READY)
    world.sandbox.fault({"mount": "oc", "path": "/telephone-numbers"}, {"status": 503}, times=20)
    task = waiting(start())
    assert "it failed itself" in task.message
    assert world.device_prefixes() == {number.e164}
    assert PhoneNumber.objects.get().status == READY
