"""The SBC's part of an upload: rules before Microsoft is asked, and away again where it was asked in vain.

Which rules this task has asked for stands with each number (`data["sbcs"]`), so that only those are taken back. The
rule of a number that we have, or that may be live although we do not know, is never taken away.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome, Wait
from ocadmin.tasks.run import Run
from sbc import services
from sbc.errors import SBCError
from sbc.models import SBC, DialPlanRule

from ... import routing
from ...models import Customer, PhoneNumber, UpstreamJob
from .. import sbc_rules
from ..items import alive, close, pending
from .settings import Settings

CHUNK = 1000
CHECKED, ROUTING, ROUTED = "checked", "routing", "routed"  # stages of a number before it is sent
# Codes of numbers that Microsoft has already: whoever calls them needs the rule.
ALREADY_THERE = "already_at_microsoft"
LIVE = (ALREADY_THERE, "NumberAlreadyAcquired", "OperationInProgress")
PAUSE_SECONDS = 5.0
MOST_ATTEMPTS = 5  # at removing a spare rule, which does no harm

_MISSING = Q(wanted=True) & ~Q(present=True)
# A rule that was never looked for was never written: an SBC that refused us is not asked about it again (F23).
_SPARE = Q(wanted=False, present__isnull=False)


def bring_next(run: Run) -> Outcome | None:
    """The next numbers' rules; None where some are routed and wait to be sent, or nothing is left to route."""
    checked = _at(run, CHECKED)
    if checked.exists():
        return _want(run, list(checked[:CHUNK]))
    keys = list(_at(run, ROUTING).values_list("key", flat=True))
    if not keys or _at(run, ROUTED).exists():
        return None
    waiting = [int(pk) for pk, until in run.cursor.get("waiting_for", {}).items() if _ahead(until) > 0]
    held = {key for found in _rules(keys, _MISSING, waiting).values() for key in found}
    free = [key for key in keys if key not in held]
    return _bring(run, free[:CHUNK], waiting) if free else _parked(run)


def unwant(run: Run, keys: Sequence[str]) -> None:
    """Note that the rules which this task has asked for are no longer needed. Inside `run.commit()`."""
    for start in range(0, len(keys), CHUNK):
        some = run.task.items.filter(key__in=keys[start : start + CHUNK], data__has_key="sbcs").exclude(code__in=LIVE)
        asked = dict(some.values_list("key", "data__sbcs"))
        ours = set(PhoneNumber.objects.filter(e164__in=list(asked)).values_list("e164", flat=True))
        prefixes: dict[int, list[str]] = defaultdict(list)
        for key, sbcs in asked.items():
            for pk in sbcs if key not in ours else ():
                prefixes[pk].append(key)
        for sbc in SBC.objects.filter(pk__in=prefixes):
            services.unwant(sbc, prefixes[sbc.pk])


def clean_up(run: Run, *, once: bool = False) -> Outcome | None:
    """Take rules that nobody wants any more off the SBCs; where that cannot be done, leave them and say so.

    Only when nothing else is left to do. `once`: do not wait for an SBC.
    """
    if alive(run.task).exists():
        return None
    spare = _spare(run)
    if not spare:
        return None
    keys = sorted({key for found in spare.values() for key in found})
    parked, _blocked = sbc_rules.bring(run, keys, leave=_left(run))
    attempts = run.cursor.get("removals", 0) + 1
    if parked and attempts < MOST_ATTEMPTS and not (once or run.cancelling):
        with run.commit():
            run.cursor["removals"] = attempts
        return Wait(parked.seconds, parked.why)
    _leave(run)
    return Continue()


def _at(run: Run, stage: str) -> QuerySet[TaskItem]:
    return pending(run.task).filter(code=stage)


def _rules(keys: Sequence[str], condition: Q, sbcs: Collection[int] | None = None) -> dict[int, list[str]]:
    """SBC (id) to those of `keys` that have a rule there with the condition; of `sbcs` only, where they are named."""
    found: dict[int, list[str]] = defaultdict(list)
    if sbcs is not None and not sbcs:
        return found
    for start in range(0, len(keys), CHUNK):
        rules = DialPlanRule.objects.filter(condition, prefix__in=keys[start : start + CHUNK])
        rules = rules.filter(dial_plan=F("sbc__dial_plan"))
        if sbcs is not None:
            rules = rules.filter(sbc__in=sbcs)
        for pk, prefix in rules.values_list("sbc_id", "prefix"):
            found[pk].append(prefix)
    return found


