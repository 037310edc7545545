"""Giving numbers to a customer: validate them, upload them. Source: live-platform.md, 3.4 and 3.5."""

import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, json_answer

from ..capabilities import CALLS
from ..microsoft.errors import MicrosoftError
from ..microsoft.operator_connect import LIST_SIZE, OperatorConnect
from ..models import CallingProfile, Customer
from ..operations import upload as operation
from ..operations.upload.checking import verdict_of
from ..operations.upload.checks import objections
from ..operations.upload.judging import Verdict, standing_verdicts
from ..operations.upload.known import Known, load
from .acting import OfTenant, Refusals, accepted, action, check, planned, refusal, upstream
from .naming import NumberList, Numbers, Text, customer_of, read

router = Router(tags=["actions"])

# What is wrong with the moment, not with the request.
_NOT_NOW = ("consent_not_active", "no_sbc", "usages_unknown")


def _as_list(value: Any) -> Any:
    """One word for a list of one, an empty text or null for none."""
    return [value] if isinstance(value, str) and value else value or []


Words = Annotated[list[Annotated[Text, Field(max_length=64)]], BeforeValidator(_as_list), Field(max_length=50)]


class Upload(Numbers):
    """Numbers and what they are uploaded with."""

    callingProfile: Annotated[Text, Field(max_length=200, description="Its id, or its name where one has it.")]
    usage: Annotated[Text, Field(max_length=64, description="Such as CallingUserAssignment.")]
    additionalUsage: Words = Field([], description="Needs workflowVersion 3.")
    capabilities: Words | None = Field(None, description="Left out: calls in both directions, where they are a choice.")
    workflowVersion: int = Field(3, ge=1, le=3)
    ticketId: Annotated[Text, Field(max_length=64)] = ""
    country: Annotated[Text, Field(max_length=2, description="For toll-free numbers: ISO 3166, two letters.")] = ""
    displayedCountryCode: Annotated[Text, Field(max_length=2, description="The same as country.")] = ""
    locationId: uuid.UUID | None = None
    civicAddressId: uuid.UUID | None = Field(None, description="Instead of locationId: its default location.")
    allowTenantAddressUpdate: bool | None = Field(
        None, description="Whether the customer may choose the address. Left out: if the request names no place."
    )


@action(
    router,
    "/v3/oc/numbers/action/upload",
    "/v2/oc/numbers/action/upload",
    permission=Permission.UPLOAD,
    summary="Upload numbers",
)
def upload(request: HttpRequest, asked: Query[OfTenant], body: Upload) -> HttpResponse:
    """Route numbers on the SBCs and give them to the customer at Microsoft.

    They are active as soon as a synchronisation has seen them there.
    """
    by = principal_behind(request)
    customer = customer_of(asked.msTenantId, by, Permission.UPLOAD)
    settings = _settings(body, customer)
    reading = read(body, new=True)
    known = load([settings], by)
    if body.capabilities is None:
        settings = replace(settings, capabilities=_calls(settings, known))
    if wrong := objections(settings, known):
        status = 409 if all(one.code in _NOT_NOW for one in wrong) else 400
        errors = [{"field": one.field, "code": one.code, "message": one.sentence} for one in wrong]
        raise Problem(status, wrong[0].code, " ".join(one.sentence for one in wrong), more={"errors": errors})
    rows = operation.rows_of(((e164, settings) for e164 in reading.numbers), reading.strangers, reading.repeated)
    proposal = operation.propose(rows, by, known)
    if asked.dryRun:
        return planned(operation.KIND, proposal.plan, asked, rows.strangers)

    def listed(codes: Collection[str]) -> Refusals:
        verdicts = proposal.judged.verdicts.items()
        return [refusal(e164, one.code, one.sentence) for e164, one in verdicts if one.code in codes]

    check(proposal.plan, asked, rows.strangers, listed)
    task = operation.submit(
        rows,
        title=operation.title_of(proposal.plan.will, customer),
        by=by,
        channel=Channel.API,
        ticket=body.ticketId or asked.ticketId,
        comment=asked.comment,
        known=known,
    )
    return accepted(task)


def _settings(body: Upload, customer: Customer) -> operation.Settings:
    """What the body says, as far as that can be read. Raises Problem 400."""
    if body.additionalUsage and body.workflowVersion < 3:
        raise Problem(400, "workflow_version", _("additionalUsage needs workflowVersion 3."))
    country = (body.displayedCountryCode or body.country).upper()
    if body.country and body.country.upper() != country:
        raise Problem(400, "country_unclear", _("country and displayedCountryCode are different. Name one."))
    placed = body.locationId is not None or body.civicAddressId is not None
    allowed = body.allowTenantAddressUpdate
    return operation.Settings(
        customer=customer.pk,
        calling_profile=_profile(body.callingProfile),
        usage=body.usage,
        additional_usages=tuple(body.additionalUsage),
        capabilities=tuple(body.capabilities or ()),
        location=body.locationId,
        civic_address=body.civicAddressId,
        allow_tenant_address_update=not placed if allowed is None else allowed,
        displayed_country=country,
    )


