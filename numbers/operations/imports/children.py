"""The tasks that an import hands its numbers to: one for each verb and ticket. No row passes through Python.

A number that another operation takes in the same moment is refused as busy: the rule of the database decides.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import JSONObject
from django.utils.translation import ngettext

from ocadmin.access.principal import Principal
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.run import Run

from ...lifecycle import Source
from ...models import ImportRow, NumberImport, RowOutcome
from .. import upload
from ..base import BUSY, add_up
from ..capabilities import READY, Capabilities
from ..relocate import OPERATOR, PER_NUMBER, Relocate
from ..upload.known import Known, load
from ..upload.planning import SOURCES, requested
from ..upload.settings import Settings
from . import outcomes

GROUPS = 500  # different settings in one upload task: they travel with each of its slices

Rows = QuerySet[ImportRow]


def uploads(run: Run, batch: NumberImport, known: Known, by: Principal) -> list[Task]:
    """Upload tasks for the new numbers. Inside `run.commit()`."""
    new = batch.rows.filter(outcome=RowOutcome.NEW)
    tasks = []
    for ticket, start, rows in _blocks(new):
        groups = [
            Settings.of(group.settings)
            for group in batch.groups.filter(place__gte=start, place__lt=start + GROUPS).order_by("place")
        ]
        params = {
            "groups": [one.as_dict() | {"requested": requested(one, known)} for one in groups],
            "source": SOURCES.get(run.task.channel, Source.WEB_UI).value,
        }
        data = JSONObject(group=F("place") - start)
        tasks.append(_child(run, upload.KIND, _uploaded(rows), params, rows, data, by=by, ticket=ticket))
    return tasks


def known_of(batch: NumberImport, by: Principal) -> Known:
    """What the settings of the new numbers need to be known. Asks Microsoft where nobody has told: no transaction."""
    return load({Settings.of(group.settings) for group in batch.groups.all()}, by)


def relocations(run: Run, batch: NumberImport, by: Principal) -> list[Task]:
    """Tasks that change emergency locations, each number to its own. Inside `run.commit()`."""
    rows = changing(batch, "relocate")
    params = {PER_NUMBER: True, "route": OPERATOR}
    return [
        _child(run, Relocate.kind, _titled(Relocate.label, some), params, some, _part("relocate"), by=by, ticket=ticket)
        for ticket, some in _by_ticket(rows)
    ]


def capabilities(run: Run, batch: NumberImport, by: Principal) -> list[Task]:
    """Tasks that add and remove capabilities, each number its own. Inside `run.commit()`."""
    rows = changing(batch, "capabilities")
    label, part = Capabilities.label, _part("capabilities")
    return [
        _child(run, Capabilities.kind, _titled(label, some), {}, some, part, by=by, ticket=ticket, code=READY)
        for ticket, some in _by_ticket(rows)
    ]


def changing(batch: NumberImport, part: str) -> Rows:
    """Rows of numbers that are here and of which this part changes."""
    return batch.rows.filter(outcome=RowOutcome.CHANGED, wish__has_key=part)


def _part(name: str) -> KeyTransform:
    return KeyTransform(name, "wish")


def _blocks(rows: Rows) -> Iterator[tuple[str, int, Rows]]:
    """By ticket and GROUPS settings at a time: ticket, place of the first settings, rows."""
    for ticket, some in _by_ticket(rows):
        places = some.order_by().values_list("place", flat=True).distinct()
        for start in sorted({(place or 0) // GROUPS * GROUPS for place in places}):
            yield ticket, start, some.filter(place__gte=start, place__lt=start + GROUPS)


def _by_ticket(rows: Rows) -> Iterator[tuple[str, Rows]]:
    for ticket in sorted(rows.order_by().values_list("ticket", flat=True).distinct()):
        yield ticket, rows.filter(ticket=ticket)


def _uploaded(rows: Rows) -> str:
    count = rows.count()
    return ngettext("Upload %(count)d number of a file", "Upload %(count)d numbers of a file", count) % {"count": count}


def _titled(label: Any, rows: Rows) -> str:
    count = rows.count()
    text = ngettext("%(what)s: %(count)d number of a file", "%(what)s: %(count)d numbers of a file", count)
    return text % {"what": label, "count": count}


def _child(
    run: Run,
    kind: str,
    title: str,
    params: Mapping[str, Any],
    rows: Rows,
    data: Any,
    *,
    by: Principal,
    ticket: str,
    code: str = "",
) -> Task:
    """A task with one pending item for each row; those that are taken meanwhile are refused."""
    told = {"comment": run.task.params.get("comment", ""), "previous_task": run.task.pk}
    task = services.start(
        kind,
        title=title[:200],
        by=by,
        channel=run.task.channel,
        params={**params, **told},
        ticket=ticket or run.task.ticket,
    )
    outcomes.write(task, rows, ItemState.PENDING, code=code, data=data)
    busy = rows.exclude(e164__in=TaskItem.objects.filter(task=task).values("key"))
    outcomes.write(task, busy, ItemState.REFUSED, code=BUSY.code, message=str(BUSY.sentence), data=data)
    add_up(task)
    return task
