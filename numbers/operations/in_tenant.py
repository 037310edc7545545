"""Changes that are made number by number in a customer's own tenant and answered at once (upstreams.md §2, §9.5).

Such a request is safe to repeat, so a number counts as changed only when its outcome is saved: whatever was lost
before that is simply asked for again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome, TaskFailed, Wait
from ocadmin.tasks.run import Run

from ..microsoft import errors
from ..microsoft.errors import MicrosoftError
from ..microsoft.graph import Graph
from ..models import ConnectionState, Customer
from . import connections, holds
from .holds import now
from .items import close, customer_of, pending

CHUNK = 20  # requests between two commits
_NOT_CONNECTED = (errors.ApplicationUnknown, errors.TenantUnknown)
_ABOUT_CUSTOMER = (*_NOT_CONNECTED, errors.Forbidden, errors.TokenRejected)
_ABOUT_US = (errors.BadCredentials, errors.InvalidScope, errors.NotConfigured)


@dataclass
class _Asked:
    """What came back: numbers that it went well for, numbers that were refused, and the trouble that ended it."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, MicrosoftError]] = field(default_factory=list)
    trouble: MicrosoftError | None = None


def step(run: Run, change: Callable[[Graph, str], None], save: Callable[[list[str]], None]) -> Outcome | None:
    """Ask for the next few numbers of one customer and save what came back; None where none are left.

    `change` makes one request and raises the errors of microsoft/errors.py; `save` ends the items of the numbers that
    it went well for, inside `run.commit()`. Trouble with one tenant holds up or ends its numbers only. Raises
    TaskFailed where the trouble is with us.
    """
    waiting = pending(run.task)
    first = waiting.exclude(customer_ref__in=holds.held_customers(run)).first()
    if first is None:
        return _wait(run, waiting)
    customer = customer_of(first)
    asked = _ask(run, customer, list(waiting.filter(customer_ref=customer.pk)[:CHUNK]), change)
    if isinstance(asked.trouble, _ABOUT_US) and not asked.done and not asked.refused:
        raise TaskFailed(asked.trouble.message, asked.trouble.code)
    with run.commit():
        if asked.done:
            save(asked.done)
        for key, error in asked.refused:
            close(run, [key], ItemState.FAILED, code=error.upstream_code or error.code, message=error.message)
        _look_after(run, customer, asked.trouble)
        run.task.step = _("Changing numbers in the tenant of %(customer)s") % {"customer": customer.full_name[:150]}
    return Continue()


def _ask(run: Run, customer: Customer, items: Sequence[TaskItem], change: Callable[[Graph, str], None]) -> _Asked:
    """One request after the other, until the slice is over or an answer concerns more than its number."""
    asked = _Asked()
    try:
        graph = Graph(customer.tenant_id, run.task.uid)
        for item in items:
            if run.over and (asked.done or asked.refused):
                break
            try:
                change(graph, item.key)
            except MicrosoftError as error:
                if not _about_the_number(error):
                    raise
                asked.refused.append((item.key, error))
            else:
                asked.done.append(item.key)
    except MicrosoftError as error:
        asked.trouble = error
    return asked


def _about_the_number(error: MicrosoftError) -> bool:
    """Whether the answer concerns this number alone, so that the next one may fare better."""
    return isinstance(error, errors.Refused | errors.NotFound | errors.BadAnswer) and not error.retryable


def _look_after(run: Run, customer: Customer, trouble: MicrosoftError | None) -> None:
    """Leave a tenant alone that asks for it or does not answer; give it up where there is no way in, or after long."""
    who = str(customer.pk)
    if trouble is None:
        holds.end(run, who)
        if customer.connection == ConnectionState.UNKNOWN:
            connections.note(run.task, customer, ConnectionState.CONNECTED)
    elif isinstance(trouble, _ABOUT_CUSTOMER) or holds.hold(run, who, trouble) >= holds.MOST_TRIES:
        _shut_out(run, customer, trouble)


def _shut_out(run: Run, customer: Customer, error: MicrosoftError) -> None:
    """Nothing can be changed in this tenant: its numbers fail, those of other customers go on."""
    code = error.upstream_code or error.code
    if isinstance(error, _NOT_CONNECTED):
        code = "not_connected"
        connections.note(run.task, customer, ConnectionState.NOT_CONNECTED, error.message)
    keys = list(pending(run.task).filter(customer_ref=customer.pk).values_list("key", flat=True))
    close(run, keys, ItemState.FAILED, code=code, message=error.message)
    holds.end(run, str(customer.pk))


def _wait(run: Run, waiting: QuerySet[TaskItem]) -> Outcome | None:
    """Until the first tenant may be asked again."""
    customers = waiting.order_by().values_list("customer_ref", flat=True).distinct()
    moments = [holds.until(run, str(pk)) for pk in customers]
    if not moments:
        return None
    moment, why = min(moments)
    return Wait(max(moment - now(), 0.0), why)
