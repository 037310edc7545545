"""What became of each number of a task, as CSV that a spreadsheet can open without harm."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ocadmin.console.spreadsheet import Echo, harmless

from .models import TaskItem

CHUNK = 2000


def lines(items: QuerySet[TaskItem]) -> Iterator[str]:
    """The heading and one line for each item, read from the database as they are sent."""
    writer = csv.writer(Echo())
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
        yield writer.writerow([harmless(cell) for cell in cells])
