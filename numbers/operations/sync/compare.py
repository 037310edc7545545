"""The comparison: a walk over the staged numbers in chunks, one SQL join per chunk, writes only where they differ.

What Microsoft owns is copied; what is ours (source, note, tags, job numbers) is not touched; a status moves only by the
table in lifecycle.py. A number that belongs to another customer here than at Microsoft is reported, never overwritten.
A number that another operation works on is left to that one, and one of a customer on hold is left alone (scope.py).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Continue, Outcome
from ocadmin.tasks.run import Run

from ... import lifecycle
from ...history import author, number_entry, plain
from ...lifecycle import LATE, Cause, Source, Status
from ...models import Customer, PhoneNumber, ReleasedNumber, StagedNumber
from ...models.staged_number import SCALARS, SETS
from ..items import UNKNOWN
from . import scope
from .on_hold import LEFT_ALONE

CHUNK = 1000
_LEAVING = ("e164", "customer_id", "released_at")

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


@dataclass(frozen=True)
class Move:
    """Where a number goes, what its outcome is called, by which cause, and the reason that its status is given."""

    target: Status
    code: str
    cause: Cause = Cause.SYNC
    reason: str | Promise = ""


# What Microsoft's status may do to a number of ours: (ours, Microsoft's) to the move.
REMOVAL = (Status.ACTIVE, Status.MARKED_FOR_REMOVAL)  # but where somebody has cleared it (removal_cleared_at)
NOT_RELEASED = (Status.RELEASE_REQUESTED, Status.ACTIVE)  # the release ended without an answer, and was never done
FOUND = Move(Status.ACTIVE, "activated")  # also where it is on its way out already: the next pass sees to that
MOVES: dict[tuple[Status, Status], Move] = {
    **{(Status.PENDING_FIRST_SYNC, theirs): FOUND for theirs in Status if theirs != Status.PENDING_FIRST_SYNC},
    (Status.MARKED_FOR_REMOVAL, Status.ACTIVE): Move(Status.ACTIVE, "restored"),
    REMOVAL: Move(
        Status.MARKED_FOR_REMOVAL, "removal_requested", reason=gettext_lazy("The customer asked to remove it.")
    ),
    NOT_RELEASED: Move(
        Status.ACTIVE,
        "release_not_done",
        Cause.RELEASE_FAILED,
        gettext_lazy("Microsoft still lists it as active: its release was not carried out."),
    ),
}


@dataclass
class Chunk:
    """What one chunk found and will write."""

    task: Task
    channels: dict[int, int | None]
    items: list[TaskItem] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)
    changed: list[PhoneNumber] = field(default_factory=list)
    moves: dict[tuple[Status, Move], list[int]] = field(default_factory=lambda: defaultdict(list))
    busy: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    @property
    def aside(self) -> list[str]:
        """The numbers that are left alone."""
        return [*self.busy, *self.held]

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
    following = staged.filter(e164__gt=low).order_by("e164").annotate(taken=scope.taken(run.task))
    rows = list(following.values_list("e164", "taken")[:CHUNK])
    if not rows:
        with run.commit():
            run.cursor["phase"] = "missing"
        return Continue()
    high = rows[-1][0]
    with run.commit():
        owners = list(Customer.objects.values_list("pk", "channel_id", "sync_held_at"))
        work = Chunk(run.task, {pk: channel for pk, channel, _held_at in owners})
        work.busy = [e164 for e164, taken in rows if taken]
        between = staged.filter(e164__gt=low, e164__lte=high).exclude(e164__in=work.busy)
        if any(held_at for _pk, _channel, held_at in owners):
            _on_hold(work, between)
            between = between.exclude(e164__in=work.held)
        _new(work, between)
        _problems(work, between)
        _differing(work, low, high)
        _write(run, work)
        _stamp(run.task, between, low, high)
        run.count(ItemState.UNCHANGED, len(rows) - len(work.items))
        if work.busy:
            run.task.result["busy"] = run.task.result.get("busy", 0) + len(work.busy)
        run.cursor["after"] = high
        run.task.step = _("Comparing")
    return Continue()


def move_statuses(work: Chunk) -> None:
    """Carry out the collected moves, one UPDATE for each."""
    for (source, move), pks in work.moves.items():
        numbers = PhoneNumber.objects.filter(pk__in=pks)
        lifecycle.move(numbers, source, move.target, move.cause, reason=str(move.reason))


def _on_hold(work: Chunk, between: Any) -> None:
    """Set aside what customers on hold have. Read under the lock that putting on hold waits for (on_hold.py)."""
    rows = list(scope.held(between))
    work.held = [row.e164 for row in rows]
    if "numbers" in work.task.params:  # somebody has named each of them, and is told of each
        for row in rows:
            work.outcome("on_hold", row, ItemState.UNCHANGED, str(LEFT_ALONE))
    elif rows:
        work.task.result["on_hold"] = work.task.result.get("on_hold", 0) + len(rows)


def _new(work: Chunk, between: Any) -> None:
    """Numbers that Microsoft has and we do not: added elsewhere, so they arrive with an empty source.

    But for those of an upload of ours whose end we never learned: it went well, and their SBC rules stand.
    """
    ours = PhoneNumber.objects.filter(e164=OuterRef("e164"))
    now = timezone.now()
    numbers = []
    rows = _not_left(work.task, list(between.filter(~Exists(ours), problem="")))
    sources = _uploaded(rows)
    for row in rows:
        status = _status(row)
        source = sources.get((row.e164, row.customer_id), Source.EXTERNAL)
        number = PhoneNumber(e164=row.e164, customer_id=row.customer_id, status=status, source=source, when_created=now)
        _copy(row, number)
        if status != Status.PENDING_FIRST_SYNC:
            number.aslcht, number.aslv_code, number.asticks = now, 200, scope.ticks(work.task)
        numbers.append(number)
        work.outcome("new", number, ItemState.SUCCEEDED)
        after = {"status": status.name, "assignment_status": row.assignment_status, "customer_id": row.customer_id}
        work.history("new", number, {}, after)
    PhoneNumber.objects.bulk_create(numbers)


def _uploaded(rows: list[StagedNumber]) -> dict[tuple[str, int | None], str]:
    """(Number, customer) to the source of an upload of ours that ended in doubt."""
    doubtful = TaskItem.objects.filter(key__in=[row.e164 for row in rows], code=UNKNOWN, task__kind="upload")
    found = list(doubtful.order_by("pk").values_list("key", "customer_ref", "task_id"))
    params = dict(Task.objects.filter(pk__in={task for *_who, task in found}).values_list("pk", "params"))
    return {(key, owner): params[task]["source"] for key, owner, task in found}


def _not_left(task: Task, rows: list[StagedNumber]) -> list[StagedNumber]:
    """Without those that left us since the pass began, or left lately and are still on their way out at Microsoft."""
    since = scope.began(task)
    left = ReleasedNumber.objects.filter(e164__in=[row.e164 for row in rows], released_at__gte=since - LATE)
    last = {(e164, owner): at for e164, owner, at in left.order_by("released_at").values_list(*_LEAVING)}
    return [
        row
        for row in rows
        if (at := last.get((row.e164, row.customer_id))) is None
        or (at < since and row.upstream_status not in (Status.RELEASE_REQUESTED, Status.READY_FOR_REMOVAL))
    ]


def _problems(work: Chunk, between: Any) -> None:
    """Numbers of ours whose record could not be read: code 500, everything else as it was."""
    rows = list(between.exclude(problem=""))
    for row in rows:
        work.outcome("unreadable", row, ItemState.FAILED, row.problem)
    keys = [row.e164 for row in rows]
    PhoneNumber.objects.filter(e164__in=keys).update(aslv_code=500, asticks=scope.ticks(work.task))


def _differing(work: Chunk, low: str, high: str) -> None:
    """Numbers that both have and that differ in some column, or whose status has to move."""
    pks = _differing_pks(work, low, high)
    locked = list(PhoneNumber.objects.select_for_update().filter(pk__in=pks))
    numbers = scope.idle(work.task, locked)
    work.busy += {number.e164 for number in locked} - {number.e164 for number in numbers}
    rows = StagedNumber.objects.filter(task=work.task, e164__gt=low, e164__lte=high, problem="")
    staged = {row.e164: row for row in rows} if numbers else {}
    for number in numbers:
        row = staged[number.e164]
        if row.customer_id != number.customer_id:
            _conflict(work, number, row)
        else:
            _update(work, number, row)


def _update(work: Chunk, number: PhoneNumber, row: StagedNumber) -> None:
    before, after = _difference(number, row)
    status, move = Status(number.status), _move(work.task, number, row)
    if number.removal_cleared_at and _status(row) == Status.ACTIVE:  # the removal that was cleared is over
        before["removal_cleared_at"], after["removal_cleared_at"] = number.removal_cleared_at, None
    if move is None and not after:
        return  # the same set in another order, or a release that is younger than the list
    if after:
        _copy(row, number)
        number.removal_cleared_at = after.get("removal_cleared_at", number.removal_cleared_at)
        number.modified_at = timezone.now()
        if "assignment_status" in after:
            number.aslsct = number.modified_at
        work.changed.append(number)
    code = "completed" if after.keys() <= DETAILS and not any(before.values()) else "changed"
    if "removal_cleared_at" in after:
        code = "restored"
    if move is not None:
        code = move.code
        work.moves[status, move].append(number.pk)
        before, after = before | {"status": status.name}, after | {"status": move.target.name}
    message = str(move.reason) if move is not None else ""
    work.outcome(code, number, ItemState.SUCCEEDED, message, before=_plain(before), after=_plain(after))
    work.history(code, number, before, after, message)


def _move(task: Task, number: PhoneNumber, row: StagedNumber) -> Move | None:
    """The move that Microsoft's status asks for, None where there is none."""
    pair = (Status(number.status), _status(row))
    if pair == REMOVAL and number.removal_cleared_at:
        return None
    if pair == NOT_RELEASED and number.status_changed_at >= scope.began(task):
        return None
    return MOVES.get(pair)


