"""The columns of the drift report."""

from collections.abc import Mapping
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.columns import MomentColumn
from ocadmin.console.tables import ListTable

from . import drift_words
from .models import DriftFinding, Kind, Severity
from .operations.drift.repair import key_of


def kind_pill(finding: DriftFinding) -> SafeString:
    """The kind, coloured by its severity."""
    return html.pill(Kind(finding.kind).label, drift_words.TONES.get(finding.severity, ""))


class DriftTable(ListTable):
    """One row per finding."""

    e164 = tables.Column(verbose_name=gettext_lazy("Number"))
    kind = tables.Column(verbose_name=gettext_lazy("Kind"), order_by=("kind", "e164"))
    severity = tables.Column(verbose_name=gettext_lazy("Severity"), order_by=("severity", "kind", "e164"))
    customer = tables.Column(verbose_name=gettext_lazy("Customer"), accessor="customer.full_name")
    sbc = tables.Column(verbose_name=gettext_lazy("SBC"), accessor="sbc.name")
    database = tables.Column(verbose_name=gettext_lazy("Database"), accessor="pk", orderable=False)
    microsoft = tables.Column(verbose_name=gettext_lazy("Microsoft"), accessor="pk", orderable=False)
    device = tables.Column(verbose_name=gettext_lazy("Rule on the SBC"), accessor="pk", orderable=False)
    expected = tables.Column(verbose_name=gettext_lazy("Should be"), accessor="pk", orderable=False)
    since = MomentColumn(verbose_name=gettext_lazy("First found"))

    owners: Mapping[int, str] = {}

    class Meta(ListTable.Meta):
        order_by = ("-severity",)

    def tick(self, record: DriftFinding) -> SafeString:
        """The box that selects a finding."""
        return html.tick(key_of(record), f"{record.e164}, {Kind(record.kind).label}")

    def render_e164(self, record: DriftFinding) -> SafeString:
        """The number, linked where it is or was one of ours."""
        known = record.in_database or record.kind == Kind.RESURRECTED
        return html.number(record.e164, f"/numbers/{record.e164}/?tab=routing" if known else "")

    def render_kind(self, record: DriftFinding) -> SafeString:
        """The kind, and whether it could not be judged anew."""
        if not record.stale:
            return kind_pill(record)
        return format_html('{} <span class="muted">{}</span>', kind_pill(record), _("not judged anew"))

    def render_severity(self, record: DriftFinding) -> str:
        """The severity in words."""
        return str(Severity(record.severity).label)

    def render_customer(self, record: DriftFinding) -> SafeString | str:
        """The customer, linked."""
        customer = record.customer
        return html.link(customer.full_name, customer.get_absolute_url()) if customer else html.none()

    def render_database(self, record: DriftFinding) -> str:
        """What our database says."""
        return drift_words.database(record)

    def render_microsoft(self, record: DriftFinding) -> str:
        """What Microsoft says."""
        return drift_words.microsoft(record, self.owners)

    def render_device(self, record: DriftFinding) -> Any:
        """What the SBC says."""
        text = drift_words.device(record)
        return html.clipped(text, text)

    def render_expected(self, record: DriftFinding) -> Any:
        """The rule that should be there."""
        text = drift_words.expected(record)
        return html.clipped(text, text) if text else html.none()
