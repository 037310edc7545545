"""What can go wrong between us and an SBC, as types that a task, a screen and a program can act on.

Every error says in one sentence which SBC was concerned, what was wrong and what to do. `retryable` tells a task
whether waiting helps; `retry_after` is then a good wait in seconds, None where nobody named one.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.tasks.pauses import growing

LONGEST_PAUSE_SECONDS = 300.0


def pause(named: Iterable[float | None], tries: int) -> float:
    """Seconds until SBCs that could not be written are tried again: as long as one has named, else longer each time.

    `named`: the `retry_after` of each error; `tries`: how often it was tried, from 1.
    """
    told = [seconds for seconds in named if seconds is not None]
    return max(told) if told else growing(tries, LONGEST_PAUSE_SECONDS)


class SBCError(Exception):
    """Base of all. Subclasses give `code`, `retryable` and the words `answer`, filled from `words`.

    `online` is what the error tells about the device: True, it answered; False, it did not; None, nothing.
    `said` is the device's own text where it gave one, without secrets.
    """

    code = "sbc_error"
    retryable = False
    online: bool | None = True
    answer = gettext_lazy("something unexpected happened (%(said)s).")

    def __init__(self, sbc: str, *, said: str = "", retry_after: float | None = None, **words: Any) -> None:
        self.sbc = sbc
        self.retry_after = retry_after
        self.words = words
        answer = str(self.answer) % {"said": said.rstrip(".") or _("no reason given"), **words}
        self.message: str = _("%(sbc)s: %(answer)s") % {"sbc": sbc, "answer": answer}
        super().__init__(self.message)


class NotConfigured(SBCError):
    """Address, user name, password or CA bundle are missing or unusable. `problem` names which, and the cure."""

    code = "sbc_not_configured"
    online = None
    answer = gettext_lazy("it cannot be asked: %(problem)s.")


class Offline(SBCError):
    """No connection: refused, reset, no such host (F20). `reason` is the network's word."""

    code = "sbc_offline"
    retryable = True
    online = False
    answer = gettext_lazy(
        "it could not be reached (%(reason)s); check that it runs and that its REST address is right."
    )


class NotTrusted(SBCError):
    """Its TLS certificate is not accepted; waiting does not help."""

    code = "sbc_not_trusted"
    online = False
    answer = gettext_lazy(
        "its certificate is not trusted (%(reason)s); test the connection to see and pin it, or put the certificate of "
        "its authority into the SBC's CA bundle."
    )


class TimedOut(SBCError):
    """No answer in time. What was asked for may have happened all the same: look before asking again."""

    code = "sbc_timed_out"
    retryable = True
    online = False
    answer = gettext_lazy("no answer came within %(seconds)g seconds; try again later.")


class Busy(SBCError):
    """409 (HA synchronisation, another script), or somebody else writes to this SBC at the moment (F22)."""

    # The name of the state is all that a device says of it (upstreams.md §4: "e.g. HA sync").
    @property
    def synchronising(self) -> bool:
        """Whether the device is busy with its HA synchronisation."""
        return "HA SYNC" in self.message.upper()

    code = "sbc_busy"
    retryable = True
    answer = gettext_lazy("it is busy (%(said)s); try again in a moment.")


class BadCredentials(SBCError):
    """401. Never tried again by itself: a device locks a user out after some wrong logins (F23)."""

    code = "sbc_bad_credentials"
    answer = gettext_lazy("it does not accept our user name and password (401); correct them in the SBC's form.")


class LowPrivilege(SBCError):
    """403: the user's level is too low. Never tried again by itself (F23)."""

    code = "sbc_low_privilege"
    answer = gettext_lazy(
        "the user it knows us as may not do this (403); give that user the level Administrator on the SBC."
    )


class PlanMissing(SBCError):
    """The dial plan does not exist on the device; we do not create one (F21)."""

    code = "sbc_plan_missing"
    answer = gettext_lazy("it has no dial plan %(plan)s; create it on the SBC, or correct the plan's name in its form.")


class TableFull(SBCError):
    """More rules than it holds; nothing was written (F22)."""

    code = "sbc_table_full"
    answer = gettext_lazy("its table of rules is full (%(said)s); remove rules that nobody needs, then try again.")


class Rejected(SBCError):
    """Another 400, or a rule that cannot be written at all: the same again would be refused again."""

    code = "sbc_rejected"
    answer = gettext_lazy("it did not accept what was written (%(said)s); nothing was changed by that.")


class BadAnswer(SBCError):
    """An answer that cannot be used: a page, half a body, a status nobody expects (F26). `problem` says what."""

    code = "sbc_bad_answer"
    answer = gettext_lazy("its answer cannot be used (%(problem)s).")

    def __init__(self, sbc: str, problem: str, *, retryable: bool = False, **more: Any) -> None:
        self.retryable = retryable
        super().__init__(sbc, problem=problem, **more)


class ByHand(SBCError):
    """Its rules are written by people, who have not confirmed all of them yet. `count`: how many wait."""

    code = "sbc_by_hand"
    retryable = True
    online = None
    answer = gettext_lazy(
        "it is written by hand, and rules wait (%(count)d); load the file from its page into it and confirm it there."
    )


class NotVerified(SBCError):
    """The device accepted the change, but reading back shows something else. `problem` says what differs."""

    code = "sbc_not_verified"
    retryable = True
    answer = gettext_lazy("it accepted the change, but afterwards %(problem)s; the change will be tried again.")
