"""The reference writes its addresses in several ways: all of them are taken.

It puts `/tenantui` before `/api` in some and not in others, ends some with a slash, and its router minds neither that
nor the case of letters. Source: live-platform.md, 3.1, 3.2 and 8.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIX = "/tenantui"
ROOT = "/api/"


class PrefixMiddleware:
    """Makes them one before anything looks at the address: answers name it in that way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the address without the prefix, small letters, no slash at its end; below /api/ only."""
        found = request.path_info
        plain = found.lower().removeprefix(PREFIX)
        if plain.startswith(ROOT) and found != ROOT:
            plain = plain.removesuffix("/") if plain != ROOT else plain
            request.path = request.path.removesuffix(found) + plain
            request.path_info = request.META["PATH_INFO"] = plain
        return self.get_response(request)
