"""What customers have deleted: approve that, or clear the mark; how much of it there is. live-platform.md, 3.9."""

from typing import Annotated, ClassVar

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.limits import PerClient
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, json_answer
from ocadmin.tasks import services
from ocadmin.tasks.api_plans import Planned
from ocadmin.tasks.models import ItemState, Task

from ..lifecycle import Status
from ..operations import ON_NUMBERS
from ..selecting import UNKNOWN
from .acting import Acting, action, check, listing, planned, refusal, task_id
from .lists import Asked, Tenant, chosen
from .naming import NumberList, NumbersOrList, of_anybody

router = Router(tags=["removal"])

MOST = 500
_LIMIT = PerClient("removal", 300, 60)
_ALREADY = ("already",)


class Decided(NumbersOrList):
    """1 to 500 numbers, of whichever customers, ranges written out."""

    most: ClassVar[int] = MOST
    telephoneNumbers: Annotated[NumberList, Field(max_length=MOST)] = []


class NotDecided(Schema):
    """A number that was left alone."""

    telephoneNumber: str
    code: str
    message: str


class Counts(Schema):
    """`processedCount`: all that were looked at; `successCount`: those that were moved; `errors`: all the others."""

    processedCount: int
    successCount: int
    taskId: str
    errors: list[NotDecided]


class Decision(Schema):
    """`status`: success, partial, failed, or inProgress (then with 202); `succeeded`: whether all were moved."""

    data: Counts
    status: str
    succeeded: bool
    message: str


@action(
    router,
    "/v3/oc/numbers/action/ready-for-removal",
    "/v3/oc/action/ready-for-removal",
    permission=Permission.APPROVE_REMOVAL,
    answer=Decision | Planned,
    later=Decision,
    throttle=_LIMIT,
    summary="Approve removals",
)
@once.outside  # the task is waited for, and may ask Microsoft
def ready_for_removal(request: HttpRequest, asked: Query[Acting], body: Decided) -> HttpResponse:
    """Marked for removal becomes ready for removal: the numbers leave as soon as Microsoft no longer has them."""
    return _decide(request, "approve-removal", asked, body)


@action(
    router,
    "/v3/oc/action/clear-removal-status",
    "/v3/oc/numbers/action/clear-removal-status",
    permission=Permission.APPROVE_REMOVAL,
    answer=Decision | Planned,
    later=Decision,
    throttle=_LIMIT,
    summary="Clear removal marks",
)
@once.outside  # the task is waited for, and may ask Microsoft
def clear_removal_status(request: HttpRequest, asked: Query[Acting], body: Decided) -> HttpResponse:
    """Marked for removal becomes active: the numbers stay."""
    return _decide(request, "clear-removal", asked, body)


def _decide(request: HttpRequest, kind: str, asked: Acting, body: Decided) -> HttpResponse:
    """Decide now: what is answered has happened. Numbers that cannot be decided upon do not hold up the others."""
    by, operation = principal_behind(request), ON_NUMBERS[kind]
    named = of_anybody(body, by, MOST)
    if misspelt := [one for one in named.strangers if one.code != UNKNOWN]:
        first = misspelt[0]
        errors = [refusal(one.key, one.code, str(one.sentence)) for one in misspelt]
        raise Problem(400, first.code, f"{first.key}: {first.sentence}", more={"errors": errors})
    partly = asked.model_copy(update={"allowPartial": True})
    plan = operation.plan(named.numbers, {}, by, named.strangers)
    if asked.dryRun:
        return planned(kind, plan, partly, named.strangers, _ALREADY)
    check(plan, partly, named.strangers, listing(operation, named.numbers, {}, by, plan), _ALREADY)
    task = operation.submit(
        named.numbers,
        {"comment": asked.comment},
        title=operation.title(plan.will),
        by=by,
        channel=Channel.API,
        ticket=asked.ticketId,
        strangers=named.strangers,
    )
    return _answer(services.finish(task))


def _answer(task: Task) -> HttpResponse:
    """How it ended, or honestly that it has not."""
    left = task.items.exclude(state=ItemState.SUCCEEDED).order_by("pk").values_list("key", "code", "message", "state")
    total = task.total or 0
    done = task.succeeded == total
    status = "inProgress" if task.alive else "success" if done else "partial" if task.succeeded else "failed"
    message = task.message
    if task.alive:
        words = {"n": total - task.done, "task": task_id(task), "why": task.message}
        message = _("%(n)d numbers are not decided yet; the task %(task)s goes on. %(why)s") % words
    waiting = _("Not decided yet.")
    errors = [
        refusal(key, code or state, text or waiting if state in (ItemState.PENDING, ItemState.RUNNING) else text)
        for key, code, text, state in left
    ]
    data = {
        "processedCount": task.done,
        "successCount": task.succeeded,
        "taskId": task_id(task),
        "errors": errors,
    }
    answer = json_answer({"data": data, "status": status, "succeeded": done, "message": message.strip()})
    answer.status_code = 202 if task.alive else 200
    return answer


class RemovalSummary(Schema):
    """How many numbers wait for a decision, how many are approved, and both together."""

    markedForRemovalCount: int
    readyForRemovalCount: int
    totalCount: int


class WhoseSummary(Params):
    """One customer, or all."""

    msTenantId: Tenant = None


@router.get(
    "/v3/oc/numbers/removal-status/summary",
    auth=may(Permission.VIEW),
    response=answers(RemovalSummary),
    summary="Count numbers that are about to leave",
)
def removal_summary(request: HttpRequest, asked: Query[WhoseSummary]) -> HttpResponse:
    """Of one customer, or of all that the client sees."""
    numbers = chosen(principal_behind(request), Asked(msTenantId=asked.msTenantId))
    counts = numbers.aggregate(
        marked=Count("pk", filter=Q(status=Status.MARKED_FOR_REMOVAL)),
        ready=Count("pk", filter=Q(status=Status.READY_FOR_REMOVAL)),
    )
    marked, ready = counts["marked"], counts["ready"]
    return json_answer({"markedForRemovalCount": marked, "readyForRemovalCount": ready, "totalCount": marked + ready})
