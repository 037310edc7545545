"""The number list: what it shows, finds and refuses."""

import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import Task
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SipConnectionFactory,
    TaskFactory,
    UserFactory,
    grant,
)

URL = "/numbers/"


def listed(client: Client, query: str = "", **headers: Any) -> list[str]:
    """The numbers on the page, in order."""
    response = client.get(URL + query, **headers)
    assert response.status_code == 200
    return [row.record.e164 for row in response.context["table"].page_rows]


@pytest.fixture
def fabrikam(db: None) -> Customer:
    return CustomerFactory(full_name="Fabrikam")


def test_shows_the_documented_columns(alice_client: Client, contoso: Customer) -> None:
    profile = CallingProfileFactory()
    number = PhoneNumberFactory(
        e164="+442079460958", customer=contoso, calling_profile=profile, tn_upload_job_id=uuid.uuid4(), source=""
    )
    SipConnectionFactory(customer=contoso, calling_profile=profile, name="IP group 7")
    page = alice_client.get(URL).content.decode()
    for header in (
        "Number",
        "Customer",
        "Country",
        "Tenant ID",
        "Emergency Address",
        "SIP Connection",
        "Calling Profile ID",
        "Source",
        "MS Job ID",
        "Assignment",
        "Status",
        "Acquired Date",
    ):
        assert f">{header}</a></th>" in page
    assert "Operator Connect Number Management" in page
    assert "+44 20 7946 0958" in page
    assert 'data-copy="+442079460958"' in page
    assert "IP group 7" in page
    assert str(contoso.tenant_id) in page
    assert str(number.tn_upload_job_id) in page
    assert "empty: from outside this console" in page


def test_lists_only_the_persons_customers(bob_client: Client, contoso: Customer, fabrikam: Customer) -> None:
    mine = PhoneNumberFactory(customer=contoso)
    PhoneNumberFactory(customer=fabrikam)
    assert listed(bob_client) == [mine.e164]
    assert "Fabrikam" not in bob_client.get(URL).content.decode()
    assert "No customer of yours" in bob_client.get(f"{URL}?customer={fabrikam.pk}").content.decode()


def test_refuses_people_without_a_role(charlie_client: Client) -> None:
    assert charlie_client.get(URL).status_code == 403


def test_sends_visitors_to_sign_in_and_back_to_the_same_list(client: Client, db: None) -> None:
    response = client.get(f"{URL}?status=0")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={quote('/numbers/?status=0')}"


def test_refuses_other_methods(alice_client: Client) -> None:
    assert alice_client.post(URL).status_code == 405
    assert alice_client.get("/numbers/paste/").status_code == 405
    assert alice_client.get("/numbers/sync/").status_code == 405


@pytest.mark.parametrize("value", ["2", "marked-for-removal", "MarkedForRemoval", "MARKED_FOR_REMOVAL"])
def test_filters_by_status_however_it_is_written(alice_client: Client, value: str) -> None:
    PhoneNumberFactory()
    marked = PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    assert listed(alice_client, f"?status={value}") == [marked.e164]


def test_status_all_is_no_filter(alice_client: Client) -> None:
    PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory()
    assert len(listed(alice_client, "?status=All")) == 2


@pytest.mark.parametrize(
    "text", ["+44 20 7946 0958", "0044 (0)20 7946-0958", "7946 0958", "020 7946", "79460958", "+4420", "contos", "9460"]
)
def test_finds_any_fragment(alice_client: Client, contoso: Customer, fabrikam: Customer, text: str) -> None:
    found = PhoneNumberFactory(e164="+442079460958", customer=contoso)
    PhoneNumberFactory(e164="+493012345678", customer=fabrikam)
    assert listed(alice_client, f"?q={quote(text)}") == [found.e164]


def test_a_plus_means_the_start(alice_client: Client) -> None:
    start = PhoneNumberFactory(e164="+4420000001")
    PhoneNumberFactory(e164="+4944200000")
    assert listed(alice_client, f"?q={quote('+442')}") == [start.e164]


def test_filters_by_customer_profile_and_country(alice_client: Client, contoso: Customer) -> None:
    profile = CallingProfileFactory(name="UK Standard")
    number = PhoneNumberFactory(customer=contoso, calling_profile=profile)
    PhoneNumberFactory(iso_country_code="DE")
    for query in (
        f"?customer={contoso.pk}",
        f"?customer={contoso.tenant_id}",
        "?customer=conto",
        f"?profile={profile.pk}",
        "?profile=uk+stand",
        "?country=gb",
    ):
        assert listed(alice_client, query) == [number.e164], query


