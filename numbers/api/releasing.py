"""Taking numbers from users and from customers: unassign, release; both in a row; withdrawing a release.

Source: live-platform.md, 3.6 and 3.7; the last two are ours.
"""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.limits import PerClient

from ..operations import ON_NUMBERS
from .acting import OfTenant, act, action
from .naming import Chosen, NumbersOrList, OnlyNumbers, customer_of, of_customer

router = Router(tags=["actions"])

_RELEASES = PerClient("release", 10, 10)
_UNDER_WAY = ("requested",)  # a release that runs already: "not currently in another operation"


@action(
    router,
    "/v3/oc/numbers/action/release",
    "/v2/oc/numbers/action/release",
    permission=Permission.RELEASE,
    throttle=_RELEASES,
    summary="Release numbers",
)
def release(request: HttpRequest, asked: Query[OfTenant], body: NumbersOrList) -> HttpResponse:
    """Give numbers of one customer back: at Microsoft, on the SBCs and here.

    Only numbers that nobody uses. Ranges only while all SBCs of the customer are online.
    """
    chosen = _chosen(request, asked, body, Permission.RELEASE)
    params = {"range": True} if chosen.ranges else {}
    return act(request, ON_NUMBERS["release"], chosen, asked, params, conflicts=_UNDER_WAY)


@action(
    router,
    "/v3/oc/numbers/action/unassign",
    "/v2/oc/numbers/action/unassign",
    permission=Permission.UNASSIGN,
    summary="Un-assign numbers",
)
def unassign(request: HttpRequest, asked: Query[OfTenant], body: NumbersOrList) -> HttpResponse:
    """Take numbers of one customer from whoever uses them; the customer keeps them.

    Needs the connection to the customer's tenant. A number that nobody uses is left as it is.
    """
    return act(request, ON_NUMBERS["unassign"], _chosen(request, asked, body, Permission.UNASSIGN), asked)


@action(
    router,
    "/v3/oc/numbers/action/unassign-release",
    permission=Permission.RELEASE,
    throttle=_RELEASES,
    summary="Un-assign numbers, then release them",
)
def unassign_release(request: HttpRequest, asked: Query[OfTenant], body: OnlyNumbers) -> HttpResponse:
    """Both in a row: the task un-assigns, and gives the numbers to a release task of its own."""
    return act(request, ON_NUMBERS["unassign-release"], _chosen(request, asked, body, Permission.RELEASE), asked)


@action(
    router,
    "/v3/oc/numbers/action/withdraw-release",
    permission=Permission.RELEASE,
    summary="Withdraw releases",
)
def withdraw_release(request: HttpRequest, asked: Query[OfTenant], body: OnlyNumbers) -> HttpResponse:
    """Take back releases that have not been sent to Microsoft yet (OCADMIN_RELEASE_GRACE_SECONDS)."""
    return act(request, ON_NUMBERS["withdraw"], _chosen(request, asked, body, Permission.RELEASE), asked)


def _chosen(request: HttpRequest, asked: OfTenant, body: NumbersOrList, permission: Permission) -> Chosen:
    """The numbers that are named, of the tenant that is named."""
    by = principal_behind(request)
    return of_customer(body, customer_of(asked.msTenantId, by, permission), by)
