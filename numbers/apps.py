"""Customers, their numbers, and all that may be done with a number."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    """Registers the app `numbers`, imported as `ocadmin.numbers` (ocadmin/__init__.py says why)."""

    name = "ocadmin.numbers"
    label = "numbers"
    verbose_name = _("Numbers")

    def ready(self) -> None:
        """Tell the rooms below: operations, what waits for people, what webhooks carry."""
        from ocadmin.access.audit import name_actions
        from ocadmin.api.webhooks.source import Source, register
        from ocadmin.console.navigation import count_beside
        from sbc.where import describe_by

        from . import changes, history, operations, overview, routing_known

        operations.register()
        describe_by(routing_known.known)
        name_actions(history.ACTIONS)
        register(Source(history.OBJECT_TYPE, "numbers.changed", changes.FAMILIES, changes.described))
        count_beside("numbers:approvals", overview.approvals_waiting)
