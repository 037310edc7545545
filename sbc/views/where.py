"""Where would this call go? Type any number, see what every SBC would do with it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ocadmin.access.request import SignedInRequest
from sbc import rights, where


@login_required
@require_safe
def page(request: SignedInRequest) -> HttpResponse:
    """`?number=`: as dialled, or as people write it."""
    rights.demand_sight(request.principal)
    text = request.GET.get("number", "").strip()[:100]
    context: dict[str, Any] = {"text": text, "longest": where.LONGEST}
    number = where.dialled(text) if text else None
    if number:
        known = where.known(request.principal, number)
        context |= {"number": number, "known": known, "answers": where.answers(number, request.principal, known)}
    return render(request, "sbc/where.html", context)
