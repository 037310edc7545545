"""Test the connection to an SBC: asked by a person, so it is asked even after it refused our login."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from sbc import records

from .editing import find
from .sbcs import page


@login_required
@require_POST
def test(request: SignedInRequest, pk: int) -> HttpResponse:
    """The SBC's page with what the test has found."""
    sbc = find(request, pk, Permission.PUSH_SBC)
    return page(request, sbc, records.examine(sbc, by=request.principal, channel=Channel.WEB))
