"""What a person may set for themselves, and what lists remember for them."""

from typing import Any

import pytest
from django.test import Client

from ocadmin.access.models import User
from tests.factories import PhoneNumberFactory


def test_saves_time_zone_and_page_size(alice: User, alice_client: Client) -> None:
    response = alice_client.post("/me/", {"time_zone": "Europe/London", "per_page": "100"}, follow=True)
    assert "Your preferences are saved." in response.content.decode()
    alice.refresh_from_db()
    assert alice.time_zone == "Europe/London"
    assert alice.preferences["per_page"] == 100


def test_times_are_shown_in_that_zone_with_utc_beside(alice: User, alice_client: Client) -> None:
    PhoneNumberFactory(acquired_on="2026-06-01T22:30:00.5Z")
    alice.time_zone = "Europe/Berlin"
    alice.save()
    page = alice_client.get("/numbers/").content.decode()
    assert 'title="2026-06-01 22:30:00.5 UTC">2 Jun 2026, 00:30</time>' in page


@pytest.mark.parametrize("data", [{"time_zone": "Mars/Base", "per_page": "50"}, {"time_zone": "", "per_page": "7"}])
def test_refuses_what_does_not_exist(alice: User, alice_client: Client, data: dict[str, Any]) -> None:
    response = alice_client.post("/me/", data)
    assert response.status_code == 200
    assert 'class="error"' in response.content.decode()
    alice.refresh_from_db()
    assert (alice.time_zone, alice.preferences) == ("", {})


def test_everybody_has_preferences_of_their_own(charlie_client: Client, client: Client) -> None:
    assert charlie_client.get("/me/").status_code == 200
    assert client.get("/me/").status_code == 302


def test_remembers_the_page_size(alice: User, alice_client: Client) -> None:
    response = alice_client.post("/me/lists/", {"screen": "x", "per_page": "250", "next": "/numbers/?page=2&status=0"})
    assert response["Location"] == "/numbers/?status=0&per_page=250"
    alice.refresh_from_db()
    assert alice.preferences["per_page"] == 250


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_never_leads_to_another_host(alice_client: Client, target: str) -> None:
    response = alice_client.post("/me/lists/", {"screen": "x", "per_page": "50", "next": target})
    assert response["Location"] == "/?per_page=50"


def test_remembering_needs_a_post(alice_client: Client) -> None:
    assert alice_client.get("/me/lists/").status_code == 405
