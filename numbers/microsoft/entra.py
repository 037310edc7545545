"""Access tokens from Entra ID: client credentials, kept in this process, renewed before they end.

Rules: upstreams.md §3. Neither secret nor token is ever put into a log line, an exception or a repr.
"""

import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from . import http
from .errors import Asked, BadAnswer, MicrosoftError, NotConfigured

TOKEN_PATH = "/{tenant}/oauth2/v2.0/token"
RENEW_SHARE, RENEW_SECONDS = 0.8, 300
LONGEST_LIFE_SECONDS = 86_400


class _Key(NamedTuple):
    """What a token was issued for. The secret takes part as a hash, so that a changed one is used at once."""

    entra_url: str
    tenant: str
    scope: str
    client_id: str
    secret_hash: int


@dataclass(frozen=True)
class Token:
    """A bearer token; the times are those of time.monotonic()."""

    text: str = field(repr=False)
    renew_at: float
    ends_at: float


@dataclass
class _Entry:
    lock: Any = field(default_factory=threading.Lock)
    token: Token | None = None


_entries: dict[_Key, _Entry] = {}


def forget_all() -> None:
    """Drop every token and lock; a forked process starts like this, because a lock may have been held by its parent."""
    _entries.clear()


os.register_at_fork(after_in_child=forget_all)


def get_token(tenant: str | uuid.UUID, scope: str, *, correlation_id: str | uuid.UUID | None = None) -> str:
    """A token for `scope` in the directory `tenant`, from the cache while it is fresh.

    Of several threads that need the same token one fetches it. While renewal fails for a passing reason the old token
    is used until its end. Raises NotConfigured, BadCredentials, ApplicationUnknown, TenantUnknown, InvalidScope and
    the transport errors.
    """
    asked = Asked(_("Microsoft Entra ID"), _("a token for the tenant %s") % tenant)
    _require_settings(asked)
    entry = _entry(str(tenant), scope)
    with entry.lock:
        now = time.monotonic()
        if entry.token is None or now >= entry.token.renew_at:
            try:
                env = settings.ENV
                url = env.entra_url + TOKEN_PATH.format(tenant=quote(str(tenant), safe=""))
                entry.token = fetch(url, env.client_id, env.client_secret, scope, asked, correlation_id)
            except MicrosoftError as error:
                if not error.retryable or entry.token is None or now >= entry.token.ends_at:
                    raise
        return entry.token.text


def drop(tenant: str | uuid.UUID, scope: str, token: str) -> None:
    """Forget `token` after a 401; a newer one that another thread has fetched meanwhile is kept."""
    entry = _entry(str(tenant), scope)
    with entry.lock:
        if entry.token is not None and entry.token.text == token:
            entry.token = None


def _entry(tenant: str, scope: str) -> _Entry:
    env = settings.ENV
    key = _Key(env.entra_url, tenant.lower(), scope, env.client_id, hash(env.client_secret))
    return _entries.setdefault(key, _Entry())


def _require_settings(asked: Asked) -> None:
    for name in ("entra_url", "client_id", "client_secret"):
        if not getattr(settings.ENV, name):
            raise NotConfigured(asked, f"OCADMIN_{name.upper()}")


def fetch(
    url: str,
    client_id: str,
    client_secret: str,
    scope: str,
    asked: Asked,
    correlation_id: str | uuid.UUID | None = None,
) -> Token:
    """A new token from the token endpoint `url`, past the cache. Raises what `get_token` raises."""
    http.SECRETS.add(client_secret)
    started = time.monotonic()
    answer = http.send(
        "POST",
        url,
        asked=asked,
        correlation_id=correlation_id,
        form={
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": scope,
        },
    )
    body = http.check(answer, asked).json(asked)
    text, life = body.get("access_token"), body.get("expires_in")
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
        raise BadAnswer(asked, _("it holds no access token"), **answer.ids)
    if isinstance(life, str) and life.isdecimal() and len(life) < 10:  # the older token endpoint writes a text
        life = int(life)
    if not isinstance(life, int) or isinstance(life, bool):
        raise BadAnswer(asked, _("it does not say how long the token lives"), **answer.ids)
    life = min(life, LONGEST_LIFE_SECONDS)
    return Token(text, started + max(life * RENEW_SHARE, life - RENEW_SECONDS), started + life)
