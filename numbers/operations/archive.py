"""How a number leaves: its row becomes a ReleasedNumber that keeps what it was and when it may be used again."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from ..history import plain
from ..lifecycle import ENDS, Cause, ForbiddenTransition, Status
from ..models import PhoneNumber, ReleasedNumber


def release_completed(
    numbers: Iterable[PhoneNumber], *, at: datetime.datetime, task_ref: int, released_by: str = ""
) -> list[ReleasedNumber]:
    """Turn numbers whose release Microsoft has completed into ReleasedNumbers, in quarantine from `at` on.

    Call inside a transaction with the rows locked. Raises ForbiddenTransition for a number that was not being released.
    """
    numbers = list(numbers)
    for number in numbers:
        if Cause.RELEASE_COMPLETED not in ENDS.get(Status(number.status), ()):
            raise ForbiddenTransition(f"{number.e164} is not being released")
    until = at + datetime.timedelta(days=settings.ENV.quarantine_days)
    released = ReleasedNumber.objects.bulk_create(
        ReleasedNumber(
            e164=number.e164,
            customer_id=number.customer_id,
            iso_country_code=number.iso_country_code,
            calling_profile_id=number.calling_profile_id,
            source=number.source,
            acquired_on=number.acquired_on,
            released_at=at,
            released_by=released_by,
            quarantine_until=until,
            task_ref=task_ref,
            record=snapshot(number),
        )
        for number in numbers
    )
    PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers]).delete()
    return released


def snapshot(number: PhoneNumber) -> dict[str, Any]:
    """All columns of a number as JSON: column name to value."""
    return {field.attname: plain(getattr(number, field.attname)) for field in PhoneNumber._meta.concrete_fields}
