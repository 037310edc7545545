"""What is done with API clients: making one, giving it a new secret, knowing who asks.

A secret holds 256 random bits, so one SHA-256 is enough to keep it: nobody can try them out, and a request costs
microseconds instead of the milliseconds that a password needs.
"""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import services
from .audit import Channel, record
from .models import ApiClient, User
from .principal import Grant, Principal

USED_EXACT_TO = timedelta(hours=1)


class CannotMake(Exception):
    """The client cannot be made; the text says why."""


@dataclass(frozen=True)
class Known:
    """A client as one query finds it. `usable`: enabled and not expired."""

    pk: int
    client_id: str
    name: str
    secret_hash: str
    usable: bool
    last_used: datetime | None
    grants: tuple[Grant, ...]

    @property
    def fingerprint(self) -> str:
        """What a token carries of the secret it was made with: with a new secret the old tokens end."""
        return self.secret_hash[:16]

    def accepts(self, secret: str) -> bool:
        """Whether this is its secret, in a time that tells nothing. Never for an application of Entra."""
        return hmac.compare_digest(hash_of(secret), self.secret_hash or "-")


@transaction.atomic
def make(
    name: str,
    role: str,
    *,
    by: Principal,
    channel: Channel,
    place: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
    entra_app: uuid.UUID | None = None,
) -> tuple[ApiClient, str]:
    """A new client with a role in a place (services.grant), and its secret, which is kept nowhere.

    `entra_app`: the application (client) id of an application of Entra; it gets no secret ("").
    Raises CannotMake where the name or the application is taken, ValueError for an unknown role.
    """
    if ApiClient.objects.filter(first_name=name).exists():
        raise CannotMake(_("There is an API client called %s already.") % name)
    client_id = str(entra_app or uuid.uuid4())
    if User.objects.filter(username=client_id).exists():
        raise CannotMake(_("The application %s is registered already.") % client_id)
    secret = "" if entra_app else new_secret()
    client = ApiClient(
        username=client_id, first_name=name, expires_at=expires_at, secret_hash=hash_of(secret) if secret else ""
    )
    client.set_unusable_password()
    client.save()
    _record("api_client.add", client, by, channel, {"name": name, "expires_at": expires_at and expires_at.isoformat()})
    services.grant(client, role, by=by, channel=channel, place=place)
    return client, secret


@transaction.atomic
def renew_secret(client: ApiClient, *, by: Principal, channel: str) -> str:
    """Give it another secret, which is returned and kept nowhere. The old one and its tokens end at once."""
    secret = new_secret()
    ApiClient.objects.filter(pk=client.pk).update(secret_hash=hash_of(secret))
    _record("api_client.secret", client, by, channel, {})
    return secret


def _record(action: str, client: ApiClient, by: Principal, channel: str, after: dict[str, Any]) -> None:
    record(
        action,
        by=by,
        channel=channel,
        object_type="api_client",
        object_id=str(client.pk),
        label=str(client)[:200],
        after=after,
    )


def find(client_id: str) -> Known | None:
    """The client with this id and its grants, in one query; None where there is none."""
    columns = ("pk", "username", "first_name", "secret_hash", "is_active", "expires_at", "last_login")
    places = ("memberships__role", "memberships__channel_id", "memberships__customer_id")
    rows = list(ApiClient.objects.filter(username=client_id).values_list(*columns, *places))
    if not rows:
        return None
    pk, username, name, secret_hash, active, expires_at, last_used = rows[0][:7]
    return Known(
        pk=pk,
        client_id=username,
        name=name or username,
        secret_hash=secret_hash,
        usable=active and (expires_at is None or expires_at > timezone.now()),
        last_used=last_used,
        grants=tuple(Grant(*row[7:]) for row in rows if row[7] is not None),
    )


def used(client: Known) -> None:
    """Note that it was used. At most one write an hour for each client."""
    now = timezone.now()
    if client.last_used is None or client.last_used < now - USED_EXACT_TO:
        stale = Q(last_login=None) | Q(last_login__lt=now - USED_EXACT_TO)
        User.objects.filter(stale, pk=client.pk).update(last_login=now)


def new_secret() -> str:
    """256 random bits, with a mark by which scanners of repositories can know it."""
    return f"ocs_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> str:
    """SHA-256 of a secret, as it is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()
