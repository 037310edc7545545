"""Which SBC carries a customer's numbers of one calling profile."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sbc.models import SBC

from .calling_profile import CallingProfile
from .customer import Customer


class SipConnection(models.Model):
    """One link per customer, profile and SBC (live-platform.md §3.8). A name exists only for IP-group connections."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="sip_connections", verbose_name=_("customer"))
    calling_profile = models.ForeignKey(
        CallingProfile, models.CASCADE, related_name="sip_connections", verbose_name=_("calling profile")
    )
    sbc = models.ForeignKey(SBC, models.PROTECT, related_name="+", verbose_name=_("SBC"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    description = models.CharField(_("description"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("SIP connection")
        verbose_name_plural = _("SIP connections")
        ordering = ("customer", "calling_profile", "sbc")
        constraints = [
            models.UniqueConstraint(fields=["customer", "calling_profile", "sbc"], name="sip_connection_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.sbc.name
