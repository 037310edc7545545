"""What confirming a checked file would do, in the words of every other plan."""

from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.tasks.models import ItemState
from ocadmin.tasks.plans import Group, Plan, group_of, sample_of

from ...models import ImportRow, NumberImport, RowOutcome
from . import rechecking

GOING = (RowOutcome.NEW, RowOutcome.CHANGED)
_WHY = {
    ItemState.REFUSED: gettext_lazy("These rows are refused; each says why."),
    ItemState.UNCHANGED: gettext_lazy("These are as the file says already, or were only compared."),
}


def plan_of(batch: NumberImport) -> Plan:
    """The rows by what would become of them. What has changed since the check is a caution: it is judged anew."""
    rows = batch.rows.all()
    going, refused = rows.filter(outcome__in=GOING), rows.filter(outcome=RowOutcome.REFUSED)
    others = rows.exclude(outcome__in=(*GOING, RowOutcome.REFUSED))
    left = [
        group_of("refused", str(_WHY[ItemState.REFUSED]), ItemState.REFUSED, _names(refused)),
        group_of("unchanged", str(_WHY[ItemState.UNCHANGED]), ItemState.UNCHANGED, _names(others)),
    ]
    stale: list[Group] = []
    if batch.checked_at is not None:
        words = _("These have changed since the file was checked. They are judged once more before anything is done.")
        stale = [group_of("changed_meanwhile", words, "", _names(rechecking.stale(batch)))]
    return Plan(going.count(), sample_of(_names(going)), _some(left), _some(stale))


def _names(rows: QuerySet[ImportRow]) -> QuerySet[ImportRow, Any]:
    """The numbers, or what stands there where it is none."""
    shown = Coalesce(NullIf("e164", Value("")), "text")
    return rows.order_by("pk").annotate(shown=shown).values_list("shown", flat=True)


def _some(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.count]
