"""What the reference has on its screens only: emergency locations, capabilities, and synchronising."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, OwnBody, answers
from ocadmin.tasks import services
from ocadmin.tasks.api import TaskRecord, already_running, told
from ocadmin.tasks.api_plans import Planned, hindered
from ocadmin.tasks.services import AlreadyRunning

from ..capabilities import LABELS, USAGES
from ..models import Customer, Location, PhoneNumber
from ..operations import sync
from ..operations.capabilities import Capabilities
from ..operations.relocate import TENANT, Relocate
from .acting import OfTenant, act, action
from .naming import Numbers, NumberText, customer_of, of_customer

router = Router(tags=["actions"])

MOST_SYNCED = 500  # each costs a request to Microsoft
NUMBERS = ["+442079460110", "+442079460111"]
Capability = Literal["InboundCalling", "OutboundCalling", "OCMobile", "Mobile"]  # the keys of capabilities.USAGES
Words = Annotated[list[Capability], Field(max_length=len(USAGES))]


class NewLocation(Numbers, OwnBody):
    """Numbers, and where they shall be."""

    locationId: uuid.UUID | None = Field(
        description="The location, of the customer's emergency addresses; its address follows from it. null: none.",
        examples=["d3f0b0a4-6c8e-4a59-9f0e-2f1f0f6f2a11"],
    )
    route: Literal["operator", "tenant"] = Field(
        "operator", description="operator: a job at Microsoft. tenant: at once, needs the customer's connection."
    )
    allowTenantAddressUpdate: bool | None = Field(
        None, description="Whether the customer may change it. null: stays as it is."
    )


class NewCapabilities(Numbers, OwnBody):
    """Numbers, what to give them and what to take away."""

    add: Words = Field([], examples=[["Mobile"]])
    remove: Words = Field([], examples=[["OutboundCalling"]])


class WhatToSync(OwnBody):
    """Everything, one customer, or some numbers."""

    msTenantId: uuid.UUID | None = Field(None, description="One customer. Empty: all that the client may synchronise.")
    telephoneNumbers: list[NumberText] | None = Field(
        None, min_length=1, max_length=MOST_SYNCED, description="Only these numbers, in E.164.", examples=[NUMBERS]
    )


@action(
    router,
    "/v3/oc/numbers/action/location",
    permission=Permission.RELOCATE,
    summary="Change emergency locations",
)
def change_location(request: HttpRequest, asked: Query[OfTenant], body: NewLocation) -> HttpResponse:
    """Gives numbers of one customer another emergency location, or none.

    Emergency services are sent to the address of a number's location: change it only when it is known where people are.
    """
    by = principal_behind(request)
    customer = customer_of(asked.msTenantId, by, Permission.RELOCATE)
    if body.route == TENANT and body.allowTenantAddressUpdate is not None:
        sentence = _("Only the operator can change this: use the operator's route, or leave out %s.")
        raise Problem(400, "invalid_request", sentence % "allowTenantAddressUpdate")
    places = Location.objects.filter(civic_address__customer=customer)
    if body.locationId is not None and not places.filter(pk=body.locationId).exists():
        sentence = _("The customer has no location %s. Synchronise, or see emergency-addresses.")
        raise Problem(400, "location_not_found", sentence % body.locationId)
    params = {
        "location_id": str(body.locationId) if body.locationId else None,
        "route": body.route,
        "allow_tenant_address_update": body.allowTenantAddressUpdate,
    }
    return act(request, Relocate(), of_customer(body, customer, by), asked, params)


@action(
    router,
    "/v3/oc/numbers/action/capabilities",
    permission=Permission.CAPABILITIES,
    summary="Change capabilities",
)
def change_capabilities(request: HttpRequest, asked: Query[OfTenant], body: NewCapabilities) -> HttpResponse:
    """Gives numbers of one customer capabilities, takes some away; each number gets all of its changes or none.

    A number without outbound calling cannot call, emergency services included.
    """
    by = principal_behind(request)
    customer = customer_of(asked.msTenantId, by, Permission.CAPABILITIES)
    add, remove = _in_order(body.add), _in_order(body.remove)
    if both := [str(LABELS[word]) for word in add if word in remove]:
        sentence = _("This cannot be added and removed at once: %(words)s.") % {"words": ", ".join(both)}
        raise Problem(400, "invalid_request", sentence)
    if not (add or remove):
        raise Problem(400, "invalid_request", _("Nothing is chosen: name capabilities in add or remove."))
    return act(request, Capabilities(), of_customer(body, customer, by), asked, {"add": add, "remove": remove})


def _in_order(words: Sequence[str]) -> list[str]:
    """Each once, in the order of the matrix (live-platform.md, 5.2)."""
    return [word for word in USAGES if word in words]


@router.post(
    "/v3/oc/sync",
    auth=may(Permission.SYNC),
    response=answers(TaskRecord | Planned, 409),
    summary="Synchronise with Microsoft",
)
def synchronise(request: HttpRequest, asked: Query[DryRun], body: WhatToSync) -> HttpResponse:
    """Compares our list with Microsoft's, and writes what differs. Answers the task.

    With an empty object `{}`: everything that the client may synchronise. Two passes over lists never run at once:
    409, and Location says where the running task is. Customers whose synchronisation is on hold are left alone, and
    named in the task's result; 409 where nothing else was asked for.
    """
    by = principal_behind(request)
    scope: dict[str, Any] = {}
    customer = customer_of(body.msTenantId, by, Permission.SYNC) if body.msTenantId else None
    if body.telephoneNumbers:
        scope["numbers"] = _known(request, body.telephoneNumbers, customer)
    elif customer is not None:
        scope["customers"] = [customer]
    elif not by.can_everywhere(Permission.SYNC):
        scope["customers"] = list(Customer.objects.visible_to(by, Permission.SYNC))
        if not scope["customers"]:
            raise Problem(403, "forbidden", _("There is no customer whom this API client may synchronise."))
    if asked.dryRun:
        return hindered(sync.Sync.kind, sync.plan(**scope), _hindrance(scope))
    try:
        task = sync.start(by=by, channel=Channel.API, **scope)
    except sync.OnHold as held:
        raise _on_hold(held) from None
    except AlreadyRunning as running:
        raise already_running(running) from None
    return told(task, by)


def _hindrance(scope: dict[str, Any]) -> Problem | None:
    """What would keep the pass from beginning now."""
    try:
        sync.check_hold(scope.get("customers"), scope.get("numbers"))
    except sync.OnHold as held:
        return _on_hold(held)
    running = services.already_running("" if "numbers" in scope else sync.UNIQUE_KEY)
    return already_running(running) if running else None


def _on_hold(held: sync.OnHold) -> Problem:
    return Problem(409, "sync_on_hold", str(held))


def _known(request: HttpRequest, texts: list[str], customer: Customer | None) -> list[str]:
    """The numbers, each once, all of which the client may synchronise. Raises Problem 400."""
    numbers = list(dict.fromkeys(texts))
    rows = PhoneNumber.objects.visible_to(principal_behind(request), Permission.SYNC).filter(e164__in=numbers)
    if customer is not None:
        rows = rows.filter(customer=customer)
    there = set(rows.values_list("e164", flat=True))
    if missing := [number for number in numbers if number not in there]:
        words = {"n": len(missing), "first": missing[0]}
        sentence = _("%(n)d of the numbers are not among those that may be synchronised: %(first)s, …") % words
        raise Problem(400, "unknown_number", sentence)
    return numbers
