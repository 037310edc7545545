"""Endpoints of the REST interface about tasks: what runs, what became of each number; cancel, retry, answer.

The contract's own `task/{id}` is another one (numbers/api): it speaks of a task as the reference does.
"""

import datetime
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Schema
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.paging import HIGHEST_ID, KeysetPage, KeysetParams, page_of
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, Moment, OwnBody, Params, answers, csv_answer, csv_content, json_answer

from . import dry_runs, monitor, outcomes_csv, services
from .api_plans import Planned, hindered
from .models import ItemState, Task, TaskItem, TaskState
from .rights import lacking

router = Router(tags=["tasks"])
ALIVE = "alive"
Result = TypeVar("Result")
TaskWord = StrEnum("TaskWord", [(ALIVE, ALIVE), *((state, state) for state in TaskState.values)])  # type: ignore[misc]


class Question(Schema):
    """What a person or program has to decide: `choices` are the answers that it takes, with their meaning."""

    text: str
    choices: dict[str, str]


class TaskRecord(Schema):
    """A task. Its counters are those of the numbers that the client may see."""

    id: int
    correlationId: uuid.UUID
    kind: str
    title: str
    state: TaskState
    step: str
    message: str
    errorCode: str
    question: Question | None
    total: int | None
    done: int
    succeeded: int
    unchanged: int
    refused: int
    failed: int
    startedBy: str
    through: str
    ticket: str
    customerId: int | None
    retryOf: int | None
    followingTasks: list[int]
    createdAt: datetime.datetime
    startedAt: datetime.datetime | None
    finishedAt: datetime.datetime | None


class ItemRecord(Schema):
    """What became of one number in a task. `upstreamIds`: the ids under which Microsoft knows it."""

    id: int
    telephoneNumber: str
    state: ItemState
    code: str
    message: str
    upstreamIds: dict[str, Any]
    attempts: int
    customerId: int | None
    changedAt: datetime.datetime


class WhichTasks(KeysetParams):
    """Which tasks."""

    state: TaskWord | None = Field(None, description="One state, or alive for all that have not finished.")
    kind: str = Field("", max_length=32, description="Such as upload, release, sync.")
    startedBy: str = Field("", max_length=150, description="A part of the name of who started it.")
    ticket: str = Field("", max_length=64, description="The ticket, exactly.")
    createdAfter: Moment | None = Field(None, description="Created then or later.")
    createdBefore: Moment | None = Field(None, description="Created before then.")


class WhichItems(KeysetParams):
    """Which numbers of the task."""

    state: ItemState | None = Field(None, description="Those with this outcome.")
    code: str = Field("", max_length=64, description="Those with this code.")


class WhichOutcome(Params):
    """Which numbers of the task."""

    state: ItemState | None = Field(None, description="Those with this outcome.")


class Choice(OwnBody):
    """The answer to a task's question."""

    choice: str = Field(description="One of the choices of its question.", max_length=64, examples=["go_on"])


TaskId = Path(ge=1, le=HIGHEST_ID, description="The task.")


@router.get("/v3/oc/tasks", auth=may(Permission.VIEW), response=answers(KeysetPage[TaskRecord]), summary="List tasks")
def list_tasks(request: HttpRequest, asked: Query[WhichTasks]) -> HttpResponse:
    """Tasks of the client's customers and those it started, the newest first."""
    principal = principal_behind(request)
    tasks = Task.objects.visible_to(principal).defer("params", "cursor")
    if asked.state:
        tasks = tasks.alive() if asked.state == ALIVE else tasks.filter(state=asked.state)
    wanted = {
        "kind": asked.kind,
        "actor_name__icontains": asked.startedBy,
        "ticket": asked.ticket,
        "created_at__gte": asked.createdAfter,
        "created_at__lt": asked.createdBefore,
    }
    tasks = tasks.filter(**{name: value for name, value in wanted.items() if value})
    rows, link = page_of(request, asked, tasks, newest_first=True)
    data = _records(rows, principal)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": data})


