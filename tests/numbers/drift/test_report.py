"""Making the report over real HTTP: what is read, what is kept when something cannot be, what is left out."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import DriftFinding, DriftRun, MicrosoftNumber, MicrosoftReading, PhoneNumber
from ocadmin.numbers.operations import drift
from ocadmin.numbers.operations.drift import report, suspects
from ocadmin.numbers.tasks import scheduled_drift
from ocadmin.tasks import engine
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.services import AlreadyRunning
from sbc import outstanding
from sbc.models import DialPlanRule
from tests.factories import ReleasedNumberFactory, TaskFactory, TaskItemFactory
from tests.numbers import passes
from tests.numbers.world import EMEA_SBC, World

from . import runs

pytestmark = pytest.mark.django_db


def test_a_world_in_sync_has_no_findings(world: World) -> None:
    runs.settled(world, 3)
    task = runs.compare()
    assert (task.state, task.message, runs.found()) == (TaskState.SUCCEEDED, "0 gone, none is left.", set())


def test_what_is_new_what_is_gone_and_since_when(world: World) -> None:
    one, two = runs.settled(world, 2, routed=False)
    runs.device(world, rules=[runs.rule(one.e164)])
    assert runs.compare().message == "1 new, 0 gone, 1 in all: 1 No routing."
    first = DriftFinding.objects.current().get()
    assert (first.e164, first.customer, first.sbc_id) == (two.e164, world.customer, EMEA_SBC)
    assert first.details["expected"] == {"tag": runs.TAG, "name": "Harbourline"}
    runs.device(world, rules=[runs.rule(one.e164, "old")])
    assert "1 new, 0 gone, 2 in all" in runs.compare().message
    kept = DriftFinding.objects.current().get(e164=two.e164)
    assert (kept.since, kept.first_run) == (first.since, first.run_id)
    runs.device(world, rules=[runs.rule(one.e164), runs.rule(two.e164)])
    assert "2 gone" in runs.compare().message
    assert (DriftRun.objects.count(), DriftFinding.objects.count()) == (1, 0)


def test_a_rule_that_is_gone_is_no_longer_noted_as_present(world: World) -> None:
    runs.settled(world)
    runs.device(world, rules=[])
    runs.compare()
    assert DialPlanRule.objects.values_list("wanted", "present").get() == (True, False)


def test_numbers_that_moved_in_have_their_rules_written_down(world: World) -> None:
    """Wanted and seen, for each managed number and SBC; nothing is written to a device by that."""
    right, wrong, missing = runs.settled(world, 3, routed=False)
    (foreign,) = runs.settled(world, 1, first=442079460700, routed=False, source="")
    there = [runs.rule(right.e164, runs.TAG.upper()), runs.rule(wrong.e164, "old"), runs.rule(foreign.e164)]
    runs.device(world, rules=there)
    before = runs.rules(world)
    runs.compare()
    rows = DialPlanRule.objects.order_by("prefix").values_list("prefix", "tag", "wanted", "present", "drifted")
    noted = [(right, True, False), (wrong, False, True), (missing, False, True)]
    assert list(rows) == [(one.e164, runs.TAG, True, present, drifted) for one, present, drifted in noted]
    assert outstanding.start_due() == 0
    runs.compare()
    assert (DialPlanRule.objects.count(), runs.rules(world)) == (3, before)


def test_a_number_with_a_right_and_a_wrong_rule_is_not_noted_as_present(world: World) -> None:
    """With and without #: nobody knows which of the two carries the calls."""
    (number,) = runs.settled(world, 1, routed=False)
    runs.device(world, rules=[runs.rule(number.e164), runs.rule(f"{number.e164}#", "old")])
    runs.compare()
    assert runs.found() == {(number.e164, "doubled_rule", EMEA_SBC)}
    assert DialPlanRule.objects.values_list("present", "drifted").get() == (False, True)


def test_a_plan_that_is_gone_routes_nothing(world: World) -> None:
    """F21: the device answers, so its numbers are known to be without a rule."""
    (number,) = runs.settled(world)
    runs.compare()
    runs.device(world, deletePlan="OCDialPlan")
    assert "it has no dial plan OCDialPlan" in runs.compare().message
    assert runs.found(stale=False) == {(number.e164, "no_routing", EMEA_SBC)}


