"""How an SBC is: ask it, judge what was seen, keep it at its row and in its history.

`judge` is the one place that says which state an SBC is in and why. After 401 or 403 the schedule leaves an SBC alone
until its login is changed or somebody tests the connection: a device locks a user out after some wrong logins
(upstreams.md §9.7, F23). The round asks SBCs side by side with short time limits, so that dead ones cost little.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .device import Device, Status
from .errors import BadCredentials, Busy, LowPrivilege, NotConfigured, SBCError
from .models import SBC, HealthPeriod, State

ASK_SECONDS = 5.0  # for one request of the round
AT_ONCE = 16
HELD_FOR = timedelta(minutes=2)  # a round that died lets go of its SBCs then
SAVE_OVERDUE = timedelta(hours=24)
KEEP_HISTORY = timedelta(days=400)
# What a good look at the device does not put right: only the next write shows whether it is better.
OF_WRITING = ("sbc_table_full", "sbc_plan_missing", "sbc_rejected")
COLUMNS = (
    "state",
    "state_since",
    "reasons",
    "alarms",
    "told",
    "online_checked_at",
    "problem",
    "problem_code",
    "save_needed",
    "save_needed_since",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an exchange showed. Each part is None where it was not told: then what was known before stands.

    `wrote`: rules were written and verified, and are in flash.
    """

    error: SBCError | None = None
    status: Status | None = None
    alarms: list[str] | None = None
    wrote: bool = False


def judge(sbc: SBC, error: SBCError | None, now: datetime) -> tuple[State, list[str]]:
    """The state of an SBC by its columns and the error of the last exchange (None: it went well), and the reasons.

    degraded: locked; HA out of service where it was in service; alarms; a restart needed; rules that it did not take;
    or a configuration that is unsaved for more than a day.
    """
    if isinstance(error, BadCredentials | LowPrivilege):
        return State.BAD_LOGIN, [error.message]
    if isinstance(error, NotConfigured):
        return State(sbc.state), list(sbc.reasons)
    if error is not None and error.online is False:
        return State.OFFLINE, [error.message]
    told = sbc.told
    if (isinstance(error, Busy) and error.synchronising) or "sync" in told.get("high_availability", "").lower():
        return State.HA_SYNC, [_("Its HA pair is being synchronised: rules are written when that is done.")]
    reasons = []
    if told.get("operational_state", "").upper() == "LOCKED":
        reasons.append(_("It is locked: it takes no calls."))
    if told.get("had_ha") and told.get("high_availability") != "Operational":
        reasons.append(_("Its HA pair is not operational any more."))
    if told.get("reset_needed"):
        reasons.append(_("It has to be restarted for a change to take effect."))
    if sbc.alarms:
        count = len(sbc.alarms)
        words = ngettext("%(n)d active alarm: %(first)s.", "%(n)d active alarms, the latest: %(first)s.", count)
        reasons.append(words % {"n": count, "first": sbc.alarms[-1].rstrip(".")})
    if sbc.problem:
        reasons.append(sbc.problem)
    unsaved = _("Its configuration is not saved: a restart would lose the last changes.")
    if reasons or (sbc.save_needed_since and now - sbc.save_needed_since > SAVE_OVERDUE):
        return State.DEGRADED, [*reasons, *([unsaved] if sbc.save_needed else [])]
    return (State.SAVE_NEEDED, [unsaved]) if sbc.save_needed else (State.ONLINE, [])


def ask(sbc: SBC, *, seconds: float | None = ASK_SECONDS) -> Seen:
    """Its status and alarms; no database. `seconds` limits each request, None: as everywhere."""
    status = None
    try:
        with Device(sbc, seconds=seconds) as device:
            status = device.status()
            return Seen(status=status, alarms=device.alarms())
    except SBCError as error:
        return Seen(error=error, status=status)


