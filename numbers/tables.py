"""Columns of the number lists."""

import datetime
from collections.abc import Mapping
from typing import Any

import django_tables2 as tables
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.console import html
from ocadmin.console.tables import ListTable

from .assignment import Assignment
from .lifecycle import Source, Status
from .models import CivicAddress, PhoneNumber, ReleasedNumber, SipConnection

STATUS_TONES: Mapping[int, str] = {
    Status.ACTIVE: "green",
    Status.RELEASE_REQUESTED: "violet",
    Status.MARKED_FOR_REMOVAL: "amber",
    Status.READY_FOR_REMOVAL: "red",
    Status.PENDING_FIRST_SYNC: "blue",
}
_VALIDATION = {
    "validated": (gettext_lazy("Validated"), "green"),
    "notvalidated": (gettext_lazy("Not validated"), "amber"),
    "invalid": (gettext_lazy("Invalid"), "red"),
}


def status_pill(status: int) -> SafeString:
    """A status as a coloured word; a number that this version does not know, as it is."""
    label = Status(status).label if status in Status.values else status
    return html.pill(label, STATUS_TONES.get(status, ""))


def assignment_text(word: str | None) -> SafeString | str:
    """Our word for an assignment; an unknown word as it came; a dash where Microsoft never told."""
    if word is None:
        return html.none(_("not known"))
    return str(Assignment(word).label) if word in Assignment.values else word


def source_text(source: str) -> SafeString | str:
    """webapi, webui, or the empty value with words for a screen reader (number-management-screen.txt, Source)."""
    return source if source != Source.EXTERNAL else html.none(_("empty: from outside this console"))


def validation_pill(word: str) -> SafeString:
    """Microsoft's word for the state of an address; one we do not know as it came, a dash where it said none."""
    if not word:
        return html.none(_("not known"))
    label, tone = _VALIDATION.get(word.lower(), (word, ""))
    return html.pill(label, tone)


def quarantine_text(until: datetime.datetime) -> SafeString:
    """The end of a quarantine, and whether that is over."""
    if until > timezone.now():
        return html.moment(until)
    return format_html("{} {}", html.pill(_("over")), html.moment(until))


def address_text(address: CivicAddress | None) -> SafeString:
    """An address on one line, linked; a dash for None."""
    if address is None:
        return html.none()
    return html.clipped(html.link(address.one_line, address.get_absolute_url()), address.one_line)


def number_tick(_table: ListTable, record: PhoneNumber) -> SafeString:
    """The box that selects a number: the `tick` of a table of numbers."""
    return html.tick(record.e164, record.e164)


class _Number(tables.Column):
    """The number for reading with its copy button, linked to its page."""

    def render(self, value: str) -> SafeString:
        """The cell."""
        return html.number(value, f"/numbers/{value}/")


class _Customer(tables.Column):
    """The customer's name, linked."""

    def render(self, record: Any) -> SafeString:
        """The cell."""
        return html.link(record.customer.full_name, record.customer.get_absolute_url())


class _Moment(tables.Column):
    """A time."""

    def render(self, value: Any) -> SafeString:
        """The cell."""
        return html.moment(value)


class _Id(tables.Column):
    """A GUID, shortened."""

    def render(self, value: Any) -> SafeString:
        """The cell."""
        return html.short_id(value)


class _Assignment(tables.Column):
    """An assignment word."""

    def render(self, value: str) -> SafeString | str:
        """The cell."""
        return assignment_text(value)


class NumberTable(ListTable):
    """The tab All (number-management-screen.txt; live-platform.md §1.2)."""

    e164 = _Number(verbose_name=gettext_lazy("Number"))
    customer = _Customer(verbose_name=gettext_lazy("Customer"), order_by=("customer.full_name", "customer_id", "e164"))
    country = tables.Column(verbose_name=gettext_lazy("Country"), accessor="iso_country_code")
    tenant = _Id(
        verbose_name=gettext_lazy("Tenant ID"), accessor="customer.tenant_id", order_by=("customer.tenant_id",)
    )
    address = tables.Column(
        verbose_name=gettext_lazy("Emergency Address"),
        accessor="civic_address",
        order_by=("civic_address.country", "civic_address.city", "civic_address.street_name"),
    )
    sip_connection = tables.Column(verbose_name=gettext_lazy("SIP Connection"), accessor="pk")
    profile = _Id(verbose_name=gettext_lazy("Calling Profile ID"), accessor="calling_profile_id")
    source = tables.Column(verbose_name=gettext_lazy("Source"), empty_values=())
    job = _Id(verbose_name=gettext_lazy("MS Job ID"), accessor="tn_upload_job_id")
    assignment = _Assignment(verbose_name=gettext_lazy("Assignment"), accessor="assignment_status")
    status = tables.Column(verbose_name=gettext_lazy("Status"))
    acquired = _Moment(verbose_name=gettext_lazy("Acquired Date"), accessor="acquired_on")

    sip_names: Mapping[tuple[int, Any], list[str]] = {}

    class Meta(ListTable.Meta):
        order_by = ("e164",)

    tick = number_tick

    def render_address(self, value: CivicAddress) -> SafeString:
        """The address on one line."""
        return address_text(value)

    def render_sip_connection(self, record: PhoneNumber) -> SafeString | str:
        """The names of the connections that carry the number."""
        names = self.sip_names.get((record.customer_id, record.calling_profile_id))
        text = ", ".join(names or ())
        return html.clipped(text, text) if text else html.none()

    def order_sip_connection(self, queryset: QuerySet[Any], is_descending: bool) -> tuple[QuerySet[Any], bool]:
        """By the first name; worked out in the database, and only when somebody sorts by it."""
        links = SipConnection.objects.filter(customer=OuterRef("customer"), calling_profile=OuterRef("calling_profile"))
        name = Coalesce(NullIf("name", Value("")), "sbc__name", output_field=CharField())
        first = links.annotate(shown_name=name).order_by("shown_name").values("shown_name")[:1]
        rows = queryset.annotate(sip_name=Subquery(first))
        return rows.order_by("-sip_name" if is_descending else "sip_name"), True

    def render_source(self, record: PhoneNumber) -> SafeString | str:
        """webapi, webui or the empty value."""
        return source_text(record.source)

    def render_status(self, record: PhoneNumber) -> SafeString:
        """The status as a coloured word."""
        return status_pill(record.status)


