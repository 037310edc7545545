"""The table of three truths: every row of it, every status, and a slow second reading of it on random worlds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Kind
from ocadmin.numbers.operations.drift.table import (
    BUSY,
    LEAVING,
    WAITING,
    Case,
    Ours,
    Rested,
    Seen,
    Theirs,
    View,
    Wanted,
    judge,
)
from sbc.dialplan import Rule

E164 = "+442079460958"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST = NOW - timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=30)
ME, OTHER = 1, 2
HERE, THERE, UNREAD = 11, 12, 13
RIGHT = Rule(E164, "Contoso", "trunk1.example")

OURS = Ours(ME, Status.ACTIVE, "webui", LONG_AGO, LONG_AGO)
EXTERNAL = OURS._replace(source="")
THEIRS = Theirs(ME, Status.ACTIVE)
WANTED = Wanted(HERE, RIGHT)
RULE = Seen(HERE, RIGHT)
RESTING = Rested(ME, LONG_AGO, NOW + timedelta(days=9))
VIEW = View(NOW, LIST, frozenset({HERE, THERE}))


def told(view: View = VIEW, **case: Any) -> list[tuple[str, int | None]] | str:
    """Kind and SBC of the findings, or why there is no judgement."""
    verdict = judge(Case(E164, **case), view)
    return verdict if isinstance(verdict, str) else [(one.kind.value, one.sbc_id) for one in verdict]


IN_SYNC = {"ours": OURS, "theirs": THEIRS, "wanted": [WANTED], "seen": [RULE]}
ROWS: dict[str, tuple[dict[str, Any], Any]] = {
    "✓✓✓": (IN_SYNC, []),
    "✓✓✗": (IN_SYNC | {"seen": []}, [("no_routing", HERE)]),
    "✓✗✓": (IN_SYNC | {"theirs": None}, [("lost_at_microsoft", None)]),
    "✓✗✗": (IN_SYNC | {"theirs": None, "seen": []}, [("ghost", None)]),
    "✗✓✓": ({"theirs": THEIRS, "seen": [RULE]}, [("unmanaged", HERE)]),
    "✗✓✗": ({"theirs": THEIRS}, [("acquired_elsewhere", None)]),
    "✗✗✓": ({"seen": [RULE]}, [("orphan_rule", HERE)]),
    "conflict": (IN_SYNC | {"theirs": Theirs(OTHER, 0), "seen": []}, [("ownership_conflict", None)]),
    "quarantined": (
        {"theirs": THEIRS, "rested": RESTING},
        [("resurrected", None)],
    ),
    "quarantined, with a rule": (
        {"theirs": THEIRS, "seen": [RULE], "rested": RESTING},
        [("resurrected", None)],
    ),
    "quarantined, taken in by a synchronisation": (
        {"ours": EXTERNAL, "theirs": THEIRS, "rested": RESTING},
        [("resurrected", None)],
    ),
    "quarantined once, uploaded again by us": (
        IN_SYNC | {"rested": RESTING},
        [],
    ),
    "quarantine over": (
        {"theirs": THEIRS, "rested": Rested(ME, LONG_AGO, NOW - timedelta(days=9))},
        [("acquired_elsewhere", None)],
    ),
    "just released, still listed": ({"theirs": THEIRS, "rested": Rested(ME, NOW, NOW)}, LEAVING),
    "released before the list, still on its way": (
        {"theirs": Theirs(ME, 1), "rested": Rested(ME, LIST - timedelta(hours=2), NOW + timedelta(days=9))},
        LEAVING,
    ),
    "just released, its rule still there": ({"seen": [RULE], "rested": Rested(ME, NOW, NOW)}, LEAVING),
    "managed elsewhere, no rule": ({"ours": EXTERNAL, "theirs": THEIRS}, []),
    "managed elsewhere, with a rule": ({"ours": EXTERNAL, "theirs": THEIRS, "seen": [RULE]}, [("unmanaged", HERE)]),
    "a block of numbers of ours": ({"seen": [RULE], "block": True}, []),
    "busy": (IN_SYNC | {"seen": [], "busy": True}, BUSY),
    "wrong tag": (IN_SYNC | {"seen": [Seen(HERE, RIGHT._replace(tag="old"))]}, [("wrong_tag", HERE)]),
    "wrong name": (IN_SYNC | {"seen": [Seen(HERE, RIGHT._replace(name="old"))]}, [("wrong_tag", HERE)]),
    "tag in other letters": (IN_SYNC | {"seen": [Seen(HERE, RIGHT._replace(tag="Trunk1.EXAMPLE"))]}, []),
    "# variant": (IN_SYNC | {"seen": [Seen(HERE, RIGHT._replace(prefix=f"{E164}#"))]}, []),
    "doubled, alike": (IN_SYNC | {"seen": [RULE, Seen(HERE, RIGHT._replace(prefix=f"{E164}#"))]}, []),
    "doubled, different tags": (
        IN_SYNC | {"seen": [RULE, Seen(HERE, RIGHT._replace(prefix=f"{E164}#", tag="old"))]},
        [("doubled_rule", HERE)],
    ),
    "on another SBC as well": (IN_SYNC | {"seen": [RULE, Seen(THERE, RIGHT)]}, [("misplaced_rule", THERE)]),
    "nobody knows where it belongs": (IN_SYNC | {"wanted": []}, []),
    "an SBC that was not read": (IN_SYNC | {"wanted": [WANTED, Wanted(UNREAD, RIGHT)], "seen": [RULE]}, []),
    "a rule on an SBC that was not read": ({"seen": [Seen(UNREAD, RIGHT)]}, []),
    "missing on one of two": (IN_SYNC | {"wanted": [WANTED, Wanted(THERE, RIGHT)]}, [("no_routing", THERE)]),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row(row: str) -> None:
    case, expected = ROWS[row]
    assert told(**case) == expected


@pytest.mark.parametrize(
    ("status", "theirs", "expected"),
    [
        (Status.ACTIVE, None, [("ghost", None)]),
        (Status.ACTIVE, THEIRS, [("no_routing", HERE)]),
        (Status.RELEASE_REQUESTED, None, LEAVING),
        (Status.RELEASE_REQUESTED, THEIRS, LEAVING),
        (Status.MARKED_FOR_REMOVAL, None, LEAVING),
        (Status.MARKED_FOR_REMOVAL, THEIRS, [("no_routing", HERE)]),  # nobody has decided yet, so calls have to arrive
        (Status.READY_FOR_REMOVAL, None, LEAVING),
        (Status.READY_FOR_REMOVAL, THEIRS, LEAVING),
        (Status.PENDING_FIRST_SYNC, None, [("ghost", None)]),
        (Status.PENDING_FIRST_SYNC, THEIRS, [("no_routing", HERE)]),
    ],
)
def test_every_status(status: Status, theirs: Theirs | None, expected: Any) -> None:
    assert told(ours=OURS._replace(status=status), theirs=theirs, wanted=[WANTED]) == expected


def test_what_is_younger_than_a_day_or_than_the_list_waits() -> None:
    """F07: Microsoft's list follows late."""
    pending = OURS._replace(status=Status.PENDING_FIRST_SYNC)
    young = pending._replace(created_at=NOW - timedelta(hours=23))
    assert told(ours=young, seen=[RULE], wanted=[WANTED]) == WAITING
    old = pending._replace(created_at=NOW - timedelta(hours=25))
    assert told(ours=old, seen=[RULE], wanted=[WANTED]) == [("lost_at_microsoft", None)]
    assert told(ours=OURS._replace(status_since=NOW), seen=[RULE], wanted=[WANTED]) == WAITING


