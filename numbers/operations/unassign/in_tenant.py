"""The part of an un-assignment that happens in the customer's tenant, through Graph: look, send, follow.

Graph takes one number a request and keeps no mark of ours by which a lost request could be found. So a row says that
its number is being sent before the request leaves, and whoever finds it like that later looks at the number in its
tenant before anything is sent again (upstreams.md §2, §9.4).
"""

import time
from collections.abc import Callable, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome, TaskFailed
from ocadmin.tasks.run import SLICE_SECONDS, Run

from ...microsoft import errors
from ...microsoft.errors import MicrosoftError
from ...microsoft.graph import Graph
from ...models import ConnectionState, Customer
from .. import connections, failures, holds
from ..items import UNKNOWN, close_all, customer_of
from ..jobs import FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS
from .stages import (
    CHECKING,
    CONFIRMING,
    FOLLOWED,
    age,
    at,
    cancelled,
    due,
    fail,
    in_doubt,
    save,
    settling,
    settling_pause,
    stage,
    unsent,
)

NOT_CONNECTED, NOT_FOUND, FAILED, ASSIGNED_AGAIN = "not_connected", "not_found", "unassign_failed", "assigned_again"
NOT_ASSIGNED = "NumberNotAssigned"  # Graph's word
AT_ONCE, MOST_SENDS = 10, 30
LONGEST_OPERATION_SECONDS = 86_400.0

_ABOUT_CUSTOMER = (errors.ApplicationUnknown, errors.TenantUnknown, errors.Forbidden, errors.TokenRejected)
_ABOUT_US = (errors.BadCredentials, errors.InvalidScope, errors.NotConfigured)
_Ask = Callable[[Graph, TaskItem], None]


def look(run: Run) -> Outcome | None:
    """Numbers of which it is not known what Microsoft has done."""
    return _round(run, due(run, CHECKING, CONFIRMING), lambda graph, item: _look_at(run, graph, item))


def follow(run: Run) -> Outcome | None:
    """Numbers for which Microsoft has an operation."""
    return _round(run, due(run, FOLLOWED), _follow)


def send(run: Run) -> Outcome | None:
    """The next few numbers of one customer, each written down before its request leaves."""
    pending = at(run, "").exclude(customer_ref__in=holds.held_customers(run))
    first = pending.first()
    if first is None:
        return None
    with run.commit():
        items = [] if run.cancelling else list(pending.filter(customer_ref=first.customer_ref)[:AT_ONCE])
        for item in items:
            item.attempts += 1
            stage(item, CHECKING, 0.0, _("Being sent to Microsoft."))
        save(run, items)
        run.task.step = _("Un-assigning in the customer's tenant")
    if not items:
        return Continue()
    customer = customer_of(first)
    answered, trouble = _ask_each(run, customer, items, _send)
    left = items[answered:]
    if trouble is not None and not isinstance(trouble, (errors.Throttled, *failures.REFUSALS)):
        left[0].message = trouble.message[:500]  # the answer is lost, not the request: looked at before the next one
        left = left[1:]
    for item in left:
        unsent(item, item.attempts - 1)
    return _keep(run, customer, items, trouble)


def _look_at(run: Run, graph: Graph, item: TaskItem) -> None:
    found = graph.assignment(item.key)
    if found is None:
        fail(item, NOT_FOUND, _("The customer's tenant has no such number. Synchronise the customer."))
    elif found.changing:
        _wait_for(item)
    elif found.free:
        settling(item, settling_pause(item) if item.code == CONFIRMING else 0.0)
    elif item.code == CONFIRMING:
        fail(item, ASSIGNED_AGAIN, _("It was un-assigned, and the customer has assigned it again since."))
    elif run.cancelling:
        cancelled(item)
    elif item.attempts >= MOST_SENDS:
        fail(item, FAILED, item.message)
    else:
        unsent(item, item.attempts)


def _wait_for(item: TaskItem) -> None:
    """Microsoft is at work on the number, whoever has asked for it; not for ever."""
    if age(item) < LONGEST_OPERATION_SECONDS:
        stage(item, item.code, _pause(item), _("Microsoft is working on this number."))
    elif item.code == CONFIRMING:
        settling(item)
    else:
        fail(item, UNKNOWN, in_doubt(_("It has been at work on it for a day.")))


def _follow(graph: Graph, item: TaskItem) -> None:
    """Ask how far the operation is. One that Microsoft no longer tells about is looked at from the other end."""
    try:
        operation = graph.operation(item.data["link"])
    except (errors.NotFound, errors.Refused, errors.BadAnswer) as error:
        if error.retryable:
            raise
        stage(item, CHECKING, 0.0, error.message)
        return
    if operation.succeeded:
        settling(item)
    elif operation.failed:
        fail(item, FAILED, operation.detail or _("Microsoft could not un-assign the number and gave no reason."))
    elif age(item) > LONGEST_OPERATION_SECONDS:
        fail(item, UNKNOWN, in_doubt(_("It has been at work on it for a day.")))
    else:
        asked = FIRST_POLL_SECONDS if operation.ask_in is None else operation.ask_in
        stage(item, FOLLOWED, max(asked, min(age(item) / 10, LONGEST_POLL_SECONDS)), item.message)


