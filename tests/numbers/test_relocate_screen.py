"""The screen of "Change emergency location": what may be chosen, what is wrong with it, the plan, and who may."""

import re
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.numbers import undo
from ocadmin.numbers.models import Customer, Location, PhoneNumber
from ocadmin.tasks.models import Task
from tests.budgets import budget
from tests.factories import (
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    UserFactory,
    grant,
)

pytestmark = pytest.mark.django_db

KIND = "relocate"


@pytest.fixture
def place(contoso: Customer) -> Location:
    """One of Contoso's places."""
    address = CivicAddressFactory(customer=contoso, house_number="40", street_name="Wapping Quay")
    return LocationFactory(civic_address=address, description="Floor 7")


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    """One of Contoso's numbers."""
    return PhoneNumberFactory(customer=contoso)


def address_of(client: Client, **form: Any) -> str:
    """The address of the action's page for what is ticked."""
    return client.post("/numbers/actions/", {"action": KIND, "back": "/numbers/?q=1", **form})["Location"]


def asked(client: Client, address: str, **fields: Any) -> HttpResponse:
    """The page after "Show the plan"."""
    return client.get(f"{address}&{urlencode({'set': 1, **fields}, doseq=True)}")


def text(page: HttpResponse) -> str:
    return " ".join(page.content.decode().split())


def options(page: HttpResponse) -> dict[str, list[str]]:
    """Group to the options in it."""
    groups = re.findall(r'<optgroup label="([^"]*)">(.*?)</optgroup>', text(page))
    return {label: re.findall(r"<option[^>]*>([^<]*)</option>", rows) for label, rows in groups}


