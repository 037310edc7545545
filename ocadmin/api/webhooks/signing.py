"""Signatures as "Standard Webhooks" 1.0.0 wants them: HMAC-SHA256 over webhook-id.webhook-timestamp.body.

While a secret is being exchanged there are two signatures, one by each, and a receiver may take either.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from ocadmin.access import sealing

from .models import Webhook

PURPOSE = b"ocadmin.webhook.secret"
PREFIX = "whsec_"
BYTES = 32
OVERLAP = timedelta(hours=24)


def new_secret() -> str:
    """A secret as receivers write it down."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return sealing.seal(secret, PURPOSE)


def unseal(sealed: str) -> str:
    """The secret. Raises CannotUnseal."""
    return sealing.unseal(sealed, PURPOSE)


def headers(webhook: Webhook, uid: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of a try at `now`. Raises CannotUnseal."""
    stamp = str(int(now.timestamp()))
    sealed = [webhook.sealed_secret]
    if webhook.sealed_old_secret and webhook.old_secret_until and webhook.old_secret_until > now:
        sealed.append(webhook.sealed_old_secret)
    content = b".".join((uid.encode(), stamp.encode(), body))
    signatures = [f"v1,{_signature(unseal(text), content)}" for text in sealed]
    return {"webhook-id": uid, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