def _send(graph: Graph, item: TaskItem) -> None:
    try:
        started = graph.unassign(item.key)
    except errors.NotFound:
        fail(item, NOT_FOUND, _("The customer's tenant has no such number. Synchronise the customer."))
    except errors.Refused as error:
        if error.upstream_code == NOT_ASSIGNED:
            item.data["already"] = True
            settling(item)
        elif error.status == 409:  # something else is under way (upstreams.md §9.7, F15)
            stage(item, CHECKING, _pause(item), error.message)
        else:
            fail(item, error.upstream_code or error.code, error.message)
    else:
        item.data["link"] = started.link
        item.upstream_ids = {"operation": started.link.rsplit("/", 1)[-1]}
        wait = FIRST_POLL_SECONDS if started.ask_in is None else started.ask_in
        stage(item, FOLLOWED, wait, _("Microsoft is un-assigning it."))


def _pause(item: TaskItem) -> float:
    """For what Microsoft is busy with: longer with each time that it was sent."""
    return float(min(FIRST_POLL_SECONDS * max(item.attempts, 1) + age(item) / 10, LONGEST_POLL_SECONDS))


def _round(run: Run, items: QuerySet[TaskItem], ask: _Ask) -> Outcome | None:
    """Ask about the next few of `items`, all of one customer."""
    first = items.exclude(customer_ref__in=holds.held_customers(run)).first()
    if first is None:
        return None
    customer = customer_of(first)
    some = list(items.filter(customer_ref=customer.pk)[:AT_ONCE])
    _answered, trouble = _ask_each(run, customer, some, ask)
    return _keep(run, customer, some, trouble)


def _ask_each(run: Run, customer: Customer, items: Sequence[TaskItem], ask: _Ask) -> tuple[int, MicrosoftError | None]:
    """How many were answered within a slice's time, and the trouble that ended the round."""
    answered, ends = 0, time.monotonic() + SLICE_SECONDS
    try:
        graph = Graph(customer.tenant_id, run.task.uid)
        while answered < len(items) and (not answered or time.monotonic() < ends):
            ask(graph, items[answered])
            answered += 1
    except MicrosoftError as error:
        return answered, error
    return answered, None


def _keep(run: Run, customer: Customer, items: list[TaskItem], trouble: MicrosoftError | None) -> Outcome:
    """Save a round. Trouble with one tenant holds up or ends its numbers only; trouble with us ends the task."""
    who = str(customer.pk)
    with run.commit():
        save(run, items)
        if trouble is None:
            holds.end(run, who)
            if customer.connection == ConnectionState.UNKNOWN:
                connections.note(run.task, customer, ConnectionState.CONNECTED)
        elif isinstance(trouble, _ABOUT_CUSTOMER):
            _lose(run, customer, trouble)
        elif not isinstance(trouble, _ABOUT_US):
            tries = holds.hold(run, who, trouble, max(item.attempts for item in items))
            if tries >= holds.MOST_TRIES:
                _lose(run, customer, trouble)
    if isinstance(trouble, _ABOUT_US):
        raise TaskFailed(trouble.message, trouble.code)
    return Continue()


def _lose(run: Run, customer: Customer, error: MicrosoftError) -> None:
    """Nothing can be done in this tenant: its numbers fail, the others go on."""
    code, message = error.code, error.message
    if isinstance(error, errors.ApplicationUnknown | errors.TenantUnknown):
        code, message = NOT_CONNECTED, not_connected_sentence()
        connections.note(run.task, customer, ConnectionState.NOT_CONNECTED, error.message)
    sent = at(run, CHECKING, FOLLOWED).filter(customer_ref=customer.pk)
    close_all(run, at(run, "").filter(customer_ref=customer.pk), ItemState.FAILED, code=code, message=message)
    close_all(run, sent, ItemState.FAILED, code=UNKNOWN, message=in_doubt(error.message))
    holds.end(run, str(customer.pk))


def not_connected_sentence() -> str:
    """Why a number cannot be un-assigned from here, and how it can be (live-platform.md §3.7)."""
    return _(
        "This customer's tenant is not connected, so only its administrator can un-assign the number: in the Teams "
        "admin center under Voice > Phone numbers choose the number, Edit, remove the user under “Assigned to”, Apply. "
        "Then synchronise the customer here. If it has been connected meanwhile, synchronise too and try again."
    )
