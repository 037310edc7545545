"""Everything around the numbers: calling profiles, consents, connections to tenants, emergency addresses.

Small lists: read whole, compared row by row in Python, written only where they differ. What Microsoft no longer lists
is marked as gone and kept, because numbers may still point at it. Customers on hold are read too: no number
changes by it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import Task
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run
from sbc.models import SBC

from ...history import author, row_entry
from ...microsoft.errors import ApplicationUnknown, Forbidden, MicrosoftError, NotFound, TenantUnknown
from ...microsoft.graph import Graph
from ...microsoft.operator_connect import OperatorConnect
from ...microsoft.records import CallingProfileRecord, CivicAddressRecord, UsagePlan
from ...models import CallingProfile, CivicAddress, ConnectionState, Customer, Location, Trunk
from ...references import placeholder_name
from ..connections import note
from . import scope

T = TypeVar("T")

CONNECTION_AGE = timedelta(hours=24)


@dataclass
class Written:
    """What `upsert` did: the rows it made, and those it changed with before and after."""

    made: list[Model] = field(default_factory=list)
    changed: list[tuple[Model, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


def upsert(existing: QuerySet, key: str, wanted: Iterable[dict[str, Any]]) -> Written:
    """Make or change rows so that they hold the values in `wanted` (column name to value, `key` among them).

    `existing` are the rows that may already be there. Rows that hold the values already are not written.
    """
    rows = {getattr(row, key): row for row in existing}
    written = Written()
    for values in wanted:
        row = rows.get(values[key])
        if row is None:
            row = existing.model(**values)
            rows[values[key]] = row
            written.made.append(row)
            continue
        after = {name: value for name, value in values.items() if getattr(row, name) != value}
        if after:
            before = {name: getattr(row, name) for name in after}
            for name, value in after.items():
                setattr(row, name, value)
            written.changed.append((row, before, after))
    existing.model.objects.bulk_create(written.made, batch_size=500)
    columns = {name for _row, _before, after in written.changed for name in after}
    fields = [f.name for f in existing.model._meta.concrete_fields if f.attname in columns]
    if fields:
        existing.model.objects.bulk_update([row for row, _before, _after in written.changed], fields, batch_size=200)
    return written


def profiles(run: Run) -> Outcome:
    """Calling profiles and their trunks; a trunk is tied to the SBC of the same FQDN or name."""
    records = list(OperatorConnect(correlation_id=run.task.uid).calling_profiles())
    with run.commit():
        ids = [record.id for record in records]
        existing = CallingProfile.objects.filter(Q(pk__in=ids) | Q(removed_at__isnull=True))
        written = upsert(existing, "id", [_profile_values(record) for record in records])
        CallingProfile.objects.filter(removed_at__isnull=True).exclude(pk__in=ids).update(removed_at=timezone.now())
        for record in records:
            _trunks(record)
        _audit(run.task, "calling_profile", written)
        run.cursor["phase"] = "consents"
        run.task.step = _("Reading calling profiles")
    return Continue()


def consents(run: Run) -> Outcome:
    """Consents make customers: a new one becomes a new customer, a changed one is recorded."""
    customers = scope.limited_to(run.task)
    known = Customer.objects.all() if customers is None else Customer.objects.filter(pk__in=customers)
    wanted = set(known.values_list("tenant_id", flat=True))
    records = OperatorConnect(correlation_id=run.task.uid).consents()
    listed = [record for record in records if customers is None or record.tenant_id in wanted]
    with run.commit():
        names = dict(known.values_list("tenant_id", "full_name"))
        values = [
            {
                "tenant_id": record.tenant_id,
                "ms_company_name": record.company_name,
                "full_name": _full_name(names.get(record.tenant_id), record.company_name, record.tenant_id),
                "consent_status": record.status,
                "relationship_status": record.relationship_status,
                "consented_on": record.consented_on,
                "consented_countries": record.consented_countries,
                "contacts": record.contacts,
            }
            for record in listed
        ]
        written = upsert(known, "tenant_id", values)
        _audit(run.task, "customer", written)
        run.cursor |= {"phase": "connections", "after": 0}
        run.task.step = _("Reading consents")
    return Continue()


def connections(run: Run) -> Outcome:
    """Whether we may act inside each customer's tenant; asked once a day, and whenever one customer is synchronised."""
    customers = _customers(run).filter(pk__gt=run.cursor.get("after", 0)).order_by("pk")
    if scope.limited_to(run.task) is None:
        stale = timezone.now() - CONNECTION_AGE
        customers = customers.filter(Q(connection_checked_at__isnull=True) | Q(connection_checked_at__lt=stale))
    customer = customers.first()
    if customer is None:
        return _next(run, "addresses")
    state, message = _connection(run, customer)
    with run.commit():
        note(run.task, customer, state, message)
        run.cursor["after"] = customer.pk
        run.task.step = _("Checking the connection to %(customer)s") % {"customer": customer.full_name}
    return Continue()


