"""The admin pages of API clients: list, disable, roles, a new secret. A secret is shown once and never again."""

from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.forms import CharField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import clients
from .admin import AuditedAdmin, MembershipInline
from .audit import Channel
from .models import ApiClient
from .permissions import Permission
from .request import principal_behind


class ApiClientForm(ModelForm):
    """Name, whether it is enabled, and until when."""

    first_name = CharField(label=gettext_lazy("Name"), max_length=150)

    class Meta:
        model = ApiClient
        fields = ("first_name", "is_active", "expires_at")


@admin.register(ApiClient)
class ApiClientAdmin(AuditedAdmin):
    """Programs. They are made with `manage.py create_api_client`, which shows the secret to whom it is for."""

    view_permission = Permission.MANAGE_ACCESS
    can_add = False
    form = ApiClientForm
    list_display = ("first_name", "username", "is_active", "expires_at", "last_login", "date_joined")
    list_filter = ("is_active",)
    search_fields = ("first_name", "username")
    readonly_fields = ("user_ptr", "client_id", "kind", "made", "last_used")
    fields = ("first_name", "client_id", "kind", "is_active", "expires_at", "made", "last_used")
    inlines = (MembershipInline,)
    change_form_template = "admin/access/apiclient/change_form.html"

    @admin.display(description=gettext_lazy("client id"))
    def client_id(self, client: ApiClient) -> str:
        """What it calls itself."""
        return client.username

    @admin.display(description=gettext_lazy("credentials"))
    def kind(self, client: ApiClient) -> str:
        """How it shows who it is."""
        return _("A secret") if client.secret_hash else _("Tokens of Entra")

    @admin.display(description=gettext_lazy("made"))
    def made(self, client: ApiClient) -> Any:
        """When."""
        return client.date_joined

    @admin.display(description=gettext_lazy("last used"))
    def last_used(self, client: ApiClient) -> Any:
        """To the hour."""
        return client.last_login

    def get_inline_instances(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Its roles: the memberships of the user that it is."""
        inlines = super().get_inline_instances(request, obj)
        for inline in inlines:
            inline.fk_name = "user"
        return inlines

    def get_urls(self) -> list[URLPattern]:
        """The page that gives a new secret."""
        view = self.admin_site.admin_view(self.renew)
        return [path("<int:pk>/secret/", view, name="access_apiclient_secret"), *super().get_urls()]

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: a new secret, shown in this answer and nowhere else."""
        client = get_object_or_404(ApiClient, pk=pk)
        if not self.has_change_permission(request, client):
            return redirect("admin:index")
        if request.method != "POST" or not client.secret_hash:
            messages.warning(request, _("Nothing was changed."))
            return redirect("admin:access_apiclient_change", pk)
        with transaction.atomic():
            secret = clients.renew_secret(client, by=principal_behind(request), channel=Channel.ADMIN)
        context = {**self.admin_site.each_context(request), "title": _("New secret"), "client": client}
        return render(request, "admin/access/apiclient/secret.html", context | {"secret": secret})