def test_without_a_list_of_microsofts_only_database_and_sbcs_are_compared() -> None:
    view = replace(VIEW, microsoft_at=None)
    assert told(view, ours=OURS, wanted=[WANTED]) == [("no_routing", HERE)]
    assert told(view, ours=OURS, wanted=[WANTED], seen=[RULE]) == []
    verdict = judge(Case(E164, seen=[RULE]), view)
    assert [(one.kind, one.at_microsoft) for one in verdict] == [(Kind.ORPHAN_RULE, None)]  # type: ignore[union-attr]


def reference(case: Case, view: View) -> list[tuple[str, int | None]] | str:
    """The table once more, read row by row and as slowly as it likes."""
    ours, theirs, known = case.ours, case.theirs, view.microsoft_at is not None
    if case.busy:
        return BUSY
    db, at_microsoft = ours is not None, theirs is not None
    if (db and ours.status in (1, 3)) or (db and ours.status == 2 and known and not at_microsoft):
        return LEAVING
    if at_microsoft and not db and known and case.rested:
        released = case.rested.released_at
        if released >= view.microsoft_at or (theirs.status in (1, 3) and view.microsoft_at - released <= timedelta(1)):
            return LEAVING
    if db and at_microsoft and ours.customer_id != theirs.customer_id:
        return [("ownership_conflict", None)]
    if at_microsoft and case.rested and case.rested.until > NOW and not (db and ours.source):
        return [("resurrected", None)]
    if db and not at_microsoft and known:
        if ours.status_since >= view.microsoft_at or (ours.status == 4 and NOW - ours.created_at < timedelta(1)):
            return WAITING
        return [("lost_at_microsoft" if case.seen else "ghost", None)]
    if not db and not at_microsoft and case.rested and NOW - case.rested.released_at < timedelta(1):
        return LEAVING
    found: list[tuple[str, int | None]] = []
    for sbc in sorted({HERE, THERE}):
        rules = [one.rule for one in case.seen if one.sbc_id == sbc]
        right = next((one.rule for one in case.wanted if one.sbc_id == sbc), None)
        if db and ours.source:
            wrong = [
                rule for rule in rules if right and (rule.name, rule.tag.lower()) != (right.name, right.tag.lower())
            ]
            if right and not rules:
                found.append(("no_routing", sbc))
            elif right and wrong:
                found.append(("doubled_rule" if len({rule.tag.lower() for rule in rules}) > 1 else "wrong_tag", sbc))
            elif not right and rules and case.wanted:
                found.append(("misplaced_rule", sbc))
        elif rules and (db or at_microsoft):
            found.append(("unmanaged", sbc))
        elif rules and not case.block:
            found.append(("orphan_rule", sbc))
    if at_microsoft and not db and not case.seen:
        found.append(("acquired_elsewhere", None))
    return found


