"""Where would this call go? Type any number, see what every SBC would do with it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from sbc import where


@login_required
@require_safe
def page(request: SignedInRequest) -> HttpResponse:
    """`?number=`: as dialled, or as people write it."""
    if not request.principal.can_everywhere(Permission.VIEW):
        raise PermissionDenied(
            _("SBCs are shared by customers. Only people with a role for the whole system see them.")
        )
    text = request.GET.get("number", "").strip()[:100]
    context: dict[str, Any] = {"text": text, "longest": where.LONGEST}
    number = where.dialled(text) if text else None
    if number:
        known = where.known(request.principal, number)
        context |= {"number": number, "known": known, "answers": where.answers(number, request.principal, known)}
    return render(request, "sbc/where.html", context)
