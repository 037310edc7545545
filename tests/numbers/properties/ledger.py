"""What may never be: a book of every number that is compared with the three places after every step."""

import traceback
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Count

from ocadmin.access.models import AuditEntry
from ocadmin.numbers import lifecycle
from ocadmin.numbers.lifecycle import BIRTH, ENDS, Cause, Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.numbers.routing import MANAGED
from ocadmin.tasks import engine
from ocadmin.tasks.models import ITEM_ALIVE, Task, TaskItem
from tests.numbers.properties.stage import HAND, SLUGS, Rules, Stage

LIVE = (Status.ACTIVE, Status.MARKED_FOR_REMOVAL, Status.PENDING_FIRST_SYNC)  # at Microsoft: somebody may call it
LEFT = "RELEASED"  # what the history calls the end


@dataclass(frozen=True)
class Row:
    """A number of ours as far as the book goes."""

    pk: int
    status: Status
    source: str
    customer: int


class Spies:
    """Every call of `lifecycle.move`, and every error that the engine has turned into a pause."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moves: list[tuple[str, Status, Status]] = []
        self.errors: list[str] = []
        self._move = lifecycle.move
        monkeypatch.setattr(lifecycle, "move", self.move)
        monkeypatch.setattr(engine.logger, "exception", self.exception)

    def move(self, numbers: Any, source: Status, target: Status, cause: Cause, **more: Any) -> int:
        keys = list(numbers.filter(status=source).order_by("pk").values_list("e164", flat=True))
        moved = self._move(numbers, source, target, cause, **more)
        assert moved == len(keys)
        self.moves += [(key, source, target) for key in keys]
        return moved

    def exception(self, *args: Any) -> None:
        self.errors.append(traceback.format_exc())

    def take(self) -> list[tuple[str, Status, Status]]:
        """The moves since the last time. Fails where something went wrong in the engine."""
        assert not self.errors, "\n".join(self.errors)
        moves, self.moves = self.moves, []
        return moves


class Ledger:
    """The book of one script. `check` fails at the first thing that must not be."""

    def __init__(self, stage: Stage, spies: Spies) -> None:
        self.stage, self.spies = stage, spies
        spies.moves, spies.errors = [], []
        self.rows = self._rows()
        self.held = set(self.rows)
        self.entries = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.hand = {slug: _by_hand(stage.running(slug)) for slug in SLUGS}

    def check(self) -> None:
        """Compare everything with the last time."""
        rows = self._rows()
        self._statuses(rows, self.spies.take())
        self.rows = rows
        self.held |= set(rows)
        self._nothing_lost()
        self._one_task_each()
        running = {slug: self.stage.running(slug) for slug in SLUGS}
        self._routed(running)
        self._not_ours(running)

    def _rows(self) -> dict[str, Row]:
        found = PhoneNumber.objects.values_list("e164", "pk", "status", "source", "customer_id")
        return {e164: Row(pk, Status(status), source, customer) for e164, pk, status, source, customer in found}

    # (a) statuses

    def _statuses(self, rows: dict[str, Row], moves: list[tuple[str, Status, Status]]) -> None:
        told = self._told()
        steps: dict[str, list[tuple[Status, Status]]] = defaultdict(list)
        for e164, source, target in moves:
            assert (source, target) in lifecycle.TRANSITIONS
            steps[e164].append((source, target))
        for e164 in sorted({*rows, *self.rows, *steps, *told}):
            before, after = self.rows.get(e164), rows.get(e164)
            expected: list[tuple[str | None, str]] = [(one.name, other.name) for one, other in steps[e164]]
            status = before.status if before else None
            for source, target in steps[e164]:
                assert source == status, f"{e164} was moved from {source.name} and was {status}"
                status = target
            if before and (after is None or after.pk != before.pk):
                assert status in ENDS, f"{e164} left as {status}"
                assert ReleasedNumber.objects.filter(e164=e164).exists(), f"{e164} left without a trace"
                expected.append((status.name, LEFT))
                status = None
            if after and (before is None or after.pk != before.pk):
                assert status is None
                status = after.status
                cause = Cause.UPLOAD if after.source in MANAGED else Cause.SYNC
                assert status in BIRTH[cause], f"{e164} was born as {status}"
                expected.append((None, status.name))
            assert status == (after.status if after else None), f"{e164}: somebody else than lifecycle.move set {after}"
            assert told.get(e164, []) == expected, f"{e164}: the history says {told.get(e164)}, it was {expected}"

    def _told(self) -> dict[str, list[tuple[str | None, str]]]:
        """What the history says of statuses since the last time."""
        told: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
        new = AuditEntry.objects.filter(pk__gt=self.entries, object_type="number").order_by("pk")
        for entry in new:
            self.entries = entry.pk
            after = (entry.after or {}).get("status")
            if after is not None:
                told[entry.object_id].append(((entry.before or {}).get("status"), after))
        return told

    # (b), (d)

    def _one_task_each(self) -> None:
        alive = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE))
        twice = alive.order_by().values("key").annotate(n=Count("pk")).filter(n__gt=1)
        assert not list(twice)
        idle = alive.exclude(task__in=Task.objects.alive())
        assert not list(idle.values_list("key", "task__kind")), "an ended task holds a number"

    def _nothing_lost(self) -> None:
        lost = self.held - set(self.rows) - set(ReleasedNumber.objects.values_list("e164", flat=True))
        assert not lost

    # (c), (f)

    def _routed(self, running: dict[str, Rules]) -> None:
        """A number that may be called has its rule: ours with a source, and what we are about to upload."""
        there = self.stage.microsofts()
        tenants = {str(one.tenant_id): one.pk for one in self.stage.customers}
        sent, released = self._being_uploaded(), self._released()
        for e164, record in there.items():
            owner = tenants[record["tenantId"]]
            ours = self.rows.get(e164)
            mine = ours is not None and ours.customer == owner and ours.source in MANAGED
            if not (mine or sent.get(e164) == owner) or e164 in released:
                continue
            if record["acquiredNumberStatus"] in (*LIVE, Status.RELEASE_REQUESTED):
                for slug in self.stage.ways[owner]:
                    assert e164 in running[slug], f"{e164} is live without a rule on {slug}"

    def _being_uploaded(self) -> dict[str, int]:
        """Numbers (to their customer) that an upload of ours has sent to Microsoft."""
        items = TaskItem.objects.filter(task__kind="upload", state__in=sorted(ITEM_ALIVE), job_ref__isnull=False)
        return dict(items.values_list("key", "customer_ref"))

    def _released(self) -> set[str]:
        """Numbers whose release Microsoft has completed, and told us."""
        ended = UpstreamJob.objects.filter(kind="releases", completed_at__isnull=False, succeeded__gt=0)
        items = TaskItem.objects.filter(task__kind="release", state__in=sorted(ITEM_ALIVE))
        return set(items.filter(job_ref__in=list(ended.values_list("pk", flat=True))).values_list("key", flat=True))

    def _not_ours(self, running: dict[str, Rules]) -> None:
        """Rules that somebody has made by hand are as they were, as long as no upload of ours has named the number."""
        named = set(TaskItem.objects.filter(task__kind="upload", data__has_key="sbcs").values_list("key", flat=True))
        for slug, before in self.hand.items():
            expected = {prefix: rule for prefix, rule in before.items() if prefix not in named}
            now = _by_hand(running[slug])
            assert {prefix: now.get(prefix) for prefix in expected} == expected, f"a rule by hand was touched on {slug}"


def _by_hand(rules: Rules) -> Rules:
    return {prefix: rule for prefix, rule in rules.items() if rule == HAND}
