"""How a number leaves: its row becomes a ReleasedNumber that keeps what it was and when it may be used again."""

import datetime
import uuid

from django.conf import settings
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When

from .. import setwise
from ..lifecycle import ENDS, Cause, ForbiddenTransition, Status
from ..models import PhoneNumber, ReleasedNumber


def leave(
    numbers: QuerySet[PhoneNumber],
    cause: Cause,
    *,
    at: datetime.datetime,
    task_ref: int,
    released_by: str = "",
    ms_job_id: uuid.UUID | None = None,
) -> int:
    """Turn numbers into ReleasedNumbers, in quarantine from `at` on. Returns how many there were.

    Call inside a transaction, with a query without joins. Three statements however many numbers there are; none passes
    through Python. Raises ForbiddenTransition where one has a status that does not end by this cause (lifecycle.ENDS),
    or gets one meanwhile: then the caller's transaction has to be rolled back, which keeps everything.
    """
    ends = [status for status in ENDS if cause in ENDS[status]]
    for status in numbers.exclude(status__in=ends).order_by().values_list("status", flat=True)[:1]:
        raise ForbiddenTransition(f"{cause} does not end the status {Status(status).name}")
    leaving = numbers.filter(status__in=ends)
    archived = setwise.insert(
        ReleasedNumber,
        leaving.select_for_update(),  # so that it is these rows that are deleted
        e164=F("e164"),
        customer_id=F("customer_id"),
        iso_country_code=F("iso_country_code"),
        calling_profile_id=F("calling_profile_id"),
        source=F("source"),
        acquired_on=F("acquired_on"),
        released_at=at,
        released_by=released_by,
        quarantine_until=_quarantine_until(at),
        ms_job_id=ms_job_id,
        task_ref=task_ref,
        record=setwise.as_json(PhoneNumber),
    )
    if leaving.delete()[0] != archived:
        raise ForbiddenTransition("a number changed its status while it was being archived")
    return archived


def quarantine(country: str) -> datetime.timedelta:
    """How long a number of a country rests after its release (OCADMIN_QUARANTINE_COUNTRIES, else _DAYS)."""
    days = settings.ENV.quarantine_countries.get(country, settings.ENV.quarantine_days)
    return datetime.timedelta(days=days)


def _quarantine_until(at: datetime.datetime) -> Case:
    """The same rule for a set of numbers."""
    moment = DateTimeField()
    whens = [
        When(iso_country_code=country, then=Value(at + quarantine(country), moment))
        for country in settings.ENV.quarantine_countries
    ]
    return Case(*whens, default=Value(at + quarantine(""), moment), output_field=moment)
