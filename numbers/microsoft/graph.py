"""Microsoft Graph inside a customer's own tenant: number assignments as the customer sees them (upstreams.md §2)."""

import uuid

from django.conf import settings
from django.utils.translation import gettext as _

from ocadmin.tasks.pauses import retry_after

from . import http
from .api import Api, Page
from .errors import Asked, BadAnswer, NotConfigured
from .graph_records import NumberAssignment, Operation, Started, parse_assignment, parse_operation
from .records import read

_ROOT = "/admin/teams/telephoneNumberManagement/numberAssignments"
PATHS = {
    "number_assignments": _ROOT,
    "unassign": f"{_ROOT}/unassignNumber",
    "update": f"{_ROOT}/updateNumber",
}
OPERATOR_CONNECT = "operatorConnect"  # the numberType of all our numbers


class Graph(Api):
    """The tenant of one customer. Every method raises the errors of errors.py; ApplicationUnknown: not connected."""

    next_key, total_key = "@odata.nextLink", "@odata.count"

    def __init__(self, tenant_id: str | uuid.UUID, correlation_id: str | uuid.UUID | None = None) -> None:
        who = _("Microsoft Graph in the tenant %s") % tenant_id
        env = settings.ENV
        for name in ("graph_url", "graph_scope"):
            if not getattr(env, name):
                raise NotConfigured(Asked(who, _("its address")), f"OCADMIN_{name.upper()}")
        super().__init__(
            who, env.graph_url, tenant=str(tenant_id), scope=env.graph_scope, correlation_id=correlation_id
        )

    def number_assignments_page(
        self, next_link: str | None = None, top: int | None = None, filter: str | None = None
    ) -> Page:
        """A page of raw numberAssignment records. `filter` is an OData expression; with `next_link` it is ignored.

        `top` None means the page size of the settings (Graph allows 1000).
        """
        what = _("the number assignments")
        if next_link:
            return self.page(next_link, what)
        params = {"$top": str(top or settings.ENV.page_size)}
        if filter:
            params["$filter"] = filter
        return self.page(PATHS["number_assignments"], what, params)

    def check_connection(self) -> None:
        """Return where we may read the customer's numbers.

        Raises ApplicationUnknown (not connected), Forbidden (a role is missing) and the rest of errors.py.
        """
        self.number_assignments_page(top=1)

    def assignment(self, e164: str) -> NumberAssignment | None:
        """One number as its tenant sees it now; None where the tenant has no such number."""
        what = _("the assignment of %s") % e164
        wanted = "telephoneNumber eq '{}'".format(e164.replace("'", "''"))  # OData doubles a quote inside a text
        for record in self.page(PATHS["number_assignments"], what, {"$filter": wanted}).records:
            found = read(parse_assignment, record, Asked(self.who, what), "telephoneNumber")
            if found.e164 == e164:
                return found
        return None

    def unassign(self, e164: str, number_type: str = OPERATOR_CONNECT) -> Started:
        """Take a number from whoever uses it. Answers the operation to follow; its link stays on Graph's host.

        Raises Refused (NumberNotAssigned, 409 while something else is under way), NotFound, and what errors.py has.
        After TimedOut, Unreachable, ServerError or BadAnswer it may have begun all the same: look at `assignment`.
        """
        what = _("the un-assignment of %s") % e164
        body = {"telephoneNumber": e164, "numberType": number_type}
        answer = self.request("POST", PATHS["unassign"], what, json=body)
        asked = Asked(self.who, what)
        link = answer.headers.get("Location") or answer.headers.get("Operation-Location") or ""
        if not link:
            raise BadAnswer(asked, _("it does not say where its operation can be followed"), **answer.ids)
        return Started(http.resolve(self.base, link, asked), retry_after(answer.headers))

    def operation(self, link: str) -> Operation:
        """How far an operation is. Raises NotFound when it is too old, BadAnswer for a link to another host."""
        what = _("an operation on a number")
        answer = self.request("GET", link, what)
        asked = Asked(self.who, what)
        ask_in = retry_after(answer.headers)
        return read(lambda record: parse_operation(record, ask_in), answer.json(asked), asked, "id")

    def update_location(self, e164: str, location_id: str | uuid.UUID | None) -> None:
        """Move a number to a location of its customer, None: to none. Done when it is answered (upstreams.md §2).

        Raises Refused with Microsoft's reason (LocationUpdateNotSupported, CountryMismatch …), NotFound.
        """
        body = {"telephoneNumber": e164, "locationId": str(location_id) if location_id else ""}
        self.request("POST", PATHS["update"], _("another location of %s") % e164, json=body)
