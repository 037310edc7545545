"""What only all rows of a file together tell: numbers that are named twice, and what the database judges by sets."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal
from ocadmin.tasks.run import Run

from ... import setwise
from ...models import ImportRow, Mode, NumberImport, PhoneNumber, RowOutcome
from ..capabilities import Capabilities
from ..plan import WILL
from .shapes import TEAMS
from .wishes import Problem

MOST_REASONS = 30
MOST_LINES = 20
REPEATED_AT_ONCE = 1000
_SAME = ("customer_ref", "place", "ticket", "wish", "changes", "problems")


def judge(batch: NumberImport, by: Principal) -> None:
    """Inside a transaction, once all rows are written and the repeated ones refused."""
    if batch.mode == Mode.COMPARE:
        if batch.shape == TEAMS.code:
            _only_here(batch, by)
        return
    _capabilities(batch, by)


def refuse_repeated(run: Run, batch: NumberImport) -> bool:
    """The next numbers that several rows name; False where none is left.

    A number counts once. Where its rows say different things nobody knows which counts, so none does.
    """
    with run.commit():
        counted = batch.rows.filter(e164__gt=run.cursor.get("compared", "")).order_by("e164").values_list("e164")
        several = counted.annotate(n=Count("pk")).filter(n__gt=1).values_list("e164", flat=True)
        numbers = list(several[:REPEATED_AT_ONCE])
        if not numbers:
            return False
        groups: dict[str, list[ImportRow]] = defaultdict(list)
        for row in batch.rows.filter(e164__among=frozenset(numbers)).order_by("pk"):
            groups[row.e164].append(row)
        _refuse([pair for rows in groups.values() for pair in _repeated(rows)])
        run.cursor["compared"] = numbers[-1]
        run.task.step = _("Checking: looking at numbers that are named twice")
    return True


def _repeated(rows: list[ImportRow]) -> Iterator[tuple[ImportRow, Problem]]:
    """What is wrong with some of the rows that name the same number."""
    first = rows[0]
    if all(_alike(first, row) for row in rows):
        sentence = _("Line %d names the same number already. Remove one of the two lines.") % first.line
        yield from ((row, Problem("telephoneNumber", row.text, "duplicate_row", sentence)) for row in rows[1:])
        return
    lines = _named(rows)
    sentence = _("Lines %s name this number and say different things about it. Keep one of them.") % lines
    code = "contradictory"
    if len({row.customer_ref for row in rows}) > 1:
        sentence = _("Lines %s give this number to different customers. Keep one of them.") % lines
        code = "two_customers"
    yield from ((row, Problem("telephoneNumber", row.text, code, sentence)) for row in rows)


def _named(rows: list[ImportRow]) -> str:
    """The first lines of some rows."""
    lines = [str(line) for line in dict.fromkeys(row.line for row in rows)]
    return ", ".join(lines[:MOST_LINES]) + (" …" if len(lines) > MOST_LINES else "")


def _alike(one: ImportRow, other: ImportRow) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)


def _refuse(pairs: Iterable[tuple[ImportRow, Problem]]) -> None:
    rows = []
    for row, problem in pairs:
        row.outcome = RowOutcome.REFUSED
        row.problems = [*row.problems, problem.as_list()]
        rows.append(row)
    ImportRow.objects.bulk_update(rows, ["outcome", "problems"], batch_size=500)


def _capabilities(batch: NumberImport, by: Principal) -> None:
    """The same verdicts as of the action, one query for all numbers with the same change."""
    operation = Capabilities()
    changed = batch.rows.filter(outcome=RowOutcome.CHANGED, wish__has_key="capabilities").order_by()
    for change in _different(changed):
        rows = changed
        for name in ("add", "remove"):
            wanted = Q(**{f"wish__capabilities__{name}": change.get(name)})
            rows = rows.filter(wanted if name in change else ~Q(wish__capabilities__has_key=name))
        params = {"add": change.get("add", []), "remove": change.get("remove", [])}
        numbers = PhoneNumber.objects.filter(e164__in=rows.values("e164"))
        judged = operation.judged(numbers, params, by).exclude(verdict=WILL)
        sentences = {one.code: str(one.sentence) for one in operation.with_general(operation.verdicts(params), by)}
        codes: dict[str, list[str]] = defaultdict(list)
        for e164, code in judged.values_list("e164", "verdict"):
            codes[code].append(e164)
        for code, found in codes.items():
            problem = Problem("capabilities", "", code, sentences[code])
            _refuse((row, problem) for some in _pieces(found) for row in rows.filter(e164__in=some))


def _different(changed: QuerySet[ImportRow]) -> list[dict[str, list[str]]]:
    """The different changes of capabilities that a file asks for: few, because few can be chosen."""
    found = {json.dumps(change): change for change in changed.values_list("wish__capabilities", flat=True).distinct()}
    return list(found.values())


def _pieces(numbers: list[str]) -> Iterator[list[str]]:
    return (numbers[start : start + 1000] for start in range(0, len(numbers), 1000))


def _only_here(batch: NumberImport, by: Principal) -> None:
    """Numbers of the same customers that the file does not name."""
    customers = batch.rows.exclude(customer_ref=None).order_by().values("customer_ref").distinct()
    named = ImportRow.objects.filter(batch=batch, e164=OuterRef("e164"))
    visible = PhoneNumber.objects.visible_to(by)
    missing = visible.filter(customer__in=customers.values("customer_ref")).filter(~Exists(named))
    setwise.insert(
        ImportRow,
        missing,
        batch_id=batch.pk,
        line=0,
        e164=F("e164"),
        text=Value(""),
        outcome=RowOutcome.ONLY_HERE.value,
        customer_ref=F("customer_id"),
        channel_ref=F("customer__channel_id"),
        place=None,
        ticket="",
        wish={},
        changes={},
        problems=[],
    )


def reasons(batch: NumberImport) -> list[list[Any]]:
    """Why rows are refused, the commonest first: column, code, one sentence of that kind, how many."""
    counted: Counter[tuple[str, str]] = Counter()
    sentences: dict[tuple[str, str], str] = {}
    refused = batch.rows.filter(outcome=RowOutcome.REFUSED).order_by().values_list("problems", flat=True)
    for problems in refused.iterator(chunk_size=5000):
        for column, _value, code, sentence in problems:
            counted[column, code] += 1
            sentences.setdefault((column, code), sentence)
    return [[*kind, sentences[kind], count] for kind, count in counted.most_common(MOST_REASONS)]
