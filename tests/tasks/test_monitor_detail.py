"""The page of one task: facts, result, and the outcome of each number."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.numbers.models import Customer, UpstreamJob
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from tests.budgets import budget
from tests.factories import CustomerFactory, TaskFactory, TaskItemFactory


def page_of(client: Client, task: Task, query: str = "") -> str:
    response = client.get(f"/tasks/{task.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def keys(client: Client, task: Task, query: str = "", **headers: Any) -> list[str]:
    """Numbers in the table of outcomes."""
    return [item.key for item in client.get(f"/tasks/{task.pk}/{query}", **headers).context["page"].rows]


@pytest.fixture
def done(db: None) -> Task:
    now = timezone.now()
    return TaskFactory(
        state=TaskState.PARTIAL,
        actor_name="Ada",
        ticket="CHG-7",
        total=4,
        done=4,
        succeeded=2,
        refused=1,
        failed=1,
        message="Two of four.",
        started_at=now - timedelta(seconds=75),
        finished_at=now,
        result={"new": 2, "gone": 1, "pages": 3, "odd_word": [f"detail {n}" for n in range(25)]},
    )


def test_says_who_when_why_and_what_came_of_it(alice_client: Client, done: Task) -> None:
    page = page_of(alice_client, done)
    for text in ("Ada", "CHG-7", str(done.uid), "Partly succeeded", "Two of four.", "4 of 4", "took 1 min 15 s"):
        assert text in page
    assert "New numbers, added outside this console" in page
    assert "Pages read" in page


def test_a_word_of_a_result_that_we_do_not_know_is_shown_all_the_same(alice_client: Client, done: Task) -> None:
    page = page_of(alice_client, done)
    assert "Odd word" in page
    assert "detail 19" in page
    assert "detail 20" not in page
    assert "and 5 more" in page


def test_lists_outcomes_with_a_link_to_the_number(alice_client: Client, done: Task) -> None:
    TaskItemFactory(
        task=done, key="+442079460001", state=ItemState.REFUSED, code="assigned", message="Un-assign it first."
    )
    page = page_of(alice_client, done)
    assert "/numbers/+442079460001/" in page or "/numbers/%2B442079460001/" in page
    assert "Un-assign it first." in page
    assert "assigned" in page


def test_outcomes_by_state_with_counts(alice_client: Client, done: Task) -> None:
    failed = TaskItemFactory(task=done, state=ItemState.FAILED)
    TaskItemFactory.create_batch(2, task=done, state=ItemState.SUCCEEDED)
    response = alice_client.get(f"/tasks/{done.pk}/?state=failed")
    assert [(tab.state, tab.count) for tab in response.context["tabs"]] == [("", 3), ("succeeded", 2), ("failed", 1)]
    assert [item.key for item in response.context["page"].rows] == [failed.key]


def test_finds_a_number_among_the_outcomes_and_keeps_the_search(alice_client: Client, done: Task) -> None:
    for key in ("+442079460001", "+442079460002", "+12125550100"):
        TaskItemFactory(task=done, key=key, state=ItemState.FAILED)
    assert keys(alice_client, done, "?q=2079460") == ["+442079460001", "+442079460002"]
    assert "state=failed&amp;q=2079460" in page_of(alice_client, done, "?q=2079460")


def test_outcomes_come_in_pages_that_lead_forward_and_back(alice_client: Client, done: Task) -> None:
    TaskItem.objects.bulk_create([TaskItem(task=done, key=f"+{n}", state=ItemState.FAILED) for n in range(1000, 1120)])
    first = alice_client.get(f"/tasks/{done.pk}/").context["page"]
    second = alice_client.get(f"/tasks/{done.pk}/?after={first.following}").context["page"]
    third = alice_client.get(f"/tasks/{done.pk}/?after={second.following}").context["page"]
    assert [len(page.rows) for page in (first, second, third)] == [50, 50, 20]
    assert (first.previous, third.following) == (None, None)
    back = alice_client.get(f"/tasks/{done.pk}/?before={third.previous}").context["page"]
    assert [item.key for item in back.rows] == [item.key for item in second.rows]
    back = alice_client.get(f"/tasks/{done.pk}/?before={back.previous}").context["page"]
    assert [item.key for item in back.rows] == [item.key for item in first.rows]
    assert back.previous is None


@pytest.mark.parametrize("query", ["?after=x", "?before=-1", "?after=99999999999999999999", "?state=odd", "?q=%00"])
def test_a_broken_address_does_no_harm(alice_client: Client, done: Task, query: str) -> None:
    TaskItemFactory(task=done)
    assert len(keys(alice_client, done, query)) == 1


def test_a_swap_brings_only_the_outcomes(alice_client: Client, done: Task) -> None:
    response = alice_client.get(f"/tasks/{done.pk}/", headers={"HX-Request": "true", "HX-Target": "task-rows"})
    assert response.content.decode().lstrip().startswith('<div id="task-rows"')
    assert "<html" not in response.content.decode()


def test_jobs_at_microsoft_are_shown_to_those_who_may_see_their_customer(
    alice_client: Client, bob_client: Client, bob: User, contoso: Customer, done: Task
) -> None:
    Task.objects.filter(pk=done.pk).update(actor=bob)
    UpstreamJob.objects.create(kind="upload", customer=contoso, task=done, status="InProgress", total=5)
    UpstreamJob.objects.create(kind="upload", customer=CustomerFactory(), task=done, status="Expired", total=9)
    assert "InProgress" in page_of(alice_client, done)
    assert "Expired" in page_of(alice_client, done)
    assert "InProgress" in page_of(bob_client, done)
    assert "Expired" not in page_of(bob_client, done)


def test_retries_and_their_origin_lead_to_each_other(alice_client: Client, done: Task) -> None:
    retry = TaskFactory(retry_of=done)
    assert f"/tasks/{retry.pk}/" in page_of(alice_client, done)
    assert f"/tasks/{done.pk}/" in page_of(alice_client, retry)


def test_a_person_sees_the_numbers_of_their_customers_only_and_counts_accordingly(
    bob_client: Client, bob: User, contoso: Customer
) -> None:
    task = TaskFactory(actor=bob, failed=2, done=2, total=2)
    mine = TaskItemFactory(task=task, state=ItemState.FAILED, customer_ref=contoso.pk)
    TaskItemFactory(task=task, state=ItemState.FAILED, customer_ref=CustomerFactory().pk)
    response = bob_client.get(f"/tasks/{task.pk}/")
    assert [item.key for item in response.context["page"].rows] == [mine.key]
    assert {state: count for state, _label, count in response.context["counters"]}["failed"] == 1
    assert response.context["tabs"][0].count == 1


def test_strangers_tasks_do_not_exist(bob_client: Client, charlie_client: Client, done: Task) -> None:
    for client in (bob_client, charlie_client):
        for page in ("", "live/"):
            assert client.get(f"/tasks/{done.pk}/{page}").status_code == 404


def test_only_reads(alice_client: Client, done: Task) -> None:
    assert alice_client.post(f"/tasks/{done.pk}/").status_code == 405
    assert alice_client.post(f"/tasks/{done.pk}/live/").status_code == 405


def test_without_scripts_the_page_of_a_living_task_renews_itself(alice_client: Client, done: Task) -> None:
    renews = '<noscript><meta http-equiv="refresh" content="5"></noscript>'
    assert renews in page_of(alice_client, TaskFactory(state=TaskState.RUNNING))
    assert renews not in page_of(alice_client, done)


def test_costs_the_same_with_many_outcomes(alice_client: Client, done: Task) -> None:
    TaskItemFactory.create_batch(60, task=done, state=ItemState.FAILED)
    TaskFactory(retry_of=done)
    with budget("tasks:detail"):
        alice_client.get(f"/tasks/{done.pk}/")
