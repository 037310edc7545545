"""How a script ends: everything is healthy again, all tasks run to their end, and the three places agree."""

from collections import Counter
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations import clean_up, sync
from ocadmin.numbers.operations.upload.routes import LIVE
from ocadmin.numbers.routing import MANAGED
from ocadmin.tasks import run, services
from ocadmin.tasks.models import ITEM_ALIVE, Task, TaskItem, TaskState
from sbc.models import DialPlanRule
from tests.numbers.properties.play import Play
from tests.numbers.properties.stage import HAND, NUMBERS, SLUGS

MOST_SLICES = 600
SLUG_OF = {pk: slug for slug, pk in SLUGS.items()}


class Ending:
    """The end of one play."""

    def __init__(self, play: Play) -> None:
        self.play, self.stage = play, play.stage

    def check(self) -> None:
        """Heal, finish, synchronise, clean up, compare."""
        for slug in SLUGS:
            self.stage.sandbox.call("POST", f"/sbc/{slug}", {"online": True})
        self.stage.sandbox.call("DELETE", "/faults")
        self.stage.sandbox.call("PUT", "/state", {"failures": dict.fromkeys(NUMBERS)})
        with patch.object(run, "SLICE_SECONDS", 5.0):  # nobody comes in between any more
            self._bring_to_rest()
        self._agree()
        self._once()

    def _bring_to_rest(self) -> None:
        self._finish()
        self.stage.clock.turn(3600)
        for _pass in range(
            2
        ):  # the first one that sees an uploaded number makes it active, whatever else is known of it
            sync.start(by=SYSTEM, channel="schedule")
            self._finish()
        clean_up.start(by=SYSTEM, channel="schedule")
        self._finish()
        items = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE)).exclude(key__in=self._parked())
        assert not list(items.values_list("key", "task__kind", "code"))

    def _finish(self) -> None:
        """Every task to its end, but for a clean-up of numbers that Microsoft has again."""
        for _ in range(MOST_SLICES):
            parked = Task.objects.filter(kind="clean-up", items__key__in=self._parked())
            alive = Task.objects.alive().exclude(pk__in=parked.filter(state=TaskState.WAITING).values("pk"))
            for task in alive.filter(state=TaskState.ASKING):
                services.answer(task, "mark", by=SYSTEM, channel="web")
            task = alive.order_by("next_run_at", "pk").first()
            if task is None:
                return
            wait = (task.next_run_at - timezone.now()).total_seconds()
            if wait > 0:
                self.stage.clock.turn(wait + 0.01)
            self.play.slice(task)
        left = [(task.pk, task.kind, task.state, task.step, task.message) for task in Task.objects.alive()]
        raise AssertionError(f"still alive: {left}")

    def _parked(self) -> list[str]:
        """Numbers whose removal is approved, and that their customer has again at Microsoft."""
        ready = PhoneNumber.objects.filter(status=Status.READY_FOR_REMOVAL).values_list("e164", flat=True)
        there = self.stage.microsofts() if ready else {}
        return [e164 for e164 in ready if e164 in there]

    def _agree(self) -> None:
        ours, theirs = self.stage.ours(), self.stage.microsofts()
        running = {slug: self.stage.running(slug) for slug in SLUGS}
        for row in DialPlanRule.objects.filter(wanted=True, present=True):
            assert row.prefix in running[SLUG_OF[row.sbc_id]], f"{row} is said to be there"
        # An upload that came too late leaves the rule to whoever has the number.
        kept = TaskItem.objects.filter(task__kind="upload", code__in=LIVE).values_list("key", flat=True)
        for e164 in NUMBERS:
            number, record = ours.get(e164), theirs.get(e164)
            if number is not None and record is not None and str(number.customer.tenant_id) != record["tenantId"]:
                continue  # whose it is, is a question for people
            self._status(e164, number, record)
            for slug in SLUGS:
                rule = running[slug].get(e164)
                managed = number is not None and number.source in MANAGED
                wanted = managed and number is not None and slug in self.stage.ways[number.customer_id]
                if wanted and record is not None:
                    assert rule not in (None, HAND), f"{e164} has no rule on {slug}"
                if number is None and e164 not in kept:
                    assert rule in (None, HAND), f"{e164} is gone and has a rule on {slug}"

    def _status(self, e164: str, number: PhoneNumber | None, record: dict[str, Any] | None) -> None:
        here = None if number is None else Status(number.status)
        kept = number is not None and number.removal_cleared_at is not None
        if record is None:
            # A number that has gone before it was seen waits for ever: §5 has no way on from there.
            waiting = (None, Status.MARKED_FOR_REMOVAL, Status.PENDING_FIRST_SYNC)
            right = here in waiting or (here == Status.ACTIVE and kept)
            assert right, f"{e164} is {here!r} here and not at Microsoft"
            return
        if here == Status.READY_FOR_REMOVAL:
            return  # its removal is approved and its customer has it again: it waits, §5 has no way back
        there = Status(record["acquiredNumberStatus"])
        right = here == there
        right |= there == Status.MARKED_FOR_REMOVAL and here == Status.ACTIVE and kept
        assert right, f"{e164} is {here!r} here and {there!r} at Microsoft"
        assert number is not None
        assert number.assignment_status == record["assignmentStatus"], e164
        assert set(number.acquired_capabilities) == set(record["acquiredCapabilities"]), e164
        assert (str(number.location_id) if number.location_id else None) == record["locationId"], e164

    def _once(self) -> None:
        """Microsoft has done each thing once and we know of it; nothing was asked that could not be."""
        releases, uploads = self.stage.entries("releases"), self.stage.entries("uploads")
        gone = ReleasedNumber.objects.exclude(ms_job_id=None).values_list("e164", "ms_job_id")
        assert Counter((e164, str(job)) for e164, job in gone) == Counter(one[:2] for one in releases if not one[2])
        told = AuditEntry.objects.filter(action="upload.accepted").order_by("pk")
        came = Counter((entry.object_id, (entry.after or {})["tn_upload_job_id"]) for entry in told)
        assert came == Counter(one[:2] for one in uploads if not one[2])
        for e164, _job, code in releases:
            assert code != "NumberNotOwned" or e164 in self.play.taken, f"{e164} was released without being there"
        for e164, _job, code in uploads:
            late = code in ("NumberAlreadyAcquired", "NumberOwnedByAnotherTenant")
            assert not late or e164 in self.play.given, f"{e164} was uploaded and was there"
