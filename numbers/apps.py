"""Customers, their numbers, and all that may be done with a number."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    """Registers the app `numbers`, imported as `ocadmin.numbers` (ocadmin/__init__.py says why)."""

    name = "ocadmin.numbers"
    label = "numbers"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        """Make the operations known to the task engine."""
        from ocadmin.access.audit import name_actions

        from . import history, operations

        operations.register()
        name_actions(history.ACTIONS)
