"""Update capabilities: the matrix, all or nothing per number, and what Microsoft says to each of them."""

from typing import Any

import pytest
from django.db.models import QuerySet

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers import undo
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import Customer, PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.plans import Plan
from tests.factories import CustomerFactory, PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

pytestmark = pytest.mark.django_db

CAPABILITIES = ON_NUMBERS["capabilities"]
OFFERED = ["Geographic", "InboundCalling", "OutboundCalling", "Mobile", "UserAssignment", "Office365"]
NUMBER = {
    "acquired_capabilities": ["Geographic", "Office365", "UserAssignment", "InboundCalling"],
    "available_capabilities": OFFERED,
    "usage": "CallingUserAssignment",
}


def submit(add: list[str], remove: list[str], numbers: QuerySet[PhoneNumber] | None = None) -> Task:
    rows = PhoneNumber.objects.all() if numbers is None else numbers
    asked = {"add": add, "remove": remove, "comment": "as ordered"}
    return CAPABILITIES.submit(rows, asked, title="Update", by=SYSTEM, channel="web", ticket="CHG-4")


def plan(add: list[str], remove: list[str]) -> Plan:
    return CAPABILITIES.plan(PhoneNumber.objects.all(), {"add": add, "remove": remove}, SYSTEM)


def left_alone(plan: Plan) -> dict[str, int]:
    return {group.code: group.count for group in plan.left_alone}


def at_both(world: World, count: int, **more: Any) -> list[PhoneNumber]:
    """Numbers for users that may also become mobile, the same here and at Microsoft."""
    columns = NUMBER | {name: more.pop(name) for name in list(more) if name in NUMBER}
    numbers = world.numbers(count, **columns, **more)
    world.at_microsoft(
        numbers,
        usage=columns["usage"],
        acquiredCapabilities=columns["acquired_capabilities"],
        availableCapabilities=columns["available_capabilities"],
    )
    return numbers


def at_microsoft(number: PhoneNumber) -> list[str]:
    return OperatorConnect().number(number.e164).acquired_capabilities


def here(number: PhoneNumber) -> list[str]:
    number.refresh_from_db()
    words: list[str] = number.acquired_capabilities
    return words


def test_capabilities_change_here_and_at_microsoft(world: World) -> None:
    numbers = at_both(world, 2)
    before = list(numbers[0].acquired_capabilities)
    task = passes.finish(submit(["Mobile", "OutboundCalling"], ["InboundCalling"]))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2), task.message
    assert task.message == "2 numbers have their new capabilities."
    after = ["Geographic", "Office365", "UserAssignment", "Mobile", "OutboundCalling"]
    assert [here(number) for number in numbers] == [after, after]
    assert set(at_microsoft(numbers[0])) == set(after)
    job = UpstreamJob.objects.get()
    assert (job.kind, job.status, job.succeeded) == ("capability-updates", "Complete", 2)
    entry = AuditEntry.objects.get(object_id=numbers[0].e164, action="capabilities.changed")
    assert (entry.before, entry.after) == ({"acquired_capabilities": before}, {"acquired_capabilities": after})
    assert (entry.message, entry.ticket) == ("as ordered", "CHG-4")
    assert task.items.all()[0].upstream_ids == {"ms_job_id": str(job.ms_job_id)}


def test_the_request_has_only_what_changes_for_each_number(world: World) -> None:
    """Microsoft refuses to add what is there or to remove what is not: it never has to."""
    (lacks,) = at_both(world, 1)
    (has,) = at_both(world, 1, first=442079460600, acquired_capabilities=[*OFFERED])
    task = submit(["Mobile"], ["OutboundCalling"])
    passes.advance(task)
    assert {item.key: item.data for item in task.items.all()} == {
        lacks.e164: {"add": ["Mobile"]},
        has.e164: {"remove": ["OutboundCalling"]},
    }
    passes.finish(task)
    assert "Mobile" in here(lacks)
    assert "OutboundCalling" not in here(has)


def test_the_change_can_be_undone(world: World) -> None:
    (number,) = at_both(world, 1)
    before = set(number.acquired_capabilities)
    passes.finish(submit(["Mobile", "OutboundCalling"], ["InboundCalling"]))
    back = undo.of(AuditEntry.objects.get(action="capabilities.changed"))
    assert back is not None
    assert (back.kind, back.params) == (
        "capabilities",
        {"add": ["InboundCalling"], "remove": ["OutboundCalling", "Mobile"]},
    )
    passes.finish(submit(back.params["add"], back.params["remove"]))
    assert set(here(number)) == set(at_microsoft(number)) == before


