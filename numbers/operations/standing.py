"""Which statuses leave a number alone: what changes a number at Microsoft is done to active ones only."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from ..lifecycle import Status
from .plan import Verdict


def only_active() -> list[Verdict]:
    """One verdict for each status but Active, with the way out (design §5)."""
    return [
        Verdict(
            "requested",
            gettext_lazy("Its release has been requested; until that has ended nothing else can be changed."),
            Q(status=Status.RELEASE_REQUESTED),
        ),
        Verdict(
            "marked",
            gettext_lazy("The customer has deleted this number: approve or clear the removal instead."),
            Q(status=Status.MARKED_FOR_REMOVAL),
        ),
        Verdict(
            "leaving",
            gettext_lazy("Its removal is approved; nothing can be changed any more."),
            Q(status=Status.READY_FOR_REMOVAL),
        ),
        Verdict(
            "pending_first_sync",
            gettext_lazy("Microsoft has not shown this number yet. Synchronise, then try again."),
            Q(status=Status.PENDING_FIRST_SYNC),
        ),
    ]
