"""SBCs and the rules of their dial plans."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from ocadmin.access.admin import AuditedAdmin, ReadOnlyAdmin
from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind

from . import records
from .forms import SBCForm
from .models import SBC, DialPlanRule


@admin.register(SBC)
class SBCAdmin(AuditedAdmin):
    """SBCs, and how each is reached and written."""

    edit_permission = Permission.MANAGE_SBC
    form = SBCForm
    list_display = (
        "name",
        "fqdn",
        "ip_address",
        "dial_plan",
        "prefix_hash",
        "max_rules",
        "write_strategy",
        "username",
        "state",
    )
    list_filter = ("state", "write_strategy")
    search_fields = ("name", "fqdn", "ip_address")
    readonly_fields = (
        "password_is_set",
        "state",
        "state_since",
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
            {
                "fields": (
                    "rest_url",
                    "username",
                    "password_is_set",
                    "password",
                    "clear_password",
                    "ca_bundle",
                    "pinned_certificate",
                )
            },
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
            {
                "fields": (
                    "state",
                    "state_since",
                    "online_checked_at",
                    "problem",
                    "save_pending",
                    "writer",
                    "writer_until",
                )
            },
        ),
    )

    @admin.display(boolean=True, description=gettext_lazy("password is set"))
    def password_is_set(self, sbc: SBC) -> bool:
        """All that is shown of it."""
        return bool(sbc.sealed_password)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the console's own form does."""
        for sentence in records.save(form, by=principal_behind(request), channel=Channel.ADMIN):
            messages.info(request, sentence)


@admin.register(DialPlanRule)
class DialPlanRuleAdmin(ReadOnlyAdmin):
    """Rules: what we want there follows from the numbers, what is there from the device."""

    list_display = ("prefix", "tag", "sbc", "dial_plan", "name", "wanted", "present", "checked_at")
    list_filter = ("wanted", "present", "sbc")
    list_select_related = ("sbc",)
    search_fields = ("prefix__startswith", "tag__startswith", "name__startswith")
    autocomplete_fields = ("sbc",)
