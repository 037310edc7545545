"""`manage.py revoke USER --customer GUID`: take a person's role away."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ocadmin.access import services
from ocadmin.access.audit import Channel
from ocadmin.access.models import Membership
from ocadmin.access.principal import SYSTEM

from ._places import add_place, place_name, read_place, read_user


class Command(BaseCommand):
    """Takes the role in one place away; roles in other places stay."""

    help = _("Take a person's role away: in the whole system, in one channel or for one customer.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USER and the place."""
        parser.add_argument("user", metavar="USER")
        add_place(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke and say so. Raises CommandError for an unknown person or place, and where there is no role."""
        user, place = read_user(options["user"]), read_place(options)
        words = {"user": user, "place": place_name(place)}
        filters = {"channel": None, "customer": None} | place
        membership = Membership.objects.filter(user=user, **filters).first()
        if membership is None:
            raise CommandError(_("%(user)s has no role there: %(place)s.") % words)
        services.revoke(membership, by=SYSTEM, channel=Channel.COMMAND)
        self.stdout.write(_("%(user)s has no role any more: %(place)s.") % words)
