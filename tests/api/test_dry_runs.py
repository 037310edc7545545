"""?dryRun=true: the plan of everything that acts, after which nothing is different."""

from typing import Any

import pytest
from django.utils import timezone

from ocadmin.access.models import AuditEntry, KeyedRequest
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer, NumberImport, PhoneNumber
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import PhoneNumberFactory, TaskFactory, TaskItemFactory
from tests.numbers import passes

from .calls import CALLS, Call
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = NUMBERS = ("+442079460110", "+442079460111", "+442079460112")
ACTING = [one for one in CALLS if one.values[0].method != "get"]  # type: ignore[attr-defined]
WITHOUT = {
    # These plan by themselves: a file that is uploaded or checked changes no number, validating asks only.
    "/api/v3/oc/imports",
    "/api/v3/oc/imports/{importId}",
    "/api/v3/oc/imports/{importId}/check",
    "/api/v2/oc/numbers/action/number-status",
    "/api/v3/oc/numbers/action/number-status",
    # These change a record of the console's own, as the request says it.
    "/api/v3/oc/customers/{msTenantId}/action/hold-sync",
    "/api/v3/oc/customers/{msTenantId}/action/resume-sync",
    "/api/v3/oc/webhooks",
    "/api/v3/oc/webhooks/{webhookId}",
    "/api/v3/oc/webhooks/{webhookId}/enable",
    "/api/v3/oc/webhooks/{webhookId}/disable",
    "/api/v3/oc/webhooks/{webhookId}/secret",
    "/api/v3/oc/webhooks/{webhookId}/test",
    "/api/v3/oc/webhooks/{webhookId}/deliveries/{deliveryId}/again",
    "/api/v3/oc/sbcs",
    "/api/v3/oc/sbcs/{sbcId}",
    "/api/v3/oc/sbcs/{sbcId}/test",
    "/api/v3/oc/sbcs/{sbcId}/pin",
    "/api/v3/oc/sbcs/{sbcId}/hand-files",
    "/api/v3/oc/sbcs/{sbcId}/hand-files/{fileId}/confirm",
}


def state() -> list[Any]:
    """All that a dry run could leave behind."""
    models = (Task, PhoneNumber, NumberImport, KeyedRequest, AuditEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def dry(client: Program, path: str, body: Any = None) -> dict[str, Any]:
    """The plan; nothing has changed."""
    before = state()
    answer = client.post(path, body, dryRun="true")
    assert answer.status_code == 200, answer.content
    plan: dict[str, Any] = answer.json()
    assert list(plan) == ["operation", "begins", "total", "will", "leftAlone", "cautions"]
    assert state() == before
    return plan


def groups(plan: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["code"], one["count"]) for one in plan["leftAlone"]]


@pytest.mark.parametrize("call", ACTING)
def test_whatever_acts_can_be_tried(call: Call, program: Programs) -> None:
    """With a key as well: none is taken. Where no plan is made, nothing is done either."""
    assert call.takes("dryRun") != (call.path in WITHOUT)
    client = program()
    client.http.defaults["HTTP_IDEMPOTENCY_KEY"] = "once"
    before = state()
    answer = call.send(client.http, more={"dry_run": "yes" if call.takes("dryRun") else "yes?"})
    assert answer.status_code < 500
    if not call.takes("dryRun"):
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "no_dry_run")
    assert state() == before


@pytest.mark.parametrize("name", ["dry", "dryRunn", "Dry-Runs"])
def test_what_looks_like_a_dry_run_never_acts(program: Programs, name: str) -> None:
    client = program()
    before = state()
    problem = client.post("v3/oc/sync", {}, **{name: "true"})
    assert problem.status_code == 400
    assert f"There is no parameter “{name}”" in problem.json()["detail"]
    assert state() == before


