"""Webhooks and what was sent, to look at: they are made and changed on their own screens."""

from django.contrib import admin

from ocadmin.access.admin import ReadOnlyAdmin
from ocadmin.access.permissions import Permission

from .models import Attempt, Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Webhooks, without their secrets."""

    view_permission = Permission.MANAGE_ACCESS
    list_display = ("name", "url", "enabled", "everything", "last_success_at", "failures", "next_at", "created_by")
    list_filter = ("enabled",)
    search_fields = ("name", "url")
    autocomplete_fields = ("created_by",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Messages."""

    view_permission = Permission.MANAGE_ACCESS
    list_display = ("uid", "webhook", "kind", "state", "changes", "created_at", "finished_at")
    list_filter = ("state", "kind", "webhook")
    list_select_related = ("webhook",)
    search_fields = ("uid__startswith",)
    autocomplete_fields = ("webhook",)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Tries."""

    view_permission = Permission.MANAGE_ACCESS
    list_display = ("delivery", "at", "status", "milliseconds", "error")
    list_select_related = ("delivery",)
    search_fields = ("delivery__uid__startswith",)
    autocomplete_fields = ("delivery",)
