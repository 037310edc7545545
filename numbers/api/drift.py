"""Where database, Microsoft and SBCs disagree: the report, comparing anew, and repairing."""

import datetime
import uuid
from typing import Annotated, Any, Literal

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.paging import HIGHEST_ID, KeysetPage, KeysetParams, page_of
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, OwnBody, answers, json_answer
from ocadmin.tasks import services
from ocadmin.tasks.api import TaskRecord, already_running, told
from ocadmin.tasks.api_plans import Planned, hindered
from ocadmin.tasks.services import AlreadyRunning

from .. import drift
from ..models import Customer, DriftFinding, DriftRun, Kind, Severity
from ..models.drift_finding import DriftFindingQuerySet
from ..operations.drift import Drift, Repair, plan, start
from ..operations.drift.repair import ADOPT, LEAVE, by_keys, key_of
from .acting import Acting, act, action
from .lists import Tenant
from .naming import AskedNumber, Chosen, NumberText, customer_of

router = Router(tags=["drift"])

MOST_NAMED = 500  # each is a condition of its own
KEY = "+442079460110 no_routing 11"
Severe = Literal["critical", "warning", "notice"]
SbcId = Annotated[int | None, Field(ge=0, le=HIGHEST_ID, description="The id of an SBC.")]


class FoundRule(Schema):
    """A rule that stands on an SBC."""

    prefix: str
    name: str
    tag: str


class ExpectedRule(Schema):
    """What the rule for the number should say."""

    name: str
    tag: str


class Finding(Schema):
    """One disagreement. `key` names it from one report to the next, `id` in this report only.

    `atMicrosoft`, `onSbc`: null where it is not known. `msOwnerTenantId`: who has the number at Microsoft, where that
    is another customer that the client may see. `stale`: the SBC could not be read, so this is what was found before.
    """

    id: int
    key: str
    reportId: int
    telephoneNumber: str
    kind: Kind
    severity: Severe
    msTenantId: uuid.UUID | None
    customerName: str | None
    sbcId: int | None
    sbcName: str | None
    firstFoundAt: datetime.datetime
    isNew: bool
    inDatabase: bool
    atMicrosoft: bool | None
    onSbc: bool | None
    msOwnerTenantId: uuid.UUID | None
    foundRules: list[FoundRule]
    expectedRule: ExpectedRule | None
    stale: bool


class KindCount(Schema):
    """How many findings of a kind."""

    kind: Kind
    severity: Severe
    count: int


class DriftSummary(Schema):
    """The last complete report, in the client's scope. Null: nothing was compared yet.

    `microsoftReadAt`: when Microsoft's list was read. `unreadSbcs`: how many SBCs could not be read.
    """

    reportId: int | None
    comparedAt: datetime.datetime | None
    microsoftReadAt: datetime.datetime | None
    unreadSbcs: int
    totalCount: int
    counts: list[KindCount]


class WhichFindings(KeysetParams):
    """Which findings."""

    msTenantId: Tenant = None
    kind: Kind | None = Field(None, description="What disagrees.")
    severity: Severe | None = Field(None, description="How much it matters.")
    sbcId: SbcId = None
    telephoneNumber: AskedNumber = Field("", description="The number, in E.164.")
    isNew: bool | None = Field(None, description="Whether the last comparison found it for the first time.")


class WhatToRepair(OwnBody):
    """Findings by key, or all that match; at least one of the fields but `unmanaged`."""

    keys: list[NumberText] = Field([], max_length=MOST_NAMED, description="Keys of findings.", examples=[[KEY]])
    telephoneNumbers: list[NumberText] = Field([], max_length=MOST_NAMED, description="All findings of these numbers.")
    msTenantId: uuid.UUID | None = Field(None, description="All findings of this customer.")
    kind: Kind | None = Field(None, description="All findings of this kind.")
    sbcId: SbcId = None
    unmanaged: Literal["leave", "adopt"] = Field(
        "leave", description=f"Numbers that came from elsewhere and have a rule: {LEAVE} them alone, or {ADOPT} them."
    )


@router.get(
    "/v3/oc/drift", auth=may(Permission.VIEW), response=answers(KeysetPage[Finding]), summary="List drift findings"
)
def list_findings(request: HttpRequest, asked: Query[WhichFindings]) -> HttpResponse:
    """The findings of the last complete report. A `reportId` that changes between two pages: begin again."""
    by = principal_behind(request)
    wanted = {
        "kind": asked.kind,
        "severity": Severity[asked.severity.upper()] if asked.severity else None,
        "sbc_id": asked.sbcId,
        "e164": asked.telephoneNumber or None,
    }
    rows = _visible(by, asked.msTenantId).filter(**{name: value for name, value in wanted.items() if value is not None})
    if asked.isNew is not None:
        rows = rows.filter(first_run=F("run_id")) if asked.isNew else rows.exclude(first_run=F("run_id"))
    found, link = page_of(request, asked, rows.select_related("customer", "sbc"))
    owners = _owners(found, by)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [_finding(row, owners) for row in found]})


