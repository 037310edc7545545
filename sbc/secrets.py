"""An SBC's password at rest."""

from ocadmin.access import sealing
from ocadmin.access.sealing import CannotUnseal

__all__ = ["CannotUnseal", "seal", "unseal"]

PURPOSE = b"ocadmin.sbc.password"


def seal(password: str) -> str:
    """The password as it is stored (sealing.py)."""
    return sealing.seal(password, PURPOSE)


def unseal(sealed: str) -> str:
    """The password. Raises CannotUnseal."""
    return sealing.unseal(sealed, PURPOSE)
