"""Screens of webhooks: for those who manage access to the whole system, because they carry data out of the house."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ocadmin.access.request import SignedInRequest
from ocadmin.access.sealing import CannotUnseal
from ocadmin.console.lists import ListView
from ocadmin.console.paging import paginate, read_number

from . import services, signing, tables
from .celery_tasks import nudge
from .forms import WebhookForm
from .models import Attempt, Delivery, Webhook
from .sending import PAUSES
from .source import source

LOG_PAGE = 25
_SECRET = "webhook_secret"  # noqa: S105 - a key of the session, under which the sealed secret waits to be shown once
_P = ParamSpec("_P")


def managed(
    view: Callable[Concatenate[SignedInRequest, _P], HttpResponse],
) -> Callable[Concatenate[SignedInRequest, _P], HttpResponse]:
    """Signed in, and manages access to the whole system; 403 else, whether there is such a webhook or not."""

    @wraps(view)
    def checked(request: SignedInRequest, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        services.demand(request.principal)
        return view(request, *args, **kwargs)

    return login_required(checked)


class WebhookList(ListView):
    """All webhooks."""

    screen = "webhooks:list"
    title = gettext_lazy("Webhooks")
    subtitle = gettext_lazy("Changes of numbers, sent to other systems as they happen")
    empty_text = gettext_lazy("A webhook sends every change of numbers to an address of yours, signed and in order.")
    queryset = Webhook.objects.all()
    table_class = tables.WebhookTable
    template_name = "webhooks/list.html"

    def get(self, request: SignedInRequest, **kwargs: Any) -> HttpResponse:
        """Refused with a sentence for everybody else."""
        services.demand(request.principal)
        return super().get(request, **kwargs)


webhook_list = WebhookList.as_view()


@managed
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: SignedInRequest) -> HttpResponse:
    """Make one; its page then shows the secret once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        webhook, secret = services.make(form.values, given["channels"], given["customers"], by=request.principal)
        request.session[_SECRET] = [webhook.pk, signing.seal(secret)]
        return redirect(webhook)
    return render(request, "webhooks/edit.html", {"form": form})


@managed
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change one."""
    webhook = _found(request, pk)
    form = WebhookForm(request.POST or None, instance=webhook)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        services.change(pk, form.values, given["channels"], given["customers"], by=request.principal)
        nudge()
        messages.success(request, _("The webhook is changed."))
        return redirect(webhook)
    return render(request, "webhooks/edit.html", {"form": form, "webhook": _found(request, pk)})


@managed
@never_cache
@require_GET
def webhook_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One webhook: how it is, and what was sent, the newest first."""
    webhook = get_object_or_404(Webhook.objects.visible_to(request.principal).select_related("created_by"), pk=pk)
    log = Delivery.objects.filter(webhook=webhook).defer("body")
    page = paginate(log.order_by("-pk"), log, read_number(request.GET.get("page")) or 1, LOG_PAGE)
    tries = Attempt.objects.filter(delivery__in=[row.pk for row in page.rows]).order_by().values_list("delivery")
    last = {pk: (count, newest) for pk, count, newest in tries.annotate(n=Count("pk"), newest=Max("pk"))}
    attempts = Attempt.objects.defer("answer").in_bulk([newest for _count, newest in last.values()])
    context = {
        "webhook": webhook,
        "secret": _secret_to_show(request, pk),
        "standing": tables.standing(webhook),
        "events": [str(source().families.get(family, family)) for family in webhook.events],
        "channels": list(webhook.channels.all()),
        "customers": list(webhook.customers.all()[:20]),
        "tries": len(PAUSES) + 1,
        "page": page,
        "log": [
            (
                row,
                tables.state(row),
                *((last[row.pk][0], attempts.get(last[row.pk][1])) if row.pk in last else (0, None)),
            )
            for row in page.rows
        ],
    }
    return render(request, "webhooks/detail.html", context)


@managed
@require_GET
def delivery_detail(request: SignedInRequest, pk: int, delivery: int) -> HttpResponse:
    """One message: its text and every try."""
    webhook = _found(request, pk)
    rows = Delivery.objects.filter(webhook=webhook).prefetch_related("attempts")
    row = get_object_or_404(rows, pk=delivery)
    shown = json.dumps(json.loads(row.body), ensure_ascii=False, indent=2)
    context = {"webhook": webhook, "delivery": row, "state": tables.state(row), "shown": shown}
    return render(request, "webhooks/delivery.html", context)


@managed
@require_POST
def webhook_enable(request: SignedInRequest, pk: int) -> HttpResponse:
    """Enable; with `skip` what happened meanwhile is not sent."""
    webhook = _found(request, pk)
    if services.enable(pk, request.principal, skip="skip" in request.POST):
        nudge()
        messages.success(request, _("The webhook is enabled."))
    return redirect(webhook)


@managed
@require_POST
def webhook_disable(request: SignedInRequest, pk: int) -> HttpResponse:
    """Disable."""
    webhook = _found(request, pk)
    if services.disable(pk, request.principal):
        messages.success(request, _("The webhook is disabled. What happens meanwhile is kept for it."))
    return redirect(webhook)


@managed
@require_POST
def webhook_secret(request: SignedInRequest, pk: int) -> HttpResponse:
    """A new secret, shown once on the page that follows."""
    webhook = _found(request, pk)
    request.session[_SECRET] = [pk, signing.seal(services.new_secret(pk, request.principal))]
    return redirect(webhook)


@managed
@require_POST
def webhook_test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a test."""
    webhook = _found(request, pk)
    services.send_test(pk, request.principal)
    nudge()
    messages.success(request, _("A test is on its way. Its outcome stands in the log below in a moment."))
    return redirect(webhook)


@managed
@require_POST
def webhook_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete one with its log."""
    webhook = _found(request, pk)
    services.delete(pk, request.principal)
    messages.success(request, _("The webhook “%(name)s” is deleted.") % {"name": webhook.name})
    return redirect("webhooks:list")


@managed
@require_POST
def delivery_again(request: SignedInRequest, pk: int, delivery: int) -> HttpResponse:
    """Send a message once more."""
    webhook = _found(request, pk)
    services.again(get_object_or_404(Delivery.objects.filter(webhook=webhook), pk=delivery), request.principal)
    nudge()
    messages.success(request, _("It is sent once more. Its outcome stands in the log below in a moment."))
    return redirect(webhook)


def _found(request: SignedInRequest, pk: int) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(request.principal), pk=pk)


def _secret_to_show(request: SignedInRequest, pk: int) -> str:
    """The secret that was just made for this webhook: told once, then forgotten. Empty where there is none."""
    owner, sealed = request.session.get(_SECRET) or (None, "")
    if owner != pk:
        return ""
    del request.session[_SECRET]
    try:
        return signing.unseal(sealed)
    except CannotUnseal:
        return ""
