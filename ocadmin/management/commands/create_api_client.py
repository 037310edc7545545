"""`manage.py create_api_client NAME --role operator --scope channel:7`: a program that may use the REST interface."""

import uuid
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access import clients
from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM

from ._places import place_name, read_place, read_role

LONGEST_NAME = 150


class Command(BaseCommand):
    """Makes one and shows its secret, once."""

    help = _("Make an API client: a program with a role in the whole system, in one channel or for one customer.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, --role, --scope, --days, --entra-app."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        scope = _("ID: the channel's ovocChannelId, GUID: the customer's tenant ID; none: whole system")
        parser.add_argument("--scope", metavar="channel:ID|customer:GUID", default="", help=scope)
        parser.add_argument("--days", type=int, metavar="N", help=_("days until it expires; none: never"))
        parser.add_argument(
            "--entra-app",
            metavar="GUID",
            help=_("application ID in Entra: the program brings tokens of that tenant and gets no secret"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it. Raises CommandError for an unknown role or place and for a name that is taken."""
        role, name = read_role(options["role"]), options["name"].strip()
        if not 0 < len(name) <= LONGEST_NAME:
            raise CommandError(_("A name has 1 to %d characters.") % LONGEST_NAME)
        place = _read_scope(options["scope"])
        try:
            client, secret = clients.make(
                name,
                role,
                by=SYSTEM,
                channel=Channel.COMMAND,
                place=place,
                expires_at=_read_days(options["days"]),
                entra_app=_read_guid(options["entra_app"]),
            )
        except clients.CannotMake as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"client_id: {client.username}")
        if secret:
            self.stdout.write(f"client_secret: {secret}")
        words = {"name": client.first_name, "role": Role(role).label, "place": place_name(place)}
        self.stdout.write(_("%(name)s has the role %(role)s: %(place)s.") % words)
        if secret:
            self.stdout.write(_("The secret is not shown again."))


def _read_scope(text: str) -> dict[str, Any]:
    kind, _colon, value = text.partition(":")
    if text and (kind not in ("channel", "customer") or not value):
        raise CommandError(_("%s is not a scope: write channel:ID or customer:GUID.") % text)
    places = {"channel": None, "customer": None}
    return read_place(places | {kind: value} if text else places)


def _read_days(days: int | None) -> Any:
    if days is None:
        return None
    if not 1 <= days <= 36500:
        raise CommandError(_("Write a number of days from 1 to 36500."))
    return timezone.now() + timedelta(days=days)


def _read_guid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise CommandError(_("%s is not an application ID: write it as a GUID.") % text) from None
