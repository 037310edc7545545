"""Reads for the page of one task: its numbers, its counters and its result in words."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from . import registry
from .models import ItemState, Task, TaskItem, TaskItemQuerySet, TaskState

PAGE = 50
SHOWN_OF_A_LIST = 20
NEXT_TASKS = "next_tasks"  # in a result: the ids of tasks that go on with this one's numbers, shown as links
COUNTERS = (ItemState.SUCCEEDED, ItemState.UNCHANGED, ItemState.REFUSED, ItemState.FAILED)

ITEM_TONES = {
    ItemState.RUNNING: "blue",
    ItemState.SUCCEEDED: "green",
    ItemState.REFUSED: "amber",
    ItemState.FAILED: "red",
}

# What a synchronisation reports. Operations may report more: an unknown word is shown as it stands.
RESULT_LABELS = {
    "new": gettext_lazy("New numbers, added outside this console"),
    "activated": gettext_lazy("Seen for the first time and activated"),
    "changed": gettext_lazy("Changed"),
    "gone": gettext_lazy("No longer at Microsoft, marked for removal"),
    "restored": gettext_lazy("Reappeared and restored"),
    "released": gettext_lazy("Released"),
    "conflicts": gettext_lazy("Conflicts"),
    "unchanged": gettext_lazy("Unchanged"),
    "unreadable": gettext_lazy("Not readable"),
    "not_found": gettext_lazy("Unknown to Microsoft"),
    "on_hold": gettext_lazy("Left alone, because the synchronisation of their customer is on hold"),
    "pages": gettext_lazy("Pages read"),
    "notes": gettext_lazy("Notes"),
}


@dataclass(frozen=True)
class Tab:
    """One outcome and how many numbers have it. `state` is empty for all of them."""

    state: str
    label: str
    count: int
    current: bool
    query: str


@dataclass(frozen=True)
class ItemPage:
    """Some outcome rows in order of their ids, and from where to go on in both directions."""

    rows: list[TaskItem]
    previous: int | None = None
    following: int | None = None


@dataclass(frozen=True)
class ResultRow:
    """One line of a result; `details` are the first entries where the result holds a list."""

    label: str
    value: str
    details: list[str] = field(default_factory=list)
    omitted: int = 0


def visible_items(task: Task, principal: Principal) -> TaskItemQuerySet:
    """The numbers of the task that the principal may see."""
    return TaskItem.objects.visible_to(principal).filter(task=task)


def count_states(items: TaskItemQuerySet) -> dict[str, int]:
    """How many of the items are in each state; states without any are left out."""
    return dict(items.order_by().values_list("state").annotate(n=Count("pk")))


def counters(task: Task, principal: Principal, counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """State, label and number for each counter: the task's own where all of it is the principal's to see.

    A person who sees a task only because they started it gets the counts of the numbers they still may see.
    """
    whole = sees_all(task, principal)
    return [
        (state.value, str(state.label), getattr(task, state.value) if whole else counts.get(state, 0))
        for state in COUNTERS
    ]


def sees_all(task: Task, principal: Principal) -> bool:
    """Whether all of the task's numbers are the principal's to see."""
    scope = principal.scope(Permission.VIEW)
    whole = scope.everything or task.customer_ref in scope.customers or task.channel_ref in scope.channels
    return whole or registry.is_own(task, principal)


def tabs(counts: dict[str, int], chosen: str, words: str) -> list[Tab]:
    """A tab for all numbers and one for each outcome that occurs, or that was asked for. A search is kept."""
    kept = {"q": words} if words else {}
    found = [Tab("", _("All"), sum(counts.values()), chosen == "", urlencode(kept))]
    for state in ItemState:
        if counts.get(state) or chosen == state:
            query = urlencode({"state": state.value} | kept)
            found.append(Tab(state.value, str(state.label), counts.get(state, 0), chosen == state, query))
    return found


def item_page(items: TaskItemQuerySet, *, state: str, words: str, after: int | None, before: int | None) -> ItemPage:
    """One page by key, which costs the same on the first and on the thousandth page.

    `after` and `before` are ids of rows (None: from the start); `before` wins where both are given.
    """
    found = items
    if state:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(key__contains=words) | Q(code__iexact=words))
    if before is not None:
        rows = list(found.filter(pk__lt=before).order_by("-pk")[: PAGE + 1])
        more = len(rows) > PAGE
        rows = _toned(rows[:PAGE][::-1])
        return ItemPage(rows, rows[0].pk if more else None, rows[-1].pk if rows else None)
    rows = list((found if after is None else found.filter(pk__gt=after)).order_by("pk")[: PAGE + 1])
    more, rows = len(rows) > PAGE, _toned(rows[:PAGE])
    return ItemPage(rows, rows[0].pk if rows and after is not None else None, rows[-1].pk if more else None)


def _toned(rows: list[Any]) -> list[Any]:
    for row in rows:
        row.tone = ITEM_TONES.get(row.state, "")
    return rows


def result_rows(task: Task) -> list[ResultRow]:
    """The result as lines to read, the known words first and in their order."""
    known = [key for key in RESULT_LABELS if key in task.result]
    others = [key for key in task.result if key not in RESULT_LABELS and key != NEXT_TASKS]
    return [_result_row(key, task.result[key]) for key in (*known, *others)]


def _result_row(key: str, value: Any) -> ResultRow:
    label = str(RESULT_LABELS.get(key, key.replace("_", " ").capitalize()))
    if isinstance(value, list):
        details = [_plain(entry) for entry in value[:SHOWN_OF_A_LIST]]
        return ResultRow(label, intcomma(len(value)), details, max(0, len(value) - SHOWN_OF_A_LIST))
    if isinstance(value, dict):
        details = [f"{name}: {_plain(entry)}" for name, entry in list(value.items())[:SHOWN_OF_A_LIST]]
        return ResultRow(label, intcomma(len(value)), details, max(0, len(value) - SHOWN_OF_A_LIST))
    return ResultRow(label, _plain(value))


def _plain(value: Any) -> str:
    """A JSON value in words."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return intcomma(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(entry) for entry in value)
    return str(value)


