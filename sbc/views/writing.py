"""Write what is outstanding on an SBC, or save its configuration: the plan first, then the task."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from ocadmin.tasks.services import AlreadyRunning
from sbc import outstanding

from .editing import find


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rules that are wanted and not there are written, those that are not wanted any more removed."""
    return _confirm(request, pk, save=False)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write the running configuration to flash, also what somebody else has changed."""
    return _confirm(request, pk, save=True)


def _confirm(request: SignedInRequest, pk: int, *, save: bool) -> HttpResponse:
    """GET: what would be done. POST: do it, unless that is no longer what was shown."""
    sbc = find(request, pk, Permission.PUSH_SBC)
    if sbc.by_hand:
        return redirect("sbc:by-hand", sbc.pk)
    todo = outstanding.todo(sbc)
    shown = f"{todo.write} {todo.remove} {sbc.save_pending} {sbc.save_needed}"
    possible = bool(todo or save)
    changed = request.method == "POST" and (request.POST.get("shown") != shown or not possible)
    if request.method == "POST" and not changed:
        try:
            task = outstanding.start(sbc, by=request.principal, channel=Channel.WEB, save=save)
        except AlreadyRunning as running:
            messages.info(request, str(running))
            task = running.task
        return redirect("tasks:detail", task.pk)
    context = {"sbc": sbc, "todo": todo, "save": save, "shown": shown, "possible": possible, "changed": changed}
    context["title"] = _("Save the configuration") if save else _("Write what is outstanding")
    return render(request, "sbc/write.html", context, status=409 if changed else 200)
