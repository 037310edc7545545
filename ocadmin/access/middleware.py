"""Puts the principal on the request."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from .principal import Principal
from .request import Request
from .services import principal_of


class PrincipalMiddleware:
    """`request.principal`: who is asking. Read lazily, so that pages without a user cost no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        """Set it and go on."""
        request.principal = cast(Principal, SimpleLazyObject(lambda: principal_of(request.user)))
        return self.get_response(request)
