"""Where database, Microsoft and SBC disagree about a number."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from sbc.models import SBC

from .customer import Customer, reached_by
from .drift_run import DriftRun


class Kind(models.TextChoices):
    """The rows of the table of three truths (upstreams.md §8), and what can be wrong with a rule."""

    NO_ROUTING = "no_routing", _("No routing")
    OWNERSHIP_CONFLICT = "ownership_conflict", _("Ownership conflict")
    RESURRECTED = "resurrected", _("Resurrected")
    WRONG_TAG = "wrong_tag", _("Wrong tag")
    DOUBLED_RULE = "doubled_rule", _("Doubled rule")
    LOST_AT_MICROSOFT = "lost_at_microsoft", _("Lost at Microsoft")
    GHOST = "ghost", _("Ghost")
    UNMANAGED = "unmanaged", _("Unmanaged")
    MISPLACED_RULE = "misplaced_rule", _("Misplaced rule")
    ORPHAN_RULE = "orphan_rule", _("Orphan rule")
    ACQUIRED_ELSEWHERE = "acquired_elsewhere", _("Acquired elsewhere")


class Severity(models.IntegerChoices):
    """How much it matters. Critical: calls fail, or a number is in two hands."""

    NOTICE = 1, _("Notice")
    WARNING = 2, _("Warning")
    CRITICAL = 3, _("Critical")


SEVERITY: dict[Kind, Severity] = {
    Kind.NO_ROUTING: Severity.CRITICAL,
    Kind.OWNERSHIP_CONFLICT: Severity.CRITICAL,
    Kind.RESURRECTED: Severity.WARNING,
    Kind.WRONG_TAG: Severity.WARNING,
    Kind.DOUBLED_RULE: Severity.WARNING,
    Kind.LOST_AT_MICROSOFT: Severity.WARNING,
    Kind.GHOST: Severity.WARNING,
    Kind.UNMANAGED: Severity.NOTICE,
    Kind.MISPLACED_RULE: Severity.NOTICE,
    Kind.ORPHAN_RULE: Severity.NOTICE,
    Kind.ACQUIRED_ELSEWHERE: Severity.NOTICE,
}


class DriftFindingQuerySet(models.QuerySet["DriftFinding"]):
    """Reads of findings."""

    def current(self) -> "DriftFindingQuerySet":
        """Those of the report that people see."""
        last = DriftRun.objects.filter(complete=True).order_by("-pk").values("pk")[:1]
        return self.filter(run=models.Subquery(last))

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "DriftFindingQuerySet":
        """Those of the customers in scope; what is nobody's only for the whole system."""
        return self.filter(reached_by(principal.scope(permission)))


class DriftFinding(models.Model):
    """One disagreement, of one run: about a number, or about its rule on one SBC.

    `since` and `first_run` tell when it was first found. What the three say: `in_database`, `at_microsoft` (None: not
    known), `on_sbc` (None: not known). `stale`: it could not be judged anew and is kept from the run before.
    `details`: found (rules: sbc, prefix, name, tag), expected (name, tag), status, source, owner (row id of the
    customer who has it at Microsoft), until (end of the quarantine).
    """

    run = models.ForeignKey(DriftRun, models.CASCADE, related_name="findings", verbose_name=_("run"), db_index=False)
    e164 = models.CharField(_("number"), max_length=16)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, related_name="+", verbose_name=_("customer"), db_index=False
    )
    sbc = models.ForeignKey(SBC, models.CASCADE, null=True, related_name="+", verbose_name=_("SBC"))
    since = models.DateTimeField(_("first found"))
    first_run = models.BigIntegerField(_("first run"))
    in_database = models.BooleanField(_("in the database"))
    at_microsoft = models.BooleanField(_("at Microsoft"), null=True)
    on_sbc = models.BooleanField(_("on the SBC"), null=True)
    stale = models.BooleanField(_("not judged anew"), default=False)
    details: Any = models.JSONField(_("details"), default=dict)

    objects = DriftFindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("drift finding")
        verbose_name_plural = _("drift findings")
        ordering = ("-severity", "kind", "e164", "sbc")
        constraints = [
            # Findings about a number have no SBC; a run makes one of each kind for it.
            models.UniqueConstraint(fields=["run", "e164", "kind", "sbc"], name="drift_once_per_run"),
        ]
        indexes = [
            models.Index(fields=["run", "severity", "kind", "e164"], name="drift_severity"),
            models.Index(fields=["customer", "run", "severity"], name="drift_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.e164}: {self.kind}"
