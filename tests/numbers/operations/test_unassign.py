"""Un-assign through the customer's tenant: one request a number, done when the operator's side shows it too."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft import entra
from ocadmin.numbers.microsoft.graph import Graph
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import ConnectionState, Customer, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.unassign import in_tenant, operator_side
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.unassigning import finish, let_pass, posts, submit
from tests.numbers.world import SAUERLAND, World

pytestmark = pytest.mark.django_db

USED = {"assignment_status": "UserAssigned", "assignment_target_id": "3f2a", "routed": False}
FIRST, SECOND = "+442079460500", "+442079460501"
OTHER = 442079460600


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    """Nobody was connected before."""
    entra.forget_all()
    yield
    entra.forget_all()


def outcomes(task: Task) -> dict[str, tuple[str, str]]:
    return {item.key: (item.state, item.code) for item in task.items.all()}


def at_operator(e164: str) -> str | None:
    return OperatorConnect().number(e164).assignment_status


def second_customer(world: World) -> Customer:
    """Sauerland with one assigned number."""
    customer = world.new_customer(SAUERLAND, "Sauerland")
    world.numbers(1, first=OTHER, customer=customer, **USED)
    return customer


def test_numbers_are_taken_from_their_users_once_and_it_is_recorded(world: World) -> None:
    world.numbers(3, **USED)
    task = finish(submit())
    assert (task.state, task.succeeded, task.message) == (TaskState.SUCCEEDED, 3, "3 numbers un-assigned.")
    assert len(posts(world)) == 3
    assert at_operator(FIRST) == "Unassigned"
    number = PhoneNumber.objects.get(e164=FIRST)
    assert (number.assignment_status, number.assignment_target_id) == ("Unassigned", "")
    assert number.aslsct is not None
    entry = AuditEntry.objects.get(action="unassign.completed", object_id=FIRST)
    assert entry.before == {"assignment_status": "UserAssigned", "assignment_target_id": "3f2a"}
    assert entry.after == {"assignment_status": "Unassigned", "assignment_target_id": ""}
    assert (entry.ticket, entry.message, entry.task_ref) == ("CHG-9", "left the company", task.pk)
    assert "operations(" in task.items.get(key=FIRST).upstream_ids["operation"]


@pytest.mark.parametrize(
    ("fields", "code", "state"),
    [
        ({"assignment_status": "Unassigned"}, "already_unassigned", ItemState.UNCHANGED),
        ({"assignment_status": None}, "assignment_unknown", ItemState.REFUSED),
        ({"status": Status.RELEASE_REQUESTED}, "requested", ItemState.REFUSED),
        ({"status": Status.MARKED_FOR_REMOVAL}, "marked", ItemState.REFUSED),
        ({"status": Status.READY_FOR_REMOVAL}, "leaving", ItemState.REFUSED),
        ({"status": Status.PENDING_FIRST_SYNC}, "pending_first_sync", ItemState.REFUSED),
    ],
)
def test_what_cannot_be_unassigned_is_left_alone_and_says_why(
    world: World, fields: dict[str, Any], code: str, state: ItemState
) -> None:
    world.numbers(1, **USED)
    left = world.numbers(1, first=OTHER, **USED | fields)[0]
    task = finish(submit())
    item = task.items.get(key=left.e164)
    assert (item.state, item.code) == (state, code)
    assert item.message.endswith(".")
    assert (task.succeeded, len(posts(world))) == (1, 1)


def test_the_plan_says_what_ends_and_what_is_not_known(world: World) -> None:
    words = ["ConferenceAssigned", "VoiceApp", "ThirdPartyAppAssigned", "PolicyAssigned", "FutureThing", "UserAssigned"]
    for place, word in enumerate(words):
        world.numbers(1, first=OTHER + place, **USED | {"assignment_status": word})
    Customer.objects.update(connection=ConnectionState.UNKNOWN)
    plan = ON_NUMBERS["unassign"].plan(PhoneNumber.objects.all(), {}, SYSTEM)
    counts = {caution.code: caution.count for caution in plan.cautions}
    assert plan.will == 6
    assert counts == {
        "conference": 1,
        "voice_app": 1,
        "third_party_app": 1,
        "policy": 1,
        "other_assignment": 1,
        "connection_unknown": 6,
    }
    task = finish(submit())
    assert task.succeeded == 6


def test_a_customer_without_a_connection_gets_the_manual_route_and_no_request(world: World) -> None:
    world.numbers(1, **USED)
    Customer.objects.update(connection=ConnectionState.NOT_CONNECTED)
    task = finish(submit())
    item = task.items.get()
    assert (item.state, item.code) == (ItemState.REFUSED, "not_connected")
    assert "Teams admin center" in item.message
    assert "synchronise" in item.message
    assert not posts(world)


def test_an_unchecked_connection_is_tried_and_then_known(world: World) -> None:
    world.numbers(1, **USED)
    Customer.objects.update(connection=ConnectionState.UNKNOWN)
    finish(submit())
    assert Customer.objects.get().connection == ConnectionState.CONNECTED
    entry = AuditEntry.objects.get(object_type="customer")
    assert (entry.before, entry.after) == ({"connection": "unknown"}, {"connection": "connected"})


def test_a_connection_that_is_gone_fails_these_numbers_only_and_is_remembered(world: World) -> None:
    world.numbers(2, **USED)
    second_customer(world)
    tenant = {"tenantId": str(world.customer.tenant_id), "graphConnected": False}
    world.sandbox.call("PUT", "/state", {"tenants": [tenant]})
    task = finish(submit())
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 1, 2)
    item = task.items.get(key=FIRST)
    assert (item.state, item.code) == (ItemState.FAILED, "not_connected")
    assert "Teams admin center" in item.message
    world.customer.refresh_from_db()
    assert world.customer.connection == ConnectionState.NOT_CONNECTED
    assert world.customer.connection_message
    assert AuditEntry.objects.filter(object_type="customer", customer_ref=world.customer.pk).count() == 1
    assert set(PhoneNumber.objects.filter(customer=world.customer).values_list("assignment_status", flat=True)) == {
        "UserAssigned"
    }


def test_a_missing_role_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.numbers(2, **USED)
    monkeypatch.setattr(settings.ENV, "client_id", "noroles")
    task = finish(submit())
    assert (task.state, task.failed) == (TaskState.FAILED, 2)
    assert set(task.items.values_list("code", flat=True)) == {"forbidden"}
    assert all("TeamsTelephoneNumber.ReadWrite.All" in item.message for item in task.items.all())
    assert Customer.objects.get().connection == ConnectionState.CONNECTED


def test_wrong_credentials_end_the_task_and_leave_every_number_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.numbers(2, **USED)
    monkeypatch.setattr(settings.ENV, "client_secret", "wrong")
    task = finish(submit())
    assert (task.state, task.error_code, task.failed) == (TaskState.FAILED, "wrong_secret", 2)
    assert "OCADMIN_CLIENT_SECRET" in task.items.get(key=FIRST).message


def test_a_number_waits_until_the_operators_side_shows_it(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.call("PUT", "/state", {"lag": 60})
    world.sandbox.call("POST", "/clock", {"mode": "manual"})
    task = submit()
    for _ in range(4):
        passes.advance(let_pass(task))
    item = task.items.get()
    assert (task.state, item.state, item.code) == (TaskState.WAITING, ItemState.RUNNING, "settling")
    assert "operator side does not show it yet" in task.message
    found = Graph(world.customer.tenant_id).assignment(FIRST)
    assert found is not None
    assert found.free
    assert PhoneNumber.objects.get().assignment_status == "UserAssigned"
    world.sandbox.call("POST", "/clock/advance", {"seconds": 60})
    assert finish(task).state == TaskState.SUCCEEDED
    assert PhoneNumber.objects.get().assignment_status == "Unassigned"
    assert len(posts(world)) == 1


def test_after_a_day_it_is_done_all_the_same_and_says_so(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.call("PUT", "/state", {"lag": 10**6})
    task = submit()
    for _ in range(4):
        passes.advance(let_pass(task))
    for _ in range(3):  # the tenant is asked once more before the day is over
        passes.advance(let_pass(task, seconds=1000))
    assert task.alive
    passes.advance(let_pass(task, seconds=86_400))
    finish(task)
    assert outcomes(task) == {FIRST: (ItemState.SUCCEEDED, "not_seen_yet")}
    assert "does not show 1 of them yet" in task.message
    assert PhoneNumber.objects.get().assignment_status == "Unassigned"


def test_a_number_that_the_customer_has_assigned_again_is_not_taken_away_twice(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.call("PUT", "/state", {"lag": 10**6})
    task = submit()
    for _ in range(4):
        passes.advance(let_pass(task))
    assigned = {"tenantId": str(world.customer.tenant_id), "action": "assign", "telephoneNumber": FIRST}
    world.sandbox.call("POST", "/customer", assigned)
    let_pass(task, seconds=1000)
    finish(task)
    assert outcomes(task) == {FIRST: (ItemState.FAILED, "assigned_again")}
    assert len(posts(world)) == 1
    assert PhoneNumber.objects.get().assignment_status == "UserAssigned"


@pytest.mark.parametrize(("drop", "sent"), [("after_commit", 1), ("before", 2)])
def test_after_a_lost_answer_the_number_is_looked_at_before_it_is_sent_again(
    world: World, drop: str, sent: int
) -> None:
    world.numbers(1, **USED)
    world.sandbox.fault({"mount": "graph", "method": "POST"}, {"drop": drop})
    task = finish(submit())
    assert (task.state, len(posts(world))) == (TaskState.SUCCEEDED, sent)
    assert outcomes(task) == {FIRST: (ItemState.SUCCEEDED, "")}


def test_a_server_that_always_fails_is_asked_a_limited_number_of_times(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_tenant, "MOST_SENDS", 3)
    world.numbers(1, **USED)
    world.sandbox.fault({"mount": "graph", "method": "POST"}, {"status": 503}, times=50)
    task = finish(submit())
    assert outcomes(task) == {FIRST: (ItemState.FAILED, "unassign_failed")}
    assert "503" in task.items.get().message
    assert len(posts(world)) == 3


def test_a_worker_that_dies_between_request_and_record_does_not_act_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: Any) -> None:
        raise Killed

    world.numbers(2, **USED)
    task = submit()
    with monkeypatch.context() as patched:
        patched.setattr(in_tenant, "_keep", die)
        with pytest.raises(Killed):
            passes.advance(task)
    assert len(posts(world)) == 2
    Task.objects.update(lease_until=timezone.now())
    finish(task)
    assert (task.state, task.succeeded, len(posts(world))) == (TaskState.SUCCEEDED, 2, 2)


def test_throttling_is_waited_for_exactly_while_other_customers_go_on(world: World) -> None:
    world.numbers(2, **USED)
    other = second_customer(world)
    throttled = {"status": 429, "headers": {"Retry-After": "7"}}
    match = {"mount": "graph", "method": "POST", "tenantId": str(world.customer.tenant_id)}
    world.sandbox.fault(match, throttled)
    task = submit()
    for _ in range(3):
        passes.advance(task)
    assert PhoneNumber.objects.get(customer=other).assignment_status == "Unassigned"
    assert len(posts(world)) == 2  # the one that was throttled, and the other customer's
    assert task.items.filter(state=ItemState.PENDING, attempts=0).count() == 2
    assert task.state == TaskState.WAITING
    assert "7 seconds" in task.message
    hold = task.cursor["held"][str(world.customer.pk)]
    assert hold["until"] - task.heartbeat_at.timestamp() <= 7
    passes.advance(task)
    assert len(posts(world)) == 2
    finish(task)
    assert (task.state, task.succeeded, len(posts(world))) == (TaskState.SUCCEEDED, 3, 4)


def test_the_operators_side_is_left_alone_when_it_asks_for_that(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.fault({"mount": "oc", "path": "/telephone-numbers"}, {"status": 429, "headers": {"Retry-After": "9"}})
    task = submit()
    for _ in range(3):
        passes.advance(task)
    assert task.state == TaskState.WAITING
    assert "9 seconds" in task.message
    assert finish(task).state == TaskState.SUCCEEDED


def test_a_failed_operation_has_microsofts_reason_and_the_others_go_on(world: World) -> None:
    world.numbers(2, **USED)
    world.sandbox.call("PUT", "/state", {"failures": {SECOND: "OperationInProgress"}})
    task = finish(submit())
    assert outcomes(task) == {FIRST: (ItemState.SUCCEEDED, ""), SECOND: (ItemState.FAILED, "unassign_failed")}
    assert task.items.get(key=SECOND).message == "Another operation on this telephone number is running."
    assert (task.state, task.message) == (
        TaskState.PARTIAL,
        "1 number un-assigned. 1 was not; it says why.",
    )
    world.sandbox.call("PUT", "/state", {"failures": {SECOND: None}})
    again = services.retry_failed(task, by=SYSTEM, channel="web")
    assert outcomes(finish(again)) == {SECOND: (ItemState.SUCCEEDED, "")}


def test_a_number_that_nobody_uses_any_more_is_done(world: World) -> None:
    number = world.numbers(1, **USED)[0]
    world.at_microsoft([number], assignmentStatus="Unassigned")
    task = finish(submit())
    assert outcomes(task) == {FIRST: (ItemState.SUCCEEDED, "already_unassigned")}
    number.refresh_from_db()
    assert number.assignment_status == "Unassigned"


def test_a_number_that_the_tenant_does_not_have_says_so(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.numbers(delete=[FIRST])
    task = finish(submit())
    assert outcomes(task) == {FIRST: (ItemState.FAILED, "not_found")}


def test_a_number_that_something_else_works_on_is_waited_for(world: World) -> None:
    world.numbers(1, **USED)
    busy = {"status": 409, "code": "OperationInProgress"}
    world.sandbox.fault({"mount": "graph", "method": "POST"}, busy)
    task = finish(submit())
    assert (task.state, len(posts(world))) == (TaskState.SUCCEEDED, 2)


def test_an_operation_that_microsoft_has_forgotten_is_looked_at_from_the_other_end(world: World) -> None:
    world.numbers(1, **USED)
    world.sandbox.fault({"mount": "graph", "path": "/operations"}, {"status": 404}, times=1)
    task = finish(submit())
    assert (task.state, len(posts(world))) == (TaskState.SUCCEEDED, 1)


def test_what_microsoft_never_ends_is_given_up_after_a_day(world: World) -> None:
    world.numbers(2, **USED)
    world.sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    world.sandbox.fault({"mount": "graph", "method": "POST"}, {"drop": "after_commit"})
    task = submit()
    for _ in range(4):
        passes.advance(let_pass(task))
    assert sorted(task.items.values_list("code", flat=True)) == ["checking", "unassigning"]
    passes.advance(let_pass(task, seconds=90_000))
    assert set(outcomes(finish(task)).values()) == {(ItemState.FAILED, "unknown_outcome")}
    assert len(posts(world)) == 2


def test_cancelling_lets_go_of_what_was_not_sent_and_follows_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_tenant, "AT_ONCE", 1)
    world.numbers(2, **USED)
    world.sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    task = submit()
    graph_post = Graph.unassign

    def cancel_meanwhile(graph: Graph, e164: str) -> Any:
        services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
        return graph_post(graph, e164)

    monkeypatch.setattr(Graph, "unassign", cancel_meanwhile)
    passes.advance(task)
    assert len(posts(world)) == 1
    passes.advance(let_pass(task))
    assert (task.state, outcomes(task)[SECOND]) == (TaskState.CANCELLING, (ItemState.CANCELLED, ""))
    world.sandbox.call("PUT", "/state", {"hold": {"unassign": False}})
    finish(task)
    assert task.state == TaskState.CANCELLED
    assert outcomes(task)[FIRST][0] == ItemState.SUCCEEDED
    assert "1 number un-assigned" in task.message
    assert "1 number was not sent to Microsoft and is as before" in task.message


def test_a_task_that_gives_up_tells_what_may_still_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_tenant, "AT_ONCE", 1)
    world.numbers(2, **USED)
    world.sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    task = passes.advance(submit())
    assert task.items.filter(code="unassigning").count() == 2
    Task.objects.filter(pk=task.pk).update(losses=100)
    passes.advance(task)
    assert task.state == TaskState.FAILED
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "unknown_outcome")}
    assert "the next synchronisation tells" in task.items.get(key=FIRST).message


def test_many_numbers_are_looked_for_by_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "page_size", 100)
    monkeypatch.setattr(operator_side, "FEW", 0)
    world.numbers(5, **USED)
    task = finish(submit())
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 5)
    asked = [row["path"] for row in world.sandbox.requests()["value"] if row["mount"] == "oc"]
    assert set(asked) == {asked[0]}
    assert asked[0].endswith("/telephone-numbers")
