"""Change emergency location: the rules, both ways to Microsoft, and a line of history for each number."""

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db.models import QuerySet

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM, Grant, Principal
from ocadmin.numbers import timeline, undo
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import ConnectionState, Customer, Location, PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.plans import Plan
from tests.factories import CivicAddressFactory, LocationFactory, PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

pytestmark = pytest.mark.django_db

RELOCATE = ON_NUMBERS["relocate"]
READER = Principal("reader", (Grant(Role.ADMIN),))
UPDATE = "numberAssignments/updateNumber"


def params(location: Location | None, **more: Any) -> dict[str, Any]:
    return {
        "location_id": str(location.pk) if location else None,
        "route": "operator",
        "allow_tenant_address_update": None,
    } | more


def submit(location: Location | None, numbers: QuerySet[PhoneNumber] | None = None, **more: Any) -> Task:
    rows = PhoneNumber.objects.all() if numbers is None else numbers
    asked = params(location, comment="moved house", **more)
    return RELOCATE.submit(rows, asked, title="Relocate", by=SYSTEM, channel="web", ticket="CHG-3")


def plan(location: Location | None, **more: Any) -> Plan:
    return RELOCATE.plan(PhoneNumber.objects.all(), params(location, **more), SYSTEM)


def left_alone(plan: Plan) -> dict[str, int]:
    return {group.code: group.count for group in plan.left_alone}


def cautions(plan: Plan) -> dict[str, int]:
    return {group.code: group.count for group in plan.cautions}


def codes(task: Task) -> dict[str, str]:
    return dict(task.items.values_list("key", "code"))


def place_of(customer: Customer, country: str = "GB", validation: str = "validated") -> Location:
    """One of the customer's places at Microsoft, which we have read as a synchronisation does."""
    found = OperatorConnect().civic_addresses(customer.tenant_id)
    record = next(one for one in found if (one.country, one.validation_status) == (country, validation))
    address = CivicAddressFactory(id=record.id, customer=customer, country=country, validation_status=validation)
    return LocationFactory(id=record.locations[0].id, civic_address=address)


def at_microsoft(world: World, number: PhoneNumber) -> tuple[str | None, str | None, bool | None]:
    world.sandbox.call("POST", "/clock/advance", {"seconds": 60})
    record = OperatorConnect().number(number.e164)
    ids = [str(one) if one else None for one in (record.location_id, record.civic_address_id)]
    return ids[0], ids[1], record.allow_tenant_address_update


def test_numbers_get_a_location_and_with_it_its_address(world: World) -> None:
    numbers = world.numbers(3)
    place = place_of(world.customer)
    task = passes.finish(submit(place, allow_tenant_address_update=True))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3), task.message
    assert task.message == "3 numbers have the new emergency location."
    job = UpstreamJob.objects.get()
    assert (job.kind, job.total, job.succeeded) == ("location-updates", 3, 3)
    for number in numbers:
        number.refresh_from_db()
        assert (number.location, number.civic_address) == (place, place.civic_address)
        assert number.allow_tenant_address_update is True
        assert at_microsoft(world, number) == (str(place.pk), str(place.civic_address_id), True)
        entry = AuditEntry.objects.get(object_id=number.e164, action="location.changed")
        assert entry.before == {"location_id": None, "civic_address_id": None, "allow_tenant_address_update": None}
        assert entry.after["location_id"] == str(place.pk)
        assert entry.after["civic_address_id"] == str(place.civic_address_id)
        assert (entry.task_ref, entry.ticket) == (task.pk, "CHG-3")
        assert entry.message == "moved house"
        (line,) = timeline.read(number.e164, number, READER, 1).rows
        assert line.ms_job_id == str(job.ms_job_id)
        assert line.undo == undo.Undo("relocate", {"location": "clear"})
    assert {item.upstream_ids["ms_job_id"] for item in task.items.all()} == {str(job.ms_job_id)}


