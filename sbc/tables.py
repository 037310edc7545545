"""The columns of the SBC list."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.columns import CountColumn, MomentColumn
from ocadmin.console.tables import ListTable

from .models import SBC, State

NEARLY_FULL = 90  # percent
NUMBERS = {"td": {"class": "num"}}
TONES = {
    State.ONLINE: "green",
    State.SAVE_NEEDED: "amber",
    State.HA_SYNC: "blue",
    State.DEGRADED: "amber",
    State.OFFLINE: "red",
    State.BAD_LOGIN: "red",
}


def state_pill(state: str) -> SafeString:
    """A state as a word with its colour."""
    known = State(state)
    return html.pill(known.label, TONES.get(known, ""))


class SBCTable(ListTable):
    """One row per SBC. The view sets the counts of rules: wanted by us, and all that stand in its dial plan."""

    name = tables.Column(verbose_name=gettext_lazy("SBC"))
    state = tables.Column(verbose_name=gettext_lazy("State"))
    state_since = MomentColumn(verbose_name=gettext_lazy("Since"))
    full = tables.Column(verbose_name=gettext_lazy("Full"), accessor="share", orderable=False, attrs=NUMBERS)
    saved = tables.Column(verbose_name=gettext_lazy("Flash"), accessor="save_needed")
    wanted = CountColumn(verbose_name=gettext_lazy("Rules of this console"), accessor="wanted_count", orderable=False)
    present = CountColumn(verbose_name=gettext_lazy("Rules on the SBC"), accessor="present_count", orderable=False)
    capacity = CountColumn(verbose_name=gettext_lazy("Capacity in rules"), accessor="max_rules")
    fqdn = tables.Column(verbose_name=gettext_lazy("FQDN"))
    ip_address = tables.Column(verbose_name=gettext_lazy("IP address"))
    dial_plan = tables.Column(verbose_name=gettext_lazy("Dial plan"))

    class Meta(ListTable.Meta):
        order_by = ("name",)

    def render_name(self, record: SBC) -> SafeString:
        """The name, which leads to the SBC."""
        return html.link(record.name, reverse("sbc:detail", args=[record.pk]))

    def render_state(self, value: str, record: SBC) -> SafeString:
        """With the first reason in its title; all of them are on the SBC's page."""
        return format_html('<span title="{}">{}</span>', " ".join(record.reasons), state_pill(record.state))

    def render_full(self, value: int) -> SafeString | str:
        """Rules of its table, of its capacity: by the last whole reading, else those that we know of."""
        return html.pill(f"{value} %", "red" if value >= 100 else "amber") if value >= NEARLY_FULL else f"{value} %"

    def render_saved(self, value: bool, record: SBC) -> SafeString | str:
        """Whether a restart would lose something."""
        if value or record.save_pending:
            return html.pill(_("save needed"), "amber")
        return _("saved")
