"""Uploading numbers in the browser: the customer, the form, the plan, the task; and what is refused on the way."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer, PastedList, PhoneNumber
from ocadmin.tasks.models import Task
from sbc.models import SBC
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SBCFactory,
    SipConnectionFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)
from tests.numbers import passes
from tests.numbers.operations.uploads import NUMBERS, place
from tests.numbers.world import World

__all__ = ["place"]
pytestmark = pytest.mark.django_db

URL = "/numbers/upload/"
USER, APP, CONFERENCE = "CallingUserAssignment", "FirstPartyAppAssignment", "ConferenceAssignment"


def usage_plan(usage: str, *choosable: str, toll_free: bool = False) -> dict[str, Any]:
    return {
        "name": f"For {usage}",
        "usage": usage,
        "mandatory_capabilities": ["Office365"],
        "choosable_capabilities": list(choosable),
        "supports_toll_free": toll_free,
    }


PLANS = [
    usage_plan(USER, "InboundCalling", "OutboundCalling", "Mobile"),
    usage_plan(APP, "InboundCalling", "OutboundCalling", "Mobile", toll_free=True),
    usage_plan(CONFERENCE, "InboundCalling", "OutboundCalling", toll_free=True),
]


@pytest.fixture
def sbc(db: None) -> SBC:
    return SBCFactory()


@pytest.fixture
def ready(contoso: Customer, sbc: SBC) -> Customer:
    """Contoso with everything that an upload needs."""
    Customer.objects.filter(pk=contoso.pk).update(usage_plans=PLANS, consented_countries=["GB", "US"])
    SipConnectionFactory(customer=contoso, sbc=sbc)
    contoso.refresh_from_db()
    return contoso


def form(customer: Customer, numbers: str = NUMBERS[0], **more: Any) -> dict[str, Any]:
    """A filled form, for users who choose their address themselves."""
    return {
        "numbers": numbers,
        "calling_profile": str(customer.sip_connections.get().calling_profile_id),
        "usage": USER,
        "capabilities": ["InboundCalling", "OutboundCalling"],
        "allow_tenant_address_update": "on",
        **more,
    }


def send(client: Client, customer: Customer, data: dict[str, Any]) -> HttpResponse:
    return client.post(f"{URL}?customer={customer.tenant_id}", data)


def planned(client: Client, customer: Customer, numbers: str = NUMBERS[0], **more: Any) -> tuple[str, HttpResponse]:
    """The address of the plan, and its page."""
    answer = send(client, customer, form(customer, numbers, **more))
    assert answer.status_code == 302, answer.context["form"].errors.as_json()
    return answer["Location"], client.get(answer["Location"])


def as_json(client: Client, address: str) -> dict[str, Any]:
    return client.get(f"{address}&format=json").json()


def left_alone(client: Client, customer: Customer, numbers: str, **more: Any) -> dict[str, Any]:
    """Code to (count, sentence, numbers) of what is left alone."""
    address, _page = planned(client, customer, numbers, **more)
    plan = as_json(client, address)
    return {one["code"]: (one["count"], one["message"], one["sample"]) for one in plan["leftAlone"]}


def errors(client: Client, customer: Customer, **more: Any) -> dict[str, list[str]]:
    """Field to codes of what is wrong with the form."""
    answer = send(client, customer, form(customer) | more)
    assert answer.status_code == 200
    found = answer.context["form"].errors.get_json_data()
    for problems in found.values():
        for problem in problems:
            assert problem["message"].endswith("."), problem
    return {field: [problem["code"] for problem in problems] for field, problems in found.items()}


def shown(page: HttpResponse) -> str:
    found = re.search(r'name="shown" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def test_from_the_list_to_the_numbers(alice_client: Client, place: World) -> None:
    assert f'href="{URL}"' in alice_client.get("/numbers/").content.decode()
    address, page = planned(alice_client, place.customer, "+44 20 7946 0700\n+442079460701 - +442079460702")
    assert page.context["plan"].will == 3
    assert not Task.objects.exists()
    done = alice_client.post(address, {"shown": shown(page), "comment": "new office", "ticket": "CHG-7"})
    task = Task.objects.get()
    assert done["Location"] == f"/tasks/{task.pk}/"
    assert (task.title, task.ticket, task.channel) == ("Upload 3 numbers to Harbourline", "CHG-7", "web")
    assert task.customer_ref == place.customer.pk
    passes.finish(task)
    assert task.succeeded == 3, task.message
    number = PhoneNumber.objects.get(e164="+442079460702")
    assert (number.usage, number.allow_tenant_address_update, number.status_reason) == (USER, True, "new office")


def test_the_plan_has_an_address_that_reload_and_back_can_use(alice_client: Client, ready: Customer) -> None:
    address, page = planned(alice_client, ready, "\n".join(NUMBERS))
    assert NUMBERS[0] not in address
    assert alice_client.get(address).context["plan"] == page.context["plan"]
    again = alice_client.get(address.replace("&set=1", ""))
    assert again.context["form"].initial["numbers"] == "\n".join(NUMBERS)
    assert again.context["form"].initial["usage"] == USER
    narrower = parse_qs(urlsplit(address).query)
    assert narrower["customer"] == [str(ready.tenant_id)]


def test_the_plan_for_programs_names_everything(alice_client: Client, ready: Customer) -> None:
    PhoneNumberFactory(e164="+442079460705", customer=ready)
    PhoneNumberFactory(e164="+442079460706")
    numbers = f"{NUMBERS[0]}, {NUMBERS[0]}, +442079460705, +442079460706, +44 2O7 9460 0700"
    address, _page = planned(alice_client, ready, numbers)
    plan = as_json(alice_client, address)
    assert (plan["operation"], plan["params"]["usage"], plan["total"]) == ("upload", USER, 4)
    assert plan["params"]["customer"] == str(ready.tenant_id)
    assert "numbers" not in plan
    assert plan["will"] == {"count": 1, "sample": [NUMBERS[0]]}
    assert {one["code"]: one["outcome"] for one in plan["leftAlone"]} == {
        "already": "unchanged",
        "foreign": "refused",
        "letters": "refused",
    }
    assert [(one["code"], one["count"]) for one in plan["cautions"]] == [("duplicate", 1)]
    wrong = alice_client.get(f"{address}&format=json&usage=Nonsense")
    assert (wrong.status_code, wrong.json()["errors"]["usage"][0]["code"]) == (400, "usage_not_offered")


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ("hello", "no_number"),
        ("+44 2O7 946 0701", "letters"),
        ("+44 20", "too_short"),
        ("+442079460705 - +442079460701", "range_reversed"),
        ("+442079460705 - +4420794607060", "range_mixed_length"),
        ("+442079400000 - +442079499999", "range_too_large"),
        ("+33123456789", "country_not_consented"),
        ("+80012345678", "toll_free_usage"),
        ("+18005550123", "toll_free_usage"),
    ],
)
def test_each_kind_of_bad_number_has_its_own_reason_and_the_rest_goes(
    alice_client: Client, ready: Customer, numbers: str, code: str
) -> None:
    found = left_alone(alice_client, ready, f"{NUMBERS[0]}\n{numbers}")
    assert list(found) == [code]
    assert found[code][1].endswith((".", "!"))
    _address, page = planned(alice_client, ready, f"{NUMBERS[0]}\n{numbers}")
    assert page.context["plan"].will == 1
    assert found[code][1].split("“")[0][:30] in page.content.decode()


def test_numbers_that_somebody_has_or_works_on_are_refused(alice_client: Client, ready: Customer) -> None:
    PhoneNumberFactory(e164="+442079460701", customer=CustomerFactory(full_name="Secret Customer"))
    PhoneNumberFactory(e164="+442079460702", customer=ready, assignment_status="UserAssigned")
    PhoneNumberFactory(e164="+442079460703", customer=ready, status=2)
    TaskItemFactory(task=TaskFactory(), key="+442079460704")
    found = left_alone(alice_client, ready, "+442079460700-0704")
    assert {code: numbers for code, (_count, _sentence, numbers) in found.items()} == {
        "foreign": ["+442079460701"],
        "already": ["+442079460702"],
        "leaving": ["+442079460703"],
        "busy": ["+442079460704"],
    }
    assert "Secret" not in str(found)


def test_a_number_in_quarantine_goes_back_to_its_customer_only(alice_client: Client, ready: Customer) -> None:
    theirs = ReleasedNumberFactory(e164=NUMBERS[0])
    ReleasedNumberFactory(e164=NUMBERS[1], customer=ready)
    address, _page = planned(alice_client, ready, ",".join(NUMBERS))
    plan = as_json(alice_client, address)
    assert plan["will"]["sample"] == [NUMBERS[1]]
    assert [(one["code"], one["sample"]) for one in plan["leftAlone"]] == [("quarantined", [NUMBERS[0]])]
    assert str(theirs.quarantine_until.year) in plan["leftAlone"][0]["message"]
    assert [(one["code"], one["sample"]) for one in plan["cautions"]] == [("quarantined_here", [NUMBERS[1]])]
    theirs.quarantine_until = theirs.released_at
    theirs.save()
    assert as_json(alice_client, address)["will"]["count"] == 2


def test_only_the_last_release_of_a_number_counts(alice_client: Client, ready: Customer) -> None:
    old = ReleasedNumberFactory(e164=NUMBERS[0])
    ReleasedNumberFactory(e164=NUMBERS[0], customer=ready, quarantine_until=old.quarantine_until)
    address, _page = planned(alice_client, ready)
    assert as_json(alice_client, address)["will"]["count"] == 1


def test_toll_free_numbers_have_rules_of_their_own(alice_client: Client, ready: Customer) -> None:
    found = left_alone(alice_client, ready, "+18005550123", usage=APP)
    assert list(found) == ["displayed_country_required"]
    assert not left_alone(alice_client, ready, "+18005550123", usage=APP, displayed_country="us")
    assert not left_alone(alice_client, ready, "+448001234567", usage=CONFERENCE)
    found = left_alone(alice_client, ready, "+448001234567", usage=APP, additional_usages=[USER])
    assert list(found) == ["toll_free_usage"]


def test_countries_count_by_their_calling_code(alice_client: Client, ready: Customer) -> None:
    """upstreams.md §6: a mobile number of Great Britain may look like one of Guernsey."""
    assert not left_alone(alice_client, ready, "+447911123456, +441534123456, +14165550123, +15551234567")
    Customer.objects.update(consented_countries=["UK"])
    assert list(left_alone(alice_client, ready, "+441534123456, +14165550123")) == ["country_not_consented"]
    found = left_alone(alice_client, ready, "+15551234567")
    assert list(found) == ["country_unknown"]


def test_a_location_decides_the_country_and_is_known_to_be_good(alice_client: Client, ready: Customer) -> None:
    abroad = LocationFactory(civic_address=CivicAddressFactory(customer=ready, country="US"))
    found = left_alone(alice_client, ready, NUMBERS[0], location=str(abroad.pk), allow_tenant_address_update="")
    assert list(found) == ["country_mismatch"]
    unsure = CivicAddressFactory(customer=ready, validation_status="notValidated")
    address, page = planned(alice_client, ready, location=str(unsure.pk), allow_tenant_address_update="")
    assert [one.code for one in page.context["plan"].cautions] == ["address_not_validated"]
    assert as_json(alice_client, address)["params"]["civic_address"] == str(unsure.pk)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"numbers": ""}, {"numbers": ["required"]}),
        ({"numbers": " , ; "}, {"numbers": ["no_numbers"]}),
        ({"numbers": "+442079400000-8000, +442079410000-8000"}, {"numbers": ["too_many"]}),
        ({"calling_profile": ""}, {"calling_profile": ["required"]}),
        ({"calling_profile": "nonsense"}, {"calling_profile": ["unknown_profile"]}),
        ({"usage": "ThirdPartyAppAssignment"}, {"usage": ["usage_not_offered"]}),
        ({"additional_usages": [USER]}, {"additional_usages": ["additional_usage_same"]}),
        ({"additional_usages": ["Nonsense"]}, {"additional_usages": ["usage_not_offered"]}),
        ({"capabilities": ["Mobile"], "usage": CONFERENCE}, {"capabilities": ["capability_not_for_usage"]}),
        ({"capabilities": ["OCMobile"]}, {"capabilities": ["capability_not_choosable"]}),
        ({"allow_tenant_address_update": ""}, {"location": ["address_required"]}),
        ({"location": "nonsense"}, {"location": ["unknown_location"]}),
        ({"displayed_country": "USA"}, {"displayed_country": ["unknown_country"]}),
        ({"displayed_country": "FR"}, {"displayed_country": ["country_not_consented"]}),
    ],
)
def test_settings_that_cannot_be_are_told_at_their_field(
    alice_client: Client, ready: Customer, more: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    assert errors(alice_client, ready, **more) == expected
    assert not PastedList.objects.exists()


def test_places_of_others_and_bad_ones_are_refused(alice_client: Client, ready: Customer) -> None:
    theirs = LocationFactory()
    bad = LocationFactory(civic_address=CivicAddressFactory(customer=ready, validation_status="Invalid"))
    assert errors(alice_client, ready, location=str(theirs.pk)) == {"location": ["unknown_location"]}
    assert errors(alice_client, ready, location=str(bad.pk)) == {"location": ["address_invalid"]}
    page = alice_client.get(f"{URL}?customer={ready.tenant_id}").content.decode()
    assert str(bad.pk) not in page


def test_a_profile_that_leads_nowhere_is_refused(alice_client: Client, ready: Customer) -> None:
    nowhere, gone = CallingProfileFactory(), CallingProfileFactory(removed_at="2026-01-01T00:00:00Z")
    assert errors(alice_client, ready, calling_profile=str(nowhere.pk)) == {"calling_profile": ["no_sbc"]}
    assert errors(alice_client, ready, calling_profile=str(gone.pk)) == {"calling_profile": ["profile_removed"]}


@pytest.mark.parametrize("status", ["suspended", "removed", ""])
def test_without_an_active_consent_nothing_is_uploaded(alice_client: Client, ready: Customer, status: str) -> None:
    Customer.objects.update(consent_status=status)
    assert errors(alice_client, ready) == {"__all__": ["consent_not_active"]}


def test_usages_that_are_not_known_are_asked_of_microsoft(alice_client: Client, place: World) -> None:
    page = alice_client.get(f"{URL}?customer={place.customer.tenant_id}").content.decode()
    assert "Calling for users" in page
    place.sandbox.fault({"mount": "oc", "method": "GET", "path": "/usages"}, {"status": 403}, times=9)
    answer = send(alice_client, place.customer, form(place.customer))
    assert [one["code"] for one in answer.context["form"].errors.get_json_data()["usage"]] == ["usages_unknown"]


def test_the_form_offers_what_fits_the_customer(alice_client: Client, ready: Customer) -> None:
    CallingProfileFactory(name="Other profile")
    address = CivicAddressFactory(customer=ready, city="Leeds")
    floor = LocationFactory(civic_address=address)
    CivicAddressFactory(city="Elsewhere")
    page = alice_client.get(f"{URL}?customer={ready.tenant_id}").content.decode()
    assert str(floor.pk) in page
    assert "Leeds" in page
    assert "Elsewhere" not in page
    assert f"For {APP}" in page
    assert "Mobile, for users" in page
    assert "Other profile" in page  # Alice may see all of them


def test_people_of_one_customer_are_offered_its_profiles_only(bob_client: Client, ready: Customer) -> None:
    CallingProfileFactory(name="Other profile")
    page = bob_client.get(URL).content.decode()  # his only customer needs no choice
    assert ready.sip_connections.get().calling_profile.name in page
    assert "Other profile" not in page


def test_choosing_a_customer_by_name_or_from_a_list(alice_client: Client, ready: Customer) -> None:
    CustomerFactory(full_name="Contrast")
    assert "Contrast" in alice_client.get(URL).content.decode()
    assert alice_client.get(f"{URL}?customer=conto").context["customer"] == ready
    several = alice_client.get(f"{URL}?customer=cont").content.decode()
    assert f"?customer={ready.tenant_id}" in several
    assert alice_client.get(f"{URL}?customer=nobody").status_code == 404


def test_a_plan_that_has_changed_is_shown_again(alice_client: Client, ready: Customer) -> None:
    address, page = planned(alice_client, ready, ",".join(NUMBERS))
    PhoneNumberFactory(e164=NUMBERS[0])
    answer = alice_client.post(address, {"shown": shown(page)})
    assert answer.status_code == 409
    assert "then 2 of 2 would have changed, now it is 1 of 2" in " ".join(answer.content.decode().split())
    assert not Task.objects.exists()
    assert alice_client.post(address, {"shown": shown(answer)}).status_code == 302


@pytest.mark.parametrize("mark", ["", "nonsense", "1-ff/1"])
def test_nothing_happens_without_the_mark_of_a_shown_plan(alice_client: Client, ready: Customer, mark: str) -> None:
    address, _page = planned(alice_client, ready)
    assert alice_client.post(address, {"shown": mark}).status_code == 409
    assert not Task.objects.exists()


def test_a_plan_that_uploads_nothing_cannot_be_confirmed(alice_client: Client, ready: Customer) -> None:
    address, page = planned(alice_client, ready, "nonsense")
    assert "None of the selected numbers would change" in page.content.decode()
    alice_client.post(address, {"shown": shown(page)})
    assert not Task.objects.exists()


def test_the_plan_lists_the_numbers_of_a_verdict(alice_client: Client, ready: Customer) -> None:
    PhoneNumberFactory(e164=NUMBERS[0], customer=ready)
    address, _page = planned(alice_client, ready, ",".join([*NUMBERS, "nonsense"]))
    rows = {
        code: alice_client.get(f"{address}&show={code}").context["rows"] for code in ("will", "already", "no_number")
    }
    assert rows == {
        "will": [(NUMBERS[1], "")],
        "already": [(NUMBERS[0], f"/numbers/{NUMBERS[0]}/")],
        "no_number": [("nonsense", "")],
    }


def test_programs_get_all_numbers_of_a_verdict_in_parts(
    alice_client: Client, ready: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocadmin.numbers.views.actions.LISTED", 2)
    address, _page = planned(alice_client, ready, "+442079460701 - +442079460703, nonsense")
    first = as_json(alice_client, f"{address}&show=will")
    assert (first["numbers"], first["next"]) == (["+442079460701", "+442079460702"], "+442079460702")
    for after in ("%2B442079460702", "+442079460702"):
        second = as_json(alice_client, f"{address}&show=will&after={after}")
        assert (second["numbers"], second["next"]) == (["+442079460703"], None)
    assert as_json(alice_client, f"{address}&show=no_number")["numbers"] == ["nonsense"]
    assert as_json(alice_client, f"{address}&show=unheard")["numbers"] == []


def test_a_page_says_when_it_shows_only_the_first(
    alice_client: Client, ready: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocadmin.numbers.views.upload.SHOWN", 2)
    address, page = planned(alice_client, ready, "+442079460701 - +442079460703")
    assert "The first 2 of 3." in alice_client.get(f"{address}&show=will").content.decode()
    assert "What is uploaded" in page.content.decode()


def test_other_numbers_as_many_stop_the_upload_too(alice_client: Client, ready: Customer) -> None:
    taken = PhoneNumberFactory(e164=NUMBERS[0])
    address, page = planned(alice_client, ready, ",".join(NUMBERS))
    PhoneNumber.objects.filter(pk=taken.pk).update(e164=NUMBERS[1])
    answer = alice_client.post(address, {"shown": shown(page)})
    assert "still 1 of 2 would change, but other ones" in " ".join(answer.content.decode().split())
    PhoneNumber.objects.filter(pk=taken.pk).update(customer=ready)
    answer = alice_client.post(address, {"shown": shown(answer)})
    assert answer.status_code == 409
    assert "the same numbers would change, but the others" in " ".join(answer.content.decode().split())
    assert not Task.objects.exists()


def test_a_list_belongs_to_whoever_typed_it(alice_client: Client, bob_client: Client, ready: Customer) -> None:
    address, _page = planned(alice_client, ready)
    answer = bob_client.get(address)
    assert answer.context["plan"] is None
    assert "not yours" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.LITE_OPERATOR, Role.MONITOR])
def test_roles_that_may_not_upload_are_told(client: Client, ready: Customer, role: str) -> None:
    client.force_login(grant(UserFactory(), role))
    assert client.get(URL).status_code == 403
    assert send(client, ready, form(ready)).status_code == 403
    assert 'aria-describedby="why-upload"' in client.get("/numbers/").content.decode()


def test_a_customer_of_others_is_not_there_and_one_without_the_right_is_refused(
    bob: User, bob_client: Client, ready: Customer
) -> None:
    other, watched = CustomerFactory(), CustomerFactory()
    grant(bob, Role.MONITOR, customer=watched)
    assert bob_client.get(f"{URL}?customer={other.tenant_id}").status_code == 404
    assert bob_client.get(f"{URL}?customer={watched.tenant_id}").status_code == 403
    assert bob_client.post(f"{URL}?customer={other.tenant_id}", form(ready)).status_code == 404
    assert not Task.objects.exists()


def test_strangers_are_refused(client: Client, charlie_client: Client) -> None:
    assert charlie_client.get(URL).status_code == 403
    assert client.get(URL)["Location"].startswith("/accounts/login/")


def test_other_methods_are_not_allowed(alice_client: Client) -> None:
    assert alice_client.put(URL).status_code == 405


def test_the_screen_keeps_its_budget(alice_client: Client, ready: Customer) -> None:
    address, _page = planned(alice_client, ready, "+442079460700-0799")
    with budget("numbers:upload"):
        alice_client.get(f"{URL}?customer={ready.tenant_id}")
    with budget("numbers:upload?set"):
        alice_client.get(f"{address}&show=will")