def spell(span: timedelta | None) -> str:
    """A length of time in its two largest units: "2 h 05 min"; empty for None."""
    if span is None:
        return ""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return _("%(s)d s") % {"s": seconds}
    if seconds < 3600:
        return _("%(m)d min %(s)02d s") % {"m": seconds // 60, "s": seconds % 60}
    if seconds < 86400:
        return _("%(h)d h %(m)02d min") % {"h": seconds // 3600, "m": seconds % 3600 // 60}
    return _("%(d)d d %(h)d h") % {"d": seconds // 86400, "h": seconds % 86400 // 3600}


def announcement(task: Task) -> str:
    """The sentence for a live region. It changes with the state, at each quarter, and when failures begin."""
    state = str(TaskState(task.state).label)
    if not task.alive:
        return state
    parts = [state]
    if task.percent is not None and task.percent >= 25:
        parts.append(_("%(percent)d percent done") % {"percent": task.percent // 25 * 25})
    if task.failed:
        parts.append(_("some numbers have failed"))
    return ", ".join(parts)


def signature(task: Task, *, remedy: bool = False) -> str:
    """What a page shows of a task, short enough for an address: state, numbers done, what was last announced.

    A `remedy` beside the buttons is a part of the state: they are exchanged when it comes or goes.
    """
    state = f"{task.state}{'-remedy' if remedy else ''}"
    return f"{state}.{task.done}.{(task.percent or 0) // 25}{'f' if task.failed else ''}"


def changes(seen: str, now: str) -> dict[str, bool]:
    """What has changed between two signatures: anything (`moved`), the state (`turned`), the announcement (`said`)."""
    was, present = seen.split("."), now.split(".")
    turned = was[0] != present[0]
    return {"moved": seen != now, "turned": turned, "said": turned or was[-1] != present[-1]}
