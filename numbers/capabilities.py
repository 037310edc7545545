"""Capabilities and the usages they go with: one table (live-platform.md §5.2, get-numbers-v3.txt)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Contains
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CALLING_USER = "CallingUserAssignment"
FIRST_PARTY_APP = "FirstPartyAppAssignment"
CONFERENCE = "ConferenceAssignment"
THIRD_PARTY_APP = "ThirdPartyAppAssignment"
TOLL_FREE = "TollFree"
CALLS = ("InboundCalling", "OutboundCalling")  # what numbers have where nobody says otherwise

# The capability that a usage brings, which tells the usage of a number of which Microsoft names none (§5.1, §5.3).
BROUGHT: dict[str, str] = {
    CALLING_USER: "UserAssignment",
    FIRST_PARTY_APP: "FirstPartyAppAssignment",
    CONFERENCE: "ConferenceAssignment",
    THIRD_PARTY_APP: "ThirdPartyAppAssignment",
}

USAGE_LABELS: dict[str, Promise] = {
    CALLING_USER: _("users"),
    FIRST_PARTY_APP: _("auto attendants and call queues"),
    CONFERENCE: _("conference bridges"),
    THIRD_PARTY_APP: _("apps of third parties"),
}

# The capabilities that may be added and removed, each with the usages it goes with.
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


def usages_of(word: str) -> str:
    """The usages a capability goes with, in words: "users, conference bridges"."""
    return ", ".join(str(USAGE_LABELS[usage]) for usage in USAGES[word])


def holds(column: str, word: str) -> Q:
    """Rows whose list of texts (a JSON column, not null) holds the word.

    SQLite has no "contains" for JSON: there the text is searched.
    """
    if connection.features.supports_json_field_contains:
        return Q(**{f"{column}__contains": [word]})
    return Q(Contains(Cast(column, TextField()), f'"{word}"'))


def used_for(usages: Iterable[str]) -> Q:
    """Numbers with one of these usages, as the first or as an additional one.

    Where Microsoft names no usage, the capabilities that usages bring tell it.
    """
    return reduce(
        or_,
        (
            Q(usage=usage) | holds("additional_usages", usage) | (Q(usage="") & holds("acquired_capabilities", brought))
            for usage, brought in BROUGHT.items()
            if usage in set(usages)
        ),
    )


def usage_known() -> Q:
    """Numbers of which it is known, or can be told, what they are used for."""
    return ~Q(usage="") | used_for(BROUGHT)
