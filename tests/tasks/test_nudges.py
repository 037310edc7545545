"""A nudge is only a nudge: it may be lost, late or doubled."""

import pytest
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as BrokenLink

from ocadmin.tasks import celery_tasks


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What was published."""
    messages: list[dict[str, object]] = []
    monkeypatch.setattr(celery_tasks.advance, "apply_async", lambda args, **options: messages.append(options))
    return messages


def test_a_nudge_is_published_at_once(sent: list[dict[str, object]]) -> None:
    celery_tasks.send_nudge(17, 0)
    assert sent == [{"retry": False}]


def test_a_short_pause_is_a_countdown(sent: list[dict[str, object]]) -> None:
    celery_tasks.send_nudge(17, 7)
    assert sent == [{"retry": False, "countdown": 7}]


def test_a_long_pause_is_left_to_the_clock(sent: list[dict[str, object]]) -> None:
    celery_tasks.send_nudge(17, 300)
    assert sent == []


@pytest.mark.parametrize(
    "error", [OperationalError("no broker"), ConnectionRefusedError("refused"), BrokenLink("closed")]
)
def test_without_a_broker_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(celery_tasks.advance, "apply_async", fail)
    celery_tasks.send_nudge(17, 0)
    assert "task 17" in caplog.text
