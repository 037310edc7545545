"""The time a number rests after its release (archive.py sets it), and ending it early.

While it rests nobody but the customer who had it may have it: calls for them may still arrive (upstreams.md §10).
"""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.tasks.models import ItemState
from ocadmin.tasks.plans import Group, Plan, sample_of

from . import setwise
from .history import OBJECT_TYPE
from .models import ReleasedNumber
from .models.customer import reached_by

END = "end-quarantine"  # the name of the action in addresses
WILL, OVER, NOT_PERMITTED = "will", "over", "not_permitted"  # verdicts


def plan(rows: QuerySet[ReleasedNumber], by: Principal) -> Plan:
    """How many of the released numbers would leave quarantine now, and why the others would not."""
    conditions = _conditions(by, timezone.now())
    counts = rows.order_by().aggregate(**{code: Count("pk", filter=which) for code, which in conditions.items()})
    refusal = _("Your role does not include “%(what)s” for this customer.") % {"what": Permission.END_QUARANTINE.label}
    reasons = {
        OVER: (ItemState.UNCHANGED, _("The quarantine is over already.")),
        NOT_PERMITTED: (ItemState.REFUSED, refusal),
    }
    groups = [
        Group(code, sentence, state, counts[code], _sample(rows.filter(conditions[code])))
        for code, (state, sentence) in reasons.items()
        if counts[code]
    ]
    return Plan(counts[WILL], _sample(rows.filter(conditions[WILL])), groups)


def having(verdict: str, rows: QuerySet[ReleasedNumber], by: Principal) -> QuerySet[ReleasedNumber]:
    """Those with a verdict of the plan; WILL: those whose quarantine would end now."""
    return rows.filter(_conditions(by, timezone.now())[verdict])


def end(rows: QuerySet[ReleasedNumber], *, by: Principal, channel: str, comment: str, ticket: str = "") -> int:
    """End the quarantine of those that may and have not; with a line in the history of each. Returns how many.

    A handful of statements however many there are. Doing it twice changes nothing.
    """
    with transaction.atomic():
        now = timezone.now()
        permitted = rows.filter(_conditions(by, now)[WILL])
        keys = list(permitted.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        resting = ReleasedNumber.objects.filter(pk__in=keys)
        _tell(resting, now, by=by, channel=channel, message=comment[:500], ticket=ticket)
        return resting.update(quarantine_until=now)


def _conditions(by: Principal, now: datetime.datetime) -> dict[str, Q]:
    """Verdict to the rows that have it."""
    permitted = Q(pk__isnull=False) & reached_by(by.scope(Permission.END_QUARANTINE))
    resting = Q(quarantine_until__gt=now)
    return {WILL: permitted & resting, OVER: permitted & ~resting, NOT_PERMITTED: ~permitted}


def _sample(rows: QuerySet[ReleasedNumber]) -> list[str]:
    return sample_of(rows.order_by("e164").values_list("e164", flat=True))


def _tell(resting: QuerySet[ReleasedNumber], now: datetime.datetime, *, by: Principal, **values: Any) -> None:
    setwise.insert(
        AuditEntry,
        resting,
        at=now,
        actor_id=by.user_id,
        actor_name=by.name,
        action="quarantine.ended",
        object_type=OBJECT_TYPE,
        object_id=F("e164"),
        label=F("e164"),
        customer_ref=F("customer_id"),
        channel_ref=F("customer__channel_id"),
        task_ref=None,
        before=setwise.as_json(ReleasedNumber, "quarantine_until"),
        after={"quarantine_until": now.isoformat()},
        **values,
    )
