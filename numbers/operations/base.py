"""The common face of the verbs: judge a set of numbers, show the plan, make a task of it.

An operation says with verdicts which numbers it leaves alone and why; everything else it will change. Verdicts are
conditions of the database, so that a plan is one GROUP BY and a submission one INSERT … SELECT however many numbers
there are, and both judge by the same words.
"""

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Outcome
from ocadmin.tasks.plans import SAMPLE, Group, Plan
from ocadmin.tasks.run import Run

from .. import setwise
from ..models import PhoneNumber
from ..models.customer import reached_by
from .plan import WILL, Caution, Stranger, Verdict, of_strangers

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


KEY_LENGTH = TaskItem._meta.get_field("key").max_length or 16

BUSY = Verdict(
    "busy",
    gettext_lazy("Another operation is running on this number. Wait for it, then try again."),
    Q(Exists(TaskItem.objects.filter(key=OuterRef("e164"), state__in=sorted(ITEM_ALIVE)))),
)


class NumberOperation:
    """One verb. A subclass sets the words, its verdicts, and does the work in `apply`."""

    kind: str
    label: "str | StrPromise"
    permission: Permission
    also: tuple[Permission, ...] = ()  # further permissions that it takes
    destructive = False  # whether confirming it takes something away: the button says so
    note: "str | StrPromise" = ""  # what people should know before they confirm
    begins = ItemState.PENDING  # how the outcome row of a number begins that will change

    def missing(self, by: Principal) -> Permission | None:
        """The first permission it takes that `by` holds nowhere at all; None where there is none."""
        return next((one for one in (self.permission, *self.also) if not by.can(one)), None)

    def title(self, count: int) -> str:
        """What a task is called that changes `count` numbers."""
        text = ngettext("%(what)s: %(count)d number", "%(what)s: %(count)d numbers", count)
        return text % {"what": self.label, "count": count}

    def step(self, run: Run) -> Outcome:
        """One bounded piece of work on the pending items (ocadmin/tasks/registry.py)."""
        raise TypeError(f"{type(self).__name__} does nothing")

    def cancel(self, run: Run) -> Outcome:
        """Go on after a request to cancel (ocadmin/tasks/registry.py)."""
        raise TypeError(f"{type(self).__name__} cannot be cancelled")

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Put right what the task had begun before it fails (ocadmin/tasks/registry.py)."""

    def claim(self, task: Task) -> None:
        """What taking the numbers of a new task does to them, in the transaction that makes the task."""

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Which numbers are left alone, the most telling reason first. Everything else will change."""
        raise TypeError(f"{type(self).__name__} has no verdicts")

    def occupied(self) -> list[Verdict]:
        """Judged after all others: numbers that another operation has taken."""
        return [BUSY]

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """What people should know of numbers that will change. None as a rule."""
        return []

    def judged(self, numbers: QuerySet[Any], params: dict[str, Any], by: Principal) -> QuerySet[Any]:
        """The numbers with their `verdict` (a code, or WILL)."""
        whens = [When(verdict.condition, then=Value(verdict.code)) for verdict in self._all(params, by)]
        verdict = Case(*whens, default=Value(WILL), output_field=CharField())
        return numbers.order_by().annotate(verdict=verdict)

    def plan(
        self,
        numbers: QuerySet[Any],
        params: dict[str, Any],
        by: Principal,
        strangers: Sequence[Stranger] = (),
    ) -> Plan:
        """Judge without touching anything. `strangers` were named beside the numbers and are refused."""
        judged = self.judged(numbers, params, by)
        counts = dict(judged.values_list("verdict").annotate(n=Count("pk")).values_list("verdict", "n"))
        groups = [
            Group(
                verdict.code,
                str(verdict.sentence),
                verdict.state,
                counts[verdict.code],
                _sample(judged, verdict.code),
                verdict.remedy,
            )
            for verdict in self._all(params, by)
            if counts.get(verdict.code)
        ]
        groups += of_strangers(strangers)
        will = counts.get(WILL, 0)
        if not will:
            return Plan(0, [], groups)
        return Plan(will, _sample(judged, WILL), groups, _cautions(judged, self.cautions(params)))

    def submit(
        self,
        numbers: QuerySet[PhoneNumber],
        params: dict[str, Any],
        *,
        title: str,
        by: Principal,
        channel: str,
        ticket: str = "",
        strangers: Sequence[Stranger] = (),
    ) -> Task:
        """Make a task with one item for each number: pending where it will change, else with its verdict.

        `strangers` were named beside the numbers; each gets an outcome row of its own, refused.
        A number that another operation took in the same moment is refused as busy: the rule of the database decides.
        """
        with transaction.atomic():
            task = services.start(self.kind, title=title, by=by, channel=channel, params=params, ticket=ticket)
            judged = self.judged(numbers, params, by)
            self._insert(task, judged, self._all(params, by))
            busy = numbers.exclude(e164__in=TaskItem.objects.filter(task=task).values("key"))
            self._insert(task, busy.order_by().annotate(verdict=Value(BUSY.code, CharField())), [BUSY])
            refuse(task, strangers)
            self.claim(task)
            add_up(task)
        return task

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The same again."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The failed numbers, but for those that another operation has taken meanwhile."""
        alive = sorted(ITEM_ALIVE)
        taken = set(TaskItem.objects.filter(key__in=keys, state__in=alive).values_list("key", flat=True))
        failed = task.items.filter(key__in=set(keys) - taken).order_by("pk")
        return [TaskItem(key=old.key, customer_ref=old.customer_ref, channel_ref=old.channel_ref) for old in failed]

    def retried(self, task: Task) -> None:
        """Take the numbers of a retry as those of any new task: those that would be refused by now are.

        (ocadmin/tasks/registry.py)
        """
        pending = TaskItem.objects.filter(task=task, state=ItemState.PENDING)
        numbers = PhoneNumber.objects.filter(e164__in=pending.values("key"))
        for verdict in self.verdicts(task.params):
            keys = list(numbers.filter(verdict.condition).values_list("e164", flat=True))
            words = {"code": verdict.code, "message": str(verdict.sentence)[:500]}
            pending.filter(key__in=keys).update(state=verdict.state, **words, updated_at=timezone.now())
        self.claim(task)
        add_up(task)

    def _all(self, params: dict[str, Any], by: Principal) -> list[Verdict]:
        return self.with_general(self.verdicts(params), by)

    def with_general(self, verdicts: Sequence[Verdict], by: Principal) -> list[Verdict]:
        """`verdicts` with those that every action has: the permission before them, being taken after them."""
        verdicts = [*verdicts, *self.occupied()]
        lacking = [one for one in (self.permission, *self.also) if not by.scope(one).everything]
        if lacking:
            words = {"what": _("” and “").join(str(one.label) for one in lacking)}
            sentence = _("Your role does not include “%(what)s” for this customer.") % words
            reached = reduce(and_, (reached_by(by.scope(one)) for one in lacking))
            verdicts.insert(0, Verdict("not_permitted", sentence, ~reached))
        return verdicts

    def _insert(self, task: Task, judged: QuerySet[Any], verdicts: list[Verdict]) -> None:
        """INSERT … SELECT: no row passes through Python."""
        states = [When(verdict=verdict.code, then=Value(verdict.state.value)) for verdict in verdicts]
        words = [When(verdict=verdict.code, then=Value(str(verdict.sentence)[:500])) for verdict in verdicts]
        setwise.insert(
            TaskItem,
            judged,
            ignore_conflicts=True,
            order="e164",
            task_id=task.pk,
            key=F("e164"),
            customer_ref=F("customer_id"),
            channel_ref=F("customer__channel_id"),
            state=Case(*states, default=Value(self.begins.value), output_field=CharField()),
            code=Case(When(verdict=WILL, then=Value("")), default=F("verdict"), output_field=CharField()),
            message=Case(*words, default=Value(""), output_field=CharField()),
            data={},
            upstream_ids={},
            attempts=0,
            updated_at=timezone.now(),
        )


