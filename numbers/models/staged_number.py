"""What Microsoft said about a number during one synchronisation, before it is compared with ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customer import Customer

# Column names that mean the same in PhoneNumber and StagedNumber. The sets are compared without regard to order.
SCALARS = (
    "iso_country_code",
    "calling_profile_id",
    "assignment_status",
    "assignment_target_id",
    "activation_state",
    "usage",
    "acquired_on",
    "tn_upload_job_id",
    "location_id",
    "civic_address_id",
    "allow_tenant_address_update",
    "displayed_country_code",
)
SETS = ("additional_usages", "acquired_capabilities", "available_capabilities")


class StagedNumber(models.Model):
    """One number of one pass. Column names and types are those of PhoneNumber, so that SQL can compare them.

    Rows live as long as their task. `read_pass` counts how often the list had to be read. A row with a `problem`
    stands for a record that could not be understood: the number exists, so it is not missing; no more is known of it.

    The table is empty at times and full at others, so PostgreSQL's statistics of it are out of date. There is one index
    that fits every query, and no other that it could take for as good: by task alone a chunk would read all rows.
    """

    task = models.ForeignKey("tasks.Task", models.CASCADE, related_name="+", db_index=False)
    e164 = models.CharField(_("number"), max_length=16)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    read_pass = models.PositiveSmallIntegerField(default=1)
    problem = models.CharField(max_length=500, blank=True)
    upstream_status = models.PositiveSmallIntegerField(null=True)
    iso_country_code = models.CharField(max_length=8, blank=True)
    calling_profile_id = models.UUIDField(null=True)
    assignment_status = models.CharField(max_length=64, null=True)
    assignment_target_id = models.CharField(max_length=64, blank=True)
    activation_state = models.CharField(max_length=64, blank=True)
    usage = models.CharField(max_length=64, blank=True)
    additional_usages = models.JSONField(default=list)
    acquired_capabilities = models.JSONField(default=list)
    available_capabilities = models.JSONField(null=True)
    acquired_on = models.DateTimeField(null=True)
    tn_upload_job_id = models.UUIDField(null=True)
    location_id = models.UUIDField(null=True)
    civic_address_id = models.UUIDField(null=True)
    allow_tenant_address_update = models.BooleanField(null=True)
    displayed_country_code = models.CharField(max_length=8, blank=True)

    class Meta:
        verbose_name = _("staged number")
        verbose_name_plural = _("staged numbers")
        constraints = [models.UniqueConstraint(fields=["task", "e164"], name="staged_once_per_pass")]

    def __str__(self) -> str:
        return self.e164
