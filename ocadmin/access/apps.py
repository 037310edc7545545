"""People, programs, what they may do, and the record of what they did."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """Registers the app `access`."""

    name = "ocadmin.access"
    verbose_name = _("Access")
