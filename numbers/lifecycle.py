"""The one table of statuses and of who may move a number from one to another.

Source: get-numbers-v3.txt (acquiredNumberStatus) and live-platform.md §4. Every change of a status goes through
`move`, which is one conditional UPDATE: rows that are no longer where the caller saw them are left alone.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .models.phone_number import PhoneNumberQuerySet

LATE = timedelta(days=1)  # Microsoft's lists follow its jobs after a while (upstreams.md §9.4, §9.7 F07)


class Status(models.IntegerChoices):
    """The values of acquiredNumberStatus."""

    ACTIVE = 0, _("Active")
    RELEASE_REQUESTED = 1, _("Release requested")
    MARKED_FOR_REMOVAL = 2, _("Marked for removal")
    READY_FOR_REMOVAL = 3, _("Ready for removal")
    PENDING_FIRST_SYNC = 4, _("Pending first sync")


class Source(models.TextChoices):
    """Where a number came in. Empty: outside this console (`ocsync` in the API); its SBCs are never touched."""

    EXTERNAL = "", _("External")
    WEB_API = "webapi", _("webapi")
    WEB_UI = "webui", _("webui")


class Cause(models.TextChoices):
    """Who or what moves a number."""

    UPLOAD = "upload"
    SYNC = "sync"
    RELEASE = "release"
    RELEASE_FAILED = "release_failed"
    RELEASE_COMPLETED = "release_completed"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    CLEAR = "clear"
    CLEAN_UP = "clean_up"


# Where a new row may start. A synchronisation takes Microsoft's status over for a number it meets for the first time.
BIRTH: dict[Cause, frozenset[Status]] = {
    Cause.UPLOAD: frozenset({Status.PENDING_FIRST_SYNC}),
    Cause.SYNC: frozenset(Status),
}

TRANSITIONS: dict[tuple[Status, Status], frozenset[Cause]] = {
    (Status.PENDING_FIRST_SYNC, Status.ACTIVE): frozenset({Cause.SYNC}),
    (Status.ACTIVE, Status.RELEASE_REQUESTED): frozenset({Cause.RELEASE}),
    (Status.RELEASE_REQUESTED, Status.ACTIVE): frozenset({Cause.RELEASE_FAILED, Cause.WITHDRAW}),
    (Status.ACTIVE, Status.MARKED_FOR_REMOVAL): frozenset({Cause.SYNC}),
    (Status.MARKED_FOR_REMOVAL, Status.READY_FOR_REMOVAL): frozenset({Cause.APPROVE}),
    (Status.MARKED_FOR_REMOVAL, Status.ACTIVE): frozenset({Cause.CLEAR, Cause.SYNC}),
}

# Where a row may end: it leaves the table, the first as a ReleasedNumber.
ENDS: dict[Status, frozenset[Cause]] = {
    Status.RELEASE_REQUESTED: frozenset({Cause.RELEASE_COMPLETED}),
    Status.READY_FOR_REMOVAL: frozenset({Cause.CLEAN_UP}),
}


class ForbiddenTransition(ValueError):
    """A programming error: the table has no such move."""


def allowed(source: Status, target: Status, cause: Cause) -> bool:
    """Whether `cause` may move a number from `source` to `target`."""
    return cause in TRANSITIONS.get((source, target), ())


def move(
    numbers: "PhoneNumberQuerySet", source: Status, target: Status, cause: Cause, *, reason: str = "", **fields: Any
) -> int:
    """Move those of `numbers` that still have the status `source` to `target`, setting `fields` with it.

    One UPDATE for the whole set. Returns how many rows moved; the caller compares it with what it meant to move.
    Raises ForbiddenTransition where the table has no such move.
    """
    if not allowed(source, target, cause):
        raise ForbiddenTransition(f"{cause} may not move a number from {source.name} to {target.name}")
    now = timezone.now()
    return numbers.filter(status=source).update(
        status=target, status_reason=reason, status_changed_at=now, modified_at=now, **fields
    )
