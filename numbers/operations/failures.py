"""What an upstream's error means for a task: wait and try again, or the end of it."""

from ocadmin.tasks.outcomes import TaskFailed, TryLater
from ocadmin.tasks.pauses import growing

from ..microsoft import errors
from ..microsoft.errors import MicrosoftError

LONGEST_PAUSE_SECONDS = 60.0

# A request that was answered like this was not carried out, and never will be as it stands.
REFUSALS = (
    errors.Refused,
    errors.Forbidden,
    errors.NotFound,
    errors.TenantUnknown,
    errors.TokenRejected,
    errors.BadCredentials,
    errors.ApplicationUnknown,
    errors.InvalidScope,
    errors.NotConfigured,
)
# Those of them that are about us and not about what was asked: nothing else will work either.
_ABOUT_US = (errors.TokenRejected, errors.BadCredentials, errors.InvalidScope, errors.NotConfigured)


def about_us(error: MicrosoftError) -> bool:
    """Whether the refusal concerns our credentials or roles, so that the whole task has to stop."""
    return isinstance(error, _ABOUT_US) or (isinstance(error, errors.Forbidden) and bool(error.role))


def of_task(error: MicrosoftError) -> TryLater | TaskFailed:
    """The error as the task engine knows it. Growing pauses, a few times, where Microsoft named no time."""
    if error.retryable:
        return TryLater(error.message, error.code, error.retry_after)
    return TaskFailed(error.message, error.code)


def patient(error: MicrosoftError, attempts: int) -> TryLater:
    """For a request that may have been carried out: asked again for more than an hour, because giving up loses track.

    `attempts` are the failed ones so far.
    """
    pause = error.retry_after if error.retry_after is not None else growing(attempts + 1, LONGEST_PAUSE_SECONDS)
    return TryLater(error.message, error.code, pause)
