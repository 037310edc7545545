"""People, programs, what they may do, and the record of what they did."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """Registers the app `access`."""

    name = "ocadmin.access"
    verbose_name = _("Access")

    def ready(self) -> None:
        """Look after the order of the feed whenever the database was migrated, as at every start."""
        from . import feed

        post_migrate.connect(feed.keep_order, sender=self)
