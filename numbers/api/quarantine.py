"""Ending the quarantine of released numbers early."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field, StringConstraints

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.rest import json_answer
from ocadmin.tasks.api_plans import Planned

from .. import quarantine
from ..models import ReleasedNumber
from ..operations.plan import Stranger, of_strangers
from .acting import Acting, Refusals, action, check, planned, refusal
from .naming import OnlyNumbers, read, without_nul

router = Router(tags=["actions"])

_NOT_RELEASED = gettext_lazy("No released number is kept under this number, or it is not within your scope.")


class Ending(Acting):
    """What every action takes in the address; here the reason has to be given."""

    comment: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
        AfterValidator(without_nul),
        Field(description="Why; kept in the numbers' history."),
    ]


class QuarantineEnded(Schema):
    """How many numbers any customer may have now, how many no longer rested, how many were refused."""

    endedCount: int
    unchangedCount: int
    refusedCount: int


@action(
    router,
    "/v3/oc/released-numbers/action/end-quarantine",
    permission=Permission.END_QUARANTINE,
    answer=QuarantineEnded | Planned,
    summary="End quarantine early",
)
def end_quarantine(request: HttpRequest, asked: Query[Ending], body: OnlyNumbers) -> HttpResponse:
    """From now on every customer may have the numbers, of whichever customers they were. Done when it is answered.

    Calls for the customer who had a number may still arrive at whoever gets it.
    """
    by = principal_behind(request)
    reading = read(body)
    rows = _released(reading.numbers, by)
    there = set(rows.values_list("e164", flat=True))
    unknown = [Stranger(number, "not_released", _NOT_RELEASED) for number in reading.numbers if number not in there]
    strangers = [*reading.strangers, *unknown]
    plan = quarantine.plan(rows, by)
    plan = replace(plan, left_alone=[*plan.left_alone, *of_strangers(strangers)])
    if asked.dryRun:
        return planned(quarantine.END, plan, asked, strangers)
    sentences = {group.code: group.sentence for group in plan.left_alone}

    def listed(codes: Collection[str]) -> Refusals:
        found = [
            (e164, code) for code in codes for e164 in quarantine.having(code, rows, by).values_list("e164", flat=True)
        ]
        return [refusal(e164, code, sentences[code]) for e164, code in sorted(found)]

    check(plan, asked, strangers, listed)
    ended = quarantine.end(rows, by=by, channel=Channel.API, comment=asked.comment, ticket=asked.ticketId)
    over = sum(group.count for group in plan.left_alone if group.code == quarantine.OVER)
    return json_answer({"endedCount": ended, "unchangedCount": over, "refusedCount": plan.total - plan.will - over})


def _released(numbers: Collection[str], by: Principal) -> QuerySet[ReleasedNumber]:
    """What is kept under the numbers: of each the last release, and any other that it still rests from."""
    visible = ReleasedNumber.objects.visible_to(by).filter(e164__among=frozenset(numbers))
    later = ReleasedNumber.objects.filter(e164=OuterRef("e164"), released_at__gt=OuterRef("released_at"))
    return visible.filter(Q(quarantine_until__gt=timezone.now()) | ~Exists(later))
