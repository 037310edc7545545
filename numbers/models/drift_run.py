"""One comparison of database, Microsoft and SBCs."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class DriftRunQuerySet(models.QuerySet["DriftRun"]):
    """Comparisons."""

    def current(self) -> "DriftRunQuerySet":
        """The last complete one: the report that people see. One row, or none."""
        last = DriftRun.objects.filter(complete=True).order_by("-pk").values("pk")[:1]
        return self.filter(pk__in=last)


class DriftRun(models.Model):
    """A report counts once it is `complete`; the one before it is deleted then.

    `sources`: SBC (id as text) to what is known of its reading: name, read_at, why it was not read (empty: it was),
    code of that error, and whether it is read by hand. `microsoft_at`: when Microsoft's list was read, None: never.
    `left_out`: why (see operations/drift/table.py) to how many numbers were not judged although something differs.
    """

    task_ref = models.BigIntegerField(_("task"))
    began_at = models.DateTimeField(_("began"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    complete = models.BooleanField(_("complete"), default=False)
    microsoft_at = models.DateTimeField(_("Microsoft's list read"), null=True)
    sources: Any = models.JSONField(_("readings"), default=dict)
    left_out: Any = models.JSONField(_("not judged"), default=dict)
    total = models.PositiveIntegerField(_("findings"), default=0)
    new = models.PositiveIntegerField(_("new"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)

    objects = DriftRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("drift report")
        verbose_name_plural = _("drift reports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"
