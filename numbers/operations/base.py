"""The common face of the verbs: judge a set of numbers, show the plan, make a task of it.

An operation says with verdicts which numbers it leaves alone and why; everything else it will change. Verdicts are
conditions of the database, so that a plan is one GROUP BY and a submission one INSERT … SELECT however many numbers
there are, and both judge by the same words.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Case, CharField, Count, Exists, F, JSONField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Finished, Outcome
from ocadmin.tasks.run import Run

from ..models import PhoneNumber
from ..models.customer import reached_by

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

WILL = "will"
SAMPLE = 5
_COPIED = (
    "task_id",
    "key",
    "customer_ref",
    "channel_ref",
    "state",
    "code",
    "message",
    "data",
    "upstream_ids",
    "attempts",
    "updated_at",
)


@dataclass(frozen=True)
class Verdict:
    """Why numbers are left alone: refused, or unchanged because they are already as they should be."""

    code: str
    sentence: str | Promise
    condition: Q
    state: ItemState = ItemState.REFUSED


@dataclass(frozen=True)
class Group:
    """The numbers of a plan that share a verdict; `sample` are the first few."""

    code: str
    sentence: str
    state: ItemState
    count: int
    sample: list[str]


@dataclass(frozen=True)
class Plan:
    """What would happen: how many numbers will change, and the groups of those that will not."""

    will: int
    sample: list[str]
    left_alone: list[Group]

    @property
    def total(self) -> int:
        """All selected numbers."""
        return self.will + sum(group.count for group in self.left_alone)


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
    note: "str | StrPromise" = ""  # what people should know before they confirm

    def step(self, run: Run) -> Outcome:
        """One bounded piece of work on the pending items (ocadmin/tasks/registry.py)."""
        raise TypeError(f"{type(self).__name__} does nothing")

    def cancel(self, run: Run) -> Finished:
        """End the task after a request to cancel."""
        raise TypeError(f"{type(self).__name__} cannot be cancelled")

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """Which numbers are left alone, the most telling reason first. Everything else will change."""
        raise TypeError(f"{type(self).__name__} has no verdicts")

    def judged(self, numbers: QuerySet[PhoneNumber], params: dict[str, Any], by: Principal) -> QuerySet[Any]:
        """The numbers with their `verdict` (a code, or WILL)."""
        whens = [When(verdict.condition, then=Value(verdict.code)) for verdict in self._all(params, by)]
        verdict = Case(*whens, default=Value(WILL), output_field=CharField())
        return numbers.order_by().annotate(verdict=verdict)

    def plan(self, numbers: QuerySet[PhoneNumber], params: dict[str, Any], by: Principal) -> Plan:
        """Judge without touching anything."""
        judged = self.judged(numbers, params, by)
        counts = dict(judged.values_list("verdict").annotate(n=Count("pk")).values_list("verdict", "n"))
        groups = [
            Group(
                verdict.code, str(verdict.sentence), verdict.state, counts[verdict.code], _sample(judged, verdict.code)
            )
            for verdict in self._all(params, by)
            if counts.get(verdict.code)
        ]
        will = counts.get(WILL, 0)
        return Plan(will, _sample(judged, WILL) if will else [], groups)

    def submit(
        self,
        numbers: QuerySet[PhoneNumber],
        params: dict[str, Any],
        *,
        title: str,
        by: Principal,
        channel: str,
        ticket: str = "",
    ) -> Task:
        """Make a task with one item for each number: pending where it will change, else with its verdict.

        A number that another operation took in the same moment is refused as busy: the rule of the database decides.
        """
        with transaction.atomic():
            task = services.start(self.kind, title=title, by=by, channel=channel, params=params, ticket=ticket)
            judged = self.judged(numbers, params, by)
            self._insert(task, judged, self._all(params, by))
            busy = numbers.exclude(e164__in=TaskItem.objects.filter(task=task).values("key"))
            self._insert(task, busy.order_by().annotate(verdict=Value(BUSY.code, CharField())), [BUSY])
            _count(task)
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

    def _all(self, params: dict[str, Any], by: Principal) -> list[Verdict]:
        verdicts = [*self.verdicts(params), BUSY]
        scope = by.scope(self.permission)
        if not scope.everything:
            sentence = _("Your role does not include “%(what)s” for this customer.") % {"what": self.permission.label}
            verdicts.insert(0, Verdict("not_permitted", sentence, ~reached_by(scope)))
        return verdicts

    def _insert(self, task: Task, judged: QuerySet[Any], verdicts: list[Verdict]) -> None:
        """INSERT … SELECT: no row passes through Python."""
        states = [When(verdict=verdict.code, then=Value(verdict.state.value)) for verdict in verdicts]
        words = [When(verdict=verdict.code, then=Value(str(verdict.sentence)[:500])) for verdict in verdicts]
        empty = Value({}, JSONField())
        rows = judged.annotate(
            item_task=Value(task.pk),
            item_state=Case(*states, default=Value(ItemState.PENDING.value), output_field=CharField()),
            item_code=Case(When(verdict=WILL, then=Value("")), default=F("verdict"), output_field=CharField()),
            item_message=Case(*words, default=Value(""), output_field=CharField()),
            item_data=empty,
            item_ids=empty,
            item_attempts=Value(0),
            item_at=Value(timezone.now()),
        ).values_list(
            "item_task",
            "e164",
            "customer_id",
            "customer__channel_id",
            "item_state",
            "item_code",
            "item_message",
            "item_data",
            "item_ids",
            "item_attempts",
            "item_at",
        )
        sql, values = rows.query.sql_with_params()
        table, columns = TaskItem._meta.db_table, ", ".join(_COPIED)
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({columns}) {sql} ON CONFLICT DO NOTHING", values)


def _sample(judged: QuerySet[Any], code: str) -> list[str]:
    return list(judged.filter(verdict=code).order_by("e164").values_list("e164", flat=True)[:SAMPLE])


def _count(task: Task) -> None:
    """Set the task's counters from its items; what is left alone counts as done."""
    counts = dict(task.items.values_list("state").annotate(n=Count("pk")).values_list("state", "n"))
    task.total = sum(counts.values())
    task.refused, task.unchanged = counts.get(ItemState.REFUSED, 0), counts.get(ItemState.UNCHANGED, 0)
    task.done = task.refused + task.unchanged
    task.save(update_fields=["total", "refused", "unchanged", "done"])
