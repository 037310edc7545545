"""The base of every admin page, and the pages for people, memberships and the audit trail.

Django's admin looks at whole tables, so it is for people whose role reaches the whole system: `is_staff` opens the
door, the table of permissions.py says what may be seen and changed. Django's own groups and permissions play no part.
Every change writes an audit entry in the transaction of the change.
"""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from allauth.account import admin as account_admin  # imported first: it registers its page on import
from django.contrib import admin
from django.contrib.admin.utils import get_deleted_objects
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .audit import Channel, record
from .models import AuditEntry, Membership, User
from .permissions import Permission
from .request import principal_behind

NOT_RECORDED = frozenset({"password", "sealed_password", "secret_hash"})
MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts at most 10,000 rows: counting a big table costs more than the page. Narrow the list to see the rest."""

    object_list: models.QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """The number of rows, or 10,000."""
        return self.object_list[:MOST_COUNTED].count()


class WholeSystem:
    """Permissions of an admin page or an inline: a role for the whole system."""

    view_permission = Permission.VIEW
    edit_permission = Permission.MANAGE_ACCESS
    can_add = can_change = can_delete_rows = True

    def _may_edit(self, request: HttpRequest) -> bool:
        return request.user.is_staff and principal_behind(request).can_everywhere(self.edit_permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is shown on the first page."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whether rows are shown."""
        return request.user.is_staff and principal_behind(request).can_everywhere(self.view_permission)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Where adding makes sense at all."""
        return self.can_add and self._may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Where some column is ours to change."""
        return self.can_change and self._may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Where a row may be deleted by hand."""
        return self.can_delete_rows and self._may_edit(request)


class AuditedAdmin(WholeSystem, admin.ModelAdmin):
    """Writes an audit entry for every row added, changed or deleted, also in inlines and in bulk."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """Rows in the scope of the person, like everywhere else."""
        rows = super().get_queryset(request)
        return rows.visible_to(principal_behind(request)) if hasattr(rows, "visible_to") else rows

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm, change: bool) -> None:
        """Write only what was changed: a task may have written other columns since the form was shown."""
        with transaction.atomic():
            before = values(type(obj)._base_manager.get(pk=obj.pk)) if change else {}
            columns = {field.name for field in obj._meta.concrete_fields}
            written = [name for name in form.changed_data if name in columns]
            if change:
                self.save_changed(obj, written)
            else:
                obj.save(force_insert=True)
            if change:
                audit(request, "change", obj, before, written)
            else:
                audit(request, "add", obj)

    def save_changed(self, obj: models.Model, written: list[str]) -> None:
        """Write the columns `written`."""
        if written:
            obj.save(update_fields=written)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        """Rows of inlines."""
        with transaction.atomic():
            formset.save(commit=False)
            touched = [*formset.deleted_objects, *(row for row, _fields in formset.changed_objects)]
            known = stored_values(touched)
            for row in formset.deleted_objects:
                audit(request, "delete", row, known.get(row.pk, {}))
                row.delete()
            for row, written in formset.changed_objects:
                row.save(update_fields=written)
                audit(request, "change", row, known.get(row.pk, {}), written)
            for row in formset.new_objects:
                row.save()
                audit(request, "add", row)
            formset.save_m2m()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Delete one row."""
        with transaction.atomic():
            audit(request, "delete", obj, values(obj))
            obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Delete the chosen rows."""
        with transaction.atomic():
            for obj in queryset:
                audit(request, "delete", obj, values(obj))
            queryset.delete()

    def get_deleted_objects(
        self, objs: Sequence[models.Model] | models.QuerySet[models.Model], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[str], list[Any]]:
        """What a deletion takes with it, or why it is refused: a sentence with a count, not a list of 100,000 numbers.

        Rows that go with their owner (a customer's addresses) need no permission of their own.
        """
        blockers = list(self.blockers(list(objs)))
        if blockers:
            return [], {}, set(), blockers
        deleted, counts, _needed, protected = get_deleted_objects(objs, request, self.admin_site)
        return deleted, counts, set(), protected

    def blockers(self, objs: list[models.Model]) -> Iterable[str]:
        """A sentence per kind of row that keeps the objects from being deleted."""
        for relation in self.model._meta.get_fields(include_hidden=True):
            if not (relation.auto_created and getattr(relation, "on_delete", None) is models.PROTECT):
                continue
            rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": objs})
            count = rows.count()
            if count:
                yield _("Nothing may refer to it any more, but there are %(count)d: %(things)s.") % {
                    "count": count,
                    "things": relation.related_model._meta.verbose_name_plural,
                }


class ReadOnlyAdmin(AuditedAdmin):
    """Rows that are written by the lifecycle, by Microsoft or by tasks: to look at only."""

    can_add = can_change = can_delete_rows = False
    show_full_result_count = False
    paginator = BoundedPaginator


def values(obj: models.Model) -> dict[str, Any]:
    """Column to value as JSON can hold it, without passwords; a foreign key as its id."""
    columns = (field for field in obj._meta.concrete_fields if field.name not in NOT_RECORDED)
    plain = {field.attname: field.value_from_object(obj) for field in columns}
    return json.loads(json.dumps(plain, cls=DjangoJSONEncoder))


def stored_values(rows: Sequence[models.Model]) -> dict[Any, dict[str, Any]]:
    """Key to `values` as the database holds them now, of rows of one model. One query; none for no rows."""
    if not rows:
        return {}
    return {pk: values(row) for pk, row in type(rows[0])._base_manager.in_bulk([row.pk for row in rows]).items()}


def audit(
    request: HttpRequest,
    verb: str,
    obj: models.Model,
    before: dict[str, Any] | None = None,
    written: Collection[str] = (),
) -> None:
    """An entry for a row added, deleted, or changed in the columns `written`; none where nothing changed."""
    before, after = before or {}, {} if verb == "delete" else values(obj)
    if verb == "change":
        columns = {field.attname for field in obj._meta.concrete_fields if field.name in written} & set(after)
        changed = sorted(name for name in columns if before.get(name) != after[name])
        if not changed:
            return
        before, after = ({name: side.get(name) for name in changed} for side in (before, after))
    action, kind, key = _subject(verb, obj)
    record(
        action,
        by=principal_behind(request),
        channel=Channel.ADMIN,
        object_type=kind,
        object_id=key,
        label=str(obj)[:200],
        before=before,
        after=after,
        **_place(obj),
    )


def _subject(verb: str, obj: models.Model) -> tuple[str, str, str]:
    """Action, kind and id, in the words the rest of the console uses for the same thing."""
    if isinstance(obj, Membership):
        action = "access.revoke" if verb == "delete" else "access.grant"
        return action, "user", str(obj.user_id)
    if obj._meta.label == "numbers.PhoneNumber":
        return f"number.{verb}", "number", str(obj)
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", obj._meta.object_name or "").lower()
    return f"{kind}.{verb}", kind, str(obj.pk)


def _place(obj: models.Model) -> dict[str, int | None]:
    """The customer and channel an object belongs to, so that their people see the entry."""
    owner: Any = obj if obj._meta.label == "numbers.Customer" else getattr(obj, "customer", None)
    if owner is not None:
        return {"customer_ref": owner.pk, "channel_ref": owner.channel_id}
    channel_id = obj.pk if obj._meta.label == "numbers.Channel" else getattr(obj, "channel_id", None)
    return {"channel_ref": channel_id if isinstance(channel_id, int) else None}


# Neither says anything here, and changes on these pages would leave no audit entry.
admin.site.unregister(Group)
admin.site.unregister(account_admin.EmailAddress)
admin.site.site_header = admin.site.site_title = gettext_lazy("Number console: tables")
admin.site.site_url = "/"


class MembershipInline(WholeSystem, admin.TabularInline):
    """The roles of a person."""

    view_permission = Permission.MANAGE_ACCESS
    model = Membership
    extra = 0
    fields = ("role", "channel", "customer")
    autocomplete_fields = ("channel", "customer")


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    """People. Their roles stand below; a superuser is Admin of the whole system."""

    view_permission = Permission.MANAGE_ACCESS
    list_display = ("username", "get_full_name", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email", "time_zone")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """People; programs have a page of their own, and no password."""
        return super().get_queryset(request).filter(apiclient=None)

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> tuple:
        """Roles are given after the person exists."""
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody deletes themselves."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """The password and the entry about it in one transaction."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Django calls this after a new password as well; the entry says that it was set, never to what."""
        if request.resolver_match and request.resolver_match.url_name == "auth_user_password_change":
            record(
                "user.password",
                by=principal_behind(request),
                channel=Channel.ADMIN,
                object_type="user",
                object_id=str(obj.pk),
                label=str(obj)[:200],
            )
        return super().log_change(request, obj, message)


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    """Who has which role where."""

    view_permission = Permission.MANAGE_ACCESS
    list_display = ("user", "role", "channel", "customer", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "channel", "customer")
    search_fields = ("user__username", "channel__name", "customer__full_name")
    autocomplete_fields = ("user", "channel", "customer")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "actor_name", "channel", "action", "object_type", "object_name", "ticket", "message")
    list_filter = ("channel", "at")
    search_fields = ("object_id__startswith", "label__startswith", "actor_name__startswith", "action__startswith")
    autocomplete_fields = ("actor",)

    @admin.display(description=gettext_lazy("object"))
    def object_name(self, entry: AuditEntry) -> str:
        """The label, else the id."""
        return entry.label or capfirst(entry.object_id)


from . import admin_clients  # noqa: E402, F401  (it builds on the classes above)
