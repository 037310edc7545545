"""Release: give numbers back to Microsoft, take their routing away, keep them in quarantine (design §5).

Microsoft first, then the SBC: a crash in between leaves spare routing, never a live number without. live-platform.md
§3.6: unassigned and idle numbers, one customer a request, ranges only while all SBCs concerned are online.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, Wait
from ocadmin.tasks.run import Run
from sbc import services
from sbc.errors import SBCError
from sbc.models import State

from .. import history, lifecycle, routing
from ..assignment import ASSIGNED, UNASSIGNED
from ..lifecycle import Cause, Status
from ..microsoft.job_records import Entry
from ..models import Customer, PhoneNumber, SipConnection, UpstreamJob
from . import archive, hindrances, sbc_rules
from .hindrances import Doing
from .items import close, close_all
from .jobs import JobOperation
from .plan import Caution, Verdict

CHUNK = 1000
RULE_LEFT = "rule_left"
REFUSED_AS = "assigned"  # the verdict on a number that somebody uses
NUMBER_ASSIGNED = "NumberAssigned"  # Microsoft's word for the same
WITHDRAWN = "withdrawn"  # the code of an item that was taken back before it was sent (withdraw.py)

_REQUESTED = {"status": Status.RELEASE_REQUESTED.name}
_ACTIVE = {"status": Status.ACTIVE.name}


class Release(JobOperation):
    """Only numbers that nobody uses; one job at Microsoft for each customer and thousand."""

    kind = "release"
    jobs = "releases"
    label = gettext_lazy("Release")
    permission = Permission.RELEASE
    destructive = True
    note = gettext_lazy(
        "The numbers leave the customer. A release can be withdrawn only until it is sent to Microsoft; after that the "
        "number stays in quarantine before another customer may have it."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """design §5: 0 → 1 only if unassigned and idle."""
        requested = gettext_lazy("Its release has been requested already.")
        leaving = gettext_lazy("The customer has deleted this number: approve or clear the removal instead.")
        removed = gettext_lazy("The removal of this number is approved: it leaves by itself.")
        pending = gettext_lazy("Microsoft has not shown this number yet. Synchronise, then release it.")
        unknown = gettext_lazy("It is not known whether somebody uses this number. Synchronise it first.")
        assigned = gettext_lazy("It is assigned. Un-assign it first, or choose “Un-assign, then release”.")
        verdicts = [
            Verdict("requested", requested, Q(status=Status.RELEASE_REQUESTED), ItemState.UNCHANGED),
            Verdict("leaving", leaving, Q(status=Status.MARKED_FOR_REMOVAL)),
            Verdict("removed", removed, Q(status=Status.READY_FOR_REMOVAL)),
            Verdict("pending_first_sync", pending, Q(status=Status.PENDING_FIRST_SYNC)),
            Verdict("assignment_unknown", unknown, Q(assignment_status__isnull=True)),
            Verdict(REFUSED_AS, assigned, ~Q(assignment_status=UNASSIGNED), remedy="unassign-release"),
        ]
        if params.get("range"):
            offline = gettext_lazy(
                "An SBC of this customer is offline or refuses our login: ranges are released only while all can be "
                "reached."
            )
            links = SipConnection.objects.filter(
                customer=OuterRef("customer"), sbc__state__in=(State.OFFLINE, State.BAD_LOGIN)
            )
            verdicts.append(Verdict("sbc_offline", offline, Q(Exists(links), source__in=routing.MANAGED)))
        return verdicts

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """SBCs whose rules cannot be taken off now."""
        return hindrances.cautions(Doing.REMOVING)

    def claim(self, task: Task) -> None:
        """The numbers are being released from this moment on."""
        pending = TaskItem.objects.filter(task=task, state=ItemState.PENDING)
        numbers = PhoneNumber.objects.filter(e164__in=pending.values("key"))
        reason = task.params.get("comment", "")
        moved = lifecycle.move(numbers, Status.ACTIVE, Status.RELEASE_REQUESTED, Cause.RELEASE, reason=reason)
        if moved != pending.count():  # something came between the verdict and the move
            leaving = PhoneNumber.objects.filter(e164__in=pending.values("key"), status=Status.RELEASE_REQUESTED)
            pending.exclude(key__in=leaving.values("e164")).update(
                state=ItemState.REFUSED,
                code="changed_meanwhile",
                message=_("The number changed after the plan was shown; nothing was done."),
                updated_at=timezone.now(),
            )
        history.entries_of_items(
            "release.requested",
            task,
            pending,
            before=_ACTIVE,
            after=_REQUESTED,
            message=reason[:500],
        )

    def step(self, run: Run) -> Outcome:
        """As every job, and keep count of what is withdrawn meanwhile."""
        outcome = super().step(run)
        if more := uncounted(run.task):
            with run.commit():
                count_withdrawn(run.task, more)
        if not isinstance(outcome, Finished):
            return outcome
        task = run.task
        nothing_left = task.result.get(WITHDRAWN) and not task.succeeded and not task.failed
        return Finished(TaskState.CANCELLED if nothing_left else outcome.state, self.finished(task), task.result)

    def prepare(self, run: Run) -> Outcome | None:
        """The time in which a release can be withdrawn, and for ranges a look at the SBCs."""
        at = run.task.created_at + timedelta(seconds=settings.ENV.release_grace_seconds)
        left = (at - timezone.now()).total_seconds()
        if left > 0:
            clock = date_format(timezone.localtime(at), "H:i:s")
            return Wait(left, _("Sent to Microsoft at %(time)s; until then it can be withdrawn.") % {"time": clock})
        if run.task.params.get("range") and not run.cursor.get("sbcs_checked"):
            return _check_sbcs(run, self)
        return None

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """upstreams.md §9.3."""
        return {
            "tenantId": str(customer.tenant_id),
            "telephoneNumbers": [item.key for item in items],
            "ticketId": task.ticket or None,
        }

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """The numbers are no longer the customer's. Their items stay open; their ended job says where they stand."""

    def put_back(self, run: Run, keys: list[str], reason: str) -> None:
        """1 → 0 with the reason."""
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            numbers = PhoneNumber.objects.filter(e164__in=some)
            lifecycle.move(numbers, Status.RELEASE_REQUESTED, Status.ACTIVE, Cause.RELEASE_FAILED, reason=reason[:500])
            items = run.task.items.filter(key__in=some)
            history.entries_of_items(
                "release.failed", run.task, items, before=_REQUESTED, after=_ACTIVE, message=reason[:500]
            )

    def _failed(self, run: Run, entries: Sequence[Entry], job: UpstreamJob | None = None) -> None:
        """As every job; and what Microsoft calls assigned is no longer unassigned here (upstreams.md §9.7, F14)."""
        super()._failed(run, entries, job)
        used = run.task.items.filter(key__in=[entry.e164 for entry in entries if entry.code == NUMBER_ASSIGNED])
        numbers = PhoneNumber.objects.filter(e164__in=used.values("key"), assignment_status=UNASSIGNED)
        now = timezone.now()
        if numbers.update(assignment_status=ASSIGNED, aslsct=now, modified_at=now):
            history.entries_of_items(
                "release.assigned",
                run.task,
                used,
                before={"assignment_status": UNASSIGNED},
                after={"assignment_status": ASSIGNED},
            )

    def settle(self, run: Run) -> Outcome | None:
        """Rules off the SBCs, then the rows into the archive."""
        ended = UpstreamJob.objects.filter(task=run.task, completed_at__isnull=False, succeeded__gt=0)
        jobs = {job.pk: job for job in ended.order_by("pk")}
        released = TaskItem.objects.filter(state=ItemState.RUNNING, job_ref__in=list(jobs)).order_by("pk")
        keys_of: dict[int, list[str]] = defaultdict(list)
        for key, job_ref in released.values_list("key", "job_ref"):
            keys_of[job_ref or 0].append(key)
        if not keys_of:
            return None
        run.task.step = _("Removing SBC rules")
        ours = routing.placed([key for keys in keys_of.values() for key in keys])
        off = sbc_rules.take_off(run, ours)
        ready = [(pk, [key for key in keys if key not in off.held]) for pk, keys in keys_of.items()]
        ready = [(pk, keys) for pk, keys in ready if keys]
        together = jobs_together()
        for start in range(0, len(ready), together):
            with run.commit():
                for pk, keys in ready[start : start + together]:
                    _archive(run, jobs[pk], {key: ours.ids.get(key) for key in keys}, off)
        if ready:
            return Continue()
        words = _("Released at Microsoft. Waiting for an SBC to take its rule away.")
        released.exclude(message=words).update(message=words)
        return Wait(off.seconds, _("Waiting for an SBC. %(why)s") % {"why": off.why})

    def finished(self, task: Task) -> str:
        """How many were released, and what was left."""
        text = ngettext("%(n)d number released.", "%(n)d numbers released.", task.succeeded) % {"n": task.succeeded}
        if task.failed:
            left = ngettext("%(n)d was not; it says why.", "%(n)d were not; each says why.", task.failed)
            text += " " + left % {"n": task.failed}
        if left := task.result.get("rules_left"):
            text += " " + _("The SBC rules of %(n)d could not be removed.") % {"n": left}
        if withdrawn := task.result.get(WITHDRAWN):
            text += " " + _("%(n)d were withdrawn.") % {"n": withdrawn}
        return text


