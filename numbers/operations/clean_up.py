"""Clean-up: numbers whose removal is approved leave, in order (design §5: 3 → deleted; live-platform.md §4.2).

Microsoft must no longer have a number, then its SBC rules go, then its row becomes a released number. What Microsoft
still lists keeps its rules and waits: a live number is never without. One clean-up runs at a time. It goes in rounds:
take in what is ready by now, ask Microsoft about each number, bring the SBCs in line, archive, pause.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db.models import F, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, Wait
from ocadmin.tasks.run import Run
from sbc import services as sbc_services
from sbc.models import DialPlanRule

from .. import history, routing, setwise
from ..lifecycle import Cause, Status
from ..microsoft.errors import BadAnswer, MicrosoftError, NotFound, TenantUnknown
from ..microsoft.operator_connect import LIST_SIZE, OperatorConnect
from ..models import Customer, PhoneNumber
from ..models.phone_number import PhoneNumberQuerySet
from . import archive, failures, release_requests, sbc_rules
from .base import BUSY, NumberOperation
from .items import alive, close, customer_of, pending

CHUNK = 1000
AT_ONCE = 25  # numbers asked for one by one before that is saved
MANY = 200  # numbers of one customer: beyond, the customer's list is read first
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
BLOCKED_SECONDS = 1800.0  # an SBC that refuses us is not asked sooner: it may lock us out (upstreams.md §9.7, F23)
LISTED, UNROUTING = "still_listed", "unrouting"  # stages of a pending and of a running item

_READY = {"status": Status.READY_FOR_REMOVAL.name}


class CleanUp(NumberOperation):
    """Nobody chooses its numbers: it takes all that are ready for removal and that no other task has."""

    kind = "clean-up"
    label = gettext_lazy("Clean-up of removed numbers")
    permission = Permission.APPROVE_REMOVAL

    def step(self, run: Run) -> Outcome:
        """The next part of a round; Microsoft's errors become a pause or the end of the task."""
        if not run.cursor.get("asking"):
            return _begin_round(run)
        try:
            if _ask(run, OperatorConnect(run.task.uid)):
                return Continue()
        except MicrosoftError as error:
            raise failures.of_task(error) from error
        return _end_round(run)

    def cancel(self, run: Run) -> Finished:
        """What has not left stays ready for removal; the next clean-up goes on with it."""
        with run.commit():
            left = alive(run.task).update(state=ItemState.CANCELLED, code="", updated_at=timezone.now())
        done = run.task.succeeded
        removed = ngettext("Stopped: %(n)d number was removed.", "Stopped: %(n)d numbers were removed.", done)
        ready = ngettext(
            "%(n)d stays ready for removal until the next clean-up.",
            "%(n)d stay ready for removal until the next clean-up.",
            left,
        )
        words = f"{removed % {'n': done}} {ready % {'n': left}}"
        return Finished(TaskState.CANCELLED, words, run.task.result)


class Approval(NamedTuple):
    """Who approved a removal, under which ticket: a number leaves in their name."""

    actor_id: int | None
    actor_name: str
    ticket: str


UNTOLD = Approval(None, "", "")  # ready for removal at Microsoft before we met it


def start(*, by: Principal, channel: str) -> None:
    """Start the clean-up; it is nobody's in particular: who approved what, each number knows.

    One that runs already is woken instead: it takes in what has become ready meanwhile.
    """
    title = _("Clean up removed numbers")
    try:
        services.start(CleanUp.kind, title=title, by=by, channel=channel, unique_key=CleanUp.kind)
    except services.AlreadyRunning as running:
        services.wake(Task.objects.filter(pk=running.task.pk))


def idle() -> PhoneNumberQuerySet:
    """Numbers that are ready for removal and that no task has taken."""
    return PhoneNumber.objects.filter(status=Status.READY_FOR_REMOVAL).exclude(BUSY.condition)


def _begin_round(run: Run) -> Outcome:
    """Take in what is ready, and ask about everything anew: also a number that was gone may be back."""
    task = run.task
    with run.commit():
        new = _take_in(task)
        alive(task).update(state=ItemState.PENDING, code="", message="", updated_at=timezone.now())
        task.total = task.items.count()
        run.cursor |= {"asking": True, "read": [], "round": 0 if new else run.cursor.get("round", 0) + 1}
        task.step = _("Asking Microsoft")
    return Continue()


