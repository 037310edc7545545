"""From a selection to the numbers it means, within a person's scope; and what may be done with one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from ocadmin.access.permissions import Permission
from ocadmin.access.request import Request, SignedInRequest
from ocadmin.console.selection import Selection
from ocadmin.tasks.models import ITEM_ALIVE, TaskItem

from .filters import NumberFilter, ReleasedFilter
from .models import PhoneNumber, ReleasedNumber
from .operations import ON_NUMBERS
from .operations.plan import Stranger
from .pasted import among, find
from .quarantine import END

UNKNOWN = "unknown_number"
# Not actions: what is done with a selection that changes nothing. Name to kind of file.
EXPORTS = {"export-csv": "csv", "export-xlsx": "xlsx"}


@dataclass(frozen=True)
class Verb:
    """One action as the list offers it."""

    kind: str
    label: str
    allowed: bool


@dataclass(frozen=True)
class Offer:
    """The form under a list: where it goes, the list's filter, and the verbs."""

    url: str
    query: str
    verbs: list[Verb]

    @property
    def all_allowed(self) -> bool:
        """Whether no verb is greyed."""
        return all(verb.allowed for verb in self.verbs)


def offer(request: Request, **fixed: str) -> Offer:
    """What this person may do with rows of the list at hand; `fixed` are filters that the list adds by itself."""
    verbs = [Verb(kind, str(op.label), op.missing(request.principal) is None) for kind, op in ON_NUMBERS.items()]
    return Offer(reverse("numbers:choose"), filter_of(request, **fixed), verbs + _exports(request))


def offer_released(request: Request) -> Offer:
    """What this person may do with rows of the list of released numbers."""
    permission = Permission.END_QUARANTINE
    verb = Verb(END, str(permission.label), request.principal.can(permission))
    return Offer(reverse("numbers:choose-released"), filter_of(request), [verb, *_exports(request)])


def _exports(request: Request) -> list[Verb]:
    allowed = request.principal.can(Permission.EXPORT)
    return [Verb("export-csv", _("Export as CSV"), allowed), Verb("export-xlsx", _("Export as XLSX"), allowed)]


@dataclass(frozen=True)
class Selected:
    """The numbers of a selection, what was named beside them and is none of ours, and whether ranges were named."""

    numbers: QuerySet[PhoneNumber]
    strangers: list[Stranger] = field(default_factory=list)
    ranges: bool = False


def resolve(selection: Selection, request: SignedInRequest) -> Selected:
    """The selected numbers that this person may see. A filter that means nothing (any more) selects nothing."""
    visible = PhoneNumber.objects.visible_to(request.principal)
    if selection.keys is not None:
        return Selected(visible.filter(e164__in=selection.keys), _gone(selection.keys, visible))
    parameters = QueryDict(selection.query)
    rows: QuerySet[PhoneNumber] = visible
    pasted = None
    if parameters.get("list"):
        pasted = find(parameters["list"], request.user, visible)
        if pasted is None:
            return Selected(visible.none())
        rows = among(visible, pasted.id)
    if task := parameters.get("task"):
        rows = rows.filter(e164__in=_of_task(task, parameters.get("code", ""), request))
    if parameters.get("tab") == "emergency" and not parameters.get("address"):
        rows = rows.filter(civic_address__isnull=False)
    filterset = NumberFilter(parameters, rows, request=request)
    numbers = filterset.qs if filterset.is_valid() else visible.none()
    if pasted is None:
        return Selected(numbers)
    strangers = [Stranger(number, UNKNOWN, unknown_number()) for number in pasted.missing]
    strangers += [Stranger(problem.text, problem.code, problem.sentence) for problem in pasted.problems]
    return Selected(numbers, strangers, bool(pasted.ranges))


def _of_task(task: str, code: str, request: SignedInRequest) -> QuerySet[Any]:
    """The numbers of a task (its id) whose outcome has this code; without one those that it has not finished with."""
    items = TaskItem.objects.visible_to(request.principal)
    items = items.filter(code=code[:64]) if code else items.filter(state__in=sorted(ITEM_ALIVE))
    known = task.isascii() and task.isdigit() and len(task) < 19
    return (items.filter(task_id=int(task)) if known else items.none()).values("key")


def resolve_released(selection: Selection, request: SignedInRequest) -> QuerySet[ReleasedNumber]:
    """The selected released numbers (keys are their row ids) that this person may see."""
    visible = ReleasedNumber.objects.visible_to(request.principal)
    if selection.keys is not None:
        return visible.filter(pk__in=[int(key) for key in selection.keys if key.isascii() and key.isdigit()])
    filterset = ReleasedFilter(QueryDict(selection.query), visible, request=request)
    return filterset.qs if filterset.is_valid() else visible.none()


def filter_of(request: Request, **fixed: str) -> str:
    """The filter of the list at hand as an encoded query, with `fixed` ones besides."""
    query = request.GET.copy()
    for name in ("page", "per_page", "sort", "columns"):
        query.pop(name, None)
    query.update(fixed)
    return query.urlencode()


def _gone(keys: Sequence[str], visible: QuerySet[PhoneNumber]) -> list[Stranger]:
    """Chosen numbers that are no longer there, or never were visible to this person."""
    there = set(visible.filter(e164__in=keys).values_list("e164", flat=True))
    return [Stranger(key, UNKNOWN, unknown_number()) for key in keys if key not in there]


def unknown_number() -> str:
    """The sentence about what was named and is no number that this person may see."""
    return _("There is no such number among those you may see.")
