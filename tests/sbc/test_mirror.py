"""What our database keeps of a dial plan that was read: whole readings, and corrections after a push."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sbc import chunks, mirror, services
from sbc.dialplan import Rule
from sbc.models import SBC, PlanReading, SeenRule
from tests.factories import SBCFactory

from .bench import FOREIGN, MINE, PREFIXES, Bench

RULES = [
    (0, Rule("+442079460310#", "Harbourline", "trunk1")),
    (3, Rule("+1212", "by hand", "old")),
    (4, Rule("[5551200-5551300]#", "", "pattern")),
    (5, Rule("+4420794603111234567", "too long", "x")),
]


@pytest.fixture
def sbc(db: None) -> SBC:
    """An SBC that nobody has read yet."""
    return SBCFactory()


def seen(sbc: SBC) -> list[tuple[int, str, bool, str, str, bool]]:
    """The rules of the current reading."""
    rows = SeenRule.objects.filter(reading__in=mirror.current(sbc)).order_by("place", "prefix")
    return list(rows.values_list("place", "prefix", "ends", "name", "tag", "is_number"))


def test_a_whole_reading_is_kept_and_tells_numbers_from_patterns(sbc: SBC) -> None:
    mirror.note(sbc, iter(RULES), 9)
    assert seen(sbc) == [
        (0, "+442079460310", True, "Harbourline", "trunk1", True),
        (3, "+1212", False, "by hand", "old", False),
        (4, "[5551200-5551300]", True, "", "pattern", False),
        (5, "+4420794603111234567", False, "too long", "x", False),
    ]
    reading = mirror.current(sbc).get()
    assert (reading.rules_count, reading.table_size, reading.dial_plan) == (4, 9, "OCDialPlan")


def test_the_same_again_only_gets_a_new_time(sbc: SBC) -> None:
    mirror.note(sbc, RULES, 4)
    first = mirror.current(sbc).get()
    later = timezone.now() + timedelta(hours=1)
    mirror.note(sbc, RULES, 7, read_at=later)
    again = mirror.current(sbc).get()
    assert (again.pk, again.read_at, again.table_size) == (first.pk, later, 7)


def test_another_plan_takes_the_place_of_the_one_before(sbc: SBC, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    monkeypatch.setattr(mirror, "CHUNK", 1)
    mirror.note(sbc, RULES, 4)
    mirror.note(sbc, [*RULES[1:], (6, RULES[0][1])], 4)
    assert [row[0] for row in seen(sbc)] == [3, 4, 5, 6]
    assert PlanReading.objects.count() == 1
    assert SeenRule.objects.count() == 4


def test_an_empty_plan_is_a_reading_too(sbc: SBC) -> None:
    mirror.note(sbc, RULES, 4)
    mirror.note(sbc, [], 0)
    assert seen(sbc) == []
    assert mirror.current(sbc).get().rules_count == 0


def test_half_a_reading_never_counts_and_goes_when_it_is_old(sbc: SBC) -> None:
    mirror.note(sbc, RULES, 4)
    died = PlanReading.objects.create(sbc=sbc, dial_plan=sbc.dial_plan, read_at=timezone.now() - 2 * mirror.LEFT_BEHIND)
    being_written = PlanReading.objects.create(sbc=sbc, dial_plan=sbc.dial_plan, read_at=timezone.now())
    SeenRule.objects.create(reading=died, place=1, prefix="+1", ends=False, is_number=False)
    assert len(seen(sbc)) == 4
    mirror.note(sbc, RULES[:1], 1)
    assert set(PlanReading.objects.values_list("pk", flat=True)) == {being_written.pk, mirror.current(sbc).get().pk}


def test_what_a_database_cannot_hold_is_replaced(sbc: SBC) -> None:
    name = b"M\xfcller\x00".decode("utf-8", "surrogateescape")
    mirror.note(sbc, [(0, Rule("+442079460310", name, "é"))], 1)
    assert seen(sbc)[0][3:5] == ("M\ufffdller\ufffd", "é")


def test_another_name_of_the_plan_is_not_this_plan(sbc: SBC) -> None:
    mirror.note(sbc, RULES, 4)
    sbc.dial_plan = "Other"
    sbc.save()
    assert not mirror.current(sbc).exists()


def test_a_push_corrects_what_it_has_touched_and_nothing_else(bench: Bench) -> None:
    mirror.note(bench.sbc, [(7, Rule(**FOREIGN)), (8, MINE[2])], 2)
    before = mirror.current(bench.sbc).get()
    services.want(bench.sbc, MINE)
    services.push(bench.sbc, PREFIXES[:2])
    rules = {row[1]: row[3:5] for row in seen(bench.sbc)}
    assert rules == {rule.prefix: (rule.name, rule.tag) for rule in [Rule(**FOREIGN), *MINE]}
    services.remove(bench.sbc, PREFIXES)
    assert [row[1] for row in seen(bench.sbc)] == [FOREIGN["prefix"]]
    after = mirror.current(bench.sbc).get()
    assert (after.pk, after.digest, after.rules_count) == (before.pk, "", 1)


def test_a_push_to_a_device_that_was_never_read_notes_nothing(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, MINE)
    services.push(cli_bench.sbc, PREFIXES)
    assert not SeenRule.objects.exists()
