"""A number we gave back: kept with what it was, and with the day it may be used again."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from .customer import Customer, reached_by


class ReleasedNumberQuerySet(models.QuerySet["ReleasedNumber"]):
    """Reads of released numbers."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "ReleasedNumberQuerySet":
        """Released numbers of the customers in scope."""
        return self.filter(reached_by(principal.scope(permission)))


class ReleasedNumber(models.Model):
    """A number after its release. The same number may appear again when it was uploaded and released once more."""

    e164 = models.CharField(_("number"), max_length=16)
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="released_numbers", verbose_name=_("customer"), db_index=False
    )
    iso_country_code = models.CharField(_("country"), max_length=8, blank=True)
    calling_profile_id = models.UUIDField(_("calling profile ID"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=8, blank=True)
    acquired_on = models.DateTimeField(_("acquired"), null=True, blank=True)
    released_at = models.DateTimeField(_("released"))
    released_by = models.CharField(_("released by"), max_length=150, blank=True)
    quarantine_until = models.DateTimeField(_("quarantine until"))
    ms_job_id = models.UUIDField(_("Microsoft job ID"), null=True, blank=True)
    task_ref = models.BigIntegerField(_("task"), null=True, blank=True)
    record = models.JSONField(_("record at release"), default=dict, blank=True)

    objects = ReleasedNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("released number")
        verbose_name_plural = _("released numbers")
        ordering = ("-released_at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(quarantine_until__gte=F("released_at")), name="released_quarantine_after_release"
            ),
        ]
        indexes = [
            models.Index(fields=["e164", "-released_at"], name="released_number"),
            models.Index(fields=["-released_at", "-id"], name="released_at"),
            models.Index(fields=["customer", "-released_at"], name="released_customer"),
        ]

    def __str__(self) -> str:
        return self.e164

    @property
    def resting(self) -> bool:
        """Whether it is in quarantine."""
        return self.quarantine_until > timezone.now()
