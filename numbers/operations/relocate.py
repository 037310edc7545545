"""Give numbers another emergency location, or none. The civic address follows from the location (upstreams.md §5).

Two routes: a job of the operator's, or one request for each number in the customer's own tenant, which Graph answers at
once (upstreams.md §9.4). Both are safe to repeat: the same location twice is the same location.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.outcomes import Outcome
from ocadmin.tasks.run import Run

from .. import choices
from ..assignment import Assignment
from ..capabilities import TOLL_FREE, holds
from ..countries import countries_like
from ..history import author, number_entry
from ..models import ConnectionState, Customer, Location, PhoneNumber, UpstreamJob
from . import in_tenant, standing
from .items import close
from .jobs import JobOperation
from .plan import Caution, Verdict

OPERATOR, TENANT = "operator", "tenant"
PER_NUMBER = "per_number"
INVALID, VALIDATED = "invalid", "validated"
# Where Microsoft wants the address to match the area code of the number (upstreams.md §5).
AREA_CODE_COUNTRIES = frozenset({"BE", "FR", "DE", "IE", "NL", "ES"})
Objection = tuple[str, str]  # code, sentence
_ALL = Q(pk__isnull=False)
_ALLOW = "allow_tenant_address_update"
MOVED = gettext_lazy("Assigned to users: where emergency services look for these people changes.")
LOST = gettext_lazy(
    "Assigned to users, who lose their emergency location: their call for help no longer tells where they are."
)
NOT_VALIDATED = gettext_lazy("The address has not been validated; Microsoft may refuse it.")
_TOLL_FREE = gettext_lazy("Toll-free numbers have no emergency location.")
_GONE = gettext_lazy("Microsoft no longer lists this location. Choose another one.")
_FOREIGN = gettext_lazy("The location belongs to another customer. A number can only be at an address of its own.")
_INVALID = gettext_lazy("Microsoft calls the address invalid. The customer has to replace it first.")
_ELSEWHERE = gettext_lazy("The address is in another country (%(country)s) than the number.")


class Relocate(JobOperation):
    """Parameters: `location_id` (a GUID, None clears), `route`, `allow_tenant_address_update` (None leaves it).

    Or `per_number`: then the data of each item says the same two things for its number; a file makes such tasks. They
    take the operator's route.
    """

    kind = "relocate"
    jobs = "location-updates"
    label = gettext_lazy("Change emergency location")
    permission = Permission.RELOCATE
    note = gettext_lazy(
        "Emergency services are sent to the address of a number's location. Change it only when it is known where the "
        "people are."
    )

    def verdicts(self, params: dict[str, Any]) -> list[Verdict]:
        """The rules of upstreams.md §5 and design §5, Emergency."""
        if params.get(PER_NUMBER):
            return standing.only_active()
        verdicts = [
            Verdict("already", _already_so(params), _as_wanted(params), ItemState.UNCHANGED),
            *standing.only_active(),
            Verdict("toll_free", _TOLL_FREE, holds("acquired_capabilities", TOLL_FREE)),
        ]
        if params["location_id"] is not None:
            verdicts += _place_verdicts(_place(params["location_id"]))
        if params.get("route") == TENANT:
            verdicts += _tenant_verdicts()
        return verdicts

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """What Microsoft may still refuse, and whom the change reaches."""
        place = _place(params["location_id"]) if params["location_id"] is not None else None
        users = Q(assignment_status=Assignment.USER) | choices.unknown_words()
        cautions = [Caution("user_assigned", LOST if params["location_id"] is None else MOVED, users)]
        if params.get("route") == TENANT:
            unchecked = gettext_lazy(
                "Nobody has checked yet whether we may act in this customer's tenant. It is tried."
            )
            cautions.append(Caution("connection_unknown", unchecked, Q(customer__connection=ConnectionState.UNKNOWN)))
        if place is not None:
            cautions += _place_cautions(place)
        if params.get(_ALLOW) is not None:
            cautions.append(_allow_caution(params[_ALLOW]))
        return cautions

    def step(self, run: Run) -> Outcome:
        """By jobs of the operator's, or number by number in the customer's tenant."""
        if run.task.params.get("route") != TENANT:
            return super().step(run)
        location = run.task.params["location_id"]
        outcome = in_tenant.step(
            run,
            lambda graph, e164: graph.update_location(e164, location),
            lambda keys: self._save(run, keys, None),
        )
        return outcome or self._rest(run)

    def batch(self, pending: QuerySet[TaskItem]) -> list[TaskItem]:
        """Items of one customer that shall be at the same place."""
        first = pending.first()
        if first is None or "location_id" not in first.data:
            return super().batch(pending)
        alike = {f"data__{name}": first.data[name] for name in ("location_id", _ALLOW)}
        return super().batch(pending.filter(customer_ref=first.customer_ref, **alike))

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """upstreams.md §9.3. The permission of the customer is left out where it stays as it is."""
        wanted = _wanted(task, items[0].data)
        allow = wanted.get(_ALLOW)
        return {
            "tenantId": str(customer.tenant_id),
            "telephoneNumbers": [item.key for item in items],
            "locationId": wanted["location_id"],
        } | ({} if allow is None else {"allowTenantAddressUpdate": allow})

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The failed numbers, each with its own place where it has one."""
        items = super().retry_items(task, keys)
        places = dict(task.items.filter(key__in=[item.key for item in items]).values_list("key", "data"))
        for item in items:
            item.data = places[item.key]
        return items

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """The numbers are at their new place."""
        self._save(run, keys, job)

    def finished(self, task: Task) -> str:
        """How many have the new location, and how many have not."""
        if task.params.get(PER_NUMBER):
            text = ngettext(
                "The emergency location of %(n)d number is changed.",
                "The emergency locations of %(n)d numbers are changed.",
                task.succeeded,
            )
        elif task.params["location_id"] is None:
            text = ngettext(
                "%(n)d number has no emergency location any more.",
                "%(n)d numbers have no emergency location any more.",
                task.succeeded,
            )
        else:
            text = ngettext(
                "%(n)d number has the new emergency location.",
                "%(n)d numbers have the new emergency location.",
                task.succeeded,
            )
        text %= {"n": task.succeeded}
        if task.failed:
            text += " " + _("%(n)d are as before; each says why.") % {"n": task.failed}
        return text

    def _save(self, run: Run, keys: list[str], job: UpstreamJob | None) -> None:
        """What Microsoft has done is ours too, with a line of history for each number. Inside `run.commit()`."""
        data = run.task.items.filter(key__in=keys[:1]).values_list("data", flat=True).first()
        params = _wanted(run.task, data or {})
        place = _place(params["location_id"]) if params["location_id"] is not None else None
        after: dict[str, Any] = {
            "location_id": place.pk if place else None,
            "civic_address_id": place.civic_address_id if place else None,
        }
        if params.get(_ALLOW) is not None:
            after[_ALLOW] = params[_ALLOW]
        numbers = PhoneNumber.objects.filter(e164__in=keys)
        rows = numbers.select_for_update(of=("self",)).select_related("customer")
        AuditEntry.objects.bulk_create(_entry(run.task, number, after, job) for number in rows)
        numbers.update(**after, modified_at=timezone.now())
        message = _("The emergency location is cleared.") if place is None else _("The emergency location is changed.")
        close(run, keys, ItemState.SUCCEEDED, message=message, job=job)


