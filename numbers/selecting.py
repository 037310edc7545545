"""From a selection to the numbers it means, within a person's scope; and what may be done with one."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from ocadmin.access.request import Request, SignedInRequest
from ocadmin.console.selection import Selection

from .filters import NumberFilter
from .models import PhoneNumber
from .operations import ON_NUMBERS
from .pasted import among, find


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
    query = request.GET.copy()
    for name in ("page", "per_page", "sort", "columns"):
        query.pop(name, None)
    query.update(fixed)
    verbs = [Verb(kind, str(op.label), request.principal.can(op.permission)) for kind, op in ON_NUMBERS.items()]
    return Offer(reverse("numbers:choose"), query.urlencode(), verbs)


def resolve(selection: Selection, request: SignedInRequest) -> QuerySet[PhoneNumber]:
    """The selected numbers that this person may see. A filter that means nothing (any more) selects nothing."""
    visible = PhoneNumber.objects.visible_to(request.principal)
    if selection.keys is not None:
        return visible.filter(e164__in=selection.keys)
    parameters = QueryDict(selection.query)
    rows: QuerySet[PhoneNumber] = visible
    if parameters.get("list"):
        pasted = find(parameters["list"], request.user, visible)
        if pasted is None:
            return visible.none()
        rows = among(visible, pasted.id)
    if parameters.get("tab") == "emergency" and not parameters.get("address"):
        rows = rows.filter(civic_address__isnull=False)
    filterset = NumberFilter(parameters, rows, request=request)
    return filterset.qs if filterset.is_valid() else visible.none()