def jobs_together() -> int:
    """How many jobs go into the archive in one transaction: on PostgreSQL its end costs as much as half a job.

    SQLite has one writer, and a longer transaction keeps all others waiting.
    """
    return 1 if connection.vendor == "sqlite" else 5


def uncounted(task: Task) -> int:
    """How many numbers of a release were withdrawn since it was counted last (withdraw.py ends their items)."""
    return task.items.filter(state=ItemState.CANCELLED, code=WITHDRAWN).count() - task.result.get(WITHDRAWN, 0)


def count_withdrawn(task: Task, more: int) -> None:
    """Add them to the result and to what is done; the caller saves that."""
    task.result = task.result | {WITHDRAWN: task.result.get(WITHDRAWN, 0) + more}
    task.done += more


def _check_sbcs(run: Run, operation: Release) -> Outcome:
    """Numbers of customers one of whose SBCs does not answer are not released as a part of a range."""
    pending = TaskItem.objects.filter(task=run.task, state=ItemState.PENDING)
    customers = pending.order_by().values("customer_ref").distinct()
    links = SipConnection.objects.filter(customer__in=customers.values("customer_ref")).select_related("sbc")
    problems: dict[int, str] = {}
    checked: dict[int, str] = {}
    for link in links.order_by("sbc_id"):
        if link.sbc_id not in checked:
            try:
                services.check(link.sbc)
                checked[link.sbc_id] = ""
            except SBCError as error:
                checked[link.sbc_id] = error.message
        if checked[link.sbc_id]:
            problems[link.customer_id] = checked[link.sbc_id]
    with run.commit():
        run.cursor["sbcs_checked"] = True
        for customer, why in problems.items():
            held = PhoneNumber.objects.filter(customer=customer, source__in=routing.MANAGED)
            keys = list(pending.filter(key__in=held.values("e164")).values_list("key", flat=True))
            message = _("Ranges are released only while all SBCs of the customer are online. %(why)s") % {"why": why}
            close(run, keys, ItemState.FAILED, code="sbc_offline", message=message)
            operation.put_back(run, keys, message)
    return Continue()


