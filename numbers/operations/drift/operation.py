"""The operation `drift`: read every SBC, compare with database and Microsoft, make the new report the one that counts.

read (one SBC a step) ▸ compare (a range of numbers a step) ▸ note (what nobody has written down yet) ▸ tidy

A run that ends early leaves the report before it in place. Microsoft is not asked: what the last synchronisation has
kept is compared (operations/sync/keeping.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, Wait
from ocadmin.tasks.plans import Plan, sample_of
from ocadmin.tasks.run import Run
from sbc import services as sbc_services
from sbc.errors import BadCredentials, LowPrivilege, PlanMissing, SBCError
from sbc.models import SBC, PlanReading, SeenRule

from ...models import DriftRun, MicrosoftNumber, MicrosoftReading, PhoneNumber
from ...setwise import refresh_statistics
from . import cases, report, rules, suspects
from .cases import Moments
from .table import View

PAUSE_SECONDS, MOST_WAITS = 5.0, 120  # for a synchronisation; then what it has not finished is not waited for
REFUSED = (BadCredentials.code, LowPrivilege.code)


def start(*, by: Principal, channel: str) -> Task:
    """Start a comparison. Raises ocadmin.tasks.services.AlreadyRunning: one at a time."""
    title = _("Compare database, Microsoft and SBCs")
    return services.start(Drift.kind, title=title, by=by, channel=channel, unique_key=Drift.kind)


def plan() -> Plan:
    """What a comparison would look at: our numbers."""
    numbers = PhoneNumber.objects.order_by("e164").values_list("e164", flat=True)
    return Plan(numbers.count(), sample_of(numbers), [])


class Drift:
    """What the task engine runs for tasks of the kind `drift`."""

    kind = "drift"
    label = gettext_lazy("Drift report")
    permission = Permission.SYNC

    def step(self, run: Run) -> Outcome:
        """One SBC, one range of numbers, or a part of what is deleted."""
        return _PHASES[run.cursor.get("phase", "begin")](run)

    def cancel(self, run: Run) -> Finished:
        """What was written counts for nothing; the next run deletes it."""
        return Finished(TaskState.CANCELLED, _("Stopped. The last complete report stands as it was."), run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Nothing to put right: what is not complete counts for nothing."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The same again."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """None: a comparison has no items."""
        return []

    def retried(self, task: Task) -> None:
        """A comparison takes no numbers."""


def _begin(run: Run) -> Outcome:
    """Begin, after a synchronisation that is at work: what it keeps at its end is what is compared."""
    waits = run.cursor.get("waits", 0)
    syncing = Task.objects.filter(kind="sync", state__in=(TaskState.QUEUED, TaskState.RUNNING, TaskState.WAITING))
    if waits < MOST_WAITS and syncing.exists():
        with run.commit():
            run.cursor["waits"] = waits + 1
        return Wait(PAUSE_SECONDS, _("Waiting for the synchronisation to end."))
    began = timezone.now()
    with run.commit():
        DriftRun.objects.filter(complete=False).delete()
        made = DriftRun.objects.create(task_ref=run.task.pk, began_at=began)
        run.cursor |= {"phase": "read", "run": made.pk, "sbc": 0}
        run.task.step = _("Starting")
    return Continue()


# SBCs


def _read(run: Run) -> Outcome:
    """Read the next SBC into its mirror; one that cannot be read is told in the report, and not waited for."""
    sbc = next((one for one in suspects.readable() if one.pk > run.cursor["sbc"]), None)
    if sbc is None:
        refresh_statistics(PhoneNumber, "e164", "customer_id")
        refresh_statistics(MicrosoftNumber, "e164", "customer_id")
        refresh_statistics(SeenRule, "reading_id", "prefix")
        with run.commit():
            run.cursor |= {"phase": "compare", "after": ""}
            run.task.step = _("Comparing")
        return Continue()
    source = _source(run, sbc)
    with run.commit():
        made = DriftRun.objects.get(pk=run.cursor["run"])
        made.sources[str(sbc.pk)] = source
        made.save(update_fields=["sources"])
        run.cursor["sbc"] = sbc.pk
        run.task.step = _("Read the dial plan of %(sbc)s") % {"sbc": sbc.name}
    return Continue()


def _source(run: Run, sbc: SBC) -> dict[str, Any]:
    """What became of reading an SBC (DriftRun.sources)."""
    known: dict[str, Any] = {"name": sbc.name, "login": _login(sbc), "by_hand": sbc.by_hand}
    why, code = "", ""
    if not known["by_hand"]:
        try:
            refused = _refused_before(run, sbc, known["login"])
            if refused:
                why, code = refused["why"], refused["code"]
            else:
                sbc_services.look(sbc)
        except SBCError as error:
            why, code = error.message, error.code
    reading = PlanReading.objects.current().filter(sbc=sbc).first()
    if reading is None and not why:
        why = _("%(sbc)s: no dial plan of it was read yet; upload the one it has.") % {"sbc": sbc.name}
    return known | {"why": why, "code": code, "read_at": reading.read_at.isoformat() if reading else None}


def _refused_before(run: Run, sbc: SBC, login: str) -> dict[str, Any] | None:
    """What a device said that refuses this same login: the schedule does not ask it again, or it locks us out (F23).

    A person who presses the button has it asked.
    """
    last = DriftRun.objects.current().first()
    before = last.sources.get(str(sbc.pk), {}) if last else {}
    scheduled = run.task.channel == Channel.SCHEDULE
    return before if scheduled and before.get("code") in REFUSED and before.get("login") == login else None


def _login(sbc: SBC) -> str:
    """Tells whether user name or password were changed since, and nothing else about them."""
    return hashlib.sha256(f"{sbc.username}\n{sbc.sealed_password}".encode()).hexdigest()[:16]


# Comparison


def _compare(run: Run) -> Outcome:
    """Compare the next range, whatever is read of it outside the transaction that writes."""
    made, before = DriftRun.objects.get(pk=run.cursor["run"]), DriftRun.objects.current().first()
    readings, microsoft_at = suspects.readings(), _microsoft_at()
    judged = _judged(made, readings)
    view = View(timezone.now(), microsoft_at, frozenset(one.sbc_id for one in judged))
    within = suspects.next_range(run.cursor["after"], readings)
    found = suspects.find(within, judged, microsoft=microsoft_at is not None, before=before)
    moments = _moments(made, judged, microsoft_at)
    looked_at = cases.of(found, readings, moments)
    with run.commit():
        if {one.pk for one in suspects.readings()} != {one.pk for one in readings} or _microsoft_at() != microsoft_at:
            return Continue()  # something was read anew meanwhile: what we have seen may be half of each
        report.write(made, within, looked_at, view, before)
        if within.high is not None:
            run.cursor["after"] = within.high
            return Continue()
        made.refresh_from_db()
        made.microsoft_at = microsoft_at
        made.save(update_fields=["microsoft_at"])
        report.complete(made, before, timezone.now())
        run.cursor |= {"phase": "note", "after": ""}
    return Continue()


def _judged(made: DriftRun, readings: Sequence[PlanReading]) -> list[PlanReading]:
    """Those of SBCs that were read by this run. A plan that is missing is known to be empty."""
    sources = {int(pk): source for pk, source in made.sources.items()}
    known = {pk for pk, source in sources.items() if not source["why"] or source["code"] == PlanMissing.code}
    return [one for one in readings if one.sbc_id in known]


def _note(run: Run) -> Outcome:
    """Write down, for the next range, the rules of numbers that have none with us."""
    made, readings = DriftRun.objects.get(pk=run.cursor["run"]), suspects.readings()
    within = suspects.next_range(run.cursor["after"], readings)
    with run.commit():
        rules.note(within, _judged(made, readings))
        run.cursor |= {"after": within.high} if within.high is not None else {"phase": "tidy"}
    return Continue()


def _microsoft_at() -> datetime | None:
    """When Microsoft's list was last read as a whole."""
    return MicrosoftReading.objects.values_list("began_at", flat=True).first()


