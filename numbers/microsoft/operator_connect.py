"""The operator's side of Operator Connect.

Microsoft does not publish this interface. Paths and field names are reconstructed from the public interfaces that wrap
it (upstreams.md §9); they stand here in one place, and the base address and the scope are settings.
"""

import uuid
from collections.abc import Iterator
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from .api import Api, Page
from .errors import Asked, NotConfigured
from .records import (
    CallingProfileRecord,
    CivicAddressRecord,
    Consent,
    NumberRecord,
    UsagePlan,
    parse_civic_address,
    parse_consent,
    parse_number,
    parse_profile,
    parse_usage,
    read,
)

PATHS = {
    "consents": "/consents",
    "calling_profiles": "/calling-profiles",
    "usages": "/tenants/{tenant_id}/usages",
    "civic_addresses": "/tenants/{tenant_id}/civic-addresses",
    "numbers": "/telephone-numbers",
    "number": "/telephone-numbers/{e164}",
}
LIST_SIZE = 1000

__all__ = ["PATHS", "OperatorConnect", "Page", "parse_number"]


class OperatorConnect(Api):
    """The operator named in the settings. Every method raises the errors of errors.py."""

    def __init__(self, correlation_id: str | uuid.UUID | None = None) -> None:
        who = _("Microsoft's operator interface")
        env = settings.ENV
        for name in ("operator_url", "operator_id", "entra_tenant", "operator_scope"):
            if not getattr(env, name):
                raise NotConfigured(Asked(who, _("its address and our operator")), f"OCADMIN_{name.upper()}")
        super().__init__(
            who,
            f"{env.operator_url}/operators/{quote(env.operator_id, safe='')}",
            tenant=env.entra_tenant,
            scope=env.operator_scope,
            correlation_id=correlation_id,
        )

    def consents(self) -> Iterator[Consent]:
        """The consents of all customers, also suspended and removed ones."""
        what = _("the customers' consents")
        for record in self.walk(PATHS["consents"], what, {"top": str(LIST_SIZE)}):
            yield read(parse_consent, record, Asked(self.who, what), "tenantId")

    def calling_profiles(self) -> Iterator[CallingProfileRecord]:
        """All calling profiles of the operator."""
        what = _("the calling profiles")
        for record in self.walk(PATHS["calling_profiles"], what):
            yield read(parse_profile, record, Asked(self.who, what), "callingProfileId")

    def civic_addresses(self, tenant_id: str | uuid.UUID) -> Iterator[CivicAddressRecord]:
        """The emergency addresses of a customer. Raises TenantUnknown."""
        what = _("the emergency addresses of the tenant %s") % tenant_id
        for record in self.walk(_path("civic_addresses", tenant_id=tenant_id), what):
            yield read(parse_civic_address, record, Asked(self.who, what), "id")

    def usages(self, tenant_id: str | uuid.UUID) -> Iterator[UsagePlan]:
        """What numbers of a customer may be uploaded for. Raises TenantUnknown."""
        what = _("the usages of the tenant %s") % tenant_id
        for record in self.walk(_path("usages", tenant_id=tenant_id), what):
            yield read(parse_usage, record, Asked(self.who, what), "name")

    def number(self, e164: str) -> NumberRecord:
        """One number. Raises NotFound."""
        what = _("the number %s") % e164
        asked = Asked(self.who, what)
        record = self.request("GET", _path("number", e164=e164), what).json(asked)
        return read(parse_number, record, asked, "telephoneNumber")

    def numbers_page(
        self, *, tenant_id: str | uuid.UUID | None = None, next_link: str | None = None, top: int | None = None
    ) -> Page:
        """A page of raw records for `parse_number`; a task may stop after any page and go on with its `next_link`.

        With `next_link` the other two are ignored: the link holds them. `tenant_id` None means all customers, `top`
        None the page size of the settings. Raises TenantUnknown.
        """
        what = _("numbers") if tenant_id is None else _("the numbers of the tenant %s") % tenant_id
        if next_link:
            return self.page(next_link, what)
        params = {"top": str(top or settings.ENV.page_size)}
        if tenant_id is not None:
            params["tenantId"] = str(tenant_id)
        return self.page(PATHS["numbers"], what, params)


def _path(name: str, **values: object) -> str:
    return PATHS[name].format(**{key: quote(str(value), safe="") for key, value in values.items()})
