"""Release: Microsoft first, then the SBC, then the archive; every number once, and each failure its own sentence."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.plan import Stranger
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, SAUERLAND, World

pytestmark = pytest.mark.django_db

RELEASE = ON_NUMBERS["release"]


def submit(numbers: QuerySet[PhoneNumber] | None = None, **more: Any) -> Task:
    rows = PhoneNumber.objects.all() if numbers is None else numbers
    params = {"comment": "contract ended"} | more.pop("params", {})
    return RELEASE.submit(rows, params, title="Release", by=SYSTEM, channel="web", ticket="CHG-9", **more)


def test_numbers_leave_microsoft_then_the_sbc_then_us(world: World) -> None:
    world.numbers(3)
    task = submit()
    assert set(PhoneNumber.objects.values_list("status", "status_reason")) == {
        (Status.RELEASE_REQUESTED, "contract ended")
    }
    passes.finish(task)
    assert (task.state, task.succeeded, task.failed) == (TaskState.SUCCEEDED, 3, 0), task.message
    assert task.message == "3 numbers released."
    assert not PhoneNumber.objects.exists()
    assert world.device_prefixes() == set()
    assert world.status_at_microsoft("+442079460500") is None
    job = UpstreamJob.objects.get()
    assert (job.status, job.total, job.succeeded, job.failed) == ("Complete", 3, 3, 0)
    gone = ReleasedNumber.objects.get(e164="+442079460500")
    assert (gone.ms_job_id, gone.task_ref, gone.customer) == (job.ms_job_id, task.pk, world.customer)
    assert gone.quarantine_until - gone.released_at == timedelta(days=settings.ENV.quarantine_days)
    actions = AuditEntry.objects.filter(object_id="+442079460500").order_by("pk").values_list("action", "ticket")
    assert list(actions) == [("release.requested", "CHG-9"), ("release.completed", "CHG-9")]
    last = AuditEntry.objects.get(object_id="+442079460500", action="release.completed").after
    assert last == {"status": "RELEASED", "ms_job_id": str(job.ms_job_id), "unrouted": "EMEA SP1 SBC"}
    assert {item.upstream_ids["ms_job_id"] for item in task.items.all()} == {str(job.ms_job_id)}


def test_one_job_for_each_customer_and_thousand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "job_size", 2)
    other = world.new_customer(SAUERLAND, "Sauerland")
    world.numbers(3, routed=False, source=Source.EXTERNAL)
    world.numbers(1, first=442079460600, customer=other, routed=False, source=Source.EXTERNAL)
    passes.finish(submit())
    assert sorted(UpstreamJob.objects.values_list("customer_id", "total")) == sorted(
        [(world.customer.pk, 2), (world.customer.pk, 1), (other.pk, 1)]
    )
    assert not PhoneNumber.objects.exists()


def test_a_number_that_came_in_elsewhere_never_touches_an_sbc(world: World) -> None:
    world.route(world.numbers(1, source=Source.EXTERNAL))
    passes.finish(submit())
    assert world.device_prefixes() == {"+442079460500"}
    assert not PhoneNumber.objects.exists()
    assert "unrouted" not in AuditEntry.objects.get(action="release.completed").after


@pytest.mark.parametrize(
    ("fields", "code", "state"),
    [
        ({"assignment_status": "UserAssigned"}, "assigned", ItemState.REFUSED),
        ({"assignment_status": "FutureThing"}, "assigned", ItemState.REFUSED),
        ({"assignment_status": None}, "assignment_unknown", ItemState.REFUSED),
        ({"status": Status.MARKED_FOR_REMOVAL}, "leaving", ItemState.REFUSED),
        ({"status": Status.READY_FOR_REMOVAL}, "removed", ItemState.REFUSED),
        ({"status": Status.PENDING_FIRST_SYNC}, "pending_first_sync", ItemState.REFUSED),
        ({"status": Status.RELEASE_REQUESTED}, "requested", ItemState.UNCHANGED),
    ],
)
def test_what_cannot_be_released_is_left_alone_and_says_why(
    world: World, fields: dict[str, Any], code: str, state: ItemState
) -> None:
    world.numbers(1)
    left = world.numbers(1, first=442079460600, routed=False, **fields)[0]
    task = passes.finish(submit())
    item = task.items.get(key=left.e164)
    assert (item.state, item.code) == (state, code)
    assert item.message.endswith((".", "”."))
    assert task.succeeded == 1
    left.refresh_from_db()
    assert left.status == fields.get("status", Status.ACTIVE)


def test_a_number_assigned_after_the_plan_fails_alone(world: World) -> None:
    first, second = world.numbers(2)
    task = submit()
    world.at_microsoft([second], acquiredNumberStatus=0, assignmentStatus="UserAssigned")
    passes.finish(task)
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 1, 1)
    item = task.items.get(key=second.e164)
    assert (item.state, item.code) == (ItemState.FAILED, "NumberAssigned")
    assert "assigned" in item.message
    second.refresh_from_db()
    assert (second.status, second.status_reason) == (Status.ACTIVE, item.message)
    assert world.device_prefixes() == {second.e164}
    assert not PhoneNumber.objects.filter(pk=first.pk).exists()


def test_quarantine_follows_the_country(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "quarantine_countries", {"GB": 90})
    world.numbers(1)
    passes.finish(submit())
    gone = ReleasedNumber.objects.get()
    assert (gone.quarantine_until - gone.released_at).days == 90


def test_a_range_is_not_released_while_an_sbc_is_offline(world: World) -> None:
    world.numbers(2)
    task = submit(params={"range": True})
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": False})
    passes.finish(task)
    assert (task.state, task.failed) == (TaskState.FAILED, 2)
    assert set(task.items.values_list("code", flat=True)) == {"sbc_offline"}
    assert not world.posts("/releases")
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.ACTIVE}
    # once known to be offline, the plan says so
    plan = RELEASE.plan(PhoneNumber.objects.all(), {"range": True}, SYSTEM)
    assert [group.code for group in plan.left_alone] == ["sbc_offline"]


def test_an_sbc_that_goes_offline_parks_the_task_until_it_is_back(world: World) -> None:
    world.numbers(2)
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": False})
    task = submit()
    for _slice in range(2):
        passes.advance(task)
    assert (task.state, task.alive) == (TaskState.WAITING, True)
    assert "EMEA SP1 SBC" in task.message
    assert PhoneNumber.objects.filter(status=Status.RELEASE_REQUESTED).count() == 2
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": True})
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED
    assert world.device_prefixes() == set()


def test_an_sbc_that_refuses_us_does_not_keep_the_numbers(world: World) -> None:
    world.numbers(2)
    type(world.sbc).objects.update(username="nobody")
    task = passes.finish(submit())
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2)
    assert "The SBC rules of 2 could not be removed." in task.message
    assert set(task.items.values_list("code", flat=True)) == {"rule_left"}
    assert ReleasedNumber.objects.count() == 2


def test_the_time_of_grace_passes_before_anything_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "release_grace_seconds", 60)
    world.numbers(1)
    task = passes.advance(submit())
    assert task.state == TaskState.WAITING
    assert "withdrawn" in task.message
    assert not world.posts("/releases")
    Task.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED


def test_cancelling_lets_go_of_what_was_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "release_grace_seconds", 60)
    world.numbers(2)
    task = passes.advance(submit())
    services.cancel(Task.objects.all(), by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert "2 numbers had not been sent" in task.message
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.ACTIVE}


def test_cancelling_follows_what_microsoft_does_already(world: World) -> None:
    world.sandbox.call("PUT", "/state", {"hold": {"releases": True}})
    world.numbers(1)
    task = passes.advance(submit())
    services.cancel(Task.objects.all(), by=SYSTEM, channel="web")
    passes.advance(task)
    assert task.state == TaskState.CANCELLING
    world.sandbox.call("PUT", "/state", {"hold": {"releases": False}})
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert task.succeeded == 1
    assert ReleasedNumber.objects.count() == 1


def test_everything_that_was_named_has_an_outcome_row_of_its_own(world: World) -> None:
    world.numbers(1)
    texts = ["+442079460000-+442079999999", "+442079460000-+4420794600009", "+442079460000-+4", "rubbish"]
    strangers = [Stranger(text, "range_too_large", "Too many.") for text in texts]
    task = passes.finish(submit(strangers=strangers))
    refused = task.items.filter(state=ItemState.REFUSED).order_by("pk")
    assert (task.total, task.refused, len(refused)) == (5, 4, 4)
    assert [item.message for item in refused] == [
        f"“{texts[0]}”: Too many.",
        f"“{texts[1]}”: Too many.",
        f"“{texts[2]}”: Too many.",
        "Too many.",
    ]
