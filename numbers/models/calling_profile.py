"""A calling profile and its trunks, as Microsoft holds them. Read-only here."""

from django.db import models
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from sbc.models import SBC


class CallingProfileQuerySet(models.QuerySet["CallingProfile"]):
    """Reads of calling profiles."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "CallingProfileQuerySet":
        """Profiles that the principal's customers have numbers with, or SIP connections; all for the whole system."""
        if principal.scope(permission).everything:
            return self
        from .customer import reached_by
        from .phone_number import PhoneNumber
        from .sip_connection import SipConnection

        numbers = PhoneNumber.objects.visible_to(principal, permission)
        links = SipConnection.objects.filter(reached_by(principal.scope(permission)))
        profile = OuterRef("pk")
        return self.filter(
            Exists(numbers.filter(calling_profile_id=profile)) | Exists(links.filter(calling_profile_id=profile))
        )


class CallingProfile(models.Model):
    """How calls of a number are carried. The id is Microsoft's."""

    id = models.UUIDField(_("calling profile ID"), primary_key=True)
    name = models.CharField(_("name"), max_length=200)
    region = models.CharField(_("region"), max_length=100, blank=True)
    carrier = models.CharField(_("carrier"), max_length=100, blank=True)
    offer_types = models.JSONField(_("offer types"), default=list, blank=True)
    emergency_dial_strings = models.JSONField(_("emergency dial strings"), default=list, blank=True)
    is_emergency_profile = models.BooleanField(_("emergency profile"), default=False)
    emergency_profile_id = models.UUIDField(_("emergency profile ID"), null=True, blank=True)
    removed_at = models.DateTimeField(_("gone at Microsoft since"), null=True, blank=True)

    objects = CallingProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("calling profile")
        verbose_name_plural = _("calling profiles")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The profile's page."""
        return reverse("numbers:calling-profile", args=[self.pk])


class Trunk(models.Model):
    """A trunk of a profile, and the SBC it ends on where we know it."""

    profile = models.ForeignKey(
        CallingProfile, models.CASCADE, related_name="trunks", verbose_name=_("calling profile")
    )
    trunk_id = models.CharField(_("trunk ID"), max_length=64, blank=True)
    fqdn = models.CharField(_("FQDN"), max_length=253)
    sbc = models.ForeignKey(SBC, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("SBC"))

    class Meta:
        verbose_name = _("trunk")
        verbose_name_plural = _("trunks")
        ordering = ("fqdn",)
        constraints = [models.UniqueConstraint(fields=["profile", "fqdn"], name="trunk_once_per_profile")]

    def __str__(self) -> str:
        return self.fqdn
