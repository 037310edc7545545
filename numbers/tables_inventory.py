"""The columns of customers, calling profiles and emergency addresses.

`number_count` and the like are set on the page's rows by the views (`prepare`), with one grouped query per page.
"""

import datetime
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.columns import CountColumn, IdColumn, MomentColumn, TagsColumn, tags
from ocadmin.console.tables import ListTable

from .lifecycle import Status
from .models import CallingProfile, CivicAddress, ConnectionState, Customer
from .overview import CONSENT_GIVEN, numbers_url
from .tables import validation_pill

CONNECTION_TONES = {ConnectionState.CONNECTED: "green", ConnectionState.NOT_CONNECTED: "red"}
CONSENT_TONES = {"active": "green", "suspended": "amber", "removed": "red"}


def consent_pill(customer: Customer) -> SafeString:
    """Microsoft's word for the consent; a dash where it never told."""
    word = customer.consent_status
    return html.pill(word.capitalize(), CONSENT_TONES.get(word.lower(), "")) if word else html.none(_("not known"))


def connection_pill(customer: Customer) -> SafeString:
    """Whether we may act inside the customer's tenant."""
    state = ConnectionState(customer.connection)
    return html.pill(state.label, CONNECTION_TONES.get(state, ""))


def hold_pill() -> SafeString:
    """Of a customer whose synchronisation is on hold."""
    return html.pill(_("Sync on hold"), "amber")


def customer_problems(customer: Customer) -> list[SafeString]:
    """What is missing on the customer's side, one pill each."""
    found = []
    if customer.connection == ConnectionState.NOT_CONNECTED:
        found.append(html.pill(_("Tenant not connected"), "red"))
    word = customer.consent_status.lower()
    if word not in ("", CONSENT_GIVEN):
        found.append(html.pill(_("Consent %s") % word, CONSENT_TONES.get(word, "")))
    if customer.sync_held_at:
        found.append(hold_pill())
    return found


def present_pill(removed_at: datetime.datetime | None) -> SafeString:
    """Whether Microsoft still lists an object; since when it does not."""
    if removed_at is None:
        return html.pill(_("Present"), "green")
    return format_html("{} {}", html.pill(_("Gone since"), "red"), html.moment(removed_at, "j M Y"))


def offer_names(profile: CallingProfile) -> list[str]:
    """The offer types by name: they come as plain words, or as objects with a name (live-platform.md §3.8)."""
    return [offer.get("offerTypeName", "") if isinstance(offer, dict) else str(offer) for offer in profile.offer_types]


class _Presence(tables.Column):
    """Present at Microsoft, or gone since."""

    empty_values = ()

    def render(self, value: datetime.datetime | None) -> SafeString:
        """The cell."""
        return present_pill(value)


class _Link(tables.Column):
    """The row's own name, which leads to its page."""

    def render(self, value: str, record: Any) -> SafeString:
        """The cell."""
        return html.link(value, record.get_absolute_url())


class CustomerTable(ListTable):
    """One row per customer."""

    name = tables.Column(verbose_name=gettext_lazy("Customer"), accessor="full_name")
    tenant_id = IdColumn(verbose_name=gettext_lazy("Tenant ID"))
    consent = tables.Column(verbose_name=gettext_lazy("Consent"), accessor="consent_status")
    connection = tables.Column(verbose_name=gettext_lazy("Tenant connection"))
    numbers = CountColumn(
        verbose_name=gettext_lazy("Numbers"),
        accessor="number_count",
        orderable=False,
        url=lambda record: numbers_url(customer=record.pk),
    )
    removal = CountColumn(
        verbose_name=gettext_lazy("Marked for removal"),
        accessor="removal_count",
        orderable=False,
        url=lambda record: numbers_url(customer=record.pk, status=Status.MARKED_FOR_REMOVAL.value),
    )
    countries = TagsColumn(verbose_name=gettext_lazy("Countries"), accessor="consented_countries", orderable=False)
    channel = tables.Column(verbose_name=gettext_lazy("Channel"), accessor="channel.name", order_by=("channel.name",))
    relationship = tables.Column(verbose_name=gettext_lazy("Relationship"), accessor="relationship_status")
    consented_on = MomentColumn(verbose_name=gettext_lazy("Consented on"), pattern="j M Y")

    class Meta(ListTable.Meta):
        order_by = ("name",)

    def render_name(self, record: Customer) -> SafeString:
        """The name, linked, and whether the synchronisation is on hold."""
        link = html.link(record.full_name, record.get_absolute_url())
        return html.join([link, hold_pill()], " ") if record.sync_held_at else link

    def render_consent(self, record: Customer) -> SafeString:
        """Microsoft's word."""
        return consent_pill(record)

    def render_connection(self, record: Customer) -> SafeString:
        """Connected, not connected, not checked."""
        return connection_pill(record)


