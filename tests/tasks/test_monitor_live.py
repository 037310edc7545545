"""The part of a task's page that renews itself."""

from django.test import Client
from django.utils import timezone

from ocadmin.tasks.models import ItemState, Task, TaskState
from ocadmin.tasks.monitor import announcement, changes, signature
from tests.budgets import budget
from tests.factories import TaskFactory, TaskItemFactory


def live(client: Client, task: Task, seen: str = "", query: str = "") -> str:
    response = client.get(f"/tasks/{task.pk}/live/?seen={seen}{query}", headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


def test_asks_again_while_the_task_lives_and_stops_at_its_end(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.RUNNING)
    assert 'hx-trigger="every 2s"' in live(alice_client, task)
    Task.objects.filter(pk=task.pk).update(state=TaskState.SUCCEEDED, finished_at=timezone.now())
    assert "hx-trigger" not in live(alice_client, task)


def test_exchanges_only_the_progress_while_nothing_has_changed(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.RUNNING, done=5, total=10)
    page = live(alice_client, task, signature(task))
    assert 'id="task-live"' in page
    assert "hx-swap-oob" not in page


def test_progress_brings_the_outcomes_but_leaves_the_buttons_alone(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.RUNNING, done=5, total=1000)
    TaskItemFactory(task=task, key="+442079460001", state=ItemState.FAILED)
    page = live(alice_client, task, "running.4.0")
    assert "+44 20 7946 0001" in page
    assert 'id="task-actions"' not in page
    assert 'id="task-announce"' not in page


def test_the_end_exchanges_every_part(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.SUCCEEDED, finished_at=timezone.now(), result={"new": 3}, message="3 new.")
    page = live(alice_client, task, "running.4.0")
    for part in ("task-actions", "task-question", "task-announce", "task-result", "task-rows", "task-facts"):
        assert f'id="{part}"' in page
    assert "3 new." in page


def test_a_question_appears_by_itself(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.ASKING, question={"text": "Mark 412?", "choices": {"mark": "Mark them"}})
    page = live(alice_client, task, "running.4.0")
    assert "Mark 412?" in page
    assert "Mark them" in page


def test_keeps_the_tab_and_the_page_of_outcomes(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.RUNNING, done=2)
    failed = TaskItemFactory(task=task, state=ItemState.FAILED)
    TaskItemFactory(task=task, state=ItemState.SUCCEEDED)
    response = alice_client.get(f"/tasks/{task.pk}/live/?seen=&state=failed")
    assert [item.key for item in response.context["page"].rows] == [failed.key]


def test_the_announcement_changes_with_state_quarter_and_first_failure_only() -> None:
    task = Task(state=TaskState.RUNNING, total=100, done=26)
    said = announcement(task)
    task.done = 49
    assert announcement(task) == said
    task.done = 50
    assert announcement(task) != said
    said = announcement(task)
    task.failed = 1
    assert announcement(task) != said


def test_what_has_changed_between_two_looks() -> None:
    assert changes("running.5.0", "running.5.0") == {"moved": False, "turned": False, "said": False}
    assert changes("running.5.0", "running.6.0") == {"moved": True, "turned": False, "said": False}
    assert changes("running.5.0", "running.60.2") == {"moved": True, "turned": False, "said": True}
    assert changes("running.5.0", "waiting.5.0") == {"moved": True, "turned": True, "said": True}
    assert changes("", "running.5.0") == {"moved": True, "turned": True, "said": True}


def test_once_signed_out_the_page_is_told_to_load_anew(client: Client, db: None) -> None:
    task = TaskFactory()
    response = client.get(f"/tasks/{task.pk}/live/", headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"
    assert str(task.title).encode() not in response.content
    assert client.get(f"/tasks/{task.pk}/live/").status_code == 302


def test_costs_little(alice_client: Client) -> None:
    task = TaskFactory(state=TaskState.RUNNING)
    TaskItemFactory.create_batch(20, task=task, state=ItemState.FAILED)
    with budget("tasks:live"):
        live(alice_client, task)
