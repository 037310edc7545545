"""Which statuses leave a number alone: what changes a number at Microsoft is done to active ones only."""

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ..lifecycle import Status
from .plan import Verdict

# Status to code and sentence.
REASONS: dict[Status, tuple[str, Promise]] = {
    Status.RELEASE_REQUESTED: (
        "requested",
        gettext_lazy("Its release has been requested; until that has ended nothing else can be changed."),
    ),
    Status.MARKED_FOR_REMOVAL: (
        "marked",
        gettext_lazy("The customer has deleted this number: approve or clear the removal instead."),
    ),
    Status.READY_FOR_REMOVAL: (
        "leaving",
        gettext_lazy("Its removal is approved; nothing can be changed any more."),
    ),
    Status.PENDING_FIRST_SYNC: (
        "pending_first_sync",
        gettext_lazy("Microsoft has not shown this number yet. Synchronise, then try again."),
    ),
}


def only_active() -> list[Verdict]:
    """One verdict for each status but Active, with the way out (design §5)."""
    return [Verdict(code, sentence, Q(status=status)) for status, (code, sentence) in REASONS.items()]
