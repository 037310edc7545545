"""Customers, numbers, profiles and addresses. What Microsoft or the lifecycle owns is read-only here as well."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.admin import AuditedAdmin, BoundedPaginator, ReadOnlyAdmin, WholeSystem
from ocadmin.access.permissions import Permission

from .models import (
    CallingProfile,
    Channel,
    CivicAddress,
    Customer,
    DriftFinding,
    DriftRun,
    Location,
    MicrosoftNumber,
    PhoneNumber,
    ReleasedNumber,
    SipConnection,
    StagedNumber,
    Trunk,
    UpstreamJob,
)


def _columns(model: type[models.Model], *editable: str) -> tuple[str, ...]:
    """The names of all columns but the editable ones and the automatic key."""
    return tuple(
        field.name
        for field in model._meta.concrete_fields
        if field.name not in editable and not isinstance(field, models.AutoField)
    )


@admin.register(Channel)
class ChannelAdmin(AuditedAdmin):
    """Resellers."""

    list_display = ("name", "ovoc_channel_id")
    search_fields = ("name",)


@admin.register(Customer)
class CustomerAdmin(AuditedAdmin):
    """Customers. They come from Microsoft's consents; their name here and their channel are ours."""

    can_add = False
    list_display = ("full_name", "tenant_id", "channel", "consent_status", "relationship_status", "connection")
    list_filter = ("connection", "channel")
    list_select_related = ("channel",)
    search_fields = ("full_name", "ms_company_name", "tenant_id__exact")
    autocomplete_fields = ("channel",)
    readonly_fields = _columns(Customer, "full_name", "channel")


class TrunkInline(WholeSystem, admin.TabularInline):
    """Trunks: which SBC one ends on may be set by hand where Microsoft does not tell."""

    model = Trunk
    can_add = can_delete_rows = False
    extra = 0
    fields = ("fqdn", "trunk_id", "sbc")
    readonly_fields = ("fqdn", "trunk_id")
    autocomplete_fields = ("sbc",)


@admin.register(CallingProfile)
class CallingProfileAdmin(AuditedAdmin):
    """Calling profiles: Microsoft's, except for the SBCs of their trunks."""

    can_add = can_delete_rows = False
    list_display = ("name", "id", "region", "carrier", "is_emergency_profile", "removed_at")
    search_fields = ("name", "region", "carrier")
    readonly_fields = _columns(CallingProfile)
    inlines = (TrunkInline,)


class LocationInline(WholeSystem, admin.TabularInline):
    """The locations of an address."""

    model = Location
    can_add = can_change = can_delete_rows = False
    extra = 0


@admin.register(CivicAddress)
class CivicAddressAdmin(ReadOnlyAdmin):
    """Emergency addresses."""

    list_display = ("one_line", "customer", "country", "validation_status", "removed_at")
    list_filter = ("country", "validation_status")
    list_select_related = ("customer",)
    search_fields = ("street_name", "city", "postal_code", "company_name", "customer__full_name")
    autocomplete_fields = ("customer",)
    inlines = (LocationInline,)


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    """Places inside emergency addresses."""

    list_display = ("description", "additional_info", "civic_address", "is_default", "elin", "removed_at")
    list_filter = ("is_default",)
    list_select_related = ("civic_address",)
    search_fields = ("description", "additional_info", "civic_address__street_name", "civic_address__city")
    autocomplete_fields = ("civic_address",)


class NumberForm(forms.ModelForm):
    """Note and tags."""

    class Meta:
        model = PhoneNumber
        fields = ("note", "tags")

    def clean_tags(self) -> list[str]:
        """A list of short texts; empty where nothing is given."""
        tags = self.cleaned_data["tags"] or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) and 0 < len(tag) <= 50 for tag in tags):
            raise ValidationError(_('Write a list of texts of at most 50 characters: ["first", "second"].'))
        return tags


@admin.register(PhoneNumber)
class PhoneNumberAdmin(AuditedAdmin):
    """Numbers. Status, assignment and the rest move through operations only; note and tags are free."""

    edit_permission = Permission.UPLOAD
    can_add = can_delete_rows = False
    show_full_result_count = False
    paginator = BoundedPaginator
    form = NumberForm
    list_display = ("e164", "customer", "status", "source", "assignment_status", "iso_country_code", "acquired_on")
    list_filter = ("status", "source")
    list_select_related = ("customer",)
    search_fields = ("e164__icontains",)
    autocomplete_fields = ("customer", "calling_profile", "location", "civic_address")
    readonly_fields = _columns(PhoneNumber, "note", "tags")

    def save_changed(self, obj: models.Model, written: list[str]) -> None:
        """With the time of the change."""
        if written:
            PhoneNumber.objects.filter(pk=obj.pk).update(
                modified_at=timezone.now(), **{name: getattr(obj, name) for name in written}
            )


@admin.register(ReleasedNumber)
class ReleasedNumberAdmin(ReadOnlyAdmin):
    """Numbers after their release."""

    list_display = ("e164", "customer", "released_at", "released_by", "quarantine_until", "ms_job_id")
    list_filter = ("released_at",)
    list_select_related = ("customer",)
    search_fields = ("e164__icontains",)
    autocomplete_fields = ("customer",)


@admin.register(SipConnection)
class SipConnectionAdmin(AuditedAdmin):
    """Which SBC carries a customer's numbers of a profile."""

    list_display = ("customer", "calling_profile", "sbc", "name", "description")
    list_filter = ("sbc",)
    list_select_related = ("customer", "calling_profile", "sbc")
    search_fields = ("name", "customer__full_name", "calling_profile__name", "sbc__name")
    autocomplete_fields = ("customer", "calling_profile", "sbc")


@admin.register(StagedNumber)
class StagedNumberAdmin(ReadOnlyAdmin):
    """What Microsoft said in a synchronisation that is still kept."""

    list_display = ("e164", "customer", "task", "upstream_status", "assignment_status", "iso_country_code")
    list_select_related = ("customer", "task")
    search_fields = ("e164__startswith",)
    autocomplete_fields = ("customer", "task")


@admin.register(MicrosoftNumber)
class MicrosoftNumberAdmin(ReadOnlyAdmin):
    """What Microsoft had when it was last asked."""

    list_display = ("e164", "customer", "upstream_status", "unreadable")
    list_select_related = ("customer",)
    search_fields = ("e164__startswith",)
    autocomplete_fields = ("customer",)


@admin.register(DriftRun)
class DriftRunAdmin(ReadOnlyAdmin):
    """Drift reports: the one that counts, and one that is being made."""

    list_display = ("began_at", "finished_at", "complete", "total", "new", "gone")
    search_fields = ("task_ref__exact",)


@admin.register(DriftFinding)
class DriftFindingAdmin(ReadOnlyAdmin):
    """What the drift reports found."""

    list_display = ("e164", "kind", "severity", "customer", "sbc", "since", "stale")
    list_filter = ("kind", "severity")
    list_select_related = ("customer", "sbc")
    search_fields = ("e164__startswith",)
    autocomplete_fields = ("customer", "sbc", "run")


@admin.register(UpstreamJob)
class UpstreamJobAdmin(ReadOnlyAdmin):
    """Jobs at Microsoft."""

    list_display = ("kind", "customer", "status", "total", "succeeded", "failed", "created_at", "completed_at")
    list_filter = ("kind", "status")
    list_select_related = ("customer", "task")
    search_fields = ("correlation_id__exact", "ms_job_id__exact", "customer__full_name")
    autocomplete_fields = ("customer", "task")
