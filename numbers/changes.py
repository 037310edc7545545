"""Changes of numbers as programs are told them: the feed of the interface and what webhooks carry."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from ocadmin.access.models import AuditEntry

from .models import Customer

# The beginnings of actions (history.ACTIONS), for those who want some kinds of changes only.
FAMILIES = {
    "upload.": gettext_lazy("Uploads"),
    "sync.": gettext_lazy("What a synchronisation found: new, changed, gone, assigned"),
    "release.": gettext_lazy("Releases"),
    "unassign.": gettext_lazy("Un-assignments"),
    "location.": gettext_lazy("Emergency locations"),
    "capabilities.": gettext_lazy("Capabilities"),
    "removal.": gettext_lazy("Removals: approved, cleared, completed"),
    "quarantine.": gettext_lazy("Quarantine ended early"),
    "move_in.": gettext_lazy("Moved in from another platform"),
    "number.": gettext_lazy("Notes, tags and edits in the Django admin"),
}


def described(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """Entries about numbers as JSON objects, in the same order. One query for all."""
    tenants = _tenants({entry.customer_ref for entry in entries if entry.customer_ref is not None})
    return [
        {
            "id": entry.pk,
            "at": entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "action": entry.action,
            "telephoneNumber": entry.object_id,
            "msTenantId": tenants.get(entry.customer_ref),
            "before": entry.before,
            "after": entry.after,
            "message": entry.message,
            "taskId": entry.task_ref,
            "ticket": entry.ticket,
            "actor": entry.actor_name,
            "through": entry.channel,
        }
        for entry in entries
    ]


def _tenants(customers: Iterable[int]) -> dict[int | None, str]:
    rows = Customer.objects.filter(pk__in=customers).values_list("pk", "tenant_id")
    return {pk: str(tenant) for pk, tenant in rows}
