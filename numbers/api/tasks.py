"""What became of an action: GET /api/v2/task/{id}. Source: live-platform.md, 3.12.

Of a task that a client sees in part only, for example because it has lost a role since, the part is told: the counters
of the numbers in its scope, the reasons of these, Microsoft's jobs for their customers.
`status` has the reference's words, as far as they are known; `state` has ours. Its scripts wait while it is
"In Progress".
"""

import datetime
import re
import uuid
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import answers, json_answer, reads
from ocadmin.tasks import monitor
from ocadmin.tasks.models import ItemState, Task, TaskItemQuerySet, TaskState

from ..models import Customer, UpstreamJob
from .acting import IN_PROGRESS, task_id

router = Router(tags=["tasks"])

SUCCESS, WITH_ERRORS, FAILED, CANCELLED = "CompletedSuccess", "CompletedWithErrors", "Failed", "Cancelled"
MOST_MESSAGES = 100
_ENDED = {TaskState.PARTIAL: WITH_ERRORS, TaskState.FAILED: FAILED, TaskState.CANCELLED: CANCELLED}
_RESULT = {SUCCESS: "Success", WITH_ERRORS: "PartialSuccess", IN_PROGRESS: "InProgress"}
_UUID = re.compile(r"(?:[a-z]{1,10}_){0,3}([0-9a-fA-F-]{32,36})")
_LEVEL = {ItemState.REFUSED: "Warning", ItemState.FAILED: "Error", ItemState.CANCELLED: "Warning"}


class ExecutionMessage(Schema):
    """`level`: Information, Warning or Error."""

    level: str
    message: str


class TaskStatus(Schema):
    """A task. `status`: In Progress, CompletedSuccess, CompletedWithErrors, Failed or Cancelled."""

    id: str
    status: str
    details: list[str]
    executionMessages: list[ExecutionMessage]
    outputData: dict[str, Any]
    createTime: datetime.datetime
    totalNumbersCount: int
    kind: str
    state: str
    succeededNumbersCount: int
    unchangedNumbersCount: int
    refusedNumbersCount: int
    failedNumbersCount: int


@reads(
    router,
    "/v3/task/{taskid}",
    "/v2/task/{taskid}",
    auth=may(Permission.VIEW),
    response=answers(TaskStatus),
    summary="Task",
)
def get_task(request: HttpRequest, taskid: str) -> HttpResponse:
    """How far an action is and what became of it: by the id that it answered, its bare UUID, or our number."""
    by = principal_behind(request)
    task = _named(taskid, Task.objects.visible_to(by))
    if task is None:
        raise Problem(404, "task_not_found", _("There is no task %s.") % taskid[:60])
    status, counts = status_of(task), _counters(task, by)
    return json_answer(
        {
            "id": task_id(task),
            "status": status,
            "details": [text for text in (task.title, task.step if task.alive else "") if text],
            "executionMessages": _messages(task, by),
            "outputData": _output(task, status, by, counts["succeeded"]),
            "createTime": task.created_at,
            "totalNumbersCount": counts["total"],
            "kind": task.kind,
            "state": task.state,
            "succeededNumbersCount": counts["succeeded"],
            "unchangedNumbersCount": counts["unchanged"],
            "refusedNumbersCount": counts["refused"],
            "failedNumbersCount": counts["failed"],
        }
    )


def _named(text: str, tasks: QuerySet[Task]) -> Task | None:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return tasks.filter(pk=int(text)).first()
    found = _UUID.fullmatch(text)
    try:
        return tasks.filter(uid=uuid.UUID(found[1])).first() if found else None
    except ValueError:
        return None


def status_of(task: Task) -> str:
    """The word for where a task stands. One that was begun although numbers of it were refused has errors."""
    if task.alive:
        return IN_PROGRESS
    return _ENDED.get(TaskState(task.state)) or (WITH_ERRORS if task.refused else SUCCESS)


def _messages(task: Task, by: Principal) -> list[dict[str, str]]:
    """What the task says of itself, then each reason why numbers were not changed, with how many and the first."""
    level = (
        "Error" if task.state == TaskState.FAILED else "Warning" if task.state == TaskState.ASKING else "Information"
    )
    said = [{"level": level, "message": task.message}] if task.message else []
    left = _items(task, by).filter(state__in=sorted(_LEVEL)).order_by().values_list("state", "message")
    groups = left.annotate(n=Count("pk"), first=Min("key")).order_by("state", "-n", "message")[:MOST_MESSAGES]
    for state, message, count, first in groups:
        named = first if count == 1 else _("%(first)s and %(n)d more") % {"first": first, "n": count - 1}
        said.append({"level": _LEVEL[ItemState(state)], "message": f"{named}: {message or ItemState(state).label}"})
    return said


def _items(task: Task, by: Principal) -> TaskItemQuerySet:
    """The numbers that the client may see, and of its own task also what it named that is nobody's."""
    visible = monitor.visible_items(task, by)
    own = by.user_id is not None and task.actor_id == by.user_id
    return visible | task.items.filter(customer_ref=None, channel_ref=None) if own else visible


def _counters(task: Task, by: Principal) -> dict[str, int]:
    """The task's own where all of it is the client's to see, else those of its part."""
    if monitor.sees_all(task, by):
        return {"total": task.total or 0} | {state.value: getattr(task, state.value) for state in monitor.COUNTERS}
    counts = monitor.count_states(_items(task, by))
    return {"total": sum(counts.values())} | {state.value: counts.get(state.value, 0) for state in monitor.COUNTERS}


def _output(task: Task, status: str, by: Principal, succeeded: int) -> dict[str, Any]:
    """What the reference documents for the kind. Of several jobs at Microsoft the first one is told."""
    jobs = UpstreamJob.objects.filter(task=task, customer__in=Customer.objects.visible_to(by))
    job = jobs.select_related("customer").order_by("pk").first()
    result = _RESULT.get(status, status)
    if task.kind == "upload":
        return {
            "CreateTime": task.created_at,
            "CompleteTime": task.finished_at,
            "OcUploadNumberResult": result,
            "NumbersUploaded": succeeded,
            "WorkflowVersion": 3,
            "MsUploadJobId": job and job.ms_job_id,
        }
    if task.kind == "release":
        return {
            "MsReleaseJobId": job and job.ms_job_id,
            "MsTenantId": job and job.customer.tenant_id,
            "MsReleaseJobStatus": job and job.status,
            "UmpReleaseJobStatus": result,
            "MsReleaseJobCreatedAt": job and (job.sent_at or job.created_at),
        }
    return {}
