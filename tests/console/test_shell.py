"""The shell around every page: navigation, the label of simulated upstreams, sign-in, pages for what went wrong."""

import logging
import logging.config

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


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/numbers/?status=2#top", "/numbers/?status=2"),
        ("http://evil.example/numbers/", "/"),
        ("http://testserver//evil.example/", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
@pytest.mark.parametrize(
    "target", ["/numbers/actions/", "/tasks/1/cancel/", "/me/lists/", "/accounts/password/change/"]
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(
    client: Client, alice: User, target: str, referer: str, back: str
) -> None:
    sign_in = client.post(target, headers={"Referer": referer})["Location"]
    assert sign_in.startswith("/accounts/login/?next=/")
    assert client.post(sign_in, {"login": "alice", "password": "secret"})["Location"] == back


def test_signing_out_leads_to_the_sign_in_and_nowhere_else(alice_client: Client) -> None:
    response = alice_client.post("/accounts/logout/", headers={"Referer": "http://testserver/numbers/"})
    assert response["Location"] == "/accounts/login/"


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


def test_a_refusal_is_one_line_of_the_log(charlie_client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    logger = {"handlers": ["stderr"], "level": "WARNING", "propagate": False}
    names = ("django.request", "tests.failure")
    loggers = {name: logging.getLogger(name) for name in names}
    before = {name: (log.handlers[:], log.level, log.propagate) for name, log in loggers.items()}
    config = {part: settings.LOGGING[part] for part in ("version", "formatters", "filters", "handlers")}
    config |= {"disable_existing_loggers": False, "loggers": dict.fromkeys(names, logger)}
    try:
        logging.config.dictConfig(config)
        charlie_client.get("/numbers/")
        refused = capsys.readouterr().err
        try:
            raise ValueError("broken")
        except ValueError:
            loggers["tests.failure"].exception("failed")
        failed = capsys.readouterr().err
    finally:
        for name, (handlers, level, propagate) in before.items():
            loggers[name].handlers, loggers[name].propagate = handlers, propagate
            loggers[name].setLevel(level)
    assert "Forbidden" in refused
    assert "Traceback" not in refused
    assert len(refused.splitlines()) == 1
    assert "Traceback" in failed


def test_an_address_that_takes_only_forms_has_a_page_of_its_own(alice_client: Client) -> None:
    response = alice_client.get("/numbers/actions/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert '<a href="/">Go to the overview</a>' in response.content.decode()
    short = alice_client.get("/numbers/actions/", headers={"Accept": "*/*"})
    assert (short.status_code, short["Allow"], short.content) == (405, "POST", b"")


def test_browsers_find_the_icon_where_no_page_names_it(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, "/static/icon.svg")
    assert client.post("/favicon.ico").status_code == 405


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
