"""The Celery side: beat says when to look, and a nudge saves waiting for it."""

import logging

from celery import shared_task
from django.db import transaction

from ocadmin.celery import NO_BROKER

from . import crew, services

logger = logging.getLogger(__name__)


@shared_task(name="webhooks.send_due")
def send_due() -> None:
    """Send what is due; runs every few seconds. The sending itself takes none of Celery's threads."""
    crew.call()


@shared_task(name="webhooks.tidy")
def tidy() -> None:
    """Forget old deliveries."""
    services.tidy()


def nudge() -> None:
    """Let a worker look at once, after the transaction. A nudge that is lost does no harm."""
    transaction.on_commit(_publish)


def _publish() -> None:
    try:
        send_due.apply_async(retry=False)
    except NO_BROKER as error:
        logger.warning("no broker to nudge webhooks (%s): they are sent when a worker looks", error)
