"""Repairing what was found: each kind, what is refused, what has changed meanwhile, an SBC that is waited for."""

import pytest

from ocadmin.access.models import AuditEntry
from ocadmin.numbers.models import MicrosoftNumber, PhoneNumber
from ocadmin.numbers.operations.drift.repair import Repair
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from sbc.models import DialPlanRule
from tests.factories import PhoneNumberFactory, SBCFactory, TaskItemFactory
from tests.numbers import passes
from tests.numbers.world import EMEA_SBC, World

from . import runs
from .runs import TAG, rule

pytestmark = pytest.mark.django_db

ORPHAN = "+442079460990"


def outcome(task: Task) -> dict[str, tuple[str, str]]:
    """Number to state and code."""
    return {item.key: (item.state, item.code) for item in task.items.all()}


def test_every_kind_that_a_machine_may_repair(world: World) -> None:
    missing, wrong, doubled, misplaced, fine = runs.settled(world, 5, routed=False)
    elsewhere = runs.settled(world, 1, first=442079460700, source="", routed=False)[0]
    other = PhoneNumberFactory(
        e164="+442079460800", customer=world.customer, calling_profile=world.profile, source="webui"
    )
    PhoneNumber.objects.filter(pk=other.pk).update(status_changed_at=missing.when_created.replace(year=2020))
    runs.microsoft([other])
    # This one's customer is on another SBC, which nobody can reach.
    far = world.new_customer(world.customer.tenant_id.__class__(int=9), "Far")
    far.sip_connections.update(sbc=SBCFactory(rest_url=""))
    PhoneNumber.objects.filter(pk=misplaced.pk).update(customer=far)
    runs.microsoft([misplaced], customer=far)
    foreign = [rule("+1212", "old"), rule("[5-7]xx", "old")]
    ours = [
        rule(wrong.e164, "old"),
        rule(doubled.e164),
        rule(f"{doubled.e164}#", "old"),
        rule(misplaced.e164),
        rule(fine.e164),
        rule(elsewhere.e164, "old"),
        rule(other.e164),
        rule(ORPHAN),
    ]
    runs.device(world, rules=foreign + ours)
    runs.compare()
    assert runs.found() == {
        (missing.e164, "no_routing", EMEA_SBC),
        (wrong.e164, "wrong_tag", EMEA_SBC),
        (doubled.e164, "doubled_rule", EMEA_SBC),
        (misplaced.e164, "misplaced_rule", EMEA_SBC),
        (elsewhere.e164, "unmanaged", EMEA_SBC),
        (ORPHAN, "orphan_rule", EMEA_SBC),
    }
    left = runs.repair()
    assert (left.state, left.succeeded, left.unchanged) == (TaskState.SUCCEEDED, 5, 1)
    assert runs.found() == {(elsewhere.e164, "unmanaged", EMEA_SBC)}
    assert runs.repair(params={"unmanaged": "adopt"}).succeeded == 1
    assert runs.found() == set()
    assert PhoneNumber.objects.get(pk=elsewhere.pk).source == "webui"
    expected = {one.e164: TAG for one in (wrong, doubled, fine, elsewhere, other)}
    expected |= {f"{missing.e164}#": TAG, f"{doubled.e164}#": TAG, "+1212": "old", "[5-7]xx": "old"}
    assert runs.rules(world) == expected
    runs.compare()
    assert runs.found() == set()
    told = AuditEntry.objects.filter(action__startswith="drift.").values_list("action", "object_id")
    assert {e164 for action, e164 in told if action == "drift.repaired"} >= {missing.e164, ORPHAN}
    assert [e164 for action, e164 in told if action == "drift.adopted"] == [elsewhere.e164]


def test_what_is_for_people_is_refused(world: World) -> None:
    conflict, lost = runs.settled(world, 2)
    sauerland = world.new_customer(world.customer.tenant_id.__class__(int=7), "Sauerland")
    runs.microsoft([conflict], customer=sauerland)
    MicrosoftNumber.objects.filter(e164=lost.e164).delete()
    MicrosoftNumber.objects.create(e164=ORPHAN, customer=sauerland)
    runs.compare()
    task = runs.submit()
    assert outcome(task) == {
        conflict.e164: ("refused", "ownership_conflict"),
        lost.e164: ("refused", "not_at_microsoft"),
        ORPHAN: ("refused", "acquired_elsewhere"),
    }
    assert passes.finish(task).succeeded == 0


