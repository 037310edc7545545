"""Secrets that have to be read again, at rest: sealed with a key that is derived from SECRET_KEY (Fernet, HKDF-SHA256).

`purpose` keeps the keys of different secrets apart. Changing one makes everything that was sealed with it useless.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class CannotUnseal(Exception):
    """The sealed text was made with another secret key, or was damaged: the secret has to be entered or made again."""


def seal(secret: str, purpose: bytes) -> str:
    """The secret as it is stored. The same secret gives another text each time."""
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(sealed: str, purpose: bytes) -> str:
    """The secret. Old keys are tried too (SECRET_KEY_FALLBACKS). Raises CannotUnseal."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise CannotUnseal from None


def _box(purpose: bytes) -> MultiFernet:
    """Seals with the newest key, opens with any."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(key, purpose)) for key in keys])


def _key(secret: str | bytes, purpose: bytes) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose).derive(force_bytes(secret))
    return base64.urlsafe_b64encode(derived)
