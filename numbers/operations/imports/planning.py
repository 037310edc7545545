"""What confirming a checked file would do, in the words of every other plan."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.tasks.models import ItemState
from ocadmin.tasks.plans import SAMPLE, Group, Plan

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
        _group("refused", str(_WHY[ItemState.REFUSED]), ItemState.REFUSED, refused),
        _group("unchanged", str(_WHY[ItemState.UNCHANGED]), ItemState.UNCHANGED, others),
    ]
    stale: list[Group] = []
    if batch.checked_at is not None:
        words = _("These have changed since the file was checked. They are judged once more before anything is done.")
        stale = [_group("changed_meanwhile", words, "", rechecking.stale(batch))]
    return Plan(going.count(), _sample(going), _some(left), _some(stale))


def _group(code: str, sentence: str, state: str, rows: QuerySet[ImportRow]) -> Group:
    return Group(code, sentence, state, rows.count(), _sample(rows))


def _sample(rows: QuerySet[ImportRow]) -> list[str]:
    """The numbers, or what stands there where it is none."""
    return [e164 or text for e164, text in rows.order_by("pk").values_list("e164", "text")[:SAMPLE]]


def _some(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.count]
