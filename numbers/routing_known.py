"""What is known of a dialled number, for the screen that says where a call would go."""

from django.urls import reverse
from django.utils.translation import gettext as _

from ocadmin.access.principal import Principal
from sbc.where import Known

from . import routing
from .lifecycle import Status
from .models import PhoneNumber


def known(principal: Principal, dialled: str) -> Known | None:
    """Status and customer of a number of ours, and the tags that SBCs should give it. A plus may be missing."""
    e164 = dialled if dialled.startswith("+") else f"+{dialled}"
    found = PhoneNumber.objects.visible_to(principal).select_related("customer").filter(e164=e164).first()
    if found is None:
        return None
    tags = {sbc.pk: rules[0].tag for sbc, rules in routing.rules([found]).items()}
    words = f"{e164} · {Status(found.status).label} · {found.customer.full_name}"
    note = ""
    if found.source not in routing.MANAGED:
        note = _("It was added outside this console, so the console writes no rule for it.")
    elif not tags:
        note = _("No SBC is known for its customer and calling profile.")
    return Known(reverse("numbers:number", args=[e164]), words, tags, note)
