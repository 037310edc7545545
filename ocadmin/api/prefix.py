"""The reference writes its addresses in several ways: all of them are taken.

It puts `/tenantui` before `/api` in some and not in others, and ends some with a slash, which its router does not mind.
Source: live-platform.md, 3.1, 3.2 and 8.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIX = "/tenantui"
ROOT = "/api/"


class PrefixMiddleware:
    """Takes both off before anything looks at the address: answers name the address without them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the address without the prefix and without the slash at its end, below /api/ only."""
        if request.path_info.startswith(f"{PREFIX}{ROOT}"):
            request.path_info = request.path_info.removeprefix(PREFIX)
            request.path = request.path.replace(PREFIX, "", 1)
        if request.path_info.startswith(ROOT) and request.path_info != ROOT:
            request.path_info = request.path_info.removesuffix("/")
            request.path = request.path.removesuffix("/")
        request.META["PATH_INFO"] = request.path_info
        return self.get_response(request)