def test_filters_by_assignment(alice_client: Client) -> None:
    rows = {word: PhoneNumberFactory(assignment_status=word).e164 for word in ("UserAssigned", "QueueAssigned", None)}
    assert listed(alice_client, "?assignment=userassigned") == [rows["UserAssigned"]]
    assert listed(alice_client, "?assignment=QueueAssigned") == [rows["QueueAssigned"]]
    assert listed(alice_client, "?assignment=other") == [rows["QueueAssigned"]]
    assert listed(alice_client, "?assignment=none") == [rows[None]]


def test_offers_and_shows_unknown_assignment_words(alice_client: Client) -> None:
    cache.clear()
    PhoneNumberFactory(assignment_status="QueueAssigned")
    page = alice_client.get(URL).content.decode()
    assert '<option value="QueueAssigned">' in page
    assert "<td>QueueAssigned</td>" in page


def test_filters_by_source(alice_client: Client) -> None:
    api, outside = PhoneNumberFactory(source=Source.WEB_API), PhoneNumberFactory(source=Source.EXTERNAL)
    assert listed(alice_client, "?source=webapi") == [api.e164]
    assert listed(alice_client, "?source=none") == [outside.e164]
    assert listed(alice_client, "?source=ocsync") == [outside.e164]


def test_filters_by_acquired_capability(alice_client: Client) -> None:
    PhoneNumberFactory(acquired_capabilities=["MobileX"], available_capabilities=["Mobile"])
    mobile = PhoneNumberFactory(acquired_capabilities=["InboundCalling", "Mobile"])
    assert listed(alice_client, "?capability=Mobile") == [mobile.e164]


def test_filters_by_emergency_address(alice_client: Client, contoso: Customer) -> None:
    place = LocationFactory(civic_address__customer=contoso)
    with_one = PhoneNumberFactory(customer=contoso, civic_address=place.civic_address, location=place)
    without = PhoneNumberFactory()
    assert listed(alice_client, "?address=yes") == [with_one.e164]
    assert listed(alice_client, "?address=no") == [without.e164]
    assert listed(alice_client, f"?address={place.civic_address_id}") == [with_one.e164]
    assert listed(alice_client, f"?location={place.pk}") == [with_one.e164]


def test_filters_by_days_in_the_persons_zone(alice: User, alice_client: Client) -> None:
    alice.time_zone = "Pacific/Auckland"
    alice.save()
    late = PhoneNumberFactory(acquired_on=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))  # 2 March there
    PhoneNumberFactory(acquired_on=datetime(2026, 2, 27, tzinfo=UTC))
    assert listed(alice_client, "?acquired_after=2026-03-02&acquired_before=2026-03-02") == [late.e164]


@pytest.mark.parametrize(
    "query",
    [
        "status=9",
        "status=%00",
        "q=%00",
        f"q={'9' * 300}",
        "customer=999999999999999999999",
        "customer=%00",
        "profile=nobody",
        "assignment=%3Cb%3E",
        "source=elsewhere",
        "capability=no+such+thing!",
        "address=perhaps",
        "location=nonsense",
        "acquired_after=yesterday",
        "acquired_after=0001-01-01",
        "acquired_before=9999-12-31",
        "acquired_before=2026-02-31",
        "acquired_after=2026-03-02&acquired_before=2026-03-01",
        "tab=released&released_after=2026-03-02&released_before=2026-03-01",
    ],
)
def test_a_malformed_filter_lists_nothing_and_says_why(alice_client: Client, query: str) -> None:
    PhoneNumberFactory()
    response = alice_client.get(f"{URL}?{query}")
    assert response.status_code == 200
    assert response.context["page"].rows == []
    page = response.content.decode()
    assert 'class="error"' in page or "A filter cannot be understood" in page
    assert "remove this filter" in page or "%00" in query