ages = some.sampled_from([NOW - timedelta(days=30), NOW - timedelta(hours=20), LIST, NOW - timedelta(minutes=1)])
rules = some.builds(
    Rule,
    some.sampled_from([E164, f"{E164}#"]),
    some.sampled_from(["Contoso", "other"]),
    some.sampled_from(["trunk1.example", "TRUNK1.example", "old"]),
)
statuses, sources = some.sampled_from(list(Status)), some.sampled_from(["", "webui", "webapi"])
upstream, ends = some.sampled_from([0, 1, 2, 3, 4, None]), some.sampled_from([NOW - timedelta(1), NOW + timedelta(1)])
sbcs = some.sampled_from([HERE, THERE, UNREAD])
worlds = some.builds(
    Case,
    some.just(E164),
    some.none() | some.builds(Ours, some.just(ME), statuses, sources, ages, ages),
    some.none() | some.builds(Theirs, some.sampled_from([ME, OTHER]), upstream),
    some.none() | some.builds(Rested, some.just(ME), ages, ends),
    some.lists(sbcs, unique=True).map(lambda ids: [Wanted(pk, RIGHT) for pk in ids]),
    some.lists(some.builds(Seen, sbcs, rules), max_size=4),
    some.booleans(),
    some.booleans(),
)


@given(worlds, some.booleans())
def test_the_table_and_its_slow_reading_agree(case: Case, known: bool) -> None:
    view = replace(VIEW, microsoft_at=LIST if known else None)
    case = replace(case, theirs=case.theirs if known else None)
    verdict = judge(case, view)
    found = verdict if isinstance(verdict, str) else [(one.kind.value, one.sbc_id) for one in verdict]
    expected = reference(case, view)
    assert (sorted(found, key=str), type(found)) == (sorted(expected, key=str), type(expected))
