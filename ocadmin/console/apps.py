"""The screens' shared machinery: lists, details, the shell around every page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    """Registers the app `console`."""

    name = "ocadmin.console"
    verbose_name = _("Console")

    def ready(self) -> None:
        """Make tables quick, and long lists of values cheap."""
        from . import lookups, quick_tables

        quick_tables.install()
        lookups.register()
