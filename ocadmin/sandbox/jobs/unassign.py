"""The operation behind Graph's unassignNumber (upstreams.md 2 and 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exchange import Json
from . import late
from .kinds import Codes, Kind, own_numbers
from .tables import Job

if TYPE_CHECKING:
    from ..world import World


class Unassign(Kind):
    """Seen by the customer at once, by the operator after the lag."""

    path, name = "unassign", "Unassignment"

    def check(self, world: World, body: Json) -> list[str]:
        """The one number; Graph's own refusals come before this."""
        return [body["telephoneNumber"]]

    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """An active number; one that the customer unassigned meanwhile is fine too."""
        return own_numbers(world, job.tenant_id, texts, busy, 0)[1]

    def begin(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The customer sees that the number is being worked on."""
        for text in texts:
            late.change(world, text, {"activationState": "AssignmentPending"}, None)

    def finish(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """Unassigned for the customer; the operator will see it after the lag."""
        free: Json = {
            "activationState": "Activated",
            "assignmentStatus": "Unassigned",
            "assignmentTargetId": None,
        }
        for text in texts:
            late.change(world, text, free, at + world.job_settings.get("lag"))

    def fail(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """Everything is as it was; a failed operation keeps no trace on the number."""
        late.drop(world, texts)
