"""Give numbers capabilities, take some away: all or nothing per number (live-platform.md §5.2, upstreams.md §9.4).

One request says for each number only what really changes for it. What that is, is written down with the item before
the request leaves, so that a request which is sent again after a lost answer is the same to the letter.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ..capabilities import BROUGHT, LABELS, USAGES, holds, usage_known, usages_of, used_for
from ..history import author, number_entry
from ..models import Customer, PhoneNumber, UpstreamJob
from . import standing
from .items import close, pending
from .jobs import JobOperation
from .plan import Verdict

READY = "ready"  # code of a pending item whose change is written down
_ALREADY = gettext_lazy("It has all that is to be added and nothing that is to be removed.")


class Capabilities(JobOperation):
    """Parameters: `add` and `remove`, lists of capabilities without a common one."""

    kind = "capabilities"
    jobs = "capability-updates"
    label = gettext_lazy("Update capabilities")
    permission = Permission.CAPABILITIES
    note = gettext_lazy(
        "A number without outbound calling cannot call, emergency services included; without inbound calling it cannot "
        "be reached. Each number gets all of its changes or none."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """design §5 and live-platform.md §5.2; `available` is Microsoft's own word on the number."""
        add, remove = params.get("add", []), params.get("remove", [])
        return [
            Verdict("already", _ALREADY, _as_wanted(add, remove), ItemState.UNCHANGED),
            *standing.only_active(),
            *(_fixed(word, ~_has(word)) for word in add if word not in USAGES),
            *(_fixed(word, _has(word)) for word in remove if word not in USAGES),
            *(_usage_forbids(word) for word in add if word in USAGES),
            *(_not_available(word) for word in add if word in USAGES),
            *_mandatory(remove),
        ]

    def prepare(self, run: Run) -> Outcome | None:
        """Write down what changes for each number of the next job."""
        waiting = pending(run.task)
        if waiting.filter(code=READY).exists():
            return None
        with run.commit():
            items = super().batch(waiting)
            params = run.task.params
            changes = _changes([item.key for item in items], params.get("add", []), params.get("remove", []))
            for item in items:
                item.code, item.data = READY, changes.get(item.key, {})
            ready = [item for item in items if item.data]
            TaskItem.objects.bulk_update(ready, ["code", "data"], batch_size=200)
            done = [item.key for item in items if not item.data]
            close(run, done, ItemState.UNCHANGED, code="already", message=str(_ALREADY))
        return Continue()

    def batch(self, pending: QuerySet[TaskItem]) -> list[TaskItem]:
        """The items of one customer whose change is written down."""
        return super().batch(pending.filter(code=READY))

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """upstreams.md §9.3."""
        return {"tenantId": str(customer.tenant_id), "updates": {item.key: item.data for item in items}}

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """The capabilities are other ones now; each number gets a line of history."""
        changes = dict(run.task.items.filter(key__in=keys).values_list("key", "data"))
        numbers = PhoneNumber.objects.filter(e164__in=keys)
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        entries = []
        for number in numbers.select_for_update(of=("self",)).select_related("customer"):
            after = _after(number.acquired_capabilities, changes[number.e164])
            groups[tuple(after)].append(number.pk)
            entries.append(_entry(run.task, number, after))
        for words, pks in groups.items():
            numbers.filter(pk__in=pks).update(acquired_capabilities=list(words), modified_at=timezone.now())
        AuditEntry.objects.bulk_create(entries)
        close(run, keys, ItemState.SUCCEEDED, message=_("The capabilities are changed."), job=job)

    def put_back(self, run: Run, keys: list[str], reason: str) -> None:
        """All or nothing: a number that failed is as it was, and its outcome says so."""
        message = f"{reason[:440]} {_('Its capabilities are as before.')}"
        for start in range(0, len(keys), 1000):
            failed = run.task.items.filter(key__in=keys[start : start + 1000], state=ItemState.FAILED)
            failed.update(message=message[:500])

    def finished(self, task: Task) -> str:
        """How many have their new capabilities, and how many have not."""
        text = ngettext(
            "%(n)d number has its new capabilities.", "%(n)d numbers have their new capabilities.", task.succeeded
        )
        text %= {"n": task.succeeded}
        if task.failed:
            text += " " + _("%(n)d are as before; each says why.") % {"n": task.failed}
        return text