def _take_in(task: Task) -> int:
    """An item for each idle number, and the task's customer where all are of the same. Returns how many are new."""
    new = setwise.insert(
        TaskItem,
        idle(),
        ignore_conflicts=True,
        order="e164",
        task_id=task.pk,
        key=F("e164"),
        customer_ref=F("customer_id"),
        channel_ref=F("customer__channel_id"),
        state=ItemState.PENDING.value,
        code="",
        message="",
        data={},
        upstream_ids={},
        attempts=0,
        updated_at=timezone.now(),
    )
    if new:
        ends = task.items.aggregate(low=Min("customer_ref"), high=Max("customer_ref"), channel=Max("channel_ref"))
        one = ends["low"] == ends["high"]
        task.customer_ref, task.channel_ref = (ends["low"], ends["channel"]) if one else (None, None)
        task.save(update_fields=["customer_ref", "channel_ref"])
    return new


# Microsoft


def _ask(run: Run, client: OperatorConnect) -> bool:
    """Ask about the next numbers of this round. Returns False when there are none left to ask about."""
    unasked = pending(run.task).filter(code="")
    first = unasked.first()
    if first is None:
        return False
    of_customer = unasked.filter(customer_ref=first.customer_ref)
    if first.customer_ref not in run.cursor["read"] and of_customer.count() > MANY:
        there = _on_the_list(run, client, customer_of(first))
        found = [key for key in of_customer.values_list("key", flat=True) if key in there]
        for start in range(0, len(found), CHUNK):
            _keep(run, client, {key: there[key] for key in found[start : start + CHUNK]})
        return True
    gone: list[str] = []
    listed: dict[str, int | None] = {}
    for key in of_customer.values_list("key", flat=True)[:AT_ONCE]:
        if run.over and (gone or listed):
            break
        try:
            listed[key] = client.number(key).upstream_status
        except NotFound:
            gone.append(key)
        except BadAnswer as error:
            if error.retryable:
                raise
            listed[key] = None  # it is there, only its record cannot be read
    _unwant(run, gone)
    _keep(run, client, listed)
    return True


def _on_the_list(run: Run, client: OperatorConnect, customer: Customer) -> dict[str, int | None]:
    """Number to Microsoft's status of what it lists for a customer.

    Good for finding what is still there; what is not on it is asked for by itself, because a list can shift while it is
    read (upstreams.md §9.7, F27).
    """
    there: dict[str, int | None] = {}
    link, more = None, True
    while more and not run.cancelling:
        try:
            page = client.numbers_page(tenant_id=customer.tenant_id, next_link=link, top=LIST_SIZE)
        except TenantUnknown:
            break
        there |= {str(row.get("telephoneNumber")): row.get("acquiredNumberStatus") for row in page.records}
        link, more = page.next_link, page.next_link is not None
        with run.commit():  # a long list must not cost us the lease
            run.task.step = _("Asking Microsoft for the numbers of %(customer)s") % {"customer": customer.full_name}
    run.cursor["read"] = [*run.cursor["read"], customer.pk]
    return there


def _keep(run: Run, client: OperatorConnect, listed: dict[str, int | None]) -> None:
    """Numbers that Microsoft still lists wait, with their rules. Where it waits for the approval it is told (again)."""
    if not listed:
        return
    numbers = PhoneNumber.objects.filter(e164__in=listed, status=Status.READY_FOR_REMOVAL).select_related("customer")
    marked = [key for key, status in listed.items() if status == Status.MARKED_FOR_REMOVAL]
    if marked:
        requests = release_requests.open_requests(client)
        release_requests.tell(client, requests, numbers.filter(e164__in=marked), release_requests.APPROVE)
    with run.commit():
        unrouted = DialPlanRule.objects.filter(prefix__in=listed, wanted=False).values("prefix")
        for sbc, rules in routing.rules(numbers.filter(e164__in=unrouted)).items():
            sbc_services.want(sbc, rules)
        alive(run.task).filter(key__in=listed).update(
            code=LISTED, message=_("Microsoft still lists it."), updated_at=timezone.now()
        )


