"""Withdrawing a release: while nothing has been sent it is as if nobody had asked; afterwards it cannot be done."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations import ON_NUMBERS, jobs
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.run import Run
from tests.factories import CustomerFactory, PhoneNumberFactory, UserFactory, grant
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

pytestmark = pytest.mark.django_db(transaction=True)

RELEASE, WITHDRAW = ON_NUMBERS["release"], ON_NUMBERS["withdraw"]


@pytest.fixture
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release waits for an hour before it is sent."""
    monkeypatch.setattr(settings.ENV, "release_grace_seconds", 3600)


def release(*numbers: PhoneNumber) -> Task:
    rows = (
        PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers]) if numbers else PhoneNumber.objects.all()
    )
    return RELEASE.submit(rows, {"comment": "contract ended"}, title="Release", by=SYSTEM, channel="web")


def withdraw(*numbers: PhoneNumber, by: Principal = SYSTEM, **more: Any) -> Task:
    rows = (
        PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers]) if numbers else PhoneNumber.objects.all()
    )
    params = {"comment": "wrong list"}
    return WITHDRAW.submit(rows, params, title="Withdraw", by=by, channel="web", ticket="CHG-3", **more)


def status(number: PhoneNumber) -> int:
    return PhoneNumber.objects.get(pk=number.pk).status


def over(task: Task) -> Task:
    """The time of grace has passed."""
    Task.objects.filter(pk=task.pk).update(created_at=timezone.now() - timedelta(hours=2))
    return task


def test_a_release_by_mistake_is_withdrawn_whole_and_never_sent(grace: None, world: World) -> None:
    numbers = world.numbers(2)
    task = passes.advance(release())
    assert task.state == TaskState.WAITING
    withdrawal = withdraw()
    assert {status(number) for number in numbers} == {Status.ACTIVE}
    assert {number.status_reason for number in PhoneNumber.objects.all()} == {""}
    passes.finish(withdrawal)
    assert (withdrawal.state, withdrawal.succeeded, withdrawal.percent) == (TaskState.SUCCEEDED, 2, 100)
    assert withdrawal.message == "2 releases withdrawn, the numbers are active again."
    assert Task.objects.due().filter(pk=task.pk).exists()
    passes.finish(over(task))
    assert (task.state, task.done, task.total, task.percent) == (TaskState.CANCELLED, 2, 2, 100)
    assert task.message == "0 numbers released. 2 were withdrawn."
    assert task.result["withdrawn"] == 2
    assert not world.posts("/releases")
    for item in task.items.all():
        assert (item.state, item.code) == (ItemState.CANCELLED, "withdrawn")
        assert item.message == "Withdrawn by system before it was sent to Microsoft."


def test_the_history_tells_who_why_and_under_which_ticket(grace: None, world: World) -> None:
    (number,) = world.numbers(1)
    release()
    task = withdraw(number)
    entry = AuditEntry.objects.get(action="release.withdrawn")
    assert (entry.object_id, entry.message, entry.ticket, entry.task_ref) == (
        number.e164,
        "wrong list",
        "CHG-3",
        task.pk,
    )
    assert (entry.before, entry.after) == ({"status": "RELEASE_REQUESTED"}, {"status": "ACTIVE"})


def test_a_part_is_withdrawn_and_the_rest_is_released(grace: None, world: World) -> None:
    kept, gone = world.numbers(2)
    task = passes.advance(release())
    withdraw(kept)
    passes.finish(over(task))
    assert (task.state, task.succeeded, task.percent) == (TaskState.SUCCEEDED, 1, 100)
    assert task.message == "1 number released. 1 were withdrawn."
    assert status(kept) == Status.ACTIVE
    assert [row.e164 for row in ReleasedNumber.objects.all()] == [gone.e164]
    assert kept.e164 not in world.asked_about("releases")


def test_numbers_of_several_release_tasks_are_withdrawn_together(grace: None, world: World) -> None:
    first = world.numbers(1)[0]
    second = world.numbers(1, first=442079460600, customer=world.new_customer(SAUERLAND, "Sauerland"))[0]
    tasks = [release(first), release(second)]
    assert withdraw().succeeded == 2
    for task in tasks:
        passes.finish(task)
        assert (task.state, task.result["withdrawn"]) == (TaskState.CANCELLED, 1)


def test_what_microsoft_has_already_is_refused_and_released(world: World) -> None:
    world.sandbox.call("PUT", "/state", {"hold": {"releases": True}})
    (number,) = world.numbers(1)
    task = passes.advance(release())
    plan = WITHDRAW.plan(PhoneNumber.objects.all(), {}, SYSTEM)
    assert (plan.will, [group.code for group in plan.left_alone]) == (0, ["at_microsoft"])
    assert "upload it to the same customer again" in plan.left_alone[0].sentence
    refusal = withdraw(number)
    assert (refusal.refused, refusal.items.get().code) == (1, "at_microsoft")
    world.sandbox.call("PUT", "/state", {"hold": {"releases": False}})
    assert passes.finish(task).succeeded == 1


def test_a_number_whose_release_is_in_doubt_is_not_taken_for_withdrawable(db: None) -> None:
    number = PhoneNumberFactory(status=Status.RELEASE_REQUESTED)
    plan = WITHDRAW.plan(PhoneNumber.objects.filter(pk=number.pk), {}, SYSTEM)
    assert [group.code for group in plan.left_alone] == ["at_microsoft"]


