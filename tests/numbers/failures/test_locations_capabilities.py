"""F18, F19: an emergency location or a capability that a number cannot have."""

from typing import Any

import pytest
from django.test import Client

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import Location, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import CivicAddressFactory, LocationFactory
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    asked,
    counters,
    history,
    jobs,
    message_of,
    number_page,
    outcomes,
    plan_of,
    task_page,
    text,
)

pytestmark = pytest.mark.django_db

WORDS = ["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment"]  # of the numbers here


def place(world: World, country: str, validation: str, believed: dict[str, str] | None = None) -> Location:
    """One of the customer's places at Microsoft; `believed` is what our row says instead."""
    found = OperatorConnect().civic_addresses(world.customer.tenant_id)
    record = next(one for one in found if (one.country, one.validation_status) == (country, validation))
    values = {"country": country, "validation_status": validation} | (believed or {})
    address = CivicAddressFactory(id=record.id, customer=world.customer, **values)
    return LocationFactory(id=record.locations[0].id, civic_address=address)


def submit(kind: str, **params: Any) -> Task:
    return ON_NUMBERS[kind].submit(PhoneNumber.objects.all(), params, title=kind, by=SYSTEM, channel="web")


def relocate(location: Location, route: str = "operator") -> Task:
    return submit("relocate", location_id=str(location.pk), route=route, allow_tenant_address_update=None)


# F18


@pytest.mark.failure("F18")
@pytest.mark.parametrize(
    ("country", "validation", "words"),
    [
        ("FR", "validated", "The address is in another country (FR) than the number."),
        ("GB", "invalid", "Microsoft calls the address invalid. The customer has to replace it first."),
    ],
)
def test_what_is_known_to_be_wrong_with_an_address_is_told_in_the_plan(
    world: World, alice_client: Client, country: str, validation: str, words: str
) -> None:
    numbers = world.numbers(1)
    location = place(world, country, validation)
    address, plan = plan_of(alice_client, "relocate", numbers, location=location.pk)
    assert (plan.context["plan"].will, words in text(plan)) == (0, True)
    alice_client.post(address, {"shown": plan.context["proposal"].shown})
    assert not Task.objects.exists()
    assert asked(world, "location-updates") == []


@pytest.mark.failure("F18")
@pytest.mark.parametrize(
    ("country", "validation", "believed", "code", "words"),
    [
        ("FR", "validated", {"country": "GB"}, "CountryMismatch", "are in different countries."),
        ("GB", "notValidated", {}, "AddressNotValidated", "The emergency address has not been validated."),
    ],
)
def test_what_only_microsoft_objects_to_fails_number_by_number(
    world: World,
    alice_client: Client,
    country: str,
    validation: str,
    believed: dict[str, str],
    code: str,
    words: str,
) -> None:
    (number,) = world.numbers(1)
    location = place(world, country, validation, believed)
    _address, plan = plan_of(alice_client, "relocate", [number], location=location.pk)
    assert plan.context["plan"].will == 1
    assert ("The address has not been validated; Microsoft may refuse it." in text(plan)) == (not believed)
    task = passes.finish(relocate(location))
    assert counters(task) == (TaskState.FAILED, 0, 1)
    assert outcomes(task) == {number.e164: (ItemState.FAILED, code)}
    assert words in task_page(alice_client, task)
    assert jobs() == [("Error", 1, 0, 1)]
    number.refresh_from_db()
    assert (number.location, number.civic_address, history(number)) == (None, None, [])


@pytest.mark.failure("F18")
def test_a_customer_who_may_not_move_a_number_is_known_or_told(world: World, alice_client: Client) -> None:
    """In the customer's tenant: one number of which we know it, one of which only Microsoft does, one that goes."""
    known, told, good = world.numbers(3)
    PhoneNumber.objects.filter(pk=known.pk).update(allow_tenant_address_update=False)
    world.at_microsoft([good], allowTenantAddressUpdate=True)
    world.at_microsoft([known, told], allowTenantAddressUpdate=False)
    location = place(world, "GB", "validated")
    words = "The customer may not change the location of this number."
    _address, plan = plan_of(alice_client, "relocate", [known, told, good], location=location.pk, route="tenant")
    assert (plan.context["plan"].will, words in text(plan)) == (2, True)
    task = passes.finish(relocate(location, "tenant"))
    assert outcomes(task) == {
        known.e164: (ItemState.REFUSED, "customer_may_not"),
        told.e164: (ItemState.FAILED, "LocationUpdateNotSupported"),
        good.e164: (ItemState.SUCCEEDED, ""),
    }
    assert "LocationUpdateNotSupported" in task_page(alice_client, task)
    assert dict(PhoneNumber.objects.values_list("e164", "location")) == {
        known.e164: None,
        told.e164: None,
        good.e164: location.pk,
    }
    assert history(good) == ["location.changed"]
    assert len(world.posts("/updateNumber")) == 2  # nobody asked about the one that is known to be refused


