"""What the records say about customers and SBCs: found, made, or completed where ours is empty."""

import uuid

from sbc.models import SBC

from ... import references
from ...models import Channel, Customer, SipConnection
from .journal import Journal
from .record import MoveInRecord, SbcLink


def customers(records: list[MoveInRecord], journal: Journal) -> dict[uuid.UUID, Customer]:
    """Tenant to customer. Empty fields of a customer are filled from the record; filled ones stay as they are."""
    by_tenant = {r.tenant_id: r for r in sorted(records, key=lambda r: r.channel_id is not None)}  # the last one counts
    _known, made = references.customers(set(by_tenant))
    fresh = {customer.pk for customer in made}
    rows = Customer.objects.in_bulk(by_tenant, field_name="tenant_id")
    channels = _channels({record.channel_id for record in records if record.channel_id}, journal)
    for tenant, customer in rows.items():
        record = by_tenant[tenant]
        values = {
            "ms_company_name": customer.ms_company_name or record.company,
            "ump_customer_guid": customer.ump_customer_guid or record.customer_guid,
            "consented_on": customer.consented_on or record.consented_on,
            "channel_id": customer.channel_id or channels.get(record.channel_id or 0),
        }
        if (
            customer.full_name in (references.placeholder_name(tenant), customer.ms_company_name)
            and record.customer_name
        ):
            values["full_name"] = record.customer_name
        changed = {name: value for name, value in values.items() if getattr(customer, name) != value}
        if changed:
            before = {name: getattr(customer, name) for name in changed}
            Customer.objects.filter(pk=customer.pk).update(**changed)
            for name, value in changed.items():
                setattr(customer, name, value)
            if customer.pk not in fresh:
                journal.completed(customer, before, changed)
        if customer.pk in fresh:
            journal.made("customer", customer, customer)
    return rows


def sip_connections(records: list[MoveInRecord], customers: dict[uuid.UUID, Customer], journal: Journal) -> None:
    """One connection for each customer, calling profile and SBC that the records name together."""
    sbcs = _sbcs({link for record in records for link in record.sbcs}, journal)
    wanted = {}
    for record in records:
        if record.calling_profile_id is None:
            continue
        for link in record.sbcs:
            key = (customers[record.tenant_id].pk, record.calling_profile_id, sbcs[link].pk)
            wanted[key] = SipConnection(
                customer_id=key[0],
                calling_profile_id=key[1],
                sbc_id=key[2],
                name=record.connection_name,
                description=record.connection_description,
            )
    owners = {customer.pk: customer for customer in customers.values()}
    there = SipConnection.objects.filter(customer__in=owners)
    known = set(there.values_list("pk", flat=True))
    SipConnection.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    for row in there.exclude(pk__in=known).select_related("sbc").order_by("pk"):  # now with their ids
        journal.made("sip_connection", row, owners[row.customer_id])


def _channels(ids: set[int], journal: Journal) -> dict[int, int]:
    for channel_id in ids - set(
        Channel.objects.filter(ovoc_channel_id__in=ids).values_list("ovoc_channel_id", flat=True)
    ):
        row = Channel.objects.create(ovoc_channel_id=channel_id, name=f"Channel {channel_id}")
        journal.made("channel", row, channel_ref=row.pk)
    rows = Channel.objects.filter(ovoc_channel_id__in=ids).values_list("ovoc_channel_id", "pk")
    return {channel_id: pk for channel_id, pk in rows if channel_id}


def _sbcs(links: set[SbcLink], journal: Journal) -> dict[SbcLink, SBC]:
    """The SBC of each link: by name, by FQDN, else made, under its own id where that is free."""
    found = {}
    for link in sorted(links, key=lambda link: (link.id or 0, link.name)):
        sbc = SBC.objects.filter(name=link.name).first()
        if sbc is None and link.fqdn:
            sbc = SBC.objects.filter(fqdn=link.fqdn).first()
        if sbc is None:
            free = link.id is not None and not SBC.objects.filter(pk=link.id).exists()
            sbc = SBC.objects.create(pk=link.id if free else None, name=link.name, fqdn=link.fqdn)
            journal.made("sbc", sbc)
        found[link] = sbc
    return found