def _unwant(run: Run, gone: Sequence[str]) -> None:
    """Microsoft no longer has these numbers, so no SBC needs their rules."""
    if not gone:
        return
    with run.commit():
        routing.unwant(gone)
        alive(run.task).filter(key__in=gone).update(
            state=ItemState.RUNNING,
            code=UNROUTING,
            message=_("Gone at Microsoft. Its SBC rules are being removed."),
            updated_at=timezone.now(),
        )


# SBCs and archive


def _end_round(run: Run) -> Outcome:
    """Bring the SBCs in line, let go what is nowhere any more, and wait for the rest."""
    now = timezone.now().timestamp()
    held = {pk: one for pk, one in run.cursor.get("blocked", {}).items() if one["until"] > now}
    parked, blocked = sbc_rules.bring(
        run, list(alive(run.task).values_list("key", flat=True)), leave=[int(pk) for pk in held]
    )
    held |= {str(one.sbc.pk): {"until": now + BLOCKED_SECONDS, "why": one.error.message} for one in blocked}
    while _archive(run):
        pass
    listed = alive(run.task).filter(code=LISTED).count()
    left = alive(run.task).count()
    with run.commit():
        run.cursor |= {"asking": False, "blocked": held}
        if parked is None:
            run.cursor.pop("sbc_tries", None)
        run.task.step = ""
    if not left and not idle().exists():
        return _finished(run.task)
    waits: list[tuple[float, str]] = []
    if listed:
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(run.cursor["round"], 10), LONGEST_PAUSE_SECONDS)
        text = ngettext("Microsoft still lists %(n)d number.", "Microsoft still lists %(n)d numbers.", listed)
        waits.append((pause, text % {"n": listed}))
    if parked:
        waits.append((parked.seconds, parked.why))
    waits += [(max(one["until"] - now, 1.0), one["why"]) for one in held.values() if left > listed]
    if not waits:
        return Continue()
    return Wait(min(seconds for seconds, _why in waits), " ".join(why for _seconds, why in waits))


def _archive(run: Run) -> bool:
    """Numbers without a rule to remove become released ones, a thousand at a time. Returns whether there were any."""
    after = run.cursor.get("archived", 0)
    unrouting = alive(run.task).filter(code=UNROUTING, pk__gt=after).order_by("pk")
    items = dict(unrouting.values_list("key", "pk")[:CHUNK])
    if not items:
        run.cursor["archived"] = 0
        return False
    routed = {key for found in sbc_rules.outstanding(list(items)).values() for key in found}
    by_approval: dict[Approval, list[str]] = defaultdict(list)
    approvals = _approvals(items)
    for key in items.keys() - routed:
        by_approval[approvals.get(key, UNTOLD)].append(key)
    with run.commit():
        for approval, keys in by_approval.items():
            _let_go(run, sorted(keys), approval)
        run.cursor["archived"] = max(items.values())
        run.task.step = _("Moving removed numbers to the archive")
    return True


def _let_go(run: Run, keys: list[str], approval: Approval) -> None:
    ready = PhoneNumber.objects.filter(e164__among=frozenset(keys), status=Status.READY_FOR_REMOVAL)
    done = list(ready.values_list("e164", flat=True))
    archive.leave(ready, Cause.CLEAN_UP, at=timezone.now(), task_ref=run.task.pk, released_by=approval.actor_name)
    items = run.task.items.filter(key__in=done)
    after = {"status": "RELEASED"}
    history.entries_of_items("removal.completed", run.task, items, before=_READY, after=after, **approval._asdict())
    close(run, done, ItemState.SUCCEEDED, message=_("Removed."))
    message = _("The number changed meanwhile; nothing was done.")
    close(run, sorted({*keys} - {*done}), ItemState.FAILED, code="changed_meanwhile", message=message)


def _approvals(keys: Collection[str]) -> dict[str, Approval]:
    """Number to the last approval of its removal."""
    approved = AuditEntry.objects.filter(
        object_type=history.OBJECT_TYPE, object_id__in=keys, action=f"removal.{Cause.APPROVE.value}"
    )
    rows = approved.order_by("pk").values_list("object_id", *Approval._fields)
    return {key: Approval(*rest) for key, *rest in rows}


def _finished(task: Task) -> Finished:
    text = ngettext("%(n)d number removed.", "%(n)d numbers removed.", task.succeeded) % {"n": task.succeeded}
    return Finished(TaskState.PARTIAL if task.failed else TaskState.SUCCEEDED, text, task.result)
