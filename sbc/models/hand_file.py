"""A file that a person loads into an SBC by hand."""

import uuid
from pathlib import Path

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.console import private_files

from .sbc import SBC

FOLDER = "by-hand"
KEPT_HOURS = 24.0 * 7


class HandFileKind(models.TextChoices):
    """What it is; follows what the device gave."""

    CSV = "csv", _("CSV file with the whole dial plan")
    CLI = "cli", _("CLI script with the rules that change")


class HandFileQuerySet(models.QuerySet["HandFile"]):
    """Reads of such files."""

    def waiting(self) -> "HandFile | None":
        """The newest one, where nobody has confirmed it or another one since."""
        newest = self.order_by("-made_at").first()
        return newest if newest is not None and newest.confirmed_at is None else None


class HandFile(models.Model):
    """Made from what the device held at `made_at`, with our rules worked in; `digest` is its SHA-256.

    The file and the plan that the device has once it is loaded are private files, kept for a week.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sbc = models.ForeignKey(SBC, models.CASCADE, related_name="hand_files", verbose_name=_("SBC"))
    dial_plan = models.CharField(_("dial plan"), max_length=64)
    kind = models.CharField(_("kind"), max_length=3, choices=HandFileKind.choices)
    digest = models.CharField(_("digest"), max_length=64)
    added = models.PositiveIntegerField(_("added"))
    changed = models.PositiveIntegerField(_("changed"))
    removed = models.PositiveIntegerField(_("removed"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    made_by = models.CharField(_("made by"), max_length=200)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    confirmed_by = models.CharField(_("confirmed by"), max_length=200, blank=True)

    objects = HandFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file loaded by hand")
        verbose_name_plural = _("files loaded by hand")
        ordering = ("-made_at",)
        indexes = [models.Index(fields=["sbc", "-made_at"], name="hand_file_of_sbc")]

    def __str__(self) -> str:
        return f"{self.sbc}: {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def name(self) -> str:
        """What it is called when it is downloaded."""
        return "dialplan.csv" if self.kind == HandFileKind.CSV else "cli.txt"

    @property
    def path(self) -> Path:
        """What is loaded into the device."""
        return private_files.folder(FOLDER) / f"{self.pk}.load"

    @property
    def plan_path(self) -> Path:
        """The plan that the device has afterwards, as CSV."""
        return self.path if self.kind == HandFileKind.CSV else self.path.with_suffix(".plan")

    @property
    def empty(self) -> bool:
        """Whether the device has all rules already, so that there is nothing to load."""
        return not (self.added or self.changed or self.removed)