@pytest.fixture
def task(contoso: Customer) -> Task:
    """A synchronisation of three numbers that is at work: one is done, one has begun, one waits."""
    task = TaskFactory(kind="sync", customer_ref=contoso.pk, total=3, done=1)
    states = (ItemState.SUCCEEDED, ItemState.RUNNING, ItemState.PENDING)
    for e164, outcome in zip(NUMBERS, states, strict=True):
        TaskItemFactory(task=task, key=e164, customer_ref=contoso.pk, state=outcome)
    return task


def ended(task: Task, **outcomes: Any) -> None:
    """All of its numbers have failed."""
    Task.objects.filter(pk=task.pk).update(state=TaskState.PARTIAL, finished_at=timezone.now())
    task.items.update(state=ItemState.FAILED)


class TestTasks:
    def test_cancelling(self, program: Programs, contoso: Customer, task: Task) -> None:
        client, path = program(Role.OPERATOR, customer=contoso), f"v3/oc/tasks/{task.pk}/cancel"
        plan = dry(client, path)
        assert (plan["operation"], plan["begins"], plan["total"]) == ("sync", True, 3)
        assert plan["will"] == {"count": 1, "sample": [THIRD]}
        assert groups(plan) == [("under_way", 1), ("done", 1)]
        assert client.post(path).json()["state"] == "cancelling"
        plan = dry(client, path)
        assert (plan["begins"], plan["will"]["count"]) == (False, 0)
        assert groups(plan)[0] == ("nothing_to_cancel", 1)

    def test_retrying(self, program: Programs, task: Task) -> None:
        client, path = program(), f"v3/oc/tasks/{task.pk}/retry"
        plan = dry(client, path)
        assert (plan["begins"], groups(plan)) == (False, [("task_alive", 0)])
        ended(task)
        TaskItemFactory(key=THIRD, state=ItemState.PENDING)
        plan = dry(client, path)
        assert (plan["begins"], plan["total"], plan["will"]) == (True, 3, {"count": 2, "sample": [FIRST, SECOND]})
        assert groups(plan) == [("busy", 1)]
        assert client.post(path).json()["retryOf"] == task.pk
        task.items.all().delete()
        plan = dry(client, path)
        assert (plan["begins"], groups(plan)) == (False, [("nothing_to_retry", 0)])

    def test_retrying_judges_as_a_retry_does(self, program: Programs, contoso: Customer, task: Task) -> None:
        """A number that is used by now cannot be released any more."""
        ended(task)
        Task.objects.update(kind="release", params={})
        task.items.filter(key=THIRD).delete()
        PhoneNumberFactory(customer=contoso, e164=FIRST, assignment_status="Unassigned")
        PhoneNumberFactory(customer=contoso, e164=SECOND, assignment_status="UserAssigned")
        plan = dry(program(), f"v3/oc/tasks/{task.pk}/retry")
        assert FIRST in plan["will"]["sample"]
        assert SECOND not in plan["will"]["sample"]
        assert [one["sample"] for one in plan["leftAlone"]] == [[SECOND]]

    def test_answering(self, program: Programs, task: Task) -> None:
        client, path = program(), f"v3/oc/tasks/{task.pk}/answer"
        plan = dry(client, path, {"choice": "go_on"})
        assert (plan["begins"], groups(plan)[0]) == (False, ("not_asking", 1))
        Task.objects.update(state=TaskState.ASKING, question={"text": "Go on?", "choices": {"go_on": "Go on"}})
        assert dry(client, path, {"choice": "go_on"})["begins"]
        assert client.post(path, {"choice": "burn"}, dryRun="true").json()["errorCode"] == "unknown_choice"

    def test_who_may_not_is_told_no_plan(self, program: Programs, contoso: Customer, task: Task) -> None:
        client = program(Role.MONITOR, customer=contoso)
        for verb in ("cancel", "retry", "answer"):
            assert client.post(f"v3/oc/tasks/{task.pk}/{verb}", {"choice": "x"}, dryRun="true").status_code == 403


