"""GET /api/v2|v3/task/{id}."""

import uuid

import pytest
from django.utils import timezone

from ocadmin.access.permissions import Role
from ocadmin.numbers.models import UpstreamJob
from ocadmin.tasks.models import ALIVE, ItemState, Task, TaskState
from tests.factories import CustomerFactory, TaskFactory, TaskItemFactory

from .conftest import Programs

pytestmark = pytest.mark.django_db

STATES = {
    TaskState.QUEUED: "In Progress",
    TaskState.RUNNING: "In Progress",
    TaskState.WAITING: "In Progress",
    TaskState.ASKING: "In Progress",
    TaskState.CANCELLING: "In Progress",
    TaskState.SUCCEEDED: "CompletedSuccess",
    TaskState.PARTIAL: "CompletedWithErrors",
    TaskState.FAILED: "Failed",
    TaskState.CANCELLED: "Cancelled",
}


def test_every_state_has_a_word(program: Programs) -> None:
    caller = program()
    assert set(STATES) == set(TaskState)
    for state, word in STATES.items():
        task = TaskFactory(state=state, kind="sync", finished_at=None if state in ALIVE else timezone.now())
        answer = caller.get(f"v2/task/tsk_msjob_{task.uid}").json()
        assert (answer["status"], answer["state"], answer["kind"]) == (word, state, "sync")
    assert caller.get(
        f"v3/task/{TaskFactory(state=TaskState.SUCCEEDED, refused=1, finished_at=timezone.now()).pk}"
    ).json()["status"] == ("CompletedWithErrors")


def test_by_each_form_of_its_id(program: Programs) -> None:
    task = TaskFactory(total=7)
    caller = program()
    for name in (f"tsk_msjob_{task.uid}", f"wst_{task.uid}", task.uid, task.uid.hex, str(task.uid).upper(), task.pk):
        answer = caller.get(f"v2/task/{name}")
        assert answer.status_code == 200, name
        assert answer.json()["id"] == f"tsk_msjob_{task.uid}"
        assert answer.json()["totalNumbersCount"] == 7
    for name in (uuid.uuid4(), task.pk + 1, "9" * 30, "x", f"tsk_msjob_{'-' * 36}", "%00", "²"):
        answer = caller.get(f"v2/task/{name}")
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "task_not_found"), name


def test_a_release_tells_of_microsofts_job_and_of_what_was_left(program: Programs) -> None:
    customer = CustomerFactory()
    task = TaskFactory(
        kind="release",
        state=TaskState.PARTIAL,
        finished_at=timezone.now(),
        total=4,
        succeeded=1,
        failed=3,
        message="1 number released.",
        customer_ref=customer.pk,
    )
    job = UpstreamJob.objects.create(
        kind="releases", customer=customer, task=task, ms_job_id=uuid.uuid4(), status="PartialSuccess"
    )
    for place in range(3):
        TaskItemFactory(
            task=task,
            key=f"+44207946070{place}",
            state=ItemState.FAILED,
            message="It is assigned.",
            customer_ref=customer.pk,
        )
    answer = program(Role.MONITOR, customer=customer).get(f"v2/task/{task.uid}").json()
    assert answer["outputData"] == {
        "MsReleaseJobId": str(job.ms_job_id),
        "MsTenantId": str(customer.tenant_id),
        "MsReleaseJobStatus": "PartialSuccess",
        "UmpReleaseJobStatus": "PartialSuccess",
        "MsReleaseJobCreatedAt": job.created_at.isoformat(),
    }
    assert answer["executionMessages"] == [
        {"level": "Information", "message": "1 number released."},
        {"level": "Error", "message": "+442079460700 and 2 more: It is assigned."},
    ]
    assert (answer["succeededNumbersCount"], answer["failedNumbersCount"]) == (1, 3)


def test_a_task_out_of_reach_does_not_exist(program: Programs) -> None:
    task = TaskFactory(customer_ref=CustomerFactory().pk)
    stranger = program(Role.ADMIN, customer=CustomerFactory())
    assert stranger.get(f"v2/task/tsk_msjob_{task.uid}").status_code == 404
    Task.objects.filter(pk=task.pk).update(actor=stranger.client.pk)
    assert stranger.get(f"v2/task/tsk_msjob_{task.uid}").status_code == 200


def test_of_a_task_that_is_seen_in_part_the_part_is_told(program: Programs) -> None:
    """It released numbers of two customers and has lost the role for one of them since."""
    ours, theirs = CustomerFactory(), CustomerFactory()
    caller = program(Role.OPERATOR, customer=ours)
    task = TaskFactory(
        kind="release",
        actor_id=caller.client.pk,
        state=TaskState.PARTIAL,
        finished_at=timezone.now(),
        total=4,
        failed=4,
    )
    for number, owner in (("+442079460700", theirs), ("+442079460701", theirs), ("+442079460702", ours)):
        TaskItemFactory(task=task, key=number, state=ItemState.FAILED, message="Assigned.", customer_ref=owner.pk)
    TaskItemFactory(task=task, key="+442079460799", state=ItemState.REFUSED, message="Not here.")
    for owner in (theirs, ours):
        UpstreamJob.objects.create(kind="releases", customer=owner, task=task, ms_job_id=uuid.uuid4(), status="Failed")
    answer = caller.get(f"v2/task/{task.uid}")
    assert (answer.json()["totalNumbersCount"], answer.json()["failedNumbersCount"]) == (2, 1)
    assert answer.json()["outputData"]["MsTenantId"] == str(ours.tenant_id)
    said = [one["message"] for one in answer.json()["executionMessages"]]
    assert said == ["+442079460702: Assigned.", "+442079460799: Not here."]
    for secret in ("+442079460700", "+442079460701", str(theirs.tenant_id)):
        assert secret not in answer.text
