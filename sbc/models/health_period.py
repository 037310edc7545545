"""How a device was, and for how long."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .sbc import SBC, State


class HealthPeriod(models.Model):
    """A time in which an SBC was in one state; `until` is None for the present one.

    `reasons` are sentences, `alarms` the descriptions of its alarms, both as they were at the end of the period.
    """

    sbc = models.ForeignKey(SBC, models.CASCADE, related_name="periods", verbose_name=_("SBC"), db_index=False)
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    alarms = models.JSONField(_("alarms"), default=list, blank=True)

    class Meta:
        verbose_name = _("period of health")
        verbose_name_plural = _("periods of health")
        ordering = ("-since", "-pk")
        indexes = [models.Index(fields=["sbc", "-since", "-id"], name="period_newest")]
        constraints = [
            models.UniqueConstraint(fields=["sbc"], condition=Q(until=None), name="period_one_open_per_sbc"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="period_known_state"),
        ]

    def __str__(self) -> str:
        return f"{self.sbc}: {self.get_state_display()}"

    @property
    def lasted(self) -> timedelta:
        """How long; for the present one so far."""
        return (self.until or timezone.now()) - self.since
