"""Who uses an SBC: the part of what is told about it that only this room knows."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from ocadmin.access.permissions import Permission
from ocadmin.api.authentication import may
from ocadmin.api.paging import KeysetPage, KeysetParams, page_of
from ocadmin.api.rest import answers, json_answer
from sbc.api.reading import ONE, SbcId, the_sbc

from ..models import SipConnection, Trunk
from ..operations.hindrances import Doing, find

router = Router(tags=["sbcs"])


class SbcConnection(Schema):
    """A SIP connection that ends on the SBC."""

    id: int
    name: str
    msTenantId: uuid.UUID
    customerName: str
    callingProfileId: uuid.UUID
    callingProfile: str


class SbcTrunk(Schema):
    """A trunk of a calling profile that ends on the SBC."""

    fqdn: str
    callingProfileId: uuid.UUID
    callingProfile: str


class SbcUsage(KeysetPage[SbcConnection]):
    """Connections page by page; `trunks` are all. `holdsUp`: what waits or fails because of the SBC, in sentences."""

    trunks: list[SbcTrunk]
    holdsUp: list[str]


@router.get(f"{ONE}/usage", auth=may(Permission.VIEW), response=answers(SbcUsage), summary="Who uses an SBC")
def sbc_usage(request: HttpRequest, asked: Query[KeysetParams], sbcId: int = SbcId) -> HttpResponse:
    """The customers, trunks and calling profiles that lead to it, and what it holds up by what was last seen of it."""
    sbc = the_sbc(request, sbcId)
    rows = SipConnection.objects.filter(sbc=sbc).select_related("customer", "calling_profile")
    found, link = page_of(request, asked, rows)
    trunks = Trunk.objects.filter(sbc=sbc).select_related("profile").order_by("fqdn", "pk")
    return json_answer(
        {
            "pageSize": asked.pageSize,
            "nextLink": link,
            "data": [_connection(row) for row in found],
            "trunks": [
                {"fqdn": one.fqdn, "callingProfileId": one.profile.pk, "callingProfile": one.profile.name}
                for one in trunks
            ],
            "holdsUp": [one.sentence for one in find(Doing.LOOKING, [sbc.pk])],
        }
    )


def _connection(row: SipConnection) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "msTenantId": row.customer.tenant_id,
        "customerName": row.customer.full_name,
        "callingProfileId": row.calling_profile.pk,
        "callingProfile": row.calling_profile.name,
    }