def _conflict(work: Chunk, number: PhoneNumber, row: StagedNumber) -> None:
    """Never overwritten: whose number it is, is a question for people (upstreams.md §8).

    Who the other one is, is not told: whoever sees the number here need not be one who may know. The drift report tells
    it to those who may.
    """
    message = _(
        "Here it belongs to %(ours)s, at Microsoft to another customer. Nothing was changed. The drift report says to "
        "whom, as far as you may see that customer."
    )
    message %= {"ours": Customer.objects.values_list("full_name", flat=True).get(pk=number.customer_id)}
    work.outcome("ownership_conflict", number, ItemState.REFUSED, message, microsoft_customer=row.customer_id)


def _write(run: Run, work: Chunk) -> None:
    """Everything the chunk found, set-based: changed rows, moves, history, outcomes, totals."""
    columns = {*SCALARS, *SETS, "aslsct", "modified_at", "removal_cleared_at"}
    fields = [field.name for field in PhoneNumber._meta.concrete_fields if field.attname in columns]
    PhoneNumber.objects.bulk_create(work.changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
    move_statuses(work)
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


def _differing_pks(work: Chunk, low: str, high: str) -> list[int]:
    """Ids of the numbers in (low, high] that differ from their staged row, by one join.

    Statuses are named explicitly so that the database need not know the table of moves.
    """
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    columns = " OR ".join(f"n.{name} {distinct} s.{name}" for name in ("customer_id", *SCALARS, *SETS))
    theirs = "COALESCE(s.upstream_status, 0)"
    moves = " OR ".join(f"(n.status = %s AND {theirs} = %s)" for _pair in MOVES)
    over = f"n.removal_cleared_at IS NOT NULL AND {theirs} = {Status.ACTIVE.value}"
    kept = f"n.removal_cleared_at IS NOT NULL AND {theirs} = {Status.MARKED_FOR_REMOVAL.value}"
    sql = f"""
        SELECT n.id FROM {StagedNumber._meta.db_table} s
        JOIN {PhoneNumber._meta.db_table} n ON n.e164 = s.e164
        WHERE s.task_id = %s AND s.problem = '' AND s.e164 > %s AND s.e164 <= %s
        AND ({columns} OR ({over}) OR (({moves}) AND NOT ({kept})))
    """
    if work.aside:
        sql += f"AND s.e164 NOT IN ({', '.join(['%s'] * len(work.aside))})"
    values = [int(status) for pair in MOVES for status in pair]
    with connection.cursor() as cursor:
        cursor.execute(sql, [work.task.pk, low, high, *values, *work.aside])
        return [row[0] for row in cursor.fetchall()]