def test_a_synchronisation_at_work_is_waited_for(world: World) -> None:
    """What it keeps at its end is what is compared; one that asks a person is not waited for."""
    syncing = TaskFactory(kind="sync", state=TaskState.RUNNING)
    task = drift.start(by=SYSTEM, channel=Channel.WEB)
    engine.advance(task.pk)
    task.refresh_from_db()
    assert (task.state, task.message) == (TaskState.WAITING, "Waiting for the synchronisation to end.")
    Task.objects.filter(pk=syncing.pk).update(state=TaskState.ASKING)
    assert passes.finish(task).state == TaskState.SUCCEEDED


def test_an_offline_sbc_keeps_what_was_found_there(world: World) -> None:
    """F20: nothing is concluded from not reading."""
    (number,) = runs.settled(world, 1, routed=False)
    runs.compare()
    (other,) = runs.settled(world, 1, first=442079460700, routed=False)
    runs.device(world, online=False)
    task = runs.compare()
    assert task.state == TaskState.PARTIAL
    assert "EMEA SP1 SBC: it could not be reached" in task.message
    assert runs.found(stale=True) == {(number.e164, "no_routing", EMEA_SBC)}
    assert runs.found(e164=other.e164) == set()
    runs.device(world, online=True)
    assert runs.compare().state == TaskState.SUCCEEDED
    assert runs.found(stale=False) == {(one.e164, "no_routing", EMEA_SBC) for one in (number, other)}


def test_a_refused_login_is_not_tried_again_by_the_schedule(world: World) -> None:
    """F23: a device locks a user out after some wrong logins."""
    world.sbc.set_password("wrong")
    world.sbc.save()

    def asked() -> int:
        return sum("/sbc/" in one["path"] and "/_sim" not in one["path"] for one in world.sandbox.requests()["value"])

    assert "401" in runs.compare(Channel.SCHEDULE).message
    before = asked()
    assert "401" in runs.compare(Channel.SCHEDULE).message
    assert asked() == before
    runs.compare(Channel.WEB)
    assert asked() == before + 1
    world.sbc.set_password("sandbox-only-secret")
    world.sbc.save()
    assert runs.compare(Channel.SCHEDULE).state == TaskState.SUCCEEDED


def test_without_a_synchronisation_only_database_and_sbcs_are_compared(world: World) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    MicrosoftReading.objects.all().delete()
    MicrosoftNumber.objects.all().delete()
    assert "What Microsoft has is not known" in runs.compare().message
    assert runs.found() == {(number.e164, "no_routing", EMEA_SBC)}
    assert DriftFinding.objects.current().get().at_microsoft is None


@pytest.mark.parametrize(
    ("kind", "state", "age", "judged"),
    [
        ("release", ItemState.RUNNING, timedelta(days=2), False),
        ("release", ItemState.SUCCEEDED, timedelta(minutes=5), False),
        ("release", ItemState.SUCCEEDED, timedelta(hours=2), True),
        ("release", ItemState.FAILED, timedelta(minutes=5), True),
        ("sync", ItemState.SUCCEEDED, timedelta(minutes=5), True),
        ("drift-repair", ItemState.SUCCEEDED, timedelta(minutes=5), True),
    ],
)
def test_numbers_that_something_is_done_to_are_left_out(
    world: World, kind: str, state: ItemState, age: timedelta, judged: bool
) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    when = timezone.now() - age
    TaskItemFactory(task=TaskFactory(kind=kind), key=number.e164, state=state, updated_at=when)
    runs.compare()
    assert bool(runs.found()) == judged
    assert runs.report().left_out == ({} if judged else {"busy": 1})


def test_a_busy_number_keeps_its_finding(world: World) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    runs.compare()
    runs.device(world, rules=[runs.rule(number.e164)])
    TaskItemFactory(key=number.e164, state=ItemState.RUNNING)
    runs.compare()
    assert runs.found(stale=True) == {(number.e164, "no_routing", EMEA_SBC)}