def test_first_it_is_asked_what_to_change(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    page = alice_client.get(address_of(alice_client, row=number.e164))
    assert "1 number selected" in text(page)
    assert page.context["plan"] is None
    assert options(page) == {place.civic_address.one_line: ["Floor 7 · 40 Wapping Quay · London"]}
    assert "None: clear the location" in text(page)
    assert 'name="find"' not in text(page)


def test_the_plan_and_then_the_task(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    address = address_of(alice_client, row=number.e164)
    page = asked(alice_client, address, location=place.pk, route="operator", may_change="no")
    assert page.context["plan"].will == 1
    shown = page.context["proposal"].shown
    query = urlencode({"set": 1, "location": place.pk, "route": "operator", "may_change": "no"})
    answer = alice_client.post(f"{address}&{query}", {"shown": shown, "comment": "moved", "ticket": "CHG-1"})
    task = Task.objects.get()
    assert answer["Location"] == f"/tasks/{task.pk}/"
    assert task.params == {
        "location_id": str(place.pk),
        "route": "operator",
        "allow_tenant_address_update": False,
        "comment": "moved",
    }
    assert (task.kind, task.ticket, task.title) == (KIND, "CHG-1", "Change emergency location: 1 number")


def test_clearing_is_a_choice_of_its_own(alice_client: Client, contoso: Customer, place: Location) -> None:
    number = PhoneNumberFactory(
        customer=contoso, location=place, civic_address=place.civic_address, assignment_status="UserAssigned"
    )
    page = asked(alice_client, address_of(alice_client, row=number.e164), location="clear")
    assert page.context["proposal"].params["location_id"] is None
    assert "lose their emergency location" in text(page)


def test_the_plan_for_programs(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    address = address_of(alice_client, row=number.e164)
    answer = asked(alice_client, address, location=place.pk, format="json").json()
    assert answer["operation"] == KIND
    assert answer["params"] == {
        "location_id": str(place.pk),
        "route": "operator",
        "allow_tenant_address_update": None,
    }
    assert answer["will"] == {"count": 1, "sample": [number.e164]}
    refused = asked(alice_client, address, location="nowhere", format="json")
    assert refused.status_code == 400
    assert "location" in refused.json()["errors"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose a location, or choose to clear it."),
        ({"location": "nowhere"}, "not, or no longer, at an address"),
        ({"location": str(uuid.uuid4())}, "not, or no longer, at an address"),
        ({"location": "clear", "route": "pigeon"}, "pigeon"),
        ({"location": "clear", "route": "tenant", "may_change": "yes"}, "Only the operator can change this"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    alice_client: Client, number: PhoneNumber, place: Location, fields: dict[str, str], sentence: str
) -> None:
    page = asked(alice_client, address_of(alice_client, row=number.e164), **fields)
    assert page.context["plan"] is None
    assert sentence in text(page)
    assert not Task.objects.exists()


def test_the_form_has_one_place_to_choose_and_never_an_address(
    alice_client: Client, number: PhoneNumber, place: Location
) -> None:
    page = alice_client.get(address_of(alice_client, row=number.e164))
    assert set(page.context["wanted"].fields) == {"location", "route", "may_change"}


def test_places_of_others_and_places_that_are_gone_are_not_offered(
    alice_client: Client, number: PhoneNumber, place: Location
) -> None:
    strange = LocationFactory()
    gone = LocationFactory(civic_address=place.civic_address, removed_at="2026-01-01T00:00Z", description="Attic")
    page = alice_client.get(address_of(alice_client, row=number.e164))
    assert len(options(page)) == 1
    assert "Attic" not in text(page)
    for other in (strange, gone):
        refused = asked(alice_client, address_of(alice_client, row=number.e164), location=other.pk)
        assert "not, or no longer, at an address" in text(refused)


def test_addresses_say_what_microsoft_says_of_them(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    for word in ("validated", "notValidated", "Invalid"):
        LocationFactory(civic_address=CivicAddressFactory(customer=contoso, validation_status=word))
    page = alice_client.get(address_of(alice_client, row=number.e164))
    labels = sorted(label.rpartition(" · ")[2] for label in options(page))
    assert [label for label in labels if "London" not in label] == ["invalid, cannot be used", "not validated"]


def test_without_addresses_it_says_who_makes_them(alice_client: Client, number: PhoneNumber) -> None:
    page = alice_client.get(address_of(alice_client, row=number.e164))
    assert "Customers make their addresses in the Teams admin center" in text(page)


def test_several_customers_are_told_apart(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    fabrikam = CustomerFactory(full_name="Fabrikam")
    theirs = LocationFactory(civic_address__customer=fabrikam)
    other = PhoneNumberFactory(customer=fabrikam)
    address = address_of(alice_client, row=[number.e164, other.e164])
    page = alice_client.get(address)
    assert list(options(page)) == [
        f"Contoso · {place.civic_address.one_line}",
        f"Fabrikam · {theirs.civic_address.one_line}",
    ]
    assert "belong to several customers" in text(page)
    plan = asked(alice_client, address, location=place.pk).context["plan"]
    assert (plan.will, [group.code for group in plan.left_alone]) == (1, ["foreign_location"])


def test_hundreds_of_places_are_looked_up(
    alice_client: Client, number: PhoneNumber, contoso: Customer, place: Location
) -> None:
    streets = [CivicAddressFactory(customer=contoso, street_name=f"Aisle {n}", city="Aachen") for n in range(120)]
    Location.objects.bulk_create(Location(id=uuid.uuid4(), civic_address=one, description="Gate") for one in streets)
    address = address_of(alice_client, row=number.e164)
    first = alice_client.get(address)
    assert sum(map(len, options(first).values())) == 100
    assert 'name="find"' in text(first)
    assert "Only the first 100 locations are listed" in text(first)
    found = asked(alice_client, address, find="wapping")
    assert options(found) == {place.civic_address.one_line: ["Floor 7 · 40 Wapping Quay · London"]}
    by_place = asked(alice_client, address, find="floor 7")
    assert options(by_place) == options(found)
    assert "Choose a location" in text(found)
    assert "Nowhere Lane" in text(asked(alice_client, address, find="Nowhere Lane"))
    chosen = asked(alice_client, address, location=place.pk)
    assert chosen.context["plan"].will == 1
    assert options(chosen)[place.civic_address.one_line]


def test_an_undo_leads_to_the_plan_that_takes_it_back(
    alice_client: Client, number: PhoneNumber, place: Location
) -> None:
    entry = AuditEntry(
        action="location.changed",
        before={"location_id": str(place.pk), "civic_address_id": str(place.civic_address_id)},
        after={"location_id": None, "civic_address_id": None},
    )
    back = undo.of(entry)
    assert back is not None
    plan = asked(alice_client, address_of(alice_client, row=number.e164), **back.params).context
    assert (plan["plan"].will, plan["proposal"].params["location_id"]) == (1, str(place.pk))


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.LITE_OPERATOR, 200), (Role.MONITOR, 403)])
def test_who_may(client: Client, number: PhoneNumber, place: Location, role: str, status: int) -> None:
    client.force_login(grant(UserFactory(), role))
    address = address_of(client, row=number.e164)
    assert asked(client, address, location=place.pk).status_code == status
    posted = client.post(f"{address}&set=1&location={place.pk}", {"shown": "x"})
    assert posted.status_code == (409 if status == 200 else 403)
    assert not Task.objects.exists()


def test_a_stranger_s_number_is_not_selected_and_its_places_are_not_shown(
    bob_client: Client, bob: User, place: Location
) -> None:
    strange = LocationFactory(civic_address__street_name="Secret Lane")
    number = PhoneNumberFactory(customer=strange.civic_address.customer)
    page = bob_client.get(address_of(bob_client, row=number.e164))
    assert "Secret Lane" not in text(page)
    assert asked(bob_client, address_of(bob_client, row=number.e164), location="clear").context["plan"].will == 0


def test_a_number_in_view_only_is_refused(client: Client, contoso: Customer, place: Location) -> None:
    """Operator here, monitor there: seen, but neither its places are offered nor is it changed."""
    there = CustomerFactory()
    person = grant(grant(UserFactory(), Role.OPERATOR, customer=contoso), Role.MONITOR, customer=there)
    client.force_login(person)
    strange = LocationFactory(civic_address=CivicAddressFactory(customer=there, street_name="Secret Lane"))
    address = address_of(client, row=PhoneNumberFactory(customer=there).e164)
    assert "Secret Lane" not in text(client.get(address))
    assert "not, or no longer" in text(asked(client, address, location=strange.pk))


def test_the_tab_of_a_number_starts_it(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    here = f"{number.get_absolute_url()}?tab=emergency"
    panel = text(alice_client.get(here, headers={"HX-Request": "true", "HX-Target": "number-tabs"}))
    assert f'name="row" value="{number.e164}"' in panel
    assert f'name="action" value="{KIND}"' in panel
    assert 'name="back" value="/numbers/' in panel
    assert '?tab=emergency"' in panel


def test_the_tab_says_why_not(client: Client, number: PhoneNumber) -> None:
    client.force_login(grant(UserFactory(), Role.MONITOR))
    here = f"{number.get_absolute_url()}?tab=emergency"
    panel = text(client.get(here, headers={"HX-Request": "true", "HX-Target": "number-tabs"}))
    assert 'disabled aria-describedby="why-this"' in panel
    assert "Your role does not include" in panel
    assert f'value="{KIND}"' not in panel


def test_query_budget(alice_client: Client, number: PhoneNumber, place: Location) -> None:
    address = address_of(alice_client, row=number.e164)
    for n in range(20):
        LocationFactory(civic_address=place.civic_address, description=f"Room {n}")
    with budget("numbers:act?relocate"):
        assert asked(alice_client, address, location=place.pk).context["plan"].will == 1