@router.get(
    "/v3/oc/drift/summary", auth=may(Permission.VIEW), response=answers(DriftSummary), summary="Count drift findings"
)
def summarise(request: HttpRequest) -> HttpResponse:
    """How many findings of each kind, the most severe first, and what the report is made of."""
    run = DriftRun.objects.current().first()
    tiles = drift.by_kind(principal_behind(request))
    return json_answer(
        {
            "reportId": run and run.pk,
            "comparedAt": run and run.began_at,
            "microsoftReadAt": run and run.microsoft_at,
            "unreadSbcs": sum(bool(one.why) for one in drift.sources(run)) if run else 0,
            "totalCount": sum(tile.count for tile in tiles),
            "counts": [
                {"kind": tile.kind, "severity": Severity(tile.severity).name.lower(), "count": tile.count}
                for tile in tiles
            ],
        }
    )


@router.post(
    "/v3/oc/drift/run", auth=may(Permission.SYNC), response=answers(TaskRecord | Planned, 409), summary="Compare now"
)
def compare(request: HttpRequest, asked: Query[DryRun]) -> HttpResponse:
    """Reads the dial plans of all SBCs and compares. Answers the task; 409 while one runs, with its task as Location.

    Needs the permission to synchronise for all customers.
    """
    by = principal_behind(request)
    if not by.can_everywhere(Permission.SYNC):
        sentence = _("Comparing reads all SBCs: it needs the permission “Synchronise” for all customers.")
        raise Problem(403, "forbidden", sentence)
    if asked.dryRun:
        running = services.already_running(Drift.kind)
        return hindered(Drift.kind, plan(), already_running(running) if running else None)
    try:
        task = start(by=by, channel=Channel.API)
    except AlreadyRunning as running:
        raise already_running(running) from None
    return told(task, by)


@action(router, "/v3/oc/drift/repair", permission=Permission.PUSH_SBC, summary="Repair findings")
def repair(request: HttpRequest, asked: Query[Acting], body: WhatToRepair) -> HttpResponse:
    """Writes missing rules, corrects wrong ones, removes those that nobody needs. Microsoft's side is never changed.

    Each number is judged once more right before. What is for people to settle is refused: with allowPartial the rest
    is repaired.
    """
    by = principal_behind(request)
    findings: QuerySet[Any] = _meant(body, by)
    return act(request, Repair(), Chosen(findings, []), asked, {"unmanaged": body.unmanaged})


def _meant(body: WhatToRepair, by: Principal) -> DriftFindingQuerySet:
    """The findings that a body means. Raises Problem 400 where it names none, or one that is not in the report."""
    wanted = {"kind": body.kind, "sbc_id": body.sbcId, "e164__in": body.telephoneNumbers or None}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if not (wanted or body.keys or body.msTenantId):
        raise Problem(400, "invalid_request", _("Nothing is chosen: name findings, numbers, a customer, kind or SBC."))
    rows = _visible(by, body.msTenantId).filter(**wanted)
    if body.keys:
        rows = rows.filter(pk__in=by_keys(body.keys).values("pk"))
        there = {key_of(row) for row in rows}
        if missing := [key for key in body.keys if key not in there]:
            words = {"n": len(missing), "first": missing[0]}
            sentence = _("%(n)d of the findings are not in the report (any more): %(first)s, …") % words
            raise Problem(400, "finding_not_found", sentence)
    elif not rows.exists():
        raise Problem(400, "finding_not_found", _("The report has no such finding."))
    return rows


def _visible(by: Principal, tenant: uuid.UUID | None) -> DriftFindingQuerySet:
    """The report, or one customer's part of it. Raises Problem 404 for an unknown tenant."""
    rows = DriftFinding.objects.current().visible_to(by)
    return rows.filter(customer=customer_of(tenant, by, Permission.VIEW)) if tenant else rows


def _owners(rows: list[DriftFinding], by: Principal) -> dict[int, uuid.UUID]:
    """Tenant IDs of the customers who have numbers at Microsoft, as far as the client may see them."""
    ids = {row.details["owner"] for row in rows if "owner" in row.details}
    customers: QuerySet[Customer] = Customer.objects.visible_to(by).filter(pk__in=ids)
    return dict(customers.values_list("pk", "tenant_id")) if ids else {}


def _finding(row: DriftFinding, owners: dict[int, uuid.UUID]) -> dict[str, Any]:
    rules, rule = row.details.get("found", []), row.details.get("expected")
    return {
        "id": row.pk,
        "key": key_of(row),
        "reportId": row.run_id,
        "telephoneNumber": row.e164,
        "kind": row.kind,
        "severity": Severity(row.severity).name.lower(),
        "msTenantId": row.customer and row.customer.tenant_id,
        "customerName": row.customer and row.customer.full_name,
        "sbcId": row.sbc_id,
        "sbcName": row.sbc and row.sbc.name,
        "firstFoundAt": row.since,
        "isNew": row.first_run == row.run_id,
        "inDatabase": row.in_database,
        "atMicrosoft": row.at_microsoft,
        "onSbc": row.on_sbc,
        "msOwnerTenantId": owners.get(row.details.get("owner", 0)),
        "foundRules": [{name: one[name] for name in ("prefix", "name", "tag")} for one in rules],
        "expectedRule": {name: rule[name] for name in ("name", "tag")} if rule else None,
        "stale": row.stale,
    }
