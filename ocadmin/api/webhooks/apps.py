"""The app `webhooks`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    """Registers the app."""

    name = "ocadmin.api.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        """Name what the audit trail says of webhooks."""
        from ocadmin.access.audit import name_actions

        name_actions(
            {
                "webhook.add": _("Webhook made"),
                "webhook.change": _("Webhook changed"),
                "webhook.delete": _("Webhook deleted"),
                "webhook.enable": _("Webhook enabled"),
                "webhook.disable": _("Webhook disabled"),
                "webhook.secret": _("Webhook: new signing secret"),
                "webhook.test": _("Webhook: test sent"),
                "webhook.again": _("Webhook: delivery sent again"),
            }
        )
