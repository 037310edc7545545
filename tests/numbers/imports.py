"""Files for tests of the import, and what a person does with one."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ocadmin.access.models import User
from ocadmin.access.services import principal_of
from ocadmin.numbers import importing
from ocadmin.numbers.models import ImportRow, Mode, NumberImport, RowOutcome
from ocadmin.numbers.operations.imports import start_check, start_import
from ocadmin.tasks.models import Task
from tests.numbers import passes


def sheet(headers: Sequence[str], *rows: Sequence[Any]) -> bytes:
    """A CSV file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headers)
    writer.writerows(rows)
    return text.getvalue().encode()


def keep(
    content: bytes, user: User, *, mode: str = Mode.UPSERT, name: str = "numbers.csv", **fields: Any
) -> NumberImport:
    """The file as if uploaded; `fields`: mapping, defaults."""
    batch = importing.keep(SimpleUploadedFile(name, content), mode=mode, user=user)
    for field, value in fields.items():
        setattr(batch, field, value)
    batch.save()
    return batch


def checked(content: bytes, user: User, **more: Any) -> NumberImport:
    """The same, and checked to the end."""
    batch = keep(content, user, **more)
    task = start_check(batch, by=principal_of(user), channel="csv")
    passes.finish(task)
    batch.refresh_from_db()
    return batch


def outcomes(batch: NumberImport) -> dict[str, str]:
    """Number, or the text that is none, to what would become of it."""
    return {row.e164 or row.text: RowOutcome(row.outcome).name.lower() for row in batch.rows.order_by("pk")}


def codes(row: ImportRow) -> list[str]:
    """Column:code of everything that is wrong with a row."""
    return [f"{column}:{code}" for column, _value, code, _sentence in row.problems]


def confirmed(batch: NumberImport, user: User, *, whole: bool = False, ticket: str = "", comment: str = "") -> Task:
    """Imported to the end, with the tasks it led."""
    task = start_import(batch, whole=whole, by=principal_of(user), channel="csv", ticket=ticket, comment=comment)
    return run(task)


def run(task: Task) -> Task:
    """What the workers do: this task and those that it leads."""
    for _round in range(50):
        task.refresh_from_db()
        if not task.alive:
            return task
        for child in Task.objects.alive().exclude(pk=task.pk):
            passes.finish(child)
        passes.advance(task)
    raise AssertionError(f"{task} does not end: {task.state} {task.message}")


def upload(client: Client, content: bytes, *, mode: str = Mode.UPSERT, name: str = "numbers.csv") -> Any:
    """The form, filled in and sent."""
    file = SimpleUploadedFile(name, content)
    return client.post("/numbers/import/", {"import_file": file, "mode": mode})
