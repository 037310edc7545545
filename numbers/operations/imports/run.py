"""Import a checked file: every number goes to the verb that it needs, as a task of its own; this one leads them.

First everything is compared once more with what is here: time has passed since the preview. Then, in one transaction,
the tasks are made that upload, relocate and change capabilities; while they work this task shows their sum. Notes and
tags are ours and are written here.
"""

from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal, Scope
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskItem, TaskState
from ocadmin.tasks.monitor import NEXT_TASKS
from ocadmin.tasks.outcomes import Continue, Finished, Outcome, TaskFailed, Wait
from ocadmin.tasks.run import Run

from ...models import ImportState, NumberImport, RowOutcome
from . import children, rechecking
from .annotating import annotate_next
from .check import author, batch_of

IMPORT = "import"
PAUSE_SECONDS = 1.0
COUNTERS = ("done", "succeeded", "unchanged", "refused", "failed")
# What a row needs and the permission that it takes.
NEEDS = {
    "upload": Permission.UPLOAD,
    "relocate": Permission.RELOCATE,
    "capabilities": Permission.CAPABILITIES,
    "annotate": Permission.ANNOTATE,
}


class NotReady(Exception):
    """The file cannot be imported as it stands; the message says why."""


def start_import(batch: NumberImport, *, whole: bool, by: Principal, channel: str, ticket: str, comment: str) -> Task:
    """Confirm the preview. `whole`: only if no row is refused, and nothing if that changes meanwhile.

    Raises NotReady, with a sentence.
    """
    with transaction.atomic():
        batch = NumberImport.objects.select_for_update().get(pk=batch.pk)
        total = changes_of(batch, whole=whole, by=by)
        params = {"import": str(batch.pk), "whole": whole, "comment": comment}
        title = _("Import of %s") % batch.file_name
        task = services.start(
            IMPORT, title=title[:200], by=by, channel=channel, params=params, ticket=ticket, total=total
        )
        batch.state, batch.task_ref = ImportState.SUBMITTED, task.pk
        batch.save(update_fields=["state", "task_ref"])
    return task


def changes_of(batch: NumberImport, *, whole: bool, by: Principal) -> int:
    """How many changes confirming it asks for. Raises NotReady where it cannot be confirmed."""
    if batch.state != ImportState.READY:
        raise NotReady(_("This import has been confirmed already, or it was not checked to the end."))
    if whole and batch.counts.get("refused"):
        raise NotReady(_("Rows are refused, so nothing can be imported as a whole. Correct them first."))
    if not (total := rechecking.changes(batch)):
        raise NotReady(_("Nothing would change."))
    _still_permitted(batch, by)
    return total


def _still_permitted(batch: NumberImport, by: Principal) -> None:
    """The rows were judged by what their author could do then."""
    for need, permission in NEEDS.items():
        rows = batch.rows.filter(outcome=RowOutcome.NEW) if need == "upload" else children.changing(batch, need)
        if not within(rows.order_by().values_list("customer_ref", "channel_ref").distinct(), by.scope(permission)):
            words = {"what": permission.label}
            raise NotReady(_("You may no longer “%(what)s” for all of these customers. Check the file again.") % words)


def within(places: Any, scope: Scope) -> bool:
    """Whether all pairs of customer and channel are in a scope."""
    return scope.everything or all(
        customer in scope.customers or (channel is not None and channel in scope.channels)
        for customer, channel in places
    )


