"""The filters of the task list."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ocadmin.access.audit import Channel
from ocadmin.console.fields import DayField, WordField, midnight
from ocadmin.console.filters import ListFilterSet

from . import registry
from .models import Task, TaskQuerySet, TaskState

ALIVE_CHOICE = "alive"


class WordFilter(django_filters.Filter):
    """A filter with a WordField."""

    field_class = WordField


class DayFilter(django_filters.Filter):
    """A filter with a DayField."""

    field_class = DayField


class TaskFilter(ListFilterSet):
    """Names are those of the address: ?state=alive&kind=sync&created_after=2026-01-31."""

    primary = ("q", "state", "kind", "started_by")

    q = django_filters.CharFilter(label=_("Title, ticket or task number"), method="search", max_length=100)
    state = WordFilter(
        label=_("State"), method="by_state", choices=[(ALIVE_CHOICE, _("Not finished")), *TaskState.choices]
    )
    kind = WordFilter(label=_("Kind"))
    started_by = django_filters.CharFilter(
        label=_("Started by"), field_name="actor_name", lookup_expr="icontains", max_length=150
    )
    through = WordFilter(label=_("Through"), field_name="channel", choices=Channel.choices)
    ticket = django_filters.CharFilter(label=_("Ticket"), lookup_expr="icontains", max_length=64)
    created_after = DayFilter(label=_("Created from"), method="from_day")
    created_before = DayFilter(label=_("Created to"), method="to_day")

    class Meta:
        model = Task
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Operations make themselves known when all apps are ready, which is after this class was made.
        self.filters["kind"].extra["choices"] = sorted(registry.kinds().items(), key=lambda pair: str(pair[1]))

    def search(self, queryset: TaskQuerySet, _name: str, value: str) -> TaskQuerySet:
        """A fragment of title or ticket, a task's number (with or without #), or its correlation id."""
        words = value.strip()
        number = words.removeprefix("#")
        found = Q(title__icontains=words) | Q(ticket__icontains=words)
        if number.isascii() and number.isdigit() and len(number) < 19:
            found |= Q(pk=int(number))
        try:
            found |= Q(uid=UUID(words))
        except ValueError:
            return queryset.filter(found)
        return queryset.filter(found)

    def by_state(self, queryset: TaskQuerySet, _name: str, value: str) -> TaskQuerySet:
        """One state, or all that are not finished."""
        return queryset.alive() if value == ALIVE_CHOICE else queryset.filter(state=value)

    def from_day(self, queryset: TaskQuerySet, _name: str, value: date) -> TaskQuerySet:
        """Created on that day or later, in the person's time zone."""
        return queryset.filter(created_at__gte=midnight(value))

    def to_day(self, queryset: TaskQuerySet, _name: str, value: date) -> TaskQuerySet:
        """Created on that day or earlier."""
        return queryset.filter(created_at__lt=midnight(value + timedelta(days=1)))