@pytest.mark.parametrize(
    ("tab", "what", "label"), [("all", "acquired", "Acquired"), ("released", "released", "Released")]
)
def test_days_in_the_wrong_order_are_named_at_the_field(alice_client: Client, tab: str, what: str, label: str) -> None:
    page = alice_client.get(f"{URL}?tab={tab}&{what}_after=2026-03-02&{what}_before=2026-03-01").content.decode()
    assert f"This day is before the day of “{label} from”." in page
    page = alice_client.get(f"{URL}?tab={tab}&{what}_after=2026-03-02&{what}_before=2026-03-02").content.decode()
    assert "This day is before" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("page=abc", "There is no page"),
        ("page=0", "There is no page"),
        ("page=99999999999999999999999", "There is no page"),
        ("sort=secret", "cannot be sorted"),
        ("sort=%00", "cannot be sorted"),
        ("per_page=7", "25, 50, 100 or 250"),
        ("columns=e164,nonsense", "There is no column"),
        ("tab=nonsense", "There is no tab"),
        ("list=nonsense", "This pasted list is not yours"),
    ],
)
def test_a_malformed_page_sort_or_column_is_said(alice_client: Client, query: str, sentence: str) -> None:
    PhoneNumberFactory()
    response = alice_client.get(f"{URL}?{query}")
    assert response.status_code == 200
    assert sentence in response.content.decode()


def test_a_page_after_the_end_says_so(alice_client: Client) -> None:
    PhoneNumberFactory()
    page = alice_client.get(f"{URL}?page=40").content.decode()
    assert "This list has no such page" in page


COLUMNS = (
    "e164 customer country tenant address sip_connection profile source job assignment status acquired".split()  # noqa: SIM905
)


@pytest.mark.parametrize("column", COLUMNS)
def test_sorts_by_every_column_both_ways(alice_client: Client, contoso: Customer, column: str) -> None:
    place = CivicAddressFactory(customer=contoso)
    numbers = {
        PhoneNumberFactory(customer=contoso, civic_address=place, tn_upload_job_id=uuid.uuid4()).e164,
        PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL, source="", iso_country_code="DE").e164,
        PhoneNumberFactory(assignment_status=None, acquired_on=None, calling_profile=None).e164,
    }
    up = listed(alice_client, f"?sort={column}")
    down = listed(alice_client, f"?sort=-{column}")
    assert set(up) == set(down) == numbers
    assert up == down[::-1]
    page = alice_client.get(f"{URL}?sort=-{column}").content.decode()
    assert 'aria-sort="descending"' in page


def test_sorts_sip_connections_by_name(alice_client: Client, contoso: Customer) -> None:
    profiles = [CallingProfileFactory(), CallingProfileFactory()]
    SipConnectionFactory(customer=contoso, calling_profile=profiles[0], name="Zulu")
    SipConnectionFactory(customer=contoso, calling_profile=profiles[1], sbc__name="Alpha SBC")
    zulu = PhoneNumberFactory(customer=contoso, calling_profile=profiles[0])
    alpha = PhoneNumberFactory(customer=contoso, calling_profile=profiles[1])
    assert listed(alice_client, "?sort=sip_connection") == [alpha.e164, zulu.e164]


def test_pages_hold_every_row_once_and_keep_the_filter(alice_client: Client, contoso: Customer) -> None:
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+442079{n:06d}", customer=contoso, status=0, iso_country_code="GB") for n in range(60)
    )
    query = "?status=0&per_page=25&sort=customer"
    seen = [number for page in (1, 2, 3) for number in listed(alice_client, f"{query}&page={page}")]
    assert len(seen) == len(set(seen)) == 60
    page = alice_client.get(f"{URL}{query}&page=2").content.decode()
    assert "?status=0&amp;per_page=25&amp;sort=customer&amp;page=3" in page
    assert "26 to 50 of 60" in page
    assert "?status=0&amp;per_page=25&amp;sort=-customer" in page


def test_counts_no_further_than_ten_thousand(
    alice_client: Client, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocadmin.console.paging.COUNT_LIMIT", 30)
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+442079{n:06d}", customer=contoso, status=0, iso_country_code="GB") for n in range(80)
    )
    page = alice_client.get(f"{URL}?per_page=25").content.decode()
    assert "1 to 25 of 30+" in page
    page = alice_client.get(f"{URL}?per_page=25&page=4").content.decode()
    assert "76 to 80 of 80" in page


def test_active_filters_are_listed_with_a_way_out(alice_client: Client, contoso: Customer) -> None:
    PhoneNumberFactory(customer=contoso)
    page = alice_client.get(f"{URL}?customer={contoso.pk}&status=0&sort=-status").content.decode()
    assert "Customer: Contoso" in page
    assert "Status: Active" in page
    assert f'href="?customer={contoso.pk}&amp;sort=-status"' in page