def addresses(run: Run) -> Outcome:
    """Civic addresses, locations and usages, one customer a step. What cannot be read of a customer is noted."""
    customer = _customers(run).filter(pk__gt=run.cursor.get("after", 0)).order_by("pk").first()
    if customer is None:
        return _next(run, "numbers")
    microsoft, notes = OperatorConnect(correlation_id=run.task.uid), list[str]()
    unread = _("The addresses of %(customer)s could not be read: %(reason)s")
    records = _read(lambda: microsoft.civic_addresses(customer.tenant_id), customer, unread, notes)
    unread = _("The usages of %(customer)s could not be read: %(reason)s")
    plans = _read(lambda: microsoft.usages(customer.tenant_id), customer, unread, notes)
    with run.commit():
        if records is not None:
            _addresses(run.task, customer, records)
        if plans is not None:
            _plans(run.task, customer, plans)
        if notes:
            run.task.result.setdefault("notes", []).extend(notes)
        run.cursor["after"] = customer.pk
        run.task.step = _("Reading the addresses of %(customer)s") % {"customer": customer.full_name}
    return Continue()


def _read(ask: Callable[[], Iterable[T]], customer: Customer, unread: str, notes: list[str]) -> list[T] | None:
    """What `ask` answers; None, and a sentence more in `notes`, where Microsoft does not let us read it."""
    try:
        return list(ask())
    except (Forbidden, NotFound, TenantUnknown) as error:
        notes.append(unread % {"customer": customer.full_name, "reason": error.message})
        return None


def _customers(run: Run) -> QuerySet[Customer]:
    customers = scope.limited_to(run.task)
    return Customer.objects.all() if customers is None else Customer.objects.filter(pk__in=customers)


def _next(run: Run, phase: str) -> Outcome:
    with run.commit():
        run.cursor |= {"phase": phase, "after": "" if phase == "numbers" else 0}
        if phase == "numbers":
            run.task.step = _("Reading numbers from Microsoft")
    return Continue()


def _full_name(ours: str | None, theirs: str, tenant: Any) -> str:
    """The operator's own name for a customer is kept; Microsoft's fills in where there is none yet."""
    placeholder = placeholder_name(tenant)
    return ours if ours and ours != placeholder else theirs or placeholder


def _connection(run: Run, customer: Customer) -> tuple[str, str]:
    """The state of the connection and why. A passing failure leaves the state as it is."""
    try:
        Graph(customer.tenant_id, correlation_id=run.task.uid).check_connection()
    except (ApplicationUnknown, TenantUnknown, Forbidden) as error:
        return ConnectionState.NOT_CONNECTED, error.message
    except MicrosoftError as error:
        return customer.connection, error.message
    return ConnectionState.CONNECTED, ""


