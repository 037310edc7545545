"""Session border controllers and their dial plans. Knows nothing of the app `numbers`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SBCConfig(AppConfig):
    """Registers the app `sbc`."""

    name = "sbc"
    verbose_name = _("SBCs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name what is noted in the audit trail."""
        from ocadmin.access.audit import name_actions

        name_actions(
            {
                "sbc.hand_file": _("File made that is loaded into an SBC by hand"),
                "sbc.hand_file_confirmed": _("File confirmed that was loaded into an SBC by hand"),
            }
        )
