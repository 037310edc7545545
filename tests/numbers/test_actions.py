"""From ticked rows, or "all that match", over the plan to the task: nothing happens that was not shown."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.services import principal_of
from ocadmin.console.selection import Fingerprint, Selection, SelectionLost
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.selecting import resolve
from ocadmin.tasks.models import Task
from tests.budgets import budget
from tests.factories import CivicAddressFactory, CustomerFactory, PhoneNumberFactory, UserFactory, grant
from tests.numbers import passes
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db

APPROVE = "approve-removal"


@pytest.fixture
def marked(contoso: Customer) -> list[PhoneNumber]:
    """Three of Contoso's numbers and one of somebody else's, all marked; and one active of Contoso's."""
    numbers = [PhoneNumberFactory(customer=contoso, status=Status.MARKED_FOR_REMOVAL) for _ in range(3)]
    numbers.append(PhoneNumberFactory(customer=CustomerFactory(full_name="Fabrikam"), status=Status.MARKED_FOR_REMOVAL))
    PhoneNumberFactory(customer=contoso, status=Status.ACTIVE)
    return numbers


def choose(client: Client, **form: Any) -> HttpResponse:
    return client.post("/numbers/actions/", {"action": APPROVE, "back": "/numbers/?status=2", **form})


def shown(page: HttpResponse) -> str:
    """The mark of the plan that the page shows."""
    found = re.search(r'name="shown" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def plan(client: Client, **form: Any) -> tuple[str, HttpResponse]:
    """Choose, and look at the plan."""
    address = choose(client, **form)["Location"]
    return address, client.get(address)


def test_ticked_rows_become_a_plan_and_after_confirmation_a_task(
    alice_client: Client, marked: list[PhoneNumber], sandbox: Sandbox
) -> None:
    address, page = plan(alice_client, row=[marked[0].e164, marked[1].e164])
    assert page.status_code == 200
    assert "2 numbers selected" in page.content.decode()
    assert not Task.objects.exists()
    done = alice_client.post(address, {"shown": shown(page), "comment": "as agreed", "ticket": "CHG-1"})
    task = Task.objects.get()
    assert done["Location"] == f"/tasks/{task.pk}/"
    assert (task.ticket, task.params, task.channel) == ("CHG-1", {"comment": "as agreed"}, "web")
    passes.finish(task)
    ready = PhoneNumber.objects.filter(status=Status.READY_FOR_REMOVAL)
    assert set(ready) == set(marked[:2])


@pytest.mark.parametrize(("count", "words"), [(1, ": 1 number"), (2, ": 2 numbers")])
def test_the_title_of_the_task_counts_in_words(
    alice_client: Client, marked: list[PhoneNumber], count: int, words: str
) -> None:
    address, page = plan(alice_client, row=[number.e164 for number in marked[:count]])
    alice_client.post(address, {"shown": shown(page), "comment": "as agreed"})
    assert Task.objects.get().title.endswith(words)


def test_all_that_match_is_the_filter_and_not_the_page(alice_client: Client, marked: list[PhoneNumber]) -> None:
    _address, page = plan(alice_client, all="1", query="status=2&q=contoso", row=marked[3].e164)
    assert page.context["plan"].will == 3


def test_addresses_and_forms_hold_no_list_of_numbers(alice_client: Client, marked: list[PhoneNumber]) -> None:
    address, page = plan(alice_client, row=[number.e164 for number in marked])
    hidden = re.findall(r'<input type="hidden"[^>]*value="([^"]*)"', page.content.decode())
    assert not any(number.e164 in value for number in marked for value in [*hidden, address])


@pytest.mark.parametrize("what", ["another number", "a number less"])
def test_a_set_that_has_changed_stops_the_action_and_says_so(
    alice_client: Client, marked: list[PhoneNumber], what: str
) -> None:
    address, page = plan(alice_client, all="1", query="status=2")
    if what == "another number":
        PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    else:
        PhoneNumber.objects.filter(pk=marked[0].pk).update(status=Status.ACTIVE)
    answer = alice_client.post(address, {"shown": shown(page)})
    assert answer.status_code == 409
    assert "then 4 of 4 would have changed" in " ".join(answer.content.decode().split())
    assert not Task.objects.exists()
    again = alice_client.post(address, {"shown": shown(answer)})
    assert again.status_code == 302


def test_a_number_that_changed_its_status_stops_the_action_too(alice_client: Client, marked: list[PhoneNumber]) -> None:
    address, page = plan(alice_client, row=[number.e164 for number in marked])
    PhoneNumber.objects.filter(pk=marked[0].pk).update(status=Status.ACTIVE)
    assert alice_client.post(address, {"shown": shown(page)}).status_code == 409
    assert not Task.objects.exists()


def test_numbers_that_swap_their_verdicts_stop_the_action_too(
    alice_client: Client, contoso: Customer, marked: list[PhoneNumber]
) -> None:
    active = PhoneNumber.objects.get(status=Status.ACTIVE)
    address, page = plan(alice_client, row=[marked[0].e164, active.e164])
    PhoneNumber.objects.filter(pk=marked[0].pk).update(status=Status.ACTIVE)
    PhoneNumber.objects.filter(pk=active.pk).update(status=Status.MARKED_FOR_REMOVAL)
    answer = alice_client.post(address, {"shown": shown(page)})
    assert answer.status_code == 409
    assert "still 1 of 2 would change, but other ones than were shown" in " ".join(answer.content.decode().split())
    assert not Task.objects.exists()
    assert alice_client.post(address, {"shown": shown(answer)}).status_code == 302


def test_a_plan_for_programs_names_all_its_numbers_in_parts(
    alice_client: Client, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocadmin.numbers.views.actions.LISTED", 2)
    keys = [f"+4420794600{n}" for n in range(10, 15)]
    for key in keys:
        PhoneNumberFactory(e164=key, customer=contoso, status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(e164="+442079460099", customer=contoso, status=Status.ACTIVE)
    address = choose(alice_client, row=[*keys, "+442079460099", "+449999"])["Location"] + "&format=json"
    assert "numbers" not in alice_client.get(address).json()
    parts, after = [], ""
    while after is not None:
        part = alice_client.get(f"{address}&{urlencode({'show': 'will', 'after': after})}").json()
        assert part["will"]["count"] == 5
        parts.append(part["numbers"])
        after = part["next"]
    assert parts == [keys[:2], keys[2:4], keys[4:]]


def test_a_plan_for_programs_names_those_of_each_verdict(alice_client: Client, marked: list[PhoneNumber]) -> None:
    active = PhoneNumber.objects.get(status=Status.ACTIVE)
    address = choose(alice_client, row=[marked[0].e164, active.e164, "+449999"])["Location"] + "&format=json"
    for code, keys in {
        "not_marked": [active.e164],
        "unknown_number": ["+449999"],
        "nonsense": [],
        "not\x00marked": [],
    }.items():
        part = alice_client.get(f"{address}&{urlencode({'show': code})}").json()
        assert (part["numbers"], part["next"]) == (keys, None)
    unencoded = f"{address}&show=not_marked&after={active.e164}"
    assert alice_client.get(unencoded).json()["numbers"] == []


def test_a_page_says_when_it_shows_only_the_first(
    alice_client: Client, marked: list[PhoneNumber], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _page = plan(alice_client, row=[number.e164 for number in marked])
    assert "The first" not in alice_client.get(f"{address}&show=will").content.decode()
    monkeypatch.setattr("ocadmin.numbers.views.actions.SHOWN", 3)
    assert "The first 3 of 4." in alice_client.get(f"{address}&show=will").content.decode()


def test_one_number_is_counted_in_words(alice_client: Client, marked: list[PhoneNumber]) -> None:
    _address, page = plan(alice_client, row=[marked[0].e164])
    assert "1 number selected." in page.content.decode()


@pytest.mark.parametrize("destructive", [True, False])
def test_what_cannot_be_taken_back_is_confirmed_with_a_button_of_its_own(
    alice_client: Client, marked: list[PhoneNumber], monkeypatch: pytest.MonkeyPatch, destructive: bool
) -> None:
    monkeypatch.setattr(ON_NUMBERS[APPROVE], "destructive", destructive, raising=False)
    _address, page = plan(alice_client, row=[marked[0].e164])
    assert ('<button class="button danger"' in page.content.decode()) is destructive


@pytest.mark.parametrize("mark", ["", "nonsense", "1-2-3-4/x"])
def test_nothing_happens_without_the_mark_of_a_shown_plan(
    alice_client: Client, marked: list[PhoneNumber], mark: str
) -> None:
    address, _page = plan(alice_client, row=[marked[0].e164])
    answer = alice_client.post(address, {"shown": mark})
    assert (answer.status_code, Task.objects.exists()) == (409, False)


def test_a_plan_that_changes_nothing_cannot_be_confirmed(alice_client: Client, marked: list[PhoneNumber]) -> None:
    active = PhoneNumber.objects.get(status=Status.ACTIVE)
    address, page = plan(alice_client, row=[active.e164])
    assert "None of the selected numbers would change" in page.content.decode()
    assert "not marked for removal" in page.content.decode()
    alice_client.post(address, {"shown": shown(page)})
    assert not Task.objects.exists()


def test_the_plan_links_to_the_numbers_of_each_verdict(alice_client: Client, marked: list[PhoneNumber]) -> None:
    address, _page = plan(alice_client, all="1", query="")
    for verdict, count in (("will", 4), ("not_marked", 1)):
        rows = alice_client.get(f"{address}&show={verdict}").context["rows"]
        assert len(rows) == count


def test_nothing_selected_goes_back_to_the_list_with_a_sentence(alice_client: Client) -> None:
    answer = alice_client.post("/numbers/actions/", {"action": APPROVE, "back": "/numbers/?status=2"}, follow=True)
    assert answer.redirect_chain == [("/numbers/?status=2", 302)]
    assert "Nothing is selected" in answer.content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_going_back_never_leaves_the_console(alice_client: Client, back: str) -> None:
    answer = alice_client.post("/numbers/actions/", {"action": APPROVE, "back": back})
    assert answer["Location"] == "/numbers/"


def test_an_unknown_action_is_404(alice_client: Client) -> None:
    assert choose(alice_client, action="explode", row="+441").status_code == 404
    assert alice_client.get("/numbers/actions/explode/").status_code == 404


def test_choosing_is_post_only(alice_client: Client) -> None:
    assert alice_client.get("/numbers/actions/").status_code == 405


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_a_selection_that_is_not_ours_leads_back(alice_client: Client, token: str) -> None:
    answer = alice_client.get(f"/numbers/actions/{APPROVE}/?selection={token}", follow=True)
    assert "Select the numbers again" in answer.content.decode()


def test_a_selection_belongs_to_one_person(alice: User, charlie: User) -> None:
    token = Selection(keys=("+441",)).token(alice.pk)
    assert Selection.of(token, alice.pk).keys == ("+441",)
    with pytest.raises(SelectionLost):
        Selection.of(token, charlie.pk)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.LITE_OPERATOR, Role.MONITOR])
def test_roles_without_the_permission_are_refused(client: Client, marked: list[PhoneNumber], role: str) -> None:
    client.force_login(grant(UserFactory(), role))
    answer = client.get(choose(client, row=marked[0].e164)["Location"])
    assert answer.status_code == 403
    assert "disabled" in client.get("/approvals/").content.decode()


def test_somebody_else_s_numbers_are_not_even_selected(
    client: Client, contoso: Customer, marked: list[PhoneNumber]
) -> None:
    client.force_login(grant(UserFactory(), Role.ADMIN, customer=contoso))
    _address, page = plan(client, row=[number.e164 for number in marked])
    assert page.context["plan"].total == 4
    groups = {group.code: group.sample for group in page.context["plan"].left_alone}
    assert groups == {"unknown_number": [number.e164 for number in marked if number.customer != contoso]}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=2",
        "q=contoso",
        "q=%2B44&status=0",
        "tab=emergency",
        "tab=emergency&address=no",
        "address=yes",
        "source=none",
        "country=GB&assignment=Unassigned",
        "acquired_after=nonsense",
        "status=9",
    ],
)
def test_what_is_selected_is_what_the_list_shows(
    alice: User, alice_client: Client, marked: list[PhoneNumber], query: str
) -> None:
    """The family of mistakes that deletes the wrong rows: a filter that the action reads otherwise than the list."""
    PhoneNumberFactory(civic_address=CivicAddressFactory(), source="")
    page = alice_client.get(f"/numbers/?{query}")
    request = RequestFactory().get("/")
    request.user, request.principal = alice, principal_of(alice)  # type: ignore[attr-defined]
    selected = resolve(Selection(query=query), request).numbers  # type: ignore[arg-type]
    assert {number.e164 for number in selected} == {row.record.e164 for row in page.context["table"].page_rows}