def _has(word: str) -> Q:
    return holds("acquired_capabilities", word)


def _as_wanted(add: Sequence[str], remove: Sequence[str]) -> Q:
    """Numbers for which nothing changes."""
    wanted = Q(pk__isnull=False)
    for word in add:
        wanted &= _has(word)
    for word in remove:
        wanted &= ~_has(word)
    return wanted


def _name(word: str) -> str:
    return str(LABELS.get(word, word))


def _fixed(word: str, condition: Q) -> Verdict:
    """Whatever is not in the matrix comes with the number or its usage and cannot be chosen."""
    words = _("“%(capability)s” comes with the number or its usage; it is never added or removed by itself.")
    return Verdict(f"mandatory:{word}"[:64], words % {"capability": _name(word)}, condition)


def _usage_forbids(word: str) -> Verdict:
    """The matrix, against the usage and the additional usages of a number."""
    words = _("“%(capability)s” goes only with these usages, and the number has none of them: %(usages)s.")
    words %= {"capability": _name(word), "usages": usages_of(word)}
    return Verdict(f"usage_forbids:{word}", words, ~_has(word) & usage_known() & ~used_for(USAGES[word]))


def _not_available(word: str) -> Verdict:
    words = _("Microsoft does not offer “%(capability)s” for this number.") % {"capability": _name(word)}
    missing = Q(available_capabilities__isnull=False) & ~holds("available_capabilities", word)
    return Verdict(f"not_available:{word}", words, ~_has(word) & missing)


def _mandatory(remove: Sequence[str]) -> list[Verdict]:
    """Capabilities that a usage needs by the plans of its customer, as Microsoft told them (Customer.usage_plans)."""
    wanted = [word for word in remove if word in USAGES]
    needed: dict[str, Q] = {}
    plans = Customer.objects.order_by().values_list("usage_plans", flat=True).distinct() if wanted else []
    for plan in plans:
        for word in wanted:
            usages = [one["usage"] for one in plan if word in one["mandatory_capabilities"] and one["usage"] in BROUGHT]
            if usages:
                here = Q(customer__in=Customer.objects.filter(usage_plans=plan).values("pk")) & used_for(usages)
                needed[word] = needed[word] | here if word in needed else here
    words = gettext_lazy("“%(capability)s” is mandatory for the usage of this number and cannot be removed.")
    return [
        Verdict(f"mandatory:{word}", words % {"capability": _name(word)}, _has(word) & condition)
        for word, condition in needed.items()
    ]


def _changes(keys: list[str], add: Sequence[str], remove: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Number to what it lacks of `add` and has of `remove`; without the numbers for which that is nothing."""
    found = {}
    for e164, words in PhoneNumber.objects.filter(e164__in=keys).values_list("e164", "acquired_capabilities"):
        parts = {
            "add": [word for word in add if word not in words],
            "remove": [word for word in remove if word in words],
        }
        if any(parts.values()):
            found[e164] = {name: part for name, part in parts.items() if part}
    return found


def _after(words: Sequence[str], change: dict[str, list[str]]) -> list[str]:
    """The capabilities after a change, in their order, what is new at the end."""
    kept = [word for word in words if word not in change.get("remove", [])]
    return list(dict.fromkeys([*kept, *change.get("add", [])]))


def _entry(task: Task, number: PhoneNumber, after: list[str]) -> AuditEntry:
    """A line of history; Microsoft's job stands in the outcome of the number."""
    return number_entry(
        "capabilities.changed",
        number.e164,
        by=author(task),
        channel=task.channel,
        customer_id=number.customer_id,
        channel_id=number.customer.channel_id,
        before={"acquired_capabilities": number.acquired_capabilities},
        after={"acquired_capabilities": after},
        task_ref=task.pk,
        ticket=task.ticket,
        message=task.params.get("comment", "")[:500],
    )
