"""Tasks and their items, to look at. They are started, cancelled and answered on the console's own pages."""

from django.contrib import admin

from ocadmin.access.admin import ReadOnlyAdmin

from .models import Task, TaskItem


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Tasks."""

    list_display = ("id", "title", "kind", "state", "actor_name", "channel", "done", "total", "failed", "created_at")
    list_filter = ("state", "channel", "created_at")
    search_fields = ("id__exact", "title__icontains", "ticket__startswith", "kind__startswith")
    autocomplete_fields = ("actor", "retry_of")


@admin.register(TaskItem)
class TaskItemAdmin(ReadOnlyAdmin):
    """The numbers of tasks and what became of them."""

    list_display = ("key", "task", "state", "code", "message", "attempts", "updated_at")
    list_filter = ("state",)
    list_select_related = ("task",)
    search_fields = ("key__startswith", "code__startswith")
    autocomplete_fields = ("task",)