# F19


def capabilities_of(world: World, number: PhoneNumber) -> tuple[list[str], list[str]]:
    """Here, and at Microsoft."""
    number.refresh_from_db()
    return sorted(number.acquired_capabilities), sorted(OperatorConnect().number(number.e164).acquired_capabilities)


def alike(world: World, count: int) -> list[PhoneNumber]:
    """Numbers with the same capabilities on both sides."""
    numbers = world.numbers(count, acquired_capabilities=WORDS, available_capabilities=[*WORDS, "Mobile"])
    world.at_microsoft(numbers, acquiredCapabilities=WORDS, availableCapabilities=[*WORDS, "Mobile"])
    return numbers


@pytest.mark.failure("F19")
def test_a_mandatory_capability_is_kept_by_the_plan(world: World, alice_client: Client) -> None:
    numbers = alike(world, 1)
    mandatory = {"usage": "CallingUserAssignment", "mandatory_capabilities": ["InboundCalling"]}
    type(world.customer).objects.filter(pk=world.customer.pk).update(usage_plans=[mandatory])
    _address, plan = plan_of(alice_client, "capabilities", numbers, remove="InboundCalling")
    words = "is mandatory for the usage of this number and cannot be removed."
    assert (plan.context["plan"].will, words in text(plan)) == (0, True)
    assert asked(world, "capability-updates") == []


@pytest.mark.failure("F19")
def test_a_request_that_microsoft_refuses_fails_the_named_number_and_sends_the_rest_again(
    world: World, alice_client: Client
) -> None:
    """400: it has withdrawn the offer for one number since we asked."""
    named, other = alike(world, 2)
    world.at_microsoft([named], availableCapabilities=WORDS)
    task = passes.finish(submit("capabilities", add=["Mobile"], remove=[]))
    assert counters(task) == (TaskState.PARTIAL, 1, 1)
    assert outcomes(task)[named.e164] == (ItemState.FAILED, "CapabilityNotAvailable")
    assert message_of(task, named) == "Not available: Mobile. Its capabilities are as before."
    assert message_of(task, named) in task_page(alice_client, task)
    assert asked(world, "capability-updates") == ["send 400", "send 202", "follow 200"]
    assert jobs() == [("Refused", 2, 0, 0), ("Complete", 1, 1, 0)]
    assert capabilities_of(world, named) == (WORDS, WORDS)
    assert capabilities_of(world, other) == (sorted([*WORDS, "Mobile"]),) * 2
    assert (history(named), history(other)) == ([], ["capabilities.changed"])


@pytest.mark.failure("F19")
def test_an_update_that_fails_shows_the_number_as_it_was(world: World, alice_client: Client) -> None:
    (number,) = alike(world, 1)
    before = number_page(alice_client, number.e164, "capabilities")
    world.sandbox.call("PUT", "/state", {"failures": {number.e164: "UpdateFailed"}})
    task = passes.finish(submit("capabilities", add=["Mobile"], remove=["InboundCalling"]))
    assert outcomes(task) == {number.e164: (ItemState.FAILED, "UpdateFailed")}
    assert "The telephone number could not be updated. Its capabilities are as before." in task_page(alice_client, task)
    assert capabilities_of(world, number) == (WORDS, WORDS)
    assert number_page(alice_client, number.e164, "capabilities") == before
    passes.synchronise(numbers=[number.e164])
    number.refresh_from_db()
    assert (number.activation_state, sorted(number.acquired_capabilities)) == ("UpdateFailed", WORDS)
    assert "UpdateFailed" in number_page(alice_client, number.e164)