@router.get("/v3/oc/tasks/{taskId}", auth=may(Permission.VIEW), response=answers(TaskRecord), summary="Get a task")
def get_task(request: HttpRequest, taskId: int = TaskId) -> HttpResponse:
    """How far it is, how it ended, and what it asks. Ask again every few seconds until it has finished."""
    return told(_task(request, taskId), principal_behind(request))


@router.get(
    "/v3/oc/tasks/{taskId}/items",
    auth=may(Permission.VIEW),
    response=answers(KeysetPage[ItemRecord]),
    summary="List the numbers of a task",
)
def list_task_items(request: HttpRequest, asked: Query[WhichItems], taskId: int = TaskId) -> HttpResponse:
    """What became of each number: outcome, code, sentence, Microsoft's ids. As far as the client may see them."""
    items = monitor.visible_items(_task(request, taskId), principal_behind(request))
    wanted = {"state": asked.state, "code": asked.code}
    items = items.filter(**{name: value for name, value in wanted.items() if value})
    rows, link = page_of(request, asked, items)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [_item(row) for row in rows]})


@router.get(
    "/v3/oc/tasks/{taskId}/outcomes.csv",
    auth=may(Permission.VIEW),
    response=answers(str),
    summary="Download the outcomes of a task",
    openapi_extra=csv_content(),
)
def download_outcomes(request: HttpRequest, asked: Query[WhichOutcome], taskId: int = TaskId) -> StreamingHttpResponse:
    """What became of each number, as CSV."""
    items = monitor.visible_items(_task(request, taskId), principal_behind(request)).order_by("pk")
    if asked.state:
        items = items.filter(state=asked.state)
    return csv_answer(outcomes_csv.lines(items), f"task-{taskId}-{asked.state or 'outcomes'}.csv")


@router.post(
    "/v3/oc/tasks/{taskId}/cancel",
    auth=may(Permission.VIEW),
    response=answers(TaskRecord | Planned, 409),
    summary="Cancel a task",
)
def cancel_task(request: HttpRequest, asked: Query[DryRun], taskId: int = TaskId) -> HttpResponse:
    """Ask it to stop after the chunk it is working on. What Microsoft is doing already is followed to its end.

    It takes the permission of what the task does. 409: it has finished, or is being cancelled.
    """
    task, by = _changeable(request, taskId), principal_behind(request)
    refusal = Problem(409, "nothing_to_cancel", _("The task has finished, or is being cancelled already."))
    if asked.dryRun:
        idle = not task.alive or task.state == TaskState.CANCELLING
        return hindered(task.kind, dry_runs.of_rest(task, by), refusal if idle else None)
    if not services.cancel(Task.objects.filter(pk=task.pk), by=by, channel=Channel.API):
        raise refusal
    return told(_task(request, taskId), by)


@router.post(
    "/v3/oc/tasks/{taskId}/retry",
    auth=may(Permission.VIEW),
    response=answers(TaskRecord | Planned, 409),
    summary="Retry the failed numbers of a task",
)
def retry_task(request: HttpRequest, asked: Query[DryRun], taskId: int = TaskId) -> HttpResponse:
    """Answers a new task for the numbers that failed. It takes the permission of what the task does.

    409: it is still at work, no number has failed, or the same is running already.
    """
    task, by = _changeable(request, taskId), principal_behind(request)
    if not asked.dryRun:
        return told(_task(request, _retried(task, services.retry_failed, by).pk), by)
    try:
        plan = _retried(task, dry_runs.of_retry, by)
    except Problem as problem:
        return hindered(task.kind, dry_runs.of_failed(task), problem)
    return hindered(task.kind, plan, None)


def _retried(task: Task, retry: Callable[..., Result], by: Principal) -> Result:
    """What `retry` makes of a finished task. Raises Problem 409."""
    if task.alive:
        raise Problem(409, "task_alive", _("This task is still running. Retry when it has finished."))
    try:
        return retry(task, by=by, channel=Channel.API)
    except services.NothingToRetry:
        raise Problem(409, "nothing_to_retry", _("No number of this task has failed.")) from None
    except services.AlreadyRunning as running:
        raise already_running(running) from None


