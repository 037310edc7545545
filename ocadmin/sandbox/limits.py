"""How often a client may ask: per minute in all, and for releases (upstreams.md 3 and 9.7 F01).

Counted on the virtual clock, like everything else about jobs; a restart forgets the counts.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from .exchange import Refusal, Request

if TYPE_CHECKING:
    from .world import World

MINUTE = 60


class Limits:
    """Times of the requests that were let through, per client and limit."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def clear(self) -> None:
        """Forget all requests."""
        self._seen.clear()

    def check(self, world: World, request: Request) -> None:
        """Let the request pass and count it, or answer 429 with ``Retry-After``."""
        client = request.token.client_id if request.token else ""
        limits = world.job_settings.get("limits")
        wanted = [("minute", limits["perMinute"], MINUTE)]
        if (
            request.method == "POST"
            and request.mount == "oc"
            and request.segments[-1] == "releases"
        ):
            wanted.append(("releases", limits["releases"], limits["releasesSeconds"]))
        now = world.clock.now()
        for name, count, seconds in wanted:
            self._refuse_beyond(self._recent(client, name, now - seconds), count, now, seconds)
        for name, count, _ in wanted:
            if count:
                self._seen[client, name].append(now)

    def _recent(self, client: str, name: str, since: float) -> deque[float]:
        times = self._seen.setdefault((client, name), deque())
        while times and times[0] <= since:
            times.popleft()
        return times

    def _refuse_beyond(self, times: deque[float], count: int, now: float, seconds: float) -> None:
        if not count or len(times) < count:
            return
        wait = max(1, math.ceil(times[-count] + seconds - now))
        text = f"More than {count} requests in {seconds:g} seconds."
        raise Refusal(429, None, text, headers={"Retry-After": str(wait)})
