"""Microsoft's jobs as ours (upstreams.md §9.3): what was accepted, how far it is, what became of each number."""

import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from . import fields
from .fields import Record, Unusable

# Words that a job does not leave again (upstreams.md §9.4). A word we do not know is one that goes on.
FINAL = frozenset({"Success", "PartialSuccess", "Error", "Complete", "Failed", "Expired"})
_DONE = frozenset({"Success", "Complete"})
LONGEST = 500


class Entry(NamedTuple):
    """What became of one number; `code` is empty where it went well."""

    e164: str
    code: str
    message: str


@dataclass(frozen=True)
class JobRecord:
    """A job. `entries` are those that are decided; while the job is not `final` they may be few or none."""

    id: uuid.UUID
    status: str
    error_code: str
    error_message: str
    entries: tuple[Entry, ...]

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL

    @property
    def expired(self) -> bool:
        """Whether Microsoft gave it up unfinished: nothing has changed there."""
        return self.status == "Expired"


def parse_job(record: Record) -> JobRecord:
    """One job. Raises Unusable."""
    found = record.get("entries") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unusable(_("entries is not a list of objects"))
    return JobRecord(
        id=fields.required_guid(record, "jobId"),
        status=fields.text(record, "status", 32, required=True),
        error_code=fields.text(record, "errorCode", 64, cut=True),
        error_message=fields.text(record, "errorMessage", LONGEST, cut=True),
        entries=tuple(_entry(one) for one in found if one.get("status") in _DONE or one.get("errorCode")),
    )


def _entry(record: dict[str, Any]) -> Entry:
    return Entry(
        e164=fields.e164(record, "telephoneNumber"),
        code=fields.text(record, "errorCode", 64, cut=True),
        message=fields.text(record, "errorMessage", LONGEST, cut=True),
    )


@dataclass(frozen=True)
class Validation:
    """Microsoft's word on one number before an upload; `problems` is empty where it may be uploaded.

    `found`: Microsoft has the number already, for whichever tenant.
    """

    e164: str
    problems: tuple[str, ...]
    assignment_status: str
    found: bool


def parse_validation(record: Record) -> Validation:
    """One number of a validation (upstreams.md §9.2). Raises Unusable."""
    problems = record.get("validationDetail") or []
    if not isinstance(problems, list) or not all(isinstance(one, str) for one in problems):
        raise Unusable(_("validationDetail is not a list of texts"))
    detail = record.get("telephoneNumberDetail")
    failed = record.get("validationResult") != "Success"
    return Validation(
        e164=fields.e164(record, "telephoneNumber"),
        problems=tuple(problems) if failed and problems else ("ValidationFailed",) if failed else (),
        assignment_status=fields.text(detail, "assignmentStatus", 64, cut=True) if isinstance(detail, dict) else "",
        found=isinstance(detail, dict) and bool(fields.truth(detail, "numberFound")),
    )
