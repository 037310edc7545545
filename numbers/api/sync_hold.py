"""Putting a customer's synchronisation on hold, and resuming it. Not on the reference."""

import uuid
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router
from pydantic import AfterValidator, Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import OwnBody, answers, json_answer

from ..operations import sync
from .catalogue import CustomerRecord, customer_record
from .naming import Text, customer_of

router = Router(tags=["customers"])

_AT = "/v3/oc/customers/{msTenantId}/action/"


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError(_("say why the synchronisation is put on hold"))
    return text.strip()


class WhyHeld(OwnBody):
    """Why the synchronisation is put on hold, and under which ticket."""

    reason: Annotated[Text, Field(min_length=1, max_length=500, examples=["In dispute"]), AfterValidator(_said)]
    ticketId: Annotated[Text, Field(max_length=64)] = ""


class WhyResumed(OwnBody):
    """Why it goes on, and under which ticket."""

    comment: Annotated[Text, Field(max_length=500)] = ""
    ticketId: Annotated[Text, Field(max_length=64)] = ""


@router.post(
    _AT + "hold-sync",
    auth=may(Permission.SYNC),
    response=answers(CustomerRecord, 409),
    summary="Put a customer's synchronisation on hold",
)
@once.outside  # the hold is committed first, then what passes are saving is waited for
def hold_sync(request: HttpRequest, msTenantId: uuid.UUID, body: WhyHeld) -> HttpResponse:
    """Until it is resumed, no synchronisation stamps, changes or marks the customer's numbers, or adds one."""
    by = principal_behind(request)
    customer = customer_of(msTenantId, by, Permission.SYNC)
    if not sync.hold(customer, reason=body.reason, by=by, channel=Channel.API, ticket=body.ticketId):
        raise Problem(409, "already_on_hold", _("The synchronisation of this customer is on hold already."))
    return json_answer(customer_record(customer))


@router.post(
    _AT + "resume-sync",
    auth=may(Permission.SYNC),
    response=answers(CustomerRecord, 409),
    summary="Resume a customer's synchronisation",
)
def resume_sync(request: HttpRequest, msTenantId: uuid.UUID, body: WhyResumed) -> HttpResponse:
    """From the next synchronisation on its numbers are looked at again."""
    by = principal_behind(request)
    customer = customer_of(msTenantId, by, Permission.SYNC)
    if not sync.resume(customer, by=by, channel=Channel.API, comment=body.comment, ticket=body.ticketId):
        raise Problem(409, "not_on_hold", _("The synchronisation of this customer is not on hold."))
    return json_answer(customer_record(customer))
