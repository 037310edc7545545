"""What the tests of actions share."""

from typing import Any

from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import Task
from tests.numbers.world import World

TENANT = "msTenantId"


def task_of(answer: Any) -> Task:
    """The task that an answer speaks of."""
    assert answer.status_code == 200, answer.content
    name = answer.json()["jobId"]
    assert answer.json()["id"] == name
    assert answer.headers["Location"] == f"/api/v2/task/{name}"
    assert name.startswith("tsk_msjob_")
    return Task.objects.get(uid=name.removeprefix("tsk_msjob_"))


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """A problem with this status and code, after which no task exists; its body."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["errorCode"]) == (status, status, code), body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Task.objects.exists()
    return body


def e164s(numbers: list[PhoneNumber]) -> list[str]:
    """Their numbers."""
    return [number.e164 for number in numbers]


def of(world: World) -> dict[str, str]:
    """The tenant of the world's customer, for the address."""
    return {TENANT: str(world.customer.tenant_id)}
