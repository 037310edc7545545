"""Who asks, and whether they may: `auth=may(Permission.VIEW)` on an operation.

A bearer token is either one of ours (`tokens.py`) or one of an Entra tenant (`entra.py`); its algorithm decides which,
and each kind is only ever checked with its own algorithm and its own key. The client and its roles are read with every
request, in one query, so that a client that is disabled and a role that is taken away end at once.

The principal is the same as a person's and goes into the same `visible_to(principal)`. Three things make it smaller,
none makes it bigger: the scope of the token, the roles of an Entra token, and the header X-Ovoc-Channel-Id.
Session cookies are never looked at.
"""

from dataclasses import replace
from typing import Any

import jwt
from django.apps import apps
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from ocadmin.access import clients
from ocadmin.access.models import User
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Grant, Principal
from ocadmin.access.request import principal_behind

from . import bodies, entra, tokens
from .problems import Problem

LONGEST_TOKEN = 8_192
LONGEST_BODY = 1_000_000
CHANNEL_HEADER = "X-Ovoc-Channel-Id"
CHANNELS_NAMED = 10


class Bearer(HttpBearer):
    """Checks the token, sets `request.principal`, and asks for one of the permissions in at least one place."""

    def __init__(self, *permissions: Permission, longest_body: int = LONGEST_BODY) -> None:
        super().__init__()
        self.permissions, self.longest_body = permissions, longest_body

    def authenticate(self, request: HttpRequest, token: str) -> Principal:
        """The principal. Raises Problem 401, 403, 404 (the channel), 413."""
        bodies.refuse_longer(request, self.longest_body)
        principal = principal_of(token)
        if not any(principal.can(permission) for permission in self.permissions):
            lacking = _(" or ").join(str(permission.label) for permission in self.permissions)
            raise Problem(403, "forbidden", _("This API client may not: %s.") % lacking)
        channel = request.headers.get(CHANNEL_HEADER)
        if channel:
            principal = within(principal, channel)
        bodies.take_in_chunks(request, self.longest_body)
        request.principal = principal  # type: ignore[attr-defined]
        return principal


def may(*permissions: Permission, longest_body: int = LONGEST_BODY) -> Bearer:
    """The `auth` of an operation: one of the permissions. `longest_body`: bytes; more is refused unread."""
    return Bearer(*permissions, longest_body=longest_body)


def client_behind(request: HttpRequest) -> User:
    """The API client that asks, as the user that it is."""
    return User.objects.get(pk=principal_behind(request).user_id or 0)


def principal_of(token: str) -> Principal:
    """Who a token speaks for. Raises Problem 401 for a token that is not good, 403 for one without any role."""
    try:
        if len(token) > LONGEST_TOKEN:
            raise jwt.InvalidTokenError("too long")
        header = jwt.get_unverified_header(token)
        if header.get("alg") == entra.ALGORITHM:
            return _of_entra(entra.read(token, str(header.get("kid", ""))))
        return _of_ours(tokens.read(token))
    except jwt.ExpiredSignatureError:
        raise _refused(_("The access token has expired.")) from None
    except jwt.PyJWTError:
        raise _refused(_("The access token is not valid.")) from None


def _refused(sentence: str) -> Problem:
    return Problem(401, "invalid_token", sentence, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _of_ours(claims: dict[str, Any]) -> Principal:
    client = _client(claims["sub"])
    if not client.secret_hash or client.fingerprint != claims["key"]:
        raise _refused(_("The access token is not valid."))
    only = frozenset(Permission(word) for word in claims["scope"].split()) if claims["scope"] else None
    return Principal(name=client.name, grants=client.grants, user_id=client.pk, only=only)


def _of_entra(claims: dict[str, Any]) -> Principal:
    """Where the client's role and the token's differ, the lower one holds."""
    client = _client(entra.application_of(claims))
    if client.secret_hash:
        raise _refused(_("The access token is not valid."))
    role = entra.highest_role(claims)
    if role is None:
        raise Problem(403, "forbidden", _("The access token brings no role that is known here."))
    grants = tuple(replace(grant, role=entra.lower(grant.role, role)) for grant in client.grants)
    return Principal(name=client.name, grants=grants, user_id=client.pk)


def _client(client_id: str) -> clients.Known:
    client = clients.find(client_id)
    if client is None or not client.usable:
        raise _refused(_("The API client is not known, not enabled, or has expired."))
    clients.used(client)
    return client


def within(principal: Principal, text: str) -> Principal:
    """The principal, limited to the channel with this ovocChannelId. Raises Problem 400, 404.

    A channel that the client does not reach is as good as missing. 0, which records without a channel show, is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem(400, "invalid_request", _("%s: write the ovocChannelId of a channel.") % CHANNEL_HEADER)
    channel = apps.get_model("numbers", "Channel").objects.filter(ovoc_channel_id=int(text)).first()
    grants = _inside(principal.grants, channel.pk) if channel else ()
    if not grants:
        sentence = _("There is no channel with the ovocChannelId %s.") % int(text)
        raise Problem(404, "channel_not_found", f"{sentence} {_in_reach(principal)}")
    return replace(principal, grants=grants, narrowed=True)


def _in_reach(principal: Principal) -> str:
    """Which channels the client could name instead, at most a few."""
    scope, channels = principal.scope(), apps.get_model("numbers", "Channel").objects.exclude(ovoc_channel_id=None)
    if not scope.everything:
        customers = apps.get_model("numbers", "Customer").objects.filter(pk__in=scope.customers)
        channels = channels.filter(Q(pk__in=scope.channels) | Q(pk__in=customers.values("channel_id")))
    ids = channels.order_by("ovoc_channel_id").values_list("ovoc_channel_id", flat=True)
    found = [str(one) for one in ids[: CHANNELS_NAMED + 1]]
    if not found:
        return _("There is none that this API client reaches.")
    more = [_("and more")] if len(found) > CHANNELS_NAMED else []
    return _("Those in reach: %s.") % ", ".join(found[:CHANNELS_NAMED] + more)


def _inside(grants: tuple[Grant, ...], channel: int) -> tuple[Grant, ...]:
    """What is left of the grants inside the channel."""
    named = [grant.customer_id for grant in grants if grant.customer_id is not None]
    customers: set[int] = set()
    if named:
        rows = apps.get_model("numbers", "Customer").objects.filter(pk__in=named, channel_id=channel)
        customers = set(rows.values_list("pk", flat=True))
    kept = []
    for grant in grants:
        if grant.customer_id is not None:
            kept += [grant] if grant.customer_id in customers else []
        elif grant.channel_id in (None, channel):
            kept.append(Grant(grant.role, channel_id=channel))
    return tuple(kept)
