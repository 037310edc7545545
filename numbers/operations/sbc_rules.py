"""The SBC's part of an operation: bring the rules of a task's numbers onto the devices, or off them.

What is wanted is written into our database first (`sbc.services.want`, `unwant`); the devices are brought in line
afterwards, and a rule's row says when that has happened. So a worker may die at any point: the next slice sees what is
still outstanding.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from ocadmin.tasks.run import Run
from sbc import services
from sbc.errors import SBCError, pause
from sbc.models import SBC, DialPlanRule

from .. import routing

CHUNK = 1000


@dataclass(frozen=True)
class Parked:
    """SBCs that cannot be written now; tried again after `seconds`. `why` is for people."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Blocked:
    """An SBC that will not be written, however long we wait."""

    sbc: SBC
    error: SBCError


def outstanding(keys: Sequence[str], *, leave: Collection[int] = ()) -> dict[int, list[str]]:
    """SBC (id) to the numbers among `keys` whose rule is not there as it is wanted; SBCs in `leave` are left out."""
    not_there = Q(wanted=True) & ~Q(present=True)
    found: dict[int, list[str]] = {}
    for start in range(0, len(keys), CHUNK):
        rules = DialPlanRule.objects.filter(prefix__among=keys[start : start + CHUNK]).exclude(sbc__in=leave)
        for pk, prefix in rules.filter(not_there | Q(wanted=False)).values_list("sbc_id", "prefix"):
            found.setdefault(pk, []).append(prefix)
    return found


def bring(run: Run, keys: Sequence[str], *, leave: Collection[int] = ()) -> tuple[Parked | None, list[Blocked]]:
    """Push what is outstanding for these numbers to each SBC concerned, but for those in `leave` (ids).

    Returns whether some SBC has to be waited for, and those for which waiting is no use. Outside any transaction.
    """
    prefixes = outstanding(keys, leave=leave)
    waits: list[SBCError] = []
    blocked: list[Blocked] = []
    for sbc in SBC.objects.filter(pk__in=prefixes).order_by("pk"):
        try:
            services.push(sbc, prefixes[sbc.pk])
        except SBCError as error:
            if error.retryable:
                waits.append(error)
            else:
                blocked.append(Blocked(sbc, error))
    if not waits:
        return None, blocked
    with run.commit():
        tries = run.cursor["sbc_tries"] = run.cursor.get("sbc_tries", 0) + 1
    seconds = pause([error.retry_after for error in waits], tries)
    why = _("Waiting for an SBC. %(why)s") % {"why": " ".join(error.message for error in waits)}
    return Parked(seconds, why), blocked


@dataclass(frozen=True)
class TakenOff:
    """Numbers of whose rules some could not be taken off: `held` for now, `left` for good.

    The held ones are tried again after `seconds`; `why` says it for people.
    """

    held: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    seconds: float = 0.0
    why: str = ""
    gone: dict[str, frozenset[str]] = field(default_factory=dict)  # name of an SBC to the numbers it has no rule of now

    def by_sbcs(self, keys: Collection[str]) -> dict[str, set[str]]:
        """Names of SBCs, as one text, to those of `keys` whose rules are gone from just these."""
        groups: dict[tuple[str, ...], set[str]] = {(): set(keys)}
        for name, some in self.gone.items():
            for names, group in list(groups.items()):
                groups[*names, name] = group & some
                groups[names] = group - some
        return {", ".join(names): group for names, group in groups.items() if group}


def take_off(run: Run, numbers: routing.Placed) -> TakenOff:
    """Take the rules of numbers that are no longer anybody's off the SBCs. Outside any transaction.

    An SBC that will not be written is not asked again in this task: its rules are noted as unwanted. After a request
    to cancel nobody waits: then the same holds for an SBC that cannot be written now.
    """
    given_up: dict[str, str] = dict(run.cursor.get("given_up", {}))
    waits: list[SBCError] = []
    held: set[str] = set()
    left: dict[SBC, list[str]] = {}
    gone: dict[str, frozenset[str]] = {}
    for sbc, prefixes in routing.behind(numbers).items():
        if str(sbc.pk) not in given_up:
            try:
                services.remove(sbc, prefixes)
                gone[sbc.name] = frozenset(prefixes)
                continue
            except SBCError as error:
                if error.retryable and not run.cancelling:
                    waits.append(error)
                    held.update(prefixes)
                    continue
                given_up[str(sbc.pk)] = error.message
        left[sbc] = prefixes
    if waits or left:
        with run.commit():
            for sbc, prefixes in left.items():
                services.unwant(sbc, prefixes)
            run.cursor["given_up"] = given_up
            tries = run.cursor["sbc_tries"] = run.cursor.get("sbc_tries", 0) + bool(waits)
    why = " ".join([*given_up.values(), *(error.message for error in waits)])
    seconds = pause([error.retry_after for error in waits], tries) if waits else 0.0
    return TakenOff(frozenset(held), frozenset(key for some in left.values() for key in some), seconds, why, gone)
