"""How full the table of rules of an SBC is, by what we know without asking it."""

from collections.abc import Collection

from django.db.models import Count

from .models import SBC, DialPlanRule, PlanReading


def table_sizes(sbcs: Collection[SBC]) -> dict[int, int]:
    """SBC (id) to the rules of all its dial plans when it was last read as a whole; none for who never was."""
    readings = PlanReading.objects.current().filter(sbc__in=[sbc.pk for sbc in sbcs])
    return dict(readings.order_by().values_list("sbc_id", "table_size"))


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
