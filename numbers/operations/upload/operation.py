"""Upload: numbers become a customer's. First the checks, then the SBC's rule, then Microsoft (design §5).

A crash in between leaves spare routing, never a live number without. An uploaded number waits as PendingFirstSync until
a synchronisation sees it.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings as project
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import Task, TaskItem
from ocadmin.tasks.outcomes import Outcome
from ocadmin.tasks.run import Run

from ...models import Customer, UpstreamJob
from ..base import add_up
from ..jobs import JobOperation
from . import arrival, checking, routes
from .planning import KIND
from .settings import Settings


class Upload(JobOperation):
    """One job at Microsoft for each group of equal settings and thousand numbers. Its plan is made in planning.py."""

    kind = KIND
    jobs = "uploads"
    label = gettext_lazy("Upload")
    permission = Permission.UPLOAD
    note = gettext_lazy(
        "The numbers are written to the SBC, then given to the customer at Microsoft. They can be used as soon as a "
        "synchronisation has seen them there."
    )

    def prepare(self, run: Run) -> Outcome | None:
        """All checks before any SBC is touched, all SBCs before Microsoft is asked."""
        return checking.check_next(run) or routes.bring_next(run)

    def retried(self, task: Task) -> None:
        """They are judged once more by the task itself, before anything leaves the house."""
        add_up(task)

    def batch(self, pending: QuerySet[TaskItem]) -> list[TaskItem]:
        """Routed numbers of one customer with the same settings."""
        ready = pending.filter(code=routes.ROUTED)
        first = ready.first()
        if first is None:
            return []
        same = ready.filter(customer_ref=first.customer_ref, data__group=first.data["group"])
        return list(same[: project.ENV.job_size])

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """upstreams.md §9.3. What is not named is named empty: left out, it would mean all that is supported."""
        wanted = settings_of(task, items[0])
        return {
            "tenantId": str(customer.tenant_id),
            "callingProfileId": str(wanted.calling_profile),
            "usage": wanted.usage,
            "additionalUsages": list(wanted.additional_usages),
            "capabilities": list(wanted.capabilities),
            "telephoneNumbers": [item.key for item in items],
            "locationId": str(wanted.location) if wanted.location else None,
            "civicAddressId": str(wanted.civic_address) if wanted.civic_address else None,
            "allowTenantAddressUpdate": wanted.allow_tenant_address_update,
            "displayedCountryCode": wanted.displayed_country or None,
            "ticketId": task.ticket or None,
        }

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """The numbers are the customer's."""
        arrival.arrive(run, job, keys)

    def put_back(self, run: Run, keys: list[str], reason: str) -> None:
        """Their rules are no longer wanted; `settle` takes them off the SBCs."""
        routes.unwant(run, keys)

    def settle(self, run: Run) -> Outcome | None:
        """Rules of numbers that did not become the customer's go again."""
        return routes.clean_up(run)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """As everywhere; and one attempt to take the rules off again that were written for nothing."""
        super().give_up(run, message, code)
        routes.clean_up(run, once=True)

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The failed numbers, each with its group."""
        items = super().retry_items(task, keys)
        groups = dict(task.items.filter(key__in=[item.key for item in items]).values_list("key", "data__group"))
        for item in items:
            item.data = {"group": groups[item.key]}
        return items

    def finished(self, task: Task) -> str:
        """How many were uploaded, and what was left."""
        text = _uploaded(task.succeeded)
        if task.failed:
            left = (
                ngettext("%(n)d was not; it says why.", "%(n)d were not; each says why.", task.failed)
                if task.succeeded
                else ngettext("%(n)d failed; it says why.", "%(n)d failed; each says why.", task.failed)
            )
            text += " " + left % {"n": task.failed}
        if left := task.result.get("rules_left"):
            text += " " + _("The spare SBC rules of %(n)d could not be removed.") % {"n": left}
        return text


def _uploaded(count: int) -> str:
    if not count:
        return _("No number was uploaded.")
    text = ngettext(
        "%(n)d number uploaded; it is active as soon as a synchronisation sees it.",
        "%(n)d numbers uploaded; they are active as soon as a synchronisation sees them.",
        count,
    )
    return text % {"n": count}


def settings_of(task: Task, item: TaskItem) -> Settings:
    """With what a number of an upload is uploaded."""
    return Settings.of(task.params["groups"][item.data["group"]])
