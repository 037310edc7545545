"""The comparison: a walk over the staged numbers in chunks, one SQL join per chunk, writes only where they differ.

What Microsoft owns is copied; what is ours (source, note, tags, job numbers) is not touched; a status moves only by the
table in lifecycle.py. A number that belongs to another customer here than at Microsoft is reported, never overwritten.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ... import lifecycle
from ...history import author, number_entry, plain
from ...lifecycle import Cause, Source, Status
from ...models import Customer, PhoneNumber, StagedNumber
from ...models.staged_number import SCALARS, SETS
from . import scope

CHUNK = 1000

# What another platform's export does not carry: filled in by the first pass after a move-in, which is no change.
DETAILS = frozenset(
    {
        "assignment_target_id",
        "activation_state",
        "usage",
        "additional_usages",
        "allow_tenant_address_update",
        "displayed_country_code",
    }
)

# What Microsoft's status may do to a number of ours: (ours, Microsoft's) → the status to move to.
_MOVES = {
    (Status.PENDING_FIRST_SYNC, Status.ACTIVE): Status.ACTIVE,
    (Status.MARKED_FOR_REMOVAL, Status.ACTIVE): Status.ACTIVE,
    (Status.ACTIVE, Status.MARKED_FOR_REMOVAL): Status.MARKED_FOR_REMOVAL,
}
_CODES = {
    (Status.PENDING_FIRST_SYNC, Status.ACTIVE): "activated",
    (Status.MARKED_FOR_REMOVAL, Status.ACTIVE): "restored",
    (Status.ACTIVE, Status.MARKED_FOR_REMOVAL): "removal_requested",
}


@dataclass
class Chunk:
    """What one chunk found and will write."""

    task: Task
    channels: dict[int, int | None]
    items: list[TaskItem] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)
    changed: list[PhoneNumber] = field(default_factory=list)
    moves: dict[tuple[Status, Status], list[int]] = field(default_factory=lambda: defaultdict(list))

    def outcome(
        self, code: str, number: PhoneNumber | StagedNumber, state: ItemState, message: str = "", **data: Any
    ) -> None:
        """Add the outcome row of one number."""
        self.items.append(
            TaskItem(
                task=self.task,
                key=number.e164,
                state=state,
                code=code,
                message=message[:500],
                data=data,
                customer_ref=number.customer_id,
                channel_ref=self.channels.get(number.customer_id),
            )
        )

    def history(
        self, code: str, number: PhoneNumber, before: dict[str, Any], after: dict[str, Any], message: str = ""
    ) -> None:
        """Add the audit entry of one number."""
        self.entries.append(
            number_entry(
                f"sync.{code}",
                number.e164,
                by=author(self.task),
                channel=self.task.channel,
                task_ref=self.task.pk,
                ticket=self.task.ticket,
                customer_id=number.customer_id,
                channel_id=self.channels.get(number.customer_id),
                before=before,
                after=after,
                message=message,
            )
        )


def chunk(run: Run) -> Outcome:
    """Compare the next thousand staged numbers; after the last ones go on to what is missing."""
    low = run.cursor.get("after", "")
    staged = StagedNumber.objects.filter(task=run.task)
    keys = list(staged.filter(e164__gt=low).order_by("e164").values_list("e164", flat=True)[:CHUNK])
    if not keys:
        with run.commit():
            run.cursor["phase"] = "missing"
        return Continue()
    high = keys[-1]
    with run.commit():
        work = Chunk(run.task, dict(Customer.objects.values_list("pk", "channel_id")))
        between = staged.filter(e164__gt=low, e164__lte=high)
        _new(work, between)
        _problems(work, between)
        _differing(work, low, high)
        _write(run, work)
        _stamp(run.task, between, low, high)
        run.count(ItemState.UNCHANGED, len(keys) - len(work.items))
        run.cursor["after"] = high
        run.task.step = _("Comparing")
    return Continue()


def move_statuses(work: Chunk, reason: str = "") -> None:
    """Carry out the collected moves, one UPDATE for each pair of statuses."""
    for (source, target), pks in work.moves.items():
        why = reason if target == Status.MARKED_FOR_REMOVAL else ""
        lifecycle.move(PhoneNumber.objects.filter(pk__in=pks), source, target, Cause.SYNC, reason=why)


def _new(work: Chunk, between: Any) -> None:
    """Numbers that Microsoft has and we do not: added elsewhere, so they arrive with an empty source."""
    ours = PhoneNumber.objects.filter(e164=OuterRef("e164"))
    now = timezone.now()
    numbers = []
    for row in between.filter(~Exists(ours), problem=""):
        status = _status(row)
        number = PhoneNumber(
            e164=row.e164, customer_id=row.customer_id, status=status, source=Source.EXTERNAL, when_created=now
        )
        _copy(row, number)
        if status != Status.PENDING_FIRST_SYNC:
            number.aslcht, number.aslv_code, number.asticks = now, 200, scope.ticks(work.task)
        numbers.append(number)
        work.outcome("new", number, ItemState.SUCCEEDED)
        after = {"status": status.name, "assignment_status": row.assignment_status, "customer": row.customer_id}
        work.history("new", number, {}, after)
    PhoneNumber.objects.bulk_create(numbers)


def _problems(work: Chunk, between: Any) -> None:
    """Numbers of ours whose record could not be read: code 500, everything else as it was."""
    rows = list(between.exclude(problem=""))
    for row in rows:
        work.outcome("unreadable", row, ItemState.FAILED, row.problem)
    keys = [row.e164 for row in rows]
    PhoneNumber.objects.filter(e164__in=keys).update(aslv_code=500, asticks=scope.ticks(work.task))


def _differing(work: Chunk, low: str, high: str) -> None:
    """Numbers that both have and that differ in some column, or whose status has to move."""
    pks = _differing_pks(work.task, low, high)
    numbers = PhoneNumber.objects.select_for_update().filter(pk__in=pks)
    rows = StagedNumber.objects.filter(task=work.task, e164__gt=low, e164__lte=high, problem="")
    staged = {row.e164: row for row in rows} if pks else {}
    for number in numbers:
        row = staged[number.e164]
        if row.customer_id != number.customer_id:
            _conflict(work, number, row)
        else:
            _update(work, number, row)


def _update(work: Chunk, number: PhoneNumber, row: StagedNumber) -> None:
    before, after = _difference(number, row)
    move = (Status(number.status), _status(row))
    target = _MOVES.get(move)
    if target is None and not after:
        return  # the same set in another order
    if after:
        _copy(row, number)
        number.modified_at = timezone.now()
        if "assignment_status" in after:
            number.aslsct = number.modified_at
        work.changed.append(number)
    code = "completed" if after.keys() <= DETAILS and not any(before.values()) else "changed"
    if target is not None:
        code = _CODES[move]
        work.moves[Status(number.status), target].append(number.pk)
        before, after = before | {"status": move[0].name}, after | {"status": target.name}
    work.outcome(code, number, ItemState.SUCCEEDED, before=_plain(before), after=_plain(after))
    work.history(code, number, before, after)


def _conflict(work: Chunk, number: PhoneNumber, row: StagedNumber) -> None:
    """Never overwritten: whose number it is, is a question for people (upstreams.md §8)."""
    names = dict(Customer.objects.filter(pk__in=(number.customer_id, row.customer_id)).values_list("pk", "full_name"))
    message = _("Here it belongs to %(ours)s, at Microsoft to %(theirs)s. Nothing was changed.")
    message %= {"ours": names[number.customer_id], "theirs": names[row.customer_id]}
    work.outcome("ownership_conflict", number, ItemState.REFUSED, message, microsoft_customer=row.customer_id)


def _write(run: Run, work: Chunk) -> None:
    """Everything the chunk found, set-based: changed rows, moves, history, outcomes, totals."""
    columns = {*SCALARS, *SETS, "aslsct", "modified_at"}
    fields = [field.name for field in PhoneNumber._meta.concrete_fields if field.attname in columns]
    PhoneNumber.objects.bulk_create(work.changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
    move_statuses(work, _("The customer asked to remove it."))
    AuditEntry.objects.bulk_create(work.entries)
    run.outcomes(work.items)
    add_up(run, work.items)


def add_up(run: Run, items: list[TaskItem]) -> None:
    """Add the codes of `items` to the task's result."""
    for item in items:
        key = "conflicts" if item.code == "ownership_conflict" else item.code
        run.task.result[key] = run.task.result.get(key, 0) + 1