def _sample(judged: QuerySet[Any], code: str) -> list[str]:
    return list(judged.filter(verdict=code).order_by("e164").values_list("e164", flat=True)[:SAMPLE])


def _cautions(judged: QuerySet[Any], cautions: Sequence[Caution]) -> list[Group]:
    """The cautions that apply to numbers that will change, each with its count and a sample."""
    if not cautions:
        return []
    willing = judged.filter(verdict=WILL)
    counts = willing.aggregate(**{caution.code: Count("pk", filter=caution.condition) for caution in cautions})
    return [
        Group(
            caution.code,
            str(caution.sentence),
            "caution",
            counts[caution.code],
            _sample(judged.filter(caution.condition), WILL),
        )
        for caution in cautions
        if counts[caution.code]
    ]


def refuse(task: Task, strangers: Sequence[Stranger]) -> None:
    """Outcome rows of what was named and is no number of ours, one each.

    A text that is too long for a number is cut, told apart from its like by a count, and stands whole in the message.
    """
    taken = set(
        task.items.filter(key__in=[stranger.key[:KEY_LENGTH] for stranger in strangers]).values_list("key", flat=True)
    )
    items = []
    for stranger in strangers:
        key, message = stranger.key[:KEY_LENGTH], str(stranger.sentence)
        if key != stranger.key or key in taken:
            message = f"“{stranger.key}”: {message}"
        while key in taken:
            key = f"{key[:10]}…{len(taken)}"[:KEY_LENGTH]
        taken.add(key)
        items.append(TaskItem(task=task, key=key, state=ItemState.REFUSED, code=stranger.code, message=message[:500]))
    TaskItem.objects.bulk_create(items, batch_size=1000)


def add_up(task: Task) -> None:
    """Set the task's counters from its items, and its customer where they all have the same.

    What is left alone counts as done, and so does what `claim` has done already.
    """
    rows = list(
        task.items.order_by()
        .values_list("state")
        .annotate(n=Count("pk"), low=Min("customer_ref"), high=Max("customer_ref"), channel=Max("channel_ref"))
        .values_list("state", "n", "low", "high", "channel")
    )
    counts = {state: n for state, n, *_rest in rows}
    customers = {customer for _state, _n, *both, _channel in rows for customer in both}
    if len(customers) == 1:
        task.customer_ref, task.channel_ref = customers.pop(), rows[0][4]
    task.total = sum(counts.values())
    task.refused, task.unchanged = counts.get(ItemState.REFUSED, 0), counts.get(ItemState.UNCHANGED, 0)
    task.succeeded = counts.get(ItemState.SUCCEEDED, 0)
    task.done = task.refused + task.unchanged + task.succeeded
    task.save(update_fields=["total", "succeeded", "refused", "unchanged", "done", "customer_ref", "channel_ref"])
