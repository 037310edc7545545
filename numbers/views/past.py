"""What a number's page tells of the past: the same whether the number is still here or has left."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from ocadmin.access.principal import Principal
from ocadmin.access.request import SignedInRequest
from ocadmin.console.paging import Page, paginate, read_number
from ocadmin.console.selection import Selection
from ocadmin.tasks.models import Task, TaskItem

from .. import timeline
from ..models import PhoneNumber
from ..undo import Undo

ROWS = 25


def history(request: SignedInRequest, e164: str, number: PhoneNumber | None) -> dict[str, Any]:
    """The timeline of a number that is here (its row) or was, with the way to undo what can be undone."""
    page = timeline.read(e164, number, request.principal, read_number(request.GET.get("page")) or 1)
    lines = [(line, _undo_url(request, e164, line.undo) if line.undo else "") for line in page.rows]
    return {"page": page, "lines": lines, "open_tasks": _open_tasks(request.principal, [one.task for one in page.rows])}


def tasks(request: SignedInRequest, e164: str) -> dict[str, Any]:
    """The tasks in which the number took part."""
    items = TaskItem.objects.visible_to(request.principal).filter(key=e164)
    page = _page(request, items.select_related("task").order_by("-updated_at", "-pk"))
    return {"page": page, "open_tasks": _open_tasks(request.principal, [item.task_id for item in page.rows])}


def _undo_url(request: SignedInRequest, e164: str, undo: Undo) -> str:
    """The plan of the action that takes a change back, filled in: nothing is undone unseen."""
    back = f"{reverse('numbers:number', args=[e164])}?tab=history"
    token = Selection(keys=(e164,)).token(request.user.pk)
    query = urlencode({"selection": token, "set": "1", **undo.params, "back": back}, doseq=True)
    return f"{reverse('numbers:act', args=[undo.kind])}?{query}"


def _page(request: SignedInRequest, rows: QuerySet[Any]) -> Page:
    return paginate(rows, rows, read_number(request.GET.get("page")) or 1, ROWS)


def _open_tasks(principal: Principal, ids: list[int | None]) -> set[int]:
    """Those of the tasks that this person may open; the others are named without a link."""
    wanted = {pk for pk in ids if pk is not None}
    if not wanted:
        return set()
    tasks = Task.objects.visible_to(principal).filter(pk__in=wanted)
    return set(tasks.values_list("pk", flat=True))