def test_clearing_takes_location_and_address_away(world: World) -> None:
    (number,) = world.numbers(1)
    place = place_of(world.customer)
    passes.finish(submit(place))
    task = passes.finish(submit(None))
    number.refresh_from_db()
    assert (number.location, number.civic_address) == (None, None)
    assert at_microsoft(world, number)[:2] == (None, None)
    assert task.message == "1 number has no emergency location any more."
    entry = AuditEntry.objects.filter(object_id=number.e164, action="location.changed").first()
    assert entry is not None
    assert entry.before == {"location_id": str(place.pk), "civic_address_id": str(place.civic_address_id)}
    assert entry.after == {"location_id": None, "civic_address_id": None}


def test_one_job_for_each_customer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "job_size", 2)
    other = world.new_customer(SAUERLAND, "Sauerland")
    world.numbers(3)
    world.numbers(1, first=442079460600, customer=other, routed=False)
    for customer in (world.customer, other):
        address = CivicAddressFactory(customer=customer)
        PhoneNumber.objects.filter(customer=customer).update(civic_address=address)
    task = passes.finish(submit(None))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 4)
    assert sorted(UpstreamJob.objects.values_list("customer_id", "total")) == sorted(
        [(world.customer.pk, 2), (world.customer.pk, 1), (other.pk, 1)]
    )


def test_what_microsoft_refuses_fails_by_itself_and_the_rest_goes_through(world: World) -> None:
    """F18: the number is French at Microsoft, and here nobody knows it."""
    numbers = world.numbers(3)
    world.at_microsoft(numbers[:1], isoCountryCode="FR")
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(iso_country_code="")
    place = place_of(world.customer)
    assert cautions(plan(place)) == {"country_unknown": 1}
    task = passes.finish(submit(place))
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 2, 1)
    item = task.items.get(state=ItemState.FAILED)
    assert (item.key, item.code) == (numbers[0].e164, "CountryMismatch")
    assert "different countries" in item.message
    assert set(PhoneNumber.objects.values_list("e164", "location")) == {
        (numbers[0].e164, None),
        (numbers[1].e164, place.pk),
        (numbers[2].e164, place.pk),
    }
    assert AuditEntry.objects.filter(action="location.changed").count() == 2
    assert "1 are as before" in task.message


def test_an_address_that_is_not_validated_is_tried_and_says_what_microsoft_said(world: World) -> None:
    world.numbers(1)
    place = place_of(world.customer, validation="notValidated")
    assert cautions(plan(place)) == {"address_not_validated": 1}
    task = passes.finish(submit(place))
    assert list(codes(task).values()) == ["AddressNotValidated"]


def test_a_location_that_microsoft_does_not_know_fails_all(world: World) -> None:
    world.numbers(2)
    task = passes.finish(submit(LocationFactory(civic_address__customer=world.customer)))
    assert (task.state, set(codes(task).values())) == (TaskState.FAILED, {"LocationNotFound"})
    assert "LocationNotFound" in task.items.all()[0].message


def test_a_lost_answer_leads_to_one_job(world: World) -> None:
    world.numbers(2)
    world.sandbox.fault({"method": "POST", "path": "/location-updates"}, {"drop": "after_commit"})
    task = passes.finish(submit(place_of(world.customer)))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2)
    assert UpstreamJob.objects.count() == 1


def test_the_rules_stand_in_the_plan(world: World) -> None:
    place = LocationFactory(civic_address__customer=world.customer)
    own = {"customer": world.customer}
    PhoneNumberFactory(location=place, civic_address=place.civic_address, **own)
    for status in set(Status) - {Status.ACTIVE}:
        PhoneNumberFactory(status=status, **own)
    PhoneNumberFactory(acquired_capabilities=["TollFree", "Office365"], **own)
    PhoneNumberFactory()
    PhoneNumberFactory(iso_country_code="FR", **own)
    for country in ("GB", "GG", "JE", "IM"):
        PhoneNumberFactory(iso_country_code=country, **own)
    found = plan(place)
    assert (found.will, found.total) == (4, 12)
    refused = left_alone(found)
    assert refused.pop("already") == 1
    assert refused.pop("toll_free") == 1
    assert (refused.pop("foreign_location"), refused.pop("country_mismatch")) == (1, 1)
    assert sum(refused.values()) == 4  # one for each status but Active
    task = submit(place)
    assert task.items.filter(state=ItemState.UNCHANGED).count() == 1
    assert task.items.filter(state=ItemState.PENDING).count() == 4


