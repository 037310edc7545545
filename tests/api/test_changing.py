"""Emergency locations, capabilities, and what one has to know for them: customers, addresses, released numbers."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from django.utils import timezone

from ocadmin.access.permissions import Role
from ocadmin.numbers.api import changing
from ocadmin.numbers.capabilities import USAGES
from ocadmin.numbers.models import Location, PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import ChannelFactory, CustomerFactory, LocationFactory, PhoneNumberFactory, ReleasedNumberFactory

from .acting import refused, task_of
from .conftest import Programs

pytestmark = pytest.mark.django_db

NUMBER = "+442079460110"
LOCATION, CAPABILITIES = "v3/oc/numbers/action/location", "v3/oc/numbers/action/capabilities"


@pytest.fixture
def place(db: None) -> Location:
    return LocationFactory(civic_address__country="GB", civic_address__validation_status="Validated")


@pytest.fixture
def number(place: Location) -> PhoneNumber:
    return PhoneNumberFactory(
        customer=place.civic_address.customer,
        e164=NUMBER,
        iso_country_code="GB",
        acquired_capabilities=["UserAssignment", "InboundCalling"],
        available_capabilities=["UserAssignment", "InboundCalling", "OutboundCalling", "Mobile"],
    )


def of(number: PhoneNumber) -> dict[str, str]:
    return {"msTenantId": str(number.customer.tenant_id)}


class TestLocation:
    def test_it_is_changed(self, program: Programs, number: PhoneNumber, place: Location) -> None:
        body = {"telephoneNumbers": [NUMBER], "locationId": str(place.pk)}
        task = task_of(program().post(LOCATION, body, ticketId="INC1", **of(number)))
        assert (task.kind, task.ticket, task.total) == ("relocate", "INC1", 1)
        assert task.params["location_id"] == str(place.pk)

    def test_a_plan(self, program: Programs, number: PhoneNumber, place: Location) -> None:
        body = {"telephoneNumbers": [NUMBER, "+442079460111"], "locationId": str(place.pk)}
        plan = program().post(LOCATION, body, dryRun="true", **of(number)).json()
        assert (plan["total"], plan["will"]["count"], plan["begins"]) == (2, 1, False)
        assert not Task.objects.exists()

    def test_it_is_cleared(self, program: Programs, number: PhoneNumber, place: Location) -> None:
        PhoneNumber.objects.update(location=place, civic_address=place.civic_address)
        task = task_of(program().post(LOCATION, {"telephoneNumbers": [NUMBER], "locationId": None}, **of(number)))
        assert task.params["location_id"] is None

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"telephoneNumbers": [NUMBER]}, "invalid_request"),
            ({"telephoneNumbers": [NUMBER], "locationId": "x"}, "invalid_request"),
            (
                {"telephoneNumbers": [NUMBER], "locationId": "00000000-0000-4000-8000-000000000000"},
                "location_not_found",
            ),
            (
                {
                    "telephoneNumbers": [NUMBER],
                    "locationId": None,
                    "route": "tenant",
                    "allowTenantAddressUpdate": True,
                },
                "invalid_request",
            ),
            ({"locationId": None}, "no_numbers"),
        ],
    )
    def test_what_cannot_be(self, program: Programs, number: PhoneNumber, body: Any, code: str) -> None:
        refused(program().post(LOCATION, body, **of(number)), 400, code)

    def test_the_location_of_another_customer(self, program: Programs, number: PhoneNumber) -> None:
        body = {"telephoneNumbers": [NUMBER], "locationId": str(LocationFactory().pk)}
        refused(program().post(LOCATION, body, **of(number)), 400, "location_not_found")


class TestCapabilities:
    def test_they_are_changed(self, program: Programs, number: PhoneNumber) -> None:
        body = {"telephoneNumbers": [NUMBER], "add": ["OutboundCalling"], "remove": ["InboundCalling"]}
        task = task_of(program().post(CAPABILITIES, body, **of(number)))
        assert task.kind == "capabilities"
        assert (task.params["add"], task.params["remove"]) == (["OutboundCalling"], ["InboundCalling"])

    @pytest.mark.parametrize(
        "more", [{}, {"add": ["Geographic"]}, {"add": ["Mobile"], "remove": ["Mobile"]}, {"add": "Mobile"}]
    )
    def test_what_cannot_be(self, program: Programs, number: PhoneNumber, more: Any) -> None:
        refused(
            program().post(CAPABILITIES, {"telephoneNumbers": [NUMBER], **more}, **of(number)), 400, "invalid_request"
        )

    def test_those_that_may_be_chosen_are_those_of_the_matrix(self) -> None:
        assert get_args(changing.Capability) == tuple(USAGES)

    def test_what_microsoft_does_not_offer(self, program: Programs, number: PhoneNumber) -> None:
        body = {"telephoneNumbers": [NUMBER], "add": ["OCMobile"]}
        problem = refused(program().post(CAPABILITIES, body, **of(number)), 409, "not_available:OCMobile")
        assert problem["errors"][0]["telephoneNumber"] == NUMBER


class TestCatalogue:
    def test_channels(self, program: Programs) -> None:
        ours, other = ChannelFactory(ovoc_channel_id=7), ChannelFactory(ovoc_channel_id=None)
        told = program().get("v3/oc/channels").json()["data"]
        assert [(one["id"], one["ovocChannelId"]) for one in told] == [(ours.pk, 7), (other.pk, None)]
        mine = program(Role.MONITOR, channel=ours).get("v3/oc/channels").json()["data"]
        assert [one["id"] for one in mine] == [ours.pk]

    def test_customers(self, program: Programs) -> None:
        rows = [CustomerFactory(full_name=f"Firm {n}") for n in range(3)]
        client = program()
        assert [one["id"] for one in client.get("v3/oc/customers").json()["data"]] == [row.pk for row in rows]
        one = client.get("v3/oc/customers", {"msTenantId": str(rows[1].tenant_id)}).json()["data"]
        assert [each["name"] for each in one] == ["Firm 1"]
        mine = program(Role.MONITOR, customer=rows[2]).get("v3/oc/customers").json()["data"]
        assert [each["name"] for each in mine] == ["Firm 2"]

    def test_addresses_page_by_page(self, program: Programs) -> None:
        places = {str(LocationFactory().pk) for _ in range(3)}
        LocationFactory(civic_address__removed_at=timezone.now())
        client, found, url = program(), [], "v3/oc/emergency-addresses?pageSize=2"
        while url:
            page = client.get(url).json()
            found += [place["id"] for one in page["data"] for place in one["locations"]]
            url = (page["nextLink"] or "").partition("/api/")[2]
        assert len(found) == 3
        assert set(found) == places

    def test_addresses_of_a_customer(self, program: Programs, place: Location) -> None:
        LocationFactory()
        query = {"msTenantId": str(place.civic_address.customer.tenant_id)}
        (one,) = program().get("v3/oc/emergency-addresses", query).json()["data"]
        assert one["id"] == str(place.civic_address_id)
        stranger = program(Role.ADMIN, customer=CustomerFactory())
        assert stranger.get("v3/oc/emergency-addresses", query).status_code == 404

    def test_released_numbers(self, program: Programs) -> None:
        now = timezone.now()
        old = ReleasedNumberFactory(
            released_at=now - timedelta(days=50), quarantine_until=now - timedelta(days=5), iso_country_code="DE"
        )
        new = ReleasedNumberFactory(released_at=now, quarantine_until=now + timedelta(days=45), iso_country_code="GB")

        def found(**query: str) -> list[int]:
            data = program().get("v3/oc/released-numbers", query).json()["data"]
            return [one["id"] for one in data]

        assert found() == [new.pk, old.pk]
        assert found(resting="true") == [new.pk]
        assert found(resting="false") == [old.pk]
        assert found(country="de") == [old.pk]
        for text in (new.e164, new.e164.removeprefix("+"), new.e164.replace("+", " ")):  # + in an address is a blank
            assert found(telephoneNumber=text) == [new.pk]
        assert found(releasedBefore=(now - timedelta(days=1)).isoformat()) == [old.pk]
        assert found(msTenantId=str(old.customer.tenant_id)) == [old.pk]
