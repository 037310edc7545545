"""An SBC's password at rest: sealed with a key that is derived from SECRET_KEY (Fernet over HKDF-SHA256)."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

# Keeps this key apart from whatever else is derived from SECRET_KEY. Changing it makes every sealed password useless.
PURPOSE = b"ocadmin.sbc.password"


class CannotUnseal(Exception):
    """The sealed text was made with another secret key, or was damaged: the password has to be entered again."""


def seal(password: str) -> str:
    """The password as it is stored. The same password gives another text each time."""
    return _box().encrypt(password.encode()).decode()


def unseal(sealed: str) -> str:
    """The password. Old keys are tried too (SECRET_KEY_FALLBACKS). Raises CannotUnseal."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise CannotUnseal from None


def _box() -> MultiFernet:
    """Seals with the newest key, opens with any."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(secret: str | bytes) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(force_bytes(secret))
    return base64.urlsafe_b64encode(derived)
