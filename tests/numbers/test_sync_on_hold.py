"""A customer whose synchronisation is on hold: the verbs, what passes leave alone, and when they go on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, MicrosoftNumber, PhoneNumber
from ocadmin.numbers.operations import sync
from ocadmin.numbers.operations.sync import compare, missing, on_hold
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.run import Run
from tests.factories import CustomerFactory, PhoneNumberFactory
from tests.sandbox_process import Sandbox

from . import passes
from .world import FIRST, SAUERLAND, World

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(hours=1)
REASON = "Disputed."


def hold(customer: Customer) -> bool:
    return sync.hold(customer, reason=REASON, by=SYSTEM, channel="command", ticket="INC7")


def resume(customer: Customer) -> bool:
    return sync.resume(customer, by=SYSTEM, channel="command", comment="Settled")


def entries(customer: Customer) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__startswith="customer.", customer_ref=customer.pk).order_by("pk"))


# The verbs


def test_hold_and_resume_are_told_once_each(contoso: Customer) -> None:
    assert [hold(contoso), hold(contoso)] == [True, False]
    row = Customer.objects.on_hold().get()
    assert row.sync_held_at is not None
    assert (row.pk, row.sync_hold_reason) == (contoso.pk, REASON)
    assert [resume(contoso), resume(contoso)] == [True, False]
    assert not Customer.objects.on_hold().exists()
    held, resumed = entries(contoso)
    assert (held.action, held.message, held.ticket, held.object_type) == (
        "customer.sync_held",
        REASON,
        "INC7",
        "customer",
    )
    assert held.title == "Synchronisation put on hold"
    assert (resumed.action, resumed.message) == ("customer.sync_resumed", "Settled")
    assert resumed.before == {"sync_held_at": row.sync_held_at.isoformat(), "sync_hold_reason": REASON}


@pytest.mark.parametrize("columns", [{"sync_held_at": LONG_AGO}, {"sync_hold_reason": REASON}])
def test_no_hold_without_a_reason_and_no_reason_without_a_hold(contoso: Customer, columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=contoso.pk).update(**columns)


# What passes leave alone


@pytest.fixture
def world(sandbox: Sandbox, db: None) -> World:
    """A customer, and at Microsoft only the numbers that a test makes."""
    sandbox.reset("empty")
    return World(sandbox)


@pytest.fixture
def other(world: World) -> Customer:
    """A customer beside the one of the world, not on hold."""
    return world.new_customer(SAUERLAND, "Sauerland")


def everything(customer: Customer) -> list[dict[str, Any]]:
    return list(PhoneNumber.objects.filter(customer=customer).order_by("pk").values())


def scene(world: World, other: Customer) -> None:
    """Of both customers: two numbers that differ, one that is found, new, released, missing at Microsoft."""
    for place, customer in enumerate((world.customer, other)):
        old: dict[str, Any] = {"customer": customer, "routed": False, "status_changed_at": LONG_AGO}
        first = FIRST + 100 * place
        world.numbers(1, first=first, **old)
        changed, gone = world.numbers(2, first=first + 1, **old)
        world.at_microsoft([changed], assignmentStatus="UserAssigned")
        (pending,) = world.numbers(1, first=first + 3, **old | {"status": Status.PENDING_FIRST_SYNC})
        world.at_microsoft([pending], acquiredNumberStatus=0)
        (leaving,) = world.numbers(1, first=first + 4, **old | {"status": Status.RELEASE_REQUESTED})
        new = world.numbers(1, first=first + 5, **old)
        PhoneNumber.objects.filter(pk__in=[one.pk for one in new]).delete()
        world.sandbox.numbers(delete=[gone.e164, leaving.e164])


def test_a_pass_leaves_all_of_a_customer_on_hold_as_it_is(world: World, other: Customer) -> None:
    scene(world, other)
    hold(world.customer)
    before = everything(world.customer)
    task = passes.synchronise(customers=[world.customer, other])
    assert everything(world.customer) == before
    assert not AuditEntry.objects.filter(object_type="number", customer_ref=world.customer.pk).exists()
    assert not task.items.filter(customer_ref=world.customer.pk).exists()
    found = {key: task.result[key] for key in ("new", "activated", "changed", "gone", "released")}
    assert found == dict.fromkeys(found, 1) | {"changed": 2}
    # four on Microsoft's list, one of which is not here; two that it no longer lists
    assert (task.state, task.result["on_hold"]) == (TaskState.SUCCEEDED, 6)
    assert task.done == task.total
    assert "6 on hold, 0 unchanged." in task.message
    assert "On hold, so that their numbers were left as they are: Harbourline (Disputed)." in task.message
    assert MicrosoftNumber.objects.filter(customer=world.customer).count() == 4  # what drift reads stays whole


def test_an_unreadable_record_of_a_number_on_hold_fails_nothing(world: World) -> None:
    (mine,) = world.numbers(1, routed=False)
    hold(world.customer)
    other = world.new_customer(SAUERLAND, "Sauerland")
    world.at_microsoft([mine], acquiredCapabilities="oops")
    before = everything(world.customer)
    task = passes.synchronise(customers=[world.customer, other])
    assert everything(world.customer) == before
    assert (task.failed, task.result["on_hold"]) == (0, 1)


@pytest.mark.parametrize("held", ["ours", "theirs"])
def test_whose_number_it_is_is_left_open(world: World, other: Customer, held: str) -> None:
    """Here it is one customer's, at Microsoft another's: either of them may be on hold."""
    (mine,) = world.numbers(1, routed=False, status_changed_at=LONG_AGO)
    PhoneNumber.objects.update(customer=other)
    hold(other if held == "ours" else world.customer)
    before = list(PhoneNumber.objects.values())
    task = passes.synchronise(customers=[world.customer, other])
    assert list(PhoneNumber.objects.values()) == before
    assert ("conflicts" in task.result, task.result["on_hold"], mine.e164) == (False, 1, before[0]["e164"])


def test_numbers_on_hold_do_not_pull_the_brake(world: World, other: Customer) -> None:
    numbers = world.numbers(30, routed=False, status_changed_at=LONG_AGO)
    world.numbers(1, first=FIRST + 100, customer=other, routed=False, status_changed_at=LONG_AGO)
    world.sandbox.numbers(delete=[one.e164 for one in numbers])
    hold(world.customer)
    task = passes.synchronise(customers=[world.customer, other])
    assert (task.state, task.result["on_hold"]) == (TaskState.SUCCEEDED, 30)
    resume(world.customer)
    assert passes.synchronise(customers=[world.customer, other]).state == TaskState.ASKING


def test_after_resuming_the_next_pass_stamps(world: World, other: Customer) -> None:
    (mine,) = world.numbers(1, routed=False)
    hold(world.customer)
    passes.synchronise(customers=[world.customer, other])
    mine.refresh_from_db()
    assert (mine.aslcht, mine.asticks, mine.aslv_code) == (None, None, None)
    resume(world.customer)
    task = passes.synchronise(customers=[world.customer])
    mine.refresh_from_db()
    assert mine.aslv_code == 200
    assert mine.asticks is not None
    assert "on_hold" not in task.result
    assert "notes" not in task.result


# Put on hold while a pass is at work


@pytest.mark.parametrize(("phase", "step"), [("compare", compare.chunk), ("missing", missing.step)])
def test_a_hold_in_mid_pass_counts(
    world: World, other: Customer, phase: str, step: Callable[[Run], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, gone = world.numbers(2, routed=False, status_changed_at=LONG_AGO)
    world.sandbox.numbers(delete=[gone.e164])
    run = passes.until(passes.start(customers=[world.customer]), phase)
    hold(world.customer)
    before = everything(world.customer)
    while run.cursor["phase"] in ("compare", "missing"):
        sync.Sync().step(run)
    assert everything(world.customer) == before
    assert PhoneNumber.objects.get(pk=gone.pk).status == Status.ACTIVE
    assert run.task.result["on_hold"] >= 1
    assert (PhoneNumber.objects.get(pk=here.pk).asticks is None) == (phase == "compare")


# What is asked for by name


def test_numbers_on_hold_are_left_out_and_told(world: World, other: Customer) -> None:
    mine, lost = world.numbers(2, routed=False)
    (theirs,) = world.numbers(1, first=FIRST + 100, customer=other, routed=False)
    world.sandbox.numbers(delete=[lost.e164])
    hold(world.customer)
    before = everything(world.customer)
    task = passes.synchronise(numbers=[mine.e164, lost.e164, theirs.e164])
    assert everything(world.customer) == before
    assert PhoneNumber.objects.get(pk=theirs.pk).aslv_code == 200
    told = {item.key: (item.code, item.state) for item in task.items.all()}
    assert {told[one.e164] for one in (mine, lost)} == {("on_hold", ItemState.UNCHANGED)}
    assert "on_hold" not in {code for key, (code, _state) in told.items() if key == theirs.e164}
    assert (task.state, task.result["on_hold"]) == (TaskState.SUCCEEDED, 2)
    assert "Harbourline (Disputed)" in task.message


def test_nothing_but_what_is_on_hold_is_refused(contoso: Customer) -> None:
    number = PhoneNumberFactory(customer=contoso)
    second = CustomerFactory(full_name="Fabrikam")
    hold(contoso)
    asked: list[dict[str, Any]] = [{"customers": [contoso]}, {"numbers": [number.e164]}]
    for what in asked:
        with pytest.raises(sync.OnHold, match=r"of Contoso is on hold since .* \(Disputed\)\. Resume it first\."):
            passes.start(**what)
    hold(second)
    with pytest.raises(sync.OnHold, match=r"On hold: Contoso \(Disputed\), Fabrikam \(Disputed\)\."):
        passes.start(customers=[contoso, second])
    with pytest.raises(CommandError, match="Contoso is on hold"):
        call_command("sync", customer=str(contoso.tenant_id))
    assert not Task.objects.exists()
    passes.start()  # of everything, whatever is on hold


def test_of_many_customers_on_hold_the_first_are_named(db: None) -> None:
    for n in range(5):
        hold(CustomerFactory(full_name=f"A{n}"))
    named = on_hold.named(Customer.objects.on_hold())
    assert named == "A0 (Disputed), A1 (Disputed), A2 (Disputed) and 2 more customers"