def _profile(text: str) -> uuid.UUID:
    """The profile with this id or name (live-platform.md, 8: the documentation says both). Raises Problem 400."""
    try:
        return uuid.UUID(text)
    except ValueError:
        found = CallingProfile.objects.filter(removed_at=None, name__iexact=text).values_list("pk", flat=True)[:2]
    if len(found) == 1:
        return found[0]
    sentence = (
        _("More than one calling profile is called “%s”. Name its id.")
        if found
        else _("There is no calling profile “%s”.")
    )
    raise Problem(400, "profile_unclear" if found else "unknown_profile", sentence % text)


def _calls(settings: operation.Settings, known: Known) -> tuple[str, ...]:
    """Calls in both directions, as far as Microsoft lets choose them for this usage."""
    plan = known.usages.get(settings.customer, {}).get(settings.usage)
    return tuple(word for word in CALLS if plan is not None and word in plan.choosable_capabilities)


class WhichTenant(Params):
    """The tenant may stand in the address as well."""

    msTenantId: uuid.UUID | None = Field(None, description="The customer's tenant ID, where the body has none.")


class Candidates(Numbers):
    """Numbers that may be uploaded some day. At most 1,000, ranges written out."""

    telephoneNumbers: Annotated[NumberList, Field(max_length=LIST_SIZE)] = []
    msTenantId: uuid.UUID | None = None


class NumberDetail(Schema):
    """What Microsoft knows of a number."""

    numberFound: bool
    numberOffering: str
    assignmentStatus: str


class Checked(Schema):
    """One number. `validationDetail`: codes of what is wrong; `message`: the first of it in words.

    `telphoneNumberDetail` is spelt as the reference spells it.
    """

    telephoneNumber: str
    validationResult: str
    actionRequired: bool
    validationDetail: list[str]
    message: str
    telphoneNumberDetail: NumberDetail


class AllChecked(Schema):
    """`validationResult` is Success where all numbers are, else Failed."""

    validationResult: str
    telephoneNumbers: list[Checked]


@action(
    router,
    "/v3/oc/numbers/action/number-status",
    "/v2/oc/numbers/action/number-status",
    permission=Permission.UPLOAD,
    answer=AllChecked,
    upstream=True,
    summary="Validate numbers",
)
@once.outside  # Microsoft is asked
def number_status(request: HttpRequest, asked: Query[WhichTenant], body: Candidates) -> HttpResponse:
    """Whether numbers may be uploaded to a customer: by what we know, then by Microsoft's word. Changes nothing."""
    by = principal_behind(request)
    tenant = body.msTenantId or asked.msTenantId
    if tenant is None:
        raise Problem(400, "invalid_request", _("Name the customer in msTenantId."))
    customer = customer_of(tenant, by, Permission.UPLOAD)
    reading = read(body, new=True, most=LIST_SIZE)
    try:
        answers = OperatorConnect().validate(tenant, reading.numbers) if reading.numbers else []
    except MicrosoftError as error:
        raise upstream(error) from error
    said = {answer.e164: answer for answer in answers}
    ours = standing_verdicts(reading.numbers, customer)
    rows = [_checked(one.key, Verdict(one.code, str(one.sentence)), [one.code]) for one in reading.strangers]
    for e164 in reading.numbers:
        answer = said.get(e164)
        theirs = verdict_of(answer) if answer is not None and (answer.problems or answer.found) else None
        codes = [one.code for one in (ours.get(e164), theirs) if one is not None]
        found = answer is not None and answer.found
        status = answer.assignment_status if answer is not None else ""
        rows.append(_checked(e164, ours.get(e164) or theirs, list(dict.fromkeys(codes)), found, status))
    named = dict.fromkeys([*body.telephoneNumbers, *body.phoneNumbersList])
    places = {text: place for place, text in enumerate(named)}
    rows.sort(key=lambda row: places.get(row["telephoneNumber"], len(places)))  # as they were named, then the ranges
    good = all(row["validationResult"] == "Success" for row in rows)
    return json_answer({"validationResult": "Success" if good else "Failed", "telephoneNumbers": rows})


def _checked(
    e164: str, wrong: Verdict | None, codes: list[str], found: bool = False, status: str = ""
) -> dict[str, Any]:
    return {
        "telephoneNumber": e164,
        "validationResult": "Failed" if wrong else "Success",
        "actionRequired": wrong is not None,
        "validationDetail": codes,
        "message": wrong.sentence if wrong else "",
        "telphoneNumberDetail": {"numberFound": found, "numberOffering": "", "assignmentStatus": status},
    }
