"""Webhooks and deliveries as the REST interface shows them."""

import datetime
import uuid
from typing import Any

from ninja import Schema

from .models import Attempt, Delivery, DeliveryKind, DeliveryState, Standing, Webhook


class WebhookRecord(Schema):
    """A webhook. `note` says why it is disabled; `failures` counts the failed tries of the message that waits.

    `oldSecretUntil`: until then messages are signed by the old secret as well. `nextTryAt` counts while it is failing.
    """

    id: int
    name: str
    url: str
    events: list[str]
    wholeSystem: bool
    channelIds: list[int]
    msTenantIds: list[uuid.UUID]
    state: Standing
    note: str
    disabledAt: datetime.datetime | None
    failures: int
    nextTryAt: datetime.datetime | None
    lastDeliveredAt: datetime.datetime | None
    oldSecretUntil: datetime.datetime | None
    createdAt: datetime.datetime
    createdBy: str


class WebhookWithSecret(WebhookRecord):
    """A webhook with its signing secret, which is told here and never again."""

    secret: str


class DeliveryTry(Schema):
    """One try. `status` is null where no answer came; `error` says why it counts as failed."""

    at: datetime.datetime
    status: int | None
    milliseconds: int
    error: str


class AnsweredTry(DeliveryTry):
    """The same with the beginning of what the receiver said."""

    answer: str


class DeliveryRecord(Schema):
    """One message. `webhookMessageId` is its header webhook-id, the same in every try; `changes` counts those in it."""

    id: int
    webhookMessageId: str
    kind: DeliveryKind
    state: DeliveryState
    changes: int
    createdAt: datetime.datetime
    finishedAt: datetime.datetime | None
    attempts: list[DeliveryTry]


class DeliveryDetail(DeliveryRecord):
    """One message with what is sent."""

    attempts: list[AnsweredTry]  # type: ignore[assignment]
    message: dict[str, Any]


def of_webhook(row: Webhook) -> dict[str, Any]:
    """A webhook: `WebhookRecord`."""
    return {
        "id": row.pk,
        "name": row.name,
        "url": row.url,
        "events": row.events,
        "wholeSystem": row.everything,
        "channelIds": sorted(one.pk for one in row.channels.all()),
        "msTenantIds": sorted(one.tenant_id for one in row.customers.all()),
        "state": row.standing,
        "note": row.note,
        "disabledAt": row.disabled_at,
        "failures": row.failures,
        "nextTryAt": row.next_at if row.standing == Standing.FAILING else None,
        "lastDeliveredAt": row.last_success_at,
        "oldSecretUntil": row.old_secret_until,
        "createdAt": row.created_at,
        "createdBy": row.made_by,
    }


def of_delivery(row: Delivery) -> dict[str, Any]:
    """A delivery with its tries: `DeliveryRecord`. Its text is not read."""
    return {
        "id": row.pk,
        "webhookMessageId": row.uid,
        "kind": row.kind,
        "state": row.state,
        "changes": row.changes,
        "createdAt": row.created_at,
        "finishedAt": row.finished_at,
        "attempts": [of_try(one) for one in row.attempts.all()],
    }


def of_try(one: Attempt) -> dict[str, Any]:
    """A try: `DeliveryTry`. The answer is not read."""
    return {"at": one.at, "status": one.status, "milliseconds": one.milliseconds, "error": one.error}
