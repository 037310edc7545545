"""Session border controllers and their dial plans. Knows nothing of the app `numbers`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SBCConfig(AppConfig):
    """Registers the app `sbc`."""

    name = "sbc"
    verbose_name = _("SBCs")
    default_auto_field = "django.db.models.BigAutoField"
