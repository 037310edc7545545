"""The outcomes of a task as a CSV file."""

import csv
import io

import pytest
from django.test import Client

from ocadmin.access.models import User
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import ItemState, Task
from tests.factories import TaskFactory, TaskItemFactory

pytestmark = pytest.mark.django_db


def download(client: Client, task: Task, query: str = "") -> list[list[str]]:
    answer = client.get(f"/tasks/{task.pk}/outcomes.csv{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]


@pytest.fixture
def task() -> Task:
    task = TaskFactory()
    TaskItemFactory(task=task, key="+442079460001", state=ItemState.SUCCEEDED, upstream_ids={"ms_job_id": "0153"})
    TaskItemFactory(task=task, key="=cmd|' /C calc'", state=ItemState.REFUSED, code="letters", message="-1+1")
    return task


def test_every_number_has_its_line(task: Task, alice_client: Client) -> None:
    heading, first, second = download(alice_client, task)
    assert heading[:4] == ["Number", "Outcome", "Code", "Message"]
    assert first[:2] == ["+442079460001", "Succeeded"]
    assert first[5] == "0153"
    assert second[:4] == ["'=cmd|' /C calc'", "Refused", "letters", "'-1+1"]


def test_one_outcome_only(task: Task, alice_client: Client) -> None:
    assert [line[1] for line in download(alice_client, task, "?outcome=refused")[1:]] == ["Refused"]


def test_only_what_a_person_may_see(task: Task, contoso: Customer, bob: User, bob_client: Client) -> None:
    assert bob_client.get(f"/tasks/{task.pk}/outcomes.csv").status_code == 404
    Task.objects.filter(pk=task.pk).update(actor=bob)
    TaskItemFactory(task=task, key="+442079460002", customer_ref=contoso.pk)
    assert [line[0] for line in download(bob_client, task)[1:]] == ["+442079460002"]


def test_a_stranger_and_a_wrong_method(
    task: Task, charlie_client: Client, client: Client, alice_client: Client
) -> None:
    assert charlie_client.get(f"/tasks/{task.pk}/outcomes.csv").status_code == 404
    assert client.get(f"/tasks/{task.pk}/outcomes.csv").status_code == 302
    assert alice_client.post(f"/tasks/{task.pk}/outcomes.csv").status_code == 405
