"""Check a file: every line is read and judged, nothing is changed. The result is the preview of the import.

The rows of a chunk are saved together with how far the file has been read, so that a check that is cut off anywhere
goes on behind the last chunk.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.models import User
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import SYSTEM, Principal
from ocadmin.access.services import principal_of
from ocadmin.console import sheets
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed
from ocadmin.tasks.remedies import Remedy
from ocadmin.tasks.run import Run

from ...models import ImportState, NumberImport, RowOutcome
from ...models.number_import import NumberImportQuerySet
from . import afterwards, staging
from .judging import FILLED, NOT_CHANGED, Judging
from .known_rows import CAUTIONS

CHECK = "import-check"
CHUNK = 5000  # lines
MOST_TICKETS = 1000
REMARKS = {
    "plus_added": gettext_lazy("The plus was missing and has been added: a spreadsheet takes it away."),
    "blanks": gettext_lazy("There were blanks before or behind the number; they were left out."),
    "other_kind": gettext_lazy("Numbers of another kind, such as Direct Routing, were left out."),
}


def start_check(batch: NumberImport, *, by: Principal, channel: str) -> Task:
    """Begin to check a file with its mapping and mode; what an earlier check has found is forgotten."""
    batch.rows.all()._raw_delete(batch.rows.db)
    batch.groups.all().delete()
    title = _("Check of %s") % batch.file_name
    task = services.start(CHECK, title=title[:200], by=by, channel=channel, params={"import": str(batch.pk)})
    batch.state, batch.check_ref, batch.task_ref, batch.problem = ImportState.CHECKING, task.pk, None, ""
    batch.counts, batch.notes, batch.reasons = {}, {}, []
    batch.save()
    return task


def author(batch: NumberImport) -> Principal:
    """In whose name a file is judged and imported, with the rights that they have now."""
    user = User.objects.filter(pk=batch.user_id, is_active=True).first() if batch.user_id else None
    if user is None:
        return SYSTEM if batch.user_id is None else Principal(name="")
    return principal_of(user)


class ImportCheck:
    """Parameters: `import`, the id of a NumberImport."""

    kind = CHECK
    label = gettext_lazy("Check of a file")
    permission = Permission.VIEW

    def step(self, run: Run) -> Outcome:
        """As many chunks as the slice has time for; after the last one what only the whole file tells."""
        batch = batch_of(run)
        if run.cursor.get("read"):
            if afterwards.refuse_repeated(run, batch):
                return Continue()
            return self._finish(run, batch)
        try:
            self._read(run, batch)
        except sheets.Unreadable as problem:
            self.give_up(run, problem.sentence, problem.code)
            raise TaskFailed(problem.sentence, problem.code) from None
        except FileNotFoundError:
            raise TaskFailed(_("The file is no longer kept. Upload it again."), "file_gone") from None
        return Continue()

    def cancel(self, run: Run) -> Outcome:
        """Nothing has been changed, so nothing is left."""
        words = _("The check was cancelled.")
        _of(run.task).update(state=ImportState.UNUSABLE, problem=words)
        return Finished(TaskState.CANCELLED, f"{words} {_('Nothing has been changed.')}")

    def give_up(self, run: Run, message: str, code: str) -> None:
        """The file says why."""
        _of(run.task).update(state=ImportState.UNUSABLE, problem=message[:500])

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The same again."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """It has no outcome rows."""
        return []

    def retried(self, task: Task) -> None:
        """Nothing to take."""

    def _read(self, run: Run, batch: NumberImport) -> None:
        """Judge and save chunk after chunk until the slice or the file ends."""
        judging = Judging(batch, author(batch))
        limits = sheets.Limits.of_settings()
        sheet = sheets.Sheet.of(batch.sheet)
        lines = sheets.rows(batch.path, sheet, limits, skip=run.cursor.get("lines", 0))
        for count, rows in (piece for chunk in _chunks(lines) for piece in judging.pieces(chunk)):
            counted = run.cursor.get("numbers", 0) + len(rows)
            if counted > limits.rows:
                raise _too_many(limits.rows)
            with run.commit():
                staging.write(rows)
                judging.groups.save()
                run.cursor["lines"] = run.cursor.get("lines", 0) + count
                run.cursor["numbers"] = counted
                _note(run, judging)
                run.task.done = run.cursor["lines"]
                run.task.step = _("Checking: %d lines so far") % run.cursor["lines"]
            if run.over:
                return
        with run.commit():
            run.cursor["read"] = True

    def _finish(self, run: Run, batch: NumberImport) -> Outcome:
        """Judge what only all rows together tell, and add up."""
        if batch.rows.order_by().values("ticket").distinct().count() > MOST_TICKETS:
            words = _("The file names more than %d different tickets, and each becomes a task of its own. Divide it.")
            raise TaskFailed(words % MOST_TICKETS, "too_many_tickets")
        with run.commit():
            afterwards.judge(batch, author(batch))
            counted = dict(batch.rows.order_by().values_list("outcome").annotate(n=Count("pk")))
            batch.counts = {RowOutcome(outcome).name.lower(): n for outcome, n in counted.items()}
            batch.notes = run.cursor.get("notes", {})
            batch.reasons = afterwards.reasons(batch)
            # Numbers that have changed since its first row was read may have changed since they were read.
            batch.state, batch.checked_at = ImportState.READY, run.task.started_at or run.task.created_at
            batch.save()
            run.task.total = run.task.done = sum(counted.values())
        text = ngettext("%(n)d number checked: %(what)s.", "%(n)d numbers checked: %(what)s.", run.task.total)
        what = ", ".join(f"{RowOutcome(one).label.lower()} {n}" for one, n in sorted(counted.items()))
        return Finished(TaskState.SUCCEEDED, text % {"n": run.task.total, "what": what or _("none")}, batch.counts)


def batch_of(run: Run) -> NumberImport:
    """The import of a task. Raises TaskFailed where it has been deleted."""
    batch = _of(run.task).first()
    if batch is None:
        raise TaskFailed(_("This import is no longer kept. Upload the file again."), "import_gone")
    return batch


def _of(task: Task) -> NumberImportQuerySet:
    return NumberImport.objects.filter(pk=task.params["import"])


def _chunks(lines: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def _too_many(limit: int) -> sheets.Unreadable:
    sentence = _("With its ranges written out the file names more than %d numbers. Split it.") % limit
    return sheets.Unreadable("too_many_numbers", sentence)


def _note(run: Run, judging: Judging) -> None:
    """Add what is to be known of the file to what earlier slices have noted."""
    notes: dict[str, list[Any]] = run.cursor.setdefault("notes", {})
    found = {code: (_remark(code), count) for code, count in judging.remarks.items()}
    for code, (sentence, count) in (found | judging.new.cautions).items():
        notes[code] = [sentence, notes.get(code, ["", 0])[1] + count]
    judging.remarks.clear()
    judging.new.cautions.clear()


def _remark(code: str) -> str:
    if code.startswith(NOT_CHANGED):
        words = _("%s says something else than is here. A file cannot change that; it stays as it is.")
        return words % code.removeprefix(NOT_CHANGED)
    if code.startswith(FILLED):
        words = _("%s: numbers that are here would get the value for the whole file, in the place of their own.")
        return words % code.removeprefix(FILLED)
    return str(REMARKS.get(code) or CAUTIONS[code])


def preview(task: Task, principal: Principal) -> Remedy | None:
    """The link to the page of the file, for the person who has uploaded it and as long as it is kept."""
    if not NumberImport.objects.of(principal).filter(pk=task.params["import"]).exists():
        return None
    url = reverse("numbers:import-file", args=[task.params["import"]])
    return Remedy(gettext_lazy("The file and its preview"), url, icon="file-check", link=True)
