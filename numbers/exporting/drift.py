"""The drift report as CSV: exactly what the list shows, in its order."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from ocadmin.access.principal import Principal
from ocadmin.console.spreadsheet import harmless

from .. import drift_words
from ..models import DriftFinding, Kind, Severity
from . import csv_file

HEADER = (
    "Number",
    "Kind",
    "Severity",
    "Customer",
    "SBC",
    "Database",
    "Microsoft",
    "Rule on the SBC",
    "Should be",
    "First found",
    "Judged anew",
)
PIECE = 2000


def stream(rows: QuerySet[DriftFinding], principal: Principal) -> Iterator[bytes]:
    """The file, piece by piece. The words of kinds and headers do not change with the language."""
    yield csv_file.BOM + csv_file.lines([HEADER])
    found = rows.select_related("customer", "sbc").iterator(chunk_size=PIECE)
    while piece := list(islice(found, PIECE)):
        names = drift_words.owners(piece, principal)
        yield csv_file.lines([_cells(finding, names) for finding in piece])


def _cells(finding: DriftFinding, names: dict[int, str]) -> list[Any]:
    texts = (
        finding.customer.full_name if finding.customer else "",
        finding.sbc.name if finding.sbc else "",
        drift_words.database(finding),
        drift_words.microsoft(finding, names),
        drift_words.device(finding),
        drift_words.expected(finding),
    )
    return [
        finding.e164,
        Kind(finding.kind).value,
        Severity(finding.severity).name.lower(),
        *map(harmless, texts),
        finding.since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "no" if finding.stale else "yes",
    ]
