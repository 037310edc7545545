"""The zone of the person who looks, a page where an address does not take the method, the log of requests."""

import re
import zoneinfo
from collections.abc import Callable
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware

# Where a client puts a secret into the address, which no address of ours takes, it must not stand in the log as well.
_SECRET = re.compile(r"([?&][^=&]*(?:secret|password|token|assertion)[^=&]*=)[^&]*", re.IGNORECASE)


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


class MethodNotAllowedMiddleware:
    """405 in the console's own words: Django has no handler for it and answers with an empty body.

    Only for browsers that ask for a page. Programs, and htmx, keep the short answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Give the empty answer a page; status and Allow stay."""
        response = self.get_response(request)
        if response.status_code != 405 or response.content or "text/html" not in request.headers.get("Accept", ""):
            return response
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page


class RequestLogMiddleware(RequestMiddleware):
    """django-structlog's, without secrets."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and address."""
        address = _SECRET.sub(r"\1…", request.get_full_path())
        return f"{request.method} {address}"