def _moments(made: DriftRun, judged: list[PlanReading], microsoft_at: datetime | None) -> Moments:
    """The oldest of what was read. What is known of an SBC that is written by hand is corrected as that is done."""
    by_hand = {int(pk) for pk, source in made.sources.items() if source["by_hand"]}
    sbcs = min((one.read_at for one in judged if one.sbc_id not in by_hand), default=made.began_at)
    return Moments(min(microsoft_at or sbcs, sbcs), sbcs)


def _tidy(run: Run) -> Outcome:
    """Delete the report before, then say what is new."""
    made = DriftRun.objects.get(pk=run.cursor["run"])
    with run.commit():
        more = report.forget(made)
        run.task.step = ""
    if more:
        return Continue()
    unread = [one["why"] for one in made.sources.values() if one["why"]]
    found = report.counts(made)
    result = {"findings": made.total, "new_findings": made.new, "gone_findings": made.gone, "unread_sbcs": len(unread)}
    result |= {f"left_out_{why}": n for why, n in made.left_out.items()}
    result |= {kind.value: n for kind, n in found.items()}
    return Finished(TaskState.PARTIAL if unread else TaskState.SUCCEEDED, _summary(made, unread), result)


def _summary(made: DriftRun, unread: list[str]) -> str:
    """What is new since the last run, what there is, and what could not be asked."""
    parts = [f"{n} {kind.label}" for kind, n in report.counts(made).items()]
    words = {"new": made.new, "gone": made.gone, "total": made.total, "kinds": ", ".join(parts)}
    text = _("%(new)d new, %(gone)d gone, %(total)d in all: %(kinds)s.") if parts else _("%(gone)d gone, none is left.")
    sentences = [text % words]
    if made.microsoft_at is None:
        sentences.append(_("What Microsoft has is not known: no synchronisation has read its whole list yet."))
    if left_out := sum(made.left_out.values()):
        sentences.append(_("%(n)d numbers were left out: they leave, or are being worked on.") % {"n": left_out})
    return " ".join([*sentences, *unread])


_PHASES: dict[str, Callable[[Run], Outcome]] = {
    "begin": _begin,
    "read": _read,
    "compare": _compare,
    "note": _note,
    "tidy": _tidy,
}
