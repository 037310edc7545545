"""Words for "who uses this number": one concordance of the spellings of all upstreams (upstreams.md §1.6)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

UNASSIGNED = "Unassigned"
# All that is known of a number whose release Microsoft has refused, until the next synchronisation tells by whom.
ASSIGNED = "Assigned"


class Assignment(models.TextChoices):
    """The reference platform's words. Unknown words are kept as they came, shown raw and treated as assigned."""

    UNASSIGNED = UNASSIGNED, _("Unassigned")
    USER = "UserAssigned", _("User")
    CONFERENCE = "ConferenceAssigned", _("Conference")
    VOICE_APP = "VoiceApp", _("Voice app")
    THIRD_PARTY = "ThirdPartyAppAssigned", _("Third-party app")
    POLICY = "PolicyAssigned", _("Policy")


_CONCORDANCE = {
    "unassigned": Assignment.UNASSIGNED,
    "userassigned": Assignment.USER,
    "conferenceassigned": Assignment.CONFERENCE,
    "voiceapp": Assignment.VOICE_APP,
    "voiceapplicationassigned": Assignment.VOICE_APP,
    "firstpartyappassigned": Assignment.VOICE_APP,
    "thirdpartyappassigned": Assignment.THIRD_PARTY,
    "policyassigned": Assignment.POLICY,
}
_NOT_KNOWN = frozenset({"", "unknown", "internalerror", "unknownfuturevalue"})


def normalise(word: str | None) -> str | None:
    """Our word for an upstream's word; None where the upstream does not know; an unknown word as it came."""
    key = (word or "").strip().lower()
    if key in _NOT_KNOWN:
        return None
    return _CONCORDANCE.get(key, word)
