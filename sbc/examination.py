"""Test the connection to an SBC, step by step, in words: what is right, what is wrong, what to do.

It changes nothing on the device, asks each thing once and ends at the first step that makes the next ones senseless:
after a refused login nothing more is sent (upstreams.md §9.7, F23), before an accepted certificate no login.
"""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import httpx2
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import health
from .device import Device, Status, base_address, password_of
from .dialplan import END
from .errors import Busy, LowPrivilege, NotConfigured, NotTrusted, Offline, Rejected, SBCError
from .models import SBC
from .strategies import STRATEGIES, Plan
from .trust import Certificate, context_of, presented

CONNECT_SECONDS = 3.0
ASK_SECONDS = 8.0
SKEW_SECONDS = 60.0
# A command that asks for the level Administrator and changes nothing: what runs scripts may write rules.
HARMLESS = "show system version\n"


class Verdict(StrEnum):
    """How a step went."""

    GOOD = "good"
    NOTE = "note"  # works, but look at it
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the result."""

    name: str
    verdict: Verdict
    text: str


@dataclass(slots=True)
class Examination:
    """What was found. `certificate` is what the device presents, None without TLS or where it was not reached."""

    at: datetime
    steps: list[Step] = field(default_factory=list)
    certificate: Certificate | None = None
    error: SBCError | None = None

    def add(self, name: str, verdict: Verdict, text: str) -> None:
        """One more line."""
        self.steps.append(Step(name, verdict, text))

    def fail(self, name: str, error: SBCError) -> None:
        """One more line, of what went wrong."""
        self.error = error
        self.add(name, Verdict.BAD, error.message)

    @property
    def bad(self) -> int:
        """How many steps went wrong."""
        return sum(step.verdict == Verdict.BAD for step in self.steps)


def examine(sbc: SBC) -> Examination:
    """Test the connection, and keep how the SBC is. Asked by a person: also after its login was refused."""
    found = Examination(timezone.now())
    status: Status | None = None
    alarms: list[str] | None = None
    if _reach(found, sbc):
        with Device(sbc, seconds=ASK_SECONDS) as device:
            status = _log_in(found, device)
            if status is not None:
                alarms = _health(found, device, status)
                _privilege(found, device)
                if found.error is None or not isinstance(found.error, LowPrivilege):
                    _plan(found, device)
    health.note(sbc, health.Seen(error=found.error, status=status, alarms=alarms))
    return found


def presented_by(sbc: SBC) -> Certificate | None:
    """The certificate that the SBC presents now; None without TLS, or where it does not answer."""
    try:
        url = httpx2.URL(base_address(sbc))
        return presented(url.host, url.port or 443, CONNECT_SECONDS) if url.scheme == "https" else None
    except (SBCError, OSError, ValueError):
        return None


def _reach(found: Examination, sbc: SBC) -> bool:
    """Up to where a login may be sent."""
    try:
        url = httpx2.URL(base_address(sbc))
    except SBCError as error:
        found.fail(_("Address"), error)
        return False
    host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
        found.add(_("Address"), Verdict.GOOD, _("%(host)s is %(ip)s.") % {"host": host, "ip": ", ".join(addresses)})
        socket.create_connection((host, port), CONNECT_SECONDS).close()
        found.add(_("Port"), Verdict.GOOD, _("Port %(port)d answers.") % {"port": port})
    except OSError as error:
        found.fail(_("Port") if found.steps else _("Address"), Offline(sbc.name, reason=str(error)))
        return False
    if url.scheme == "https" and not _certificate(found, sbc, host, port):
        return False
    if url.scheme == "http":
        words = _("Without TLS: everybody on the way can read the password. Use https:// where the device can.")
        found.add(_("Certificate"), Verdict.NOTE, words)
    try:
        password_of(sbc)
    except SBCError as error:
        found.fail(_("Login"), error)
        return False
    return True


def _certificate(found: Examination, sbc: SBC, host: str, port: int) -> bool:
    """What it presents, and whether that is accepted. No login is sent for this."""
    name = _("Certificate")
    try:
        found.certificate = presented(host, port, CONNECT_SECONDS)
        with socket.create_connection((host, port), CONNECT_SECONDS) as plain:
            context_of(sbc).wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        found.fail(name, NotTrusted(sbc.name, reason=getattr(error, "verify_message", "") or str(error.args[-1])))
    except ssl.SSLError as error:
        problem = _("no TLS connection can be made there (%s); check the port, or whether the device wants http://")
        found.fail(name, NotConfigured(sbc.name, problem=problem % (error.reason or error)))
    except (OSError, ValueError) as error:
        found.fail(name, Offline(sbc.name, reason=str(error)))
    except SBCError as error:
        found.fail(name, error)
    else:
        pinned = _("It is the pinned certificate.") if sbc.pinned_certificate else _("It is trusted.")
        found.add(name, Verdict.GOOD, pinned)
        return True
    return False


def _log_in(found: Examination, device: Device) -> Status | None:
    """Its status, which any user may read; None where nothing more is to be asked."""
    try:
        status = device.status()
    except SBCError as error:
        found.fail(_("Login"), error)
        return None
    words = _("The login is accepted. The device is a %(product)s, version %(version)s, serial number %(serial)s.")
    known = {"product": status.product, "version": status.version, "serial": status.serial_number}
    told = {name: text or _("not told") for name, text in known.items()}
    found.add(_("Login"), Verdict.GOOD, words % told)
    return status


def _health(found: Examination, device: Device, status: Status) -> list[str] | None:
    """Status, alarms, flash and clock. Returns the alarms, None where they cannot be read."""
    state, ha = status.operational_state or _("not told"), status.high_availability or _("not told")
    locked = status.operational_state.upper() == "LOCKED"
    words = _("It is locked and takes no calls.") if locked else _("Operational state %(state)s, HA %(ha)s.")
    found.add(_("Status"), Verdict.BAD if locked else Verdict.GOOD, words % {"state": state, "ha": ha})
    if status.save_needed:
        words = _("Its configuration is not saved: a restart would lose the last changes.")
        if not device.sbc.save_pending:
            words += " " + _("The console has saved what it wrote: somebody else has changed something.")
        found.add(_("Flash"), Verdict.NOTE, words)
    elif status.save_needed is False:
        found.add(_("Flash"), Verdict.GOOD, _("The running configuration is saved."))
    if status.clock is not None:
        skew = abs((status.clock - timezone.now()).total_seconds())
        words = _("Its clock differs from ours by %(n)d seconds.") % {"n": skew}
        found.add(_("Clock"), Verdict.NOTE if skew > SKEW_SECONDS else Verdict.GOOD, words)
    try:
        alarms = device.alarms()
    except SBCError as error:
        found.add(_("Alarms"), Verdict.NOTE, error.message)
        return None
    words = ngettext("%(n)d active alarm: %(which)s", "%(n)d active alarms: %(which)s", len(alarms))
    shown = "; ".join(alarms[-3:])
    verdict = Verdict.NOTE if alarms else Verdict.GOOD
    found.add(_("Alarms"), verdict, words % {"n": len(alarms), "which": shown} if alarms else _("None is active."))
    return alarms


def _privilege(found: Examination, device: Device) -> None:
    """Whether this user may write rules."""
    name = _("Privilege")
    try:
        device.show(HARMLESS)
    except Busy as error:
        found.add(name, Verdict.NOTE, _("Not known, because the device is busy. %(why)s") % {"why": error.message})
    except Rejected:
        found.add(name, Verdict.NOTE, _("It may run scripts; the command “show system version” is unknown to it."))
    except SBCError as error:
        found.fail(name, error)
    else:
        found.add(name, Verdict.GOOD, _("The user may write: it has the level Administrator."))


def _plan(found: Examination, device: Device) -> None:
    """Whether the dial plan is there, how full the table is, and in which form prefixes stand there."""
    sbc, name = device.sbc, _("Dial plan")
    if sbc.by_hand:
        found.add(name, Verdict.NOTE, _("Not read: its rules are written by hand."))
        return
    try:
        with Device(sbc) as patient:  # a plan of a million rules takes longer than a status
            plan = STRATEGIES[sbc.write_strategy].read(patient)
    except Busy as error:
        found.add(name, Verdict.NOTE, error.message)
        return
    except SBCError as error:
        found.fail(name, error)
        return
    seen = _Count.of(rule.prefix for _key, rule in plan.rules.items())
    _room(found, sbc, plan, seen.rules)
    _form(found, sbc, seen)


@dataclass(slots=True)
class _Count:
    """How many rules a plan has; how many of them are for numbers, and how many of those end with #."""

    rules: int = 0
    numbers: int = 0
    ending: int = 0

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> "_Count":
        count = cls()
        for prefix in prefixes:
            count.rules += 1
            if prefix.rstrip(END).removeprefix("+").isdecimal():
                count.numbers += 1
                count.ending += prefix.endswith(END)
        return count


