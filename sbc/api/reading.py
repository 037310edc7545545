"""Looking at SBCs: how they are and were, their rules, and where a call would go. For programs of the whole system."""

import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Schema
from pydantic import BeforeValidator, Field

from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.limits import PerClient
from ocadmin.api.paging import HIGHEST_ID, KeysetPage, KeysetParams, page_of
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, json_answer, plus_back
from sbc import rights, where
from sbc.models import OUTSTANDING, SBC, DialPlanRule, HealthPeriod, State

from .records import SbcPeriod, SbcRecord, SbcRule, of_period, of_rule, of_sbcs

router = Router(tags=["sbcs"])
ASKED = PerClient("sbc", 20, 60)  # of what asks the device: a thread of the web server waits for it

PLACE = "/v3/oc/sbcs"
ONE = f"{PLACE}/{{sbcId}}"
SbcId = Path(ge=1, le=HIGHEST_ID, description="The SBC.")


class WhichSbcs(KeysetParams):
    """Which SBCs."""

    q: str = Field("", max_length=100, description="A part of the name, the FQDN or the address.")
    state: State | None = Field(None, description="Those in this state.")


class WhichRules(KeysetParams):
    """Which rules."""

    prefix: str = Field("", max_length=50, description="What the prefix begins with.")
    outstanding: bool | None = Field(None, description="true: those that the SBC does not have as they are wanted.")


class Dialled(Params):
    """Which number."""

    number: Annotated[str, BeforeValidator(plus_back)] = Field(
        max_length=where.LONGEST, description="As it is dialled, such as +442079460958."
    )


class MetRule(Schema):
    """A rule that the number meets, as the device has it; `place` is its line in the plan."""

    prefix: str
    name: str
    tag: str
    place: int


class SbcAnswer(Schema):
    """What one SBC would do. `rule`: the one that the call meets; `others` match as well, but less exactly.

    `readAt` is null where its plan was never read; `expectedTag` where it is not known which one the number should get.
    """

    sbcId: int
    sbcName: str
    readAt: datetime.datetime | None
    rule: MetRule | None
    others: list[MetRule]
    expectedTag: str | None


class WhereItGoes(Schema):
    """A dialled number, what it is known as (empty: none of ours), and what each SBC would do with it."""

    number: str
    knownAs: str
    note: str
    sbcs: list[SbcAnswer]


@router.get(PLACE, auth=may(Permission.VIEW), response=answers(KeysetPage[SbcRecord]), summary="List SBCs")
def list_sbcs(request: HttpRequest, asked: Query[WhichSbcs]) -> HttpResponse:
    """All SBCs: how each is, how full, and what is outstanding there. Needs a role for the whole system."""
    by = principal_behind(request)
    rights.demand_sight(by)
    rows = SBC.objects.visible_to(by).search(asked.q)
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, link = page_of(request, asked, rows)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": of_sbcs(found)})


@router.get(f"{PLACE}/where", auth=may(Permission.VIEW), response=answers(WhereItGoes), summary="Where a call would go")
def find_way(request: HttpRequest, asked: Query[Dialled]) -> HttpResponse:
    """The rule that a number meets in the dial plan of each SBC, as the plans were last read. No SBC is asked."""
    by = principal_behind(request)
    rights.demand_sight(by)
    number = where.dialled(asked.number)
    if number is None:
        raise Problem(
            400, "invalid_number", _("number: write digits, a plus in front if one is dialled, letters, * or #.")
        )
    known = where.known(by, number)
    told = [_answer(one) for one in where.answers(number, by, known)]
    words = {"knownAs": known.words if known else "", "note": known.note if known else ""}
    return json_answer({"number": number, **words, "sbcs": told})


@router.get(ONE, auth=may(Permission.VIEW), response=answers(SbcRecord), summary="Get an SBC")
def get_sbc(request: HttpRequest, sbcId: int = SbcId) -> HttpResponse:
    """How it is, how full, and what is outstanding there."""
    return json_answer(of_sbcs([the_sbc(request, sbcId)])[0])


@router.get(f"{ONE}/rules", auth=may(Permission.VIEW), response=answers(KeysetPage[SbcRule]), summary="List SBC rules")
def list_rules(request: HttpRequest, asked: Query[WhichRules], sbcId: int = SbcId) -> HttpResponse:
    """The console's rules there: those that are wanted, and those that are to be removed."""
    rows = DialPlanRule.objects.filter(sbc=the_sbc(request, sbcId))
    if asked.prefix:
        rows = rows.filter(prefix__startswith=asked.prefix.rstrip("#"))
    if asked.outstanding is not None:
        rows = rows.filter(OUTSTANDING) if asked.outstanding else rows.exclude(OUTSTANDING)
    found, link = page_of(request, asked, rows)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [of_rule(row) for row in found]})


@router.get(
    f"{ONE}/history", auth=may(Permission.VIEW), response=answers(KeysetPage[SbcPeriod]), summary="History of an SBC"
)
def list_history(request: HttpRequest, asked: Query[KeysetParams], sbcId: int = SbcId) -> HttpResponse:
    """The states it was in and why, the present one first."""
    rows = HealthPeriod.objects.filter(sbc=the_sbc(request, sbcId))
    found, link = page_of(request, asked, rows, newest_first=True)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [of_period(row) for row in found]})


def the_sbc(request: HttpRequest, pk: int, permission: Permission = Permission.VIEW) -> SBC:
    """The SBC for who may do this with SBCs. Raises Problem 404 for who may not see it, PermissionDenied for others."""
    by = principal_behind(request)
    found = SBC.objects.visible_to(by, permission).filter(pk=pk).first()
    if found is None and by.can_everywhere(Permission.VIEW):
        rights.demand(by, permission)
    if found is None:
        raise Problem(404, "sbc_not_found", _("There is no SBC %d.") % pk)
    return found


def _answer(one: where.Answer) -> dict[str, Any]:
    return {
        "sbcId": one.sbc.pk,
        "sbcName": one.sbc.name,
        "readAt": one.reading and one.reading.read_at,
        "rule": _met(one.best) if one.best else None,
        "others": [_met(rule) for rule in one.others],
        "expectedTag": one.tag,
    }


def _met(rule: where.Met) -> dict[str, Any]:
    return {"prefix": rule.written, "name": rule.name, "tag": rule.tag, "place": rule.place}
