"""Emergency addresses: the list and the page of one."""

import pytest
from django.test import Client

from ocadmin.numbers.models import CivicAddress, Customer
from tests.budgets import budget
from tests.factories import CivicAddressFactory, CustomerFactory, LocationFactory, PhoneNumberFactory

URL = "/emergency-addresses/"


def listed(client: Client, query: str = "") -> list[str]:
    """Streets of the addresses on the page, in order."""
    response = client.get(URL + query)
    assert response.status_code == 200
    return [row.record.street_name for row in response.context["table"].page_rows]


@pytest.fixture
def address(contoso: Customer) -> CivicAddress:
    """An address of Contoso with two locations, one of which has a number."""
    address = CivicAddressFactory(
        customer=contoso,
        house_number="221",
        house_number_suffix="B",
        street_name="Baker Street",
        city="London",
        county="Westminster",
        postal_code="NW1 6XE",
        description="Head office",
        validation_status="notValidated",
    )
    floor = LocationFactory(civic_address=address, description="Floor 1", elin="+442079460199", is_default=True)
    LocationFactory(civic_address=address, description="Floor 2")
    PhoneNumberFactory(customer=contoso, civic_address=address, location=floor)
    PhoneNumberFactory(customer=contoso, civic_address=address)
    return address


def test_shows_what_is_known_of_each(alice_client: Client, address: CivicAddress) -> None:
    response = alice_client.get(URL)
    page = response.content.decode()
    for text in ("221B Baker Street, London, NW1 6XE, GB", "Contoso", "Not validated", "Present"):
        assert text in page
    row = response.context["table"].page_rows[0].record
    assert (row.location_count, row.number_count) == (2, 2)
    assert f'<a href="/numbers/?address={address.pk}">2</a>' in page


@pytest.mark.parametrize(
    "query", ["?q=baker", "?q=nw1", "?q=head+off", "?q=contoso", "?country=gb", "?validation=notValidated"]
)
def test_filters(alice_client: Client, address: CivicAddress, query: str) -> None:
    CivicAddressFactory(street_name="Hauptstraße", country="DE", postal_code="10115", validation_status="validated")
    assert listed(alice_client, query) == ["Baker Street"]


def test_filters_by_customer_and_id(alice_client: Client, address: CivicAddress) -> None:
    CivicAddressFactory(street_name="High Street")
    assert listed(alice_client, f"?customer={address.customer_id}") == ["Baker Street"]
    assert "Customer: Contoso" in alice_client.get(f"{URL}?customer={address.customer_id}").content.decode()
    assert listed(alice_client, f"?q={address.pk}") == ["Baker Street"]


def test_a_strangers_customer_is_not_named_by_the_filter(bob_client: Client, address: CivicAddress) -> None:
    stranger = CustomerFactory(full_name="Secret customer")
    response = bob_client.get(f"{URL}?customer={stranger.pk}")
    assert not response.context["table"].page_rows
    assert "Secret customer" not in response.content.decode()


def test_a_person_sees_the_addresses_of_their_customers(bob_client: Client, address: CivicAddress) -> None:
    other = CivicAddressFactory()
    assert listed(bob_client) == ["Baker Street"]
    assert bob_client.get(address.get_absolute_url()).status_code == 200
    assert bob_client.get(other.get_absolute_url()).status_code == 404


def test_without_a_role(charlie_client: Client, address: CivicAddress) -> None:
    assert charlie_client.get(URL).status_code == 403
    assert charlie_client.get(address.get_absolute_url()).status_code == 404


def test_the_page_shows_every_field_and_the_locations(alice_client: Client, address: CivicAddress) -> None:
    response = alice_client.get(address.get_absolute_url())
    page = response.content.decode()
    for text in (
        "221B Baker Street",
        str(address.pk),
        "Westminster",
        "Head office",
        "Floor 1",
        "Floor 2",
        "+442079460199",
    ):
        assert text in page
    assert [location.number_count for location in response.context["locations"]] == [1, 0]
    place = response.context["locations"][0]
    assert len(alice_client.get(place.numbers_url).context["table"].page_rows) == 1
    assert len(alice_client.get(response.context["numbers_url"]).context["table"].page_rows) == 2


def test_says_since_when_it_is_gone(alice_client: Client, address: CivicAddress) -> None:
    CivicAddress.objects.filter(pk=address.pk).update(removed_at="2026-01-31T12:00:00Z")
    assert "Gone since" in alice_client.get(URL).content.decode()
    assert "no longer lists this address" in alice_client.get(address.get_absolute_url()).content.decode()


def test_an_address_of_which_only_the_id_is_known_has_a_name_all_the_same(alice_client: Client) -> None:
    bare = CivicAddressFactory(house_number="", street_name="", city="", postal_code="", country="")
    assert f">{bare.pk}</a>" in alice_client.get(URL).content.decode()
    assert f"<h1>{bare.pk}</h1>" in alice_client.get(bare.get_absolute_url()).content.decode()


def test_only_reads(alice_client: Client, address: CivicAddress) -> None:
    assert alice_client.post(URL).status_code == 405
    assert alice_client.post(address.get_absolute_url()).status_code == 405


def test_costs_the_same_with_many(alice_client: Client, address: CivicAddress) -> None:
    for _ in range(30):
        location = LocationFactory(civic_address=CivicAddressFactory())
        PhoneNumberFactory(civic_address=location.civic_address, location=location)
        LocationFactory(civic_address=address)
    with budget("numbers:emergency-addresses"):
        alice_client.get(URL + "?per_page=25")
    with budget("numbers:emergency-address"):
        alice_client.get(address.get_absolute_url())