def test_a_pasted_list_can_be_acted_upon(alice_client: Client, marked: list[PhoneNumber]) -> None:
    text = f"{marked[0].e164}\n{marked[1].e164}\n+449999"
    pasted = alice_client.post("/numbers/paste/", {"numbers": text})["Location"]
    query = urlencode({"list": parse_qs(urlsplit(pasted).query)["list"][0]})
    _address, page = plan(alice_client, all="1", query=query)
    assert page.context["plan"].will == 2


def test_the_inbox_lists_what_waits_and_offers_both_decisions(alice_client: Client, marked: list[PhoneNumber]) -> None:
    page = alice_client.get("/approvals/")
    assert {row.record.e164 for row in page.context["table"].page_rows} == {number.e164 for number in marked}
    text = page.content.decode()
    assert 'value="approve-removal"' in text
    assert 'value="clear-removal"' in text
    query = page.context["actions"].query
    _address, shown_plan = plan(alice_client, all="1", query=query)
    assert shown_plan.context["plan"].will == len(marked)


def test_the_inbox_is_scoped(bob_client: Client, charlie_client: Client, marked: list[PhoneNumber]) -> None:
    assert len(bob_client.get("/approvals/").context["table"].page_rows) == 3
    assert charlie_client.get("/approvals/").status_code == 403


def test_the_screens_keep_their_budgets(alice_client: Client, marked: list[PhoneNumber]) -> None:
    with budget("numbers:approvals"):
        alice_client.get("/approvals/")
    address, _page = plan(alice_client, all="1", query="")
    with budget("numbers:act"):
        alice_client.get(f"{address}&show=will")


def test_fingerprints_tell_sets_apart_that_agree_in_count_sum_and_ends(contoso: Customer) -> None:
    for pk in (1, 3, 4, 5, 6, 8):
        PhoneNumberFactory(pk=pk, customer=contoso)
    one = Fingerprint.of(PhoneNumber.objects.filter(pk__in=(1, 4, 5, 8)))
    other = Fingerprint.of(PhoneNumber.objects.filter(pk__in=(1, 3, 6, 8)))
    assert one != other
    assert Fingerprint.of(PhoneNumber.objects.none()).count == 0
