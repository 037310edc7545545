"""What is done with webhooks: made, changed, enabled, disabled, tried out. Every verb writes the audit trail.

Whoever sends at the moment loses the lease when it is changed what is sent, or where to: what is then learned about the
old state is dropped, and the message goes out again as it is now right.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access import feed
from ocadmin.access.audit import Channel, record
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import SYSTEM, Principal

from . import signing
from .models import Attempt, Delivery, DeliveryKind, DeliveryState, Webhook

KEEP = timedelta(days=30)
CHUNK = 1_000


def demand(by: Principal) -> None:
    """Raise PermissionDenied for who has nothing to do with webhooks, whether there is the one they ask for or not."""
    if not by.can_everywhere(Permission.MANAGE_ACCESS):
        raise PermissionDenied(
            _("Webhooks send data to other systems. Only people who manage access to the whole system see them.")
        )


@transaction.atomic
def make(
    values: Mapping[str, Any],
    channels: Iterable[Any],
    customers: Iterable[Any],
    by: Principal,
    *,
    channel: Channel = Channel.WEB,
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is not told again. `values`: name, url, events, everything.

    It is told what is committed from now on.
    """
    secret = signing.new_secret()
    webhook = Webhook(**values, created_by_id=by.user_id, sealed_secret=signing.seal(secret))
    webhook.xact, webhook.seen = feed.horizon()
    webhook.save()
    webhook.channels.set(channels)
    webhook.customers.set(customers)
    _record("add", webhook, by, after=_told(webhook), channel=channel)
    return webhook, secret


@transaction.atomic
def change(
    pk: int,
    values: Mapping[str, Any],
    channels: Iterable[Any],
    customers: Iterable[Any],
    by: Principal,
    *,
    channel: Channel = Channel.WEB,
) -> Webhook:
    """Other values. A message that waits is packed anew where it might hold what is no longer wanted."""
    webhook = _taken(pk)
    before = _told(webhook)
    for name, value in values.items():
        setattr(webhook, name, value)
    webhook.channels.set(channels)
    webhook.customers.set(customers)
    after = _told(webhook)
    changed = [name for name in after if before[name] != after[name]]
    if set(changed) - {"name", "url"}:
        _unpack(webhook)
    if "url" in changed:
        webhook.failures, webhook.next_at = 0, timezone.now()
    webhook.save()
    if changed:
        sides = ({name: side[name] for name in changed} for side in (before, after))
        _record("change", webhook, by, *sides, channel=channel)
    return webhook


@transaction.atomic
def delete(pk: int, by: Principal, *, channel: Channel = Channel.WEB) -> None:
    """Away with it, and with its log."""
    webhook = _locked(pk)
    _record("delete", webhook, by, before=_told(webhook), channel=channel)
    Attempt.objects.filter(delivery__webhook=webhook).delete()
    webhook.deliveries.only("pk").delete()  # without their texts, which could be many
    webhook.delete()


@transaction.atomic
def enable(pk: int, by: Principal, *, skip: bool = False, channel: Channel = Channel.WEB) -> bool:
    """Send again, at once and with all tries. `skip`: what happened meanwhile is not told. False: it was enabled."""
    webhook = _taken(pk)
    if webhook.enabled:
        return False
    webhook.enabled, webhook.note, webhook.disabled_at = True, "", None
    webhook.failures, webhook.next_at = 0, timezone.now()
    if skip:
        _pending(webhook).update(state=DeliveryState.FAILED, finished_at=timezone.now())
        webhook.xact, webhook.seen = feed.horizon()
    webhook.save()
    _record("enable", webhook, by, after={"skipped": skip}, channel=channel)
    return True


@transaction.atomic
def disable(pk: int, by: Principal, *, channel: Channel = Channel.WEB) -> bool:
    """Send no more until somebody enables it. False where it was disabled."""
    webhook = _locked(pk)
    if not webhook.enabled:
        return False
    _disable(webhook, _("Disabled by %(who)s.") % {"who": by.name})
    webhook.save()
    _record("disable", webhook, by, channel=channel)
    return True


