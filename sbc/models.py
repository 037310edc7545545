"""An SBC and the rules of its dial plans."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal


class SBCQuerySet(models.QuerySet["SBC"]):
    """Reads of SBCs."""

    def visible_to(self, principal: Principal) -> "SBCQuerySet":
        """SBCs are shared by customers: only people of the whole system see them (live-platform.md §7.3)."""
        return self if principal.can_everywhere(Permission.VIEW) else self.none()


class SBC(models.Model):
    """A session border controller of the operator."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    fqdn = models.CharField(_("FQDN"), max_length=253, blank=True)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    rest_url = models.URLField(_("REST address"), blank=True, help_text=_("Base address of its REST interface."))
    dial_plan = models.CharField(_("dial plan"), max_length=64, default="OCDialPlan")
    prefix_hash = models.BooleanField(
        _("write # after prefixes"), default=True, help_text=_("A prefix without # also matches longer numbers.")
    )
    max_rules = models.PositiveIntegerField(_("capacity in rules"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    objects = SBCQuerySet.as_manager()

    class Meta:
        verbose_name = _("SBC")
        verbose_name_plural = _("SBCs")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["fqdn"], condition=~Q(fqdn=""), name="sbc_fqdn_once"),
        ]

    def __str__(self) -> str:
        return self.name


class DialPlanRule(models.Model):
    """One rule of one dial plan: what we want there, and what was last seen there."""

    sbc = models.ForeignKey(SBC, models.CASCADE, related_name="rules", verbose_name=_("SBC"))
    dial_plan = models.CharField(_("dial plan"), max_length=64, default="OCDialPlan")
    name = models.CharField(_("rule name"), max_length=64, blank=True)
    prefix = models.CharField(_("prefix"), max_length=50, help_text=_("Without the trailing #."))
    tag = models.CharField(_("tag"), max_length=253, blank=True)
    wanted = models.BooleanField(_("wanted"), default=True)
    present = models.BooleanField(_("present"), null=True, blank=True, help_text=_("Empty: never looked."))
    checked_at = models.DateTimeField(_("last looked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("dial plan rule")
        verbose_name_plural = _("dial plan rules")
        ordering = ("sbc", "dial_plan", "prefix")
        constraints = [
            models.UniqueConstraint(fields=["sbc", "dial_plan", "prefix"], name="rule_once_per_plan"),
            models.CheckConstraint(condition=~Q(prefix__endswith="#"), name="rule_prefix_without_hash"),
        ]
        indexes = [models.Index(fields=["prefix"], name="rule_prefix")]

    def __str__(self) -> str:
        return f"{self.prefix} → {self.tag}"
