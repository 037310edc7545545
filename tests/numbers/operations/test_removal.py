"""Approving and clearing removals: the plan, the task, and what happens when numbers change in between."""

from typing import Any

import pytest

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.base import NumberOperation
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from tests.factories import (
    CallingProfileFactory,
    CustomerFactory,
    PhoneNumberFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)
from tests.numbers import passes

pytestmark = pytest.mark.django_db

APPROVE, CLEAR = ON_NUMBERS["approve-removal"], ON_NUMBERS["clear-removal"]


def submit(operation: NumberOperation, by: Principal = SYSTEM, **more: Any) -> Task:
    params = {"comment": "as agreed"}
    return operation.submit(PhoneNumber.objects.all(), params, title="Decide", by=by, channel="web", **more)


@pytest.fixture
def numbers() -> dict[str, PhoneNumber]:
    """One number of each kind that matters here."""
    return {
        "marked": PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL),
        "active": PhoneNumberFactory(status=Status.ACTIVE),
        "ready": PhoneNumberFactory(status=Status.READY_FOR_REMOVAL),
        "pending": PhoneNumberFactory(status=Status.PENDING_FIRST_SYNC),
    }


@pytest.mark.parametrize(
    ("operation", "unchanged", "refused"), [(APPROVE, "ready", 2), (CLEAR, "active", 2)], ids=["approve", "clear"]
)
def test_the_plan_says_what_will_change_and_why_the_rest_will_not(
    numbers: dict[str, PhoneNumber], operation: NumberOperation, unchanged: str, refused: int
) -> None:
    plan = operation.plan(PhoneNumber.objects.all(), {}, SYSTEM)
    assert (plan.will, plan.total, plan.sample) == (1, 4, [numbers["marked"].e164])
    groups = {group.code: group for group in plan.left_alone}
    assert groups["already"].sample == [numbers[unchanged].e164]
    assert groups["already"].state == ItemState.UNCHANGED
    assert groups["not_marked"].count == refused
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("operation", "becomes"), [(APPROVE, Status.READY_FOR_REMOVAL), (CLEAR, Status.ACTIVE)], ids=["approve", "clear"]
)
def test_the_task_moves_the_marked_numbers_and_records_it(
    numbers: dict[str, PhoneNumber], operation: NumberOperation, becomes: Status
) -> None:
    task = passes.finish(submit(operation, ticket="CHG-7"))
    marked = numbers["marked"]
    marked.refresh_from_db()
    assert (marked.status, marked.status_reason) == (becomes, "as agreed")
    assert (task.state, task.succeeded, task.unchanged, task.refused, task.total) == (TaskState.SUCCEEDED, 1, 1, 2, 4)
    entry = AuditEntry.objects.get(object_id=marked.e164)
    assert (entry.task_ref, entry.ticket, entry.message) == (task.pk, "CHG-7", "as agreed")
    assert entry.after == {"status": becomes.name}
    assert task.message == "1 number decided."
    item = task.items.get(code="not_marked", key=numbers["pending"].e164)
    assert "not marked for removal" in item.message


def test_a_number_that_changed_after_the_plan_is_left_alone(numbers: dict[str, PhoneNumber]) -> None:
    task = submit(APPROVE)
    PhoneNumber.objects.filter(pk=numbers["marked"].pk).update(status=Status.ACTIVE)
    passes.finish(task)
    item = task.items.get(key=numbers["marked"].e164)
    assert (item.state, item.code) == (ItemState.FAILED, "changed_meanwhile")
    assert PhoneNumber.objects.get(pk=numbers["marked"].pk).status == Status.ACTIVE


def test_a_busy_number_is_refused(numbers: dict[str, PhoneNumber]) -> None:
    TaskItemFactory(task=TaskFactory(), key=numbers["marked"].e164, state=ItemState.RUNNING)
    plan = APPROVE.plan(PhoneNumber.objects.all(), {}, SYSTEM)
    assert plan.will == 0
    assert "busy" in {group.code for group in plan.left_alone}
    task = passes.finish(submit(APPROVE))
    assert task.items.get(key=numbers["marked"].e164).code == "busy"


def test_two_people_at_once_act_once(numbers: dict[str, PhoneNumber]) -> None:
    first, second = submit(APPROVE), submit(CLEAR)
    passes.finish(second)
    passes.finish(first)
    assert PhoneNumber.objects.get(pk=numbers["marked"].pk).status == Status.READY_FOR_REMOVAL
    assert second.items.get(key=numbers["marked"].e164).code == "busy"


def test_somebody_else_s_customer_is_refused_by_name_of_the_permission(contoso: Customer) -> None:
    supervisor: User = grant(UserFactory(), Role.ADMIN, customer=contoso)
    mine = PhoneNumberFactory(customer=contoso, status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    plan = APPROVE.plan(PhoneNumber.objects.all(), {}, principal_of(supervisor))
    assert (plan.will, plan.sample) == (1, [mine.e164])
    assert plan.left_alone[0].code == "not_permitted"


def test_a_cancelled_task_says_what_was_done(numbers: dict[str, PhoneNumber]) -> None:
    task = submit(APPROVE)
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert "1 were not touched" in task.message
    assert not TaskItem.objects.filter(state=ItemState.PENDING).exists()


def test_retry_failed_decides_the_failed_numbers_again(numbers: dict[str, PhoneNumber]) -> None:
    task = submit(APPROVE)
    PhoneNumber.objects.filter(pk=numbers["marked"].pk).update(status=Status.ACTIVE)
    passes.finish(task)
    PhoneNumber.objects.filter(pk=numbers["marked"].pk).update(status=Status.MARKED_FOR_REMOVAL)
    retry = passes.finish(services.retry_failed(task, by=SYSTEM, channel="web"))
    assert (retry.state, retry.total, retry.succeeded) == (TaskState.SUCCEEDED, 1, 1)
    assert PhoneNumber.objects.get(pk=numbers["marked"].pk).status == Status.READY_FOR_REMOVAL


def test_ten_thousand_numbers_are_judged_and_taken_in_a_handful_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    customer, profile = CustomerFactory(), CallingProfileFactory()
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+4411{n:08d}", customer=customer, calling_profile=profile, status=Status.MARKED_FOR_REMOVAL)
        for n in range(10_000)
    )
    with django_assert_max_num_queries(4):
        assert APPROVE.plan(PhoneNumber.objects.all(), {}, SYSTEM).will == 10_000
    with django_assert_max_num_queries(10):
        task = submit(APPROVE)
    assert passes.finish(task).succeeded == 10_000
