"""What the shell around every page needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """`simulated`: the upstreams are the sandbox's, and every page says so."""
    return {"simulated": bool(settings.ENV.sandbox_url), "principal": getattr(request, "principal", None)}
