"""Cancelling, answering and retrying from the page of a task."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import CustomerFactory, TaskFactory, TaskItemFactory, UserFactory, grant

from .operations import Counting, registered

QUESTION = {"text": "Go on?", "choices": {"go": "Go on", "stop": "Leave it"}}


@pytest.fixture(autouse=True)
def counting(db: None) -> Iterator[None]:
    with registered(Counting()):
        yield


@pytest.fixture
def running(contoso: Customer) -> Task:
    return TaskFactory(kind="counting", state=TaskState.RUNNING, customer_ref=contoso.pk, done=3)


@pytest.fixture
def asking(contoso: Customer) -> Task:
    return TaskFactory(kind="counting", state=TaskState.ASKING, customer_ref=contoso.pk, question=QUESTION)


@pytest.fixture
def failed(contoso: Customer) -> Task:
    task = TaskFactory(
        kind="counting", state=TaskState.PARTIAL, customer_ref=contoso.pk, failed=2, finished_at=timezone.now()
    )
    TaskItemFactory.create_batch(2, task=task, state=ItemState.FAILED, customer_ref=contoso.pk)
    TaskItemFactory(task=task, state=ItemState.SUCCEEDED, customer_ref=contoso.pk)
    return task


@pytest.fixture
def monitor_client(contoso: Customer) -> Client:
    """Somebody who may look at Contoso, and no more."""
    client = Client()
    client.force_login(grant(UserFactory(username="mona"), Role.MONITOR, customer=contoso))
    return client


def test_cancelling_is_asked_for_and_recorded(bob_client: Client, running: Task) -> None:
    response = bob_client.post(f"/tasks/{running.pk}/cancel/", follow=True)
    running.refresh_from_db()
    assert running.state == TaskState.CANCELLING
    assert AuditEntry.objects.filter(action="task.cancel", task_ref=running.pk, actor_name="bob").exists()
    assert "stops after the chunk" in response.content.decode()


def test_says_beforehand_what_cancelling_does(bob_client: Client, running: Task) -> None:
    page = bob_client.get(f"/tasks/{running.pk}/").content.decode()
    assert "Numbers that are done by then stay done" in page
    assert "cannot be called back" in page


def test_cancelling_what_has_finished_changes_nothing(bob_client: Client, failed: Task) -> None:
    response = bob_client.post(f"/tasks/{failed.pk}/cancel/", follow=True)
    failed.refresh_from_db()
    assert failed.state == TaskState.PARTIAL
    assert "Nothing to cancel" in response.content.decode()


def test_a_question_is_answered_with_one_of_its_choices(bob_client: Client, asking: Task) -> None:
    page = bob_client.get(f"/tasks/{asking.pk}/").content.decode()
    assert "Go on?" in page
    assert 'value="stop">Leave it</button>' in page
    bob_client.post(f"/tasks/{asking.pk}/answer/", {"choice": "stop"})
    asking.refresh_from_db()
    assert (asking.state, asking.cursor["answer"], asking.question) == (TaskState.QUEUED, "stop", {})
    entry = AuditEntry.objects.get(action="task.answer")
    assert (entry.before, entry.after) == ({"question": "Go on?"}, {"answer": "stop"})


def test_another_word_is_no_answer(bob_client: Client, asking: Task) -> None:
    response = bob_client.post(f"/tasks/{asking.pk}/answer/", {"choice": "perhaps"}, follow=True)
    asking.refresh_from_db()
    assert asking.state == TaskState.ASKING
    assert "not one of the answers" in response.content.decode()


def test_the_second_answer_comes_too_late(bob_client: Client, asking: Task) -> None:
    bob_client.post(f"/tasks/{asking.pk}/answer/", {"choice": "go"})
    response = bob_client.post(f"/tasks/{asking.pk}/answer/", {"choice": "stop"}, follow=True)
    asking.refresh_from_db()
    assert asking.cursor["answer"] == "go"
    assert "no longer asks" in response.content.decode()


def test_failed_numbers_are_tried_again_in_a_new_task(bob_client: Client, failed: Task) -> None:
    assert "Retry 2 failed numbers" in bob_client.get(f"/tasks/{failed.pk}/").content.decode()
    response = bob_client.post(f"/tasks/{failed.pk}/retry/")
    fresh = Task.objects.get(retry_of=failed)
    assert response["Location"] == f"/tasks/{fresh.pk}/"
    assert fresh.params == {"upto": 2}
    assert AuditEntry.objects.filter(action="task.start", task_ref=fresh.pk).exists()


def test_nothing_to_retry(bob_client: Client, failed: Task) -> None:
    failed.items.filter(state=ItemState.FAILED).delete()
    assert "No number of this task has failed." in bob_client.get(f"/tasks/{failed.pk}/").content.decode()
    response = bob_client.post(f"/tasks/{failed.pk}/retry/", follow=True)
    assert "Nothing to retry" in response.content.decode()
    assert not Task.objects.filter(retry_of=failed).exists()


def test_where_nothing_has_failed_no_permission_is_asked_for(monitor_client: Client, failed: Task) -> None:
    page = monitor_client.get(f"/tasks/{failed.pk}/").content.decode()
    assert "This needs the permission" in page.split('id="why-retry"')[1].split("</span>")[0]
    failed.items.filter(state=ItemState.FAILED).delete()
    page = monitor_client.get(f"/tasks/{failed.pk}/").content.decode()
    assert 'id="why-retry">No number of this task has failed.</span>' in page
    assert monitor_client.post(f"/tasks/{failed.pk}/retry/").status_code == 403


def test_a_living_task_is_not_retried(bob_client: Client, running: Task) -> None:
    TaskItemFactory(task=running, state=ItemState.FAILED)
    response = bob_client.post(f"/tasks/{running.pk}/retry/", follow=True)
    assert "still running" in response.content.decode()
    assert not Task.objects.filter(retry_of=running).exists()


@pytest.mark.parametrize("action", ["cancel", "answer", "retry"])
def test_who_may_only_look_is_refused_with_a_sentence(monitor_client: Client, asking: Task, action: str) -> None:
    page = monitor_client.get(f"/tasks/{asking.pk}/").content.decode()
    assert "This needs the permission “Synchronise” for this customer." in page
    assert "</form>" not in page.split('id="task-question"')[1].split("</section>")[0]
    response = monitor_client.post(f"/tasks/{asking.pk}/{action}/", {"choice": "go"})
    assert response.status_code == 403
    assert "Synchronise" in response.content.decode()
    asking.refresh_from_db()
    assert asking.state == TaskState.ASKING


@pytest.mark.parametrize("action", ["cancel", "answer", "retry"])
def test_strangers_tasks_do_not_exist(bob_client: Client, charlie_client: Client, running: Task, action: str) -> None:
    Task.objects.filter(pk=running.pk).update(customer_ref=CustomerFactory().pk)
    for client in (bob_client, charlie_client):
        assert client.post(f"/tasks/{running.pk}/{action}/").status_code == 404
    running.refresh_from_db()
    assert running.state == TaskState.RUNNING


@pytest.mark.parametrize("action", ["cancel", "answer", "retry"])
def test_changes_are_posted(bob_client: Client, running: Task, action: str) -> None:
    assert bob_client.get(f"/tasks/{running.pk}/{action}/").status_code == 405


def test_a_task_of_all_customers_takes_the_permission_for_all(
    bob_client: Client, bob: User, alice_client: Client
) -> None:
    task = TaskFactory(kind="counting", state=TaskState.RUNNING, actor=bob)
    assert bob_client.post(f"/tasks/{task.pk}/cancel/").status_code == 403
    assert alice_client.post(f"/tasks/{task.pk}/cancel/").status_code == 302


def test_ones_own_task_of_several_customers_takes_the_permission_for_every_number(
    bob_client: Client, bob: User, contoso: Customer
) -> None:
    task = TaskFactory(kind="counting", state=TaskState.RUNNING, actor=bob)
    TaskItemFactory(task=task, customer_ref=contoso.pk)
    assert bob_client.post(f"/tasks/{task.pk}/cancel/").status_code == 302
    other = TaskFactory(kind="counting", state=TaskState.RUNNING, actor=bob)
    TaskItemFactory(task=other, customer_ref=contoso.pk)
    TaskItemFactory(task=other, customer_ref=CustomerFactory().pk)
    assert bob_client.post(f"/tasks/{other.pk}/cancel/").status_code == 403


def test_a_kind_that_this_version_does_not_know_is_shown_and_left_alone(alice_client: Client) -> None:
    task = TaskFactory(kind="dream", state=TaskState.QUEUED)
    assert "knows no task of the kind dream" in alice_client.get(f"/tasks/{task.pk}/").content.decode()
    assert alice_client.post(f"/tasks/{task.pk}/cancel/").status_code == 403
