"""The whole OpenAPI document against the interface itself: whatever is sent, the answer is one that is documented.

schemathesis makes requests from the document, right ones and wrong ones; each is answered by the application in this
process, against the demonstration data, and undone. Paths, tenants and numbers are now and then such as exist.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as properties
from schemathesis.checks import CheckFunction, load_all_checks, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api.webhooks import services as webhooks
from ocadmin.numbers import importing
from ocadmin.numbers.models import Customer, Mode, PhoneNumber
from ocadmin.numbers.operations import sync
from ocadmin.tasks.models import Task
from sbc.models import SBC
from tests.sandbox_process import Sandbox

from .conftest import Program, Programs

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

EXAMPLES = 4  # of each kind, for each operation
SEED = 20260131
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
load_all_checks()


class Known:
    """Values that exist, put into a request in place of made-up ones."""

    def __init__(self, program: Program) -> None:
        self.chance = random.Random(SEED)
        task = sync.start(by=SYSTEM, channel="api", numbers=["+442079460110"])
        user = User.objects.get(pk=program.client.pk)
        file = SimpleUploadedFile("numbers.csv", b"telephoneNumber,note\r\n+442079460110,Desk\r\n")
        numbers = list(PhoneNumber.objects.order_by("e164").values_list("e164", flat=True)[:5])
        values = {"name": "portal", "url": "https://portal.example.net/hooks", "events": [], "everything": True}
        webhook, _secret = webhooks.make(values, (), (), by=SYSTEM)
        self.tenants = [str(one) for one in Customer.objects.values_list("tenant_id", flat=True)[:5]]
        self.numbers = numbers
        self.paths: dict[str, Any] = {
            "taskId": task.pk,
            "importId": str(importing.keep(file, mode=Mode.UPDATE, user=user).pk),
            "phonenumber": numbers[0],
            "sbcId": SBC.objects.earliest("pk").pk,
            "webhookId": webhook.pk,
            "deliveryId": webhooks.send_test(webhook.pk, by=SYSTEM).pk,
        }

    def put_into(self, case: Any) -> None:
        """Into every second request."""
        if self.chance.random() < 0.5:
            return
        for name in case.path_parameters or {}:
            if name in self.paths:
                case.path_parameters[name] = self.paths[name]
        if "msTenantId" in (case.query or {}):
            case.query["msTenantId"] = self.chance.choice(self.tenants)
        if isinstance(case.body, dict) and isinstance(case.body.get("telephoneNumbers"), list):
            case.body["telephoneNumbers"] = self.numbers[: self.chance.randint(1, 5)]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests stay in the test's transaction, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def caller(program: Programs, sandbox: Sandbox, one_connection: None) -> Program:
    """Admin of everything, in the demonstration's world. No worker runs, so whatever begins stays where it is."""
    call_command("load_demo")
    Task.objects.alive().update(state="cancelled", finished_at="2026-01-01T00:00:00Z")
    return program(Role.ADMIN)


def test_every_answer_is_documented(caller: Program) -> None:
    schema = schemathesis.openapi.from_wsgi(
        "/api/openapi.json", get_wsgi_application(), headers={"Authorization": f"Bearer {caller.token}"}
    )
    known, wrong = Known(caller), []
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            try:
                _play(operation, mode, known, caller)
            except (Exception, BaseExceptionGroup) as error:
                wrong.append(f"{operation.label} ({mode.value}): {error}")
    assert wrong == [], "\n\n".join(wrong)


def _play(operation: Any, mode: GenerationMode, known: Known, caller: Program) -> None:
    """Some requests of one operation. Raises what is found."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @properties(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def play(case: Any) -> None:
        known.put_into(case)
        cache.clear()
        with transaction.atomic():
            case.call_and_validate(headers={"Authorization": f"Bearer {caller.token}"}, checks=CHECKS)
            transaction.set_rollback(True)

    try:
        play()
    except Exception as error:
        if "Unable to generate" not in str(error) and type(error).__name__ != "Unsatisfiable":
            raise
