"""From Microsoft's records to staging rows."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from ocadmin.tasks.models import Task

from ... import references
from ...microsoft.errors import UnreadableRecord
from ...microsoft.records import NumberRecord
from ...models import PhoneNumber, StagedNumber
from ...models.staged_number import SCALARS
from ...references import Place

_COPIED = ("e164", "upstream_status", *SCALARS)


def rows(task: Task, records: list[NumberRecord]) -> tuple[list[StagedNumber], list[UnreadableRecord]]:
    """Staging rows for `records`, and those that name a location which belongs nowhere."""
    customers = references.customers({record.tenant_id for record in records})
    references.profiles({record.calling_profile_id for record in records if record.calling_profile_id})
    addresses = references.addresses(
        Place(customers[record.tenant_id], record.iso_country_code, record.location_id, record.civic_address_id)
        for record in records
    )
    staged, refused = [], []
    for record in records:
        row = _row(task, record, customers[record.tenant_id])
        if record.location_id:  # the address is derived from the location, never a second choice (design §5)
            row.civic_address_id = addresses.get(record.location_id)
        if record.location_id and row.civic_address_id is None:
            reason = _("its location %(id)s belongs to no known address") % {"id": record.location_id}
            refused.append(UnreadableRecord(reason, record.e164))
        else:
            staged.append(row)
    return staged, refused


def placeholders(task: Task, problems: Iterable[UnreadableRecord]) -> list[StagedNumber]:
    """Rows that only say "this number of ours is on the list, but its record cannot be read"."""
    reasons = {problem.telephone_number: problem.reason for problem in problems if problem.telephone_number}
    ours = PhoneNumber.objects.filter(e164__in=reasons).values_list("e164", "customer_id")
    return [
        StagedNumber(task=task, e164=e164, customer_id=customer_id, problem=reasons[e164][:500])
        for e164, customer_id in ours
    ]


def _row(task: Task, record: NumberRecord, customer_id: int) -> StagedNumber:
    row = StagedNumber(task=task, customer_id=customer_id)
    for name in _COPIED:
        setattr(row, name, getattr(record, name))
    row.additional_usages = list(record.additional_usages)
    row.acquired_capabilities = list(record.acquired_capabilities)
    available = record.available_capabilities
    row.available_capabilities = None if available is None else list(available)
    return row