def test_a_number_that_nobody_releases_is_left_alone(grace: None, world: World) -> None:
    active, requested = world.numbers(2)
    release(requested)
    plan = WITHDRAW.plan(PhoneNumber.objects.all(), {}, SYSTEM)
    assert (plan.will, plan.sample) == (1, [requested.e164])
    assert [(group.code, group.sample) for group in plan.left_alone] == [("not_requested", [active.e164])]
    task = withdraw()
    assert (task.succeeded, task.refused, status(active)) == (1, 1, Status.ACTIVE)


def test_whoever_asks_twice_withdraws_once(grace: None, world: World) -> None:
    world.numbers(1)
    release()
    withdraw()
    again = passes.finish(withdraw())
    assert (again.succeeded, again.refused) == (0, 1)
    assert AuditEntry.objects.filter(action="release.withdrawn").count() == 1


def test_a_slice_that_sends_in_the_same_moment_wins_and_the_withdrawal_says_so(
    grace: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.numbers(2)
    task = passes.advance(release())
    insert = type(WITHDRAW)._insert

    def then_it_is_sent(*args: Any) -> None:
        """The plan is judged; before the locks are taken a job of one of the two is written down."""
        insert(WITHDRAW, *args)
        TaskItem.objects.filter(task=task, key=first.e164).update(state=ItemState.RUNNING, code=jobs.SENT, job_ref=1)

    monkeypatch.setattr(WITHDRAW, "_insert", then_it_is_sent)
    withdrawal = withdraw()
    assert (withdrawal.succeeded, withdrawal.refused) == (1, 1)
    assert withdrawal.items.get(key=first.e164).code == "at_microsoft"
    assert (status(first), status(second)) == (Status.RELEASE_REQUESTED, Status.ACTIVE)
    assert task.items.get(key=first.e164).state == ItemState.RUNNING


def test_a_slice_that_knew_nothing_of_a_withdrawal_counts_it_all_the_same(
    grace: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine saves the counters that it read before: they must not wipe out what was withdrawn meanwhile."""
    kept, _gone = world.numbers(2)
    task = over(release())
    prepare = RELEASE.prepare  # type: ignore[attr-defined]

    def meanwhile(run: Run) -> Any:
        withdraw(kept)
        return prepare(run)

    monkeypatch.setattr(RELEASE, "prepare", meanwhile)
    passes.finish(task)
    assert (task.state, task.succeeded, task.done, task.total) == (TaskState.SUCCEEDED, 1, 2, 2)
    assert task.result["withdrawn"] == 1
    assert status(kept) == Status.ACTIVE


def test_a_withdrawal_can_be_neither_stopped_nor_retried(grace: None, world: World) -> None:
    (number,) = world.numbers(1)
    release()
    task = withdraw()
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert (task.state, status(number)) == (TaskState.SUCCEEDED, Status.ACTIVE)
    with pytest.raises(services.NothingToRetry):
        services.retry_failed(task, by=SYSTEM, channel="web")


def test_a_number_can_be_released_again_after_that(grace: None, world: World) -> None:
    (number,) = world.numbers(1)
    release()
    withdraw()
    passes.finish(over(release()))
    assert ReleasedNumber.objects.get().e164 == number.e164


def test_it_takes_the_permission_to_release_this_customer(grace: None, world: World) -> None:
    (number,) = world.numbers(1)
    release()
    stranger = grant(UserFactory(), Role.OPERATOR, customer=CustomerFactory())
    lite = grant(UserFactory(), Role.LITE_OPERATOR, customer=world.customer)
    for person in (stranger, lite):
        task = withdraw(number, by=principal_of(person))
        assert task.items.get().code == "not_permitted"
        assert status(number) == Status.RELEASE_REQUESTED


def test_ten_thousand_are_withdrawn_in_a_handful_of_queries(grace: None, django_assert_max_num_queries: Any) -> None:
    customer = CustomerFactory()
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+4411{n:08d}", customer=customer, status=Status.ACTIVE, assignment_status="Unassigned")
        for n in range(10_000)
    )
    release()
    with django_assert_max_num_queries(30):
        assert withdraw().succeeded == 10_000
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.ACTIVE}


def test_the_page_of_the_release_offers_it_while_it_is_possible(
    grace: None, world: World, alice: User, alice_client: Client
) -> None:
    world.numbers(2)
    task = passes.advance(release())
    page = alice_client.get(f"/tasks/{task.pk}/").content.decode()
    assert "Withdraw release…" in page
    form = {"action": "withdraw", "all": "1", "query": f"task={task.pk}", "back": f"/tasks/{task.pk}/"}
    for name, value in form.items():
        assert f'name="{name}" value="{value}"' in page
    address = alice_client.post("/numbers/actions/", form)["Location"]
    plan = alice_client.get(address)
    assert plan.context["plan"].will == 2
    alice_client.post(address, {"shown": plan.context["proposal"].shown, "comment": ""})
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.ACTIVE}
    passes.finish(task)
    assert "Withdraw release…" not in alice_client.get(f"/tasks/{task.pk}/").content.decode()


def test_the_page_of_the_release_does_not_offer_it_to_those_who_may_not(
    grace: None, world: World, client: Client
) -> None:
    world.numbers(1)
    task = passes.advance(release())
    client.force_login(grant(UserFactory(), Role.MONITOR))
    assert "Withdraw release…" not in client.get(f"/tasks/{task.pk}/").content.decode()
