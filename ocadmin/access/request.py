"""The request as our middleware leaves it, for annotations: every view takes one of these."""

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

from .principal import Principal

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from .models import User


class Request(HttpRequest):
    """An HttpRequest with the principal (access/middleware.py) and what htmx says about itself."""

    principal: Principal
    htmx: "HtmxDetails"


class SignedInRequest(Request):
    """The request of a view behind login_required or LoginRequiredMixin: its user is a person, never a visitor."""

    user: "User"


def principal_behind(request: HttpRequest) -> Principal:
    """`request.principal` where Django's admin dictates the signature and calls the request a plain HttpRequest."""
    return cast(Request, request).principal
