"""The engine: pack changes into deliveries, send them in order, note how it went, try again.

What has to be sent stands in the database: a delivery is written, and the place in the feed moved, before anything
leaves; a try counts when its outcome is written. Whoever dies in between is followed by somebody who sends the same
message again, with the same webhook-id: at least once, never lost. One holds a webhook at a time (its lease), and what
a former holder still writes is refused. No transaction is open while a receiver is asked.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access import feed
from ocadmin.access.sealing import CannotUnseal
from ocadmin.tasks import lease
from ocadmin.tasks.pauses import LONGEST_WAIT_SECONDS, spread

from . import services, signing
from .models import Attempt, Delivery, DeliveryKind, DeliveryState, Webhook, WebhookQuerySet
from .post import Answer, post
from .source import source

MOST_CHANGES = 100
SLICE_SECONDS = 5.0
GONE = 410
_HOUR = 3600
# Seconds before the second try, the third … : three days and a bit.
PAUSES = (5, 30, 120, 600, 1800, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, *([12 * _HOUR] * 5))


class LeaseLost(Exception):
    """Somebody else sends for this webhook now; what this one wanted to write is dropped."""


def due() -> WebhookQuerySet:
    """Webhooks that have something to send now and that nobody holds, those that worked last time first."""
    from ocadmin.access.models import AuditEntry

    now = timezone.now()
    newest = AuditEntry.objects.filter(feed.upto(feed.horizon()), object_type=source().kind).order_by("-xact", "-pk")
    last = feed.Position(*(newest.values_list("xact", "pk").first() or feed.BEGINNING))
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING)
    behind = Q(xact__lt=last.xact) | Q(xact=last.xact, seen__lt=last.pk)
    regular = Q(enabled=True, next_at__lte=now) & (Q(pk__in=waiting.values("webhook")) | behind)
    by_hand = Q(pk__in=waiting.exclude(kind=DeliveryKind.CHANGES).values("webhook"))
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return Webhook.objects.filter(free, regular | by_hand).order_by("failures", "next_at")


def advance(pk: int) -> bool:
    """Send for a webhook until nothing is left, a try fails, or the slice is over. Whether more may be sent at once."""
    owner = lease.new_owner()
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    if not Webhook.objects.filter(free, pk=pk).update(lease_owner=owner, lease_until=now + lease.LEASE):
        return False
    until = time.monotonic() + SLICE_SECONDS
    try:
        while more := _step(pk, owner):
            if time.monotonic() > until:
                break
        with _held(pk, owner) as webhook:
            webhook.lease_owner, webhook.lease_until = "", None
    except LeaseLost:
        return False
    return more


def free_the_dead() -> None:
    """End the leases of processes of this machine that are gone, so that their webhooks go on at once."""
    held = Webhook.objects.filter(lease_until__gt=timezone.now()).exclude(lease_owner="")
    for pk, owner in held.values_list("pk", "lease_owner"):
        if lease.is_dead(owner):
            Webhook.objects.filter(pk=pk, lease_owner=owner).update(lease_until=timezone.now())


@contextmanager
def _held(pk: int, owner: str) -> Iterator[Webhook]:
    """A transaction of the holder, around the webhook's locked row, which is saved. Raises LeaseLost."""
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().filter(pk=pk, lease_owner=owner).first()
        if webhook is None:
            raise LeaseLost
        webhook.lease_until = timezone.now() + lease.LEASE
        yield webhook
        webhook.save()


def _step(pk: int, owner: str) -> bool:
    """Send one message. False where there is none, or where it was not taken."""
    webhook = Webhook.objects.filter(pk=pk, lease_owner=owner).first()
    if webhook is None:
        raise LeaseLost
    waiting = Delivery.objects.filter(webhook=webhook, state=DeliveryState.PENDING).order_by("pk")
    delivery = waiting.exclude(kind=DeliveryKind.CHANGES).first()
    if delivery is None and webhook.enabled and webhook.next_at <= timezone.now():
        delivery = waiting.first() or _pack(webhook, owner)
    if delivery is None:
        return False
    at = timezone.now()
    answer = _send(webhook, delivery)
    with _held(pk, owner) as held:
        _note(held, delivery, answer, at)
    return answer.good or delivery.kind != DeliveryKind.CHANGES