def test_a_run_that_ends_early_leaves_the_report_before_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    runs.compare()
    before = runs.report()
    runs.device(world, rules=[runs.rule(number.e164)])
    monkeypatch.setattr(report, "complete", _broken)
    task = drift.start(by=runs.SYSTEM, channel="web")
    for _ in range(30):
        if passes.advance(task).state == TaskState.FAILED:
            break
    assert task.state == TaskState.FAILED
    assert (runs.report(), runs.found()) == (before, {(number.e164, "no_routing", EMEA_SBC)})
    monkeypatch.undo()
    runs.compare()
    assert (runs.found(), DriftRun.objects.count()) == (set(), 1)


def _broken(*_args: Any) -> None:
    raise RuntimeError("the database went away")


def test_a_cancelled_run_leaves_the_report_before_it(world: World) -> None:
    runs.settled(world, 1, routed=False)
    runs.compare()
    before = runs.report()
    task = drift.start(by=runs.SYSTEM, channel="web")
    Task.objects.filter(pk=task.pk).update(state=TaskState.CANCELLING)
    assert passes.advance(task).state == TaskState.CANCELLED
    assert runs.report() == before


def test_one_at_a_time_and_the_schedule_leaves_out(world: World) -> None:
    drift.start(by=runs.SYSTEM, channel="web")
    with pytest.raises(AlreadyRunning):
        drift.start(by=runs.SYSTEM, channel="web")
    scheduled_drift()
    assert Task.objects.filter(kind="drift").count() == 1


def test_ranges_and_every_kind_about_numbers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces of two numbers each, so that every table ends in another one."""
    monkeypatch.setattr(suspects, "CHUNKS", {})
    monkeypatch.setattr(suspects, "SMALL_CHUNK", 2)
    lost, ghost, conflict, external, fine = runs.settled(world, 5)
    MicrosoftNumber.objects.filter(e164__in=(lost.e164, ghost.e164)).delete()
    sauerland = world.new_customer(world.customer.tenant_id.__class__(int=7), "Sauerland")
    runs.microsoft([conflict], customer=sauerland)
    PhoneNumber.objects.filter(pk=external.pk).update(source="")
    elsewhere, orphan, back = (f"+4420794608{n:02d}" for n in range(3))
    for e164 in (elsewhere, back):
        MicrosoftNumber.objects.create(e164=e164, customer=sauerland, upstream_status=0)
    released = timezone.now() - timedelta(days=3)
    ReleasedNumberFactory(e164=back, customer=world.customer, released_at=released)
    on_device = [one.e164 for one in (lost, conflict, external)] + [fine.e164, orphan, "+1212", "[5-7]xx"]
    runs.device(world, rules=[runs.rule(prefix) for prefix in on_device])
    runs.compare()
    assert runs.found() == {
        (lost.e164, "lost_at_microsoft", None),
        (ghost.e164, "ghost", None),
        (conflict.e164, "ownership_conflict", None),
        (external.e164, "unmanaged", EMEA_SBC),
        (elsewhere, "acquired_elsewhere", None),
        (back, "resurrected", None),
        (orphan, "orphan_rule", EMEA_SBC),
    }
    assert DriftFinding.objects.current().get(e164=conflict.e164).details["owner"] == sauerland.pk


def test_a_block_of_ours_is_no_orphan(world: World) -> None:
    (number,) = runs.settled(world)
    runs.device(world, rules=[runs.rule(number.e164), runs.rule(number.e164[:-2]), runs.rule("+44207946099")])
    runs.compare()
    assert runs.found() == {("+44207946099", "orphan_rule", EMEA_SBC)}


def test_what_a_synchronisation_has_kept(world: World) -> None:
    """A pass over everything replaces it, one over a number renews its part."""
    (number,) = world.numbers(1)
    began = passes.synchronise().started_at
    assert MicrosoftReading.objects.get().began_at == began
    count = MicrosoftNumber.objects.count()
    assert count > 300
    assert MicrosoftNumber.objects.get(e164=number.e164).customer == world.customer
    world.sandbox.numbers(delete=[number.e164])
    passes.synchronise(numbers=[number.e164])
    assert MicrosoftNumber.objects.count() == count - 1
    assert MicrosoftReading.objects.get().began_at == began
    world.at_microsoft([number])
    passes.synchronise(customers=[world.customer])
    assert MicrosoftNumber.objects.count() == count
    assert MicrosoftReading.objects.get().began_at == began
