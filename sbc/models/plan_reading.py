"""What a device's dial plan held when it was last read as a whole: every rule, foreign ones included."""

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from .sbc import SBC


class PlanReadingQuerySet(models.QuerySet["PlanReading"]):
    """Readings of dial plans."""

    def current(self) -> "PlanReadingQuerySet":
        """The latest complete reading of each SBC's own dial plan; an SBC that was never read has none."""
        of_sbc = PlanReading.objects.filter(sbc=OuterRef("sbc"), complete=True, dial_plan=OuterRef("sbc__dial_plan"))
        return self.filter(pk=Subquery(of_sbc.order_by("-pk").values("pk")[:1]))


class PlanReading(models.Model):
    """One whole reading. Its rules count once `complete` is set; older readings of the SBC are deleted then.

    `digest` is that of all rules in order: a plan that reads the same again only gets a new `read_at`. `table_size`
    counts the rules of all plans of the device, which share its capacity.
    """

    sbc = models.ForeignKey(SBC, models.CASCADE, related_name="readings", verbose_name=_("SBC"))
    dial_plan = models.CharField(_("dial plan"), max_length=64)
    complete = models.BooleanField(_("complete"), default=False)
    read_at = models.DateTimeField(_("read"))
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    rules_count = models.PositiveIntegerField(_("rules"), default=0)
    table_size = models.PositiveIntegerField(_("rules of all dial plans"), default=0)

    objects = PlanReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading of a dial plan")
        verbose_name_plural = _("readings of dial plans")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.sbc}: {self.dial_plan}"


class SeenRule(models.Model):
    """One rule as it stood there. Characters that a database cannot hold are shown as U+FFFD: it is never written back.

    `prefix` is without its trailing #, which `ends` tells; `is_number`: it is a number in E.164 form (a plus and
    digits), so it may be one of ours; everything else (patterns, other rules) is foreign.
    """

    reading = models.ForeignKey(
        PlanReading, models.CASCADE, related_name="rules", verbose_name=_("reading"), db_index=False
    )
    place = models.PositiveIntegerField(_("place"), help_text=_("Index or line in the plan, by which it is read."))
    prefix = models.TextField(_("prefix"), help_text=_("Without the trailing #."))
    ends = models.BooleanField(_("# at the end"))
    name = models.TextField(_("rule name"), blank=True)
    tag = models.TextField(_("tag"), blank=True)
    is_number = models.BooleanField(_("is a number"))

    class Meta:
        verbose_name = _("rule that was seen")
        verbose_name_plural = _("rules that were seen")
        ordering = ("reading", "place")
        indexes = [
            models.Index(fields=["reading", "prefix"], name="seen_prefix"),
            models.Index(fields=["reading", "prefix"], condition=Q(is_number=False), name="seen_foreign"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} → {self.tag}"
