"""What Graph says of a number and of an operation on one, as ours (upstreams.md §2)."""

import uuid
from dataclasses import dataclass
from typing import Any

from ..assignment import UNASSIGNED, normalise
from . import fields
from .fields import Record

_PENDING = "pending"  # ends the words of activationState while Microsoft works on the number (upstreams.md §9.4)
LONGEST = 500


@dataclass(frozen=True)
class NumberAssignment:
    """A number as its tenant sees it. `assignment_status` is our word, None where Graph does not know."""

    e164: str
    number_type: str
    activation_state: str
    assignment_status: str | None
    assignment_target_id: str
    location_id: uuid.UUID | None

    @property
    def changing(self) -> bool:
        """Whether Microsoft is still working on it."""
        return self.activation_state.lower().endswith(_PENDING)

    @property
    def free(self) -> bool:
        """Whether nobody uses it."""
        return self.assignment_status == UNASSIGNED


@dataclass(frozen=True)
class Started:
    """An operation that Graph has taken on. `ask_in`: when it wants to be asked, in seconds; None: it named no time."""

    link: str
    ask_in: float | None


@dataclass(frozen=True)
class Operation:
    """How far an operation on one number is; `detail` is Microsoft's sentence where it failed."""

    status: str
    detail: str
    ask_in: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it is done."""
        return self.status == "succeeded"

    @property
    def failed(self) -> bool:
        """Whether it has ended without effect. A word we do not know is one that goes on."""
        return self.status == "failed"


def parse_assignment(record: Record) -> NumberAssignment:
    """One numberAssignment. Raises Unusable."""
    return NumberAssignment(
        e164=fields.e164(record, "telephoneNumber"),
        number_type=fields.text(record, "numberType", 64),
        activation_state=fields.text(record, "activationState", 64),
        assignment_status=normalise(fields.text(record, "assignmentStatus", 64)),
        assignment_target_id=fields.text(record, "assignmentTargetId", 64),
        location_id=fields.guid(record, "locationId"),
    )


def parse_operation(record: Record, ask_in: float | None = None) -> Operation:
    """An operation on one number: the number's own word counts where there is one. Raises Unusable."""
    numbers: list[dict[str, Any]] = fields.objects(record, "numbers")
    own = numbers[0] if numbers else {}
    return Operation(
        status=fields.text(own, "status", 64) or fields.text(record, "status", 64, required=True),
        detail=fields.text(own, "statusDetail", LONGEST, cut=True),
        ask_in=ask_in,
    )
