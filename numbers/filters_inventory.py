"""The filters of customers, calling profiles and emergency addresses."""

import uuid

import django_filters
from django import forms
from django.db.models import CharField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Lower, Replace
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ocadmin.access.request import Request
from ocadmin.console.filters import ListFilterSet

from .filters import WordFilter
from .models import CallingProfile, Channel, CivicAddress, ConnectionState, Customer

NOT_ACTIVE = "not_active"


def guid_or_none(text: str) -> uuid.UUID | None:
    """The GUID that a text spells; None where it spells none."""
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def guid_fragment(queryset: QuerySet, field: str, words: str) -> QuerySet:
    """Rows whose GUID contains the fragment, written with or without hyphens.

    PostgreSQL keeps GUIDs as such and prints them with hyphens, SQLite keeps 32 digits: both are compared bare.
    """
    bare = Replace(Lower(Cast(field, CharField())), Value("-"), Value(""))
    return queryset.annotate(bare_guid=bare).filter(bare_guid__contains=words.lower().replace("-", ""))


def is_guid_fragment(words: str) -> bool:
    """Whether a search word may be part of a GUID: at least four hexadecimal digits and hyphens."""
    bare = words.replace("-", "").lower()
    return len(bare) >= 4 and all(letter in "0123456789abcdef" for letter in bare)


def visible_channels(request: Request | None) -> QuerySet[Channel]:
    """The channels the person may choose from."""
    return Channel.objects.visible_to(request.principal) if request is not None else Channel.objects.none()


class CustomerFilter(ListFilterSet):
    """?q=contoso&consent=suspended&connection=not_connected&sync=held&channel=3&country=GB."""

    q = django_filters.CharFilter(label=_("Name or tenant ID"), method="search", max_length=100)
    consent = WordFilter(
        label=_("Consent"),
        method="by_consent",
        choices=[
            ("active", _("Active")),
            ("suspended", _("Suspended")),
            ("removed", _("Removed")),
            (NOT_ACTIVE, _("Anything but active")),
        ],
    )
    connection = WordFilter(label=_("Tenant connection"), choices=ConnectionState.choices)
    sync = WordFilter(
        label=_("Synchronisation"), method="by_hold", choices=[("held", _("On hold")), ("open", _("Not on hold"))]
    )
    channel = django_filters.ModelChoiceFilter(label=_("Channel"), queryset=visible_channels, empty_label=_("All"))
    country = django_filters.CharFilter(label=_("Country (GB, US …)"), method="by_country", max_length=2)

    class Meta:
        model = Customer
        fields: list[str] = []

    def search(self, queryset: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
        """A fragment of the name here or at Microsoft, or of the tenant id."""
        words = value.strip()
        found = Q(full_name__icontains=words) | Q(ms_company_name__icontains=words)
        if is_guid_fragment(words):
            tenants = guid_fragment(Customer.objects.order_by(), "tenant_id", words)
            found |= Q(pk__in=tenants.values("pk"))
        return queryset.filter(found)

    def by_consent(self, queryset: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
        """Microsoft's word, whatever its case. An empty word means never told, which is not a withdrawn consent."""
        if value == NOT_ACTIVE:
            return queryset.exclude(consent_status__iexact="active").exclude(consent_status="")
        return queryset.filter(consent_status__iexact=value)

    def by_hold(self, queryset: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
        """Whether the synchronisation is on hold."""
        return queryset.filter(sync_held_at__isnull=value == "open")

    def by_country(self, queryset: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
        """The country is one of those consented to. As text, because SQLite cannot look into a JSON list."""
        countries = Cast("consented_countries", TextField())
        return queryset.annotate(countries_text=countries).filter(countries_text__contains=f'"{value.strip().upper()}"')


class CallingProfileFilter(ListFilterSet):
    """?q=europe&gone=false."""

    q = django_filters.CharFilter(label=_("Name, region, carrier or ID"), method="search", max_length=100)
    gone = WordFilter(label=_("At Microsoft"), method="by_gone", choices=[("false", _("Present")), ("true", _("Gone"))])

    class Meta:
        model = CallingProfile
        fields: list[str] = []

    def search(self, queryset: QuerySet[CallingProfile], _name: str, value: str) -> QuerySet[CallingProfile]:
        """A fragment of name, region, carrier or id."""
        words = value.strip()
        found = Q(name__icontains=words) | Q(region__icontains=words) | Q(carrier__icontains=words)
        if is_guid_fragment(words):
            found |= Q(pk__in=guid_fragment(CallingProfile.objects.order_by(), "id", words).values("pk"))
        return queryset.filter(found)

    def by_gone(self, queryset: QuerySet[CallingProfile], _name: str, value: str) -> QuerySet[CallingProfile]:
        """Whether Microsoft still lists it."""
        return queryset.filter(removed_at__isnull=value == "false")


def matches_address(text: str, path: str = "", *more: str) -> Q:
    """A fragment of street, city, postal code, description or customer; or a whole id.

    `path` leads from the filtered rows to the address, `more` are further columns of those rows.
    """
    words = text.strip()
    columns = ("customer__full_name", "street_name", "city", "postal_code", "description", "company_name")
    found = Q(*(Q(**{f"{path}{column}__icontains": words}) for column in columns), _connector=Q.OR)
    for column in more:
        found |= Q(**{f"{column}__icontains": words})
    guid = guid_or_none(words)
    return found | Q(**{f"{path}pk": guid}) if guid else found


class EmergencyAddressFilter(ListFilterSet):
    """?q=high+street&country=GB&validation=notValidated&customer=12."""

    q = django_filters.CharFilter(label=_("Address, customer or ID"), method="search", max_length=100)
    country = django_filters.CharFilter(label=_("Country (GB, US …)"), lookup_expr="iexact", max_length=2)
    validation = WordFilter(
        label=_("Validation"),
        field_name="validation_status",
        lookup_expr="iexact",
        choices=[
            ("validated", _("Validated")),
            ("notValidated", _("Not validated")),
            ("invalid", _("Invalid")),
        ],
    )
    customer = django_filters.NumberFilter(label=_("Customer"), field_name="customer_id", widget=forms.HiddenInput)

    class Meta:
        model = CivicAddress
        fields: list[str] = []

    def search(self, queryset: QuerySet[CivicAddress], _name: str, value: str) -> QuerySet[CivicAddress]:
        """A fragment of street, city, postal code, description or customer; or a whole id."""
        return queryset.filter(matches_address(value))

    def describe(self, name: str, values: list[str]) -> str:
        """The customer by name, if it is one of theirs."""
        return self._customer_name if name == "customer" else super().describe(name, values)

    @cached_property
    def _customer_name(self) -> str:
        asked = self.form.cleaned_data.get("customer") if self.is_valid() else None
        customers = Customer.objects.visible_to(self.request.principal)
        found = customers.filter(pk=asked).values_list("full_name", flat=True).first() if asked is not None else None
        return found or self.data["customer"][:20]
