"""Notes and tags of a file: ours alone, written at once, with a line of history for each number."""

from typing import Any

from django.db.models import Exists, F, JSONField, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import ItemState
from ocadmin.tasks.run import Run

from ... import setwise
from ...history import OBJECT_TYPE
from ...models import ImportRow, NumberImport, PhoneNumber, RowOutcome
from . import outcomes

CHUNK = 1000
PARTS: tuple[tuple[str, ...], ...] = (("note",), ("tags",), ("note", "tags"))


def annotate_next(run: Run, batch: NumberImport, outcome: RowOutcome) -> bool:
    """Write the next chunk of rows with this outcome; False where none is left. A row counts once, whoever dies."""
    place = f"annotated_{outcome.name.lower()}"
    with run.commit():
        rows = batch.rows.filter(outcome=outcome, wish__has_key="annotate", pk__gt=run.cursor.get(place, 0))
        last = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not last:
            return False
        chunk = batch.rows.filter(pk__among=last)
        its_own = PhoneNumber.objects.filter(e164=OuterRef("e164"), customer_id=OuterRef("customer_ref"))
        there, absent = chunk.filter(Exists(its_own)), chunk.filter(~Exists(its_own))
        for names in PARTS:
            _write(run, _exactly(there, names), names)
        words = _("Note and tags are as the file says.")
        run.count(ItemState.SUCCEEDED, outcomes.write(run.task, there, ItemState.SUCCEEDED, message=words))
        words = _("The customer does not have this number, so its note and tags were not written.")
        run.count(ItemState.REFUSED, outcomes.write(run.task, absent, ItemState.REFUSED, code="absent", message=words))
        run.cursor[place] = last[-1]
        run.task.step = _("Writing notes and tags")
    return True


def _exactly(rows: QuerySet[ImportRow], names: tuple[str, ...]) -> QuerySet[ImportRow]:
    """Rows that say just these."""
    wanted = Q(wish__annotate__has_keys=list(names))
    for other in {"note", "tags"} - set(names):
        wanted &= ~Q(wish__annotate__has_key=other)
    return rows.filter(wanted)


def _write(run: Run, rows: QuerySet[ImportRow], names: tuple[str, ...]) -> None:
    numbers = PhoneNumber.objects.filter(e164=OuterRef("e164"))
    setwise.insert(
        AuditEntry,
        rows,
        at=timezone.now(),
        actor_id=run.task.actor_id,
        actor_name=run.task.actor_name,
        channel=run.task.channel,
        action="number.annotated",
        object_type=OBJECT_TYPE,
        object_id=F("e164"),
        label=F("e164"),
        customer_ref=F("customer_ref"),
        channel_ref=F("channel_ref"),
        before=Subquery(numbers.annotate(was=setwise.as_json(PhoneNumber, *names)).values("was")),
        after=KeyTransform("annotate", "wish"),
        task_ref=run.task.pk,
        ticket=F("ticket"),
        message=run.task.params.get("comment", "")[:500],
    )
    said = rows.filter(e164=OuterRef("e164")).order_by()
    values: dict[str, Any] = {}
    if "note" in names:
        note = KeyTextTransform("note", KeyTransform("annotate", "wish"))
        values["note"] = Subquery(said.annotate(said=note).values("said")[:1], output_field=TextField())
    if "tags" in names:
        tags = KeyTransform("tags", KeyTransform("annotate", "wish"))
        values["tags"] = Subquery(said.annotate(said=tags).values("said")[:1], output_field=JSONField())
    PhoneNumber.objects.filter(e164__in=rows.values("e164")).update(**values, modified_at=timezone.now())
