"""Reading Microsoft's numbers into the staging table, page by page, until the list is known to be whole.

The list can change while it is read: a page may repeat a number or jump over one (upstreams.md §9.7, F27). Rows are
kept by number, so repeats do no harm; a list whose count moved is read again; and a number of ours that was not on
the list is asked for by itself before anybody concludes that it is gone.
"""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ...lifecycle import Status
from ...microsoft.errors import BadAnswer, NotFound, UnreadableRecord
from ...microsoft.operator_connect import OperatorConnect
from ...microsoft.records import NumberRecord, parse_number
from ...models import PhoneNumber, StagedNumber
from ...models.phone_number import PhoneNumberQuerySet
from ...setwise import refresh_statistics
from . import scope, staging
from .on_hold import LEFT_ALONE

MAX_READS = 3
ASK_ONE_BY_ONE = 200


def page(run: Run) -> Outcome:
    """Read and stage one page; after the last one, see whether the list is whole."""
    cursor = run.cursor
    tenants = scope.tenants(run.task)
    at = cursor.get("at", 0)
    if at >= len(tenants):
        return _check(run)
    answer = _client(run).numbers_page(tenant_id=tenants[at], next_link=cursor.get("link"))
    records, unreadable = parse(answer.records)
    with run.commit():
        cursor["lost"] = cursor.get("lost", 0) + stage(run, records, unreadable)
        if cursor.get("link") is None:
            cursor["first_total"] = answer.total
        cursor["link"] = answer.next_link
        run.task.result["pages"] = run.task.result.get("pages", 0) + 1
        if answer.next_link is None:
            cursor["at"] = at + 1
            cursor["moved"] = cursor.get("moved", False) or answer.total != cursor["first_total"]
            cursor["expected"] = cursor.get("expected", 0) + (answer.total or 0)
            cursor["uncounted"] = cursor.get("uncounted", False) or answer.total is None
        staged = cursor["read"] = cursor.get("read", 0) + len(records)
        total = answer.total if len(tenants) == 1 else None
        run.task.total = total
        run.task.step = (
            _("Reading numbers from Microsoft: %(read)d of %(total)d") % {"read": staged, "total": total}
            if total
            else _("Reading numbers from Microsoft: %(read)d") % {"read": staged}
        )
    return Continue()


def single(run: Run) -> Outcome:
    """Ask for the next of a few numbers by itself (the pass `numbers`)."""
    keys: list[str] = run.task.params["numbers"]
    at = run.cursor.get("at", 0)
    if at >= len(keys):
        with run.commit():
            run.cursor["phase"] = "compare"
            run.task.total = len(keys)
        return Continue()
    record, unreadable = _ask_for(run, keys[at])
    with run.commit():
        stage(run, [record] if record else [], [unreadable] if unreadable else [])
        if record is None and unreadable is None:
            _note_not_found(run, keys[at])
        run.cursor["at"] = at + 1
        run.task.step = _("Asking Microsoft for %(number)s") % {"number": keys[at]}
    return Continue()


def parse(raw: Iterable[dict]) -> tuple[list[NumberRecord], list[UnreadableRecord]]:
    """The readable records, one per number (the last one counts), and the others."""
    records: dict[str, NumberRecord] = {}
    unreadable = []
    for item in raw:
        try:
            record = parse_number(item)
        except UnreadableRecord as error:
            unreadable.append(error)
        else:
            records[record.e164] = record
    return list(records.values()), unreadable


def stage(run: Run, records: list[NumberRecord], unreadable: list[UnreadableRecord]) -> int:
    """Write records into the staging table. Call inside `run.commit()`.

    Returns how many records are lost: not readable, and not of a number that we know.
    """
    rows, refused = staging.rows(run.task, records)
    problems = [*unreadable, *refused]
    doubtful = staging.placeholders(run.task, problems)
    ours = {row.e164 for row in doubtful}
    lost = [problem for problem in problems if problem.telephone_number not in ours]
    for problem in lost:
        values = {"number": problem.telephone_number or _("without a number"), "reason": problem.reason}
        _add_note(run, _("Microsoft sent a record (%(number)s) that cannot be read: %(reason)s.") % values)
    rows += doubtful
    for row in rows:
        row.read_pass = run.cursor.get("pass", 1)
    fields = [field.attname for field in StagedNumber._meta.fields if field.attname not in ("id", "task_id", "e164")]
    unique = {row.e164: row for row in rows}
    StagedNumber.objects.bulk_create(
        unique.values(), update_conflicts=True, unique_fields=["task", "e164"], update_fields=fields
    )
    return len(lost)


def not_listed(run: Run) -> PhoneNumberQuerySet:
    """Numbers of ours that should be on the list and are not: active, or released and on their way out.

    Left out: what changed since the pass began, and numbers that another operation works on; that one knows better.
    """
    listed = StagedNumber.objects.filter(task=run.task, e164=OuterRef("e164"))
    return held_before(run).filter(~Exists(listed)).exclude(scope.taken(run.task))


