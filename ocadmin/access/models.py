"""People, programs, memberships, audit entries."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .audit import Channel, title_of
from .feed import Xact
from .permissions import Permission, Role
from .principal import Principal


class User(AbstractUser):
    """A person who signs in. What they may do stands in their memberships."""

    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the server's."))
    preferences = models.JSONField(_("preferences"), default=dict, blank=True, editable=False)


class ApiClient(User):
    """A program that speaks the REST interface. It is a user who cannot sign in, so that roles, tasks and the audit
    trail know it like a person.

    Its columns of User: `username` is the client id, `first_name` its name, `is_active` whether it is enabled,
    `date_joined` when it was made, `last_login` when it was last used (to the hour).
    """

    secret_hash = models.CharField(
        _("secret"),
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("SHA-256 of the secret. Empty: an application of Entra, which brings tokens of its own."),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")

    def __str__(self) -> str:
        return self.first_name or self.username


class RateWindow(models.Model):
    """How often something was done since `started` (seconds since 1970). One row for each key of api/limits.py."""

    key = models.CharField(max_length=100, primary_key=True)
    started = models.FloatField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("rate window")
        verbose_name_plural = _("rate windows")
        indexes = [models.Index(fields=["started"], name="rate_window_started")]

    def __str__(self) -> str:
        return self.key


class KeyedRequest(models.Model):
    """A request of a program that acts, by the key that the program gave it, and its answer (api/once.py)."""

    client = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Of the answer. Empty: still at work, or dead."))
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)

    class Meta:
        verbose_name = _("request with a key")
        verbose_name_plural = _("requests with keys")
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="keyed_request_once")]
        indexes = [models.Index(fields=["started_at"], name="keyed_request_started")]

    def __str__(self) -> str:
        return self.key


class Membership(models.Model):
    """A role in a scope: the whole system, one channel, or one customer.

    The two foreign keys name models of a room above this one, by text: the database must refuse a grant that points
    nowhere, and no code of that room is imported.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    channel = models.ForeignKey(
        "numbers.Channel", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("channel")
    )
    customer = models.ForeignKey(
        "numbers.Customer", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("user__username", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__isnull=True) | Q(customer__isnull=True),
                name="membership_one_scope",
                violation_error_message=_("Choose a channel or a customer, not both. Neither: the whole system."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values),
                name="membership_known_role",
                violation_error_message=_("There is no such role."),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(channel__isnull=True, customer__isnull=True),
                name="membership_one_role_system",
                violation_error_message=_("This person already has a role for the whole system. Change that one."),
            ),
            models.UniqueConstraint(
                fields=["user", "channel"],
                condition=Q(channel__isnull=False),
                name="membership_one_role_channel",
                violation_error_message=_("This person already has a role for this channel. Change that one."),
            ),
            models.UniqueConstraint(
                fields=["user", "customer"],
                condition=Q(customer__isnull=False),
                name="membership_one_role_customer",
                violation_error_message=_("This person already has a role for this customer. Change that one."),
            ),
        ]

    def __str__(self) -> str:
        place = self.channel or self.customer or _("whole system")
        return f"{self.user} · {self.get_role_display()} · {place}"


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads of the audit trail."""

    def visible_to(self, principal: Principal) -> "AuditQuerySet":
        """Entries about the principal's channels and customers; all of them for the whole system."""
        scope = principal.scope(Permission.VIEW)
        if scope.everything:
            return self
        return self.filter(Q(channel_ref__in=scope.channels) | Q(customer_ref__in=scope.customers))

    def update(self, **kwargs: Any) -> int:
        """Refused: entries stay what they are."""
        raise ValidationError(_("The audit trail is append-only: an entry cannot be changed."))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: entries stay."""
        raise ValidationError(_("The audit trail is append-only: an entry cannot be deleted."))


class AuditEntry(models.Model):
    """One thing that happened to one object: who, through what, before and after. Never changed, never deleted.

    References are plain values, not foreign keys: the record has to outlive what it is about.
    """

    at = models.DateTimeField(_("time"), default=timezone.now, editable=False)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, verbose_name=_("person"))
    actor_name = models.CharField(_("by"), max_length=150, blank=True)
    channel = models.CharField(_("through"), max_length=12, choices=Channel.choices)
    action = models.CharField(_("action"), max_length=40)
    object_type = models.CharField(_("kind"), max_length=30)
    object_id = models.CharField(_("object"), max_length=64)
    label = models.CharField(_("label"), max_length=200, blank=True)
    customer_ref = models.BigIntegerField(_("customer id"), null=True, blank=True)
    channel_ref = models.BigIntegerField(_("channel id"), null=True, blank=True)
    task_ref = models.BigIntegerField(_("task"), null=True, blank=True)
    ticket = models.CharField(_("ticket"), max_length=64, blank=True)
    message = models.CharField(_("message"), max_length=500, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    xact = models.BigIntegerField(_("transaction"), db_default=Xact(), editable=False, help_text=_("See feed.py."))

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-at", "-pk")
        indexes = [
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_object"),
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["customer_ref", "-at"], name="audit_customer"),
            models.Index(fields=["task_ref"], name="audit_task"),
            # The feed of numbers (feed.py): of all of them, of a channel's, of a customer's.
            *(
                models.Index(fields=[*place, "xact", "id"], condition=Q(object_type="number"), name=f"audit_feed{name}")
                for name, place in (("", ()), ("_channel", ("channel_ref",)), ("_customer", ("customer_ref",)))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.label or self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only: an entry that exists is never changed."""
        if not self._state.adding:
            raise ValidationError(_("The audit trail is append-only: an entry cannot be changed."))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused: entries stay."""
        raise ValidationError(_("The audit trail is append-only: an entry cannot be deleted."))

    @property
    def title(self) -> str:
        """What happened, in words."""
        return title_of(self.action)