def test_north_america_is_one_country(world: World) -> None:
    place = LocationFactory(civic_address__customer=world.customer, civic_address__country="US")
    for country in ("US", "CA", "PR", "GB"):
        PhoneNumberFactory(customer=world.customer, iso_country_code=country)
    found = plan(place)
    assert (found.will, left_alone(found)) == (3, {"country_mismatch": 1})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"civic_address__validation_status": "Invalid"}, "address_invalid"),
        ({"removed_at": "2026-01-01T00:00Z"}, "location_gone"),
        ({"civic_address__removed_at": "2026-01-01T00:00Z"}, "location_gone"),
    ],
)
def test_some_locations_are_for_nobody(contoso: Customer, change: dict[str, Any], code: str) -> None:
    PhoneNumberFactory(customer=contoso)
    place = LocationFactory(civic_address__customer=contoso, **change)
    assert left_alone(plan(place)) == {code: 1}


def test_a_location_that_never_was_is_gone(contoso: Customer) -> None:
    PhoneNumberFactory(customer=contoso)
    asked = params(None) | {"location_id": str(uuid.uuid4())}
    assert left_alone(RELOCATE.plan(PhoneNumber.objects.all(), asked, SYSTEM)) == {"location_gone": 1}


def test_the_plan_warns_of_what_reaches_people(contoso: Customer) -> None:
    place = LocationFactory(civic_address__customer=contoso, civic_address__country="DE")
    there = {"customer": contoso, "iso_country_code": "DE", "civic_address": place.civic_address}
    PhoneNumberFactory(assignment_status="UserAssigned", **there)
    PhoneNumberFactory(assignment_status="FutureThing", **there)
    PhoneNumberFactory(assignment_status="ConferenceAssigned", allow_tenant_address_update=False, **there)
    assert cautions(plan(place)) == {"user_assigned": 2, "area_code": 3}
    moved, cleared = plan(place).cautions[0].sentence, plan(None).cautions[0].sentence
    assert "changes" in moved
    assert "lose their emergency location" in cleared
    assert cautions(plan(None, allow_tenant_address_update=True)) == {"user_assigned": 2, "customer_may_change": 3}
    assert cautions(plan(None, allow_tenant_address_update=False)) == {"user_assigned": 2, "customer_may_no_longer": 2}


def test_the_same_place_with_another_permission_is_a_change(contoso: Customer) -> None:
    place = LocationFactory(civic_address__customer=contoso)
    at = {"customer": contoso, "location": place, "civic_address": place.civic_address}
    PhoneNumberFactory(allow_tenant_address_update=True, **at)
    PhoneNumberFactory(allow_tenant_address_update=False, **at)
    assert left_alone(plan(place)) == {"already": 2}
    assert left_alone(plan(place, allow_tenant_address_update=True)) == {"already": 1}


def test_a_number_at_work_is_left_alone(world: World) -> None:
    world.numbers(1)
    submit(place_of(world.customer))
    assert left_alone(plan(Location.objects.get())) == {"busy": 1}


# In the customer's tenant


def in_tenant(world: World, **columns: Any) -> list[PhoneNumber]:
    """Three numbers whose location the customer may change."""
    numbers = world.numbers(3, **columns)
    world.at_microsoft(numbers, allowTenantAddressUpdate=True)
    return numbers


