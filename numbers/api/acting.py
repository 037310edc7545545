"""What endpoints that change numbers share: the dry run, what is refused, and the answer with the task.

The same for all of them: a request is checked as a whole, and begins nothing if one number of it would be refused;
`?allowPartial=true` does what can be done; `?dryRun=true` answers the plan and begins nothing. Source:
live-platform.md, 3.5 to 3.7.
"""

import math
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, answers, json_answer
from ocadmin.tasks.api_plans import Planned, told
from ocadmin.tasks.models import ItemState, Task
from ocadmin.tasks.plans import Group, Plan

from ..microsoft.errors import MicrosoftError
from ..models import PhoneNumber
from ..operations.base import NumberOperation
from ..operations.plan import Stranger
from .naming import Chosen, Text

TASK_PREFIX = "tsk_msjob_"  # what the reference's ids of such tasks begin with
IN_PROGRESS = "In Progress"
NAMED = 1_000  # refused numbers that a problem lists
NAMED_IN_SENTENCE = 3

Refusals = list[dict[str, str]]
View = Callable[..., HttpResponse]


class Acting(DryRun):
    """What every action on numbers takes in the address."""

    allowPartial: bool = Field(False, description="Do what can be done, even if some numbers are refused.")
    ticketId: Annotated[Text, Field(max_length=64, description="Kept with the task and in the audit trail.")] = ""
    comment: Annotated[Text, Field(max_length=500, description="Why; kept in the numbers' history.")] = ""


class OfTenant(Acting):
    """The same for one customer."""

    msTenantId: uuid.UUID = Field(description="The customer's tenant ID.")


class Accepted(Schema):
    """An action has begun. `id` is for GET /api/v2/task/{id}; `jobId` is the same."""

    id: str
    jobId: str
    status: str
    totalNumbersCount: int


def action(
    router: Router,
    *paths: str,
    permission: Permission,
    answer: Any = None,
    later: Any = None,
    upstream: bool = False,
    method: str = "POST",
    **more: Any,
) -> Callable[[View], View]:
    """Let a view answer at `paths`, to those who may do this somewhere. `more`: throttle, summary.

    `answer`: what it answers, where that is not the plan or the task; `later`: what it answers with 202, where it does.
    `upstream`: whether it asks Microsoft while the caller waits.
    """
    problems = (409, 413, 415, *((502, 503) if upstream else ()))
    responses = answers(answer or Accepted | Planned, *problems) | ({202: later} if later else {})

    def add(view: View) -> View:
        for place, path in enumerate(paths):
            router.api_operation(
                [method],
                path,
                auth=may(permission),
                response=responses,
                operation_id=f"{view.__name__}_{place}" if place else view.__name__,
                **more,
            )(view)
        return view

    return add


def act(
    request: HttpRequest,
    operation: NumberOperation,
    chosen: Chosen,
    asked: Acting,
    params: dict[str, Any] | None = None,
    *,
    conflicts: Collection[str] = (),
) -> HttpResponse:
    """Plan the operation for the chosen numbers; answer the plan, or begin and answer the task.

    `conflicts`: codes of verdicts that count as refusals here although they leave a number as it should be.
    Raises Problem as `check` does.
    """
    by, wanted = principal_behind(request), params or {}
    plan = operation.plan(chosen.numbers, wanted, by, chosen.strangers)
    if asked.dryRun:
        return planned(operation.kind, plan, asked, chosen.strangers, conflicts)
    check(plan, asked, chosen.strangers, listing(operation, chosen.numbers, wanted, by, plan), conflicts)
    task = operation.submit(
        chosen.numbers,
        wanted | {"comment": asked.comment},
        title=operation.title(plan.will),
        by=by,
        channel=Channel.API,
        ticket=asked.ticketId,
        strangers=chosen.strangers,
    )
    return accepted(task)


def listing(
    operation: NumberOperation, numbers: QuerySet[PhoneNumber], params: dict[str, Any], by: Principal, plan: Plan
) -> Callable[[Collection[str]], Refusals]:
    """A function that finds the numbers with verdicts of some codes, each with its sentence in the plan."""
    sentences = {group.code: group.sentence for group in plan.left_alone}

    def listed(codes: Collection[str]) -> Refusals:
        judged = operation.judged(numbers, params, by).filter(verdict__in=codes).order_by("e164")
        rows = judged.values_list("e164", "verdict")[:NAMED]
        return [refusal(e164, code, sentences.get(code, "")) for e164, code in rows]

    return listed


def planned(
    kind: str, plan: Plan, asked: Acting, strangers: Sequence[Stranger] = (), conflicts: Collection[str] = ()
) -> HttpResponse:
    """The answer to a dry run."""
    begins = True
    try:
        check(plan, asked, strangers, lambda codes: [], conflicts)
    except Problem:
        begins = False
    return told(kind, plan, begins=begins)


def check(
    plan: Plan,
    asked: Acting,
    strangers: Sequence[Stranger],
    listed: Callable[[Collection[str]], Refusals],
    conflicts: Collection[str] = (),
) -> None:
    """Raise a Problem where some number is refused, or with allowPartial where all are; it names them.

    403 where the role does not reach some, 400 where some are no numbers of the customer's, else 409. `listed` finds
    the numbers with verdicts of these codes. What is as it should be already is no reason to refuse.
    """
    refused = [group for group in plan.left_alone if group.state == ItemState.REFUSED or group.code in conflicts]
    if not refused or (asked.allowPartial and plan.will):
        return
    codes = {group.code for group in refused}
    misnamed = {stranger.code for stranger in strangers} & codes
    status = 403 if "not_permitted" in codes else 400 if misnamed else 409
    errors = [refusal(one.key, one.code, str(one.sentence)) for one in strangers[:NAMED]]
    if rest := codes - misnamed:
        errors += listed(rest)
    sentence = " ".join([_("Nothing was begun."), *(_sentence(group) for group in refused)])
    code = refused[0].code if len(codes) == 1 else "numbers_refused"
    raise Problem(status, code, sentence, more={"errors": errors[:NAMED]})


def refusal(number: str, code: str, message: str) -> dict[str, str]:
    """One number of a problem's `errors`."""
    return {"telephoneNumber": number, "code": code, "message": message}


def _sentence(group: Group) -> str:
    named = ", ".join(group.sample[:NAMED_IN_SENTENCE])
    if more := group.count - min(len(group.sample), NAMED_IN_SENTENCE):
        named = _("%(named)s and %(n)d more") % {"named": named, "n": more}
    return f"{named}: {group.sentence}"


def accepted(task: Task) -> HttpResponse:
    """The answer of an action that has begun: 200, as the reference documents no other."""
    name = task_id(task)
    body = {"id": name, "jobId": name, "status": IN_PROGRESS, "totalNumbersCount": task.total or 0}
    return json_answer(body, Location=f"/api/v2/task/{name}")


def task_id(task: Task) -> str:
    """The id of a task in the form of the reference."""
    return f"{TASK_PREFIX}{task.uid}"


def upstream(error: MicrosoftError) -> Problem:
    """What to tell a caller who waits for Microsoft: 503 where asking again may help, with when; else 502."""
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else {}
    return Problem(503 if error.retryable else 502, error.code, error.message, headers=headers)
