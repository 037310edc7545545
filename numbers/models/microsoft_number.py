"""What Microsoft had when it was last asked: kept from one synchronisation to the next."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customer import Customer


class MicrosoftNumber(models.Model):
    """One number on Microsoft's list, whoever's it is here.

    Written where a synchronisation finds something else than stands here (operations/sync/keeping.py). `unreadable`: it
    is on the list, but its record could not be understood; `customer` is then who has it here.
    """

    e164 = models.CharField(_("number"), max_length=16, primary_key=True)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    upstream_status = models.PositiveSmallIntegerField(_("status at Microsoft"), null=True)
    unreadable = models.BooleanField(_("not readable"), default=False)

    class Meta:
        verbose_name = _("number at Microsoft")
        verbose_name_plural = _("numbers at Microsoft")
        ordering = ("e164",)

    def __str__(self) -> str:
        return self.e164


class MicrosoftReading(models.Model):
    """When Microsoft's whole list was last read: the beginning of the last complete pass. One row, or none."""

    began_at = models.DateTimeField(_("began"))

    class Meta:
        verbose_name = _("reading of Microsoft's list")
        verbose_name_plural = _("readings of Microsoft's list")

    def __str__(self) -> str:
        return self.began_at.isoformat()
