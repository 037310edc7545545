"""Give numbers another emergency location, or none. The civic address follows from the location (upstreams.md §5).

Two routes: a job of the operator's, or one request for each number in the customer's own tenant, which Graph answers at
once (upstreams.md §9.4). Both are safe to repeat: the same location twice is the same location.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q
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
INVALID, VALIDATED = "invalid", "validated"
# Where Microsoft wants the address to match the area code of the number (upstreams.md §5).
AREA_CODE_COUNTRIES = frozenset({"BE", "FR", "DE", "IE", "NL", "ES"})
_ALL = Q(pk__isnull=False)
_ALLOW = "allow_tenant_address_update"


class Relocate(JobOperation):
    """Parameters: `location_id` (a GUID, None clears), `route`, `allow_tenant_address_update` (None leaves it)."""

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
        toll_free = gettext_lazy("Toll-free numbers have no emergency location.")
        verdicts = [
            Verdict("already", _already_so(params), _as_wanted(params), ItemState.UNCHANGED),
            *standing.only_active(),
            Verdict("toll_free", toll_free, holds("acquired_capabilities", TOLL_FREE)),
        ]
        if params["location_id"] is not None:
            verdicts += _place_verdicts(_place(params["location_id"]))
        if params.get("route") == TENANT:
            verdicts += _tenant_verdicts()
        return verdicts

    def cautions(self, params: dict[str, Any]) -> list[Caution]:
        """What Microsoft may still refuse, and whom the change reaches."""
        place = _place(params["location_id"]) if params["location_id"] is not None else None
        moved = gettext_lazy("Assigned to users: where emergency services look for these people changes.")
        lost = gettext_lazy(
            "Assigned to users, who lose their emergency location: their call for help no longer tells where they are."
        )
        users = Q(assignment_status=Assignment.USER) | choices.unknown_words()
        cautions = [Caution("user_assigned", lost if params["location_id"] is None else moved, users)]
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

    def body(self, task: Task, customer: Customer, items: Sequence[TaskItem]) -> dict[str, Any]:
        """upstreams.md §9.3. The permission of the customer is left out where it stays as it is."""
        allow = task.params.get(_ALLOW)
        return {
            "tenantId": str(customer.tenant_id),
            "telephoneNumbers": [item.key for item in items],
            "locationId": task.params["location_id"],
        } | ({} if allow is None else {"allowTenantAddressUpdate": allow})

    def succeeded(self, run: Run, job: UpstreamJob, keys: list[str]) -> None:
        """The numbers are at their new place."""
        self._save(run, keys, job)

    def finished(self, task: Task) -> str:
        """How many have the new location, and how many have not."""
        if task.params["location_id"] is None:
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
        params = run.task.params
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
        gone = gettext_lazy("Microsoft no longer lists this location. Choose another one.")
        return [Verdict("location_gone", gone, _ALL)]
    address = place.civic_address
    foreign = gettext_lazy("The location belongs to another customer. A number can only be at an address of its own.")
    verdicts = [Verdict("foreign_location", foreign, ~Q(customer_id=address.customer_id))]
    if address.validation_status.lower() == INVALID:
        invalid = gettext_lazy("Microsoft calls the address invalid. The customer has to replace it first.")
        verdicts.append(Verdict("address_invalid", invalid, _ALL))
    other = _("The address is in another country (%(country)s) than the number.") % {"country": address.country}
    elsewhere = ~Q(iso_country_code__in=sorted(countries_like(address.country))) & ~Q(iso_country_code="")
    verdicts.append(Verdict("country_mismatch", other, elsewhere))
    return verdicts


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
        words = gettext_lazy("The address has not been validated; Microsoft may refuse it.")
        cautions.append(Caution("address_not_validated", words, _ALL))
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