class EmergencyTable(ListTable):
    """The tab Emergency Address."""

    e164 = _Number(verbose_name=gettext_lazy("Number"))
    customer = _Customer(verbose_name=gettext_lazy("Customer"), order_by=("customer.full_name", "customer_id", "e164"))
    country = tables.Column(verbose_name=gettext_lazy("Country"), accessor="iso_country_code")
    address = tables.Column(
        verbose_name=gettext_lazy("Emergency Address"),
        accessor="civic_address",
        order_by=("civic_address.country", "civic_address.city", "civic_address.street_name"),
    )
    location = tables.Column(verbose_name=gettext_lazy("Location"), order_by=("location.description",))
    validation = tables.Column(verbose_name=gettext_lazy("Validation"), accessor="civic_address.validation_status")
    elin = tables.Column(verbose_name=gettext_lazy("ELIN"), accessor="location.elin")
    assignment = _Assignment(verbose_name=gettext_lazy("Assignment"), accessor="assignment_status")

    class Meta(ListTable.Meta):
        order_by = ("e164",)

    tick = number_tick

    def render_address(self, value: CivicAddress) -> SafeString:
        """The address on one line."""
        return address_text(value)

    def render_validation(self, value: str) -> SafeString:
        """Microsoft's word."""
        return validation_pill(value)


class ApprovalTable(ListTable):
    """The approvals inbox."""

    e164 = _Number(verbose_name=gettext_lazy("Number"))
    customer = _Customer(verbose_name=gettext_lazy("Customer"), order_by=("customer.full_name", "customer_id", "e164"))
    country = tables.Column(verbose_name=gettext_lazy("Country"), accessor="iso_country_code")
    since = _Moment(verbose_name=gettext_lazy("Marked"), accessor="status_changed_at")
    reason = tables.Column(verbose_name=gettext_lazy("Reason"), accessor="status_reason")
    assignment = _Assignment(verbose_name=gettext_lazy("Assignment"), accessor="assignment_status")
    source = tables.Column(verbose_name=gettext_lazy("Source"), empty_values=())

    class Meta(ListTable.Meta):
        order_by = ("since",)

    tick = number_tick

    def render_source(self, value: str) -> SafeString | str:
        """webapi, webui, or empty."""
        return source_text(value)


class ReleasedTable(ListTable):
    """The tab Released."""

    e164 = _Number(verbose_name=gettext_lazy("Number"))
    customer = _Customer(verbose_name=gettext_lazy("Customer"), order_by=("customer.full_name", "customer_id"))
    country = tables.Column(verbose_name=gettext_lazy("Country"), accessor="iso_country_code")
    released = _Moment(verbose_name=gettext_lazy("Released"), accessor="released_at")
    released_by = tables.Column(verbose_name=gettext_lazy("Released by"))
    quarantine = _Moment(verbose_name=gettext_lazy("Quarantine until"), accessor="quarantine_until")
    job = tables.Column(verbose_name=gettext_lazy("MS Job ID"), accessor="ms_job_id")

    class Meta(ListTable.Meta):
        order_by = ("-released",)

    def tick(self, record: ReleasedNumber) -> SafeString:
        """The box that selects a release: the same number may have been released more than once."""
        return html.tick(str(record.pk), record.e164)

    def render_quarantine(self, value: datetime.datetime) -> SafeString:
        """Until when it rests, or that it does no more."""
        return quarantine_text(value)

    def render_job(self, record: ReleasedNumber) -> SafeString:
        """Microsoft's job, linked to the task that started it."""
        url = reverse("tasks:detail", args=[record.task_ref]) if record.task_ref else ""
        return html.short_id(record.ms_job_id, url)
