"""What a device's dial plan holds, written down whole."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from .dialplan import END, Rule, bare
from .models import SBC, PlanReading, SeenRule
from .push import chunks


def note(sbc: SBC, rules: Iterable[tuple[int, Rule]], table_size: int) -> None:
    """Keep these rules, by their place, as the latest complete reading of the SBC's dial plan."""
    reading = PlanReading.objects.create(
        sbc=sbc, dial_plan=sbc.dial_plan, read_at=timezone.now(), table_size=table_size
    )
    count = 0
    for some in chunks(rules):
        rows = [_seen(reading, place, rule) for place, rule in some]
        SeenRule.objects.bulk_create(rows)
        count += len(rows)
    with transaction.atomic():
        PlanReading.objects.filter(pk=reading.pk).update(complete=True, rules_count=count)
        PlanReading.objects.filter(sbc=sbc, dial_plan=sbc.dial_plan, pk__lt=reading.pk).delete()


def _seen(reading: PlanReading, place: int, rule: Rule) -> SeenRule:
    name, prefix, tag = (_storable(text) for text in (rule.name, bare(rule.prefix), rule.tag))
    is_number = prefix[:1] == "+" and prefix[1:].isascii() and prefix[1:].isdigit()
    ends = rule.prefix.endswith(END)
    return SeenRule(reading=reading, place=place, prefix=prefix, ends=ends, name=name, tag=tag, is_number=is_number)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
