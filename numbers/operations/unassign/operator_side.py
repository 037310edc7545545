"""What Graph has done the operator's side shows later, as a rule within ten minutes, rarely after a day.

Until it does, a number waits here (upstreams.md §2, §9.4, §9.7 F07): nothing that follows, such as a release, would go
well before, and a synchronisation would bring the old assignment back.
"""

import math
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ...assignment import UNASSIGNED
from ...history import author, number_entry
from ...microsoft import errors
from ...microsoft.errors import MicrosoftError
from ...microsoft.operator_connect import OperatorConnect, parse_number
from ...models import Customer, PhoneNumber
from .. import holds
from ..holds import now
from ..items import customer_of
from .stages import CONFIRMING, SETTLING, age, due, save, settling, settling_pause, stage

ALREADY, NOT_SEEN = "already_unassigned", "not_seen_yet"
FEW, CHUNK = 10, 1000
CONFIRM_AFTER_SECONDS, LONGEST_SECONDS = 600.0, 86_400.0
MOST_REFUSALS = 5

# What follows for numbers that nobody uses any more: the run, the numbers, the outcome's code and its sentence.
Freed = Callable[[Run, list[str], str, str], None]


def settle(run: Run, freed: Freed) -> Outcome | None:
    """See which numbers are shown as unassigned: one by one, or by pages of their customer where that is less."""
    first = due(run, SETTLING).first()
    if first is None or holds.until(run, holds.OPERATOR)[0] > now():
        return None
    customer = customer_of(first)
    items = list(due(run, SETTLING).filter(customer_ref=customer.pk)[:CHUNK])
    pages = math.ceil(customer.numbers.count() / settings.ENV.page_size)
    try:
        if len(items) <= FEW * pages:
            shown = _one_by_one(run, items[:FEW])
            return _settled(run, items[:FEW], shown, freed)
        shown, last = _next_page(run, customer)
        return _settled(run, [item for item in items if last or item.key in shown], shown, freed)
    except MicrosoftError as error:
        return _not_told(run, customer, error, items, freed)


def free(run: Run, items: list[TaskItem], freed: Freed, *, seen: bool) -> None:
    """Nobody uses these numbers any more: our columns, the history, and what follows. Inside `run.commit()`.

    `seen`: the operator's side shows it.
    """
    groups: dict[str, list[str]] = {}
    for item in items:
        code = NOT_SEEN if not seen else ALREADY if item.data.get("already") else ""
        groups.setdefault(code, []).append(item.key)
    words = {
        "": _("Un-assigned."),
        ALREADY: _("Nobody used it any more when this was sent."),
        NOT_SEEN: _("Un-assigned in the customer's tenant; Microsoft's operator side does not show it yet."),
    }
    for code, keys in groups.items():
        _write(run, keys)
        freed(run, keys, code, words[code])


def _one_by_one(run: Run, items: list[TaskItem]) -> dict[str, str | None]:
    operator = OperatorConnect(run.task.uid)
    shown: dict[str, str | None] = {}
    for item in items:
        try:
            shown[item.key] = operator.number(item.key).assignment_status
        except errors.NotFound:
            shown[item.key] = None
    return shown


def _next_page(run: Run, customer: Customer) -> tuple[dict[str, str | None], bool]:
    """The assignments on the next page of a customer's numbers, and whether it was the last page."""
    links = run.cursor.setdefault("pages", {})
    page = OperatorConnect(run.task.uid).numbers_page(
        tenant_id=customer.tenant_id, next_link=links.pop(str(customer.pk), None)
    )
    if page.next_link:
        links[str(customer.pk)] = page.next_link
    shown = {str(record.get("telephoneNumber")): _assignment(record) for record in page.records}
    return shown, not page.next_link


def _assignment(record: dict[str, Any]) -> str | None:
    """None for a record that cannot be read: about that the synchronisation complains."""
    try:
        return parse_number(record).assignment_status
    except errors.UnreadableRecord:
        return None


def _settled(run: Run, items: list[TaskItem], shown: dict[str, str | None], freed: Freed) -> Outcome:
    done = [item for item in items if shown.get(item.key) == UNASSIGNED]
    open_ = [item for item in items if shown.get(item.key) != UNASSIGNED]
    over = [item for item in open_ if age(item) >= LONGEST_SECONDS]
    late = [item for item in open_ if age(item) < LONGEST_SECONDS]
    for item in late:
        if age(item) < CONFIRM_AFTER_SECONDS:
            settling(item, settling_pause(item))
        else:
            stage(item, CONFIRMING, 0.0, item.message)
    with run.commit():
        holds.end(run, holds.OPERATOR)
        save(run, late)
        free(run, done, freed, seen=True)
        free(run, over, freed, seen=False)
        run.task.step = _("Waiting for Microsoft's operator side")
    return Continue()


def _not_told(run: Run, customer: Customer, error: MicrosoftError, items: list[TaskItem], freed: Freed) -> Outcome:
    """The operator's side does not answer. What Graph has done is done: for that no number fails."""
    with run.commit():
        run.cursor.get("pages", {}).pop(str(customer.pk), None)
        tries = holds.hold(run, holds.OPERATOR, error)
        enough = tries >= (holds.MOST_TRIES if error.retryable else MOST_REFUSALS)
        free(run, [item for item in items if enough or age(item) >= LONGEST_SECONDS], freed, seen=False)
    return Continue()


def _write(run: Run, keys: list[str]) -> None:
    """The columns of these numbers and one history entry each; what a synchronisation has seen already stays."""
    now_free = {"assignment_status": UNASSIGNED, "assignment_target_id": ""}
    locked = PhoneNumber.objects.select_for_update(of=("self",)).select_related("customer")
    changed, entries = [], []
    for number in locked.filter(e164__in=keys):
        before = {name: getattr(number, name) for name in now_free}
        differs = before != now_free
        if differs:
            changed.append(number.pk)
        entries.append(
            number_entry(
                "unassign.completed",
                number.e164,
                by=author(run.task),
                channel=run.task.channel,
                customer_id=number.customer_id,
                channel_id=number.customer.channel_id,
                before=before if differs else {},
                after=now_free if differs else {},
                task_ref=run.task.pk,
                ticket=run.task.ticket,
                message=run.task.params.get("comment", "")[:500],
            )
        )
    at = timezone.now()
    PhoneNumber.objects.filter(pk__in=changed).update(**now_free, aslsct=at, modified_at=at)
    AuditEntry.objects.bulk_create(entries, batch_size=500)
