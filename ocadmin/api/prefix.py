"""The reference puts `/tenantui` before `/api` in some addresses and not in others: both are taken.

Source: live-platform.md, 3.1 and 8.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIX = "/tenantui"


class PrefixMiddleware:
    """Takes the prefix off before anything looks at the address: answers name the address without it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the address without the prefix, below /api/ only."""
        if request.path_info.startswith(f"{PREFIX}/api/"):
            request.path_info = request.META["PATH_INFO"] = request.path_info.removeprefix(PREFIX)
            request.path = request.path.replace(PREFIX, "", 1)
        return self.get_response(request)