def _send(webhook: Webhook, delivery: Delivery) -> Answer:
    body = delivery.body.encode()
    try:
        signed = signing.headers(webhook, delivery.uid, body, timezone.now())
    except CannotUnseal:
        words = _("The secret cannot be opened, because the secret key was changed. Make a new secret.")
        return Answer(None, 0, words)
    return post(webhook.url, body, {"Content-Type": "application/json", "User-Agent": "ocadmin-webhook/1", **signed})


def _pack(webhook: Webhook, owner: str) -> Delivery | None:
    """The next changes as a delivery; None where there are none. The place in the feed moves with it."""
    upto = feed.horizon()
    asked = feed.Asked(webhook.position)
    rows = feed.entries(source().kind, webhook.scope(), asked, upto, MOST_CHANGES, _wanted(webhook.events))
    full = len(rows) == MOST_CHANGES
    position = feed.Position(rows[-1].xact, rows[-1].pk) if full else max(upto, webhook.position)
    delivery = None
    if rows:
        told = source().described(rows)
        body = message(source().type, told[-1]["at"], {"changes": told, "nextSince": str(position)})
        delivery = Delivery(webhook=webhook, uid=new_uid(), body=body, changes=len(rows), behind=str(webhook.position))
    with _held(webhook.pk, owner) as held:
        held.xact, held.seen = position
        if delivery is not None:
            delivery.save()
    return delivery


def _wanted(events: list[str]) -> Q | None:
    """The condition of the chosen kinds of changes; None for all of them."""
    wanted = Q()
    for family in events:
        wanted |= Q(action__startswith=family)
    return wanted if events else None


def message(kind: str, at: str, data: dict[str, Any]) -> str:
    """The text of a message. Made once: a signature holds for these very bytes."""
    return json.dumps({"type": kind, "timestamp": at, "data": data}, ensure_ascii=False, separators=(",", ":"))


def new_uid() -> str:
    """A webhook-id."""
    return f"msg_{uuid.uuid4().hex}"


def _note(webhook: Webhook, delivery: Delivery, answer: Answer, at: Any) -> None:
    """Write down how a try went, and what follows. The webhook is saved by the caller."""
    Attempt.objects.create(
        delivery=delivery,
        at=at,
        status=answer.status,
        milliseconds=answer.milliseconds,
        error=answer.error,
        answer=answer.text,
    )
    regular = delivery.kind == DeliveryKind.CHANGES
    over = answer.good or not regular
    if over:
        state = DeliveryState.DELIVERED if answer.good else DeliveryState.FAILED
        Delivery.objects.filter(pk=delivery.pk).update(state=state, finished_at=timezone.now())
    if answer.good:
        webhook.last_success_at = timezone.now()
    if regular and answer.good:
        webhook.failures, webhook.next_at = 0, timezone.now()
    elif regular:
        _failed(webhook, answer)


def _failed(webhook: Webhook, answer: Answer) -> None:
    """Wait longer each time; disable it where the receiver wants no more, or after the last try."""
    if not webhook.enabled:  # somebody has just disabled it
        return
    webhook.failures += 1
    if answer.status == GONE:
        services.give_up(webhook, _("The receiver answered 410: it wants no more messages."))
    elif webhook.failures > len(PAUSES):
        words = _("%(n)d tries in about three days failed. The last time: %(error)s")
        services.give_up(webhook, words % {"n": webhook.failures, "error": answer.error})
    else:
        pause = max(spread(PAUSES[webhook.failures - 1]), answer.wait or 0.0)
        webhook.next_at = timezone.now() + timedelta(seconds=min(pause, LONGEST_WAIT_SECONDS))
