"""A customer's rules in the dial plan of an SBC. Source: live-platform.md, 3.2, 6.2.

`siteId` is a SIP connection of ours (its id), or the customer's GUID where all its connections lead to one SBC, as on
the reference. What is read are the rules that are wanted there, which is what a push makes of the device.
"""

import uuid
from collections.abc import Collection
from typing import Annotated, Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Body, answers, json_answer, reads
from sbc.models import SBC, DialPlanRule

from ..models import Customer, PhoneNumber, SipConnection
from ..operations import dial_plan as operation
from .acting import Acting, Refusals, accepted, action, check, planned, refusal
from .naming import MOST, NumberText, Text

router = Router(tags=["dial plans"])

_SITES = tuple(f"/v{version}/customer/{{customerId}}/sitelocation/{{siteId}}/dialplan" for version in (3, 2))
_PLANS = tuple(f"{site}/{{dialPlanId}}" for site in _SITES)


class RuleDTO(Schema):
    """A rule. `prefix` is E.164; the # that ends a number on the device is left out."""

    name: str
    prefix: str
    tag: str


class DialPlanRules(Schema):
    """The customer's rules in a dial plan."""

    dialPlanId: str
    ruleDTO: list[RuleDTO]


class NewRule(Body):
    """A rule to write. Its name and tag follow from the SIP connection: the tag may be left out, the name is ours."""

    prefix: NumberText
    name: Annotated[Text, Field(max_length=64)] = ""
    tag: Annotated[Text, Field(max_length=253)] = ""


class DialPlanChange(Body):
    """Rules to write and rules to take off."""

    dialPlanId: Annotated[Text, Field(max_length=64)] = ""
    add: Annotated[list[NewRule], Field(max_length=MOST)] = []
    remove: Annotated[list[NewRule], Field(max_length=MOST)] = []


@reads(
    router,
    *_SITES,
    auth=may(Permission.VIEW),
    response=answers(list[DialPlanRules], 409),
    summary="Dial plans",
)
def list_dial_plans(request: HttpRequest, customerId: str, siteId: str) -> HttpResponse:
    """The customer's rules in every dial plan of the site's SBC that is written from here: there is one."""
    customer, sbc = _site(customerId, siteId, principal_behind(request))
    return json_answer([_rules(customer, sbc)])


@reads(router, *_PLANS, auth=may(Permission.VIEW), response=answers(DialPlanRules, 409), summary="A dial plan")
def get_dial_plan(request: HttpRequest, customerId: str, siteId: str, dialPlanId: str) -> HttpResponse:
    """The rules of the customer's numbers that are wanted there."""
    customer, sbc = _site(customerId, siteId, principal_behind(request), dialPlanId)
    return json_answer(_rules(customer, sbc))


@action(router, *_PLANS, permission=Permission.PUSH_SBC, method="PATCH", summary="Change a dial plan")
def change_dial_plan(
    request: HttpRequest, customerId: str, siteId: str, dialPlanId: str, asked: Query[Acting], body: DialPlanChange
) -> HttpResponse:
    """Write rules of the customer's numbers, take off spare ones.

    Only what is right anyway: rules for numbers that the customer has and that are routed from here. A rule that a
    number needs is not taken off; release the number instead.
    """
    by = principal_behind(request)
    customer, sbc = _site(customerId, siteId, by, dialPlanId)
    if not Customer.objects.visible_to(by, Permission.PUSH_SBC).filter(pk=customer.pk).exists():
        words = {"what": Permission.PUSH_SBC.label, "customer": customer}
        raise Problem(403, "forbidden", _("This API client may not: %(what)s, for %(customer)s.") % words)
    change = _change(customer, sbc, body)
    judged = operation.judge(change)
    plan = judged.plan()
    if asked.dryRun:
        return planned(operation.DialPlan.kind, plan, asked, judged.strangers)

    def listed(codes: Collection[str]) -> Refusals:
        return [refusal(prefix, code, text) for prefix, (code, text, _state) in judged.left.items() if code in codes]

    check(plan, asked, judged.strangers, listed)
    return accepted(
        operation.submit(change, judged, by=by, channel=Channel.API, ticket=asked.ticketId, comment=asked.comment)
    )


def _change(customer: Customer, sbc: SBC, body: DialPlanChange) -> operation.Change:
    """Prefixes without their #. Raises Problem 400 for a contradiction."""
    add = {rule.prefix.removesuffix("#"): rule.tag for rule in body.add}
    remove = list(dict.fromkeys(rule.prefix.removesuffix("#") for rule in body.remove))
    if not add and not remove:
        raise Problem(400, "no_rules", _("Name at least one rule in add or remove."))
    if both := add.keys() & set(remove):
        raise Problem(400, "contradictory", _("%s is in add and in remove.") % min(both))
    if body.dialPlanId and body.dialPlanId.casefold() != sbc.dial_plan.casefold():
        raise Problem(400, "contradictory", _("The dial plan in the body is not the one in the address."))
    return operation.Change(customer, sbc, add, remove)


def _rules(customer: Customer, sbc: SBC) -> dict[str, Any]:
    theirs = PhoneNumber.objects.filter(customer=customer, e164=OuterRef("prefix"))
    rules = DialPlanRule.objects.filter(Exists(theirs), sbc=sbc, dial_plan=sbc.dial_plan, wanted=True)
    rows = rules.order_by("prefix").values("name", "prefix", "tag")
    return {"dialPlanId": sbc.dial_plan, "ruleDTO": list(rows)}


def _site(customer_id: str, site_id: str, by: Principal, plan: str | None = None) -> tuple[Customer, SBC]:
    """The customer and the SBC of a site. Raises Problem 404, and 409 where a GUID means more than one SBC."""
    customer = _customer(customer_id, by)
    links = SipConnection.objects.filter(customer=customer).select_related("sbc").order_by("pk") if customer else None
    if customer is None or links is None:
        raise Problem(404, "customer_not_found", _("There is no customer %s.") % customer_id[:60])
    if _is_number(site_id):
        links = links.filter(pk=int(site_id))
    elif _customer(site_id, by) != customer:
        links = links.none()
    sbcs = {link.sbc_id: link.sbc for link in links}
    if not sbcs:
        raise Problem(404, "site_not_found", _("The customer has no SIP connection %s.") % site_id[:60])
    if len(sbcs) > 1:
        named = ", ".join(str(link.pk) for link in links)
        raise Problem(409, "site_unclear", _("The customer has several SIP connections. Name one: %s.") % named)
    (sbc,) = sbcs.values()
    if plan is not None and plan.casefold() != sbc.dial_plan.casefold():
        raise Problem(404, "dial_plan_not_found", _("There is no dial plan %s here.") % plan[:64])
    return customer, sbc


def _customer(text: str, by: Principal) -> Customer | None:
    """By the GUID of the service, that of the tenant, or our id."""
    visible = Customer.objects.visible_to(by)
    if _is_number(text):
        return visible.filter(pk=int(text)).first()
    try:
        guid = uuid.UUID(text)
    except ValueError:
        return None
    return visible.filter(ump_customer_guid=guid).first() or visible.filter(tenant_id=guid).first()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
