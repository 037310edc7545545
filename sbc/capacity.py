"""How full the table of rules of an SBC is, by what we know without asking it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from .models import SBC, DialPlanRule, PlanReading


def table_sizes(sbcs: Collection[SBC]) -> dict[int, int]:
    """SBC (id) to the rules of all its dial plans when it was last read as a whole; none for who never was."""
    readings = PlanReading.objects.current().filter(sbc__in=[sbc.pk for sbc in sbcs])
    return dict(readings.order_by().values_list("sbc_id", "table_size"))


@dataclass(frozen=True, slots=True)
class Filling:
    """Rules of an SBC's dial plan: those we want, and those that are there, by whom ever, as far as we know.

    `percent` of its capacity that is used by all its plans, rounded down, None where the capacity is not known;
    `read_at`: when the whole plan was last read, None for never.
    """

    wanted: int
    present: int
    percent: int | None
    read_at: datetime | None


def fillings(sbcs: Collection[SBC]) -> dict[int, Filling]:
    """For each SBC (id): by the last whole reading, else by the rules of ours that were seen. Two queries."""
    rules = DialPlanRule.objects.filter(sbc__in=sbcs).order_by().values_list("sbc_id")
    wanted, present = Count("wanted", filter=Q(wanted=True)), Count("present", filter=Q(present=True))
    counts = {pk: (w, p) for pk, w, p in rules.annotate(w=wanted, p=present)}
    readings = {one.sbc_id: one for one in PlanReading.objects.current().filter(sbc__in=sbcs)}
    found = {}
    for sbc in sbcs:
        ours, seen = counts.get(sbc.pk, (0, 0))
        reading = readings.get(sbc.pk)
        size = max(reading.table_size, seen) if reading else seen
        there, read_at = (reading.rules_count, reading.read_at) if reading else (seen, None)
        found[sbc.pk] = Filling(ours, there, percent(sbc, size), read_at)
    return found


def percent(sbc: SBC, size: int) -> int | None:
    """Share of the capacity, rounded down; None where the capacity is not known."""
    return size * 100 // sbc.max_rules if sbc.max_rules else None


def rooms(sbcs: Collection[SBC]) -> dict[SBC, int]:
    """How many more rules fit into each of these SBCs, whose capacity is known: 0 for a full one."""
    if not sbcs:
        return {}
    sizes = table_sizes(sbcs)
    present = DialPlanRule.objects.filter(sbc__in=[sbc.pk for sbc in sbcs], present=True).order_by()
    known = dict(present.values_list("sbc_id").annotate(n=Count("pk")))
    return {
        sbc: max(0, sbc.max_rules - max(sizes.get(sbc.pk, 0), known.get(sbc.pk, 0)))
        for sbc in sbcs
        if sbc.max_rules is not None
    }
