"""`manage.py grant USER --role operator --customer GUID`: give a person a role."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from ocadmin.access import services
from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM

from ._places import add_place, place_name, read_place, read_role, read_user


class Command(BaseCommand):
    """Gives a role in one place; it replaces the role the person has there. Creates neither people nor places."""

    help = _("Give a person a role: in the whole system, in one channel or for one customer.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USER, --role and the place."""
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        add_place(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant and say so. Raises CommandError for an unknown person, role or place."""
        role = read_role(options["role"])
        user, place = read_user(options["user"]), read_place(options)
        services.grant(user, role, by=SYSTEM, channel=Channel.COMMAND, place=place)
        self.stdout.write(
            _("%(user)s has the role %(role)s: %(place)s.")
            % {"user": user, "role": Role(role).label, "place": place_name(place)}
        )
