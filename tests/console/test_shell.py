"""The shell around every page: navigation, the label of simulated upstreams, sign-in, pages for what went wrong."""

import pytest
from django.conf import settings
from django.test import Client

from ocadmin.access.models import User
from tests.factories import UserFactory


def test_navigation_leads_to_the_screens(alice_client: Client) -> None:
    page = alice_client.get("/numbers/").content.decode()
    for address in (
        "/",
        "/numbers/",
        "/customers/",
        "/calling-profiles/",
        "/emergency-addresses/",
        "/sbcs/",
        "/tasks/",
    ):
        assert f'<li><a href="{address}"' in page
    assert '<a href="/numbers/" aria-current="page">' in page
    assert "/admin/" not in page


def test_staff_find_the_admin(client: Client, db: None) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert '<li><a href="/admin/"' in client.get("/numbers/").content.decode()


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1"])
def test_simulated_upstreams_are_labelled(alice_client: Client, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(settings.ENV, "sandbox_url", address)
    for path in ("/numbers/", "/me/", "/numbers/+44/", "/accounts/password/change/"):
        assert ("Simulated: Microsoft" in alice_client.get(path).content.decode()) == bool(address)
    assert ("Simulated: Microsoft" in Client().get("/accounts/login/").content.decode()) == bool(address)


def test_sign_in_returns_to_the_list_that_was_asked_for(client: Client, alice: User) -> None:
    target = client.get("/numbers/?status=0&sort=-status")["Location"]
    page = client.get(target).content.decode()
    assert "sign up" not in page.lower()
    assert "forgot" not in page.lower()  # there is no mail to send a new one with
    response = client.post(target, {"login": "alice", "password": "secret"})
    assert response["Location"] == "/numbers/?status=0&sort=-status"


def test_sign_up_is_closed(client: Client, db: None) -> None:
    assert "password1" not in client.get("/accounts/signup/").content.decode()


def test_signing_out_needs_a_post(alice_client: Client) -> None:
    assert alice_client.get("/accounts/logout/").status_code == 200
    assert alice_client.get("/numbers/").status_code == 200
    alice_client.post("/accounts/logout/")
    assert alice_client.get("/numbers/").status_code == 302


def test_the_admin_uses_the_same_sign_in(client: Client, db: None) -> None:
    assert client.get("/admin/login/?next=/admin/")["Location"].startswith("/accounts/login/")


def test_no_such_page(alice_client: Client, client: Client) -> None:
    response = alice_client.get("/nothing/here/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert client.get("/nothing/here/").status_code == 404


def test_refusals_name_what_is_missing(charlie_client: Client) -> None:
    response = charlie_client.get("/numbers/")
    assert response.status_code == 403
    assert "An administrator of the console can give you a role." in response.content.decode()


def test_every_page_forbids_foreign_and_inline_scripts(alice_client: Client) -> None:
    response = alice_client.get("/numbers/")
    page = response.content.decode()
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert " style=" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script src="/static/')


@pytest.mark.parametrize(
    ("person", "offered"),
    [
        ("alice", {"/numbers/", "/customers/", "/sbcs/", "/tasks/"}),
        ("bob", {"/numbers/", "/customers/", "/tasks/"}),
        ("charlie", set()),
    ],
)
def test_the_sidebar_offers_only_what_opens(request: pytest.FixtureRequest, person: str, offered: set[str]) -> None:
    client = request.getfixturevalue(f"{person}_client")
    page = client.get("/").content.decode()
    links = {path for path in ("/numbers/", "/customers/", "/sbcs/", "/tasks/") if f'href="{path}"' in page}
    assert links == offered
    assert all(client.get(path).status_code == 200 for path in links)
