"""A list of numbers that somebody pasted to filter by."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PastedList(models.Model):
    """Kept on the server because 10,000 numbers do not fit an address; belongs to one person, deleted after a week."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    numbers = models.JSONField(_("numbers"), default=list)
    unreadable = models.JSONField(
        _("not readable as numbers"), default=list, help_text=_("Pieces of the text: [text, code of the problem].")
    )
    ranges = models.JSONField(_("ranges"), default=list, help_text=_("[first, last] of each range in the list."))
    duplicates = models.JSONField(_("more than once"), default=list)
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("pasted list")
        verbose_name_plural = _("pasted lists")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{len(self.numbers)} numbers"