def _wanted(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """What a number shall have: as its item says, else as the task does."""
    return data if task.params.get(PER_NUMBER) else task.params


def _place(location_id: str) -> Location | None:
    """The location with its address; None where we know of none (any more)."""
    return Location.objects.filter(pk=uuid.UUID(location_id)).select_related("civic_address").first()


def _entry(task: Task, number: PhoneNumber, after: dict[str, Any], job: UpstreamJob | None) -> AuditEntry:
    """A line of history; Microsoft's job stands in the outcome of the number, where there was one."""
    how = "" if job is not None else _("In the customer's tenant.")
    return number_entry(
        "location.changed",
        number.e164,
        by=author(task),
        channel=task.channel,
        customer_id=number.customer_id,
        channel_id=number.customer.channel_id,
        before={name: getattr(number, name) for name in after},
        after=after,
        task_ref=task.pk,
        ticket=task.ticket,
        message=" ".join(filter(None, (how, task.params.get("comment", ""))))[:500],
    )


def _as_wanted(params: dict[str, Any]) -> Q:
    """Numbers that are where they shall be."""
    wanted, allow = params["location_id"], params.get(_ALLOW)
    at = Q(location_id=wanted) if wanted is not None else Q(location__isnull=True, civic_address__isnull=True)
    return at if allow is None else at & Q(**{_ALLOW: allow})


def _already_so(params: dict[str, Any]) -> Any:
    if params["location_id"] is None:
        return gettext_lazy("It has no emergency location.")
    return gettext_lazy("It has this emergency location already.")


def _place_verdicts(place: Location | None) -> list[Verdict]:
    """What stands between numbers and a location."""
    if place is None or place.removed_at or place.civic_address.removed_at:
        return [Verdict("location_gone", _GONE, _ALL)]
    address = place.civic_address
    verdicts = [Verdict("foreign_location", _FOREIGN, ~Q(customer_id=address.customer_id))]
    if address.validation_status.lower() == INVALID:
        verdicts.append(Verdict("address_invalid", _INVALID, _ALL))
    elsewhere = ~Q(iso_country_code__in=sorted(countries_like(address.country))) & ~Q(iso_country_code="")
    verdicts.append(Verdict("country_mismatch", _ELSEWHERE % {"country": address.country}, elsewhere))
    return verdicts


def objection(
    place: Location | None, *, customer_id: int, country: str, capabilities: Sequence[str]
) -> Objection | None:
    """The same for one number that shall be at `place` (None: nowhere): why it cannot, None where it can.

    For files, in which every number may have a place of its own; a plan asks the database once for all its numbers.
    """
    if TOLL_FREE in capabilities:
        return "toll_free", str(_TOLL_FREE)
    if place is None:
        return None
    address = place.civic_address
    if place.removed_at or address.removed_at:
        return "location_gone", str(_GONE)
    if address.customer_id != customer_id:
        return "foreign_location", str(_FOREIGN)
    if address.validation_status.lower() == INVALID:
        return "address_invalid", str(_INVALID)
    if country and country not in countries_like(address.country):
        return "country_mismatch", str(_ELSEWHERE % {"country": address.country})
    return None


def _tenant_verdicts() -> list[Verdict]:
    """What stands between us and a change in the customer's own tenant (upstreams.md §9.5, §9.7 F18)."""
    unconnected = gettext_lazy("There is no connection to the customer's tenant. Choose the operator's route instead.")
    locked = gettext_lazy(
        "The customer may not change the location of this number. Choose the operator's route instead."
    )
    return [
        Verdict("not_connected", unconnected, Q(customer__connection=ConnectionState.NOT_CONNECTED)),
        Verdict("customer_may_not", locked, Q(**{_ALLOW: False})),
    ]


def _place_cautions(place: Location) -> list[Caution]:
    address = place.civic_address
    cautions = []
    if address.validation_status.lower() != VALIDATED:
        cautions.append(Caution("address_not_validated", NOT_VALIDATED, _ALL))
    if address.country in AREA_CODE_COUNTRIES:
        words = gettext_lazy(
            "In this country the address has to match the number's area code; Microsoft may refuse it."
        )
        cautions.append(Caution("area_code", words, _ALL))
    unknown = gettext_lazy("Their country is not known; Microsoft refuses them if it is not that of the address.")
    cautions.append(Caution("country_unknown", unknown, Q(iso_country_code="")))
    return cautions


def _allow_caution(allow: bool) -> Caution:
    """A change of who may change the location."""
    changes = Q(**{f"{_ALLOW}__isnull": True}) | ~Q(**{_ALLOW: allow})
    if allow:
        words = gettext_lazy("From now on the customer may change their location in the Teams admin center.")
    else:
        words = gettext_lazy("From now on the customer can no longer change their location.")
    return Caution("customer_may_change" if allow else "customer_may_no_longer", words, changes)
