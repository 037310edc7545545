"""Numbers of ours that Microsoft no longer has. Concluded only from a whole list, and never from too many at once."""

from django.conf import settings
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import ItemState
from ocadmin.tasks.outcomes import Ask, Continue, Outcome
from ocadmin.tasks.run import Run

from ... import routing
from ...lifecycle import Cause, Status
from ...models import Customer, PhoneNumber, StagedNumber
from ...models.phone_number import PhoneNumberQuerySet
from .. import archive
from . import on_hold, scope
from .compare import CHUNK, Chunk, Move, add_up, move_statuses
from .reading import held_before, not_listed

MARK, KEEP = "mark", "keep"


def step(run: Run) -> Outcome:
    """Put the brake on where too many are missing, else move the next thousand; then finish."""
    cursor = run.cursor
    answer = cursor.get("answer")
    if not cursor.get("whole") or answer == KEEP:
        return _finish(run, kept=answer == KEEP)
    if answer == MARK and not cursor.get("read_anew"):
        return _read_anew(run)
    if not cursor.get("brake_passed"):
        return _brake(run) or Continue()
    if not _move(run):
        return _finish(run)
    return Continue()


def _brake(run: Run) -> Ask | None:
    """A question when more numbers are missing than may go without asking; None when the way is free.

    The share is of the numbers we held before the pass, never of those it brought. A customer who would lose more
    than half of theirs is asked for as well. An answer counts for as many numbers as the person saw, and no more.
    """
    gone_of, held_of = _by_customer(not_listed(run)), _by_customer(held_before(run))
    gone, held = sum(gone_of.values()), sum(held_of.values())
    least, limit = settings.ENV.sync_brake_minimum, settings.ENV.sync_brake_percent
    struck = [pk for pk, n in gone_of.items() if n > least and n * 2 > held_of.get(pk, 0)]
    too_many = gone > least and gone * 100 > limit * held
    asked = (too_many or bool(struck)) and gone > run.cursor.get("approved", 0)
    with run.commit():
        if asked:
            run.cursor |= {"approved": gone, "answer": None, "read_anew": False}
        else:
            run.cursor["brake_passed"] = True
    if not asked:
        return None
    if too_many:
        text = _(
            "%(gone)d of %(held)d numbers are missing from Microsoft's list. That is more than %(limit)g %%, "
            "so nothing was marked. Mark them for removal, or leave them as they are?"
        )
    else:
        text = _(
            "%(gone)d of %(held)d numbers are missing from Microsoft's list, among them more than half of those of "
            "%(customers)s, so nothing was marked. Mark them for removal, or leave them as they are?"
        )
    names = Customer.objects.filter(pk__in=struck[:3]).values_list("full_name", flat=True)
    values = {"gone": gone, "held": held, "limit": limit, "customers": ", ".join(names)}
    choices = {MARK: _("Mark %(gone)d numbers for removal") % {"gone": gone}, KEEP: _("Leave them as they are")}
    return Ask(text % values, choices, "brake")


def _by_customer(numbers: PhoneNumberQuerySet) -> dict[int, int]:
    """Customer id to how many of `numbers` are theirs."""
    counted = numbers.order_by().values_list("customer_id").annotate(n=Count("pk"))
    return dict(counted.values_list("customer_id", "n"))


def _read_anew(run: Run) -> Outcome:
    """The answer may have come hours later: read and compare once more before anything is marked."""
    task = run.task
    with run.commit():
        StagedNumber.objects.filter(task=task).delete()
        run.cursor = {"phase": "numbers", "answer": MARK, "read_anew": True, "approved": run.cursor["approved"]}
        for code in ("conflicts", "unreadable", "busy", "on_hold"):
            task.result.pop(code, None)
        task.done, task.unchanged, task.refused, task.failed = task.succeeded, 0, 0, 0
    return Continue()


def _move(run: Run) -> bool:
    """Move one chunk of missing numbers. Returns False when there are no more."""
    with run.commit():
        chosen = list(not_listed(run).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        numbers = scope.idle(run.task, list(PhoneNumber.objects.select_for_update().filter(pk__in=chosen)))
        work = Chunk(run.task, dict(Customer.objects.values_list("pk", "channel_id")))
        active = [number for number in numbers if number.status == Status.ACTIVE]
        leaving = [number for number in numbers if number.status == Status.RELEASE_REQUESTED]
        _mark(run, work, active)
        _release(run, work, leaving)
        AuditEntry.objects.bulk_create(work.entries)
        run.outcomes(work.items)
        add_up(run, work.items)
        run.task.total = (run.task.total or 0) + len(work.items)
        run.task.step = _("Looking at numbers that Microsoft no longer has")
    return bool(chosen)


def _mark(run: Run, work: Chunk, numbers: list[PhoneNumber]) -> None:
    """0 → 2: the customer has deleted it in the Teams admin center; somebody has to approve."""
    reason = _("Missing from Microsoft's list since %(date)s.") % {"date": date_format(timezone.localdate(), "j M Y")}
    move = Move(Status.MARKED_FOR_REMOVAL, "gone", reason=reason)
    for number in numbers:
        work.moves[Status.ACTIVE, move].append(number.pk)
        work.outcome(move.code, number, ItemState.SUCCEEDED, reason)
        before, after = {"status": Status.ACTIVE.name}, {"status": Status.MARKED_FOR_REMOVAL.name}
        work.history(move.code, number, before, after, reason)
    move_statuses(work)
    ids = [number.pk for number in numbers]
    PhoneNumber.objects.filter(pk__in=ids).update(aslv_code=404, asticks=scope.ticks(run.task))


def _release(run: Run, work: Chunk, numbers: list[PhoneNumber]) -> None:
    """1 → Released: no longer on a whole list, so Microsoft has completed the release that was asked for."""
    routing.unwant([number.e164 for number in numbers])
    leaving = PhoneNumber.objects.filter(pk__among={number.pk for number in numbers})
    archive.leave(leaving, Cause.RELEASE_COMPLETED, at=timezone.now(), task_ref=run.task.pk)
    for number in numbers:
        work.outcome("released", number, ItemState.SUCCEEDED, _("Microsoft has completed the release."))
        work.history("released", number, {"status": Status.RELEASE_REQUESTED.name}, {"status": "RELEASED"})


def _finish(run: Run, *, kept: bool = False) -> Outcome:
    with run.commit():
        run.cursor["phase"] = "keep"
        if kept:
            note = _("The numbers that are missing at Microsoft were left as they are.")
            run.task.result.setdefault("notes", []).append(note)
        _tell_on_hold(run)
    return Continue()


def _tell_on_hold(run: Run) -> None:
    """Name the customers whose numbers were left alone, and count those of theirs that Microsoft does not list."""
    customers, task = scope.on_hold(run.task), run.task
    if not customers.exists():
        return
    if run.cursor.get("whole"):
        listed = StagedNumber.objects.filter(task=task, e164=OuterRef("e164"))
        missing = PhoneNumber.objects.filter(customer__in=customers).filter(~Exists(listed)).count()
        task.result["on_hold"] = task.result.get("on_hold", 0) + missing
        task.total = (task.total or 0) + missing
        run.count(ItemState.UNCHANGED, missing)
    note = _("On hold, so that their numbers were left as they are: %(customers)s.")
    task.result.setdefault("notes", []).append(note % {"customers": on_hold.named(customers)})
