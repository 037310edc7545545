"""Puts the principal on the request, and leads a visitor back to the page they came from after the sign-in."""

from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

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


class SignInReturnMiddleware:
    """After the sign-in a visitor is on the page they came from, not on the address their form was sent to.

    The session may have ended while a form was open. What the form said is gone by then, and most addresses that take
    a form cannot be looked at.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Exchange the way back in a redirect to the sign-in that answers anything but GET and HEAD."""
        response = self.get_response(request)
        if request.method in ("GET", "HEAD") or not isinstance(response, HttpResponseRedirect):
            return response
        if _asks_to_sign_in(response) and not request.user.is_authenticated:
            response.headers["Location"] = redirect_to_login(page_before(request)).url
        return response


def _asks_to_sign_in(response: HttpResponseRedirect) -> bool:
    target = urlsplit(response.url)
    return target.path == resolve_url(settings.LOGIN_URL) and "next" in parse_qs(target.query)


def page_before(request: HttpRequest) -> str:
    """Path and query of the page of ours that the request came from, as its Referer says; "/" where it says none."""
    try:
        referer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # not an address at all, for example http://[
        return "/"
    address = referer._replace(scheme="", netloc="", fragment="").geturl()
    ours = referer.netloc == request.get_host() and address.startswith("/")
    return address if ours and url_has_allowed_host_and_scheme(address, None) else "/"