@router.post(
    "/v3/oc/tasks/{taskId}/answer",
    auth=may(Permission.VIEW),
    response=answers(TaskRecord | Planned, 409),
    summary="Answer the question of a task",
)
def answer_task(request: HttpRequest, asked: Query[DryRun], body: Choice, taskId: int = TaskId) -> HttpResponse:
    """A task in the state asking goes on with one of the choices of its question.

    It takes the permission of what the task does. 409: it does not ask (any more).
    """
    task, by = _changeable(request, taskId), principal_behind(request)
    refusal = Problem(409, "not_asking", _("This task does not ask, or no longer: somebody else has decided."))
    if asked.dryRun and task.state != TaskState.ASKING:
        return hindered(task.kind, dry_runs.of_rest(task, by), refusal)
    unknown = Problem(400, "unknown_choice", _("That is not one of the answers this task accepts."))
    if asked.dryRun:
        if body.choice not in task.question.get("choices", {}):
            raise unknown
        return hindered(task.kind, dry_runs.of_rest(task, by), None)
    try:
        taken = services.answer(task, body.choice, by=by, channel=Channel.API)
    except ValueError:
        raise unknown from None
    if not taken:
        raise refusal
    return told(_task(request, taskId), by)


def told(task: Task, principal: Principal) -> HttpResponse:
    """The answer that is one task."""
    return json_answer(_records([task], principal)[0])


def already_running(running: services.AlreadyRunning) -> Problem:
    """409 that says which task it is: `taskId`, and as Location."""
    place = f"/api/v3/oc/tasks/{running.task.pk}"
    return Problem(409, "already_running", str(running), headers={"Location": place})


def _task(request: HttpRequest, pk: int) -> Task:
    """The task, if the client may see it. Raises Problem 404."""
    task = Task.objects.visible_to(principal_behind(request)).filter(pk=pk).first()
    if task is None:
        raise Problem(404, "task_not_found", _("There is no task %d.") % pk)
    return task


def _changeable(request: HttpRequest, pk: int) -> Task:
    """The task, if the client may change it. Raises Problem 404 where it may not see it, 403 where only that."""
    task = _task(request, pk)
    if reason := lacking(task, principal_behind(request)):
        raise Problem(403, "forbidden", reason)
    return task


def _records(tasks: list[Task], principal: Principal) -> list[dict[str, Any]]:
    """Tasks as the interface shows them. One query more for each that the client sees in part only."""
    return [_record(task, _counters(task, principal)) for task in tasks]


def _counters(task: Task, principal: Principal) -> dict[str, int]:
    """The task's counters, or those of the numbers that the client may see."""
    counts = {} if monitor.sees_all(task, principal) else monitor.count_states(monitor.visible_items(task, principal))
    return {state: n for state, _label, n in monitor.counters(task, principal, counts)}


def _record(task: Task, counters: dict[str, int]) -> dict[str, Any]:
    whole = counters == {state: getattr(task, state) for state in counters}
    return {
        "id": task.pk,
        "correlationId": task.uid,
        "kind": task.kind,
        "title": task.title,
        "state": task.state,
        "step": task.step,
        "message": task.message,
        "errorCode": task.error_code,
        "question": task.question or None,
        "total": task.total if whole else None,
        "done": task.done if whole else sum(counters.values()),
        **counters,
        "startedBy": task.actor_name,
        "through": task.channel,
        "ticket": task.ticket,
        "customerId": task.customer_ref,
        "retryOf": task.retry_of_id,
        "followingTasks": task.result.get(monitor.NEXT_TASKS, []),
        "createdAt": task.created_at,
        "startedAt": task.started_at,
        "finishedAt": task.finished_at,
    }


def _item(item: TaskItem) -> dict[str, Any]:
    return {
        "id": item.pk,
        "telephoneNumber": item.key,
        "state": item.state,
        "code": item.code,
        "message": item.message,
        "upstreamIds": item.upstream_ids,
        "attempts": item.attempts,
        "customerId": item.customer_ref,
        "changedAt": item.updated_at,
    }
