"""A job at Microsoft that one of our tasks started."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .customer import Customer


class UpstreamJob(models.Model):
    """Written before the request is sent, so that a lost answer can be looked up by its correlation id."""

    correlation_id = models.UUIDField(_("correlation ID"), default=uuid.uuid4, unique=True)
    kind = models.CharField(_("kind"), max_length=32)
    ms_job_id = models.UUIDField(_("Microsoft job ID"), null=True, blank=True, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="upstream_jobs", verbose_name=_("customer"))
    task = models.ForeignKey(
        "tasks.Task", models.SET_NULL, null=True, blank=True, related_name="upstream_jobs", verbose_name=_("task")
    )
    status = models.CharField(_("status"), max_length=32, blank=True, help_text=_("Microsoft's word."))
    stage = models.CharField(
        _("stage"), max_length=32, blank=True, help_text=_("Where its numbers go back to when it was not sent.")
    )
    total = models.PositiveIntegerField(_("numbers"), default=0)
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    error_message = models.CharField(_("error message"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    poll_at = models.DateTimeField(_("to be asked again"), null=True, blank=True)
    polled_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)

    # The attempt that decides how often a request that got no clear answer is looked for or sent again.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("Microsoft job")
        verbose_name_plural = _("Microsoft jobs")
        ordering = ("-created_at", "-pk")
        indexes = [models.Index(fields=["kind", "-sent_at"], name="job_kind_sent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.ms_job_id or self.correlation_id}"
