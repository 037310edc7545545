"""Microsoft Graph inside a customer's own tenant: number assignments as the customer sees them (upstreams.md §2)."""

import uuid

from django.conf import settings
from django.utils.translation import gettext as _

from .api import Api, Page
from .errors import Asked, NotConfigured

PATHS = {"number_assignments": "/admin/teams/telephoneNumberManagement/numberAssignments"}


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
