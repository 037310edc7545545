"""The page of one number: its tabs, who may see it, what it says when there is no such number."""

import html
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.numbers import routing
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.ticks import to_time
from ocadmin.tasks.models import Task
from sbc import mirror, services
from sbc.dialplan import Rule
from sbc.models import SBC, DialPlanRule
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    SBCFactory,
    SipConnectionFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)

E164 = "+442079460958"
URL = "/numbers/%2B442079460958/"
TABS = ("details", "emergency", "capabilities", "routing", "history", "tasks")


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    """A number of Bob's with everything a number can have."""
    place = LocationFactory(civic_address__customer=contoso, description="Floor 9")
    profile = CallingProfileFactory()
    SipConnectionFactory(customer=contoso, calling_profile=profile, sbc=SBCFactory(name="London SBC"))
    return PhoneNumberFactory(
        e164=E164,
        customer=contoso,
        calling_profile=profile,
        civic_address=place.civic_address,
        location=place,
        asticks=639069187671521345,
        aslv_code=200,
        aslcht=timezone.now(),
        tn_upload_job_id=uuid.uuid4(),
    )


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_works_whole_and_as_a_swap(alice_client: Client, number: PhoneNumber, tab: str) -> None:
    page = alice_client.get(f"{URL}?tab={tab}").content.decode()
    assert "+44 20 7946 0958" in page
    assert f'data-copy="{E164}"' in page
    assert 'aria-selected="true"' in page
    swap = alice_client.get(f"{URL}?tab={tab}", headers={"HX-Request": "true", "HX-Target": "number-tabs"})
    assert swap.content.decode().lstrip().startswith('<section id="number-tabs"')


V3_FIELDS = {
    "uploadTelephoneNumberEntryId", "source", "sbcList", "tenantCallingProfileId",
    "ocSipConnectionName", "ocSipConnectionDescription", "umpCustomerGuid", "sbcListJson",
    "ovocChannelId", "consentedOn", "umpCustomerFullName", "msCompanyName", "sbcListArray", "id",
    "uploadToAccountJobId", "whenCreated", "acquiredNumberStatus", "telephoneNumber",
    "callingProfileId", "acquiredCapabilities", "availableCapabilities", "acquiredOn", "isoCountryCode",
    "tnUploadJobId", "locationId", "civicAddressId", "assignmentStatus", "tenantId", "aslcht", "aslsct",
    "aslvCode", "asticks",
}  # fmt: skip


def test_details_name_every_field_of_the_record(alice_client: Client, number: PhoneNumber) -> None:
    page = alice_client.get(URL).content.decode()
    named = {part.strip() for group in page.split("<code>")[1:] for part in group.split("</code>")[0].split(",")}
    assert named >= V3_FIELDS
    assert "639069187671521345" in page
    assert "2026-02-17" in page  # the ticks as a time
    assert "200: found" in page


def test_emergency_shows_address_and_location(alice_client: Client, number: PhoneNumber) -> None:
    page = alice_client.get(f"{URL}?tab=emergency").content.decode()
    assert number.civic_address.one_line in page
    assert "Floor 9" in page


def test_capabilities_compare_acquired_and_available(alice_client: Client, number: PhoneNumber) -> None:
    page = alice_client.get(f"{URL}?tab=capabilities").content.decode()
    assert "SharedCalling" in page
    assert "CallingUserAssignment" in page


def test_routing_shows_connections_rules_and_what_holds_for_external_numbers(
    alice_client: Client, number: PhoneNumber
) -> None:
    DialPlanRule.objects.create(sbc=SBCFactory(name="Dublin SBC"), prefix=E164, tag="contoso", present=False)
    page = alice_client.get(f"{URL}?tab=routing").content.decode()
    assert "London SBC" in page
    assert "Dublin SBC" in page
    assert "never touch an SBC" not in page
    PhoneNumber.objects.update(source=Source.EXTERNAL)
    assert "never touch an SBC" in alice_client.get(f"{URL}?tab=routing").content.decode()