def _room(found: Examination, sbc: SBC, plan: Plan, rules: int) -> None:
    words = ngettext("%(plan)s is there with %(n)d rule", "%(plan)s is there with %(n)d rules", rules)
    verdict = Verdict.GOOD
    if not rules and plan.file is not None:
        words, verdict = _("No rule of %(plan)s is in its file: the plan is empty or missing"), Verdict.NOTE
    text = words % {"plan": sbc.dial_plan, "n": rules}
    if sbc.max_rules is None:
        text += _("; its capacity is not entered.")
    else:
        text += _("; the table holds %(size)d of %(most)d.") % {"size": plan.table_size, "most": sbc.max_rules}
        verdict = Verdict.BAD if plan.table_size >= sbc.max_rules else verdict
    found.add(_("Dial plan"), verdict, text)


def _form(found: Examination, sbc: SBC, seen: _Count) -> None:
    """With or without #, of rules for numbers; patterns have their own meaning."""
    if not seen.numbers:
        return
    words = _("%(with)d of %(all)d rules for numbers end with #; new ones are written %(how)s.")
    how = _("with #") if sbc.prefix_hash else _("without #")
    other = seen.ending < seen.numbers if sbc.prefix_hash else seen.ending > 0
    text = words % {"with": seen.ending, "all": seen.numbers, "how": how}
    found.add(_("Prefix form"), Verdict.NOTE if other else Verdict.GOOD, text)