def give_up(webhook: Webhook, why: str) -> None:
    """Disable it because it cannot be reached; the caller holds the row and saves it."""
    _disable(webhook, why)
    _record("disable", webhook, SYSTEM, channel=Channel.SCHEDULE, message=webhook.note)


@transaction.atomic
def new_secret(pk: int, by: Principal, *, channel: Channel = Channel.WEB) -> str:
    """Another secret. Messages are signed by both for a day, so that the receiver can be changed in between."""
    webhook = _locked(pk)
    secret = signing.new_secret()
    webhook.sealed_old_secret, webhook.old_secret_until = webhook.sealed_secret, timezone.now() + signing.OVERLAP
    webhook.sealed_secret = signing.seal(secret)
    webhook.save()
    _record("secret", webhook, by, after={"old_secret_until": webhook.old_secret_until.isoformat()}, channel=channel)
    return secret


@transaction.atomic
def send_test(pk: int, by: Principal, *, channel: Channel = Channel.WEB) -> Delivery:
    """A message without changes, sent once, also while the webhook is disabled."""
    from . import sending

    webhook = _locked(pk)
    at = timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = sending.message("webhook.test", at, {"webhook": webhook.name})
    delivery = Delivery.objects.create(webhook=webhook, uid=sending.new_uid(), kind=DeliveryKind.TEST, body=body)
    _record("test", webhook, by, after={"webhook-id": delivery.uid}, channel=channel)
    return delivery


@transaction.atomic
def again(delivery: Delivery, by: Principal, *, channel: Channel = Channel.WEB) -> Delivery:
    """The same message once more, out of order and once, with its webhook-id."""
    copied = {name: getattr(delivery, name) for name in ("webhook", "uid", "body", "changes", "behind")}
    made = Delivery.objects.create(**copied, kind=DeliveryKind.AGAIN)
    _record("again", delivery.webhook, by, after={"webhook-id": made.uid}, channel=channel)
    return made


def tidy() -> int:
    """Forget deliveries that ended more than 30 days ago. Returns how many."""
    old = Delivery.objects.filter(finished_at__lt=timezone.now() - KEEP).order_by("pk")
    forgotten = 0
    while keys := list(old.values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            Attempt.objects.filter(delivery__in=keys).delete()
            Delivery.objects.filter(pk__in=keys).only("pk").delete()
        forgotten += len(keys)
    return forgotten


def _locked(pk: int) -> Webhook:
    return Webhook.objects.select_for_update().get(pk=pk)


def _taken(pk: int) -> Webhook:
    """The locked row, and nobody sends for it any more."""
    webhook = _locked(pk)
    webhook.lease_owner, webhook.lease_until = "", None
    return webhook


def _disable(webhook: Webhook, why: str) -> None:
    webhook.enabled, webhook.note, webhook.disabled_at = False, why[:500], timezone.now()


def _pending(webhook: Webhook) -> Any:
    return Delivery.objects.filter(webhook=webhook, state=DeliveryState.PENDING, kind=DeliveryKind.CHANGES)


def _unpack(webhook: Webhook) -> None:
    """Take back the message that waits: its changes are packed again."""
    waiting = _pending(webhook).first()
    position = feed.read_cursor(waiting.behind) if waiting else None
    if waiting is not None and position is not None:
        webhook.xact, webhook.seen = position
        Attempt.objects.filter(delivery=waiting).delete()
        waiting.delete()


def _told(webhook: Webhook) -> dict[str, Any]:
    """What the audit trail says of one."""
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "everything": webhook.everything,
        "channels": sorted(webhook.channels.values_list("pk", flat=True)),
        "customers": sorted(webhook.customers.values_list("pk", flat=True)),
    }


def _record(
    verb: str,
    webhook: Webhook,
    by: Principal,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    channel: Channel = Channel.WEB,
    message: str = "",
) -> None:
    record(
        f"webhook.{verb}",
        by=by,
        channel=channel,
        object_type="webhook",
        object_id=str(webhook.pk),
        label=webhook.name,
        before=dict(before or {}),
        after=dict(after or {}),
        message=message,
    )
