"""Session border controllers and their dial plans. Knows nothing of the app `numbers`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SBCConfig(AppConfig):
    """Registers the app `sbc`."""

    name = "sbc"
    verbose_name = _("SBCs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the task known to the engine, and the actions to the audit trail."""
        from ocadmin.access.audit import name_actions
        from ocadmin.tasks import registry

        from . import outstanding

        registry.register(outstanding.PushOutstanding())
        name_actions(
            {
                "sbc.add": _("SBC added"),
                "sbc.change": _("SBC changed"),
                "sbc.password": _("SBC password set or removed"),
                "sbc.test": _("SBC connection tested"),
                "sbc.hand_file": _("File made that is loaded into an SBC by hand"),
                "sbc.hand_file_confirmed": _("File confirmed that was loaded into an SBC by hand"),
            }
        )
