"""Uploaded numbers become numbers of ours: PendingFirstSync, until a synchronisation sees them."""

import uuid
from collections import defaultdict
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.tasks.models import ItemState, Task, TaskItem
from ocadmin.tasks.run import Run

from ... import history, lifecycle, routing, setwise
from ...countries import country_of, is_toll_free
from ...lifecycle import Cause, Source
from ...models import CivicAddress, Location, PhoneNumber, UpstreamJob
from ..items import alive, close, close_all
from .settings import Settings

(BORN,) = lifecycle.BIRTH[Cause.UPLOAD]
Place = tuple[uuid.UUID | None, uuid.UUID | None]  # location, civic address


def arrive(run: Run, job: UpstreamJob, keys: list[str]) -> None:
    """Make the rows, the history and the outcomes. All numbers of a job have the same settings. Inside `run.commit()`.

    A row that somebody else has made meanwhile is never overwritten: one of the same customer without a source is the
    same upload, seen by a synchronisation first; one of another customer is a question for people.
    """
    items = alive(run.task).filter(job_ref=job.pk)
    values = _values(run.task, items)
    foreign: list[str] = []
    if _insert(run.task, job, keys, values) != len(keys):
        foreign = _here_already(job, keys, run.task.params["source"])
    wanted = Settings.of(values)
    pair = (job.customer_id, wanted.calling_profile)
    after = {
        "status": BORN.name,
        "usage": values["usage"],
        **_told(wanted, values["requested"]),
        "tn_upload_job_id": str(job.ms_job_id),
        "routed": ", ".join(sorted(way.sbc.name for way in routing.ways({pair})[pair])),
    }
    arrived = items.exclude(key__in=foreign) if foreign else items
    message = run.task.params.get("comment", "")[:500]
    history.entries_of_items("upload.accepted", run.task, arrived, after=after, message=message)
    done = _("Uploaded. It is active as soon as a synchronisation sees it.")
    close_all(run, arrived, ItemState.SUCCEEDED, message=done, job=job)
    conflict = _("At Microsoft it is this customer's now, but here it is another one's. Nothing was changed here.")
    close(run, foreign, ItemState.FAILED, code="foreign", message=conflict, job=job)


def _values(task: Task, items: QuerySet[TaskItem]) -> dict[str, Any]:
    """The settings that the numbers of a job share, as the task keeps them."""
    (group,) = items.order_by().values_list("data__group", flat=True)[:1]
    return task.params["groups"][group]


def _here_already(job: UpstreamJob, keys: list[str], source: str) -> list[str]:
    """Those that are another customer's here. Of the others those that a synchronisation saw first get their source."""
    rows = PhoneNumber.objects.filter(e164__among=frozenset(keys))
    mine = rows.filter(customer_id=job.customer_id, source=Source.EXTERNAL)
    mine.update(source=source, modified_at=timezone.now())
    return list(rows.exclude(customer_id=job.customer_id).values_list("e164", flat=True))


def _told(settings: Settings, requested: list[str]) -> dict[str, Any]:
    """The settings that history tells besides, as far as they are set."""
    location, address = _place(settings)
    told = {
        "calling_profile_id": settings.calling_profile,
        "location_id": location,
        "civic_address_id": address,
        "acquired_capabilities": requested,
        "displayed_country_code": settings.displayed_country,
    }
    return {name: history.plain(value) for name, value in told.items() if value}


def _insert(task: Task, job: UpstreamJob, keys: list[str], values: dict[str, Any]) -> int:
    """One row for each number that is not here, in one statement for each country: no row passes through Python.

    Returns how many there are.
    """
    settings = Settings.of(values)
    location, address = _place(settings)
    now = timezone.now()
    countries: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        countries[_country(key, settings)].append(key)
    inserted = 0
    for country, some in sorted(countries.items()):
        mine = alive(task).filter(job_ref=job.pk)
        inserted += setwise.insert(
            PhoneNumber,
            mine if len(countries) == 1 else mine.filter(key__among=frozenset(some)),
            ignore_conflicts=True,
            order="key",
            e164=F("key"),
            customer_id=job.customer_id,
            status=BORN.value,
            status_reason=task.params.get("comment", "")[:500],
            status_changed_at=now,
            source=task.params["source"],
            note="",
            tags=[],
            when_created=now,
            modified_at=now,
            upload_entry_id=F("id"),
            upload_job_id=task.pk,
            exact_times={},
            iso_country_code=country,
            calling_profile_id=settings.calling_profile,
            assignment_target_id="",
            activation_state="",
            usage=settings.usage,
            additional_usages=list(settings.additional_usages),
            acquired_capabilities=values["requested"],
            tn_upload_job_id=job.ms_job_id,
            location_id=location,
            civic_address_id=address,
            allow_tenant_address_update=settings.allow_tenant_address_update,
            displayed_country_code=settings.displayed_country,
        )
    return inserted


def _country(e164: str, settings: Settings) -> str:
    if settings.displayed_country and is_toll_free(e164):
        return settings.displayed_country
    return country_of(e164) or ""


def _place(settings: Settings) -> Place:
    """Location and address: the address follows from the location, and from an address its default location."""
    if settings.location is not None:
        location = Location.objects.filter(pk=settings.location).first()
        return (location.pk, location.civic_address_id) if location is not None else (None, None)
    address = CivicAddress.objects.filter(pk=settings.civic_address).first() if settings.civic_address else None
    if address is None:
        return None, None
    places = address.locations.values_list("pk", flat=True)
    return (address.default_location_id if address.default_location_id in places else None), address.pk
