"""Access tokens of ours: JWTs signed with a key that is derived from SECRET_KEY. Checking one asks no database."""

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from ocadmin.access.clients import Known

ISSUER = "ocadmin"
ALGORITHM = "HS256"
SECONDS = 3600
# Keeps this key apart from whatever else is derived from SECRET_KEY. Changing it ends every token.
PURPOSE = b"ocadmin.api.token"


def issue(client: Known, scope: str) -> str:
    """A token for SECONDS. `scope`: permissions with blanks between, empty for all that the roles grant."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": client.client_id,
        "iat": now,
        "exp": now + SECONDS,
        "scope": scope,
        "key": client.fingerprint,
    }
    return jwt.encode(claims, _key(settings.SECRET_KEY), ALGORITHM)


def read(token: str) -> dict[str, Any]:
    """The claims. Old keys are tried too (SECRET_KEY_FALLBACKS). Raises jwt.InvalidTokenError."""
    *older, oldest = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    for secret in older:
        try:
            return _decode(token, secret)
        except jwt.InvalidSignatureError:
            continue
    return _decode(token, oldest)


def _decode(token: str, secret: str | bytes) -> dict[str, Any]:
    required = ["exp", "iat", "sub", "iss", "scope", "key"]
    return jwt.decode(token, _key(secret), algorithms=[ALGORITHM], issuer=ISSUER, options={"require": required})


_keys: dict[str | bytes, bytes] = {}


def _key(secret: str | bytes) -> bytes:
    """Derived once for each secret: it takes longer than checking a token."""
    if secret not in _keys:
        _keys[secret] = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(force_bytes(secret))
    return _keys[secret]
