"""Un-assign, and un-assign then release, on the screens: who is offered what, what the plan says, where it leads."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import ConnectionState, Customer, PhoneNumber
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.budgets import budget
from tests.factories import CustomerFactory, PhoneNumberFactory, TaskFactory, TaskItemFactory, UserFactory, grant

pytestmark = pytest.mark.django_db

CHAIN = "unassign-release"


@pytest.fixture
def used(contoso: Customer) -> list[PhoneNumber]:
    """Two of Contoso's numbers with a user, one without; Contoso is connected."""
    Customer.objects.filter(pk=contoso.pk).update(connection=ConnectionState.CONNECTED)
    numbers = [PhoneNumberFactory(customer=contoso, assignment_status="UserAssigned") for _ in range(2)]
    return [*numbers, PhoneNumberFactory(customer=contoso)]


def plan(client: Client, kind: str, **form: Any) -> tuple[str, HttpResponse]:
    """Choose all numbers, and look at the plan."""
    chosen = {"action": kind, "all": "1", "query": "", "back": "/numbers/?status=0"} | form
    address = client.post("/numbers/actions/", chosen)["Location"]
    return address, client.get(address)


def text(page: HttpResponse) -> str:
    return " ".join(unescape(page.content.decode()).split())


def shown(page: HttpResponse) -> str:
    found = re.search(r'name="shown" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def person(client: Client, role: str, **place: Any) -> Client:
    client.force_login(grant(UserFactory(), role, **place))
    return client


def button(page: HttpResponse, kind: str) -> str:
    found = re.search(rf'<button type="submit" name="action" value="{kind}"[^>]*>', page.content.decode())
    assert found
    return found[0]


@pytest.mark.parametrize("kind", ["unassign", CHAIN])
def test_a_selection_becomes_a_plan_and_a_task_and_the_filter_is_kept(
    alice_client: Client, used: list[PhoneNumber], kind: str
) -> None:
    address, page = plan(alice_client, kind)
    assert page.context["plan"].will == (2 if kind == "unassign" else 3)
    assert page.context["back"] == "/numbers/?status=0"
    assert not Task.objects.exists()
    alice_client.post(address, {"shown": shown(page), "comment": "left the company", "ticket": "CHG-3"})
    task = Task.objects.get()
    assert (task.kind, task.ticket, task.total) == (kind, "CHG-3", 3)


def test_numbers_of_a_customer_without_a_connection_say_why_and_what_to_do(
    alice_client: Client, used: list[PhoneNumber]
) -> None:
    Customer.objects.update(connection=ConnectionState.NOT_CONNECTED)
    _address, page = plan(alice_client, "unassign")
    assert page.context["plan"].will == 0
    words = text(page)
    assert "This customer's tenant is not connected" in words
    assert "Teams admin center under Voice > Phone numbers" in words
    assert "None of the selected numbers would change" in words


def test_what_ends_with_an_assignment_is_said_before(alice_client: Client, used: list[PhoneNumber]) -> None:
    PhoneNumber.objects.filter(pk=used[0].pk).update(assignment_status="VoiceApp")
    _address, page = plan(alice_client, "unassign")
    assert "auto attendant or a call queue" in text(page)
    assert "may assign it anew" in text(page)


@pytest.mark.parametrize(
    ("role", "unassign", "chain"),
    [
        (Role.ADMIN, 200, 200),
        (Role.OPERATOR, 200, 200),
        (Role.LITE_OPERATOR, 200, 403),
        (Role.MONITOR, 403, 403),
    ],
)
def test_each_role_is_offered_what_it_may_do(
    client: Client, used: list[PhoneNumber], role: str, unassign: int, chain: int
) -> None:
    person(client, role)
    listing = client.get("/numbers/")
    for kind, status in (("unassign", unassign), (CHAIN, chain)):
        _address, page = plan(client, kind)
        assert page.status_code == status
        assert ("disabled" in button(listing, kind)) == (status == 403)
    assert ("does not include the greyed ones" in text(listing)) == (role != Role.ADMIN)


def test_the_refusal_names_the_permission_that_is_missing(client: Client, used: list[PhoneNumber]) -> None:
    _address, page = plan(person(client, Role.LITE_OPERATOR), CHAIN)
    assert "Your role does not include “Release numbers”" in text(page)


def test_numbers_of_others_are_refused_or_not_even_seen(client: Client, used: list[PhoneNumber]) -> None:
    PhoneNumberFactory(customer=CustomerFactory(full_name="Fabrikam"), assignment_status="UserAssigned")
    _address, page = plan(person(client, Role.LITE_OPERATOR, customer=used[0].customer), "unassign")
    assert page.context["plan"].total == 3
    both = grant(UserFactory(), Role.MONITOR)
    grant(both, Role.LITE_OPERATOR, customer=used[0].customer)
    client.force_login(both)
    _address, page = plan(client, "unassign")
    assert page.context["plan"].will == 2
    assert "does not include “Un-assign numbers” for this customer" in text(page)


def test_a_visitor_without_a_role_is_refused(charlie_client: Client, used: list[PhoneNumber]) -> None:
    assert charlie_client.get("/numbers/actions/unassign/").status_code == 403


@pytest.mark.parametrize("kind", ["unassign", CHAIN])
def test_other_methods_are_refused(alice_client: Client, kind: str) -> None:
    assert alice_client.put(f"/numbers/actions/{kind}/").status_code == 405
    assert alice_client.delete(f"/numbers/actions/{kind}/").status_code == 405


def test_a_release_refused_as_assigned_offers_the_chain_for_the_same_selection(
    alice_client: Client, used: list[PhoneNumber]
) -> None:
    address, page = plan(alice_client, "release")
    found = re.search(rf'href="(/numbers/actions/{CHAIN}/\?[^"]*)"', page.content.decode())
    assert found
    link = unescape(found[1])
    assert parse_qs(urlsplit(link).query) == parse_qs(urlsplit(address).query)
    assert alice_client.get(link).context["plan"].will == 3


def test_the_chain_is_offered_to_those_only_who_may(
    client: Client, used: list[PhoneNumber], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocadmin.access import principal

    allowed = principal.ROLE_PERMISSIONS | {Role.LITE_OPERATOR: frozenset({"view", "release"})}
    monkeypatch.setattr(principal, "ROLE_PERMISSIONS", allowed)
    _address, page = plan(person(client, Role.LITE_OPERATOR), "release")
    assert "It is assigned" in text(page)
    assert f"/numbers/actions/{CHAIN}/" not in text(page)


def test_both_tasks_of_a_chain_link_to_each_other(alice_client: Client, bob_client: Client) -> None:
    release = TaskFactory(kind="release", title="Release: 3 numbers", params={})
    chain = TaskFactory(kind=CHAIN, title="Un-assign, then release: 3 numbers", result={"next_tasks": [release.pk]})
    Task.objects.filter(pk=release.pk).update(params={"previous_task": chain.pk})
    words = text(alice_client.get(f"/tasks/{chain.pk}/"))
    assert f'<a href="/tasks/{release.pk}/">Release: 3 numbers</a>' in words
    assert "Next tasks" not in words
    assert f'<a href="/tasks/{chain.pk}/">{chain.title}</a>' in text(alice_client.get(f"/tasks/{release.pk}/"))
    assert bob_client.get(f"/tasks/{chain.pk}/").status_code == 404


def test_a_release_that_microsoft_refused_as_assigned_has_a_button_for_the_chain(
    alice_client: Client, client: Client, used: list[PhoneNumber]
) -> None:
    release = TaskFactory(kind="release", state=TaskState.FAILED, finished_at=used[0].when_created, customer_ref=None)
    failed = {"state": ItemState.FAILED, "code": "NumberAssigned", "customer_ref": used[0].customer_id}
    TaskItemFactory(task=release, key=used[0].e164, **failed)
    TaskItemFactory(task=release, key=used[1].e164, **failed | {"code": "InternalError"})
    page = alice_client.get(f"/tasks/{release.pk}/")
    assert "Un-assign, then release…" in text(page)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.content.decode()))
    address, page = plan(alice_client, fields["action"], query=unescape(fields["query"]))
    assert address.startswith(f"/numbers/actions/{CHAIN}/")
    assert page.context["plan"].sample == [used[0].e164]
    assert "Un-assign, then release…" not in text(person(client, Role.LITE_OPERATOR).get(f"/tasks/{release.pk}/"))


def test_the_plan_keeps_its_budget(alice_client: Client, used: list[PhoneNumber]) -> None:
    PhoneNumberFactory(customer=used[0].customer, status=Status.MARKED_FOR_REMOVAL)
    address, _page = plan(alice_client, "unassign")
    with budget("numbers:act"):
        alice_client.get(f"{address}&show=will")