def held_before(run: Run) -> PhoneNumberQuerySet:
    """Numbers that Microsoft should have as far as we know: active or on their way out since before the pass began.

    Not among them: an active one whose removal somebody has cleared, which is kept although Microsoft may not have it;
    and what customers on hold have.
    """
    numbers = scope.within(run.task, PhoneNumber.objects.all())
    expected = Q(status=Status.ACTIVE, removal_cleared_at=None) | Q(status=Status.RELEASE_REQUESTED)
    return numbers.filter(expected, status_changed_at__lt=scope.began(run.task))


def _check(run: Run) -> Outcome:
    """After the last page: read again, ask one by one, or go on to the comparison."""
    refresh_statistics(StagedNumber, "task_id", "e164", "customer_id")
    refresh_statistics(PhoneNumber, "e164", "customer_id")
    cursor = run.cursor
    read_pass = cursor.get("pass", 1)
    staged = StagedNumber.objects.filter(task=run.task, read_pass=read_pass).count()
    lost = cursor.get("lost", 0)
    steady = not cursor.get("moved") and (cursor.get("uncounted") or cursor.get("expected") == staged + lost)
    whole = steady and not lost
    suspects = 0 if cursor.get("asked") else not_listed(run).count()
    if (not steady and read_pass < MAX_READS) or (suspects > ASK_ONE_BY_ONE and read_pass == 1):
        return _read_again(run, read_pass + 1)
    if whole and 0 < suspects <= ASK_ONE_BY_ONE:
        return _ask_one_by_one(run)
    with run.commit():
        if whole:
            StagedNumber.objects.filter(task=run.task, read_pass__lt=read_pass).delete()
        elif steady:
            _add_note(run, _("Not every record could be read, so no number was taken for missing."))
        else:
            _add_note(run, _("Microsoft's list kept changing while it was read, so no number was taken for missing."))
        cursor |= {"phase": "compare", "whole": whole}
        run.task.result["complete"] = whole
        run.task.total = StagedNumber.objects.filter(task=run.task).count()
        run.task.step = _("Comparing")
    return Continue()


def _read_again(run: Run, read_pass: int) -> Outcome:
    with run.commit():
        run.cursor |= {"pass": read_pass, "at": 0, "link": None, "expected": 0, "moved": False, "read": 0, "lost": 0}
        run.task.step = _("Reading the list once more")
    return Continue()


def _ask_one_by_one(run: Run) -> Outcome:
    """Ask for the next number that was not on the list; found, it joins the list."""
    after = run.cursor.get("asked_after", "")
    suspect = not_listed(run).filter(e164__gt=after).order_by("e164").values_list("e164", flat=True).first()
    if suspect is None:
        with run.commit():
            run.cursor["asked"] = True
        return Continue()
    record, unreadable = _ask_for(run, suspect)
    with run.commit():
        stage(run, [record] if record else [], [unreadable] if unreadable else [])
        run.cursor["asked_after"] = suspect
        run.cursor["expected"] = run.cursor.get("expected", 0) + bool(record or unreadable)
        run.task.step = _("Asking Microsoft for %(number)s, which was not on the list") % {"number": suspect}
    return Continue()


def _ask_for(run: Run, e164: str) -> tuple[NumberRecord | None, UnreadableRecord | None]:
    try:
        return _client(run).number(e164), None
    except NotFound:
        return None, None
    except BadAnswer as error:
        if error.retryable:
            raise
        return None, UnreadableRecord(error.message, e164)


def _note_not_found(run: Run, e164: str) -> None:
    """Microsoft does not know this number. Its status stays: only a whole list may say that a number is gone."""
    number = PhoneNumber.objects.filter(e164=e164).select_related("customer").first()
    held = number is not None and number.customer.sync_held_at is not None
    idle = scope.within(run.task, PhoneNumber.objects.filter(e164=e164)).exclude(scope.taken(run.task))
    idle.update(aslv_code=404, asticks=scope.ticks(run.task))
    message = _("Microsoft does not know this number. The next complete synchronisation decides what becomes of it.")
    if number and number.removal_cleared_at:
        message = _("Microsoft does not know this number. It stays all the same: somebody has decided to keep it.")
    code = "on_hold" if held else "not_found"
    item = TaskItem(
        task=run.task,
        key=e164,
        state=ItemState.UNCHANGED if held else ItemState.REFUSED,
        code=code,
        message=str(LEFT_ALONE) if held else message,
        customer_ref=number.customer_id if number else None,
        channel_ref=number.customer.channel_id if number else None,
    )
    run.outcomes([item])
    run.task.result[code] = run.task.result.get(code, 0) + 1


def _add_note(run: Run, note: str) -> None:
    notes = run.task.result.setdefault("notes", [])
    if note not in notes and len(notes) < 20:
        notes.append(note)


def _client(run: Run) -> OperatorConnect:
    return OperatorConnect(correlation_id=str(run.task.uid))
