"""The request as our middleware leaves it, for annotations: every view takes one of these."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from .principal import Principal

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """An HttpRequest with the principal (access/middleware.py) and what htmx says about itself."""

    principal: Principal
    htmx: "HtmxDetails"
