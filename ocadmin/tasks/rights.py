"""What a person may do with a task they see, and the sentence that says why not."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal, Scope

from . import registry
from .models import Task, TaskState


@dataclass(frozen=True)
class Rights:
    """One sentence per action: why it is not possible now; empty where it is.

    `role` is the part that is a matter of permission: a request against it is refused. The others are a matter of time.
    """

    role: str
    cancel: str
    retry: str


def rights(task: Task, principal: Principal, *, failed: int) -> Rights:
    """What the principal may do with the task, `failed` of whose numbers have failed."""
    role = lacking(task, principal)
    cancel = role or _cannot_cancel(task)
    if not task.alive and not failed:  # before any permission: no permission would help
        return Rights(role=role, cancel=cancel, retry=_("No number of this task has failed."))
    return Rights(role=role, cancel=cancel, retry=role or _cannot_retry(task))


def lacking(task: Task, principal: Principal) -> str:
    """Why the principal may not change this task; empty when they may.

    It takes the permission of the task's operation: for the whole system, for the customer or channel of the task, or,
    for a task of one's own that belongs to no single customer, for every number in it.
    """
    try:
        operation = registry.get(task.kind)
    except registry.UnknownOperation:
        return _("This version knows no task of the kind %(kind)s.") % {"kind": task.kind}
    scope = principal.scope(operation.permission)
    if scope.everything or task.customer_ref in scope.customers or task.channel_ref in scope.channels:
        return ""
    if _own_and_within(task, principal, scope) or (registry.is_own(task, principal) and not scope.empty):
        return ""
    words = {"permission": operation.permission.label}
    if task.customer_ref is None and task.channel_ref is None:
        return _("This needs the permission “%(permission)s” for all customers. Ask an administrator.") % words
    return _("This needs the permission “%(permission)s” for this customer. Ask an administrator.") % words


def _own_and_within(task: Task, principal: Principal, scope: Scope) -> bool:
    """Whether the principal started a task of several customers and still holds the permission for all of them."""
    if task.customer_ref is not None or principal.user_id is None or task.actor_id != principal.user_id or scope.empty:
        return False
    within = Q(customer_ref__in=scope.customers) | Q(channel_ref__in=scope.channels)
    items = task.items.all()
    return items.exists() and items.filter(within).count() == items.count()


def _cannot_cancel(task: Task) -> str:
    if not task.alive:
        return _("This task has finished.")
    if task.state == TaskState.CANCELLING:
        return _("It is being cancelled already.")
    return ""


def _cannot_retry(task: Task) -> str:
    return _("Possible when the task has finished.") if task.alive else ""
