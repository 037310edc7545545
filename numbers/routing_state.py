"""What each SBC should have for one number, by its way and our notes, and what was seen there when it was read."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sbc.dialplan import END, Rule, are_right
from sbc.models import SBC, DialPlanRule, PlanReading, SeenRule

from . import routing
from .models import PhoneNumber


@dataclass(frozen=True)
class Place:
    """One SBC. `wanted` is the rule that should be there, None where none should.

    `seen`: the rules for this number when the plan was last read whole (`read`); `right` and `looked_at` are of then,
    or of a later write, None where nobody has looked yet.
    """

    sbc: SBC
    wanted: Rule | None
    right: bool | None
    looked_at: datetime | None
    read: bool
    seen: list[Rule] = field(default_factory=list)


def places(number: PhoneNumber) -> list[Place]:
    """The SBCs that carry the number, of which we noted something for it, or which were seen to have a rule for it.

    By name. The number's `customer` should be loaded.
    """
    wanted = {sbc: rules[0] for sbc, rules in routing.rules([number]).items()}
    notes = {row.sbc: row for row in DialPlanRule.objects.filter(prefix=number.e164).select_related("sbc")}
    readings = {row.sbc: row for row in PlanReading.objects.current().select_related("sbc")}
    seen: dict[int, list[Rule]] = defaultdict(list)
    found = SeenRule.objects.filter(reading__in=[row.pk for row in readings.values()], prefix=number.e164)
    for one in found.order_by("place"):
        seen[one.reading_id].append(Rule(one.prefix + END * one.ends, one.name, one.tag))
    concerned = {*wanted, *notes, *(sbc for sbc, row in readings.items() if row.pk in seen)}
    return [
        _place(sbc, wanted.get(sbc), notes.get(sbc), readings.get(sbc), seen)
        for sbc in sorted(concerned, key=lambda one: one.name)
    ]


def _place(
    sbc: SBC, way: Rule | None, note: DialPlanRule | None, reading: PlanReading | None, seen: dict[int, list[Rule]]
) -> Place:
    goal = way or (Rule(note.prefix, note.name, note.tag) if note else None)
    if note and not note.wanted:
        goal = None
    rules = seen[reading.pk] if reading else []
    right, looked_at = None, None
    if reading:
        right, looked_at = _is_as_wanted(rules, goal), reading.read_at
    if note and note.checked_at and (looked_at is None or note.checked_at > looked_at):
        right, looked_at = note.present == note.wanted, note.checked_at
    return Place(sbc, goal, right, looked_at, reading is not None, rules)


def _is_as_wanted(rules: list[Rule], goal: Rule | None) -> bool:
    if goal is None:
        return not rules
    return are_right(rules, goal)
