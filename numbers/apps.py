"""Customers, their numbers, and all that may be done with a number."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    """Registers the app `numbers`, imported as `ocadmin.numbers` (ocadmin/__init__.py says why)."""

    name = "ocadmin.numbers"
    label = "numbers"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        """Make the operations known to the task engine, and what waits for people to the sidebar."""
        from ocadmin.access.audit import name_actions
        from ocadmin.console.navigation import count_beside

        from . import drift, history, operations, overview

        operations.register()
        name_actions(history.ACTIONS)
        count_beside("numbers:approvals", overview.approvals_waiting)
        count_beside("numbers:drift", drift.critical)
