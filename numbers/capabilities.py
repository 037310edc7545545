"""Capabilities and the usages they go with: one table (live-platform.md §5.2, get-numbers-v3.txt)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CALLING_USER = "CallingUserAssignment"
FIRST_PARTY_APP = "FirstPartyAppAssignment"
CONFERENCE = "ConferenceAssignment"

USAGES: dict[str, tuple[str, ...]] = {
    "InboundCalling": (CALLING_USER, FIRST_PARTY_APP, CONFERENCE),
    "OutboundCalling": (CALLING_USER, FIRST_PARTY_APP, CONFERENCE),
    "OCMobile": (CALLING_USER,),
    "Mobile": (CALLING_USER, FIRST_PARTY_APP),
}

LABELS: dict[str, Promise] = {
    "InboundCalling": _("Inbound calling"),
    "OutboundCalling": _("Outbound calling"),
    "OCMobile": _("OC Mobile"),
    "Mobile": _("Mobile"),
    "Geographic": _("Geographic number"),
    "TollFree": _("Toll-free number"),
    "Office365": _("Office 365"),
    "SharedCalling": _("Shared calling"),
    "UserAssignment": _("May be assigned to a user"),
    "FirstPartyAppAssignment": _("May be assigned to an auto attendant or call queue"),
    "ConferenceAssignment": _("May be assigned to a conference bridge"),
}


@dataclass(frozen=True)
class Row:
    """One capability of one number. `available` is None where Microsoft has not told which are available."""

    word: str
    label: str
    acquired: bool
    available: bool | None
    usages: tuple[str, ...]


def compare(acquired: list[str], available: list[str] | None) -> list[Row]:
    """Both lists as sets (their order means nothing), acquired first; unknown words keep their spelling."""
    have, may = set(acquired), set(available or ())
    words = sorted(have | may, key=lambda word: (word not in have, word))
    return [
        Row(
            word=word,
            label=str(LABELS.get(word, word)),
            acquired=word in have,
            available=None if available is None else word in may,
            usages=USAGES.get(word, ()),
        )
        for word in words
    ]