def test_numbers_that_microsoft_names_fail_and_the_rest_goes_again(world: World) -> None:
    """F19: a 400 that names numbers. Here nobody knows yet that Microsoft has withdrawn the offer for one of them."""
    numbers = at_both(world, 3)
    world.at_microsoft(numbers[:1], availableCapabilities=["Geographic"])
    task = passes.finish(submit(["Mobile"], []))
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 2, 1)
    item = task.items.get(state=ItemState.FAILED)
    assert (item.key, item.code) == (numbers[0].e164, "CapabilityNotAvailable")
    assert item.message == "Not available: Mobile. Its capabilities are as before."
    assert "Mobile" not in here(numbers[0])
    assert "Mobile" in here(numbers[1])
    jobs = UpstreamJob.objects.order_by("pk")
    assert [(job.status, job.total) for job in jobs] == [("Refused", 3), ("Complete", 2)]


def test_an_update_that_fails_leaves_the_number_as_it_was(world: World) -> None:
    numbers = at_both(world, 2)
    before = list(numbers[0].acquired_capabilities)
    world.sandbox.call("PUT", "/state", {"failures": {numbers[0].e164: "UpdateFailed"}})
    task = passes.finish(submit(["Mobile"], ["InboundCalling"]))
    item = task.items.get(state=ItemState.FAILED)
    assert (item.key, item.code) == (numbers[0].e164, "UpdateFailed")
    assert item.message.endswith("Its capabilities are as before.")
    assert here(numbers[0]) == at_microsoft(numbers[0]) == before
    assert "Mobile" in here(numbers[1])
    assert not AuditEntry.objects.filter(object_id=numbers[0].e164).exists()
    world.sandbox.call("PUT", "/state", {"failures": {numbers[0].e164: None}})
    again = passes.finish(services.retry_failed(task, by=SYSTEM, channel="web"))
    assert (again.state, again.succeeded) == (TaskState.SUCCEEDED, 1)
    assert "Mobile" in here(numbers[0])


def test_a_lost_answer_leads_to_one_job_with_the_same_words(world: World) -> None:
    (number,) = at_both(world, 1)
    world.sandbox.fault({"method": "POST", "path": "/capability-updates"}, {"drop": "before"})
    task = submit(["Mobile"], [])
    passes.advance(task)
    PhoneNumber.objects.update(acquired_capabilities=OFFERED)  # a synchronisation came in between
    passes.finish(task)
    assert (task.succeeded, UpstreamJob.objects.count()) == (1, 1)
    assert "Mobile" in at_microsoft(number)


def test_nothing_left_to_do_when_its_turn_comes_is_no_request(world: World) -> None:
    at_both(world, 1)
    task = submit(["Mobile"], [])
    PhoneNumber.objects.update(acquired_capabilities=OFFERED)
    passes.finish(task)
    assert (task.state, task.unchanged) == (TaskState.SUCCEEDED, 1)
    assert not UpstreamJob.objects.exists()


def test_one_job_for_each_customer(world: World) -> None:
    other = world.new_customer(SAUERLAND, "Sauerland")
    at_both(world, 2)
    at_both(world, 1, first=442079460600, customer=other, routed=False)
    task = passes.finish(submit(["Mobile"], []))
    assert task.succeeded == 3
    assert set(UpstreamJob.objects.values_list("customer_id", "total")) == {(world.customer.pk, 2), (other.pk, 1)}


# The rules, without Microsoft


def number(**columns: Any) -> PhoneNumber:
    made: PhoneNumber = PhoneNumberFactory(**NUMBER | columns)
    return made


def test_the_matrix_of_capabilities_and_usages(db: None) -> None:
    offered = {"available_capabilities": None, "acquired_capabilities": []}
    number(usage="CallingUserAssignment", **offered)
    number(usage="FirstPartyAppAssignment", **offered)
    number(usage="ConferenceAssignment", **offered)
    number(usage="ThirdPartyAppAssignment", **offered)
    number(usage="ConferenceAssignment", additional_usages=["FirstPartyAppAssignment"], **offered)
    will = {word: plan([word], []).will for word in ("InboundCalling", "OutboundCalling", "OCMobile", "Mobile")}
    assert will == {"InboundCalling": 4, "OutboundCalling": 4, "OCMobile": 1, "Mobile": 3}
    assert left_alone(plan(["OCMobile"], [])) == {"usage_forbids:OCMobile": 4}
    assert "users" in plan(["OCMobile"], []).left_alone[0].sentence


