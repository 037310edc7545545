"""A file that somebody wants to import, what was found out about it, and what each of its numbers would become."""

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.principal import Principal
from ocadmin.console import private_files

FOLDER = "imports"


class Mode(models.TextChoices):
    """What the rows of a file may do."""

    UPSERT = "upsert", _("Add new numbers and update those that are here")
    CREATE = "create", _("Only add new numbers")
    UPDATE = "update", _("Only update numbers that are here")
    COMPARE = "compare", _("Only compare; nothing is changed")


class ImportState(models.TextChoices):
    """Where an import stands."""

    MAPPING = "mapping", _("Columns to be assigned")
    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Checked")
    UNUSABLE = "unusable", _("Cannot be used")
    SUBMITTED = "submitted", _("Confirmed")


class NumberImportQuerySet(models.QuerySet["NumberImport"]):
    """Reads of imports."""

    def of(self, principal: Principal) -> "NumberImportQuerySet":
        """Those that the person has uploaded: a file is nobody else's business."""
        return self.filter(user_id=principal.user_id) if principal.user_id else self.none()


class NumberImport(models.Model):
    """One uploaded file. Deleted, with its rows and the file, after a set time (OCADMIN_KEEP_FILES_HOURS)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, db_index=True)
    file_name = models.CharField(_("file"), max_length=200)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=ImportState.choices, default=ImportState.MAPPING)
    mode = models.CharField(_("mode"), max_length=8, choices=Mode.choices, default=Mode.UPSERT)
    shape = models.CharField(_("recognised as"), max_length=16, blank=True)
    sheet = models.JSONField(_("sheet"), default=dict)
    mapping = models.JSONField(_("columns"), default=list, help_text=_("One column of ours for each header, or empty."))
    defaults = models.JSONField(_("for rows that do not say"), default=dict)
    problem = models.CharField(_("what is wrong with the file"), max_length=500, blank=True)
    counts = models.JSONField(_("counts"), default=dict)
    notes = models.JSONField(_("notes"), default=dict)
    reasons = models.JSONField(
        _("reasons"), default=list, help_text=_("Why rows are refused: [column, code, sentence, how many] each.")
    )
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    check_ref = models.BigIntegerField(_("task that checks it"), null=True, blank=True)
    task_ref = models.BigIntegerField(_("task that imports it"), null=True, blank=True)

    objects = NumberImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.file_name

    @property
    def path(self) -> Path:
        """Where the file lies, as long as it is kept."""
        return private_files.folder(FOLDER) / str(self.pk)


class RowOutcome(models.IntegerChoices):
    """What would become of one number of a file."""

    NEW = 0, _("New")
    CHANGED = 1, _("Changed")
    UNCHANGED = 2, _("Unchanged")
    REFUSED = 3, _("Refused")
    DIFFERS = 4, _("Differs")  # this and the next two: of a comparison
    MISSING_HERE = 5, _("Not here")
    ONLY_HERE = 6, _("Only here")


class ImportGroup(models.Model):
    """Settings of an upload that many rows of a file share (operations/upload/settings.py), counted from 0."""

    batch = models.ForeignKey(NumberImport, models.CASCADE, related_name="groups", db_index=False)
    place = models.PositiveIntegerField(_("place"))
    settings = models.JSONField(_("settings"))

    class Meta:
        verbose_name = _("group of settings")
        verbose_name_plural = _("groups of settings")
        constraints = [models.UniqueConstraint(fields=["batch", "place"], name="import_group_once")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.place}"


class ImportRow(models.Model):
    """One number of a file: a line with a range has one for each of its numbers."""

    batch = models.ForeignKey(NumberImport, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(_("line"))
    e164 = models.CharField(_("number"), max_length=16, blank=True, help_text=_("Empty where none could be read."))
    text = models.CharField(_("as written"), max_length=60, blank=True)
    outcome = models.PositiveSmallIntegerField(_("outcome"), choices=RowOutcome.choices)
    customer_ref = models.BigIntegerField(_("customer id"), null=True, blank=True)
    channel_ref = models.BigIntegerField(_("channel id"), null=True, blank=True)
    place = models.PositiveIntegerField(_("group of settings"), null=True, blank=True)
    ticket = models.CharField(_("ticket"), max_length=64, blank=True)
    wish = models.JSONField(_("what it wants changed"), default=dict)
    changes = models.JSONField(_("differences"), default=dict, help_text=_("Column to [now, then]."))
    problems = models.JSONField(_("problems"), default=list, help_text=_("[column, value, code, sentence] each."))

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        ordering = ("pk",)
        indexes = [
            models.Index(fields=["batch", "outcome", "id"], name="import_row_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.e164 or self.text}"
