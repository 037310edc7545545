"""What can go wrong between us and Microsoft, as types that a task, a screen and a program can act on.

Every error says in one sentence who was asked for what, what came back and what to do. `retryable` tells a task
whether waiting helps; `retry_after` is then the wait Microsoft asked for in seconds, None where it named none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True)
class Asked:
    """Whom we asked for what; both are shown to people ("Microsoft Graph", "the numbers of tenant …")."""

    who: str
    what: str


class MicrosoftError(Exception):
    """Base of all. Subclasses give `code`, `retryable` and the words `answer`, filled from `words`."""

    code = "microsoft_error"
    retryable = False
    answer = gettext_lazy("something unexpected happened.")

    def __init__(
        self,
        asked: Asked,
        *,
        status: int | None = None,
        upstream_code: str = "",
        upstream_message: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        retry_after: float | None = None,
        request_id: str = "",
        correlation_id: str = "",
        **words: Any,
    ) -> None:
        self.asked = asked
        self.status = status
        self.upstream_code = upstream_code
        self.upstream_message = upstream_message
        self.details = [dict(detail) for detail in details]
        self.retry_after = retry_after
        self.request_id = request_id
        self.correlation_id = correlation_id
        self.words = words
        self.message: str = _("%(who)s was asked for %(what)s: %(answer)s") % {
            "who": asked.who,
            "what": asked.what,
            "answer": self.sentence(),
        }
        super().__init__(self.message)

    def sentence(self) -> str:
        """The second half of the message: what came back and what to do."""
        return str(self.answer) % {"status": self.status, "said": self.said(), **self.words}

    def said(self) -> str:
        """Microsoft's own code and text, as far as it gave them."""
        return ": ".join(filter(None, (self.upstream_code, self.upstream_message.rstrip(".")))) or _("no reason given")


class Unreachable(MicrosoftError):
    """No connection: refused, no such host, reset. `reason` is the network's word."""

    code = "unreachable"
    retryable = True
    answer = gettext_lazy("no connection to %(host)s (%(reason)s); check the network and the address in the settings.")


class TimedOut(MicrosoftError):
    """No answer in time. A change that was asked for may have happened all the same."""

    code = "timed_out"
    retryable = True
    answer = gettext_lazy("no answer came in time; try again later.")


class Throttled(MicrosoftError):
    """429. `retry_after` is what the answer asked for; asking earlier counts against us (upstreams.md §3)."""

    code = "throttled"
    retryable = True

    def sentence(self) -> str:
        """With the wait, where one was named."""
        if self.retry_after is None:
            return _("it refused because of too many requests (429); wait a while before asking again.")
        return _("it refused because of too many requests (429); ask again in %(seconds)d seconds.") % {
            "seconds": round(self.retry_after)
        }


class ServerError(MicrosoftError):
    """5xx: the other side failed."""

    code = "server_error"
    retryable = True
    answer = gettext_lazy("it failed itself (%(status)s, %(said)s); try again later.")


class BadAnswer(MicrosoftError):
    """An answer that cannot be used. `retryable` where it looks like an accident (a page, half a body)."""

    code = "bad_answer"
    answer = gettext_lazy("the answer cannot be used (%(problem)s).")

    def __init__(self, asked: Asked, problem: str, *, retryable: bool = False, **more: Any) -> None:
        self.retryable = retryable
        super().__init__(asked, problem=problem, **more)


class BadCredentials(MicrosoftError):
    """Entra does not accept our client id and secret."""

    code = "bad_credentials"
    answer = gettext_lazy(
        "it does not accept our credentials (%(said)s); check OCADMIN_CLIENT_ID and OCADMIN_CLIENT_SECRET."
    )


class WrongSecret(BadCredentials):
    """AADSTS7000215. Often the secret's ID was pasted instead of its value."""

    code = "wrong_secret"
    answer = gettext_lazy("the client secret is wrong; put the secret's value, not its ID, into OCADMIN_CLIENT_SECRET.")


