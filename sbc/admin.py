"""SBCs and the rules of their dial plans."""

from django.contrib import admin

from ocadmin.access.admin import AuditedAdmin, ReadOnlyAdmin

from .models import SBC, DialPlanRule


@admin.register(SBC)
class SBCAdmin(AuditedAdmin):
    """SBCs."""

    list_display = ("name", "fqdn", "ip_address", "dial_plan", "prefix_hash", "max_rules")
    search_fields = ("name", "fqdn", "ip_address")


@admin.register(DialPlanRule)
class DialPlanRuleAdmin(ReadOnlyAdmin):
    """Rules: what we want there follows from the numbers, what is there from the device."""

    list_display = ("prefix", "tag", "sbc", "dial_plan", "name", "wanted", "present", "checked_at")
    list_filter = ("wanted", "present", "sbc")
    list_select_related = ("sbc",)
    search_fields = ("prefix__startswith", "tag__startswith", "name__startswith")
    autocomplete_fields = ("sbc",)
