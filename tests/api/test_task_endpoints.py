"""Tasks through the interface: lists, numbers, cancel, retry, answer; and starting a synchronisation."""

import json
from typing import Any

import pytest
from django.utils import timezone

from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory, TaskFactory, TaskItemFactory, grant

from .conftest import Programs

pytestmark = pytest.mark.django_db

NUMBERS = ("+442079460110", "+442079460111", "+442079460112")


@pytest.fixture
def finished(contoso: Customer) -> Task:
    """A synchronisation of Contoso's numbers, one of which failed."""
    fields: dict[str, Any] = {"kind": "sync", "state": TaskState.PARTIAL, "finished_at": timezone.now()}
    task = TaskFactory(customer_ref=contoso.pk, total=3, done=3, succeeded=2, failed=1, ticket="INC1", **fields)
    for e164, state in zip(NUMBERS, (ItemState.SUCCEEDED, ItemState.SUCCEEDED, ItemState.FAILED), strict=True):
        job = {"ms_job_id": "job-1"}
        TaskItemFactory(
            task=task, key=e164, customer_ref=contoso.pk, state=state, code="x", message="Why", upstream_ids=job
        )
    return task


class TestLists:
    def test_tasks_the_newest_first_page_by_page(self, program: Programs) -> None:
        tasks = [TaskFactory().pk for _ in range(5)]
        client, found, url = program(), [], "v3/oc/tasks?pageSize=2"
        while url:
            page = client.get(url).json()
            found.append([one["id"] for one in page["data"]])
            url = (page["nextLink"] or "").partition("/api/")[2]
        newest = tasks[::-1]
        assert found == [newest[:2], newest[2:4], newest[4:]]

    @pytest.mark.parametrize(
        ("query", "there"),
        [
            ({"state": "alive"}, False),
            ({"state": "partial"}, True),
            ({"kind": "sync"}, True),
            ({"kind": "upload"}, False),
            ({"ticket": "INC1"}, True),
            ({"createdAfter": "2020-01-01T00:00:00Z"}, True),
            ({"createdBefore": "2020-01-01T00:00:00"}, False),
        ],
    )
    def test_filters(self, program: Programs, finished: Task, query: dict[str, str], there: bool) -> None:
        data = program().get("v3/oc/tasks", query).json()["data"]
        assert [one["id"] for one in data] == ([finished.pk] if there else [])

    @pytest.mark.parametrize("query", ["state=done", "pageSize=0", "pageSize=1001", "after=-1", "createdAfter=x"])
    def test_filters_that_cannot_be(self, program: Programs, query: str) -> None:
        assert program().get(f"v3/oc/tasks?{query}").status_code == 400

    def test_one(self, program: Programs, finished: Task) -> None:
        body = program().get(f"v3/oc/tasks/{finished.pk}").json()
        assert (body["state"], body["total"], body["succeeded"], body["failed"]) == ("partial", 3, 2, 1)
        assert body["correlationId"] == str(finished.uid)
        assert body["question"] is None

    def test_its_numbers(self, program: Programs, finished: Task) -> None:
        body = program().get(f"v3/oc/tasks/{finished.pk}/items", {"state": "failed"}).json()
        (item,) = body["data"]
        assert (item["telephoneNumber"], item["code"], item["message"]) == (NUMBERS[2], "x", "Why")
        assert item["upstreamIds"] == {"ms_job_id": "job-1"}
        assert body["nextLink"] is None

    def test_its_outcomes_as_csv(self, program: Programs, finished: Task) -> None:
        answer = program().get(f"v3/oc/tasks/{finished.pk}/outcomes.csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert len(b"".join(answer).splitlines()) == 4

    def test_of_a_task_of_many_customers_only_ones_own_numbers_are_counted(self, program: Programs) -> None:
        """It sees the task because it began it."""
        mine, theirs = CustomerFactory(), CustomerFactory()
        client = program(Role.OPERATOR, customer=mine)
        task = TaskFactory(actor_id=client.client.pk, total=2, done=2, succeeded=2)
        for customer, e164 in ((mine, NUMBERS[0]), (theirs, NUMBERS[1])):
            TaskItemFactory(task=task, key=e164, customer_ref=customer.pk, state=ItemState.SUCCEEDED)
        body = client.get(f"v3/oc/tasks/{task.pk}").json()
        assert (body["total"], body["done"], body["succeeded"]) == (None, 1, 1)
        items = client.get(f"v3/oc/tasks/{task.pk}/items").json()["data"]
        assert [one["telephoneNumber"] for one in items] == [NUMBERS[0]]


class TestChanges:
    def test_cancel(self, program: Programs, contoso: Customer) -> None:
        task = TaskFactory(kind="sync", customer_ref=contoso.pk)
        client = program(Role.OPERATOR, customer=contoso)
        body = client.post(f"v3/oc/tasks/{task.pk}/cancel").json()
        assert (body["id"], body["state"]) == (task.pk, "cancelling")
        again = client.post(f"v3/oc/tasks/{task.pk}/cancel")
        assert (again.status_code, again.json()["errorCode"]) == (409, "nothing_to_cancel")

    def test_retry(self, program: Programs, contoso: Customer, finished: Task) -> None:
        body = program(Role.OPERATOR, customer=contoso).post(f"v3/oc/tasks/{finished.pk}/retry").json()
        assert body["retryOf"] == finished.pk
        assert Task.objects.get(pk=body["id"]).params == {"numbers": [NUMBERS[2]]}

    def test_nothing_to_retry(self, program: Programs, finished: Task) -> None:
        finished.items.update(state=ItemState.SUCCEEDED)
        answer = program().post(f"v3/oc/tasks/{finished.pk}/retry")
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "nothing_to_retry")

    def test_answer(self, program: Programs) -> None:
        question = {"text": "Go on?", "choices": {"go_on": "Go on", "stop": "Stop"}}
        task = TaskFactory(kind="sync", state=TaskState.ASKING, question=question)
        client = program()
        assert client.get(f"v3/oc/tasks/{task.pk}").json()["question"] == question
        path = f"v3/oc/tasks/{task.pk}/answer"
        assert client.post(path, {"choice": "maybe"}).status_code == 400
        assert client.post(path, {"choice": "go_on"}).json()["state"] == "queued"
        again = client.post(path, {"choice": "go_on"})
        assert (again.status_code, again.json()["errorCode"]) == (409, "not_asking")

    @pytest.mark.parametrize("verb", ["cancel", "retry", "answer"])
    def test_who_may_see_and_not_change(self, program: Programs, contoso: Customer, verb: str) -> None:
        task = TaskFactory(kind="sync", customer_ref=contoso.pk)
        answer = program(Role.MONITOR, customer=contoso).post(f"v3/oc/tasks/{task.pk}/{verb}", {"choice": "x"})
        assert answer.status_code == 403
        assert "Synchronise" in answer.json()["detail"]
        assert Task.objects.get().state == TaskState.QUEUED


