"""F11, F12: Microsoft does not know the customer, or the customer has not agreed."""

import uuid
from typing import Any

import pytest
from django.test import Client

from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import ItemState, TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    NEW,
    PLANS,
    asked,
    asked_of_sbc,
    counters,
    customer_does,
    jobs,
    known_rules,
    message_of,
    once_each,
    outcomes,
    page,
    start_upload,
    tags,
    task_page,
    text,
    upload_page,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty(world: World) -> None:
    """The SBC routes nothing yet."""
    world.route([])


def change(world: World, **fields: Any) -> None:
    """What we know of the customer."""
    Customer.objects.filter(pk=world.customer.pk).update(**fields)
    world.customer.refresh_from_db()


def nothing_was_touched(world: World) -> None:
    assert asked(world, "uploads") == []
    assert asked_of_sbc(world) == []
    assert (known_rules(), PhoneNumber.objects.exists()) == ({}, False)


@pytest.mark.failure("F11")
def test_an_unknown_tenant_is_refused_as_a_whole_before_an_sbc_is_touched(world: World, alice_client: Client) -> None:
    change(world, tenant_id=uuid.uuid4(), usage_plans=PLANS)
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "tenant_unknown")}
    seen = task_page(alice_client, task)
    assert f"for the tenant {world.customer.tenant_id}: there is no such tenant; check the tenant ID." in seen
    nothing_was_touched(world)


@pytest.mark.failure("F11")
def test_without_usages_the_unknown_tenant_shows_in_the_form_already(world: World, alice_client: Client) -> None:
    change(world, tenant_id=uuid.uuid4(), usage_plans=[])
    assert "there is no such tenant; check the tenant ID." in text(upload_page(alice_client, world, NEW))
    nothing_was_touched(world)


@pytest.mark.failure("F12")
@pytest.mark.parametrize("status", ["suspended", "removed"])
def test_a_consent_that_is_known_to_be_gone_stops_the_form(world: World, alice_client: Client, status: str) -> None:
    change(world, consent_status=status)
    words = f"The consent of Harbourline is “{status}”: numbers can be uploaded only while it is active."
    assert words in text(upload_page(alice_client, world, NEW))
    assert f"Consent {status.capitalize()}" in page(alice_client, f"/customers/{world.customer.tenant_id}/")
    nothing_was_touched(world)


@pytest.mark.failure("F12")
def test_a_consent_that_was_suspended_meanwhile_leaves_nothing_behind(world: World, alice_client: Client) -> None:
    """Only Microsoft knows; a synchronisation lets the customer's page know too."""
    world.sandbox.call("POST", "/customer", customer_does(world, "suspendConsent"))
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "ConsentNotActive")}
    assert "it is not allowed (403, ConsentNotActive: The consent of the tenant is suspended)." in task_page(
        alice_client, task
    )
    assert [status for status, *_counts in jobs()] == ["Refused"]
    assert asked(world, "uploads") == ["send 403"]
    assert (tags(world), known_rules(), PhoneNumber.objects.exists()) == ({}, {}, False)
    passes.synchronise(customers=[world.customer])
    world.customer.refresh_from_db()
    assert world.customer.consent_status == "suspended"
    address = f"/customers/{world.customer.tenant_id}/"
    assert "Consent Suspended" in page(alice_client, address)
    assert f'href="{address}"' in alice_client.get("/").content.decode()  # among those that need attention


@pytest.mark.failure("F12")
def test_a_country_without_consent_fails_only_its_own_numbers(world: World, alice_client: Client) -> None:
    german = "+493012345670"
    change(world, consented_countries=["GB", "DE"])  # as we believe
    plan = upload_page(alice_client, world, [NEW[0], german, "+33123456789"])
    assert plan.context["plan"].will == 2
    assert "+33123456789" in text(plan)
    task = passes.finish(start_upload(world, [NEW[0], german]))
    assert counters(task) == (TaskState.PARTIAL, 1, 1)
    assert outcomes(task)[german] == (ItemState.FAILED, "CountryNotConsented")
    assert message_of(task, german) == "No consent for DE."
    assert "No consent for DE." in task_page(alice_client, task)
    assert jobs() == [("Refused", 2, 0, 0), ("Success", 1, 1, 0)]
    assert set(tags(world)) == {f"{NEW[0]}#"}
    assert once_each(world, "uploads", [NEW[0]])
