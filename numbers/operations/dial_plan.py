"""Write single rules of a customer's numbers to an SBC, or take spare ones off, because a program asks for it.

The database stays the truth: a rule is written only for a number that the customer has and that this console routes,
with the name and the tag that follow from its SIP connection; and one is removed only where no such number needs it.
Whoever wants a number without routing releases it. Source: live-platform.md, 3.2 and 6.2 (dial plan GET and PATCH).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services as tasks
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed, TryLater
from ocadmin.tasks.plans import SAMPLE, Group, Plan
from ocadmin.tasks.run import Run
from sbc import services
from sbc.dialplan import Rule
from sbc.errors import SBCError
from sbc.models import SBC, DialPlanRule

from .. import history, routing
from ..lifecycle import Status
from ..models import Customer, PhoneNumber
from .base import BUSY, NumberOperation, add_up
from .items import close, pending
from .plan import Stranger, of_strangers

CHUNK = 1000
_GOING = (Status.READY_FOR_REMOVAL, Status.RELEASE_REQUESTED)

NOT_THEIRS = gettext_lazy("It is no number of this customer. Upload it first: an upload writes its rule as well.")
SPARE_ONLY = gettext_lazy("There is no rule of this customer for it on this SBC that nobody needs.")
IN_USE = gettext_lazy(
    "The customer has this number: without the rule nobody could call it. Release the number instead."
)
EXTERNAL = gettext_lazy("It came in outside this console, so its routing is not changed from here.")
LEAVING = gettext_lazy("This number is about to leave.")
OTHER_SBC = gettext_lazy("Calls of its calling profile do not run over this SBC.")
ALREADY = gettext_lazy("The rule is there already.")


@dataclass(frozen=True)
class Change:
    """Rules of one customer on one SBC. `add`: prefix (E.164, without #) to the tag that the caller expects, or ""."""

    customer: Customer
    sbc: SBC
    add: dict[str, str]
    remove: list[str]


@dataclass(frozen=True)
class Judged:
    """What would become of each prefix: the rules to write, those to remove, the rest with a code and a sentence."""

    write: list[Rule]
    remove: list[str]
    left: dict[str, tuple[str, str, ItemState]]
    strangers: list[Stranger]

    def plan(self) -> Plan:
        """The same as a plan."""
        groups: dict[tuple[str, str, ItemState], list[str]] = {}
        for prefix, what in self.left.items():
            groups.setdefault(what, []).append(prefix)
        left = [
            Group(code, text, state, len(some), sorted(some)[:SAMPLE]) for (code, text, state), some in groups.items()
        ]
        going = sorted([*(rule.prefix for rule in self.write), *self.remove])
        return Plan(len(going), going[:SAMPLE], left + of_strangers(self.strangers))


class DialPlan(NumberOperation):
    """One SBC; its items are prefixes, those that are taken off with `remove` in their data."""

    kind = "dial-plan"
    label = gettext_lazy("Write dial plan rules")
    permission = Permission.PUSH_SBC

    def step(self, run: Run) -> Outcome:
        """Push a thousand at a time; what is wanted was written down when the task was made."""
        keys = list(pending(run.task).values_list("key", flat=True)[:CHUNK])
        if not keys:
            return _finished(run.task)
        sbc = SBC.objects.filter(pk=run.task.params["sbc"]).first()
        if sbc is None:
            raise TaskFailed(_("This SBC is no longer known."), "sbc_gone")
        run.task.step = _("Writing SBC rules")
        try:
            services.push(sbc, keys)
        except SBCError as error:
            if error.retryable:
                raise TryLater(error.message, error.code, error.retry_after) from error
            raise TaskFailed(error.message, error.code) from error
        with run.commit():
            items = run.task.items.filter(key__in=keys)
            words = {"message": run.task.params.get("comment", "")}
            history.entries_of_items(
                "routing.written", run.task, items.filter(data={}), after={"sbc": sbc.name}, **words
            )
            history.entries_of_items(
                "routing.removed", run.task, items.exclude(data={}), after={"sbc": sbc.name}, **words
            )
            close(run, keys, ItemState.SUCCEEDED)
        return Continue()

    def cancel(self, run: Run) -> Outcome:
        """What is written stays; what is wanted and not written yet is written by the next push."""
        with run.commit():
            left = pending(run.task).update(state=ItemState.CANCELLED, updated_at=timezone.now())
        words = {"done": run.task.succeeded, "left": left}
        text = _("%(done)d rules were written before the task was stopped, %(left)d were not.") % words
        return Finished(TaskState.CANCELLED, text, run.task.result)

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The failed ones, each with what was to be done."""
        items = super().retry_items(task, keys)
        data = dict(task.items.filter(key__in=[item.key for item in items]).values_list("key", "data"))
        for item in items:
            item.data = data[item.key]
        return items

    def retried(self, task: Task) -> None:
        """What is wanted stands in the database; a push looks at that."""
        add_up(task)


def judge(change: Change) -> Judged:
    """Judge every prefix without touching anything."""
    numbers = PhoneNumber.objects.filter(e164__among=frozenset([*change.add, *change.remove]))
    found = {number.e164: number for number in numbers}
    mine = {e164: number for e164, number in found.items() if number.customer_id == change.customer.pk}
    ways = routing.ways({(change.customer.pk, number.calling_profile_id) for number in mine.values()})
    tags = {
        e164: way.tag
        for e164, number in mine.items()
        for way in ways[change.customer.pk, number.calling_profile_id]
        if way.sbc.pk == change.sbc.pk
    }
    known = _rules(change.sbc, [*change.add, *change.remove])
    alive = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE))
    busy = set(alive.filter(key__among=frozenset([*change.add, *change.remove])).values_list("key", flat=True))
    judged = Judged([], [], {}, [])
    name = routing.rule_name(change.customer)
    for prefix, tag in change.add.items():
        _judge_new(judged, prefix, tag, mine.get(prefix), tags, known, name, busy)
    for prefix in change.remove:
        rule = known.get(prefix)
        if prefix in tags:
            judged.left[prefix] = ("in_use", str(IN_USE), ItemState.REFUSED)
        elif rule is None or rule.name != name or (prefix in found and prefix not in mine):
            judged.strangers.append(Stranger(prefix, "no_spare_rule", SPARE_ONLY))
        elif prefix in busy:
            judged.left[prefix] = (BUSY.code, str(BUSY.sentence), ItemState.REFUSED)
        else:
            judged.remove.append(prefix)
    return judged


def _judge_new(
    judged: Judged,
    prefix: str,
    tag: str,
    number: PhoneNumber | None,
    tags: dict[str, str],
    known: dict[str, DialPlanRule],
    name: str,
    busy: set[str],
) -> None:
    """One rule that is to be written."""
    if number is None:
        judged.strangers.append(Stranger(prefix, "not_their_number", NOT_THEIRS))
        return
    refusal: tuple[str, str] | None = None
    if number.source not in routing.MANAGED:
        refusal = ("external", str(EXTERNAL))
    elif number.status in _GOING:
        refusal = ("leaving", str(LEAVING))
    elif prefix not in tags:
        refusal = ("other_sbc", str(OTHER_SBC))
    elif tag and tag.casefold() != tags[prefix].casefold():
        sentence = _("The tag of its rule follows from its SIP connection: it is %s, nothing else. Leave it out.")
        refusal = ("other_tag", sentence % tags[prefix])
    elif prefix in busy:
        refusal = (BUSY.code, str(BUSY.sentence))
    if refusal is not None:
        judged.left[prefix] = (*refusal, ItemState.REFUSED)
        return
    wanted, there = Rule(prefix, name, tags[prefix]), known.get(prefix)
    if there and there.wanted and there.present and Rule(there.prefix, there.name, there.tag) == wanted:
        judged.left[prefix] = ("already", str(ALREADY), ItemState.UNCHANGED)
    else:
        judged.write.append(wanted)


def _rules(sbc: SBC, prefixes: Sequence[str]) -> dict[str, DialPlanRule]:
    rules = DialPlanRule.objects.filter(sbc=sbc, dial_plan=sbc.dial_plan, prefix__among=frozenset(prefixes))
    return {rule.prefix: rule for rule in rules}


def submit(change: Change, judged: Judged, *, by: Principal, channel: str, ticket: str = "", comment: str = "") -> Task:
    """Write down what is wanted and make the task that brings the SBC in line. A prefix that another operation has
    taken in the same moment is refused: the rule of the database decides, and nothing is wanted of it."""
    operation = DialPlan()
    params: dict[str, Any] = {"sbc": change.sbc.pk, "comment": comment}
    going = [*((rule.prefix, {}) for rule in judged.write), *((prefix, {"remove": True}) for prefix in judged.remove)]
    place = {"customer_ref": change.customer.pk, "channel_ref": change.customer.channel_id}
    with transaction.atomic():
        title = operation.title(len(going))
        task = tasks.start(operation.kind, title=title, by=by, channel=channel, params=params, ticket=ticket)
        items = [TaskItem(task=task, key=key, data=data, **place) for key, data in going]
        items += [
            TaskItem(task=task, key=key, state=state, code=code, message=text[:500], **place)
            for key, (code, text, state) in judged.left.items()
        ]
        TaskItem.objects.bulk_create(items, batch_size=1000, ignore_conflicts=True)
        taken = set(pending(task).values_list("key", flat=True))
        late = [key for key, _data in going if key not in taken]
        words = {"state": ItemState.REFUSED, "code": BUSY.code, "message": str(BUSY.sentence)}
        TaskItem.objects.bulk_create([TaskItem(task=task, key=key, **words, **place) for key in late])
        services.want(change.sbc, [rule for rule in judged.write if rule.prefix in taken])
        services.unwant(change.sbc, [prefix for prefix in judged.remove if prefix in taken])
        add_up(task)
    return task


def _finished(task: Task) -> Finished:
    text = ngettext("%(n)d rule brought in line.", "%(n)d rules brought in line.", task.succeeded)
    state = TaskState.PARTIAL if task.failed else TaskState.SUCCEEDED
    return Finished(state, text % {"n": task.succeeded}, task.result)
