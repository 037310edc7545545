"""What others ask of SBCs: to want rules, to stop wanting them, to bring devices in step, to ask how one is.

`want` and `unwant` only write our database; `push` makes the device follow, for the prefixes it is given and no
others, and may be run again after a crash at any point: it looks first, and does what is left. No transaction is open
while a device is asked.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import by_hand, health, mirror
from .chunks import chunks
from .device import Device, Status
from .dialplan import Rule
from .errors import PlanMissing, Rejected, SBCError
from .models import SBC, DialPlanRule
from .push import Push, Pushed, rules_of, wanted_of
from .strategies import STRATEGIES
from .writer import only_writer

__all__ = ["Pushed", "check", "look", "missing", "push", "remove", "rename_plan", "unwant", "want"]

LONGEST = {"name": 15, "tag": 253}  # upstreams.md §4; a tag may be a host name
_PREFIX = re.compile(r"\+?[0-9]{1,48}")
_UNWRITABLE = re.compile(r'["\\\x00-\x1f\x7f-\x9f]')


def want(sbc: SBC, rules: Sequence[Rule]) -> None:
    """Note that these rules have to be in the SBC's dial plan. `prefix` is E.164 without #; the last of equals counts.

    Raises Rejected for a rule that cannot be written to a device: then none is noted.
    """
    for rule in rules:
        _check_rule(sbc, rule)
    by_prefix = {rule.prefix: rule for rule in rules}
    for chunk in chunks(sorted(by_prefix)):
        known = rules_of(sbc, chunk).filter(wanted=True).values_list("prefix", "name", "tag")
        changed = {by_prefix[prefix] for prefix in chunk} - {Rule(*row) for row in known}
        # What was seen before says nothing about what is wanted from now on.
        _upsert(
            sbc, sorted(changed), wanted=True, columns=["wanted", "name", "tag", "present", "checked_at", "drifted"]
        )


def unwant(sbc: SBC, prefixes: Collection[str]) -> None:
    """Note that no rule may be there for these prefixes (E.164 without #), known to us or not.

    Name and tag of a rule that is not wanted any more stay until it is gone, for people to look at.
    """
    for chunk in chunks(sorted(set(prefixes))):
        _upsert(sbc, [Rule(prefix, "", "") for prefix in chunk], wanted=False, columns=["wanted"])


def rename_plan(sbc: SBC, before: str) -> int:
    """Our rules follow the SBC to the dial plan that it has now; nothing of them was seen there yet.

    Returns how many. What was noted for a plan of the new name long ago gives way. The device is not touched: rules
    that stand in the plan `before` stay there, and nobody looks after them any more.
    """
    moving = DialPlanRule.objects.filter(sbc=sbc, dial_plan=before)
    DialPlanRule.objects.filter(sbc=sbc, dial_plan=sbc.dial_plan).delete()
    return moving.update(dial_plan=sbc.dial_plan, present=None, checked_at=None, drifted=False)


def _upsert(sbc: SBC, rules: Iterable[Rule], *, wanted: bool, columns: list[str]) -> None:
    """One row per rule, in order of the prefix so that two at once do not deadlock; of a known row write `columns`."""
    rows = [
        DialPlanRule(sbc=sbc, dial_plan=sbc.dial_plan, prefix=rule.prefix, name=rule.name, tag=rule.tag, wanted=wanted)
        for rule in rules
    ]
    DialPlanRule.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["sbc", "dial_plan", "prefix"], update_fields=columns
    )


def _check_rule(sbc: SBC, rule: Rule) -> None:
    """A line of CLI and a cell of CSV have to hold it: no line ends, no quotation marks."""
    if not _PREFIX.fullmatch(rule.prefix):
        raise Rejected(sbc.name, said=_("“%s” is not a number in E.164 form") % rule.prefix[:60])
    for column, longest in LONGEST.items():
        text = getattr(rule, column)
        if len(text) > longest:
            problem = _("the %(column)s “%(text)s” of the rule for %(prefix)s is longer than %(longest)d characters")
        elif _UNWRITABLE.search(text):
            problem = _(
                "the %(column)s of the rule for %(prefix)s has a quotation mark, backslash or control character"
            )
        else:
            continue
        words = {"column": column, "text": text[:60], "prefix": rule.prefix, "longest": longest}
        raise Rejected(sbc.name, said=problem % words)
    if not rule.tag:
        raise Rejected(sbc.name, said=_("the rule for %s has no tag") % rule.prefix)


def check(sbc: SBC) -> Status:
    """Ask the device how it is, and note it. Raises SBCError, which is noted as well."""
    try:
        with Device(sbc) as device:
            status = device.status()
    except SBCError as error:
        health.note(sbc, health.Seen(error=error))
        raise
    health.note(sbc, health.Seen(status=status))
    return status


def look(sbc: SBC) -> None:
    """Read the device's whole dial plan and keep it (mirror.py). Nothing is written to it. Raises SBCError.

    A plan that is missing holds no rule: that is kept too before PlanMissing is raised.
    """
    began = timezone.now()
    try:
        with health.noted(sbc), Device(sbc) as device:
            plan = STRATEGIES[sbc.write_strategy].read(device)
    except PlanMissing:
        mirror.note(sbc, (), 0, read_at=began)
        raise
    mirror.note(sbc, plan.rules.items(), plan.table_size, read_at=began)


def missing(sbc: SBC, prefixes: Collection[str], *, at: datetime) -> None:
    """Note that the rules we want for these prefixes were not there, or not as they should be, when it was read.

    One that had been right has drifted: whether it is written anew a person decides, not the schedule.
    """
    for chunk in chunks(sorted(set(prefixes))):
        older = Q(checked_at=None) | Q(checked_at__lt=at)
        rules = rules_of(sbc, chunk).filter(older, wanted=True)
        rules.filter(present=True).update(drifted=True)
        rules.update(present=False, checked_at=at)


def push(sbc: SBC, prefixes: Collection[str]) -> Pushed:
    """Make the device do what is wanted for these prefixes (E.164 without #), saved to its flash and verified.

    Wanted: there with the right name and tag. Not wanted (`unwant`): not there. A prefix that nobody ever wanted or
    stopped wanting is left alone. Raises SBCError, and RuntimeError inside a transaction.

    An SBC that is written by hand is not asked: people have confirmed these rules, or ByHand is raised.
    """
    if sbc.by_hand:
        return by_hand.push(sbc, prefixes)
    with only_writer(sbc) as writer, health.noted(sbc), Device(sbc) as device:
        asked = set(prefixes)
        done = Push(sbc, device, writer, wanted_of(sbc, asked)).run()
    return replace(done, unchanged=len(asked) - done.added - done.changed - done.removed)


def remove(sbc: SBC, prefixes: Collection[str]) -> Pushed:
    """Take the rules of these prefixes (E.164 without #) off the device, whatever we wanted before, and forget them.

    The same as `unwant` and `push` for a caller that knows by itself, after a crash as well, what it wants removed:
    nothing is written into our database before the device has done it; of an SBC that is written by hand they are noted
    as unwanted, for people to see. Raises what `push` raises.
    """
    if sbc.by_hand:
        unwant(sbc, by_hand.may_have(sbc, prefixes))
        return by_hand.push(sbc, prefixes)
    with only_writer(sbc) as writer, health.noted(sbc), Device(sbc) as device:
        return Push(sbc, device, writer, dict.fromkeys(prefixes), forget=True).run()
