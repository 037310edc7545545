"""The operation `sync`: its phases in order, how it starts, how it ends.

read profiles ▸ consents ▸ connections ▸ addresses ▸ numbers (into staging) ▸ compare ▸ missing ▸ keep ▸ finish

Numbers are written by `compare` and `missing`, and only after the list was read to its end. A pass over one customer or
over a few numbers takes the same way with a smaller list.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome
from ocadmin.tasks.plans import Plan, group_of, sample_of
from ocadmin.tasks.run import Run

from ...microsoft.errors import MicrosoftError
from ...models import Customer, PhoneNumber, StagedNumber
from ...models.phone_number import PhoneNumberQuerySet
from .. import failures
from . import compare, directory, keeping, missing, on_hold, reading

PURGE_CHUNK = 20_000
UNIQUE_KEY = "sync"  # of passes over lists


def start(
    *,
    by: Principal,
    channel: str,
    customers: list[Customer] | None = None,
    numbers: list[str] | None = None,
) -> Task:
    """Start a synchronisation of everything, of some customers, or of some numbers (E.164). Returns its task.

    What customers on hold have is left alone and named in the task's result. Raises on_hold.OnHold where nothing else
    was asked for; ocadmin.tasks.services.AlreadyRunning: two passes over lists never run at once.
    """
    on_hold.check_hold(customers, numbers)
    params: dict[str, Any] = {}
    title = _("Synchronise all customers")
    if numbers is not None:
        params["numbers"] = numbers
        title = _("Synchronise %(number)s") % {"number": numbers[0]} if len(numbers) == 1 else _("Synchronise numbers")
    elif customers is not None:
        params["customers"] = [customer.pk for customer in customers]
        title = (
            _("Synchronise %(customer)s") % {"customer": customers[0].full_name}
            if len(customers) == 1
            else _("Synchronise %(count)d customers") % {"count": len(customers)}
        )
    only = customers[0] if customers and len(customers) == 1 else None
    return services.start(
        Sync.kind,
        title=title[:200],
        by=by,
        channel=channel,
        params=params,
        unique_key="" if numbers is not None else UNIQUE_KEY,
        customer_ref=only.pk if only else None,
        channel_ref=only.channel_id if only else None,
    )


def plan(*, customers: list[Customer] | None = None, numbers: list[str] | None = None) -> Plan:
    """What such a pass would compare: our numbers. What it finds at Microsoft beside them nobody knows before."""
    rows = PhoneNumber.objects.all()
    if numbers is not None:
        rows = rows.filter(e164__among=frozenset(numbers))
    elif customers is not None:
        rows = rows.filter(customer__in=customers)
    held = rows.filter(customer__sync_held_at__isnull=False)
    rows = rows.filter(customer__sync_held_at=None)
    busy = Q(Exists(TaskItem.objects.filter(key=OuterRef("e164"), state__in=sorted(ITEM_ALIVE))))
    taken, free = rows.filter(busy), rows.exclude(busy)
    left_alone = [
        group_of("on_hold", str(on_hold.LEFT_ALONE), ItemState.UNCHANGED, _names(held)),
        group_of("busy", _("Other tasks work on these: they are left to them."), ItemState.UNCHANGED, _names(taken)),
    ]
    return Plan(free.count(), sample_of(_names(free)), [group for group in left_alone if group.count])


def _names(rows: PhoneNumberQuerySet) -> QuerySet[PhoneNumber, str]:
    return rows.order_by("e164").values_list("e164", flat=True)


class Sync:
    """What the task engine runs for tasks of the kind `sync`."""

    kind = "sync"
    label = gettext_lazy("Synchronisation")
    permission = Permission.SYNC

    def step(self, run: Run) -> Outcome:
        """One page, one chunk or one customer. Microsoft's errors become a pause or the end of the task."""
        phase = run.cursor.get("phase", "begin")
        try:
            return _PHASES[phase](run)
        except MicrosoftError as error:
            raise failures.of_task(error) from error

    def cancel(self, run: Run) -> Finished:
        """Throw the staged list away and say how far it came."""
        StagedNumber.objects.filter(task=run.task).delete()
        if run.cursor.get("phase") in ("compare", "missing", "keep", "finish"):
            message = _("Stopped. %(done)d of %(total)d numbers had been compared and saved; the others are as before.")
            message %= {"done": run.task.done, "total": run.task.total or 0}
        else:
            message = _("Stopped while reading from Microsoft. No number was changed.")
        return Finished(TaskState.CANCELLED, message, run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Nothing to put right: staged rows are thrown away by the next pass, numbers were saved chunk by chunk."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """A pass over just the failed numbers."""
        return {"numbers": keys}

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """None: outcomes are written as numbers are compared."""
        return []

    def retried(self, task: Task) -> None:
        """A pass takes no numbers."""


def _begin(run: Run) -> Outcome:
    """Choose the way: a few numbers need neither directory nor list. Leftovers of ended passes go."""
    with run.commit():
        StagedNumber.objects.exclude(task__in=Task.objects.alive()).delete()
        run.cursor["phase"] = "single" if "numbers" in run.task.params else "profiles"
        run.task.step = _("Starting")
    return Continue()


def _finish(run: Run) -> Outcome:
    """Empty the staging table chunk by chunk, then say what was found."""
    chunk = StagedNumber.objects.filter(task=run.task).order_by("pk").values("pk")[:PURGE_CHUNK]
    with run.commit():
        left, _rows = StagedNumber.objects.filter(pk__in=list(chunk.values_list("pk", flat=True))).delete()
        run.task.step = ""
    if left:
        return Continue()
    task = run.task
    doubtful = task.failed or task.result.get("conflicts") or task.result.get("complete") is False
    state = TaskState.PARTIAL if doubtful else TaskState.SUCCEEDED
    return Finished(state, _summary(task), task.result)


def _summary(task: Task) -> str:
    """One sentence: what was new, changed and gone, and what needs attention."""
    result = task.result
    words = {
        "new": _("%(n)d new"),
        "activated": _("%(n)d activated"),
        "changed": _("%(n)d changed"),
        "completed": _("%(n)d completed"),
        "restored": _("%(n)d back again"),
        "gone": _("%(n)d marked for removal"),
        "removal_requested": _("%(n)d that customers asked to remove"),
        "released": _("%(n)d released"),
        "release_not_done": _("%(n)d whose release was not carried out, active again"),
        "conflicts": _("%(n)d with another owner at Microsoft"),
        "unreadable": _("%(n)d not readable"),
        "not_found": _("%(n)d unknown to Microsoft"),
        "busy": _("%(n)d left to other operations that work on them"),
        "on_hold": _("%(n)d on hold"),
    }
    parts = [text % {"n": result[key]} for key, text in words.items() if result.get(key)]
    text = _("%(parts)s, %(n)d unchanged.") if parts else _("%(n)d unchanged.")
    unchanged = task.unchanged - result.get("busy", 0) - result.get("on_hold", 0)
    sentence = text % {"parts": ", ".join(parts), "n": unchanged}
    return " ".join([sentence, *result.get("notes", [])])


_PHASES: dict[str, Callable[[Run], Outcome]] = {
    "begin": _begin,
    "profiles": directory.profiles,
    "consents": directory.consents,
    "connections": directory.connections,
    "addresses": directory.addresses,
    "numbers": reading.page,
    "single": reading.single,
    "compare": compare.chunk,
    "missing": missing.step,
    "keep": keeping.step,
    "finish": _finish,
}