@pytest.mark.parametrize(
    ("words", "may"),
    [
        (["UserAssignment"], True),
        (["FirstPartyAppAssignment"], False),
        (["ConferenceAssignment", "UserAssignment"], True),
        (["Geographic"], True),  # nothing tells its usage: Microsoft decides
    ],
)
def test_without_a_usage_the_capabilities_tell_it(db: None, words: list[str], may: bool) -> None:
    number(usage="", acquired_capabilities=words, available_capabilities=None)
    assert plan(["OCMobile"], []).will == may


def test_only_what_microsoft_offers_is_added(db: None) -> None:
    number(available_capabilities=["Geographic", "OutboundCalling"])
    number(available_capabilities=None)
    found = plan(["OutboundCalling", "Mobile"], [])
    assert (found.will, left_alone(found)) == (1, {"not_available:Mobile": 1})


def test_what_is_there_is_not_judged(db: None) -> None:
    """Mobile is neither offered any more nor does it go with the usage; it is there all the same and stays."""
    number(acquired_capabilities=["InboundCalling", "Mobile"], available_capabilities=[], usage="ConferenceAssignment")
    assert plan(["Mobile"], ["InboundCalling"]).will == 1


def test_nothing_to_do_is_unchanged(db: None) -> None:
    number()
    number(acquired_capabilities=["Geographic"])
    found = plan(["InboundCalling"], ["Mobile"])
    assert (found.will, left_alone(found)) == (1, {"already": 1})
    assert found.left_alone[0].state == ItemState.UNCHANGED


@pytest.mark.parametrize("word", ["Geographic", "TollFree", "Office365", "UserAssignment", "SharedCalling"])
def test_what_is_not_in_the_matrix_is_never_touched(db: None, word: str) -> None:
    number(acquired_capabilities=[word, "InboundCalling"])
    number(acquired_capabilities=["InboundCalling"])
    assert left_alone(plan([], [word])) == {"already": 1, f"mandatory:{word}": 1}
    assert left_alone(plan([word], [])) == {"already": 1, f"mandatory:{word}": 1}


def test_what_the_plans_of_the_customer_call_mandatory_stays(db: None) -> None:
    def plans(usage: str) -> list[dict[str, Any]]:
        return [{"usage": usage, "mandatory_capabilities": ["Office365", "InboundCalling"], "offer_types": ["Calling"]}]

    strict = CustomerFactory(usage_plans=plans("CallingUserAssignment"))
    number(customer=strict)
    number(customer=strict, usage="FirstPartyAppAssignment")
    number(customer=strict, usage="FirstPartyAppAssignment", additional_usages=["CallingUserAssignment"])
    number(customer=CustomerFactory(usage_plans=plans("ConferenceAssignment")))
    number()
    found = plan([], ["InboundCalling"])
    assert (found.will, left_alone(found)) == (3, {"mandatory:InboundCalling": 2})
    assert "mandatory" in found.left_alone[0].sentence


def test_only_active_numbers(db: None) -> None:
    for status in Status:
        number(status=status)
    found = plan(["Mobile"], [])
    assert (found.will, sum(left_alone(found).values())) == (1, 4)


def test_the_synchronisation_reads_the_usages_and_writes_them_once(world: World) -> None:
    passes.synchronise(customers=[world.customer])
    customer = Customer.objects.get(pk=world.customer.pk)
    users = next(one for one in customer.usage_plans if one["usage"] == "CallingUserAssignment")
    assert users == {
        "usage": "CallingUserAssignment",
        "offer_types": ["Calling"],
        "mandatory_capabilities": ["Office365", "UserAssignment"],
        "choosable_capabilities": ["InboundCalling", "OutboundCalling", "Mobile"],
        "supports_toll_free": False,
    }
    entries = AuditEntry.objects.filter(object_type="customer", after__has_key="usage_plans")
    assert entries.count() == 1
    passes.synchronise(customers=[world.customer])
    assert entries.count() == 1
