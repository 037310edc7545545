"""The dashboard: counts that lead to their lists, what runs, what needs a person."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.services import principal_of
from ocadmin.numbers import overview
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import ConnectionState, Customer
from ocadmin.tasks.models import TaskState
from tests.budgets import budget
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory, TaskFactory, UserFactory, grant


def bars(client: Client, chart: str) -> dict[str, int]:
    """Label to count of one chart."""
    return {bar.label: bar.count for bar in client.get("/").context[chart].bars}


@pytest.fixture
def fabrikam(db: None) -> Customer:
    return CustomerFactory(full_name="Fabrikam")


def test_counts_by_status_assignment_customer_and_country(
    alice_client: Client, contoso: Customer, fabrikam: Customer
) -> None:
    PhoneNumberFactory.create_batch(3, customer=contoso)
    PhoneNumberFactory(customer=contoso, status=Status.MARKED_FOR_REMOVAL, assignment_status="VoiceApp")
    PhoneNumberFactory(customer=fabrikam, iso_country_code="US", assignment_status=None)
    PhoneNumberFactory(customer=fabrikam, iso_country_code="", assignment_status="HologramAssigned")
    assert bars(alice_client, "status") == {"Active": 5, "Marked for removal": 1}
    assert bars(alice_client, "assignment") == {
        "Unassigned": 3,
        "Voice app": 1,
        "Not known yet": 1,
        "HologramAssigned": 1,
    }
    assert bars(alice_client, "customers") == {"Contoso": 4, "Fabrikam": 2}
    assert bars(alice_client, "countries") == {"GB": 4, "US": 1, "No country": 1}


def test_every_count_leads_to_a_list_of_exactly_as_many(alice_client: Client, contoso: Customer) -> None:
    PhoneNumberFactory.create_batch(3, customer=contoso)
    PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL, assignment_status=None, iso_country_code="")
    PhoneNumberFactory(assignment_status="HologramAssigned", iso_country_code="DE")
    context = alice_client.get("/").context
    for chart in ("status", "assignment", "customers", "countries"):
        for bar in context[chart].bars:
            assert len(alice_client.get(bar.url).context["table"].page_rows) == bar.count, (chart, bar)
    waiting = alice_client.get(context["waiting_url"]).context["table"].page_rows
    assert len(waiting) == context["waiting"] == 1


def test_the_ten_largest_customers_and_how_many_more(alice_client: Client) -> None:
    for number in range(12):
        PhoneNumberFactory.create_batch(12 - number, customer=CustomerFactory(full_name=f"Customer {number:02}"))
    chart = alice_client.get("/").context["customers"]
    assert [bar.count for bar in chart.bars] == list(range(12, 2, -1))
    assert (chart.more, chart.more_count) == (2, 3)


def test_a_person_counts_only_what_is_theirs(bob_client: Client, contoso: Customer, fabrikam: Customer) -> None:
    PhoneNumberFactory(customer=contoso)
    PhoneNumberFactory.create_batch(2, customer=fabrikam)
    TaskFactory(title="Secret task", state=TaskState.RUNNING)
    response = bob_client.get("/")
    assert response.context["counts"].total == 1
    page = response.content.decode()
    assert "Fabrikam" not in page
    assert "Secret task" not in page


def test_a_role_for_a_channel_counts_the_channels_customers(db: None) -> None:
    channel = ChannelFactory()
    PhoneNumberFactory(customer=CustomerFactory(channel=channel))
    PhoneNumberFactory()
    client = Client()
    client.force_login(grant(UserFactory(), Role.MONITOR, channel=channel))
    assert client.get("/").context["counts"].total == 1


def test_running_tasks_and_recent_failures(alice_client: Client) -> None:
    now = timezone.now()
    TaskFactory(state=TaskState.RUNNING, title="Runs")
    TaskFactory(state=TaskState.ASKING, title="Asks", created_at=now - timedelta(days=1))
    TaskFactory(state=TaskState.FAILED, title="Failed today", finished_at=now, kind="upload")
    TaskFactory(state=TaskState.FAILED, title="Failed long ago", finished_at=now - timedelta(days=30), kind="upload")
    TaskFactory(state=TaskState.SUCCEEDED, title="Went well", finished_at=now, kind="upload")
    assert [task.title for task in alice_client.get("/").context["tasks"]] == ["Asks", "Runs", "Failed today"]


def test_the_last_five_synchronisations_and_the_next(alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "sync_minutes", 60)
    begun = timezone.now() - timedelta(minutes=10)
    for number in range(7):
        at = begun - timedelta(hours=number)
        TaskFactory(
            state=TaskState.SUCCEEDED, channel="schedule", created_at=at, finished_at=at, message=f"{number} changed."
        )
    response = alice_client.get("/")
    assert [task.message for task in response.context["syncs"]] == [f"{number} changed." for number in range(5)]
    assert response.context["next_sync"] == begun + timedelta(hours=1)


def test_without_a_schedule_it_says_so(alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "sync_minutes", 0)
    PhoneNumberFactory()
    assert "No schedule: started by hand" in alice_client.get("/").content.decode()


def test_customers_without_connection_or_consent(alice_client: Client) -> None:
    CustomerFactory(full_name="Fine", connection=ConnectionState.CONNECTED)
    CustomerFactory(full_name="Apart", connection=ConnectionState.NOT_CONNECTED)
    CustomerFactory(full_name="Paused", connection=ConnectionState.CONNECTED, consent_status="suspended")
    CustomerFactory(full_name="Never told", connection=ConnectionState.CONNECTED, consent_status="")
    PhoneNumberFactory()
    response = alice_client.get("/")
    problems = response.context["problems"]
    assert (problems.not_connected, problems.no_consent) == (1, 1)
    assert [customer.full_name for customer in problems.customers] == ["Apart", "Paused"]
    for query, name in (("connection=not_connected", "Apart"), ("consent=not_active", "Paused")):
        rows = alice_client.get(f"/customers/?{query}").context["table"].page_rows
        assert [row.record.full_name for row in rows] == [name]


def test_the_counts_of_problems_go_beyond_the_rows_shown(db: None, alice: User) -> None:
    CustomerFactory.create_batch(overview.PROBLEMS_SHOWN + 3, connection=ConnectionState.NOT_CONNECTED)
    found = overview.problems(principal_of(alice))
    assert (found.not_connected, len(found.customers)) == (overview.PROBLEMS_SHOWN + 3, overview.PROBLEMS_SHOWN)


def test_a_fresh_database_says_what_to_do(alice_client: Client, bob_client: Client) -> None:
    page = alice_client.get("/").content.decode()
    assert "No numbers yet" in page
    assert 'action="/numbers/sync/"' in page
    page = bob_client.get("/").content.decode()
    assert "No numbers yet" in page
    assert 'action="/numbers/sync/"' not in page


def test_a_person_without_a_role_is_told_whom_to_ask(charlie_client: Client, alice: User) -> None:
    alice.first_name, alice.last_name, alice.email = "Alice", "Adams", "alice@example.com"
    alice.save()
    PhoneNumberFactory(customer=CustomerFactory(full_name="Secret customer"))
    response = charlie_client.get("/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "no role yet" in page
    assert "Alice Adams" in page
    assert "alice@example.com" in page
    assert "Secret customer" not in page


def test_a_visitor_is_sent_to_the_sign_in(client: Client, db: None) -> None:
    assert client.get("/").status_code == 302


def test_only_reads(alice_client: Client) -> None:
    assert alice_client.post("/").status_code == 405


def test_costs_the_same_however_much_there_is(alice_client: Client) -> None:
    for _ in range(15):
        PhoneNumberFactory(customer=CustomerFactory(connection=ConnectionState.NOT_CONNECTED))
        TaskFactory(state=TaskState.RUNNING)
        TaskFactory(state=TaskState.SUCCEEDED, finished_at=timezone.now())
    with budget("console:dashboard"):
        alice_client.get("/")
