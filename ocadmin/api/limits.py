"""How often a client may do something, across all processes: one row and one statement for each limited request.

Only what is limited writes, and only actions and sign-ins are: reads cost no write. A window begins with the first
request and ends after its length, so a client that is quiet in between may do twice the limit around the end of one.
The database is where the count is, because the broker may be away and the cache belongs to one process.
"""

import math
import time

from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.throttling import BaseThrottle

from ocadmin.access.models import RateWindow
from ocadmin.access.request import principal_behind

from .problems import Problem

FORGET_SECONDS = 86_400.0

_TAKE = """
INSERT INTO access_ratewindow (key, started, count) VALUES (%s, %s, 1)
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN access_ratewindow.started <= %s THEN 1 ELSE access_ratewindow.count + 1 END,
    started = CASE WHEN access_ratewindow.started <= %s THEN excluded.started ELSE access_ratewindow.started END
RETURNING count, started
"""


def take(key: str, times: int, seconds: float) -> int:
    """Count one, and say how many seconds to wait: 0 where there were at most `times` in the last `seconds`."""
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [key, now, now - seconds, now - seconds])
        count, started = cursor.fetchone()
    return 0 if count <= times else max(1, math.ceil(started + seconds - now))


def spent(key: str, times: int, seconds: float) -> int:
    """Seconds to wait where there were `times` already, without counting one; else 0."""
    now = time.time()
    row = RateWindow.objects.filter(key=key, started__gt=now - seconds, count__gte=times).first()
    return max(1, math.ceil(row.started + seconds - now)) if row else 0


def forget() -> None:
    """Delete windows that ended long ago."""
    RateWindow.objects.filter(started__lt=time.time() - FORGET_SECONDS).delete()


def too_many(wait: int) -> Problem:
    """429 with Retry-After."""
    sentence = _("Too many requests. Try again in %(n)d seconds.") % {"n": wait}
    return Problem(429, "too_many_requests", sentence, headers={"Retry-After": str(wait)})


class PerClient(BaseThrottle):
    """The limit of one kind of request for each client: `throttle=PerClient("release", 10, 10)`.

    Endpoints with the same name share the limit.
    """

    def __init__(self, name: str, times: int, seconds: float) -> None:
        self.name, self.times, self.seconds = name, times, seconds

    def allow_request(self, request: HttpRequest) -> bool:
        """Count it. Raises Problem 429, because what ninja makes of False cannot carry the seconds between threads."""
        wait = take(f"{self.name}:{principal_behind(request).user_id}", self.times, self.seconds)
        if wait:
            raise too_many(wait)
        return True