def test_a_rule_that_belongs_to_somebody_by_now_stays(world: World) -> None:
    runs.device(world, rules=[rule(ORPHAN)])
    runs.compare()
    task = runs.submit()
    PhoneNumberFactory(e164=ORPHAN, customer=world.customer, calling_profile=world.profile, source="webui")
    assert outcome(passes.finish(task)) == {ORPHAN: ("unchanged", "changed_meanwhile")}
    assert ORPHAN in world.device_prefixes()


def test_a_rule_of_a_number_that_microsoft_has_by_now_stays(world: World) -> None:
    runs.device(world, rules=[rule(ORPHAN)])
    runs.compare()
    task = runs.submit()
    MicrosoftNumber.objects.create(e164=ORPHAN, customer=world.customer)
    assert outcome(passes.finish(task)) == {ORPHAN: ("unchanged", "changed_meanwhile")}


def test_orphans_stay_while_nobody_knows_what_microsoft_has(world: World) -> None:
    runs.device(world, rules=[rule(ORPHAN)])
    runs.MicrosoftReading.objects.all().delete()
    runs.compare()
    assert outcome(runs.submit()) == {ORPHAN: ("refused", "microsoft_unknown")}


def test_a_busy_number_is_refused_and_a_repair_keeps_others_away(world: World) -> None:
    one, two = runs.settled(world, 2, routed=False)
    runs.compare()
    TaskItemFactory(key=one.e164, state=ItemState.RUNNING)
    task = runs.submit()
    assert outcome(task) == {one.e164: ("refused", "busy"), two.e164: ("pending", "")}
    assert outcome(runs.submit())[two.e164] == ("refused", "busy")


def test_an_offline_sbc_is_waited_for(world: World) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    runs.compare()
    task = runs.submit()
    runs.device(world, online=False)
    for _ in range(3):
        passes.advance(task)
    assert task.state == TaskState.WAITING
    assert "EMEA SP1 SBC: it could not be reached" in task.message
    assert runs.found() == {(number.e164, "no_routing", EMEA_SBC)}
    runs.device(world, online=True)
    assert outcome(passes.finish(task)) == {number.e164: ("succeeded", "")}
    assert runs.found() == set()


def test_a_refusal_fails_and_can_be_tried_again(world: World) -> None:
    (number,) = runs.settled(world, 1, routed=False)
    runs.compare()
    task = runs.submit()
    world.sbc.set_password("wrong")
    world.sbc.save()
    assert outcome(passes.finish(task)) == {number.e164: ("failed", "sbc_bad_credentials")}
    world.sbc.set_password("sandbox-only-secret")
    world.sbc.save()
    again = services.retry_failed(task, by=runs.SYSTEM, channel="web")
    assert outcome(passes.finish(again)) == {number.e164: ("succeeded", "")}


def test_cancelling_lets_go_of_the_rest(world: World) -> None:
    runs.settled(world, 1, routed=False)
    runs.compare()
    task = runs.submit()
    Task.objects.filter(pk=task.pk).update(state=TaskState.CANCELLING)
    assert passes.advance(task).state == TaskState.CANCELLED
    assert not TaskItem.objects.filter(state=ItemState.PENDING).exists()
    assert len(runs.found()) == 1
    assert DialPlanRule.objects.values_list("present", "drifted").get() == (False, True)
    assert runs.rules(world) == {}


def test_a_plan_touches_nothing(world: World) -> None:
    runs.settled(world, 1, routed=False)
    runs.compare()
    plan = Repair().plan(runs.DriftFinding.objects.current(), {}, runs.SYSTEM)
    assert (plan.will, plan.total, Task.objects.filter(kind="drift-repair").count()) == (1, 1, 0)