class Import:
    """Parameters: `import` (id of a NumberImport), `whole`, `comment`."""

    kind = IMPORT
    label = gettext_lazy("Import of a file")
    permission = Permission.ANNOTATE

    def step(self, run: Run) -> Outcome:
        """The next of: compare once more, hand over, notes and tags, wait, notes and tags of new numbers, the end."""
        batch = batch_of(run)
        cursor = run.cursor
        if not cursor.get("rechecked"):
            rechecking.recheck(run, batch)
            return Continue()
        if not cursor.get("handed_over"):
            return self._hand_over(run, batch)
        if annotate_next(run, batch, RowOutcome.CHANGED):
            return Continue()
        if self._unfinished(run):
            return Wait(PAUSE_SECONDS, _("The tasks of this import are at work."))
        if not cursor.get("capabilities"):
            return self._hand_over_capabilities(run, batch)
        if annotate_next(run, batch, RowOutcome.NEW):
            return Continue()
        return self._end(run)

    def cancel(self, run: Run) -> Outcome:
        """Its tasks are cancelled with it; what Microsoft is doing they follow to its end."""
        tasks = _tasks(run)
        services.cancel(Task.objects.filter(pk__in=[task.pk for task in tasks]), by=_by(run), channel=run.task.channel)
        if self._unfinished(run):
            return Wait(PAUSE_SECONDS, _("The tasks of this import are being cancelled."))
        if not tasks and not run.task.succeeded:
            return Finished(TaskState.CANCELLED, _("Cancelled before anything was changed."), run.task.result)
        text = ngettext(
            "Cancelled: %(n)d change of %(total)s was made; the tasks below say which.",
            "Cancelled: %(n)d changes of %(total)s were made; the tasks below say which.",
            run.task.succeeded,
        )
        words = text % {"n": run.task.succeeded, "total": run.task.total}
        return Finished(TaskState.CANCELLED, words, run.task.result)

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Tasks that exist go on: each says by itself how it ends."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """Its own rows cannot fail; those of its tasks are retried there."""
        return task.params

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """None."""
        return []

    def retried(self, task: Task) -> None:
        """Nothing to take."""

    def _hand_over(self, run: Run, batch: NumberImport) -> Outcome:
        """Uploads and new locations, all of them in one transaction: half of a file is never begun."""
        by = author(batch)
        known = children.known_of(batch, by)
        try:
            _still_permitted(batch, by)
        except NotReady:
            words = _("Whoever confirmed this import may no longer do all that it asks for. Nothing was done.")
            raise TaskFailed(words, "not_permitted") from None
        with run.commit():
            whole = run.task.params["whole"]
            changed = whole and rechecking.stale(batch).exists()
            tasks = [*children.uploads(run, batch, known, by), *children.relocations(run, batch, by)]
            if not children.changing(batch, "relocate").exists():
                tasks += children.capabilities(run, batch, by)
                run.cursor["capabilities"] = True
            # A number may have been taken since it was compared: then its task has refused it.
            if changed or (whole and any(task.refused for task in tasks)):
                raise TaskFailed(str(rechecking.NOTHING_DONE), "changed_meanwhile")
            self._led(run, tasks)
            run.cursor["handed_over"] = True
        return Continue()

    def _hand_over_capabilities(self, run: Run, batch: NumberImport) -> Outcome:
        """After the locations: a number has one running operation at a time."""
        with run.commit():
            self._led(run, children.capabilities(run, batch, author(batch)))
            run.cursor["capabilities"] = True
        return Continue()

    def _led(self, run: Run, tasks: list[Task]) -> None:
        run.task.result[NEXT_TASKS] = [*run.task.result.get(NEXT_TASKS, []), *(task.pk for task in tasks)]
        run.task.step = _("Handed over to its tasks")

    def _unfinished(self, run: Run) -> bool:
        """Take over the sums of the tasks; True while some of them live."""
        tasks = _tasks(run)
        sums = Task.objects.filter(pk__in=[task.pk for task in tasks]).aggregate(
            **{f"sum_{name}": Sum(name, default=0) for name in COUNTERS}
        )
        before = run.cursor.get("theirs", {})
        with run.commit():
            for name in COUNTERS:
                setattr(run.task, name, getattr(run.task, name) + sums[f"sum_{name}"] - before.get(name, 0))
            run.cursor["theirs"] = {name: sums[f"sum_{name}"] for name in COUNTERS}
        return any(task.alive for task in tasks)

    def _end(self, run: Run) -> Outcome:
        task = run.task
        state = TaskState.SUCCEEDED
        if task.failed or task.refused:
            state = TaskState.PARTIAL if task.succeeded else TaskState.FAILED
        text = ngettext("%(n)d change made.", "%(n)d changes made.", task.succeeded) % {"n": task.succeeded}
        if left := task.failed + task.refused:
            words = ngettext("%(n)d was not; it says why.", "%(n)d were not; each says why.", left)
            text += " " + words % {"n": left}
        return Finished(state, text, task.result)


def _tasks(run: Run) -> list[Task]:
    return list(Task.objects.filter(pk__in=run.task.result.get(NEXT_TASKS, [])).only("pk", "state"))


def _by(run: Run) -> Principal:
    return Principal(run.task.actor_name, (), run.task.actor_id)