class TestSync:
    def test_everything(self, program: Programs) -> None:
        body = program(Role.OPERATOR).post("v3/oc/sync", {}).json()
        assert (body["kind"], body["state"]) == ("sync", "queued")
        assert Task.objects.get().params == {}

    def test_all_of_ones_own(self, program: Programs, contoso: Customer) -> None:
        CustomerFactory()
        program(Role.OPERATOR, customer=contoso).post("v3/oc/sync", {})
        assert Task.objects.get().params == {"customers": [contoso.pk]}

    def test_where_one_may_not(self, program: Programs, contoso: Customer) -> None:
        """The role for it is in another channel than the one that the request names."""
        client = program(Role.OPERATOR, customer=contoso)
        channel = ChannelFactory(ovoc_channel_id=7)
        grant(client.client, Role.MONITOR, channel=channel)
        client.http.defaults["HTTP_X_OVOC_CHANNEL_ID"] = "7"
        for query in ({}, {"dryRun": "true"}):
            answer = client.post("v3/oc/sync", {}, **query)
            assert (answer.status_code, answer.json()["errorCode"]) == (403, "forbidden")
        assert not Task.objects.exists()

    def test_a_tenant(self, program: Programs, contoso: Customer) -> None:
        body = program().post("v3/oc/sync", {"msTenantId": str(contoso.tenant_id)}).json()
        assert body["customerId"] == contoso.pk

    def test_some_numbers(self, program: Programs, contoso: Customer) -> None:
        PhoneNumberFactory(customer=contoso, e164=NUMBERS[0])
        program().post("v3/oc/sync", {"telephoneNumbers": [NUMBERS[0]] * 2})
        assert Task.objects.get().params == {"numbers": [NUMBERS[0]]}

    def test_two_never_run_at_once(self, program: Programs) -> None:
        client = program()
        first = client.post("v3/oc/sync", {}).json()["id"]
        answer = client.post("v3/oc/sync", {})
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "already_running")
        assert answer["Location"] == f"/api/v3/oc/tasks/{first}"

    @pytest.mark.parametrize("body", [{"telephoneNumbers": ["+442079460119"]}, {"telephoneNumbers": ["+44"] * 501}])
    def test_numbers_that_cannot_be(self, program: Programs, body: Any) -> None:
        assert program().post("v3/oc/sync", body).status_code == 400
        assert not Task.objects.exists()

    def test_numbers_of_another_customer(self, program: Programs, contoso: Customer) -> None:
        PhoneNumberFactory(e164=NUMBERS[0])
        answer = program(Role.ADMIN, customer=contoso).post("v3/oc/sync", {"telephoneNumbers": [NUMBERS[0]]})
        assert answer.status_code == 400
        assert json.loads(answer.content)["errorCode"] == "unknown_number"