def _want(run: Run, items: list[TaskItem]) -> Outcome:
    """Write down which rules these numbers need. One that cannot be written at all fails its numbers."""
    with run.commit():
        refused: dict[str, SBCError] = {}
        sbcs: dict[str, list[int]] = defaultdict(list)
        for sbc, rules in routing.rules(_as_numbers(run, items)).items():
            try:
                services.want(sbc, rules)
            except SBCError as error:
                refused |= {rule.prefix: error for rule in rules}
            else:
                for rule in rules:
                    sbcs[rule.prefix].append(sbc.pk)
        for item in items:
            item.data = {"group": item.data["group"], "sbcs": sbcs[item.key]}
            item.code, item.message, item.updated_at = ROUTING, _("Its SBC rules are being written."), timezone.now()
        TaskItem.objects.bulk_update(items, ["data", "code", "message", "updated_at"], batch_size=200)
        for problem in set(refused.values()):
            _fail(run, [key for key, why in refused.items() if why is problem], problem)
        nowhere = [item.key for item in items if not sbcs[item.key] and item.key not in refused]
        words = _("Not uploaded, because no SBC is known for its calling profile any more.")
        close(run, nowhere, ItemState.FAILED, code="no_sbc", message=words)
        run.task.step = _("Writing SBC rules")
    return Continue()


def _as_numbers(run: Run, items: list[TaskItem]) -> list[PhoneNumber]:
    """The numbers as they will be, as far as routing asks."""
    customers = Customer.objects.in_bulk({item.customer_ref for item in items if item.customer_ref})
    groups = [Settings.of(values) for values in run.task.params["groups"]]
    return [
        PhoneNumber(
            e164=item.key,
            customer=customers[item.customer_ref],
            calling_profile_id=groups[item.data["group"]].calling_profile,
            source=run.task.params["source"],
        )
        for item in items
        if item.customer_ref
    ]


def _bring(run: Run, keys: list[str], waiting: list[int]) -> Outcome:
    """Push these numbers' rules. An SBC that will not be written fails every number that needs it, at once."""
    chunk = pending(run.task).filter(key__in=keys)
    parked, blocked = sbc_rules.bring(run, keys, leave=waiting)
    with run.commit():
        for one in blocked:
            left = list(_at(run, ROUTING).values_list("key", flat=True))
            _fail(run, _rules(left, _MISSING, [one.sbc.pk]).get(one.sbc.pk, []), one.error)
        missing = _rules(list(chunk.values_list("key", flat=True)), _MISSING)
        there = chunk.exclude(key__in={key for found in missing.values() for key in found})
        message = _("The SBC routes it. Microsoft is asked next.")
        some = there.update(code=ROUTED, message=message, updated_at=timezone.now())
        if parked is not None:
            until = (timezone.now() + timedelta(seconds=parked.seconds)).isoformat()
            run.cursor["waiting_for"] = run.cursor.get("waiting_for", {}) | {str(pk): until for pk in missing}
            run.cursor["waiting_why"] = parked.why
    if some or parked is not None or blocked:
        return Continue()
    return Wait(PAUSE_SECONDS, _("Some SBC rules were changed by somebody else; they are looked at again."))


def _parked(run: Run) -> Outcome | None:
    """Wait for an SBC, but look after jobs at Microsoft meanwhile."""
    jobs = UpstreamJob.objects.filter(task=run.task, completed_at=None, poll_at__isnull=False)
    polls = [(moment - timezone.now()).total_seconds() for moment in jobs.values_list("poll_at", flat=True) if moment]
    if any(seconds <= 0 for seconds in polls):
        return None
    waits = [max(_ahead(until), 0.1) for until in run.cursor["waiting_for"].values()]
    return Wait(min([*waits, *polls]), run.cursor["waiting_why"])


def _ahead(moment: str) -> float:
    """Seconds until a moment in ISO 8601."""
    return (datetime.fromisoformat(moment) - timezone.now()).total_seconds()


def _fail(run: Run, keys: list[str], error: SBCError) -> None:
    """Numbers whose SBC will not be written: they are not uploaded, and what was written elsewhere goes again."""
    message = _("Not uploaded, because an SBC cannot be written. %(why)s") % {"why": error.message}
    close(run, keys, ItemState.FAILED, code=error.code, message=message)
    unwant(run, keys)


def _left(run: Run) -> list[int]:
    """SBCs (ids) on which spare rules stay."""
    return list(run.cursor.get("left_at", []))


def _spare(run: Run) -> dict[int, list[str]]:
    """SBC (id) to numbers whose rule this task has asked for in vain, and that may still be there."""
    ended = run.task.items.filter(state__in=(ItemState.FAILED, ItemState.CANCELLED), data__has_key="sbcs")
    spare = _rules(list(ended.values_list("key", flat=True)), _SPARE)
    return {pk: keys for pk, keys in spare.items() if pk not in _left(run)}


def _leave(run: Run) -> None:
    """Give up on what is still there: the numbers say so, and where."""
    spare = _spare(run)
    with run.commit():
        run.cursor["left_at"] = [*_left(run), *spare]
        for sbc in SBC.objects.filter(pk__in=spare):
            words = _("A spare rule stays on %(sbc)s.") % {"sbc": sbc}
            items = list(run.task.items.filter(key__in=spare[sbc.pk]))
            for item in items:
                item.message = f"{item.message[: 499 - len(words)]} {words}"
            TaskItem.objects.bulk_update(items, ["message"], batch_size=200)
        kept = {key for keys in spare.values() for key in keys}
        if kept:
            run.task.result["rules_left"] = run.task.result.get("rules_left", 0) + len(kept)
