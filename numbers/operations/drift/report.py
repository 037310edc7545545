"""Writing a report: the findings of one range of numbers, those that are kept from the report before, the counts."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q

from sbc import services
from sbc.models import SBC

from ...models import SEVERITY, DriftFinding, DriftRun, Kind
from .suspects import Range
from .table import Case, Finding, View, judge

CHUNK = 5000

Key = tuple[str, str, int | None]  # number, kind, SBC


class First(NamedTuple):
    """When a finding was first made."""

    run: int
    at: datetime.datetime


def write(run: DriftRun, within: Range, cases: Sequence[Case], view: View, before: DriftRun | None) -> None:
    """Add the findings of these cases to the report, and those of the range that cannot be judged anew.

    Inside a transaction; the numbers of the range must not be in the report yet.
    """
    old = _old(within, before)
    left_out: Counter[str] = Counter(run.left_out)
    rows: list[DriftFinding] = []
    unjudged: set[str] = set()
    wanting: dict[int, list[str]] = defaultdict(list)
    for case in cases:
        verdict = judge(case, view)
        if isinstance(verdict, str):
            left_out[verdict] += 1
            unjudged.add(case.e164)
            continue
        for finding in verdict:
            rows.append(_row(run, case.e164, finding, old))
            if finding.kind in (Kind.NO_ROUTING, Kind.WRONG_TAG, Kind.DOUBLED_RULE) and finding.sbc_id:
                wanting[finding.sbc_id].append(case.e164)
    if before is not None:
        rows += _kept(run, within, before, unjudged, view)
    DriftFinding.objects.bulk_create(rows, batch_size=CHUNK if connection.vendor == "postgresql" else 500)
    _tell_rules(run, wanting)
    DriftRun.objects.filter(pk=run.pk).update(left_out=dict(left_out))


def _row(run: DriftRun, e164: str, finding: Finding, old: Mapping[Key, First]) -> DriftFinding:
    first = old.get((e164, finding.kind, finding.sbc_id), First(run.pk, run.began_at))
    return DriftFinding(
        run=run,
        e164=e164,
        kind=finding.kind,
        severity=SEVERITY[finding.kind],
        customer_id=finding.customer_id,
        sbc_id=finding.sbc_id,
        since=first.at,
        first_run=first.run,
        in_database=finding.in_database,
        at_microsoft=finding.at_microsoft,
        on_sbc=finding.on_sbc,
        details=finding.details,
    )


def _old(within: Range, before: DriftRun | None) -> dict[Key, First]:
    """When the findings of the report before were first made."""
    if before is None:
        return {}
    rows = DriftFinding.objects.filter(within.of("e164"), run=before).order_by()
    columns = ("e164", "kind", "sbc_id", "first_run", "since")
    return {row[:3]: First(*row[3:]) for row in rows.values_list(*columns)}


def _kept(run: DriftRun, within: Range, before: DriftRun, unjudged: set[str], view: View) -> list[DriftFinding]:
    """Findings of the report before about numbers and SBCs of which nothing was concluded this time."""
    unread = Q(sbc__isnull=False) & ~Q(sbc__in=view.judged)
    rows = DriftFinding.objects.filter(unread | Q(e164__among=frozenset(unjudged)), within.of("e164"), run=before)
    kept = list(rows.order_by())
    for row in kept:
        row.pk, row.run, row.stale = None, run, True
    return kept


def _tell_rules(run: DriftRun, wanting: Mapping[int, Sequence[str]]) -> None:
    """What is not there as it should be is no longer noted as present: whoever pushes next puts it right."""
    for sbc in SBC.objects.filter(pk__in=wanting):
        at = datetime.datetime.fromisoformat(run.sources[str(sbc.pk)]["read_at"])
        services.missing(sbc, wanting[sbc.pk], at=at)


def complete(run: DriftRun, before: DriftRun | None, at: datetime.datetime) -> None:
    """Make it the report that people see. Inside a transaction; what went before is deleted afterwards."""
    findings = DriftFinding.objects.filter(run=run)
    run.total = findings.count()
    run.new = findings.filter(first_run=run.pk).count()
    known = DriftFinding.objects.filter(run=before).count() if before else 0
    run.gone = max(known - (run.total - run.new), 0)
    run.finished_at, run.complete = at, True
    run.save(update_fields=["total", "new", "gone", "finished_at", "complete"])


def forget(keep: DriftRun) -> bool:
    """Delete a part of the reports that count no more. Returns whether there is more to delete."""
    others = DriftRun.objects.exclude(pk=keep.pk)
    rows = DriftFinding.objects.filter(run__in=others)
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[: 4 * CHUNK])
    if pks:
        rows.filter(pk__lte=pks[-1])._raw_delete(rows.db)
        return True
    others.delete()
    return False


def counts(run: DriftRun) -> dict[Kind, int]:
    """How many findings of each kind, in the order of the kinds."""
    rows = DriftFinding.objects.filter(run=run).order_by().values_list("kind").annotate(n=Count("pk"))
    found = dict(rows.values_list("kind", "n"))
    return {kind: found[kind] for kind in Kind if kind in found}