class CallingProfileTable(ListTable):
    """One row per calling profile."""

    name = _Link(verbose_name=gettext_lazy("Calling profile"))
    id = IdColumn(verbose_name=gettext_lazy("ID"))
    region = tables.Column(verbose_name=gettext_lazy("Region"))
    carrier = tables.Column(verbose_name=gettext_lazy("Carrier"))
    offers = TagsColumn(verbose_name=gettext_lazy("Offer types"), accessor="offer_types", orderable=False)
    trunks = tables.Column(verbose_name=gettext_lazy("Trunks"), accessor="page_trunks", orderable=False)
    numbers = CountColumn(
        verbose_name=gettext_lazy("Numbers"),
        accessor="number_count",
        orderable=False,
        url=lambda record: numbers_url(profile=record.pk),
    )
    emergency = TagsColumn(
        verbose_name=gettext_lazy("Emergency dial strings"), accessor="emergency_dial_strings", orderable=False
    )
    gone = _Presence(verbose_name=gettext_lazy("At Microsoft"), accessor="removed_at")

    class Meta(ListTable.Meta):
        order_by = ("name",)

    def render_offers(self, record: CallingProfile) -> SafeString:
        """What may be sold with it."""
        return tags(offer_names(record))

    def render_trunks(self, record: Any) -> SafeString:
        """Trunks, each with the SBC it ends on where that is known and theirs to see."""
        line = '{} <span class="muted">→ {}</span>'
        trunks = [format_html(line, trunk.fqdn, trunk.sbc) if trunk.sbc else trunk.fqdn for trunk in record.page_trunks]
        return html.join(trunks, "<br>")


class EmergencyAddressTable(ListTable):
    """One row per civic address."""

    address = _Link(
        verbose_name=gettext_lazy("Address"),
        attrs={"td": {"class": "wrap"}},
        accessor="one_line",
        empty_values=(),
        order_by=("city", "street_name", "house_number"),
    )
    customer = tables.Column(verbose_name=gettext_lazy("Customer"), accessor="customer.full_name")
    country = tables.Column(verbose_name=gettext_lazy("Country"))
    validation = tables.Column(verbose_name=gettext_lazy("Validation"), accessor="validation_status")
    locations = CountColumn(verbose_name=gettext_lazy("Locations"), accessor="location_count", orderable=False)
    numbers = CountColumn(
        verbose_name=gettext_lazy("Numbers"),
        accessor="number_count",
        orderable=False,
        url=lambda record: numbers_url(address=record.pk),
    )
    gone = _Presence(verbose_name=gettext_lazy("At Microsoft"), accessor="removed_at")

    class Meta(ListTable.Meta):
        order_by = ("address",)

    def render_address(self, record: CivicAddress) -> SafeString:
        """The address on one line; its id where Microsoft told nothing else about it."""
        return html.link(record.one_line or str(record.pk), record.get_absolute_url())

    def render_customer(self, record: CivicAddress) -> SafeString:
        """The customer, linked."""
        return html.link(record.customer.full_name, record.customer.get_absolute_url())

    def render_validation(self, record: CivicAddress) -> SafeString:
        """Microsoft's word."""
        return validation_pill(record.validation_status)
