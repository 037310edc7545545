"""Preparing an export in the background: lines into a part file, chunk by chunk; a workbook is made of them at the end.

The part file and the place in it are saved together: what a worker wrote beyond that place before it died is cut off.
"""

import csv
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import NOBODY, Principal
from ocadmin.access.services import principal_of
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed
from ocadmin.tasks.remedies import Remedy
from ocadmin.tasks.run import Run

from ..exporting import columns, csv_file, prepared, rows, workbook
from ..models import PhoneNumber, ReleasedNumber

CHUNK = 5000
PULSE_SECONDS = 2.0  # between two signs of life while a workbook is made


def start(export: rows.Export, *, tab: str, suffix: str, name: str, by: Principal, channel: str) -> Task:
    """Write down which rows are meant, and start the task. `suffix`: csv or xlsx; `name`: what the file is called."""
    files = prepared.Prepared(str(uuid.uuid4()), suffix)
    count = files.keep_keys(export.keys())
    title = ngettext("Export of %(count)d number, %(kind)s", "Export of %(count)d numbers, %(kind)s", count)
    try:
        return services.start(
            Export.kind,
            title=title % {"count": count, "kind": suffix.upper()},
            by=by,
            channel=channel,
            uid=files.uid,
            total=count,
            params={
                "tab": tab,
                "suffix": suffix,
                "name": name,
                "columns": export.header,
                "scope": prepared.noted(by.scope(Permission.EXPORT)),
            },
        )
    except Exception:
        files.forget()
        raise


class Export:
    """What the task engine runs for tasks of the kind `export`."""

    kind = "export"
    label = gettext_lazy("Export")
    permission = Permission.EXPORT

    def step(self, run: Run) -> Outcome:
        """The next chunk of lines, or the end."""
        export = _export(run.task)
        if run.cursor.get("position", 0) < (run.task.total or 0) or "size" not in run.cursor:
            return _write_lines(run, export)
        return _make_workbook(run) if run.task.params["suffix"] == "xlsx" else _finish(run)

    def cancel(self, run: Run) -> Finished:
        """Nothing is kept."""
        _files(run.task).forget()
        words = _("Stopped: %(done)d of %(total)d rows were written. The unfinished file was deleted.")
        return Finished(TaskState.CANCELLED, words % {"done": run.task.done, "total": run.task.total or 0})

    def give_up(self, run: Run, message: str, code: str) -> None:
        """No half of a file stays."""
        _files(run.task).forget()

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The same; it never comes to that, because no row fails by itself."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """None."""
        return []

    def retried(self, task: Task) -> None:
        """An export takes no numbers."""


def download(task: Task, principal: Principal) -> Remedy | None:
    """The file, for the person who asked for it; or that it has been deleted."""
    if task.state != TaskState.SUCCEEDED or principal.user_id is None or task.actor_id != principal.user_id:
        return None
    until = _files(task).until
    if until is None:
        return Remedy(label="", url="", note=_("The file was deleted, because its time was over. Export again."))
    note = _("Only you can download it, until %s.") % date_format(timezone.localtime(until), "j M Y, H:i")
    url = reverse("numbers:export-download", args=[task.pk])
    return Remedy(label=gettext_lazy("Download the file"), url=url, icon="download", link=True, note=note)


def _files(task: Task) -> prepared.Prepared:
    return prepared.Prepared(str(task.uid), task.params["suffix"])


def _export(task: Task) -> rows.Export:
    """The rows that the person may export now. Raises TaskFailed where they may export nothing any more."""
    principal = principal_of(task.actor) if task.actor else NOBODY
    if not principal.can(Permission.EXPORT):
        raise TaskFailed(_("The person who asked for this export may not export any more."), "not_permitted")
    tab = task.params["tab"]
    found: QuerySet[Any] = (
        ReleasedNumber.objects.visible_to(principal, Permission.EXPORT)
        if tab == "released"
        else PhoneNumber.objects.visible_to(principal, Permission.EXPORT)
    )
    return rows.Export(found, columns.named(tab, task.params["columns"]))


def _write_lines(run: Run, export: rows.Export) -> Outcome:
    """Read a chunk, then save its lines and the place behind them. A workbook's lines are not guarded."""
    files = _files(run.task)
    position, size = run.cursor.get("position", 0), run.cursor.get("size", 0)
    guarded = run.task.params["suffix"] == "csv"
    try:
        keys = files.read_keys(position, CHUNK)
    except FileNotFoundError:
        raise _expired() from None
    found = export.of_keys(keys, guarded=guarded)
    lines = csv_file.lines(found)
    if not size:
        lines = (csv_file.BOM if guarded else b"") + csv_file.lines([export.header]) + lines
    with run.commit():  # holds the task's row: nobody else writes the file meanwhile
        with files.part.open("r+b" if size else "wb") as file:
            file.truncate(size)
            file.seek(size)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        run.cursor |= {"position": position + len(keys), "size": size + len(lines)}
        run.task.step = _("Writing rows")
        run.count(ItemState.SUCCEEDED, len(found))
        run.count(ItemState.REFUSED, len(keys) - len(found))
    return Continue()


def _expired() -> TaskFailed:
    return TaskFailed(_("The files of this export were deleted before it was done. Export again."), "expired")


def _make_workbook(run: Run) -> Outcome:
    """In one go, with signs of life, because a workbook cannot be continued; a worker that dies begins it anew."""
    files = _files(run.task)
    fresh = files.file.with_suffix(f".{uuid.uuid4().hex[:8]}.part")
    csv.field_size_limit(workbook.LONGEST * 100)  # a note may be longer than a cell
    try:
        with files.part.open(encoding="utf-8", newline="") as part:
            lines = csv.reader(part)
            workbook.write(next(lines), _with_pulse(run, lines), str(fresh))
        if run.cancelling:
            return Export().cancel(run)
        with run.commit():
            fresh.replace(files.file)
    finally:
        fresh.unlink(missing_ok=True)
    return _end(run)


def _with_pulse(run: Run, lines: Iterator[list[str]]) -> Iterator[list[str]]:
    """The lines; every few seconds the task is told that we live, and asked whether it is cancelled."""
    due = time.monotonic() + PULSE_SECONDS
    for place, line in enumerate(lines):
        if place % 500 == 0 and time.monotonic() >= due:
            with run.commit():
                words = {"done": place, "total": run.task.succeeded}
                run.task.step = _("Making the workbook: %(done)d of %(total)d rows") % words
            if run.cancelling:
                return
            due = time.monotonic() + PULSE_SECONDS
        yield line


def _finish(run: Run) -> Outcome:
    files = _files(run.task)
    if not files.part.exists() and not files.file.exists():
        raise _expired()
    with run.commit():
        if files.part.exists():  # a worker may have died right after the next line
            files.part.replace(files.file)
    return _end(run)


def _end(run: Run) -> Finished:
    """What is told. Rows that have left since the person asked are not in the file."""
    task = run.task
    _files(task).forget(file=False)
    words = ngettext("The file with %(count)d row is ready.", "The file with %(count)d rows is ready.", task.succeeded)
    message = words % {"count": task.succeeded}
    if task.refused:
        left = ngettext(
            "%(count)d number had left in the meantime and is not in it.",
            "%(count)d numbers had left in the meantime and are not in it.",
            task.refused,
        )
        message = f"{message} {left % {'count': task.refused}}"
    return Finished(TaskState.SUCCEEDED, message, {"file": task.params["name"], "columns": len(task.params["columns"])})