def test_routing_tells_what_each_sbc_should_have_and_has(alice_client: Client, number: PhoneNumber) -> None:
    london = SBC.objects.get(name="London SBC")
    PhoneNumber.objects.update(source=Source.WEB_UI)

    def row() -> str:
        page = alice_client.get(f"{URL}?tab=routing").content.decode()
        cells = re.search(r"<tr><th scope=\"row\">London SBC.*?</tr>", page, re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", cells[0]).split()) if cells else ""

    expected = routing.rules([number])[london][0]
    assert f"not known {expected.tag} {expected.name} never looked" in row()
    mirror.note(london, [(3, expected._replace(prefix=f"{E164}#"))], 1)
    assert f"yes {expected.tag} {expected.name} {E164}# → {expected.tag} {expected.name}" in row()
    mirror.note(london, [(3, Rule(E164, "x", "elsewhere"))], 1)
    assert f"no {expected.tag} {expected.name} {E164} → elsewhere x" in row()
    mirror.note(london, [], 0)
    assert f"no {expected.tag} {expected.name} no rule" in row()
    services.want(london, [expected])
    DialPlanRule.objects.update(present=True, checked_at=timezone.now())
    assert f"yes {expected.tag} {expected.name} this rule" in row()


def test_routing_shows_a_rule_that_nobody_noted(alice_client: Client, number: PhoneNumber) -> None:
    mirror.note(SBCFactory(name="Dublin SBC"), [(0, Rule(E164, "x", "t"))], 1)
    page = alice_client.get(f"{URL}?tab=routing").content.decode()
    assert "Dublin SBC" in page
    assert "no rule" in page


def test_history_is_paged_and_shows_before_and_after(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            action="number.sync",
            channel="web",
            actor_name=f"Person {n}",
            object_type="number",
            object_id=E164,
            customer_ref=contoso.pk,
            before={"status": "before"},
            after={"status": "after"},
        )
        for n in range(30)
    )
    page = alice_client.get(f"{URL}?tab=history").content.decode()
    assert page.count("<strong>number.sync</strong>") == 25
    assert "<del>before</del>" in page
    assert "<ins>after</ins>" in page
    assert "tab=history&amp;page=2" in page
    assert alice_client.get(f"{URL}?tab=history&page=2").content.decode().count("<strong>number.sync</strong>") == 5


def test_history_of_an_earlier_owner_stays_hidden(bob_client: Client, number: PhoneNumber) -> None:
    AuditEntry.objects.create(
        action="number.upload", channel="web", object_type="number", object_id=E164, customer_ref=CustomerFactory().pk
    )
    assert "number.upload" not in bob_client.get(f"{URL}?tab=history").content.decode()


