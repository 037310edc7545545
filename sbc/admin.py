"""SBCs and the rules of their dial plans."""

from typing import Any

import httpx2
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.admin import AuditedAdmin, ReadOnlyAdmin
from ocadmin.access.audit import Channel, record
from ocadmin.access.request import principal_behind

from .models import SBC, DialPlanRule


class SBCForm(forms.ModelForm):
    """The password can be written, never read."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept sealed and never shown. Leave it empty to keep the one that is set."),
    )
    clear_password = forms.BooleanField(label=gettext_lazy("Remove the password that is set"), required=False)

    class Meta:
        model = SBC
        fields = (
            "name",
            "fqdn",
            "ip_address",
            "dial_plan",
            "prefix_hash",
            "max_rules",
            "note",
            "rest_url",
            "username",
            "ca_bundle",
            "write_strategy",
        )

    def clean_rest_url(self) -> str:
        """A login in the address would be shown with it."""
        address: str = self.cleaned_data["rest_url"]
        if address and httpx2.URL(address).userinfo:
            raise ValidationError(_("Enter user name and password in their own fields, not in the address."))
        return address

    def clean(self) -> dict[str, Any] | None:
        """Either a new password or none."""
        if self.cleaned_data.get("password") and self.cleaned_data.get("clear_password"):
            self.add_error("clear_password", _("Enter a new password or remove the old one, not both."))
        return super().clean()


@admin.register(SBC)
class SBCAdmin(AuditedAdmin):
    """SBCs, and how each is reached and written."""

    form = SBCForm
    list_display = ("name", "fqdn", "ip_address", "dial_plan", "prefix_hash", "max_rules", "write_strategy", "username")
    list_filter = ("write_strategy",)
    search_fields = ("name", "fqdn", "ip_address")
    readonly_fields = (
        "password_is_set",
        "online",
        "online_checked_at",
        "problem",
        "save_pending",
        "writer",
        "writer_until",
    )
    fieldsets = (
        (None, {"fields": ("name", "fqdn", "ip_address", "note")}),
        (
            gettext_lazy("Access"),
            {"fields": ("rest_url", "username", "password_is_set", "password", "clear_password", "ca_bundle")},
        ),
        (
            gettext_lazy("Dial plan"),
            {
                "fields": ("dial_plan", "prefix_hash", "max_rules", "write_strategy"),
                "description": gettext_lazy(
                    "Neither the commands of the CLI script nor the path of the CSV file was ever tried on a real"
                    " device. Try them on one that carries no calls first."
                ),
            },
        ),
        (
            gettext_lazy("As last seen"),
            {"fields": ("online", "online_checked_at", "problem", "save_pending", "writer", "writer_until")},
        ),
    )

    @admin.display(boolean=True, description=gettext_lazy("password is set"))
    def password_is_set(self, sbc: SBC) -> bool:
        """All that is shown of it."""
        return bool(sbc.sealed_password)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """The password goes into a column of its own; the entry says that it was set or removed, never to what."""
        password, clear = form.cleaned_data["password"], form.cleaned_data["clear_password"]
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not password and not (clear and obj.sealed_password):
                return
            obj.set_password(password)
            obj.save(update_fields=["sealed_password"])
            record(
                "sbc.password",
                by=principal_behind(request),
                channel=Channel.ADMIN,
                object_type="sbc",
                object_id=str(obj.pk),
                label=str(obj)[:200],
                after={"password": "set" if password else "removed"},
            )


@admin.register(DialPlanRule)
class DialPlanRuleAdmin(ReadOnlyAdmin):
    """Rules: what we want there follows from the numbers, what is there from the device."""

    list_display = ("prefix", "tag", "sbc", "dial_plan", "name", "wanted", "present", "checked_at")
    list_filter = ("wanted", "present", "sbc")
    list_select_related = ("sbc",)
    search_fields = ("prefix__startswith", "tag__startswith", "name__startswith")
    autocomplete_fields = ("sbc",)
