"""The verb: everything is read and checked first, then written in chunks.

What is already here is completed, never overwritten.

A number that synchronisation has met before keeps what Microsoft says about it; it only gets what no synchronisation
can know: its source, its local ids, when it was created. Loading the same records twice changes nothing.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal
from sbc.models import SBC

from ... import references
from ...lifecycle import Source, Status
from ...microsoft.fields import Unusable
from ...models import Customer, PhoneNumber
from ...references import Place
from . import directory
from .journal import Journal
from .record import MoveInRecord, read
from .source import MoveInRefused

CHUNK = 1000
SHOWN_PROBLEMS = 20
# What synchronisation cannot know, and what is therefore completed on numbers that are here already.
OURS = ("source", "when_created", "upload_entry_id", "upload_job_id", "tenant_calling_profile_id", "exact_times")


@dataclass
class Loaded:
    """What came of it. `conflicts` are numbers that belong to another customer here: left as they are."""

    created: int = 0
    completed: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)
    renumbered: int = 0


def load(
    raw: Iterable[dict[str, Any]], *, by: Principal, channel: str, progress: Callable[[int, int], None] | None = None
) -> Loaded:
    """Load V3 records. Raises MoveInRefused, before anything is written, when a record cannot be used."""
    records = check(raw)
    result = Loaded()
    iterator = iter(records)
    while chunk := list(islice(iterator, CHUNK)):
        with transaction.atomic():
            _load_chunk(chunk, result, by, channel)
        if progress:
            progress(result.created + result.completed + result.unchanged + len(result.conflicts), len(records))
    _move_sequences()
    return result


def check(raw: Iterable[dict[str, Any]]) -> list[MoveInRecord]:
    """All records, read. Raises MoveInRefused with the first problems, each with its place in the list."""
    records: dict[str, MoveInRecord] = {}
    known = Customer.objects.exclude(ump_customer_guid=None).values_list("ump_customer_guid", "tenant_id")
    services = {service: tenant for service, tenant in known if service}
    problems = []
    for position, item in enumerate(raw, 1):
        try:
            record = read(item)
        except Unusable as problem:
            problems.append(_("record %(n)d: %(problem)s") % {"n": position, "problem": problem})
            continue
        twin = records.setdefault(record.e164, record)
        if twin.tenant_id != record.tenant_id:
            text = _("record %(n)d: %(e164)s stands in the list twice, with two tenants")
            problems.append(text % {"n": position, "e164": record.e164})
        service = record.customer_guid
        if service and services.setdefault(service, record.tenant_id) != record.tenant_id:
            text = _("record %(n)d: umpCustomerGuid %(id)s belongs to another tenant")
            problems.append(text % {"n": position, "id": service})
    if problems:
        lines = [_("Nothing was loaded, because %(n)d records cannot be used:") % {"n": len(problems)}]
        lines += problems[:SHOWN_PROBLEMS]
        if len(problems) > SHOWN_PROBLEMS:
            lines.append(_("and %(n)d more") % {"n": len(problems) - SHOWN_PROBLEMS})
        raise MoveInRefused("\n".join(lines))
    return list(records.values())


@dataclass
class _Chunk:
    """What one chunk will write."""

    made: list[PhoneNumber] = field(default_factory=list)
    completed: list[PhoneNumber] = field(default_factory=list)


def _load_chunk(records: list[MoveInRecord], result: Loaded, by: Principal, channel: str) -> None:
    journal = Journal(by, channel)
    customers = directory.customers(records, journal)
    addresses = _references(records, customers, journal)
    directory.sip_connections(records, customers, journal)
    e164s = [record.e164 for record in records]
    here = (
        PhoneNumber.objects.select_for_update(of=("self",)).select_related("customer").in_bulk(e164s, field_name="e164")
    )
    ids = [record.row_id for record in records if record.row_id]
    taken = set(PhoneNumber.objects.filter(pk__in=ids).values_list("pk", flat=True))
    work = _Chunk()
    for record in records:
        customer = customers[record.tenant_id]
        number = here.get(record.e164)
        if number is None:
            number = _new_number(record, customer, addresses)
            number.pk = record.row_id if record.row_id not in taken else None
            result.renumbered += record.row_id is not None and number.pk is None
            work.made.append(number)
            journal.number("created", number, {}, {"status": Status(number.status).name})
        elif number.customer_id != customer.pk:
            result.conflicts.append(record.e164)
        elif before := _complete(number, record):
            work.completed.append(number)
            journal.number("completed", number, before, {name: getattr(number, name) for name in before})
        else:
            result.unchanged += 1
    _insert(work.made)
    PhoneNumber.objects.bulk_update(work.completed, [*OURS, "modified_at"], batch_size=200)
    journal.write()
    result.created += len(work.made)
    result.completed += len(work.completed)


def _references(
    records: list[MoveInRecord], customers: Mapping[uuid.UUID, Customer], journal: Journal
) -> Mapping[uuid.UUID, uuid.UUID]:
    """Make the profiles and addresses that are missing. Returns location to civic address."""
    for profile in references.profiles({record.calling_profile_id for record in records if record.calling_profile_id}):
        journal.made("calling_profile", profile)
    addresses, made = references.addresses(
        Place(customers[r.tenant_id].pk, r.columns["iso_country_code"], r.location_id, r.civic_address_id)
        for r in records
    )
    owners = {customer.pk: customer for customer in customers.values()}
    for address in made:
        journal.made("civic_address", address, owners[address.customer_id])
    return addresses


def _insert(numbers: list[PhoneNumber]) -> None:
    """Rows that bring their id and rows that do not need two statements."""
    PhoneNumber.objects.bulk_create([number for number in numbers if number.pk is not None])
    PhoneNumber.objects.bulk_create([number for number in numbers if number.pk is None])


def _new_number(record: MoveInRecord, customer: Customer, addresses: Any) -> PhoneNumber:
    civic = addresses.get(record.location_id) if record.location_id else record.civic_address_id
    return PhoneNumber(
        e164=record.e164,
        customer=customer,
        calling_profile_id=record.calling_profile_id,
        location_id=record.location_id if civic else None,
        civic_address_id=civic,
        **record.columns,
    )


def _complete(number: PhoneNumber, record: MoveInRecord) -> dict[str, Any]:
    """Fill in what is ours on a number that synchronisation brought. Returns the old values, {} if nothing changes."""
    if number.upload_entry_id is not None or number.source != Source.EXTERNAL:
        return {}
    wanted = {name: record.columns[name] for name in OURS if name in record.columns}
    before = {name: getattr(number, name) for name, value in wanted.items() if getattr(number, name) != value}
    if before.keys() <= {"exact_times", "when_created"}:
        return {}
    for name, value in wanted.items():
        setattr(number, name, value)
    number.modified_at = timezone.now()
    return before


def _move_sequences() -> None:
    """After rows that brought their ids, let the database count on from the highest one."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [PhoneNumber, SBC]):
            cursor.execute(sql)
