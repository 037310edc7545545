"""The audit entries of one chunk: collected while it is worked on, written at once in its transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import Principal

from ...history import number_entry, row_entry
from ...models import Customer, PhoneNumber


@dataclass
class Journal:
    """Who moves numbers in, through what, and what was done so far."""

    by: Principal
    channel: str
    entries: list[AuditEntry] = field(default_factory=list)

    def number(self, action: str, number: PhoneNumber, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Add the entry of one number."""
        customer = number.customer
        self.entries.append(
            number_entry(
                f"move_in.{action}",
                number.e164,
                by=self.by,
                channel=self.channel,
                customer_id=customer.pk,
                channel_id=customer.channel_id,
                before=before,
                after=after,
            )
        )

    def made(
        self, object_type: str, row: Model, customer: Customer | None = None, channel_ref: int | None = None
    ) -> None:
        """Add the entry of a row that was made; `customer` is whose it is, `channel_ref` whose without a customer."""
        made = row_entry("move_in.created", object_type, row, customer, by=self.by, channel=self.channel)
        if customer is None:
            made.channel_ref = channel_ref
        self.entries.append(made)

    def completed(self, customer: Customer, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Add the entry of a customer whose empty fields were filled."""
        self.entries.append(
            row_entry(
                "move_in.completed",
                "customer",
                customer,
                customer,
                by=self.by,
                channel=self.channel,
                before=before,
                after=after,
            )
        )

    def write(self) -> None:
        """Into the audit trail."""
        AuditEntry.objects.bulk_create(self.entries)
