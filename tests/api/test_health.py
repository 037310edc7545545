"""`/healthz`, `/readyz`, `/metrics`: what machines ask."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as BrokenLink

from ocadmin.api import health
from ocadmin.numbers.lifecycle import Status
from ocadmin.tasks.models import TaskState
from sbc.models import State
from tests.factories import PhoneNumberFactory, SBCFactory, TaskFactory

PROXY = {"HTTP_X_FORWARDED_FOR": "198.51.100.7"}


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(health._Memory, "migrated", False)
    monkeypatch.setattr(health._Memory, "worker_seen", float("-inf"))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A worker that answers; the list has one entry for each time it was asked."""
    asked: list[int] = []

    def ping(**options: Any) -> list[dict[str, Any]]:
        asked.append(1)
        return [{"celery@here": {"ok": "pong"}}]

    monkeypatch.setattr(health.app.control, "ping", ping)
    return asked


def refuse(*arguments: Any, **options: Any) -> Any:
    raise BrokerError("Connection refused by redis://:hidden@broker")


def parts(client: Client, status: int) -> dict[str, Any]:
    answer = client.get("/readyz")
    assert answer.status_code == status
    return json.loads(answer.content)


class TestHealthz:
    def test_needs_no_database(self, client: Client) -> None:
        """No database mark on this test: a query would fail it."""
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
    def test_is_for_reading(self, client: Client, path: str) -> None:
        assert client.post(path).status_code == 405


@pytest.mark.django_db
class TestReadyz:
    def test_everything_answers(self, client: Client, worker: list[int]) -> None:
        fine = {"ok": True}
        assert parts(client, 200) == {"status": "ok", "parts": {"database": fine, "broker": fine, "worker": fine}}

    def test_the_worker_is_not_asked_every_time(self, client: Client, worker: list[int]) -> None:
        parts(client, 200)
        parts(client, 200)
        assert len(worker) == 1

    def test_without_worker(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages work, work waits: that is no reason to send people away."""
        monkeypatch.setattr(health.app.control, "ping", lambda **options: [])
        told = parts(client, 200)
        assert told["status"] == "degraded"
        assert told["parts"]["worker"] == {"ok": False, "why": "no worker answers: work is accepted and waits"}

    def test_the_broker_goes_while_the_worker_is_asked(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def ping(**options: Any) -> None:
            raise BrokenLink

        monkeypatch.setattr(health.app.control, "ping", ping)
        assert parts(client, 200)["status"] == "degraded"

    def test_without_broker(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health.app, "connection_for_write", refuse)
        told = parts(client, 200)
        assert told["status"] == "degraded"
        assert told["parts"]["broker"] == {"ok": False, "why": "the broker does not answer"}
        assert "hidden" not in json.dumps(told)

    def test_without_database(self, client: Client, monkeypatch: pytest.MonkeyPatch, worker: list[int]) -> None:
        def fail(*arguments: Any) -> None:
            raise OperationalError("password of db.internal is wrong")

        monkeypatch.setattr(health, "MigrationExecutor", fail)
        told = parts(client, 503)
        assert told["status"] == "failing"
        assert told["parts"]["database"] == {"ok": False, "why": "the database does not answer"}

    def test_not_migrated(self, client: Client, monkeypatch: pytest.MonkeyPatch, worker: list[int]) -> None:
        class Executor(health.MigrationExecutor):
            def migration_plan(self, *arguments: Any, **options: Any) -> list[Any]:
                return [("numbers.0009", False)]

        monkeypatch.setattr(health, "MigrationExecutor", Executor)
        assert parts(client, 503)["parts"]["database"]["why"] == "1 migrations are not applied"


@pytest.mark.django_db
class TestMetrics:
    def test_counts(self, client: Client) -> None:
        PhoneNumberFactory.create_batch(2)
        PhoneNumberFactory(status=Status.PENDING_FIRST_SYNC)
        TaskFactory()
        text = client.get("/metrics").content.decode()
        assert 'ocadmin_numbers{status="active"} 2.0' in text
        assert 'ocadmin_numbers{status="pending_first_sync"} 1.0' in text
        assert 'ocadmin_numbers{status="ready_for_removal"} 0.0' in text
        assert 'ocadmin_tasks{state="queued"} 1.0' in text
        assert "ocadmin_tasks_due 1.0" in text
        assert "last_sync_age" not in text

    def test_sbcs_that_were_asked(self, client: Client) -> None:
        SBCFactory(name="Edge", state=State.DEGRADED, alarms=["Fan failed"])
        SBCFactory(name="Gone", state=State.OFFLINE)
        SBCFactory(name="New")
        text = client.get("/metrics").content.decode()
        assert 'ocadmin_sbc_up{sbc="Edge"} 1.0' in text
        assert 'ocadmin_sbc_alarms{sbc="Edge"} 1.0' in text
        assert 'ocadmin_sbc_up{sbc="Gone"} 0.0' in text
        assert '"New"' not in text

    def test_age_of_the_last_synchronisation(self, client: Client) -> None:
        finished = timezone.now() - timedelta(minutes=5)
        TaskFactory(state=TaskState.PARTIAL, finished_at=finished, result={"complete": True})
        TaskFactory(state=TaskState.PARTIAL, finished_at=timezone.now(), result={"complete": False})
        TaskFactory(state=TaskState.SUCCEEDED, finished_at=timezone.now(), params={"numbers": ["+442079460000"]})
        TaskFactory(state=TaskState.FAILED, finished_at=timezone.now())
        text = client.get("/metrics").content.decode()
        age = next(line for line in text.splitlines() if line.startswith("ocadmin_last_sync_age_seconds "))
        assert 299 < float(age.split()[1]) < 330

    def test_few_queries_and_then_none(self, client: Client, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(5):
            client.get("/metrics")
        with django_assert_num_queries(0):
            client.get("/metrics")

    def test_a_proxy_asks_for_somebody_else(self, client: Client) -> None:
        assert client.get("/metrics", **PROXY).status_code == 403
        assert client.get("/metrics", REMOTE_ADDR="198.51.100.7").status_code == 403

    def test_who_sees_the_whole_system(self, alice_client: Client) -> None:
        assert alice_client.get("/metrics", **PROXY).status_code == 200

    def test_one_customers_people_do_not(self, bob_client: Client, charlie_client: Client) -> None:
        assert bob_client.get("/metrics", **PROXY).status_code == 403
        assert charlie_client.get("/metrics", **PROXY).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
@pytest.mark.django_db
def test_machines_are_not_sent_to_the_proxy(client: Client, settings: Any, path: str) -> None:
    """With TLS in a proxy, people are redirected to it; a probe beside the process asks without."""
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/accounts/login/").status_code == 301
    assert client.get(path).status_code == 200
