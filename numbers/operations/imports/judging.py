"""Rows of a file, some thousand at a time: what would become of each number, as rows of the database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks.models import ITEM_ALIVE, TaskItem

from ...models import Mode, NumberImport, RowOutcome
from ..upload.judging import Ours
from .comparing import compare, differing, of_other_kind
from .known_rows import Here, KnownRows, existing, reaches
from .lines import Candidate, Lines, numbers_in
from .new_rows import NewRows
from .references import References
from .staging import Groups, Row
from .wishes import CLEARED, Problem, Wish

PIECE = 5000
# The beginning of a remark: the rest is the column.
NOT_CHANGED, FILLED = "not_changed:", "filled:"


class Judging:
    """The judgement of one file for one person."""

    def __init__(self, batch: NumberImport, by: Principal) -> None:
        self.batch = batch
        self.mode = Mode(batch.mode)
        self.references = References(by)
        self.lines = Lines(batch, self.references)
        self.scope = by.scope(Permission.VIEW)
        self.new = NewRows(by)
        self.known = KnownRows(by, self.references)
        self.groups = Groups(batch)
        self.remarks: Counter[str] = Counter()

    def pieces(self, lines: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[Row]]]:
        """How many of the lines, and their rows: one for each number, and one for each line without a number.

        A piece ends where it has PIECE numbers, so that a file full of ranges takes no more memory than another one.
        While one is made no transaction is open.
        """
        piece: list[Candidate] = []
        size = 0
        for candidate in self.lines.read(lines):
            piece.append(candidate)
            size += len(candidate.numbers)
            if size >= PIECE:
                yield len(piece), self._rows(piece)
                piece, size = [], 0
        if piece:
            yield len(piece), self._rows(piece)

    def _rows(self, candidates: list[Candidate]) -> list[Row]:
        ours = existing(numbers_in(candidates))
        here = {e164: number for e164, number in ours.items() if reaches(self.scope, number)}
        if self.mode == Mode.COMPARE:
            return [row for candidate in candidates for row in self._compared(candidate, here)]
        busy = _busy(here)
        hidden = {e164: (one.customer_id, one.status) for e164, one in ours.items() if e164 not in here}
        fresh = self._judge_new(candidates, here, hidden)
        found = []
        for candidate in candidates:
            self._remark(candidate)
            if not candidate.numbers:
                found.append(self._row(candidate, "", RowOutcome.REFUSED, problems=candidate.problems))
            for e164 in candidate.numbers:
                found.append(self._judged(candidate, e164, here.get(e164), fresh, e164 in busy))
        return found

    def _judge_new(self, candidates: list[Candidate], here: dict[str, Here], hidden: Ours) -> dict[str, Any]:
        if self.mode == Mode.UPDATE:
            return {}
        rows = {
            e164: candidate.wish
            for candidate in candidates
            if not candidate.problems
            for e164 in candidate.numbers
            if e164 not in here
        }
        self.new.learn({id(wish): wish for wish in rows.values()}.values())
        return self.new.judge(rows, hidden)

    def _judged(self, candidate: Candidate, e164: str, here: Here | None, fresh: dict[str, Any], busy: bool) -> Row:
        if candidate.problems:
            return self._row(candidate, e164, RowOutcome.REFUSED, here=here, problems=candidate.problems)
        if here is None:
            return self._new(candidate, e164, fresh)
        if self.mode == Mode.CREATE:
            sentence = _("It is here already, and this import only adds numbers.")
            problem = Problem("telephoneNumber", e164, "exists", sentence)
            return self._row(candidate, e164, RowOutcome.REFUSED, here=here, problems=[problem])
        for column in differing(candidate.told, here) if candidate.told else ():
            self.remarks[f"{NOT_CHANGED}{column}"] += 1
        wish = candidate.wish.of_known or candidate.wish
        verdict = self.known.judge(wish, candidate.note, candidate.tags, here, busy=busy)
        if not verdict.problems:
            for column in wish.filled & verdict.changes.keys():
                self.remarks[f"{FILLED}{column}"] += 1
            self.remarks.update(verdict.cautions)
        return self._row(
            candidate,
            e164,
            verdict.outcome,
            here=here,
            wish=verdict.wish,
            changes=verdict.changes,
            problems=verdict.problems,
        )

    def _new(self, candidate: Candidate, e164: str, fresh: dict[str, Any]) -> Row:
        if self.mode == Mode.UPDATE:
            sentence = _("There is no such number among those you may see, and this import only updates numbers.")
            problem = Problem("telephoneNumber", candidate.text, "unknown", sentence)
            return self._row(candidate, e164, RowOutcome.REFUSED, problems=[problem])
        settings, problems = fresh[e164]
        if problems:
            return self._row(candidate, e164, RowOutcome.REFUSED, problems=problems)
        # Notes and tags of a new number are written when it has arrived.
        given = {"note": candidate.note, "tags": candidate.tags}
        kept = {name: _plain(value) for name, value in given.items() if value and value is not CLEARED}
        wish = {"annotate": kept} if kept else {}
        return self._row(candidate, e164, RowOutcome.NEW, place=self.groups.place(settings), wish=wish)

    def _compared(self, candidate: Candidate, here: dict[str, Here]) -> list[Row]:
        if not candidate.numbers and of_other_kind(candidate):  # such as “+44…;ext=12” of Direct Routing
            self.remarks["other_kind"] += 1
            return []
        if not candidate.numbers:
            return [self._row(candidate, "", RowOutcome.REFUSED, problems=candidate.problems)]
        found = []
        for e164 in candidate.numbers:
            number = here.get(e164)
            compared = compare(candidate, number, self.lines.at)
            if compared is None:
                self.remarks["other_kind"] += 1
            else:
                found.append(self._row(candidate, e164, compared[0], here=number, changes=compared[1]))
        return found

    def _row(
        self,
        candidate: Candidate,
        e164: str,
        outcome: RowOutcome,
        *,
        here: Here | None = None,
        place: int | None = None,
        wish: dict[str, Any] | None = None,
        changes: dict[str, Any] | None = None,
        problems: Iterable[Problem] = (),
    ) -> Row:
        customer, channel = self._whose(candidate.wish, here)
        return (
            self.batch.pk,
            candidate.line,
            e164,
            candidate.text[:60],
            outcome.value,
            customer,
            channel,
            place,
            candidate.wish.ticket,
            wish or {},
            changes or {},
            [problem.as_list() for problem in problems],
        )

    def _whose(self, wish: Wish, here: Here | None) -> tuple[int | None, int | None]:
        """As the row says, else whose the number is."""
        if wish.customer is not None:
            return wish.customer, self.references.customers[wish.customer].channel_id
        return (here.customer_id, here.customer__channel_id) if here is not None else (None, None)

    def _remark(self, candidate: Candidate) -> None:
        """What a spreadsheet has done to numbers and could be put right without a doubt."""
        if candidate.assumed and not candidate.problems:
            self.remarks["plus_added"] += 1
        if candidate.blanks:
            self.remarks["blanks"] += 1


def _busy(here: dict[str, Here]) -> set[str]:
    """Those that another operation has taken."""
    alive = TaskItem.objects.filter(key__among=frozenset(here), state__in=sorted(ITEM_ALIVE))
    return set(alive.values_list("key", flat=True)) if here else set()


def _plain(value: Any) -> Any:
    """A note or tags as JSON."""
    return list(value) if isinstance(value, tuple) else value