def _archive(run: Run, job: UpstreamJob, ready: dict[str, int | None], off: sbc_rules.TakenOff) -> None:
    """All or some of a job's numbers become released ones: nothing holds them back any more.

    `ready`: number to its row's id, None where the row has gone meanwhile.
    """
    items = TaskItem.objects.filter(job_ref=job.pk, state=ItemState.RUNNING)
    if off.held:
        items = items.filter(key__in=list(ready))
    pks = frozenset(pk for pk in ready.values() if pk is not None)
    archive.leave(
        PhoneNumber.objects.filter(pk__among=pks, status=Status.RELEASE_REQUESTED),
        Cause.RELEASE_COMPLETED,
        at=timezone.now(),
        task_ref=run.task.pk,
        released_by=run.task.actor_name,
        ms_job_id=job.ms_job_id,
    )
    after = {"status": "RELEASED", "ms_job_id": str(job.ms_job_id)}
    groups = off.by_sbcs(ready)
    for names, keys in groups.items():
        mine = items if len(groups) == 1 else items.filter(key__in=keys)
        more = {"unrouted": names} if names else {}
        history.entries_of_items("release.completed", run.task, mine, before=_REQUESTED, after=after | more)
    if left := sorted(off.left.intersection(ready)):
        message = _("Released, but its rule stays on an SBC. %(why)s") % {"why": off.why}
        close(run, left, ItemState.SUCCEEDED, code=RULE_LEFT, message=message, job=job)
        run.task.result["rules_left"] = run.task.result.get("rules_left", 0) + len(left)
    close_all(run, items, ItemState.SUCCEEDED, message=_("Released."), job=job)
    run.task.step = _("Moving released numbers to the archive")
