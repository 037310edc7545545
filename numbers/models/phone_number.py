"""A phone number: what we promised, what Microsoft says, and when we last looked."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from ..assignment import UNASSIGNED
from ..lifecycle import Source, Status
from .calling_profile import CallingProfile
from .civic_address import CivicAddress, Location
from .customer import Customer, reached_by


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    """Reads of numbers."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "PhoneNumberQuerySet":
        """Numbers of the customers in the principal's scope for the permission."""
        return self.filter(reached_by(principal.scope(permission)))


class PhoneNumber(models.Model):
    """One E.164 number of one customer, with every field of the V3 record (get-numbers-v3.txt).

    `status` moves only through lifecycle.py. Fields under "Microsoft's" are written by synchronisation, by the
    move-in import and by completed operations, never by hand.
    """

    # Ours
    e164 = models.CharField(_("number"), max_length=16, unique=True)
    # Foreign keys that begin another index have none of their own: each one costs time with every row.
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="numbers", verbose_name=_("customer"), db_index=False
    )
    status = models.PositiveSmallIntegerField(_("status"), choices=Status.choices)
    status_reason = models.CharField(_("reason of the status"), max_length=500, blank=True)
    status_changed_at = models.DateTimeField(_("status since"), default=timezone.now)
    removal_cleared_at = models.DateTimeField(
        _("removal cleared"),
        null=True,
        blank=True,
        help_text=_("Somebody has decided to keep it. Not marked again until Microsoft lists it as active."),
    )
    source = models.CharField(_("source"), max_length=8, choices=Source.choices, blank=True, default=Source.EXTERNAL)
    note = models.TextField(_("note"), blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    when_created = models.DateTimeField(_("created"), default=timezone.now)
    modified_at = models.DateTimeField(_("changed"), default=timezone.now)
    upload_entry_id = models.BigIntegerField(_("upload entry ID"), null=True, blank=True)
    upload_job_id = models.BigIntegerField(_("upload job ID"), null=True, blank=True)
    tenant_calling_profile_id = models.IntegerField(_("tenant calling profile ID"), null=True, blank=True)
    exact_times = models.JSONField(
        _("exact times"),
        default=dict,
        blank=True,
        help_text=_(
            "Times that came with seven digits after the second, as they were written: V3 field to text. "
            "Used in the API only while the column still holds that instant."
        ),
    )

    # Microsoft's
    iso_country_code = models.CharField(_("country"), max_length=8, blank=True)
    calling_profile = models.ForeignKey(
        CallingProfile,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="numbers",
        verbose_name=_("calling profile"),
        db_index=False,
    )
    assignment_status = models.CharField(_("assignment"), max_length=64, null=True, blank=True)
    assignment_target_id = models.CharField(_("assigned to"), max_length=64, blank=True)
    activation_state = models.CharField(_("activation state"), max_length=64, blank=True)
    usage = models.CharField(_("usage"), max_length=64, blank=True)
    additional_usages = models.JSONField(_("additional usages"), default=list, blank=True)
    acquired_capabilities = models.JSONField(_("acquired capabilities"), default=list, blank=True)
    available_capabilities = models.JSONField(_("available capabilities"), null=True, blank=True)
    acquired_on = models.DateTimeField(_("acquired"), null=True, blank=True)
    tn_upload_job_id = models.UUIDField(_("Microsoft job ID"), null=True, blank=True)
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="numbers", verbose_name=_("emergency location")
    )
    civic_address = models.ForeignKey(
        CivicAddress,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="numbers",
        verbose_name=_("emergency address"),
        db_index=False,
    )
    allow_tenant_address_update = models.BooleanField(_("customer may change the address"), null=True, blank=True)
    displayed_country_code = models.CharField(_("displayed country"), max_length=8, blank=True)

    # Verification (get-numbers-v3.txt: aslcht, aslsct, aslvCode, asticks)
    aslcht = models.DateTimeField(_("last successful check"), null=True, blank=True)
    aslsct = models.DateTimeField(_("last assignment change"), null=True, blank=True)
    aslv_code = models.PositiveSmallIntegerField(_("last check code"), null=True, blank=True)
    asticks = models.BigIntegerField(_("check pass"), null=True, blank=True)

    objects = PhoneNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        ordering = ("e164",)
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="number_known_status"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="number_known_source"),
            models.CheckConstraint(condition=Q(e164__startswith="+"), name="number_is_e164"),
            models.CheckConstraint(
                condition=Q(location__isnull=True) | Q(civic_address__isnull=False), name="number_location_has_address"
            ),
            models.CheckConstraint(
                condition=Q(aslv_code__isnull=True) | Q(aslv_code__in=(200, 404, 500)), name="number_known_check_code"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "e164"], name="number_status"),
            models.Index(fields=["customer", "e164"], name="number_customer"),
            models.Index(fields=["customer", "status", "e164"], name="number_customer_status"),
            models.Index(fields=["calling_profile", "e164"], name="number_profile"),
            models.Index(fields=["iso_country_code", "e164"], name="number_country"),
            models.Index(fields=["assignment_status", "e164"], name="number_assignment"),
            models.Index(fields=["acquired_on", "e164"], name="number_acquired"),
            models.Index(fields=["civic_address", "e164"], name="number_address"),
            models.Index(fields=["source", "e164"], name="number_source"),
        ]

    def __str__(self) -> str:
        return self.e164

    def get_absolute_url(self) -> str:
        """The number's page."""
        return reverse("numbers:number", args=[self.e164])

    @property
    def assigned(self) -> bool:
        """Whether somebody or something uses the number. A word we do not know counts as assigned (the safe side)."""
        return self.assignment_status not in (None, UNASSIGNED)
