"""Approving and clearing removals: the plan, the task, what Microsoft is told, and what happens in between."""

from typing import Any

import pytest
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft import operator_connect
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS, release_requests, removal
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
from tests.numbers.world import SAUERLAND, World
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db

APPROVE, CLEAR = ON_NUMBERS["approve-removal"], ON_NUMBERS["clear-removal"]


def submit(operation: NumberOperation, by: Principal = SYSTEM, **more: Any) -> Task:
    params = {"comment": "as agreed"}
    return operation.submit(PhoneNumber.objects.all(), params, title="Decide", by=by, channel="web", **more)


@pytest.fixture
def numbers(sandbox: Sandbox) -> dict[str, PhoneNumber]:
    """One number of each kind that matters here, none of which Microsoft knows."""
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
    sandbox: Sandbox, django_assert_max_num_queries: Any
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


# What Microsoft is told


def requests_of(world: World) -> dict[str, str]:
    """Number to the status of its release request, of Harbourline's."""
    found = OperatorConnect().release_requests()
    return {one.e164: one.status for one in found if one.tenant_id == world.customer.tenant_id}


@pytest.mark.parametrize(
    ("operation", "at_microsoft", "word"),
    [(APPROVE, Status.READY_FOR_REMOVAL, "Approved"), (CLEAR, Status.MARKED_FOR_REMOVAL, "Held")],
    ids=["approve", "clear"],
)
def test_microsoft_is_told_about_the_numbers_for_which_it_waits(
    world: World, operation: NumberOperation, at_microsoft: Status, word: str
) -> None:
    world.sandbox.call("PUT", "/state", {"durations": {"release-requests": 60}})
    first, second = world.numbers(2, status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(customer=world.customer, status=Status.MARKED_FOR_REMOVAL)  # merely missing there
    task = passes.finish(submit(operation))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3)
    assert {first.e164: word, second.e164: word}.items() <= requests_of(world).items()
    assert world.status_at_microsoft(first.e164) == at_microsoft
    told = [one for one in OperatorConnect().walk("/release-requests", "all") if one["telephoneNumber"] == first.e164]
    assert told[0]["comment"] == "as agreed"
    assert len(world.posts("/release-requests")) == 1


def test_a_held_request_may_still_be_approved(world: World) -> None:
    (number,) = world.numbers(1, status=Status.MARKED_FOR_REMOVAL)
    passes.finish(submit(CLEAR))
    PhoneNumber.objects.update(status=Status.MARKED_FOR_REMOVAL)
    passes.finish(submit(APPROVE))
    assert requests_of(world)[number.e164] == "Approved"


def test_nobody_is_told_about_numbers_that_are_merely_missing(
    numbers: dict[str, PhoneNumber], sandbox: Sandbox
) -> None:
    passes.finish(submit(APPROVE))
    assert not [one for one in sandbox.requests()["value"] if one["method"] == "POST" and "release" in one["path"]]


def test_the_request_of_another_tenant_for_the_same_number_is_left_alone(world: World) -> None:
    (number,) = world.numbers(1, status=Status.MARKED_FOR_REMOVAL)
    world.at_microsoft([number], tenantId=str(SAUERLAND))
    passes.finish(submit(APPROVE))
    assert not world.posts("/release-requests")


@pytest.mark.parametrize("operation", [APPROVE, CLEAR], ids=["approve", "clear"])
def test_a_lost_answer_is_found_and_not_repeated(world: World, operation: NumberOperation) -> None:
    world.numbers(2, status=Status.MARKED_FOR_REMOVAL)
    world.sandbox.fault({"mount": "oc", "method": "POST", "path": "/release-requests"}, {"drop": "after_commit"})
    task = passes.advance(submit(operation))
    assert task.state == TaskState.WAITING
    assert PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL).count() == 2
    passes.finish(task)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2)
    assert len(world.posts("/release-requests")) == 1


