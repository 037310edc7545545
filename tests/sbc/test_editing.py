"""Adding and changing SBCs: by whom, with what audit, and what follows from it."""

import pytest
from django.test import Client

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from sbc import health
from sbc.errors import BadCredentials
from sbc.models import SBC, DialPlanRule, State
from sbc.secrets import unseal
from tests.factories import SBCFactory, UserFactory, grant

from .tls import issue

PASSWORD = "correct horse “battery” "


def fields(sbc: SBC, **more: object) -> dict[str, object]:
    """What a browser sends for the row as it is."""
    names = ("name", "fqdn", "dial_plan", "rest_url", "username", "write_strategy", "ca_bundle", "pinned_certificate")
    hashed = {"prefix_hash": "on"} if sbc.prefix_hash else {}
    return {name: getattr(sbc, name) for name in names} | hashed | more


def edit(client: Client, sbc: SBC, **more: object) -> str:
    """The page after saving, with its messages."""
    answer = client.post(f"/sbcs/{sbc.pk}/edit/", fields(sbc, **more), follow=True)
    return answer.content.decode()


def test_added(alice_client: Client) -> None:
    page = alice_client.get("/sbcs/add/").content.decode()
    assert "None of these ways was ever tried on a real device" in page
    assert "Remove the password" not in page
    new = fields(SBC(name="Edge 1"), username="oc", password=PASSWORD, rest_url="https://edge.example", max_rules=900)
    answer = alice_client.post("/sbcs/add/", new)
    sbc = SBC.objects.get()
    assert answer.headers["Location"] == f"/sbcs/{sbc.pk}/"
    assert (sbc.name, sbc.max_rules, unseal(sbc.sealed_password)) == ("Edge 1", 900, PASSWORD)
    first, second = AuditEntry.objects.order_by("pk")
    assert (first.action, first.after["rest_url"], first.actor_name) == ("sbc.add", "https://edge.example", "alice")
    assert (second.action, second.after) == ("sbc.password", {"password": "set"})
    assert "horse" not in str(list(AuditEntry.objects.values()))


def test_changed_with_before_and_after_and_nothing_else(alice_client: Client) -> None:
    sbc = SBCFactory(username="oc", note="old")
    sbc.set_password(PASSWORD)
    sbc.save()
    assert "is saved." in edit(alice_client, sbc, note="new")
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"note": "old"}, {"note": "new"})
    assert unseal(SBC.objects.get().sealed_password) == PASSWORD
    edit(alice_client, SBC.objects.get(), note="new")
    assert AuditEntry.objects.count() == 1


def test_the_password_is_never_shown(alice_client: Client) -> None:
    sbc = SBCFactory(username="oc")
    refused = edit(alice_client, sbc, password=PASSWORD, name="")
    assert "This field is required." in refused
    edit(alice_client, sbc, password=PASSWORD)
    page = alice_client.get(f"/sbcs/{sbc.pk}/edit/").content.decode()
    assert "Remove the password that is set" in page
    for text in (refused, page):
        assert "horse" not in text
        assert SBC.objects.get().sealed_password not in text


def test_a_changed_login_is_asked_again(alice_client: Client) -> None:
    sbc = SBCFactory(username="oc")
    health.note(sbc, health.Seen(error=BadCredentials("x")))
    page = edit(alice_client, sbc, note="something else")
    assert SBC.objects.get().state == State.BAD_LOGIN
    page = edit(alice_client, sbc, password=PASSWORD)
    assert "what was seen with the old access no longer counts" in page
    row = SBC.objects.get()
    assert (row.state, row.problem, row.reasons) == (
        State.UNKNOWN,
        "",
        ["Its address, login or certificate was changed."],
    )


def test_another_dial_plan_takes_our_rules_with_it(alice_client: Client) -> None:
    sbc = SBCFactory()
    for plan, prefix in (("OCDialPlan", "+441"), ("OCDialPlan", "+442"), ("New", "+441"), ("Third", "+441")):
        DialPlanRule.objects.create(sbc=sbc, dial_plan=plan, prefix=prefix, tag="t", present=True)
    DialPlanRule.objects.create(sbc=SBCFactory(), prefix="+441", tag="t", present=True)
    page = edit(alice_client, sbc, dial_plan="New")
    assert "2 rules are now wanted in New and will be written there; what stands in OCDialPlan stays there." in page
    mine = DialPlanRule.objects.filter(sbc=sbc).order_by("dial_plan", "prefix")
    rows = [("New", "+441", None), ("New", "+442", None), ("Third", "+441", True)]
    assert list(mine.values_list("dial_plan", "prefix", "present")) == rows
    assert DialPlanRule.objects.filter(dial_plan="OCDialPlan", present=True).count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prefix_hash": ""}, "Rules that are there keep their form"),
        ({"write_strategy": "csv_file"}, "Rules are written by CSV file with the whole dial plan from now on"),
    ],
)
def test_what_follows_is_said(alice_client: Client, change: dict[str, str], words: str) -> None:
    assert words in edit(alice_client, SBCFactory(), **change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"ca_bundle": issue("a").pem, "pinned_certificate": issue("b").pem},
            "Enter a CA bundle or a pinned certificate",
        ),
        ({"pinned_certificate": "nonsense"}, "This is not a certificate"),
        ({"pinned_certificate": issue("a").pem + issue("b").pem}, "Paste one certificate only"),
        ({"rest_url": "https://oc:secret@sbc.example/"}, "Enter user name and password in their own fields"),
        ({"dial_plan": "OC/DialPlan"}, "No SBC has a dial plan of this name"),
        ({"dial_plan": 'OC" DialPlan'}, "No SBC has a dial plan of this name"),
        ({"password": "x", "clear_password": "on"}, "Enter a new password or remove the old one, not both."),
    ],
)
def test_what_cannot_be_saved(alice_client: Client, change: dict[str, str], words: str) -> None:
    sbc = SBCFactory()
    sbc.set_password("old")
    sbc.save()
    assert words in edit(alice_client, sbc, **change)
    assert not AuditEntry.objects.exists()


def test_for_admins_of_the_whole_system(bob_client: Client) -> None:
    sbc = SBCFactory()
    operator = Client()
    operator.force_login(grant(UserFactory(), Role.OPERATOR))
    for act in ("edit", "pin"):
        url = f"/sbcs/{sbc.pk}/{act}/"
        assert [who.post(url, {}).status_code for who in (operator, bob_client)] == [403, 404]
    assert [who.get("/sbcs/add/").status_code for who in (operator, bob_client)] == [403, 403]
    assert operator.get(f"/sbcs/{sbc.pk}/pin/").status_code == 405
    page = operator.get(f"/sbcs/{sbc.pk}/").content.decode()
    assert f"/sbcs/{sbc.pk}/edit/" not in page
    assert "Your role does not include changing SBCs." in operator.get("/sbcs/").content.decode()