def note(sbc: SBC, seen: Seen, *, same_login: bool = False) -> None:
    """Keep what was seen at the SBC's row, and a change of state in its history.

    `same_login`: only where it was asked with the login that it still has.
    """
    now = timezone.now()
    with transaction.atomic():
        row = SBC.objects.select_for_update().filter(pk=sbc.pk).first()
        if row is None or (same_login and row.login != sbc.login):
            return
        _take_in(row, seen, now)
        _enter(row, *judge(row, seen.error, now), now)
    for column in COLUMNS:
        setattr(sbc, column, getattr(row, column))


def forget(sbc: SBC, why: str) -> None:
    """Where it is reached, or how we log in, was changed: what was seen before says nothing any more."""
    with transaction.atomic():
        row = SBC.objects.select_for_update().get(pk=sbc.pk)
        row.problem, row.problem_code, row.alarms, row.told = "", "", [], {}
        row.save_needed, row.save_needed_since, row.online_checked_at = None, None, None
        _enter(row, State.UNKNOWN, [why], timezone.now())


@contextmanager
def noted(sbc: SBC) -> Iterator[None]:
    """Note how a block that writes to the SBC ended."""
    try:
        yield
    except SBCError as error:
        note(sbc, Seen(error=error))
        raise
    note(sbc, Seen(wrote=True))


def _take_in(row: SBC, seen: Seen, now: datetime) -> None:
    """Facts into the columns."""
    if not isinstance(seen.error, NotConfigured):
        row.online_checked_at = now
    if seen.error is not None:
        row.problem, row.problem_code = seen.error.message, seen.error.code
    elif seen.wrote or row.problem_code not in OF_WRITING:
        row.problem = row.problem_code = ""
    if seen.alarms is not None:
        row.alarms = seen.alarms
    if seen.status is not None:
        row.told = _facts(seen.status, had_ha=bool(row.told.get("had_ha")))
    needed = False if seen.wrote else seen.status.save_needed if seen.status is not None else row.save_needed
    if needed != row.save_needed:
        row.save_needed, row.save_needed_since = needed, now if needed else None


def _facts(status: Status, *, had_ha: bool) -> dict[str, Any]:
    return {
        "operational_state": status.operational_state,
        "high_availability": status.high_availability,
        "had_ha": had_ha or status.high_availability == "Operational",
        "reset_needed": bool(status.reset_needed),
        "product": status.product,
        "version": status.version,
        "serial_number": status.serial_number,
    }


def _enter(row: SBC, state: State, reasons: list[str], now: datetime) -> None:
    """Write the state, and the history where something of it is new. Inside a transaction that has locked the row."""
    last = {"reasons": reasons, "alarms": row.alarms}
    current = HealthPeriod.objects.filter(sbc=row, until=None)
    open_period = current.first()
    if open_period is None or open_period.state != state:
        current.update(until=now)
        HealthPeriod.objects.create(sbc=row, state=state, since=now, **last)
        row.state, row.state_since = state, now
    elif (open_period.reasons, open_period.alarms) != (reasons, row.alarms):
        current.update(**last)
    row.reasons = reasons
    row.save(update_fields=COLUMNS)


def ask_all() -> int:
    """One round: ask every SBC that has a login and did not refuse it. Returns how many were asked.

    An SBC that another round still asks is left to that one.
    """
    now = timezone.now()
    until = now + HELD_FOR
    free = Q(asking_until=None) | Q(asking_until__lt=now)
    SBC.objects.with_login().filter(free).exclude(state=State.BAD_LOGIN).update(asking_until=until)
    mine = list(SBC.objects.filter(asking_until=until))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sbc-health") as pool:
        asked = {pool.submit(ask, sbc): sbc for sbc in mine}
        for answer in as_completed(asked):
            sbc = asked[answer]
            note(sbc, answer.result(), same_login=True)
            SBC.objects.filter(pk=sbc.pk, asking_until=until).update(asking_until=None)
    return len(mine)


def forget_old() -> None:
    """Delete history that is older than it is kept."""
    HealthPeriod.objects.filter(until__lt=timezone.now() - KEEP_HISTORY).delete()
