"""The arguments that commands about access share: a person, a role and a place."""

import re
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Channel, Customer

CHANNELS_NAMED = 10


def add_place(parser: ArgumentParser) -> None:
    """--channel or --customer; neither means the whole system."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--channel", metavar="ID", help=_("the channel's ovocChannelId"))
    place.add_argument("--customer", metavar="GUID", help=_("tenant ID of a customer"))


def read_role(text: str) -> str:
    """A role by its value or its name, in any case: lite, "Lite Operator", lite-operator. Raises CommandError."""
    word = re.sub(r"[\s_-]", "", text).lower()
    for role in Role:
        if word in (role.value, role.name.replace("_", "").lower()):
            return role.value
    raise CommandError(
        _("There is no role called %(role)s: use one of %(roles)s.") % {"role": text, "roles": ", ".join(Role.values)}
    )


def read_user(name: str) -> User:
    """The person who signs in under this name. Raises CommandError."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(_("There is nobody called %s.") % name)
    return user


def read_place(options: dict[str, Any]) -> dict[str, Any]:
    """{} for the whole system, {"channel": row} or {"customer": row}. Raises CommandError."""
    if options["channel"] is not None:
        return {"channel": _channel(options["channel"])}
    if options["customer"] is not None:
        text = options["customer"]
        try:
            tenant_id = uuid.UUID(text)
        except ValueError:
            raise CommandError(_("%s is not a tenant ID: write it as a GUID.") % text) from None
        customer = Customer.objects.filter(tenant_id=tenant_id).first()
        if customer is None:
            raise CommandError(_("There is no customer with the tenant ID %s.") % text)
        return {"customer": customer}
    return {}


def _channel(text: str) -> Channel:
    """The channel with this ovocChannelId, as the REST interface shows it. Raises CommandError."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    channel = Channel.objects.filter(ovoc_channel_id=number).first() if number else None
    if channel is not None:
        return channel
    known = Channel.objects.exclude(ovoc_channel_id=None).order_by("ovoc_channel_id")[: CHANNELS_NAMED + 1]
    named = [f"{one.ovoc_channel_id} ({one})" for one in known[:CHANNELS_NAMED]]
    more = [_("and more")] if len(known) > CHANNELS_NAMED else []
    there = _("There are: %s.") % ", ".join([*named, *more]) if named else _("No channel here has one.")
    raise CommandError(" ".join([_("There is no channel with the ovocChannelId %s.") % text, there]))


def place_name(place: dict[str, Any]) -> str:
    """The place for people."""
    return str(next(iter(place.values()), _("whole system")))