class TestSync:
    def test_everything_in_reach(self, program: Programs, contoso: Customer) -> None:
        for e164 in NUMBERS[:2]:
            PhoneNumberFactory(customer=contoso, e164=e164)
        PhoneNumberFactory(e164=THIRD)
        TaskItemFactory(key=SECOND, state=ItemState.PENDING)
        plan = dry(program(Role.OPERATOR, customer=contoso), "v3/oc/sync", {})
        assert (plan["operation"], plan["begins"], plan["will"]) == ("sync", True, {"count": 1, "sample": [FIRST]})
        assert groups(plan) == [("busy", 1)]
        assert dry(program(), "v3/oc/sync", {})["total"] == 3
        assert dry(program(), "v3/oc/sync", {"telephoneNumbers": [THIRD]})["will"]["sample"] == [THIRD]

    def test_while_one_runs(self, program: Programs) -> None:
        client, number = program(), PhoneNumberFactory()
        client.post("v3/oc/sync", {})
        plan = dry(client, "v3/oc/sync", {})
        assert (plan["begins"], plan["will"]["count"], groups(plan)) == (False, 0, [("already_running", 1)])
        assert dry(client, "v3/oc/sync", {"telephoneNumbers": [number.e164]})["begins"]


def test_comparing(program: Programs) -> None:
    client, number = program(), PhoneNumberFactory()
    plan = dry(client, "v3/oc/drift/run")
    assert (plan["begins"], plan["will"]["sample"]) == (True, [number.e164])
    client.post("v3/oc/drift/run")
    assert groups(dry(client, "v3/oc/drift/run")) == [("already_running", 1)]


class TestImport:
    @pytest.fixture
    def client(self, program: Programs) -> Program:
        return program()

    @pytest.fixture
    def path(self, client: Program, contoso: Customer) -> str:
        """A checked file of three rows: one changes a number, one is as it is, one is refused."""
        for e164, note in ((FIRST, ""), (SECOND, "Desk")):
            PhoneNumberFactory(customer=contoso, e164=e164, note=note)
        content = f"telephoneNumber,note\r\n{FIRST},Reception\r\n{SECOND},Desk\r\n{THIRD},x\r\n".encode()
        batch = client.http.post("/api/v3/oc/imports?mode=update&fileName=n.csv", content, "text/csv").json()
        passes.finish(Task.objects.get(pk=batch["checkTaskId"]))
        return f"v3/oc/imports/{batch['id']}/confirm"

    def test_confirming(self, client: Program, path: str) -> None:
        plan = dry(client, path, {})
        assert (plan["operation"], plan["begins"], plan["total"]) == ("import", True, 3)
        assert plan["will"] == {"count": 1, "sample": [FIRST]}
        assert groups(plan) == [("refused", 1), ("unchanged", 1)]
        assert client.post(path, {}).json()["state"] == "submitted"

    def test_what_keeps_it_from_beginning(self, client: Program, path: str) -> None:
        plan = dry(client, path, {"whole": True})
        assert (plan["begins"], plan["will"]["count"], groups(plan)[0]) == (False, 0, ("not_ready", 1))

    def test_what_has_changed_since(self, client: Program, path: str) -> None:
        PhoneNumber.objects.filter(e164=FIRST).update(modified_at=timezone.now())
        assert [(one["code"], one["count"]) for one in dry(client, path, {})["cautions"]] == [("changed_meanwhile", 1)]


def test_a_key_is_free_after_a_dry_run(program: Programs, contoso: Customer) -> None:
    """In both orders."""
    number = PhoneNumberFactory(customer=contoso, e164=FIRST, assignment_status="Unassigned")
    client, path = program(), "v3/oc/numbers/action/release"
    client.http.defaults["HTTP_IDEMPOTENCY_KEY"] = "INC1"
    tenant = {"msTenantId": str(contoso.tenant_id)}
    assert client.post(path, [number.e164], dry_run="1", **tenant).json()["begins"]
    assert client.post(path, [number.e164], dryRun="off", **tenant).json()["id"]
    assert not client.post(path, [number.e164], DryRun="true", **tenant).json()["begins"]
