"""A rule that we want in a dial plan, or want out of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .sbc import SBC

# What a device does not do yet as we want it: wanted and not seen there, or not wanted any more (then its row goes).
OUTSTANDING = Q(wanted=False) | Q(present=None) | Q(present=False)


class DialPlanRule(models.Model):
    """One rule of one dial plan: what we want there, and what was last seen there."""

    sbc = models.ForeignKey(SBC, models.CASCADE, related_name="rules", verbose_name=_("SBC"), db_index=False)
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
        indexes = [
            models.Index(fields=["prefix"], name="rule_prefix"),
            models.Index(fields=["sbc", "dial_plan", "prefix"], condition=OUTSTANDING, name="rule_outstanding"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} → {self.tag}"
