"""Access tokens of an Entra tenant: applications that are registered there and here.

Off without OCADMIN_API_JWT_*. The signing keys are fetched when a token names one that is not known, at most once a
minute, and once a day otherwise; where that fails the keys that are here stay good.
"""

import logging
import threading
import time
from typing import Any

import httpx2
import jwt
from django.conf import settings
from django.utils.translation import gettext as _

from ocadmin.access.permissions import Role

from .problems import Problem

logger = logging.getLogger(__name__)

ALGORITHM = "RS256"
LEEWAY_SECONDS = 60
FETCH_SECONDS = 60.0
FRESH_SECONDS = 86_400.0
ANSWER_SECONDS = 5.0
MOST_KEYS = 50
# The application roles of the reference (live-platform.md, 7.3), the least first.
ROLES = {
    "monitor": Role.MONITOR,
    "liteoperator": Role.LITE_OPERATOR,
    "operator": Role.OPERATOR,
    "admin": Role.ADMIN,
}
RANKS: list[str] = list(ROLES.values())


class KeyStore:
    """The public keys at an address, by their ids."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key; None where the tenant has none with this id. Raises Problem 503 where no key was ever fetched."""
        now = time.monotonic()
        if kid not in self._keys or now - self._fetched > FRESH_SECONDS:
            with self._lock:  # the others wait for the one that fetches, and then find what it has found
                if time.monotonic() - self._tried > FETCH_SECONDS:
                    self._fetch()
        if not self._keys:
            raise Problem(503, "keys_unavailable", _("The signing keys of the Entra tenant cannot be fetched now."))
        return self._keys.get(kid)

    def _fetch(self) -> None:
        self._tried = time.monotonic()
        try:
            answer = httpx2.get(self.url, timeout=ANSWER_SECONDS, follow_redirects=False)
            answer.raise_for_status()
            found = _usable(answer.json())
        except (httpx2.HTTPError, ValueError, TypeError, AttributeError, LookupError) as error:
            logger.warning("the keys at %s cannot be fetched (%s): those that are known stay", self.url, error)
            return
        if not found:
            logger.warning("there are no RSA keys at %s: those that are known stay", self.url)
            return
        self._keys, self._fetched = found, time.monotonic()


def _usable(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """The RSA keys that may sign; what cannot be read is left out."""
    keys = {}
    for entry in document["keys"][:MOST_KEYS]:
        if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or not entry.get("kid"):
            continue
        try:
            keys[entry["kid"]] = jwt.PyJWK(entry, algorithm=ALGORITHM)
        except jwt.PyJWTError:
            continue
    return keys


_stores: dict[str, KeyStore] = {}


def read(token: str, kid: str) -> dict[str, Any]:
    """The claims of an application's token. Raises jwt.InvalidTokenError, Problem 503."""
    env = settings.ENV
    if not env.api_jwt_jwks_url:
        raise jwt.InvalidTokenError("tokens of Entra are not taken here")
    key = _stores.setdefault(env.api_jwt_jwks_url, KeyStore(env.api_jwt_jwks_url)).find(kid)
    if key is None:
        raise jwt.InvalidTokenError("unknown key")
    claims = jwt.decode(
        token,
        key.key,
        algorithms=[ALGORITHM],
        issuer=env.api_jwt_issuer,
        audience=env.api_jwt_audience,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "nbf", "aud", "iss", "tid"]},
    )
    if str(claims["tid"]).lower() != env.api_jwt_tenant.lower():
        raise jwt.InvalidTokenError("another tenant")
    if "scp" in claims:
        # Made for a person: whoever uses the application would act with all that the application may.
        raise jwt.InvalidTokenError("a token of a person")
    return claims


def application_of(claims: dict[str, Any]) -> str:
    """The application's id: `azp` in tokens of version 2, `appid` in those of version 1; "" where there is none."""
    return str(claims.get("azp") or claims.get("appid") or "").lower()


def highest_role(claims: dict[str, Any]) -> str | None:
    """The highest role that the token brings; None where it brings none that we know."""
    words = claims.get("roles")
    names = [str(word).replace(" ", "").lower() for word in words] if isinstance(words, list) else []
    found = [ROLES[name] for name in names if name in ROLES]
    return max(found, key=RANKS.index, default=None)


def lower(role: str, limit: str) -> str:
    """The lower of two roles: each contains those below it."""
    return min(role, limit, key=RANKS.index)
