"""Screens that belong to nobody else: preferences, the running tasks, the pages for what went wrong."""

import zoneinfo
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from ocadmin.access.models import User
from ocadmin.access.request import Request, SignedInRequest
from ocadmin.tasks.models import Task

from .paging import PAGE_SIZES

RUNNING_SHOWN = 5


class PreferencesForm(forms.Form):
    """What a person may set for themselves."""

    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("A name such as Europe/London. Empty: the server's."),
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    per_page = forms.TypedChoiceField(
        label=gettext_lazy("Rows on a page"), coerce=int, choices=[(size, size) for size in PAGE_SIZES]
    )

    def clean_time_zone(self) -> str:
        """Only names of the time zone database."""
        name = self.cleaned_data["time_zone"].strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                _("“%s” is not the name of a time zone. Write, for example, Europe/London.") % name
            )
        return name


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedInRequest) -> HttpResponse:
    """A person's own time zone and page size."""
    user = request.user
    initial = {"time_zone": user.time_zone, "per_page": user.preferences.get("per_page", 50)}
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        _save(user, {"per_page": form.cleaned_data["per_page"]}, time_zone=form.cleaned_data["time_zone"])
        messages.success(request, _("Your preferences are saved."))
        return redirect("console:preferences")
    zones = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return render(request, "console/preferences.html", {"form": form, "zones": ["UTC", *zones]})


@login_required
@require_POST
def remember(request: SignedInRequest) -> HttpResponse:
    """Keep the columns or the page size of a list and go back to it, with the choice in its address.

    POST: `screen`, `next`, and `columns` (repeated), `reset`, or `per_page`. Names that no table has do no harm: a list
    takes only those it knows.
    """
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    changes: dict[str, str | None] = {"page": None}
    screen = request.POST.get("screen", "")[:60]
    if request.POST.get("per_page", "") in map(str, PAGE_SIZES):
        changes["per_page"] = request.POST["per_page"]
        _save(request.user, {"per_page": int(request.POST["per_page"])})
    elif "reset" in request.POST or "columns" in request.POST:
        columns = [] if "reset" in request.POST else [name[:40] for name in request.POST.getlist("columns")[:60]]
        changes["columns"] = ",".join(columns) or None
        _save(request.user, {}, columns=(screen, columns))
    return redirect(_with(target, changes))


@login_required
@require_GET
def running(request: Request) -> HttpResponse:
    """The strip of running tasks, which renews itself every few seconds."""
    return render(request, "console/running.html", running_tasks(request))


def running_tasks(request: Request) -> dict[str, Any]:
    """Template context of console/running.html: the living tasks this person may see, the newest first. One query."""
    tasks = list(
        Task.objects.visible_to(request.principal).alive().defer("params", "cursor", "result")[: RUNNING_SHOWN + 1]
    )
    return {"running_tasks": tasks[:RUNNING_SHOWN], "more_running": len(tasks) > RUNNING_SHOWN}


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon on pages that name none, as those of the admin."""
    return redirect(static("icon.svg"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 in the console's own words; a view says more by raising BadRequest(sentence)."""
    reason = str(exception) if isinstance(exception, BadRequest) else ""
    return render(request, "400.html", {"reason": reason}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: what is missing, and who can give it. A view says more by raising PermissionDenied(sentence)."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, with the view's own sentence where it raised Http404(sentence)."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return render(request, "404.html", {"reason": reason}, status=404)


def _save(
    user: User, preferences: dict[str, Any], *, columns: tuple[str, list[str]] | None = None, **fields: Any
) -> None:
    with transaction.atomic():
        fresh = User.objects.select_for_update().get(pk=user.pk)
        fresh.preferences |= preferences
        if columns:
            screen, names = columns
            fresh.preferences.setdefault("columns", {})[screen] = names
        for name, value in fields.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=["preferences", *fields])


def _with(url: str, changes: dict[str, str | None]) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in changes]
    kept += [(name, value) for name, value in changes.items() if value]
    return parts._replace(query=urlencode(kept, safe=",")).geturl()
