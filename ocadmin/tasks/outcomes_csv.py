"""What became of each number of a task, as CSV that a spreadsheet can open without harm."""

import csv
import re
from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from .models import TaskItem

CHUNK = 2000
_NUMBER = re.compile(r"\+[0-9]{1,15}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        """The text itself."""
        return text


def lines(items: QuerySet[TaskItem]) -> Iterator[str]:
    """The heading and one line for each item, read from the database as they are sent."""
    writer = csv.writer(_Echo())
    yield writer.writerow(
        [_("Number"), _("Outcome"), _("Code"), _("Message"), _("Attempts"), _("Microsoft job ID"), _("Changed")]
    )
    for item in items.iterator(chunk_size=CHUNK):
        cells = (
            item.key,
            item.get_state_display(),
            item.code,
            item.message,
            str(item.attempts),
            str(item.upstream_ids.get("ms_job_id") or ""),
            item.updated_at.isoformat(),
        )
        yield writer.writerow([_harmless(cell) for cell in cells])


def _harmless(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula. The plus of a number is none."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
