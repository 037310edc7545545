"""Endpoints of the REST interface about webhooks: everything that their screens do, by the same form and verbs."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Path, Query, Router
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.paging import HIGHEST_ID, KeysetPage, KeysetParams, page_of
from ocadmin.api.problems import Problem, of_form
from ocadmin.api.rest import OwnBody, Params, answers, json_answer

from . import services
from .celery_tasks import nudge
from .forms import MOST_CUSTOMERS, WebhookForm
from .models import Attempt, Delivery, DeliveryKind, DeliveryState, Webhook
from .records import DeliveryDetail, DeliveryRecord, WebhookRecord, WebhookWithSecret, of_delivery, of_try, of_webhook
from .source import source

router = Router(tags=["webhooks"])

MOST_CHANNELS = 1_000
_PLACE = "/v3/oc/webhooks"
_ONE = f"{_PLACE}/{{webhookId}}"
_DELIVERY = f"{_ONE}/deliveries/{{deliveryId}}"
_admitted = may(Permission.MANAGE_ACCESS)
# Fields of the form that are called otherwise here.
_NAMES = {"everything": "wholeSystem", "channels": "channelIds", "customers": "msTenantIds"}
# The room above has named them by now: addresses are loaded last.
Event = StrEnum("Event", [(family, family) for family in source().families])  # type: ignore[misc]

WebhookId = Path(ge=1, le=HIGHEST_ID, description="The webhook.")
DeliveryId = Path(ge=1, le=HIGHEST_ID, description="The delivery.")
Events = Annotated[
    list[Event],
    Field(max_length=50, description="Beginnings of the actions it is told. Empty: all of them, also later ones."),
]
ChannelIds = Annotated[
    list[Annotated[int, Field(ge=1, le=HIGHEST_ID)]],
    Field(max_length=MOST_CHANNELS, description="Channels whose numbers it is told about, by their id."),
]
TenantIds = Annotated[
    list[uuid.UUID], Field(max_length=MOST_CUSTOMERS, description="Customers whose numbers it is told about.")
]


class NewWebhook(OwnBody):
    """A webhook to make: of the whole system, or of channels and customers."""

    name: str = Field(description="Once in the system; at most 100 characters.", examples=["portal"])
    url: str = Field(
        description="Where changes are sent by POST. Only https; http for addresses of this machine alone.",
        examples=["https://portal.example.net/hooks"],
    )
    events: Events = []
    wholeSystem: bool = Field(False, description="Numbers of the whole system.", examples=[True])
    channelIds: ChannelIds = []
    msTenantIds: TenantIds = []


class WebhookChange(OwnBody):
    """What to change. What is left out, or null, stays."""

    name: str | None = Field(None, description="Once in the system; at most 100 characters.", examples=["portal"])
    url: str | None = Field(None, description="Where changes are sent by POST.")
    events: Events | None = None
    wholeSystem: bool | None = Field(None, description="Numbers of the whole system.")
    channelIds: ChannelIds | None = None
    msTenantIds: TenantIds | None = None


class Enabling(Params):
    """How to enable."""

    skipMissed: bool = Field(False, description="Leave out what happened while it was disabled.")


class WhichDeliveries(KeysetParams):
    """Which messages."""

    state: DeliveryState | None = Field(None, description="Those that are in this state.")
    kind: DeliveryKind | None = Field(None, description="Those of this kind.")


@router.get(_PLACE, auth=_admitted, response=answers(KeysetPage[WebhookRecord]), summary="List webhooks")
def list_webhooks(request: HttpRequest, asked: Query[KeysetParams]) -> HttpResponse:
    """All webhooks, and how each is. Needs the permission for the whole system, as every operation of webhooks does."""
    rows, link = page_of(request, asked, _visible(request))
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [of_webhook(row) for row in rows]})


@router.post(_PLACE, auth=_admitted, response=answers(WebhookWithSecret, 409), summary="Make a webhook")
@once.secret
def make_webhook(request: HttpRequest, body: NewWebhook) -> HttpResponse:
    """It is told what happens from now on. Answers its signing secret, which is told only here."""
    _visible(request)
    form = _valid(WebhookForm(_entered(body.model_dump())))
    given = form.cleaned_data
    with _name_once(form):
        webhook, secret = services.make(
            form.values, given["channels"], given["customers"], by=principal_behind(request), channel=Channel.API
        )
    return _with_secret(request, webhook.pk, secret)


@router.get(_ONE, auth=_admitted, response=answers(WebhookRecord), summary="Get a webhook")
def get_webhook(request: HttpRequest, webhookId: int = WebhookId) -> HttpResponse:
    """How it is: enabled, failing or disabled, and since when."""
    return json_answer(of_webhook(_found(request, webhookId)))


@router.patch(_ONE, auth=_admitted, response=answers(WebhookRecord, 409), summary="Change a webhook")
def change_webhook(request: HttpRequest, body: WebhookChange, webhookId: int = WebhookId) -> HttpResponse:
    """A message that waits is made again where other changes or other numbers are wanted."""
    with _locked(request, webhookId) as webhook:
        now = of_webhook(webhook) | body.model_dump(exclude_none=True)
        form = _valid(WebhookForm(_entered(now), instance=webhook))
        given = form.cleaned_data
        with _name_once(form):
            services.change(
                webhook.pk,
                form.values,
                given["channels"],
                given["customers"],
                by=principal_behind(request),
                channel=Channel.API,
            )
        nudge()
    return json_answer(of_webhook(_found(request, webhookId)))


@router.delete(_ONE, auth=_admitted, response=answers(None, status=204), summary="Delete a webhook")
def delete_webhook(request: HttpRequest, webhookId: int = WebhookId) -> HttpResponse:
    """It goes with its log. What waits is not sent."""
    with _locked(request, webhookId) as webhook:
        services.delete(webhook.pk, principal_behind(request), channel=Channel.API)
    return HttpResponse(status=204)


@router.post(f"{_ONE}/enable", auth=_admitted, response=answers(WebhookRecord), summary="Enable a webhook")
def enable_webhook(request: HttpRequest, asked: Query[Enabling], webhookId: int = WebhookId) -> HttpResponse:
    """Sends again, with all tries, first what was missed. One that is enabled stays as it is."""
    with _locked(request, webhookId) as webhook:
        services.enable(webhook.pk, principal_behind(request), skip=asked.skipMissed, channel=Channel.API)
        nudge()
    return json_answer(of_webhook(_found(request, webhookId)))


@router.post(f"{_ONE}/disable", auth=_admitted, response=answers(WebhookRecord), summary="Disable a webhook")
def disable_webhook(request: HttpRequest, webhookId: int = WebhookId) -> HttpResponse:
    """Sends nothing more until it is enabled; what happens meanwhile is kept for it."""
    with _locked(request, webhookId) as webhook:
        services.disable(webhook.pk, principal_behind(request), channel=Channel.API)
    return json_answer(of_webhook(_found(request, webhookId)))


@router.post(f"{_ONE}/secret", auth=_admitted, response=answers(WebhookWithSecret), summary="Make a new signing secret")
@once.secret
def exchange_secret(request: HttpRequest, webhookId: int = WebhookId) -> HttpResponse:
    """Answers the new secret, which is told only here. For 24 hours messages are signed by the old one as well."""
    with _locked(request, webhookId) as webhook:
        secret = services.new_secret(webhook.pk, principal_behind(request), channel=Channel.API)
    return _with_secret(request, webhookId, secret)


@router.post(f"{_ONE}/test", auth=_admitted, response=answers(DeliveryRecord), summary="Send a test message")
def send_test(request: HttpRequest, webhookId: int = WebhookId) -> HttpResponse:
    """A message without changes, sent once, also while the webhook is disabled. Ask its delivery how it went."""
    with _locked(request, webhookId) as webhook:
        delivery = services.send_test(webhook.pk, principal_behind(request), channel=Channel.API)
        nudge()
    return _begun(delivery)


@router.get(
    f"{_ONE}/deliveries",
    auth=_admitted,
    response=answers(KeysetPage[DeliveryRecord]),
    summary="List the deliveries of a webhook",
)
def list_deliveries(request: HttpRequest, asked: Query[WhichDeliveries], webhookId: int = WebhookId) -> HttpResponse:
    """What was sent in the last 30 days and what waits, the newest first, with every try."""
    tries = Prefetch("attempts", Attempt.objects.defer("answer"))
    rows = Delivery.objects.filter(webhook=_found(request, webhookId)).defer("body").prefetch_related(tries)
    wanted = {"state": asked.state, "kind": asked.kind}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    found, link = page_of(request, asked, rows, newest_first=True)
    return json_answer({"pageSize": asked.pageSize, "nextLink": link, "data": [of_delivery(row) for row in found]})


@router.get(_DELIVERY, auth=_admitted, response=answers(DeliveryDetail), summary="Get a delivery")
def get_delivery(request: HttpRequest, webhookId: int = WebhookId, deliveryId: int = DeliveryId) -> HttpResponse:
    """One message: what is sent, and every try with what the receiver said."""
    row = _sent(_found(request, webhookId), deliveryId)
    tries = [of_try(one) | {"answer": one.answer} for one in row.attempts.all()]
    return json_answer(of_delivery(row) | {"attempts": tries, "message": json.loads(row.body)})


@router.post(f"{_DELIVERY}/again", auth=_admitted, response=answers(DeliveryRecord), summary="Send a delivery again")
def send_again(request: HttpRequest, webhookId: int = WebhookId, deliveryId: int = DeliveryId) -> HttpResponse:
    """The same message with its webhook-id once more, out of order. Answers a delivery of its own."""
    with _locked(request, webhookId) as webhook:
        made = services.again(_sent(webhook, deliveryId), principal_behind(request), channel=Channel.API)
        nudge()
    return _begun(made)


def _visible(request: HttpRequest) -> Any:
    """The webhooks, for who has to do with them; 403 for everybody else, as on the screens."""
    by = principal_behind(request)
    services.demand(by)
    rows = Webhook.objects.visible_to(by).select_related("created_by")
    return rows.prefetch_related("channels", "customers")


def _found(request: HttpRequest, pk: int) -> Webhook:
    """Raises PermissionDenied, Problem 404."""
    webhook: Webhook | None = _visible(request).filter(pk=pk).first()
    if webhook is None:
        raise Problem(404, "webhook_not_found", _("There is no webhook %d.") % pk)
    return webhook


@contextmanager
def _locked(request: HttpRequest, pk: int) -> Iterator[Webhook]:
    """A transaction in which nobody else changes the webhook: two programs that change it do so one after the other."""
    with transaction.atomic():
        services.demand(principal_behind(request))
        Webhook.objects.select_for_update().filter(pk=pk).first()
        yield _found(request, pk)


def _sent(webhook: Webhook, pk: int) -> Delivery:
    row = Delivery.objects.filter(webhook=webhook, pk=pk).prefetch_related("attempts").first()
    if row is None:
        raise Problem(404, "delivery_not_found", _("The webhook has no delivery %d, or it is no longer kept.") % pk)
    return row


def _entered(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the interface as the form of the screens takes them."""
    theirs = {field: given[name] for field, name in _NAMES.items()}
    theirs |= {name: given[name] for name in ("name", "url", "events")}
    return theirs | {"customers": "\n".join(map(str, given["msTenantIds"]))}


def _valid(form: WebhookForm) -> WebhookForm:
    if not form.is_valid():
        raise of_form(form, _NAMES)
    return form


@contextmanager
def _name_once(form: WebhookForm) -> Iterator[None]:
    """409 where somebody else has taken the name since the form looked."""
    try:
        yield
    except IntegrityError:
        taken = Webhook.objects.filter(name=form.cleaned_data["name"]).exclude(pk=form.instance.pk)
        if not taken.exists():
            raise
        raise Problem(409, "name_taken", _("Another webhook has this name.")) from None


def _with_secret(request: HttpRequest, pk: int, secret: str) -> HttpResponse:
    headers = {"Location": f"/api{_PLACE}/{pk}", "Cache-Control": "no-store"}
    return json_answer(of_webhook(_found(request, pk)) | {"secret": secret}, **headers)


def _begun(delivery: Delivery) -> HttpResponse:
    place = f"/api{_PLACE}/{delivery.webhook_id}/deliveries/{delivery.pk}"
    return json_answer(of_delivery(delivery), Location=place)
