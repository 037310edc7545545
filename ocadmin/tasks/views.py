"""The task monitor: what runs, what has run, what became of each number, and what a person may do about it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import Request
from ocadmin.console.lists import ListView

from . import monitor, outcomes_csv, registry, services
from .filters import TaskFilter
from .models import ItemState, Task, TaskState
from .remedies import remedy
from .rights import lacking, rights
from .tables import TaskTable

JOBS_SHOWN = 20
FAMILY_SHOWN = 20


class TaskList(ListView):
    """All tasks the person may see, the newest first."""

    screen = "tasks:list"
    title = gettext_lazy("Tasks")
    subtitle = gettext_lazy("Everything that runs in the background, and what became of it")
    empty_text = gettext_lazy("No task yet. A synchronisation, an upload or any other bulk action appears here.")
    queryset = Task.objects.defer("params", "cursor", "result", "question")
    table_class = TaskTable
    filterset_class = TaskFilter
    optional = ("ticket",)


task_list = TaskList.as_view()


def _task(request: Request, pk: int) -> Task:
    """The task, if the person may see it; 404 otherwise, because its existence is none of theirs."""
    return get_object_or_404(Task.objects.visible_to(request.principal), pk=pk)


def _number(text: str) -> int | None:
    """A row id out of an address; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _jobs(task: Task, principal: Principal) -> QuerySet:
    """Microsoft's jobs of this task. The model belongs to a room above and is reached by its related name."""
    scope = principal.scope(Permission.VIEW)
    jobs = task.upstream_jobs.select_related("customer").order_by("pk")
    if scope.everything:
        return jobs
    return jobs.filter(Q(customer_id__in=scope.customers) | Q(customer__channel_id__in=scope.channels))


def _live(task: Task, principal: Principal) -> dict[str, Any]:
    """What the part that renews itself shows."""
    counts = monitor.count_states(monitor.visible_items(task, principal))
    failed = counts.get(ItemState.FAILED, 0)
    beside = remedy(task, principal)
    return {
        "task": task,
        "kind": registry.kinds().get(task.kind, task.kind),
        "counts": counts,
        "counters": monitor.counters(task, principal, counts),
        "moving": task.state in (TaskState.RUNNING, TaskState.WAITING),
        "elapsed": monitor.spell(task.elapsed),
        "time_left": monitor.spell(task.time_left),
        "rights": rights(task, principal, failed=failed),
        "failed_count": failed,
        "result": monitor.result_rows(task),
        "announcement": monitor.announcement(task),
        "remedy": beside,
        "signature": monitor.signature(task, remedy=beside is not None),
    }


def _items(request: Request, task: Task, counts: dict[str, int]) -> dict[str, Any]:
    """One page of the numbers of a task, as the address asks for it."""
    chosen = request.GET.get("state", "")
    state = chosen if chosen in ItemState.values else ""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:64]
    after, before = (request.GET.get(name, "") for name in ("after", "before"))
    page = monitor.item_page(
        monitor.visible_items(task, request.principal),
        state=state,
        words=words,
        after=_number(after),
        before=_number(before),
    )
    return {
        "page": page,
        "tabs": monitor.tabs(counts, state, words),
        "state": state,
        "words": words,
        "after": after,
        "before": before,
        "kept": urlencode({name: value for name, value in (("state", state), ("q", words)) if value}),
    }


def _family(request: Request, task: Task) -> dict[str, Any]:
    """The task whose failed numbers this one retries, and the tasks that retry this one's; what it follows and begot.

    A task that hands numbers over names the next ones in its result, and those name it in their parameters.
    """
    theirs = Task.objects.visible_to(request.principal).defer("params", "cursor", "result")
    before = task.params.get("previous_task")
    return {
        "origin": theirs.filter(pk=task.retry_of_id).first() if task.retry_of_id else None,
        "retries": list(theirs.filter(retry_of=task).order_by("pk")[:FAMILY_SHOWN]),
        "previous": theirs.filter(pk=before).first() if before else None,
        "following": list(theirs.filter(pk__in=task.result.get(monitor.NEXT_TASKS, [])).order_by("pk")),
    }


