"""The task list: what it shows, finds and keeps to itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import Task, TaskState
from tests.budgets import budget
from tests.factories import CustomerFactory, TaskFactory

URL = "/tasks/"


def listed(client: Client, query: str = "") -> list[int]:
    """Ids of the tasks on the page, in order."""
    response = client.get(URL + query)
    assert response.status_code == 200
    return [row.record.pk for row in response.context["table"].page_rows]


def finished(**fields: object) -> Task:
    return TaskFactory(**{"state": TaskState.SUCCEEDED, "finished_at": timezone.now()} | fields)


def test_shows_state_progress_counters_and_who(alice_client: Client) -> None:
    TaskFactory(
        state=TaskState.RUNNING,
        title="Synchronise Contoso",
        total=120_000,
        done=41_230,
        succeeded=41_000,
        refused=205,
        failed=25,
        actor_name="Ada",
        started_at=timezone.now() - timedelta(minutes=3),
    )
    page = alice_client.get(URL).content.decode()
    for text in (
        "Synchronise Contoso",
        "Synchronisation",
        "Running",
        "41,230 of 120,000",
        "41,000",
        "205",
        "Ada",
        "3 min",
    ):
        assert text in page
    assert '<progress value="41230" max="120000"' in page


def test_newest_first_and_sortable(alice_client: Client) -> None:
    old = finished(created_at=timezone.now() - timedelta(days=2), failed=7)
    new = finished()
    assert listed(alice_client) == [new.pk, old.pk]
    assert listed(alice_client, "?sort=-failed") == [old.pk, new.pk]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?state=alive", {"running", "asking"}),
        ("?state=asking", {"asking"}),
        ("?state=succeeded", {"done"}),
        ("?kind=sync", {"running", "asking", "done"}),
        ("?through=schedule", {"done"}),
        ("?started_by=grace", {"asking"}),
        ("?ticket=chg-1", {"running"}),
        ("?q=chg-1", {"running"}),
        ("?q=litware", {"done"}),
        ("?created_before=2025-01-31", {"done"}),
        ("?created_after=2025-01-31&created_before=2025-01-31", {"done"}),
        ("?created_after=2025-02-01", {"running", "asking"}),
    ],
)
def test_filters(alice_client: Client, query: str, wanted: set[str]) -> None:
    tasks = {
        "running": TaskFactory(state=TaskState.RUNNING, ticket="CHG-1"),
        "asking": TaskFactory(state=TaskState.ASKING, actor_name="Grace"),
        "done": finished(channel="schedule", title="Litware", created_at="2025-01-31T12:00:00Z"),
    }
    assert set(listed(alice_client, query)) == {tasks[name].pk for name in wanted}


def test_finds_a_task_by_its_number_and_its_correlation_id(alice_client: Client) -> None:
    task, _other = TaskFactory(title="One"), TaskFactory(title="Two")
    assert listed(alice_client, f"?q=%23{task.pk}") == [task.pk]
    assert listed(alice_client, f"?q={task.uid}") == [task.pk]


def test_an_unknown_filter_value_lists_nothing_and_says_why(alice_client: Client) -> None:
    TaskFactory()
    response = alice_client.get(URL + "?state=sleeping")
    assert not response.context["table"].page_rows
    assert "sleeping" in response.content.decode()


def test_a_person_sees_the_tasks_of_their_customers_and_their_own(
    bob_client: Client, bob: User, contoso: Customer
) -> None:
    of_contoso = TaskFactory(customer_ref=contoso.pk)
    own = TaskFactory(actor=bob)
    TaskFactory(customer_ref=CustomerFactory().pk)
    TaskFactory()
    assert set(listed(bob_client)) == {of_contoso.pk, own.pk}


def test_a_person_without_a_role_is_refused(charlie_client: Client) -> None:
    assert charlie_client.get(URL).status_code == 403


def test_a_visitor_is_sent_to_the_sign_in(client: Client, db: None) -> None:
    response = client.get(URL)
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_only_reads(alice_client: Client) -> None:
    assert alice_client.post(URL).status_code == 405


def test_the_page_costs_the_same_with_many_tasks(alice_client: Client) -> None:
    for number in range(30):
        TaskFactory(title=f"Task {number}")
    with budget("tasks:list"):
        alice_client.get(URL + "?per_page=25")
