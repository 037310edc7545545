"""The columns of the SBC list."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.columns import CountColumn
from ocadmin.console.tables import ListTable

from .models import SBC


class SBCTable(ListTable):
    """One row per SBC. The counts of rules are set on the page's rows by the view."""

    name = tables.Column(verbose_name=gettext_lazy("SBC"))
    fqdn = tables.Column(verbose_name=gettext_lazy("FQDN"))
    ip_address = tables.Column(verbose_name=gettext_lazy("IP address"))
    dial_plan = tables.Column(verbose_name=gettext_lazy("Dial plan"))
    wanted = CountColumn(verbose_name=gettext_lazy("Rules wanted"), accessor="wanted_count", orderable=False)
    present = CountColumn(verbose_name=gettext_lazy("Seen on the SBC"), accessor="present_count", orderable=False)
    capacity = CountColumn(verbose_name=gettext_lazy("Capacity in rules"), accessor="max_rules")

    class Meta(ListTable.Meta):
        order_by = ("name",)

    def render_name(self, record: SBC) -> SafeString:
        """The name, which leads to the SBC."""
        return html.link(record.name, reverse("sbc:detail", args=[record.pk]))