def test_htmx_gets_the_region_only_and_a_tidy_address(alice_client: Client) -> None:
    number = PhoneNumberFactory()
    response = alice_client.get(f"{URL}?q=&status=0", headers={"HX-Request": "true", "HX-Target": "list"})
    page = response.content.decode()
    assert page.lstrip().startswith('<section class="panel" id="list"')
    assert number.e164 in page
    assert response["HX-Push-Url"] == "/numbers/?status=0"
    assert "HX-Request" in response["Vary"]


def test_going_back_gets_the_whole_page(alice_client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "list", "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in alice_client.get(URL, headers=headers).content.decode()


def test_a_long_list_of_customers_is_a_text_field(alice_client: Client) -> None:
    Customer.objects.bulk_create(CustomerFactory.build(full_name=f"Customer {n}") for n in range(101))
    page = alice_client.get(URL).content.decode()
    assert '<select name="customer"' not in page
    assert 'name="customer"' in page
    assert max(part.count("<option") for part in page.split("<select")) <= 101


# Columns and page size


def test_columns_of_the_address_win_over_the_remembered_ones(alice: User, alice_client: Client) -> None:
    PhoneNumberFactory()
    alice.preferences = {"columns": {"numbers:list": ["status"]}, "per_page": 25}
    alice.save()
    assert alice_client.get(URL).context["view"].columns == ["e164", "status"]
    assert alice_client.get(URL).context["page"].size == 25
    response = alice_client.get(f"{URL}?columns=customer,source&per_page=100")
    assert response.context["view"].columns == ["e164", "customer", "source"]
    assert response.context["page"].size == 100


def test_joins_only_what_is_shown(alice_client: Client, django_assert_num_queries: Any) -> None:
    PhoneNumberFactory()
    with django_assert_num_queries(8) as captured:  # no SIP connections, no count of the list
        alice_client.get(f"{URL}?columns=status")
    rows = [query["sql"] for query in captured if '"numbers_phonenumber"."note"' in query["sql"]]
    assert len(rows) == 1
    assert "JOIN" not in rows[0]


def test_choosing_columns_remembers_them_and_keeps_the_filter(alice: User, alice_client: Client) -> None:
    data = {"screen": "numbers:list", "next": "/numbers/?status=0&page=3", "columns": ["status", "customer"]}
    response = alice_client.post(reverse("console:remember"), data)
    assert response["Location"] == "/numbers/?status=0&columns=status,customer"
    alice.refresh_from_db()
    assert alice.preferences["columns"] == {"numbers:list": ["status", "customer"]}
    response = alice_client.post(reverse("console:remember"), data | {"reset": "1"})
    assert response["Location"] == "/numbers/?status=0"


# Tabs


def test_emergency_tab_lists_numbers_with_an_address(alice_client: Client, contoso: Customer) -> None:
    place = LocationFactory(civic_address__customer=contoso, description="Floor 9", elin="ELIN-1")
    number = PhoneNumberFactory(customer=contoso, civic_address=place.civic_address, location=place)
    without = PhoneNumberFactory()
    page = alice_client.get(f"{URL}?tab=emergency").content.decode()
    assert number.e164 in page
    assert without.e164 not in page
    assert "Floor 9" in page
    assert "ELIN-1" in page
    assert place.civic_address.one_line in page
    assert listed(alice_client, "?tab=emergency&address=no") == [without.e164]
    for column in ("customer", "country", "address", "location", "validation", "elin", "assignment"):
        assert listed(alice_client, f"?tab=emergency&sort={column}") == [number.e164]


def test_released_tab_lists_released_numbers(
    alice_client: Client, bob_client: Client, contoso: Customer, fabrikam: Customer
) -> None:
    mine = ReleasedNumberFactory(customer=contoso, released_by="Alice", ms_job_id=uuid.uuid4())
    other = ReleasedNumberFactory(customer=fabrikam)
    assert set(listed(alice_client, "?tab=released")) == {mine.e164, other.e164}
    assert listed(bob_client, "?tab=released") == [mine.e164]
    assert listed(alice_client, f"?tab=released&q={mine.e164[4:]}") == [mine.e164]
    for column in ("e164", "customer", "country", "released", "released_by", "quarantine", "job"):
        assert len(listed(alice_client, f"?tab=released&sort=-{column}")) == 2


def test_released_has_its_own_address_and_keeps_the_query(alice_client: Client) -> None:
    response = alice_client.get("/numbers/released/?q=44")
    assert response["Location"] == "/numbers/?q=44&tab=released"


def test_tabs_keep_the_filter(alice_client: Client) -> None:
    page = alice_client.get(f"{URL}?country=GB&sort=status&page=1").content.decode()
    assert 'href="?country=GB&amp;tab=emergency"' in page
    assert 'role="tab"' in page


# Synchronising


def test_sync_starts_a_task_for_everything(alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def start(**scope: Any) -> Task:
        asked.append(scope)
        return TaskFactory()

    monkeypatch.setattr("ocadmin.numbers.views.numbers.start_sync", start)
    response = alice_client.post("/numbers/sync/")
    assert response["Location"] == f"/tasks/{Task.objects.get().pk}/"
    assert asked[0]["customers"] is None


def test_sync_is_limited_to_the_persons_customers(
    bob_client: Client, contoso: Customer, fabrikam: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def start(**scope: Any) -> Task:
        asked.append(scope)
        return TaskFactory()

    monkeypatch.setattr("ocadmin.numbers.views.numbers.start_sync", start)
    bob_client.post("/numbers/sync/")
    assert asked[0]["customers"] == [contoso]


def test_sync_is_refused_to_those_who_may_only_look(client: Client, db: None) -> None:
    client.force_login(grant(UserFactory(), Role.MONITOR))
    assert client.post("/numbers/sync/").status_code == 403
    page = client.get(URL).content.decode()
    assert "Your role does not include synchronising." in page
    assert not Task.objects.exists()


def test_sync_that_runs_already_leads_to_it(alice_client: Client) -> None:
    first = alice_client.post("/numbers/sync/")
    second = alice_client.post("/numbers/sync/", follow=True)
    assert second.redirect_chain[0][0] == first["Location"]
    assert "already running" in second.content.decode()


def test_shows_what_runs_and_when_we_last_synchronised(alice_client: Client) -> None:
    TaskFactory(title="Loading", state="running", total=10, done=4)
    TaskFactory(state="succeeded", finished_at=timezone.now())
    page = alice_client.get(URL).content.decode()
    assert "4 of 10" in page
    assert 'hx-trigger="every 3s"' in page
    assert "Last synchronised" in page
    fragment = alice_client.get("/running/").content.decode()
    assert "Loading" in fragment
    assert "<html" not in fragment


def test_says_nothing_of_synchronisations_that_somebody_may_not_see(alice_client: Client, bob_client: Client) -> None:
    assert "Never synchronised" in alice_client.get(URL).content.decode()
    TaskFactory(state="succeeded", finished_at=timezone.now())
    page = bob_client.get(URL).content.decode()
    assert "Never synchronised" not in page
    assert "Last synchronised" not in page


def test_hides_tasks_of_others(bob_client: Client) -> None:
    TaskFactory(title="Secret", state="running")
    assert "Secret" not in bob_client.get(URL).content.decode()


# Budgets


def test_query_budgets(bob: User, bob_client: Client, contoso: Customer) -> None:
    """Bob, because his memberships have to be read; two pages full, because the last page needs no count."""
    profile = CallingProfileFactory()
    place = LocationFactory(civic_address__customer=contoso)
    SipConnectionFactory(customer=contoso, calling_profile=profile)
    PhoneNumber.objects.bulk_create(
        PhoneNumber(
            e164=f"+442079{n:06d}",
            customer=contoso,
            status=0,
            calling_profile=profile,
            civic_address=place.civic_address,
            location=place,
        )
        for n in range(120)
    )
    for _n in range(60):
        ReleasedNumberFactory(customer=contoso)
    TaskFactory(state="running", customer_ref=contoso.pk)
    pasted = bob_client.post("/numbers/paste/", {"numbers": "\n".join(f"+442079{n:06d}" for n in range(100))})
    with budget("numbers:list"):
        bob_client.get(URL)
    with budget("numbers:list?q"):
        bob_client.get(f"{URL}?q=contoso&status=0&address=yes&customer={contoso.pk}&profile={profile.pk}")
    with budget("numbers:list?swap"):
        bob_client.get(URL, headers={"HX-Request": "true", "HX-Target": "list"})
    with budget("numbers:list?list"):
        bob_client.get(pasted["Location"])
    with budget("numbers:list?tab=emergency"):
        bob_client.get(f"{URL}?tab=emergency")
    with budget("numbers:list?tab=released"):
        bob_client.get(f"{URL}?tab=released")