def _profile_values(record: CallingProfileRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "region": record.region,
        "carrier": record.carrier,
        "offer_types": record.offer_types,
        "emergency_dial_strings": record.emergency_dial_strings,
        "is_emergency_profile": record.is_emergency_profile,
        "emergency_profile_id": record.emergency_profile_id,
        "removed_at": None,
    }


def _trunks(record: CallingProfileRecord) -> None:
    """The trunks of one profile, as Microsoft lists them now."""
    wanted = []
    for trunk in record.trunks:
        fqdns = (trunk.fqdn, *trunk.sbc_fqdns)
        sbc = SBC.objects.filter(Q(fqdn__in=fqdns) | Q(name__in=trunk.sbc_names)).order_by("pk").first()
        wanted.append(
            {"profile_id": record.id, "fqdn": trunk.fqdn, "trunk_id": trunk.trunk_id, "sbc_id": sbc.pk if sbc else None}
        )
    existing = Trunk.objects.filter(profile_id=record.id)
    upsert(existing, "fqdn", wanted)
    existing.exclude(fqdn__in=[values["fqdn"] for values in wanted]).delete()


_ADDRESS_FIELDS = [f.attname for f in CivicAddress._meta.concrete_fields if f.name not in ("customer", "removed_at")]


def _addresses(task: Task, customer: Customer, records: list[CivicAddressRecord]) -> None:
    """Write one customer's addresses and locations; those no longer listed are marked as gone."""
    now = timezone.now()
    ids = [record.id for record in records]
    wanted = [
        {name: getattr(record, name) for name in _ADDRESS_FIELDS} | {"customer_id": customer.pk, "removed_at": None}
        for record in records
    ]
    existing = CivicAddress.objects.filter(Q(pk__in=ids) | Q(customer=customer))
    _audit(task, "civic_address", upsert(existing, "id", wanted), customer)
    CivicAddress.objects.filter(customer=customer, removed_at__isnull=True).exclude(pk__in=ids).update(removed_at=now)
    places = [
        {
            "id": place.id,
            "civic_address_id": record.id,
            "description": place.description,
            "additional_info": place.additional_info,
            "is_default": place.is_default,
            "elin": place.elin,
            "removed_at": None,
        }
        for record in records
        for place in record.locations
    ]
    listed = [place.id for record in records for place in record.locations]
    of_customer = Location.objects.filter(civic_address__customer=customer)
    upsert(Location.objects.filter(Q(pk__in=listed) | Q(civic_address__customer=customer)), "id", places)
    of_customer.filter(removed_at__isnull=True).exclude(pk__in=listed).update(removed_at=now)


def _plans(task: Task, customer: Customer, plans: list[UsagePlan]) -> None:
    """What the customer's numbers may be used for, where that is something else than before."""
    after = [
        {
            "usage": plan.usage,
            "offer_types": plan.offer_types,
            "mandatory_capabilities": plan.mandatory_capabilities,
            "choosable_capabilities": plan.choosable_capabilities,
            "supports_toll_free": plan.supports_toll_free,
        }
        for plan in plans
    ]
    before = customer.usage_plans
    if before != after:
        Customer.objects.filter(pk=customer.pk).update(usage_plans=after)
        changed = (customer, {"usage_plans": before}, {"usage_plans": after})
        _audit(task, "customer", Written(changed=[changed]))


def _audit(task: Task, object_type: str, written: Written, customer: Customer | None = None) -> None:
    """One entry for each row made or changed."""
    changes: list[tuple[str, Model, dict[str, Any], dict[str, Any]]]
    changes = [("sync.new", row, {}, {}) for row in written.made]
    changes += [("sync.changed", row, before, after) for row, before, after in written.changed]
    AuditEntry.objects.bulk_create(
        row_entry(
            action,
            object_type,
            row,
            customer or (row if isinstance(row, Customer) else None),
            by=author(task),
            channel=task.channel,
            task_ref=task.pk,
            before=before,
            after=after,
        )
        for action, row, before, after in changes
    )
