"""Shows times in the zone of the person who looks."""

import zoneinfo
from collections.abc import Callable
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


class TimeZoneMiddleware:
    """Activates the signed-in person's time zone; the server's for everybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the zone for this request."""
        timezone.deactivate()
        if request.user.is_authenticated and request.user.time_zone:
            with suppress(zoneinfo.ZoneInfoNotFoundError):  # the server's zone where the name is not known here
                timezone.activate(zoneinfo.ZoneInfo(request.user.time_zone))
        return self.get_response(request)
