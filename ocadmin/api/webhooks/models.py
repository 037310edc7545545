"""Webhooks, what was sent to them, and how that went."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.feed import Position
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal, Scope


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Reads of webhooks."""

    def visible_to(self, principal: Principal) -> "WebhookQuerySet":
        """They carry data out of the house: only those who manage access to the whole system see them."""
        return self if principal.can_everywhere(Permission.MANAGE_ACCESS) else self.none()


class Standing(models.TextChoices):
    """How a webhook is."""

    ENABLED = "enabled", _("enabled")
    FAILING = "failing", _("failing")
    DISABLED = "disabled", _("disabled")


class Webhook(models.Model):
    """An address that is told about changes.

    `xact` and `seen` are the place in the feed up to which changes were packed into deliveries. `failures` counts
    the failed tries of the delivery at hand, `next_at` is when the next one is due. `lease_owner` sends at the moment,
    until `lease_until` at the latest (tasks/lease.py has the names).
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.URLField(_("address"), max_length=500)
    events = models.JSONField(_("changes"), default=list, blank=True)
    everything = models.BooleanField(_("whole system"), default=False)
    channels = models.ManyToManyField("numbers.Channel", blank=True, related_name="+", verbose_name=_("channels"))
    customers = models.ManyToManyField("numbers.Customer", blank=True, related_name="+", verbose_name=_("customers"))
    enabled = models.BooleanField(_("enabled"), default=True)
    note = models.CharField(_("why it is disabled"), max_length=500, blank=True)
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(_("old secret until"), null=True, editable=False)

    xact = models.BigIntegerField(default=0, editable=False)
    seen = models.BigIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(_("failed tries"), default=0, editable=False)
    next_at = models.DateTimeField(_("next try"), default=timezone.now, editable=False)
    last_success_at = models.DateTimeField(_("last delivered"), null=True, editable=False)
    lease_owner = models.CharField(max_length=120, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("webhooks:detail", args=[self.pk])

    @property
    def position(self) -> Position:
        """The place in the feed up to which changes are packed."""
        return Position(self.xact, self.seen)

    @property
    def made_by(self) -> str:
        """The name of the person or program, as the audit trail has it; empty where they are gone."""
        user = self.created_by
        return (user.get_full_name() or user.get_username()) if user else ""

    @property
    def standing(self) -> Standing:
        """Disabled by somebody or given up, failing at the message at hand, or neither."""
        if not self.enabled:
            return Standing.DISABLED
        return Standing.FAILING if self.failures else Standing.ENABLED

    def scope(self) -> Scope:
        """Whose changes it is told. Two queries."""
        if self.everything:
            return Scope(everything=True)
        return Scope(
            channels=frozenset(self.channels.values_list("pk", flat=True)),
            customers=frozenset(self.customers.values_list("pk", flat=True)),
        )


class DeliveryKind(models.TextChoices):
    """Why something was sent."""

    CHANGES = "changes", _("Changes")
    TEST = "test", _("Test")
    AGAIN = "again", _("Sent again")


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


class Delivery(models.Model):
    """One message: its text is made once, so that every try sends the same bytes.

    `uid` is the webhook-id. `behind` is the place in the feed after which its changes begin, empty for a test.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    uid = models.CharField(_("webhook-id"), max_length=40)
    kind = models.CharField(_("kind"), max_length=8, choices=DeliveryKind.choices, default=DeliveryKind.CHANGES)
    state = models.CharField(_("state"), max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    changes = models.PositiveIntegerField(_("changes"), default=0)
    behind = models.CharField(max_length=40, blank=True, editable=False)
    body = models.TextField(_("body"))
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_log"),
            models.Index(fields=["finished_at"], name="delivery_finished"),
            models.Index(fields=["webhook"], condition=Q(state="pending"), name="delivery_pending"),
        ]
        constraints = [
            # One at a time is what keeps the order.
            models.UniqueConstraint(
                fields=["webhook"], condition=Q(state="pending", kind="changes"), name="delivery_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.uid


class Attempt(models.Model):
    """One try. `status` is None where no answer came, and `error` says why; `answer` is its beginning."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    at = models.DateTimeField(_("time"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    milliseconds = models.PositiveIntegerField(_("duration"))
    error = models.CharField(_("error"), max_length=300, blank=True)
    answer = models.TextField(_("answer"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at:%Y-%m-%d %H:%M:%S}"
