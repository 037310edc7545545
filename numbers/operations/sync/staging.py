"""From Microsoft's records to staging rows."""

from collections.abc import Iterable

from django.db.models import Model
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import Task

from ... import references
from ...history import author, row_entry
from ...microsoft.errors import UnreadableRecord
from ...microsoft.records import NumberRecord
from ...models import CallingProfile, CivicAddress, Customer, PhoneNumber, StagedNumber
from ...models.staged_number import SCALARS
from ...references import Place

_COPIED = ("e164", "upstream_status", *SCALARS)


def rows(task: Task, records: list[NumberRecord]) -> tuple[list[StagedNumber], list[UnreadableRecord]]:
    """Staging rows for `records`, and those that name a location which belongs nowhere."""
    customers, new_customers = references.customers({record.tenant_id for record in records})
    new_profiles = references.profiles({record.calling_profile_id for record in records if record.calling_profile_id})
    addresses, new_addresses = references.addresses(
        Place(customers[record.tenant_id], record.iso_country_code, record.location_id, record.civic_address_id)
        for record in records
    )
    _audit(task, new_customers, new_profiles, new_addresses)
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


def _audit(
    task: Task, customers: list[Customer], profiles: list[CallingProfile], addresses: list[CivicAddress]
) -> None:
    """One entry for each row that was made because a number points at it."""
    owners = Customer.objects.in_bulk({address.customer_id for address in addresses})
    made: list[tuple[str, Model, Customer | None]] = [("customer", customer, customer) for customer in customers]
    made += [("calling_profile", profile, None) for profile in profiles]
    made += [("civic_address", address, owners[address.customer_id]) for address in addresses]
    AuditEntry.objects.bulk_create(
        row_entry("sync.new", kind, row, owner, by=author(task), channel=task.channel, task_ref=task.pk)
        for kind, row, owner in made
    )


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