def _stamp(task: Task, between: Any, low: str, high: str) -> None:
    """The verification fields of every number that was seen and is acquired (live-platform.md §4.5).

    One UPDATE a chunk, of columns that no index holds. A number that Microsoft still calls pending was not verified.
    """
    seen = between.filter(e164=OuterRef("e164"), customer_id=OuterRef("customer_id"), problem="").exclude(
        upstream_status=Status.PENDING_FIRST_SYNC
    )
    numbers = PhoneNumber.objects.filter(Exists(seen), e164__gt=low, e164__lte=high)
    numbers.update(aslcht=timezone.now(), aslv_code=200, asticks=scope.ticks(task))


def _difference(number: PhoneNumber, row: StagedNumber) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after of the columns that differ; sets in another order do not."""
    before, after = {}, {}
    for name in SCALARS:
        ours, theirs = getattr(number, name), getattr(row, name)
        if ours != theirs:
            before[name], after[name] = ours, theirs
    for name in SETS:
        ours, theirs = getattr(number, name), getattr(row, name)
        if (ours is None) != (theirs is None) or set(ours or ()) != set(theirs or ()):
            before[name], after[name] = ours, theirs
    return before, after


def _copy(row: StagedNumber, number: PhoneNumber) -> None:
    for name in (*SCALARS, *SETS):
        setattr(number, name, getattr(row, name))


def _status(row: StagedNumber) -> Status:
    """Microsoft's status. A number it lists without one, or with one we do not know, is in use: active."""
    return Status(row.upstream_status) if row.upstream_status in Status.values else Status.ACTIVE


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in values.items()}


def _differing_pks(task: Task, low: str, high: str) -> list[int]:
    """Ids of the numbers in (low, high] that differ from their staged row, by one join.

    Statuses are named explicitly so that the database need not know the table of moves.
    """
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    columns = " OR ".join(f"n.{name} {distinct} s.{name}" for name in ("customer_id", *SCALARS, *SETS))
    moves = " OR ".join("(n.status = %s AND COALESCE(s.upstream_status, 0) = %s)" for _pair in _MOVES)
    sql = f"""
        SELECT n.id FROM {StagedNumber._meta.db_table} s
        JOIN {PhoneNumber._meta.db_table} n ON n.e164 = s.e164
        WHERE s.task_id = %s AND s.problem = '' AND s.e164 > %s AND s.e164 <= %s AND ({columns} OR {moves})
    """
    values = [int(status) for pair in _MOVES for status in pair]
    with connection.cursor() as cursor:
        cursor.execute(sql, [task.pk, low, high, *values])
        return [row[0] for row in cursor.fetchall()]
