"""A customer: one Microsoft tenant that buys numbers from the operator."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal, Scope

from .channel import Channel


def reached_by(scope: Scope) -> Q:
    """What belongs to a customer (column `customer`) in `scope`: the one condition of every `visible_to` below it."""
    if scope.everything:
        return Q()
    return Q(customer_id__in=scope.customers) | Q(customer__channel_id__in=scope.channels)


class ConnectionState(models.TextChoices):
    """Whether we may act inside the customer's own tenant (un-assign needs it)."""

    UNKNOWN = "unknown", _("Not checked")
    CONNECTED = "connected", _("Connected")
    NOT_CONNECTED = "not_connected", _("Not connected")


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Reads of customers."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "CustomerQuerySet":
        """Customers in the principal's scope for the permission."""
        scope = principal.scope(permission)
        if scope.everything:
            return self
        return self.filter(Q(pk__in=scope.customers) | Q(channel_id__in=scope.channels))

    def on_hold(self) -> "CustomerQuerySet":
        """Customers whose synchronisation is on hold."""
        return self.filter(sync_held_at__isnull=False)


class Customer(models.Model):
    """A tenant. The consent is Microsoft's; `consent_status` keeps its word (active, suspended, removed).

    While `sync_held_at` is set, no synchronisation touches its numbers (operations/sync/on_hold.py).
    """

    tenant_id = models.UUIDField(_("tenant ID"), unique=True)
    full_name = models.CharField(_("name"), max_length=200)
    ms_company_name = models.CharField(_("name at Microsoft"), max_length=200, blank=True)
    ump_customer_guid = models.UUIDField(_("service ID"), null=True, blank=True, unique=True)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, blank=True, related_name="customers", verbose_name=_("channel")
    )
    consent_status = models.CharField(_("consent"), max_length=32, blank=True)
    relationship_status = models.CharField(_("relationship"), max_length=40, blank=True)
    consented_on = models.DateTimeField(_("consented on"), null=True, blank=True)
    consented_countries = models.JSONField(_("consented countries"), default=list, blank=True)
    usage_plans = models.JSONField(
        _("usages"),
        default=list,
        blank=True,
        help_text=_("What numbers may be used for, as Microsoft told: usage, mandatory and choosable capabilities."),
    )
    contacts = models.JSONField(_("contacts"), default=list, blank=True)
    connection = models.CharField(
        _("tenant connection"), max_length=16, choices=ConnectionState.choices, default=ConnectionState.UNKNOWN
    )
    connection_checked_at = models.DateTimeField(_("connection checked"), null=True, blank=True)
    connection_message = models.CharField(_("connection message"), max_length=500, blank=True)
    sync_held_at = models.DateTimeField(_("synchronisation on hold since"), null=True, blank=True)
    sync_hold_reason = models.CharField(_("why the synchronisation is on hold"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("full_name", "pk")
        indexes = [models.Index(fields=["full_name"], name="customer_name")]
        constraints = [
            models.CheckConstraint(
                name="a_hold_has_a_reason",
                condition=Q(sync_held_at=None, sync_hold_reason="")
                | (Q(sync_held_at__isnull=False) & ~Q(sync_hold_reason="")),
            )
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        """The customer's page."""
        return reverse("numbers:customer", args=[self.tenant_id])
