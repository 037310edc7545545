"""The columns of the webhook list, and the words for states."""

import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.columns import MomentColumn
from ocadmin.console.tables import ListTable

from .models import Delivery, DeliveryState, Standing, Webhook

_TONES = {DeliveryState.DELIVERED: "green", DeliveryState.FAILED: "red", DeliveryState.PENDING: "amber"}


def standing(webhook: Webhook) -> SafeString:
    """How it is; red where it was given up."""
    tones = {Standing.ENABLED: "green", Standing.FAILING: "amber", Standing.DISABLED: "red" if webhook.failures else ""}
    return html.pill(webhook.standing.label, tones[webhook.standing])


def state(delivery: Delivery) -> SafeString:
    """How far a delivery is."""
    return html.pill(delivery.get_state_display(), _TONES.get(DeliveryState(delivery.state), ""))


class WebhookTable(ListTable):
    """One row per webhook."""

    name = tables.Column(verbose_name=gettext_lazy("Webhook"))
    url = tables.Column(verbose_name=gettext_lazy("Address"))
    enabled = tables.Column(verbose_name=gettext_lazy("State"))
    last_success_at = MomentColumn(verbose_name=gettext_lazy("Last delivered"))
    created_at = MomentColumn(verbose_name=gettext_lazy("Made"))

    class Meta(ListTable.Meta):
        order_by = ("name",)

    def render_name(self, record: Webhook) -> SafeString:
        """The name, which leads to the webhook."""
        return html.link(record.name, record.get_absolute_url())

    def render_url(self, record: Webhook) -> SafeString:
        """The address, cut at the width of the column."""
        return html.clipped(record.url, record.url)

    def render_enabled(self, record: Webhook) -> SafeString:
        """The state."""
        return standing(record)