def test_tasks_are_linked_only_for_those_who_may_open_them(
    alice_client: Client, bob_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    task = TaskFactory(title="Synchronise everything")
    TaskItemFactory(task=task, key=E164, customer_ref=contoso.pk, state="succeeded", message="Found")
    link = f'<a href="/tasks/{task.pk}/">'
    assert link in alice_client.get(f"{URL}?tab=tasks").content.decode()
    page = bob_client.get(f"{URL}?tab=tasks").content.decode()
    assert "Found" in page
    assert link not in page


@pytest.mark.parametrize("tab", TABS)
def test_a_strangers_number_is_not_there(
    bob_client: Client, charlie_client: Client, number: PhoneNumber, tab: str
) -> None:
    PhoneNumber.objects.update(customer=CustomerFactory())
    response = bob_client.get(f"{URL}?tab={tab}")
    assert response.status_code == 404
    assert "There is no number" in response.content.decode()
    assert charlie_client.get(URL).status_code == 403


@pytest.mark.parametrize("text", ["%2B1", "12345", "%2B44abc", "%2B4420794609589999999999999", "+44%00"])
def test_what_is_no_number_is_a_page_that_says_so(alice_client: Client, text: str) -> None:
    response = alice_client.get(f"/numbers/{text}/")
    assert response.status_code == 404
    assert "There is no number" in response.content.decode() or "is not a number" in response.content.decode()


@pytest.mark.parametrize("text", ["00442079460958", "%2B44%2020%207946%200958"])
def test_other_spellings_of_the_address_find_it(alice_client: Client, number: PhoneNumber, text: str) -> None:
    assert alice_client.get(f"/numbers/{text}/").status_code == 200


def test_an_unknown_tab_is_details(alice_client: Client, number: PhoneNumber) -> None:
    assert alice_client.get(f"{URL}?tab=secrets").context["tab"] == "details"


def test_refuses_other_methods(alice_client: Client, number: PhoneNumber) -> None:
    assert alice_client.post(URL).status_code == 405
    assert alice_client.get(f"{URL}sync/").status_code == 405


def test_sync_starts_a_task_for_this_number(
    bob_client: Client, number: PhoneNumber, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def start(**scope: Any) -> Task:
        asked.append(scope)
        return TaskFactory(customer_ref=contoso.pk)

    monkeypatch.setattr("ocadmin.numbers.views.numbers.start_sync", start)
    assert bob_client.post(f"{URL}sync/").status_code == 302
    assert asked[0]["numbers"] == [E164]
    assert asked[0]["customers"] == [contoso]


def test_sync_is_refused_without_the_right(client: Client, number: PhoneNumber) -> None:
    client.force_login(grant(UserFactory(), Role.MONITOR))
    assert "Your role does not include synchronising." in client.get(URL).content.decode()
    assert client.post(f"{URL}sync/").status_code == 403


def test_sync_of_a_strangers_number_is_not_there(bob_client: Client) -> None:
    PhoneNumberFactory(e164=E164)
    assert bob_client.post(f"{URL}sync/").status_code == 404


def buttons(client: Client) -> tuple[set[str], dict[str, str]]:
    """The actions that the header offers, and those that it greys with their sentences."""
    page = html.unescape(client.get(URL).content.decode())
    head = page.split('<div class="page-head">')[1].split('id="number-tabs"')[0]
    offered = re.findall(r'type="submit" name="action" value="([^"]+)"', head)
    greyed = re.findall(r'disabled aria-describedby="why-([^"]+)".*?<p class="why" id="why-\1">(.*?)</p>', head)
    return set(offered), dict(greyed)


def test_the_header_offers_every_action_or_says_why_not(alice_client: Client, number: PhoneNumber) -> None:
    offered, greyed = buttons(alice_client)
    assert offered | greyed.keys() == set(ON_NUMBERS)
    assert offered >= {"release", "relocate", "capabilities", "unassign-release"}
    assert greyed["withdraw"] == "No release of this number has been requested."
    assert greyed["approve-removal"] == "This number is not marked for removal."
    assert all(sentence.endswith(".") for sentence in greyed.values())


@pytest.mark.parametrize(
    ("fields", "offered", "greyed"),
    [
        ({"assignment_status": "UserAssigned"}, {"unassign"}, {"release"}),
        ({"status": Status.MARKED_FOR_REMOVAL}, {"approve-removal", "clear-removal"}, {"release", "relocate"}),
        ({"status": Status.PENDING_FIRST_SYNC}, set(), {"release", "unassign", "relocate", "capabilities"}),
    ],
)
def test_the_buttons_follow_the_number(
    alice_client: Client, number: PhoneNumber, fields: dict[str, Any], offered: set[str], greyed: set[str]
) -> None:
    PhoneNumber.objects.update(**fields)
    found, refused = buttons(alice_client)
    assert offered <= found
    assert greyed <= refused.keys()


def test_a_number_that_is_busy_offers_nothing_but_to_withdraw(alice_client: Client, number: PhoneNumber) -> None:
    TaskItemFactory(task=TaskFactory(kind="release"), key=E164, customer_ref=number.customer_id)
    assert "Another operation" in buttons(alice_client)[1]["release"]
    PhoneNumber.objects.update(status=Status.RELEASE_REQUESTED)
    assert buttons(alice_client)[0] == {"withdraw"}


def test_what_the_role_does_not_include_is_greyed_with_the_permission(client: Client, number: PhoneNumber) -> None:
    client.force_login(grant(UserFactory(), Role.MONITOR))
    offered, greyed = buttons(client)
    assert offered == set()
    assert "“Release numbers”" in greyed["release"]
    assert "“Change emergency locations”" in greyed["relocate"]


def test_a_button_leads_to_the_plan_for_this_number_and_back(alice_client: Client, number: PhoneNumber) -> None:
    page = alice_client.get(URL).content.decode()
    assert f'<input type="hidden" name="row" value="{E164}">' in page
    form = {"row": E164, "back": f"/numbers/{E164}/", "action": "release"}
    plan = alice_client.get(alice_client.post("/numbers/actions/", form)["Location"])
    assert (plan.context["plan"].will, plan.context["plan"].sample) == (1, [E164])
    assert plan.context["back"] == f"/numbers/{E164}/"


def test_ticks_are_tenths_of_a_microsecond_since_year_one() -> None:
    assert to_time(639069187671521345).isoformat() == "2026-02-17T09:52:47.152134+00:00"
    assert to_time(None) is None
    assert to_time(9 * 10**18) is None


@pytest.mark.parametrize("tab", TABS)
def test_query_budgets(bob: User, bob_client: Client, number: PhoneNumber, contoso: Customer, tab: str) -> None:
    task = TaskFactory(customer_ref=contoso.pk)
    TaskItemFactory(task=task, key=E164, customer_ref=contoso.pk)
    AuditEntry.objects.create(
        action="x", channel="web", object_type="number", object_id=E164, customer_ref=contoso.pk, task_ref=task.pk
    )
    with budget(f"numbers:number?tab={tab}"):
        assert bob_client.get(f"{URL}?tab={tab}").status_code == 200


def test_a_number_that_was_kept_says_so(alice_client: Client, number: PhoneNumber) -> None:
    assert "Kept since" not in alice_client.get(URL).content.decode()
    PhoneNumber.objects.filter(pk=number.pk).update(removal_cleared_at=timezone.now())
    page = alice_client.get(URL).content.decode()
    assert "Kept since" in page
    assert "Kept although the customer has deleted it" in page
