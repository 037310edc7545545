"""The operator's side of Operator Connect.

Microsoft does not publish this interface. Paths and field names are reconstructed from the public interfaces that wrap
it (upstreams.md §9); they stand here in one place, and the base address and the scope are settings.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from ocadmin.tasks.pauses import retry_after

from . import fields
from .api import Api, Page
from .errors import Asked, NotConfigured
from .fields import Record
from .http import Answer
from .job_records import JobRecord, Validation, parse_job, parse_validation
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
from .release_requests import ReleaseRequest, parse_release_request

PATHS = {
    "consents": "/consents",
    "calling_profiles": "/calling-profiles",
    "usages": "/tenants/{tenant_id}/usages",
    "civic_addresses": "/tenants/{tenant_id}/civic-addresses",
    "numbers": "/telephone-numbers",
    "number": "/telephone-numbers/{e164}",
    "validate": "/telephone-numbers:validate",
    "release_requests": "/release-requests",
    "jobs": "/{kind}",
    "job": "/{kind}/{job_id}",
}
LIST_SIZE = 1000

__all__ = ["PATHS", "OperatorConnect", "Page", "parse_number"]


@dataclass(frozen=True)
class Accepted:
    """A job that Microsoft has taken on. `ask_in` is when it wants to be asked, in seconds; None: it named no time."""

    job_id: uuid.UUID
    status: str
    ask_in: float | None


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

    def validate(self, tenant_id: str | uuid.UUID, numbers: Sequence[str]) -> list[Validation]:
        """Microsoft's word on whether `numbers` (at most 1,000) may be uploaded to a customer. Raises TenantUnknown."""
        what = _("a check of %(count)d numbers for the tenant %(tenant)s")
        what %= {"count": len(numbers), "tenant": tenant_id}
        asked = Asked(self.who, what)
        body = {"tenantId": str(tenant_id), "telephoneNumbers": list(numbers)}
        found = self.request("POST", PATHS["validate"], what, json=body).json(asked)
        rows = read(lambda one: fields.objects(one, "telephoneNumbers"), found, asked, "validationResult")
        return [read(parse_validation, one, asked, "telephoneNumber") for one in rows]

    def start_job(self, kind: str, body: dict[str, Any], correlation_id: uuid.UUID) -> Accepted:
        """Ask for a job of `kind` ("uploads", "releases", "capability-updates", "location-updates").

        The same correlation id with the same body is answered with the job it had started before (upstreams.md §9.3).
        Raises what errors.py has; after TimedOut, Unreachable, ServerError or BadAnswer the job may exist: `find_job`.
        """
        what = _("a job (%s)") % kind
        lines = {"Repeatability-Request-ID": str(correlation_id)}
        answer = self.request(
            "POST", _path("jobs", kind=kind), what, json=body | {"correlationId": str(correlation_id)}, headers=lines
        )
        return self._accepted(answer, what)

    def find_job(self, kind: str, correlation_id: uuid.UUID) -> JobRecord | None:
        """The job that carries our correlation id, without its entries; None where Microsoft has none."""
        what = _("the job with our mark %s") % correlation_id
        page = self.page(_path("jobs", kind=kind), what, {"correlationId": str(correlation_id)})
        for record in page.records:
            return read(parse_job, record, Asked(self.who, what), "jobId")
        return None

    def job(self, kind: str, job_id: uuid.UUID) -> tuple[JobRecord, float | None]:
        """A job with what became of its numbers, and when to ask again (seconds). Raises NotFound for an old one."""
        what = _("the job %s") % job_id
        asked = Asked(self.who, what)
        answer = self.request("GET", _path("job", kind=kind, job_id=job_id), what)
        return read(parse_job, answer.json(asked), asked, "jobId"), retry_after(answer.headers)

    def release_requests(self, status: str | None = None) -> Iterator[ReleaseRequest]:
        """What customers asked to give back, oldest first: Pending, Held, Approved or Withdrawn; None: all of them."""
        what = _("the customers' release requests")
        params = {"top": str(LIST_SIZE)} | ({"status": status} if status else {})
        for record in self.walk(PATHS["release_requests"], what, params):
            yield read(parse_release_request, record, Asked(self.who, what), "id")

    def decide(self, ids: Sequence[uuid.UUID], decision: str, comment: str = "") -> None:
        """Answer "Approve" or "Hold" to at most 1,000 release requests: all of them or none (upstreams.md §9.3).

        Raises Refused with the code AlreadyDecided, and the numbers in its details, where that comes too late for some.
        """
        what = _("a decision on %d release requests") % len(ids)
        body = {"ids": [str(one) for one in ids], "decision": decision, "comment": comment or None}
        self.request("POST", PATHS["release_requests"], what, json=body)

    def _accepted(self, answer: Answer, what: str) -> Accepted:
        asked = Asked(self.who, what)
        record: Record = answer.json(asked)
        job_id = read(lambda one: fields.required_guid(one, "jobId"), record, asked, "jobId")
        status = read(lambda one: fields.text(one, "status", 32), record, asked, "jobId")
        return Accepted(job_id, status, retry_after(answer.headers))

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
