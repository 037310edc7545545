"""Calling profiles: the list and the page of one."""

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.numbers.models import CallingProfile, Customer
from tests.budgets import budget
from tests.factories import CallingProfileFactory, PhoneNumberFactory, SBCFactory, TrunkFactory

URL = "/calling-profiles/"


def listed(client: Client, query: str = "") -> list[str]:
    """Names of the profiles on the page, in order."""
    response = client.get(URL + query)
    assert response.status_code == 200
    return [row.record.name for row in response.context["table"].page_rows]


@pytest.fixture
def profile(contoso: Customer) -> CallingProfile:
    """A profile with one trunk on an SBC, used by two numbers of Contoso."""
    profile = CallingProfileFactory(
        name="UK Standard",
        region="Northern Europe",
        carrier="Example Telecom",
        offer_types=["Calling", {"offerTypeName": "AudioConferencing"}],
        emergency_dial_strings=["112", "999"],
    )
    TrunkFactory(profile=profile, fqdn="trunk1.example.net", sbc=SBCFactory(name="London 1"))
    PhoneNumberFactory.create_batch(2, customer=contoso, calling_profile=profile)
    return profile


def test_shows_what_is_known_of_each(alice_client: Client, profile: CallingProfile) -> None:
    page = alice_client.get(URL).content.decode()
    for text in ("UK Standard", str(profile.pk), "Northern Europe", "Example Telecom", "AudioConferencing", "112"):
        assert text in page
    assert "trunk1.example.net" in page
    assert "London 1" in page
    assert f'<a href="/numbers/?profile={profile.pk}">2</a>' in page
    assert "Present" in page


@pytest.mark.parametrize("query", ["?q=standard", "?q=northern", "?q=example+tel", "?gone=false"])
def test_filters(alice_client: Client, profile: CallingProfile, query: str) -> None:
    CallingProfileFactory(name="Old one", removed_at=timezone.now())
    assert listed(alice_client, query) == ["UK Standard"]


def test_finds_by_part_of_the_id(alice_client: Client, profile: CallingProfile) -> None:
    CallingProfileFactory()
    assert listed(alice_client, f"?q={str(profile.pk)[:13].upper()}") == ["UK Standard"]


def test_a_person_sees_the_profiles_of_their_numbers_and_no_sbc(bob_client: Client, profile: CallingProfile) -> None:
    other = CallingProfileFactory()
    PhoneNumberFactory(calling_profile=other)
    PhoneNumberFactory(calling_profile=profile)
    response = bob_client.get(URL)
    rows = [row.record for row in response.context["table"].page_rows]
    assert [(row.name, row.number_count) for row in rows] == [("UK Standard", 2)]
    assert "London 1" not in response.content.decode()
    assert bob_client.get(other.get_absolute_url()).status_code == 404
    assert "London 1" not in bob_client.get(profile.get_absolute_url()).content.decode()


def test_without_a_role(charlie_client: Client, profile: CallingProfile) -> None:
    assert charlie_client.get(URL).status_code == 403
    assert charlie_client.get(profile.get_absolute_url()).status_code == 404


def test_the_page_shows_facts_trunks_and_customers(alice_client: Client, profile: CallingProfile) -> None:
    emergency = CallingProfileFactory(name="Emergency UK", is_emergency_profile=True)
    CallingProfile.objects.filter(pk=profile.pk).update(emergency_profile_id=emergency.pk)
    response = alice_client.get(profile.get_absolute_url())
    page = response.content.decode()
    for text in (
        "Northern Europe",
        "999",
        "AudioConferencing",
        "trunk1.example.net",
        "London 1",
        "Emergency UK",
        "Contoso",
    ):
        assert text in page
    for bar in response.context["customers"].bars:
        assert len(alice_client.get(bar.url).context["table"].page_rows) == bar.count == 2


def test_says_since_when_it_is_gone(alice_client: Client, profile: CallingProfile) -> None:
    CallingProfile.objects.filter(pk=profile.pk).update(removed_at="2026-01-31T12:00:00Z")
    assert "Gone since" in alice_client.get(URL).content.decode()
    page = alice_client.get(profile.get_absolute_url()).content.decode()
    assert "no longer lists this profile" in page
    assert "31 Jan 2026" in page


def test_only_reads(alice_client: Client, profile: CallingProfile) -> None:
    assert alice_client.post(URL).status_code == 405
    assert alice_client.post(profile.get_absolute_url()).status_code == 405


def test_costs_the_same_with_many(alice_client: Client, profile: CallingProfile) -> None:
    for _ in range(30):
        other = CallingProfileFactory()
        TrunkFactory.create_batch(2, profile=other, sbc=SBCFactory())
        PhoneNumberFactory(calling_profile=other)
        PhoneNumberFactory(calling_profile=profile)
    with budget("numbers:calling-profiles"):
        alice_client.get(URL + "?per_page=25")
    with budget("numbers:calling-profile"):
        alice_client.get(profile.get_absolute_url())