@login_required
@require_GET
def task_detail(request: Request, pk: int) -> HttpResponse:
    """Everything about one task; for htmx only the numbers of the asked page."""
    task = _task(request, pk)
    context = _live(task, request.principal)
    context |= _items(request, task, context["counts"])
    swap = request.htmx and request.htmx.target == "task-rows" and not request.htmx.history_restore_request
    if not swap:
        context |= _family(request, task) | {"jobs": list(_jobs(task, request.principal)[:JOBS_SHOWN])}
    response = render(request, "tasks/_rows.html" if swap else "tasks/detail.html", context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@login_required
@require_GET
def task_outcomes(request: Request, pk: int) -> StreamingHttpResponse:
    """What became of each number as a CSV file; ?outcome=failed for those with one outcome."""
    items = monitor.visible_items(_task(request, pk), request.principal).order_by("pk")
    state = request.GET.get("outcome", "")
    if state in ItemState.values:
        items = items.filter(state=state)
    lines = outcomes_csv.lines(items)
    name = f"task-{pk}-{state if state in ItemState.values else 'outcomes'}.csv"
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@require_GET
def task_live(request: Request, pk: int) -> HttpResponse:
    """The part that renews itself while the task lives.

    `?seen=` is the signature of what the page shows. Only what has changed since is exchanged: a person may be reading
    the rest, or have a finger on it. Once signed out, the page is told to load anew, which leads to the sign-in.
    """
    if not request.user.is_authenticated:
        return HttpResponse(headers={"HX-Refresh": "true"}) if request.htmx else redirect_to_login(_page(pk))
    task = _task(request, pk)
    context = _live(task, request.principal)
    context |= monitor.changes(request.GET.get("seen", ""), context["signature"])
    if context["moved"]:
        context |= _items(request, task, context["counts"])
        context["jobs"] = list(_jobs(task, request.principal)[:JOBS_SHOWN])
    if context["turned"]:
        context |= _family(request, task)
    return render(request, "tasks/live.html", context)


def _page(pk: int) -> str:
    return reverse("tasks:detail", args=[pk])


def _changeable(request: Request, pk: int) -> Task:
    """The task, if the person may change it; 404 where they may not see it, 403 with a sentence where only that."""
    task = _task(request, pk)
    reason = lacking(task, request.principal)
    if reason:
        raise PermissionDenied(reason)
    return task


@login_required
@require_POST
def task_cancel(request: Request, pk: int) -> HttpResponse:
    """Ask the task to stop."""
    task = _changeable(request, pk)
    asked = services.cancel(Task.objects.filter(pk=task.pk), by=request.principal, channel=Channel.WEB)
    if asked:
        messages.success(request, _("The task was asked to stop. It stops after the chunk it is working on."))
    else:
        messages.info(request, _("Nothing to cancel: the task has finished, or is being cancelled already."))
    return redirect("tasks:detail", pk=task.pk)


@login_required
@require_POST
def task_answer(request: Request, pk: int) -> HttpResponse:
    """Answer the question of a task that waits for a decision: `choice` is one of its choices."""
    task = _changeable(request, pk)
    try:
        taken = services.answer(task, request.POST.get("choice", ""), by=request.principal, channel=Channel.WEB)
    except ValueError:
        messages.error(request, _("That is not one of the answers this task accepts."))
        return redirect("tasks:detail", pk=task.pk)
    if taken:
        messages.success(request, _("Your decision is recorded. The task goes on."))
    else:
        messages.info(request, _("This task no longer asks: somebody else has decided, or it was cancelled."))
    return redirect("tasks:detail", pk=task.pk)


@login_required
@require_POST
def task_retry(request: Request, pk: int) -> HttpResponse:
    """Start a new task for the numbers that failed, and go to it."""
    task = _changeable(request, pk)
    if task.alive:
        messages.info(request, _("This task is still running. Retry when it has finished."))
        return redirect("tasks:detail", pk=task.pk)
    try:
        fresh = services.retry_failed(task, by=request.principal, channel=Channel.WEB)
    except services.NothingToRetry:
        messages.info(request, _("Nothing to retry: no number of this task has failed."))
        return redirect("tasks:detail", pk=task.pk)
    except services.AlreadyRunning as running:
        messages.info(request, str(running))
        return redirect("tasks:detail", pk=task.pk)
    messages.success(request, _("A new task tries the failed numbers of task %(id)d again.") % {"id": task.pk})
    return redirect("tasks:detail", pk=fresh.pk)
