"""What the interface says of an import: the file, and each of its rows."""

import datetime
import uuid
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from .. import importing
from ..models import ImportRow, ImportState, Mode, NumberImport, RowOutcome

OUTCOMES = {outcome: outcome.name.lower() for outcome in RowOutcome}
OutcomeWord = Annotated[str, Field(pattern=f"^({'|'.join(OUTCOMES.values())})$")]


class ColumnRecord(Schema):
    """A header of the file and what it is; "" for a column that is left out, null where somebody has to say."""

    header: str
    column: str | None


class ReasonRecord(Schema):
    """Why rows are refused, and how many."""

    column: str
    code: str
    message: str
    count: int


class ImportRecord(Schema):
    """An uploaded file. `counts`: rows by outcome, once it is checked. It is forgotten after `keptUntil`."""

    id: uuid.UUID
    fileName: str
    size: int
    state: ImportState
    mode: Mode
    columns: list[ColumnRecord]
    defaults: dict[str, str]
    counts: dict[str, int]
    reasons: list[ReasonRecord]
    notes: list[str]
    problem: str
    checkTaskId: int | None
    taskId: int | None
    createdAt: datetime.datetime
    checkedAt: datetime.datetime | None
    keptUntil: datetime.datetime


class RowProblem(Schema):
    """What is wrong with a cell; "" where it is about the whole row."""

    column: str
    value: str
    code: str
    message: str


class RowChange(Schema):
    """A cell that would change."""

    column: str
    now: Any
    then: Any


class RowRecord(Schema):
    """What one number of the file would become."""

    id: int
    line: int
    telephoneNumber: str | None
    text: str
    outcome: OutcomeWord
    changes: list[RowChange]
    problems: list[RowProblem]


def of_import(batch: NumberImport) -> dict[str, Any]:
    """An import, for orjson."""
    headers = batch.sheet["headers"]
    return {
        "id": batch.pk,
        "fileName": batch.file_name,
        "size": batch.size,
        "state": batch.state,
        "mode": batch.mode,
        "columns": [
            {"header": header, "column": column} for header, column in zip(headers, batch.mapping, strict=True)
        ],
        "defaults": batch.defaults,
        "counts": batch.counts,
        "reasons": [
            {"column": column, "code": code, "message": message, "count": count}
            for column, code, message, count in batch.reasons
        ],
        "notes": list(batch.notes.values()),
        "problem": batch.problem,
        "checkTaskId": batch.check_ref,
        "taskId": batch.task_ref,
        "createdAt": batch.created_at,
        "checkedAt": batch.checked_at,
        "keptUntil": importing.until(batch),
    }


def of_row(row: ImportRow) -> dict[str, Any]:
    """A row of an import, for orjson."""
    return {
        "id": row.pk,
        "line": row.line,
        "telephoneNumber": row.e164 or None,
        "text": row.text,
        "outcome": OUTCOMES[RowOutcome(row.outcome)],
        "changes": [{"column": name, "now": now, "then": then} for name, (now, then) in row.changes.items()],
        "problems": [
            {"column": column, "value": value, "code": code, "message": message}
            for column, value, code, message in row.problems
        ],
    }
