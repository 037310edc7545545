"""One chunk of a repair: judge its numbers anew, take over those from elsewhere, write and remove rules, tell it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome, Wait
from ocadmin.tasks.run import Run
from sbc import services
from sbc.dialplan import Rule
from sbc.errors import SBCError, pause
from sbc.models import SBC

from ... import history
from ...lifecycle import Source
from ...models import DriftFinding, Kind, MicrosoftReading, PhoneNumber
from ..items import close, pending
from . import cases, suspects
from .cases import Moments
from .table import Case, View, judge

CHUNK = 1000

WRITE = frozenset({Kind.NO_ROUTING, Kind.WRONG_TAG, Kind.DOUBLED_RULE})
REMOVE = frozenset({Kind.ORPHAN_RULE, Kind.MISPLACED_RULE})


@dataclass
class Work:
    """What has to be done on one SBC."""

    write: dict[str, Rule] = field(default_factory=dict)
    remove: set[str] = field(default_factory=set)


@dataclass
class Results:
    """What became of it: numbers to the SBCs where it was done, could not be done now, or will never be done."""

    written: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    held: set[str] = field(default_factory=set)
    failed: dict[str, SBCError] = field(default_factory=dict)


def step(run: Run) -> Outcome | None:
    """The next thousand numbers, or the end of a round. None: everything has its outcome."""
    items = list(pending(run.task).filter(pk__gt=run.cursor.get("after", 0))[:CHUNK])
    if not items:
        return _end_of_round(run)
    adopted = _adopt(run, items)
    results = Results()
    for sbc, work in _work(items).items():
        _carry_out(run, sbc, work, results)
    _tell(run, items, adopted, results)
    return Continue()


def _end_of_round(run: Run) -> Outcome | None:
    """Wait for the SBCs that could not be written, then begin anew with what is left."""
    waits: dict[str, dict] = run.cursor.get("waits", {})
    if not pending(run.task).exists():
        return None
    with run.commit():
        tries = run.cursor.get("tries", 0) + 1
        run.cursor |= {"after": 0, "waits": {}, "tries": tries}
    seconds = pause([one["after"] for one in waits.values()], tries)
    return Wait(seconds, _("Waiting for an SBC. %(why)s") % {"why": " ".join(one["why"] for one in waits.values())})


def _wishes(item: TaskItem) -> list[tuple[str, int | None]]:
    """The findings (kind, SBC) that an item is to repair."""
    return [(kind, sbc) for kind, sbc in item.data.get("findings", [])]


def _judged(e164s: Iterable[str]) -> dict[str, Case]:
    """The numbers as they are now. That a task works on them is known: it is this one."""
    now = timezone.now()
    return {
        case.e164: replace(case, busy=False) for case in cases.of(set(e164s), suspects.readings(), Moments(now, now))
    }


def _view() -> View:
    at = MicrosoftReading.objects.values_list("began_at", flat=True).first()
    return View(timezone.now(), at, frozenset(SBC.objects.values_list("pk", flat=True)))


def _adopt(run: Run, items: list[TaskItem]) -> set[str]:
    """Numbers from elsewhere become managed ones, where they still are what was found. Returns which were adopted.

    A number that an earlier slice has adopted counts too: its rules may be outstanding.
    """
    asked = {item.key for item in items if any(kind == Kind.UNMANAGED for kind, _sbc in _wishes(item))}
    if not asked:
        return set()
    view, found = _view(), set()
    for case in _judged(asked).values():
        verdict = judge(case, view)
        if case.ours and not isinstance(verdict, str) and any(one.kind == Kind.UNMANAGED for one in verdict):
            found.add(case.e164)
    with run.commit():
        numbers = PhoneNumber.objects.select_for_update(of=("self",)).select_related("customer")
        chosen = list(numbers.filter(e164__among=frozenset(found), source=Source.EXTERNAL))
        PhoneNumber.objects.filter(pk__in=[one.pk for one in chosen]).update(
            source=Source.WEB_UI, modified_at=timezone.now()
        )
        AuditEntry.objects.bulk_create(
            history.number_entry(
                "drift.adopted",
                one.e164,
                by=history.author(run.task),
                channel=run.task.channel,
                customer_id=one.customer_id,
                channel_id=one.customer.channel_id,
                before={"source": ""},
                after={"source": Source.WEB_UI.value},
                task_ref=run.task.pk,
                ticket=run.task.ticket,
            )
            for one in chosen
        )
        taken = [*run.cursor.get("adopted", []), *(one.e164 for one in chosen)]
        run.cursor["adopted"] = taken
    DriftFinding.objects.filter(kind=Kind.UNMANAGED, e164__among=frozenset(taken)).delete()
    return set(taken) & asked


def _work(items: list[TaskItem]) -> dict[SBC, Work]:
    """What is still to be done, by SBC: what the table says now of the SBCs that were chosen."""
    view, todo = _view(), defaultdict[int, Work](Work)
    now = _judged(item.key for item in items)
    for item in items:
        case, wishes = now[item.key], _wishes(item)
        verdict = judge(case, view)
        found = {one.sbc_id: one.kind for one in verdict if one.sbc_id} if not isinstance(verdict, str) else {}
        rules = {one.sbc_id: one.rule for one in case.wanted}
        adopting = any(kind == Kind.UNMANAGED for kind, _sbc in wishes) and case.ours and case.ours.managed
        for place in rules if adopting else {sbc for _kind, sbc in wishes if sbc}:
            if found.get(place) in WRITE or adopting:
                todo[place].write[item.key] = rules[place]
        for kind, sbc_id in wishes:
            if sbc_id and kind in REMOVE and found.get(sbc_id) in REMOVE:
                todo[sbc_id].remove.add(item.key)
    return {sbc: todo[sbc.pk] for sbc in SBC.objects.filter(pk__in=todo).order_by("pk")}


def _carry_out(run: Run, sbc: SBC, work: Work, results: Results) -> None:
    """Bring one SBC in line. One that has to be waited for is not asked again in this round."""
    numbers = {*work.write, *work.remove}
    if str(sbc.pk) in run.cursor.get("waits", {}):
        results.held |= numbers
        return
    try:
        if work.write:
            with run.commit():
                services.want(sbc, list(work.write.values()))
            services.push(sbc, work.write)
            _done(sbc, work.write, WRITE, results.written)
        if work.remove:
            services.remove(sbc, work.remove)
            _done(sbc, work.remove, REMOVE, results.removed)
    except SBCError as error:
        if not error.retryable or run.cancelling:
            results.failed |= dict.fromkeys(numbers, error)
            return
        results.held |= numbers
        with run.commit():
            waits = run.cursor.get("waits", {}) | {str(sbc.pk): {"why": error.message, "after": error.retry_after}}
            run.cursor["waits"] = waits


def _done(sbc: SBC, numbers: Iterable[str], kinds: frozenset[Kind], where: dict[str, list[str]]) -> None:
    """Take what is right now out of every report."""
    DriftFinding.objects.filter(sbc=sbc, kind__in=kinds, e164__among=frozenset(numbers)).delete()
    for e164 in numbers:
        where[e164].append(sbc.name)


def _tell(run: Run, items: list[TaskItem], adopted: set[str], results: Results) -> None:
    """An outcome for each number but for those that are held, and a line in its history."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item in items:
        if item.key not in results.held:
            groups[_outcome(item.key, adopted, results)].append(item.key)
    with run.commit():
        for (state, code, message), keys in groups.items():
            if state == ItemState.SUCCEEDED:
                rows = run.task.items.filter(key__in=keys)
                history.entries_of_items("drift.repaired", run.task, rows, message=message)
            close(run, keys, ItemState(state), code=code, message=message)
        run.cursor["after"] = items[-1].pk
        run.task.step = _("Putting rules right")


def _outcome(e164: str, adopted: set[str], results: Results) -> tuple[str, str, str]:
    """State, code and sentence."""
    if error := results.failed.get(e164):
        return ItemState.FAILED, error.code, error.message
    parts = []
    if e164 in adopted:
        parts.append(_("Managed from now on."))
    if names := results.written.get(e164):
        parts.append(_("Its rule is as it should be on %(sbcs)s.") % {"sbcs": ", ".join(names)})
    if names := results.removed.get(e164):
        parts.append(_("Its rule was removed from %(sbcs)s.") % {"sbcs": ", ".join(names)})
    if parts:
        return ItemState.SUCCEEDED, "", " ".join(parts)
    return ItemState.UNCHANGED, "changed_meanwhile", _("It is no longer as it was found; nothing was done.")