@pytest.mark.parametrize(
    ("answer", "state"), [({"status": 503}, TaskState.WAITING), ({"status": 403}, TaskState.FAILED)]
)
def test_nothing_moves_while_microsoft_cannot_be_told(world: World, answer: dict[str, Any], state: TaskState) -> None:
    world.numbers(1, status=Status.MARKED_FOR_REMOVAL)
    world.sandbox.fault({"mount": "oc", "method": "POST", "path": "/release-requests"}, answer, times=9)
    task = passes.advance(submit(APPROVE))
    assert task.state == state
    assert "decision on 1 release requests" in task.message
    assert PhoneNumber.objects.get().status == Status.MARKED_FOR_REMOVAL


@pytest.mark.parametrize(
    ("wanted", "theirs", "otherwise"),
    [("Approve", "Approve", False), ("Hold", "Hold", False), ("Hold", "Approve", True)],
)
def test_a_decision_that_comes_too_late_for_some(world: World, wanted: str, theirs: str, otherwise: bool) -> None:
    numbers = world.numbers(3, status=Status.MARKED_FOR_REMOVAL)
    client = OperatorConnect()
    requests = release_requests.open_requests(client)
    late = numbers[1]
    client.decide([requests[late.e164, world.customer.tenant_id].id], theirs)
    assert release_requests.tell(client, requests, numbers, wanted) == ({late.e164} if otherwise else set())
    words = {"Approve": "Approved", "Hold": "Held"}
    expected = {number.e164: words[wanted] for number in numbers} | {late.e164: words[theirs]}
    assert expected.items() <= requests_of(world).items()


def test_a_request_that_was_taken_back_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = world.numbers(2, status=Status.MARKED_FOR_REMOVAL)
    read = release_requests.open_requests

    def then_the_customer_thinks_again(client: OperatorConnect) -> release_requests.Requests:
        found = read(client)
        world.at_microsoft([second], acquiredNumberStatus=0)
        return found

    monkeypatch.setattr(release_requests, "open_requests", then_the_customer_thinks_again)
    task = passes.finish(submit(APPROVE))
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 1, 1)
    assert task.items.get(key=second.e164).code == "decided_otherwise"
    assert dict(PhoneNumber.objects.values_list("e164", "status")) == {
        first.e164: Status.READY_FOR_REMOVAL,
        second.e164: Status.MARKED_FOR_REMOVAL,
    }


def test_all_pages_are_read_and_decisions_go_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (operator_connect, release_requests):
        monkeypatch.setattr(module, "LIST_SIZE", 2)
    numbers = world.numbers(5, status=Status.MARKED_FOR_REMOVAL)
    passes.finish(submit(APPROVE))
    assert {number.e164 for number in numbers} <= {
        key for key, word in requests_of(world).items() if word == "Approved"
    }
    assert len(world.posts("/release-requests")) == 3


def test_what_microsoft_waits_for_is_read_once_a_slice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "CHUNK", 1)
    world.numbers(4, status=Status.MARKED_FOR_REMOVAL)
    passes.finish(submit(APPROVE))
    reads = [
        one
        for one in world.sandbox.requests()["value"]
        if one["method"] == "GET" and "/release-requests" in one["path"]
    ]
    assert len(reads) == 2  # the pending ones and the held ones


def test_a_cleared_number_remembers_the_decision(numbers: dict[str, PhoneNumber]) -> None:
    before = timezone.now()
    passes.finish(submit(CLEAR))
    cleared = PhoneNumber.objects.get(pk=numbers["marked"].pk).removal_cleared_at
    assert cleared is not None
    assert before <= cleared <= timezone.now()
    assert not PhoneNumber.objects.exclude(pk=numbers["marked"].pk).exclude(removal_cleared_at=None).exists()


@pytest.mark.parametrize(("operation", "starts"), [(APPROVE, True), (CLEAR, False)], ids=["approve", "clear"])
def test_only_an_approval_starts_the_clean_up(
    numbers: dict[str, PhoneNumber], operation: NumberOperation, starts: bool
) -> None:
    passes.finish(submit(operation, ticket="CHG-7"))
    assert Task.objects.filter(kind="clean-up", actor=None, ticket="").count() == (1 if starts else 0)


def test_an_approval_of_nothing_starts_no_clean_up(numbers: dict[str, PhoneNumber]) -> None:
    task = submit(APPROVE)
    PhoneNumber.objects.filter(pk=numbers["marked"].pk).update(status=Status.ACTIVE)
    passes.finish(task)
    assert not Task.objects.filter(kind="clean-up").exists()
