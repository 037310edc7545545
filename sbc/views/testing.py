"""Test the connection to an SBC: asked by a person, so it is asked even after it refused our login."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from ocadmin.access.audit import Channel, record
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from sbc.examination import examine

from .editing import find
from .sbcs import page


@login_required
@require_POST
def test(request: SignedInRequest, pk: int) -> HttpResponse:
    """The SBC's page with what the test has found."""
    sbc = find(request, pk, Permission.PUSH_SBC)
    found = examine(sbc)
    record(
        "sbc.test",
        by=request.principal,
        channel=Channel.WEB,
        object_type="sbc",
        object_id=str(sbc.pk),
        label=sbc.name,
        after={"problems": [step.text for step in found.steps if step.verdict == "bad"]},
    )
    return page(request, sbc, found)
