"""How often Microsoft lets us ask, kept for all workers together.

Releases: 10 requests in 10 seconds (live-platform.md §3.6). A request counts from the moment its job's row says that it
was sent; half a second more than the window keeps two clocks and the way there from mattering.
"""

import zlib
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from ..models import UpstreamJob

WINDOWS: dict[str, tuple[int, float]] = {"releases": (10, 10.5)}


def seconds_until_free(kind: str) -> float:
    """How long to wait before the next request of a kind, 0 where it may be sent now.

    Inside a transaction the answer holds until its end: PostgreSQL's lock, or SQLite's single writer, keeps other
    workers from sending meanwhile.
    """
    if kind not in WINDOWS:
        return 0.0
    count, seconds = WINDOWS[kind]
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(f"ocadmin {kind}".encode())])
    now = timezone.now()
    sent = UpstreamJob.objects.filter(kind=kind, sent_at__gt=now - timedelta(seconds=seconds))
    latest = list(sent.order_by("-sent_at").values_list("sent_at", flat=True)[:count])
    if len(latest) < count or latest[-1] is None:
        return 0.0
    return max((latest[-1] + timedelta(seconds=seconds) - now).total_seconds(), 0.01)
