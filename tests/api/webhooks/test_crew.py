"""The threads that send: each webhook by itself, a dead one keeps nobody waiting."""

import threading
from collections.abc import Callable, Iterator

import pytest

from ocadmin.api.webhooks import celery_tasks, crew, sending
from ocadmin.api.webhooks.models import Webhook

from .conftest import Hooks

pytestmark = pytest.mark.django_db


class Stage:
    """What is due, and sending that hangs for the webhooks in `hanging`; no database in the threads."""

    def __init__(self) -> None:
        self.failures: dict[int, int] = {}
        self.hanging: set[int] = set()
        self.let_go = threading.Event()
        self.sent: list[int] = []
        self.changed = threading.Condition()

    def due(self) -> "Stage":
        return self

    def count(self) -> int:
        return len(self.failures)

    def values_list(self, *_names: str) -> list[tuple[int, int]]:
        return sorted(self.failures.items(), key=lambda one: (one[1], one[0]))

    def advance(self, pk: int) -> bool:
        if pk in self.hanging:
            self.let_go.wait(30)
        with self.changed:
            self.failures.pop(pk, None)
            self.sent.append(pk)
            self.changed.notify_all()
        return False

    def wait(self, condition: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, 30)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage()
    monkeypatch.setattr(crew.sending, "due", stage.due)
    monkeypatch.setattr(crew.sending, "advance", stage.advance)
    monkeypatch.setattr(crew.sending, "free_the_dead", lambda: None)
    monkeypatch.setattr(crew.connections, "close_all", lambda: None)
    yield stage
    stage.let_go.set()
    for thread in list(crew._threads):
        thread.join(30)
    assert crew._busy == {}


def test_all_that_are_due_are_sent(stage: Stage) -> None:
    stage.failures = dict.fromkeys(range(20), 0)
    crew.call()
    assert stage.wait(lambda: set(stage.sent) == set(range(20)))


def test_dead_receivers_keep_nobody_waiting(stage: Stage) -> None:
    """More of them than there are threads hang at once, and the healthy ones are sent all the same."""
    stage.hanging = set(range(100, 110))
    stage.failures = dict.fromkeys(stage.hanging, 3)
    crew.call()
    for n in range(3):
        with stage.changed:
            stage.failures[n] = 0
        crew.call()
        assert stage.wait(lambda n=n: n in stage.sent)
    assert sum(crew._busy.values()) <= crew.MOST_FAILING


def test_a_thread_that_fails_takes_nobody_with_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    really = stage.advance

    def fail_once(pk: int) -> bool:
        monkeypatch.setattr(crew.sending, "advance", really)
        raise LookupError

    monkeypatch.setattr(crew.sending, "advance", fail_once)
    stage.failures = {1: 0}
    crew.call()
    while crew._threads:
        for thread in list(crew._threads):
            thread.join(30)
    crew.call()
    assert stage.wait(lambda: 1 in stage.sent)


def test_the_clock_knows_the_jobs(hook: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """What beat names exists, and calling it with nothing to do does nothing."""
    from django.conf import settings

    from ocadmin.celery import app

    for name in ("webhooks.send_due", "webhooks.tidy"):
        assert name in {job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values()}
        assert name in app.tasks
    hook()
    celery_tasks.send_due()
    celery_tasks.tidy()
    assert not sending.due().exists()
    assert Webhook.objects.get().lease_owner == ""
