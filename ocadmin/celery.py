"""The Celery application. A message is only a nudge: what has to be done stands in the database (tasks/engine.py)."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_ready
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from . import garbage

# A broker that is away: what kombu makes of it, and what it lets through when the connection breaks in the middle.
NO_BROKER = (OperationalError, OSError, RedisError)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocadmin.settings")

app = Celery("ocadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["ocadmin.tasks", "ocadmin.api.webhooks"], related_name="celery_tasks")
app.autodiscover_tasks(["sbc", "ocadmin.numbers"])


@setup_logging.connect
def keep_django_logging(**_kwargs: object) -> None:
    """Connecting to this signal stops Celery from replacing the logging that Django has set up."""


@worker_ready.connect
def settle(**_kwargs: object) -> None:
    """Everything is loaded."""
    garbage.settle()
