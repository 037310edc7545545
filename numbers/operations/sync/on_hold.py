"""Customers whose synchronisation is on hold, by a person's word and until a person resumes it.

For a customer in dispute, or one whose numbers another platform still runs while they move over step by step. No pass
stamps, changes, marks or releases a number that such a customer has here or at Microsoft, or adds one; nor do these
count among those that are missing (scope.py says which, compare.py and missing.py leave them out).

What a pass reads around the numbers goes on: consents, addresses, the connection. So does what is kept of Microsoft's
list for the drift report (keeping.py): that report only tells, and what repairs it is a plan that a person confirms.
Customers who are left alone for minutes, because they do not answer, are another matter (operations/holds.py).
"""

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.principal import Principal
from ocadmin.tasks.models import Task

from ...history import row_entry
from ...models import Customer, PhoneNumber
from ...models.customer import CustomerQuerySet

LEFT_ALONE = gettext_lazy("Left as it is: the synchronisation of its customer is on hold.")
NAMED = 3
REASON_SHOWN = 120


class OnHold(Exception):
    """A synchronisation was asked for that would touch nothing: all of it is on hold. The text says so to people."""


def hold(customer: Customer, *, reason: str, by: Principal, channel: str, ticket: str = "") -> bool:
    """Put a customer's synchronisation on hold; `reason` is 1 to 500 characters. False: it was already, as it was.

    From its return on no pass touches the customer's numbers, not even one that is at work: call it outside of any
    transaction.
    """
    with transaction.atomic():
        now = timezone.now()
        free = Customer.objects.filter(pk=customer.pk, sync_held_at=None)
        if not free.update(sync_held_at=now, sync_hold_reason=reason):
            return False
        customer.sync_held_at, customer.sync_hold_reason = now, reason
        entry = row_entry(
            "customer.sync_held",
            "customer",
            customer,
            customer,
            by=by,
            channel=channel,
            ticket=ticket,
            before={"sync_held_at": None},
            after={"sync_held_at": now},
            message=reason,
        )
        entry.save()
    # Every save of a pass begins by locking its task, and then looks who is on hold. Those that begin now see it. Those
    # that looked before are waited for: not the other way round, or a pass could begin while we wait.
    with transaction.atomic():
        list(Task.objects.alive().filter(kind="sync").order_by("pk").select_for_update().values_list("pk"))
    return True


def resume(customer: Customer, *, by: Principal, channel: str, comment: str = "", ticket: str = "") -> bool:
    """Let synchronisations go on, from the next pass on; `comment` has at most 500 characters. False: none was held."""
    with transaction.atomic():
        before = Customer.objects.select_for_update().on_hold().filter(pk=customer.pk).first()
        if before is None:
            return False
        Customer.objects.filter(pk=customer.pk).update(sync_held_at=None, sync_hold_reason="")
        customer.sync_held_at, customer.sync_hold_reason = None, ""
        entry = row_entry(
            "customer.sync_resumed",
            "customer",
            customer,
            customer,
            by=by,
            channel=channel,
            ticket=ticket,
            before={"sync_held_at": before.sync_held_at, "sync_hold_reason": before.sync_hold_reason},
            after={"sync_held_at": None},
            message=comment,
        )
        entry.save()
    return True


def check_hold(customers: list[Customer] | None, numbers: list[str] | None) -> None:
    """Raises OnHold where all that is asked for (`numbers`, else `customers`; None: everything) is on hold."""
    if numbers is not None:
        mine = PhoneNumber.objects.filter(e164__in=numbers, customer__sync_held_at__isnull=False)
        held, whole = Customer.objects.filter(pk__in=mine.values("customer")), mine.count() == len(set(numbers))
    elif customers is not None:
        held = Customer.objects.on_hold().filter(pk__in=[one.pk for one in customers])
        whole = held.count() == len(customers)
    else:
        return
    found = list(held[: NAMED + 1])
    if found and whole:
        raise OnHold(sentence(found[0]) if len(found) == 1 else _("On hold: %s.") % named(held))


def sentence(customer: Customer) -> str:
    """Since when and why the synchronisation of a customer on hold is not done."""
    assert customer.sync_held_at is not None  # noqa: S101 — asked of customers on hold only
    words = {
        "customer": customer.full_name,
        "since": date_format(timezone.localtime(customer.sync_held_at), "j M Y, H:i"),
        "reason": _reason(customer),
    }
    return _("The synchronisation of %(customer)s is on hold since %(since)s (%(reason)s). Resume it first.") % words


def named(customers: CustomerQuerySet) -> str:
    """The first few by name, each with its reason, and how many more there are."""
    found = list(customers)
    names = ", ".join(f"{one.full_name} ({_reason(one)})" for one in found[:NAMED])
    if len(found) <= NAMED:
        return names
    more = ngettext("%(names)s and %(n)d more customer", "%(names)s and %(n)d more customers", len(found) - NAMED)
    return more % {"names": names, "n": len(found) - NAMED}


def _reason(customer: Customer) -> str:
    return Truncator(customer.sync_hold_reason).chars(REASON_SHOWN).rstrip(".")
