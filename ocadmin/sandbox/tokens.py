"""Access tokens: issued by the login mount, checked by the others."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass

from .exchange import Refusal, Request
from .store import Store

# Roles a full client gets, by audience (upstreams.md 1.1 and 2; the platform's name is ours).
ROLES = {
    "oc": (
        "partnerSettings.Read",
        "TrunkManagement.Read",
        "NumberManagement.Read",
        "NumberManagement.Write",
    ),
    "graph": ("TeamsTelephoneNumber.Read.All", "TeamsTelephoneNumber.ReadWrite.All"),
    "platform": ("Numbers.Read",),
}


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token stands for; ``expires_at`` is real time, seconds since 1970."""

    audience: str
    tenant_id: str
    client_id: str
    roles: tuple[str, ...]
    expires_at: float


class Tokens:
    """The token table.

    Lives are counted in real time, not on the virtual clock: the caller counts ``expires_in`` on
    its own real clock, and a sped-up sandbox would otherwise break every token early.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, token: Token) -> str:
        """Remember a token and return its opaque text."""
        text = "sim." + secrets.token_urlsafe(32)
        values = (
            text,
            token.audience,
            token.tenant_id,
            token.client_id,
            json.dumps(token.roles),
            token.expires_at,
        )
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM token WHERE expires_at < ?", (time.time() - 86_400,))
            connection.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?)", values)
        return text

    def find(self, request: Request) -> Token | None:
        """The token of a request whatever its state, None when it has none we issued."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        sql = "SELECT audience, tenant_id, client_id, roles, expires_at FROM token WHERE token = ?"
        row = self._store.connection.execute(sql, (text.strip(),)).fetchone()
        return Token(row[0], row[1], row[2], tuple(json.loads(row[3])), row[4]) if row else None

    def require(self, request: Request, audience: str) -> Token:
        """A live token for the audience, or 401 with a challenge (upstreams.md 9.7 F08)."""
        if not request.headers.get("Authorization"):
            raise _unauthorized("Access token is missing.", error=None)
        token = self.find(request)
        if token is None:
            raise _unauthorized("Access token is not recognised.")
        if token.expires_at <= time.time():
            raise _unauthorized("Access token has expired.")
        if token.audience != audience:
            raise _unauthorized("Access token is meant for another audience.")
        return token

    def revoke_all(self) -> int:
        """Forget every token; says how many there were."""
        return self._store.connection.execute("DELETE FROM token").rowcount


def require_role(token: Token | None, role: str) -> None:
    """403 that names the role an otherwise good token lacks (upstreams.md 9.7 F09)."""
    if token is not None and role not in token.roles:
        raise Refusal(403, "Forbidden", f"The access token does not carry the role '{role}'.")


def _unauthorized(message: str, error: str | None = "invalid_token") -> Refusal:
    challenge = "Bearer"
    if error:
        challenge = f'Bearer error="{error}", error_description="{message}"'
    return Refusal(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})