class ExpiredSecret(BadCredentials):
    """AADSTS7000222."""

    code = "expired_secret"
    answer = gettext_lazy("the client secret has expired; make a new one and put it into OCADMIN_CLIENT_SECRET.")


class ApplicationUnknown(MicrosoftError):
    """AADSTS700016: our application is not in that directory. For a customer's tenant: not connected."""

    code = "application_unknown"
    answer = gettext_lazy("our application is not known there; that tenant's administrator has to connect it first.")


class TenantUnknown(MicrosoftError):
    """AADSTS90002 or 404 TenantNotFound."""

    code = "tenant_unknown"
    answer = gettext_lazy("there is no such tenant; check the tenant ID.")


class InvalidScope(MicrosoftError):
    """AADSTS70011, AADSTS500011: the token scope is not one Entra knows."""

    code = "invalid_scope"
    answer = gettext_lazy(
        "it does not know the scope (%(said)s); check OCADMIN_OPERATOR_SCOPE and OCADMIN_GRAPH_SCOPE."
    )


class TokenRejected(MicrosoftError):
    """401 although the token was renewed once."""

    code = "token_rejected"
    answer = gettext_lazy(
        "it rejected a fresh token as well (%(said)s); check that our application is registered there."
    )


class Forbidden(MicrosoftError):
    """403. `role` names the missing role where the answer tells it, else it is empty."""

    code = "forbidden"

    def __init__(self, asked: Asked, *, role: str = "", **more: Any) -> None:
        self.role = role
        super().__init__(asked, **more)

    def sentence(self) -> str:
        """With the missing role, where it is known."""
        if self.role:
            return _("our application lacks the role %(role)s; grant it in Entra and try again.") % {"role": self.role}
        return _("it is not allowed (403, %(said)s).") % {"said": self.said()}


class NotFound(MicrosoftError):
    """404."""

    code = "not_found"
    answer = gettext_lazy("it was not found (%(said)s).")


class Refused(MicrosoftError):
    """Another 4xx: the request itself is not accepted. `details` holds Microsoft's per-number reasons."""

    code = "refused"
    answer = gettext_lazy("it refused (%(status)s, %(said)s).")


class NotConfigured(MicrosoftError):
    """A setting is empty. `setting` is its name in the environment."""

    code = "not_configured"
    answer = gettext_lazy("the setting %(setting)s is empty; fill it in and start the console again.")

    def __init__(self, asked: Asked, setting: str) -> None:
        self.setting = setting
        super().__init__(asked, setting=setting)


class UnreadableRecord(ValueError):
    """One number of a page cannot be read. `telephone_number` is the text it came with, None where there is none."""

    def __init__(self, reason: str, telephone_number: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.telephone_number = telephone_number


# The one table of what an answer means. Entra's numbers are hints that may change (upstreams.md §3): anything that is
# not in the table falls back to the status.
BY_AADSTS: dict[int, type[MicrosoftError]] = {
    7000215: WrongSecret,
    7000222: ExpiredSecret,
    7000216: BadCredentials,
    700016: ApplicationUnknown,
    90002: TenantUnknown,
    900023: TenantUnknown,
    70011: InvalidScope,
    500011: InvalidScope,
}
BY_CODE: dict[str, type[MicrosoftError]] = {"TenantNotFound": TenantUnknown, "invalid_client": BadCredentials}
BY_STATUS: dict[int, type[MicrosoftError]] = {
    401: TokenRejected,
    403: Forbidden,
    404: NotFound,
    408: TimedOut,
    429: Throttled,
}


def error_class(status: int, code: str = "", numbers: Sequence[int] = ()) -> type[MicrosoftError]:
    """The class for an HTTP status ≥ 400, Microsoft's error code and Entra's AADSTS numbers, most telling first."""
    if status == 429 or status >= 500:
        return BY_STATUS.get(status, ServerError)
    for number in numbers:
        if number in BY_AADSTS:
            return BY_AADSTS[number]
    return BY_CODE.get(code) or BY_STATUS.get(status, Refused)
