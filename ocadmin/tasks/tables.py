"""The columns of the task list."""

import django_tables2 as tables
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.audit import Channel
from ocadmin.console import html
from ocadmin.console.columns import CountColumn, MomentColumn
from ocadmin.console.tables import ListTable

from . import registry
from .models import Task, TaskState
from .monitor import spell

TONES = {
    TaskState.RUNNING: "blue",
    TaskState.WAITING: "violet",
    TaskState.ASKING: "amber",
    TaskState.CANCELLING: "amber",
    TaskState.SUCCEEDED: "green",
    TaskState.PARTIAL: "amber",
    TaskState.FAILED: "red",
}


def state_pill(task: Task) -> SafeString:
    """The state as a coloured word."""
    state = TaskState(task.state)
    return html.pill(state.label, TONES.get(state, ""))


def progress(task: Task) -> SafeString | str:
    """A bar and its text; of an unknown total only how many are done; a dash before the first."""
    if task.total is None:
        return _("%s done") % intcomma(task.done) if task.done else html.none()
    text = _("%(done)s of %(total)s") % {"done": intcomma(task.done), "total": intcomma(task.total)}
    bar = '<span class="progress"><progress value="{}" max="{}" aria-label="{}"></progress><span>{}</span></span>'
    return format_html(bar, task.done if task.total else 1, max(task.total, 1), _("Progress"), text)


class TaskTable(ListTable):
    """One row per task."""

    title = tables.Column(verbose_name=gettext_lazy("Task"), order_by=("title", "pk"), attrs={"td": {"class": "wrap"}})
    state = tables.Column(verbose_name=gettext_lazy("State"))
    progress = tables.Column(verbose_name=gettext_lazy("Progress"), accessor="done", orderable=False)
    succeeded = CountColumn(verbose_name=gettext_lazy("Succeeded"))
    unchanged = CountColumn(verbose_name=gettext_lazy("Unchanged"))
    refused = CountColumn(verbose_name=gettext_lazy("Refused"))
    failed = CountColumn(verbose_name=gettext_lazy("Failed"))
    started_by = tables.Column(verbose_name=gettext_lazy("Started by"), accessor="actor_name")
    created = MomentColumn(verbose_name=gettext_lazy("Created"), accessor="created_at", pattern="j M, H:i")
    duration = tables.Column(verbose_name=gettext_lazy("Duration"), accessor="elapsed", orderable=False)
    through = tables.Column(verbose_name=gettext_lazy("Through"), accessor="channel")
    kind = tables.Column(verbose_name=gettext_lazy("Kind"))
    ticket = tables.Column(verbose_name=gettext_lazy("Ticket"))

    class Meta(ListTable.Meta):
        order_by = ("-created",)

    def render_title(self, record: Task) -> SafeString:
        """The title, which leads to the task, and its number."""
        url = reverse("tasks:detail", args=[record.pk])
        return format_html('<a href="{}">{}</a> <span class="muted">#{}</span>', url, record.title, record.pk)

    def render_kind(self, value: str) -> str:
        """The operation's name; the bare kind where this version does not know it."""
        return str(registry.kinds().get(value, value))

    def render_state(self, record: Task) -> SafeString:
        """The state as a coloured word."""
        return state_pill(record)

    def render_progress(self, record: Task) -> SafeString | str:
        """A bar and its text."""
        return progress(record)

    def render_failed(self, value: int) -> SafeString:
        """A count that stands out where it is not zero."""
        return html.pill(intcomma(value), "red") if value else html.none("0")

    def render_through(self, value: str) -> str:
        """Web, API, CSV import, …"""
        return str(dict(Channel.choices).get(value, value))

    def render_duration(self, record: Task) -> str:
        """From the first slice to the end, or until now."""
        return spell(record.elapsed)
