"""The screen of "Update capabilities": what may be chosen, what is wrong with it, the plan, and who may."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers import undo
from ocadmin.numbers.capabilities import USAGES
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import Task
from tests.budgets import budget
from tests.factories import PhoneNumberFactory, UserFactory, grant

pytestmark = pytest.mark.django_db

KIND = "capabilities"


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    """One of Contoso's numbers: for a user, may become mobile."""
    return PhoneNumberFactory(
        customer=contoso,
        usage="CallingUserAssignment",
        available_capabilities=["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment", "Mobile"],
    )


def address_of(client: Client, **form: Any) -> str:
    """The address of the action's page for what is ticked."""
    return client.post("/numbers/actions/", {"action": KIND, "back": "/numbers/", **form})["Location"]


def asked(client: Client, address: str, **fields: Any) -> HttpResponse:
    """The page after "Show the plan"."""
    return client.get(f"{address}&{urlencode({'set': 1, **fields}, doseq=True)}")


def text(page: HttpResponse) -> str:
    return " ".join(page.content.decode().split())


def test_the_four_are_offered_with_their_usages_in_words(alice_client: Client, number: PhoneNumber) -> None:
    page = text(alice_client.get(address_of(alice_client, row=number.e164)))
    for name in ("add", "remove"):
        assert [page.count(f'name="{name}" value="{word}"') for word in USAGES] == [1, 1, 1, 1]
    assert "OC Mobile, for users" in page
    assert "Mobile, for users, auto attendants and call queues" in page
    assert "Outbound calling, for users, auto attendants and call queues, conference bridges" in page


def test_the_plan_and_then_the_task(alice_client: Client, number: PhoneNumber) -> None:
    address = address_of(alice_client, row=number.e164)
    fields = {"add": ["Mobile"], "remove": ["OutboundCalling", "InboundCalling"]}
    page = asked(alice_client, address, **fields)
    assert page.context["plan"].will == 1
    assert "A number without outbound calling cannot call" in text(page)
    query = urlencode({"set": 1, **fields}, doseq=True)
    alice_client.post(f"{address}&{query}", {"shown": page.context["proposal"].shown})
    task = Task.objects.get()
    assert (task.kind, task.title) == (KIND, "Update capabilities: 1 number")
    assert (task.params["add"], task.params["remove"]) == (["Mobile"], ["InboundCalling", "OutboundCalling"])


def test_the_plan_says_why_numbers_are_left_alone(alice_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    bridge = PhoneNumberFactory(customer=contoso, usage="ConferenceAssignment", acquired_capabilities=[])
    address = address_of(alice_client, row=[number.e164, bridge.e164])
    page = asked(alice_client, address, add="Mobile")
    assert "“Mobile” goes only with these usages" in text(page)
    rows = asked(alice_client, address, add="Mobile", show="usage_forbids:Mobile").context["rows"]
    assert list(rows) == [bridge]


def test_the_plan_for_programs(alice_client: Client, number: PhoneNumber) -> None:
    address = address_of(alice_client, row=number.e164)
    answer = asked(alice_client, address, add="OCMobile", remove="InboundCalling", format="json").json()
    assert answer["params"] == {"add": ["OCMobile"], "remove": ["InboundCalling"]}
    assert answer["will"]["count"] == 0
    (group,) = answer["leftAlone"]
    assert (group["code"], group["outcome"], group["sample"]) == ("not_available:OCMobile", "refused", [number.e164])
    assert asked(alice_client, address, format="json").status_code == 400


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Nothing is chosen. Tick at least one capability"),
        ({"add": "Mobile", "remove": "Mobile"}, "added and removed at once: Mobile."),
        ({"add": "Geographic"}, "“Geographic” is not a capability that can be chosen."),
        ({"remove": ["UserAssignment", "Mobile"]}, "“UserAssignment” is not a capability that can be chosen."),
    ],
)
def test_what_is_wrong_is_said(
    alice_client: Client, number: PhoneNumber, fields: dict[str, Any], sentence: str
) -> None:
    page = asked(alice_client, address_of(alice_client, row=number.e164), **fields)
    assert page.context["plan"] is None
    assert sentence in text(page)


def test_an_undo_leads_to_the_plan_that_takes_it_back(alice_client: Client, number: PhoneNumber) -> None:
    has = {"acquired_capabilities": number.acquired_capabilities}
    had = {"acquired_capabilities": ["Geographic", "UserAssignment", "OutboundCalling", "Mobile"]}
    back = undo.of(AuditEntry(action="capabilities.changed", before=had, after=has))
    assert back is not None
    page = asked(alice_client, address_of(alice_client, row=number.e164), **back.params)
    assert page.context["proposal"].params == {"add": ["Mobile"], "remove": ["InboundCalling"]}
    assert page.context["plan"].will == 1


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.LITE_OPERATOR, 200), (Role.MONITOR, 403)])
def test_who_may(client: Client, number: PhoneNumber, role: str, status: int) -> None:
    client.force_login(grant(UserFactory(), role))
    assert asked(client, address_of(client, row=number.e164), add="Mobile").status_code == status


def test_a_stranger_s_number_is_not_selected(bob_client: Client) -> None:
    number = PhoneNumberFactory()
    plan = asked(bob_client, address_of(bob_client, row=number.e164), add="Mobile").context["plan"]
    assert (plan.will, [group.code for group in plan.left_alone]) == (0, ["unknown_number"])


def test_the_tab_of_a_number_starts_it_or_says_why_not(client: Client, number: PhoneNumber) -> None:
    swap = {"HX-Request": "true", "HX-Target": "number-tabs"}
    client.force_login(grant(UserFactory(), Role.LITE_OPERATOR))
    panel = text(client.get(f"{number.get_absolute_url()}?tab=capabilities", headers=swap))
    assert f'name="action" value="{KIND}"' in panel
    client.force_login(grant(UserFactory(), Role.MONITOR))
    panel = text(client.get(f"{number.get_absolute_url()}?tab=capabilities", headers=swap))
    assert 'disabled aria-describedby="why-this"' in panel
    assert "Your role does not include" in panel


def test_query_budget(alice_client: Client, number: PhoneNumber) -> None:
    address = address_of(alice_client, row=number.e164)
    with budget("numbers:act?capabilities"):
        assert asked(alice_client, address, add="Mobile", remove="InboundCalling").context["plan"].will == 1
