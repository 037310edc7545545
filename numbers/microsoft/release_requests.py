"""What customers ask to give back, as Microsoft lists it (upstreams.md §9.3, §9.4)."""

import uuid
from dataclasses import dataclass

from . import fields
from .fields import Record


@dataclass(frozen=True)
class ReleaseRequest:
    """One number of one tenant. `status` is Microsoft's word: Pending, Held, Approved, Withdrawn."""

    id: uuid.UUID
    e164: str
    tenant_id: uuid.UUID
    status: str


def parse_release_request(record: Record) -> ReleaseRequest:
    """One request. Raises Unusable."""
    return ReleaseRequest(
        id=fields.required_guid(record, "id"),
        e164=fields.e164(record, "telephoneNumber"),
        tenant_id=fields.required_guid(record, "tenantId"),
        status=fields.text(record, "status", 32, required=True),
    )
