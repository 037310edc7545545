"""Three questions of machines: does the process live, can it serve, and how is it going.

`/healthz` and `/readyz` are public and tell nothing but which part fails. `/metrics` tells counts and is therefore for
this machine and for people who see the whole system.
"""

import logging
import time
from ipaddress import ip_address
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from ocadmin.access.permissions import Permission
from ocadmin.access.request import Request
from ocadmin.celery import NO_BROKER, app
from ocadmin.tasks.models import Task, TaskState

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 1
SEEN_SECONDS = 15.0
COUNTS_SECONDS = 15
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")

Part = dict[str, Any]
_FINE: Part = {"ok": True}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive. Touches nothing else, so that a slow database does not get it killed."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served: 503 when the database is not reachable or not migrated, else 200.

    Without broker or worker every page still works and work waits in the database, so that is `degraded`, not 503.
    """
    parts = {"database": database(), "broker": broker()}
    parts["worker"] = worker() if parts["broker"]["ok"] else _broken("not asked: the broker does not answer")
    fine = all(part["ok"] for part in parts.values())
    usable = parts["database"]["ok"]
    status = "ok" if fine else "degraded" if usable else "failing"
    return JsonResponse({"status": status, "parts": parts}, status=200 if usable else 503)


def _broken(why: str) -> Part:
    return {"ok": False, "why": why}


class _Memory:
    """What this process has seen already. A migrated database stays so; a worker that answered lives a while."""

    migrated = False
    worker_seen = float("-inf")


def database() -> Part:
    """Reachable, and brought to this version by `migrate`."""
    try:
        if _Memory.migrated:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return _FINE
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        logger.warning("the database does not answer", exc_info=True)
        return _broken("the database does not answer")
    if missing:
        return _broken(f"{len(missing)} migrations are not applied")
    _Memory.migrated = True
    return _FINE


def broker() -> Part:
    """Reachable."""
    try:
        with app.connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
    except NO_BROKER:
        logger.warning("the broker does not answer", exc_info=True)
        return _broken("the broker does not answer")
    return _FINE


def worker() -> Part:
    """At least one Celery worker has answered within the last seconds."""
    if time.monotonic() - _Memory.worker_seen > SEEN_SECONDS:
        try:
            answers = app.control.ping(timeout=ANSWER_SECONDS, limit=1)
        except NO_BROKER:
            answers = []
        if not answers:
            return _broken("no worker answers: work is accepted and waits")
        _Memory.worker_seen = time.monotonic()
    return _FINE


@require_safe
@never_cache
def metrics(request: Request) -> HttpResponse:
    """Counts in Prometheus' text format; 403 for anybody but this machine and people who see the whole system."""
    if not (_from_this_machine(request) or request.principal.can_everywhere(Permission.VIEW)):
        text = "metrics are for this machine and for people who see the whole system\n"
        return HttpResponse(text, status=403, content_type="text/plain; charset=utf-8")
    counts = cache.get("metrics")
    if counts is None:
        counts = _counts()
        cache.set("metrics", counts, COUNTS_SECONDS)
    return HttpResponse(_render(counts), content_type=CONTENT_TYPE_LATEST)


def _from_this_machine(request: HttpRequest) -> bool:
    """A loopback caller who is not a reverse proxy: those say for whom they ask (README: behind a proxy)."""
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _counts() -> dict[str, Any]:
    """Grouped counts over indexes, and the SBCs. Models are named by text: their rooms stand above this one."""
    sbcs = apps.get_model("sbc", "SBC")
    numbers = apps.get_model("numbers", "PhoneNumber")
    with translation.override(None):
        words = {value: str(label) for value, label in numbers._meta.get_field("status").flatchoices}
    now = timezone.now()
    # Whole passes only: one over a few numbers or customers carries them in its parameters.
    whole = Task.objects.filter(
        kind="sync", params={}, result__complete=True, state__in=(TaskState.SUCCEEDED, TaskState.PARTIAL)
    )
    last = whole.order_by("-created_at").first()
    return {
        "numbers": {_word(words[status]): count for status, count in _grouped(numbers, "status").items()},
        "tasks": _grouped(Task, "state"),
        "sbcs": [(sbc.name, sbc.online, len(sbc.alarms)) for sbc in sbcs.objects.order_by("name")],
        "due": Task.objects.due().count(),
        "sync": last.finished_at.timestamp() if last and last.finished_at else None,
        "at": now.timestamp(),
    }


def _word(label: str) -> str:
    return label.lower().replace(" ", "_")


def _grouped(model: Any, field: str) -> dict[Any, int]:
    """How many rows for each value that the field may have, 0 included."""
    found = dict(model.objects.order_by().values_list(field).annotate(rows=Count("pk")))
    return {value: found.get(value, 0) for value, _label in model._meta.get_field(field).choices}


def _render(counts: dict[str, Any]) -> bytes:
    registry = CollectorRegistry()

    def gauge(name: str, text: str, rows: dict[tuple[str, ...], float], *labels: str) -> None:
        family = Gauge(f"ocadmin_{name}", text, labels, registry=registry)
        for key, value in rows.items():
            (family.labels(*key) if labels else family).set(value)

    gauge("numbers", "Numbers by status.", {(k,): v for k, v in counts["numbers"].items()}, "status")
    gauge("tasks", "Tasks by state.", {(k,): v for k, v in counts["tasks"].items()}, "state")
    gauge("tasks_due", "Tasks whose time has come and that no worker holds.", {(): counts["due"]})
    asked = [one for one in counts["sbcs"] if one[1] is not None]
    gauge("sbc_up", "Whether an SBC answered when it was last asked.", {(n,): up for n, up, _a in asked}, "sbc")
    gauge("sbc_alarms", "Active alarms of an SBC.", {(n,): alarms for n, _up, alarms in asked}, "sbc")
    if counts["sync"] is not None:
        age = max(timezone.now().timestamp() - counts["sync"], 0)
        gauge("last_sync_age_seconds", "Seconds since the last synchronisation of everything.", {(): age})
    return generate_latest(registry)
