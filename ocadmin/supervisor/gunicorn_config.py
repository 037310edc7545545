"""Settings of gunicorn that its command line cannot express; the rest stands in services.py."""

import os
from typing import Any

from ocadmin import garbage

from .child import end_with_parent


def post_fork(arbiter: Any, worker: Any) -> None:
    """A worker process dies with gunicorn's arbiter, even where that is killed with -9."""
    if not end_with_parent(arbiter.pid):
        os._exit(1)


def post_worker_init(worker: Any) -> None:
    """The application is loaded."""
    garbage.settle()
