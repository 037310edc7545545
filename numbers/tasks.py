"""The Celery side of the app: what the schedule starts."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from ocadmin.access.audit import Channel
from ocadmin.access.principal import SYSTEM
from ocadmin.console import private_files
from ocadmin.tasks.services import AlreadyRunning

from . import importing
from .exporting.prepared import FOLDER
from .models import PastedList
from .operations import clean_up, drift, sync
from .pasted import KEPT_FOR

logger = logging.getLogger(__name__)


@shared_task(name="numbers.scheduled_sync")
def scheduled_sync() -> None:
    """Start the regular synchronisation; while one runs the next one is left out."""
    try:
        sync.start(by=SYSTEM, channel=Channel.SCHEDULE)
    except AlreadyRunning as running:
        logger.info("the scheduled synchronisation was left out: task %s is still running", running.task.pk)


@shared_task(name="numbers.scheduled_drift")
def scheduled_drift() -> None:
    """Start the regular comparison of database, Microsoft and SBCs; while one runs the next one is left out."""
    try:
        drift.start(by=SYSTEM, channel=Channel.SCHEDULE)
    except AlreadyRunning as running:
        logger.info("the scheduled drift report was left out: task %s is still running", running.task.pk)


@shared_task(name="numbers.clean_up")
def scheduled_clean_up() -> None:
    """Start the clean-up, or wake it, where numbers are ready for removal that it does not know of yet."""
    if clean_up.idle().exists():
        clean_up.start(by=SYSTEM, channel=Channel.SCHEDULE)


@shared_task(name="numbers.forget_pasted_lists")
def forget_pasted_lists() -> None:
    """Delete pasted lists after a week."""
    PastedList.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


@shared_task(name="numbers.forget_imports")
def forget_imports() -> None:
    """Delete uploaded files, with their previews, that are older than they are kept."""
    importing.forget_old()


@shared_task(name="numbers.forget_exports")
def forget_exports() -> None:
    """Delete prepared files that have been kept long enough."""
    private_files.forget(FOLDER, settings.ENV.keep_files_hours)
