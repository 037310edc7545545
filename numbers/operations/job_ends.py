"""What the end of a job at Microsoft says about its numbers."""

from typing import Any

from django.utils.translation import gettext as _

from ..microsoft.errors import MicrosoftError
from ..microsoft.job_records import Entry, JobRecord


def refusal(key: str, reason: dict[str, Any] | None, error: MicrosoftError) -> Entry:
    """Why one number of a refused job failed: Microsoft's word on it, else on the whole."""
    if reason:
        return Entry(key, str(reason.get("code") or error.upstream_code), str(reason.get("message") or error.message))
    return Entry(key, error.upstream_code or error.code, error.message)


def sorted_out(keys: list[str], record: JobRecord | None) -> tuple[list[str], list[Entry], list[str]]:
    """Which numbers went well, which did not, and of which the job says nothing."""
    if record is None:
        return [], [], keys
    if record.expired:
        words = record.error_message or _("Microsoft did not finish this in time.")
        return [], [Entry(key, record.error_code or record.status, words) for key in keys], []
    decided = {entry.e164: entry for entry in record.entries}
    good, bad, silent = [], [], []
    for key in keys:
        entry = decided.get(key)
        if entry is not None:
            bad.append(entry) if entry.code else good.append(key)
        elif record.error_code and not decided:
            bad.append(Entry(key, record.error_code, record.error_message))
        else:
            silent.append(key)
    return good, bad, silent