def test_the_tenant_answers_at_once_number_by_number(world: World) -> None:
    numbers = in_tenant(world)
    place = place_of(world.customer)
    task = passes.finish(submit(place, route="tenant"))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3), task.message
    assert len(world.posts(UPDATE)) == 3
    assert not UpstreamJob.objects.exists()
    assert set(PhoneNumber.objects.values_list("location", "civic_address")) == {(place.pk, place.civic_address_id)}
    assert at_microsoft(world, numbers[0])[0] == str(place.pk)
    entry = AuditEntry.objects.filter(action="location.changed")[0]
    assert entry.message == "In the customer's tenant. moved house"
    passes.finish(submit(None, route="tenant"))
    assert at_microsoft(world, numbers[0])[0] is None
    assert not PhoneNumber.objects.exclude(location=None).exists()


def test_the_tenant_refuses_each_number_for_itself(world: World) -> None:
    numbers = in_tenant(world)
    world.at_microsoft(numbers[:1], allowTenantAddressUpdate=False)
    world.sandbox.numbers(delete=[numbers[1].e164])
    task = passes.finish(submit(place_of(world.customer), route="tenant"))
    assert codes(task) == {
        numbers[0].e164: "LocationUpdateNotSupported",
        numbers[1].e164: "NumberNotFound",
        numbers[2].e164: "",
    }
    assert (task.state, task.succeeded) == (TaskState.PARTIAL, 1)


def test_a_lost_answer_of_the_tenant_is_simply_asked_again(world: World) -> None:
    in_tenant(world)
    world.sandbox.fault({"method": "POST", "path": UPDATE}, {"drop": "after_commit"})
    task = passes.finish(submit(place_of(world.customer), route="tenant"))
    assert (task.state, task.succeeded, len(world.posts(UPDATE))) == (TaskState.SUCCEEDED, 3, 4)


def test_throttling_is_waited_for(world: World) -> None:
    in_tenant(world)
    world.sandbox.fault({"method": "POST", "path": UPDATE}, {"status": 429, "headers": {"Retry-After": "0"}}, times=2)
    task = passes.finish(submit(place_of(world.customer), route="tenant"))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3)


def test_without_a_connection_the_plan_says_so(world: World) -> None:
    world.numbers(1)
    place = place_of(world.customer)
    Customer.objects.update(connection=ConnectionState.NOT_CONNECTED)
    assert left_alone(plan(place, route="tenant")) == {"not_connected": 1}
    assert plan(place).will == 1


def test_what_the_customer_may_not_do_is_known_before(world: World) -> None:
    world.numbers(1, allow_tenant_address_update=False)
    assert left_alone(plan(place_of(world.customer), route="tenant")) == {"customer_may_not": 1}


def test_a_tenant_that_turns_out_not_to_be_connected_loses_its_numbers_only(world: World) -> None:
    tenants = world.sandbox.state()["tenants"]
    closed = next(uuid.UUID(one["tenantId"]) for one in tenants if not one["graphConnected"])
    other = world.new_customer(closed, "Southern Cross")
    world.numbers(2, first=61255500900, customer=other, routed=False)
    in_tenant(world)
    for customer in (world.customer, other):
        address = CivicAddressFactory(customer=customer)
        PhoneNumber.objects.filter(customer=customer).update(civic_address=address)
    task = passes.finish(submit(None, route="tenant"))
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 3, 2)
    assert sorted(codes(task).values()) == ["", "", "", "not_connected", "not_connected"]
    other.refresh_from_db()
    assert other.connection == ConnectionState.NOT_CONNECTED


def test_cancelling_leaves_what_was_not_asked(world: World) -> None:
    in_tenant(world)
    task = submit(place_of(world.customer), route="tenant")
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert (task.state, world.posts(UPDATE)) == (TaskState.CANCELLED, [])
    assert set(task.items.values_list("state", flat=True)) == {ItemState.CANCELLED}
    assert not PhoneNumber.objects.exclude(location=None).exists()
