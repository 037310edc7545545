"""The table of three truths (upstreams.md §8) as one pure function: what database, Microsoft and SBCs say of a number.

Nothing here asks anybody. A number is judged, or left out with a reason, or everything is in order.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sbc.dialplan import Rule, are_right

from ...lifecycle import LATE, Source, Status
from ...models import Kind

# Why a number is left out although something differs.
BUSY, WAITING, LEAVING = "busy", "waiting", "leaving"


class Ours(NamedTuple):
    """What our database says. `managed`: it came in through this console, so it has rules on SBCs."""

    customer_id: int
    status: int
    source: str
    created_at: datetime.datetime
    status_since: datetime.datetime

    @property
    def managed(self) -> bool:
        """Only such numbers touch an SBC (live-platform.md §4.4)."""
        return self.source != Source.EXTERNAL


class Theirs(NamedTuple):
    """What Microsoft says."""

    customer_id: int
    status: int | None


class Rested(NamedTuple):
    """The last time that a number left us."""

    customer_id: int
    released_at: datetime.datetime
    until: datetime.datetime


class Wanted(NamedTuple):
    """A rule that an SBC should have; `rule.prefix` is the number."""

    sbc_id: int
    rule: Rule


class Seen(NamedTuple):
    """A rule that an SBC had when it was read; `rule.prefix` is as the device writes it."""

    sbc_id: int
    rule: Rule


@dataclass(frozen=True)
class View:
    """What holds for all numbers of a comparison. `microsoft_at`: since when its list is known, None: it is not.

    `judged`: the SBCs whose reading is of now; of the others nothing is concluded.
    """

    now: datetime.datetime
    microsoft_at: datetime.datetime | None
    judged: frozenset[int]


@dataclass(frozen=True)
class Case:
    """All that is known of one number. `block`: a rule without # that is the beginning of numbers of ours."""

    e164: str
    ours: Ours | None = None
    theirs: Theirs | None = None
    rested: Rested | None = None
    wanted: Sequence[Wanted] = ()
    seen: Sequence[Seen] = ()
    busy: bool = False
    block: bool = False


@dataclass(frozen=True)
class Finding:
    """One disagreement; the columns of DriftFinding."""

    kind: Kind
    customer_id: int | None
    in_database: bool
    at_microsoft: bool | None
    on_sbc: bool | None
    sbc_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


def judge(case: Case, view: View) -> list[Finding] | str:
    """The findings of a number, none where the three agree; or the reason why it is not judged."""
    if case.busy:
        return BUSY
    ours, theirs, known = case.ours, case.theirs, view.microsoft_at is not None
    if ours and ours.status in (Status.RELEASE_REQUESTED, Status.READY_FOR_REMOVAL):
        return LEAVING
    if theirs and not ours and _on_its_way_out(case, theirs, view):
        return LEAVING
    if ours and theirs and ours.customer_id != theirs.customer_id:
        return [_of_number(Kind.OWNERSHIP_CONFLICT, case, view, owner=theirs.customer_id)]
    if theirs and case.rested and case.rested.until > view.now and not (ours and ours.managed):
        return [_of_number(Kind.RESURRECTED, case, view, until=case.rested.until.isoformat())]
    if ours and known and not theirs:
        return _not_at_microsoft(case, ours, view)
    if ours and ours.managed:
        return [*_rules(case, view), *_misplaced(case, view)]
    if ours or theirs:
        return _unmanaged(case, view)
    if case.rested and view.now - case.rested.released_at < LATE:
        return LEAVING  # its rules go after it; those that are still there tomorrow are forgotten ones
    return [] if case.block else _each(Kind.ORPHAN_RULE, case, view, {rule.sbc_id for rule in case.seen})


def _on_its_way_out(case: Case, theirs: Theirs, view: View) -> bool:
    """Whether a number that left us is still listed because Microsoft's list is older, or follows late."""
    rested = case.rested
    if rested is None or view.microsoft_at is None:
        return False
    late = rested.released_at >= view.microsoft_at - LATE
    asked = theirs.status in (Status.RELEASE_REQUESTED, Status.READY_FOR_REMOVAL)
    return rested.released_at >= view.microsoft_at or (late and asked)


def _not_at_microsoft(case: Case, ours: Ours, view: View) -> list[Finding] | str:
    """✓✗✓ and ✓✗✗. What is younger than the list, or awaits its first synchronisation, is not lost."""
    if ours.status == Status.MARKED_FOR_REMOVAL:
        return LEAVING
    pending = ours.status == Status.PENDING_FIRST_SYNC and view.now - ours.created_at < LATE
    if pending or (view.microsoft_at is not None and ours.status_since >= view.microsoft_at):
        return WAITING
    return [_of_number(Kind.LOST_AT_MICROSOFT if case.seen else Kind.GHOST, case, view)]


def _rules(case: Case, view: View) -> list[Finding]:
    """A managed number on the SBCs that carry it. A tag in other letters and a # are no difference."""
    found = []
    for wanted in case.wanted:
        rules = [one.rule for one in case.seen if one.sbc_id == wanted.sbc_id]
        if wanted.sbc_id not in view.judged or are_right(rules, wanted.rule):
            continue
        kind = Kind.WRONG_TAG if rules else Kind.NO_ROUTING
        if len({rule.tag.casefold() for rule in rules}) > 1:
            kind = Kind.DOUBLED_RULE
        expected = {"tag": wanted.rule.tag, "name": wanted.rule.name}
        found.append(_of_rule(kind, case, view, wanted.sbc_id, expected=expected))
    return found


def _misplaced(case: Case, view: View) -> list[Finding]:
    """Rules on SBCs that do not carry the number. Where nobody knows which SBC does, no rule is out of place."""
    places = {wanted.sbc_id for wanted in case.wanted}
    if not places:
        return []
    return _each(Kind.MISPLACED_RULE, case, view, {one.sbc_id for one in case.seen} - places)


def _unmanaged(case: Case, view: View) -> list[Finding]:
    """A number that is not ours to route: with a rule, or, where we do not have it at all, without one."""
    if not case.seen:
        return [] if case.ours else [_of_number(Kind.ACQUIRED_ELSEWHERE, case, view)]
    return _each(Kind.UNMANAGED, case, view, {one.sbc_id for one in case.seen})


def _each(kind: Kind, case: Case, view: View, sbcs: set[int]) -> list[Finding]:
    """The same on each of these SBCs that may be judged."""
    return [_of_rule(kind, case, view, sbc_id) for sbc_id in sorted(sbcs & view.judged)]


def _of_rule(kind: Kind, case: Case, view: View, sbc_id: int, **details: Any) -> Finding:
    there = [one for one in case.seen if one.sbc_id == sbc_id]
    return _finding(kind, case, view, there, bool(there), sbc_id, details)


def _of_number(kind: Kind, case: Case, view: View, **details: Any) -> Finding:
    return _finding(kind, case, view, case.seen, bool(case.seen) if view.judged or case.seen else None, None, details)


def _finding(
    kind: Kind,
    case: Case,
    view: View,
    seen: Sequence[Seen],
    on_sbc: bool | None,
    sbc_id: int | None,
    details: dict[str, Any],
) -> Finding:
    whose = case.ours or case.theirs
    if seen:
        details["found"] = [{"sbc": one.sbc_id, **one.rule._asdict()} for one in seen]
    if case.ours:
        details |= {"status": case.ours.status, "source": case.ours.source}
    return Finding(
        kind,
        whose.customer_id if whose else None,
        case.ours is not None,
        case.theirs is not None if view.microsoft_at else None,
        on_sbc,
        sbc_id,
        details,
    )
