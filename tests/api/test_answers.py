"""Every operation that reads, against what the document says of its answer: lists are answered without a check.

With data of every kind, so that each field is there. And how many queries each one may cost, however many rows there
are: query_budgets.json.
"""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from jsonschema import Draft202012Validator, FormatChecker

from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api.openapi import document
from ocadmin.api.webhooks import services as webhooks
from ocadmin.api.webhooks.models import Attempt
from ocadmin.numbers.models import NumberImport, PhoneNumber, SipConnection
from ocadmin.tasks.models import Task
from sbc import health, services
from sbc.dialplan import Rule
from sbc.errors import Offline
from tests.budgets import budget
from tests.factories import (
    ChannelFactory,
    LocationFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SBCFactory,
    TaskFactory,
)
from tests.numbers import passes
from tests.numbers.drift import runs
from tests.numbers.world import World

from .calls import CALLS, Call
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

EXPORT = "DialPlanName,Name,Prefix,Tag\r\nOCDialPlan,hand,+1#,t\r\n"
QUESTION = {"text": "Mark them?", "choices": {"mark": "Mark", "keep": "Keep"}}
LISTS = ("data", "changes", "ruleDTO", "counts")


class Populated:
    """A world with at least two rows of each kind, and the values of parameters that name some of them."""

    def __init__(self, world: World, program: Program) -> None:
        self.world, self.program = world, program
        device = SBCFactory(write_strategy="manual")
        services.want(device, [Rule("+442079460501", "Harbourline", "trunk1.emea.example")])
        first = self._numbers()
        self.known: dict[str, Any] = {
            "phonenumber": first.e164,
            "number": first.e164,
            "customerId": str(world.customer.tenant_id),
            "siteId": SipConnection.objects.filter(customer=world.customer).earliest("pk").pk,
            "dialPlanId": world.sbc.dial_plan,
            "sbcId": world.sbc.pk,
            "since": "0",
            "importId": self._import(first),
            **self._tasks(first),
            **self._webhooks(),
        }
        self.by_hand = {"sbcId": device.pk, "fileId": self._hand_files(device.pk)}

    def _numbers(self) -> PhoneNumber:
        runs.device(self.world, rules=[])
        runs.microsoft([])
        first, *_others = runs.settled(self.world, 3, routed=False)
        runs.settled(self.world, 2, first=int(first.e164[1:]) + 50)
        runs.device(self.world, rules=[runs.rule(first.e164, tag="elsewhere"), runs.rule("+442079460990")])
        runs.compare()
        for channel in (ChannelFactory(ovoc_channel_id=7), ChannelFactory(ovoc_channel_id=8)):
            place = LocationFactory(civic_address__customer__channel=channel)
            PhoneNumberFactory(customer=place.civic_address.customer, location=place, civic_address=place.civic_address)
            ReleasedNumberFactory()
        for error in (Offline(self.world.sbc.name, reason="no route"), None):
            health.note(self.world.sbc, health.Seen(error=error))
        return first

    def _import(self, number: PhoneNumber) -> str:
        for _again in range(2):
            content = f"telephoneNumber,note\r\n{number.e164},Desk\r\n+442079460199,Nobody's\r\n".encode()
            answer = self.program.http.post(
                "/api/v3/oc/imports?mode=update", {"file": SimpleUploadedFile("numbers.csv", content)}
            )
            passes.finish(Task.objects.get(pk=answer.json()["checkTaskId"]))
        return str(NumberImport.objects.latest("created_at").pk)

    def _tasks(self, number: PhoneNumber) -> dict[str, Any]:
        TaskFactory(state="asking", question=QUESTION)
        task = passes.synchronise(numbers=[number.e164, "+442079460198"])
        return {"taskId": task.pk, "taskid": str(task.uid)}

    def _webhooks(self) -> dict[str, Any]:
        deliveries = []
        for name in ("one", "two"):
            values = {"name": name, "url": "https://portal.example.net/", "events": ["sync."], "everything": False}
            webhook, _secret = webhooks.make(values, [ChannelFactory()], [self.world.customer], by=SYSTEM)
            deliveries += [webhooks.send_test(webhook.pk, by=SYSTEM) for _n in range(2)]
        for delivery in deliveries:
            Attempt.objects.create(delivery=delivery, at=delivery.created_at, milliseconds=3, error="x", answer="y")
        return {"webhookId": deliveries[-1].webhook_id, "deliveryId": deliveries[-1].pk}

    def _hand_files(self, pk: int) -> str:
        made = [
            self.program.http.post(f"/api/v3/oc/sbcs/{pk}/hand-files", EXPORT, content_type="text/csv").json()["id"]
            for _n in range(2)
        ]
        return made[-1]

    def values(self, call: Call) -> dict[str, Any]:
        """What to put into the parameters of an operation."""
        return self.known | (self.by_hand if "hand-files" in call.path else {})


def validator(call: Call) -> Draft202012Validator | None:
    """What checks the answer of an operation: no field may be there that the document does not name. None: no JSON."""
    schemas = document()["components"]["schemas"]
    strict = {
        name: shape | ({"additionalProperties": False} if "properties" in shape else {})
        for name, shape in schemas.items()
    }
    content = call.operation["responses"]["200"]["content"].get("application/json")
    if content is None:
        return None
    return Draft202012Validator(
        content["schema"] | {"components": {"schemas": strict}}, format_checker=FormatChecker(["uuid", "date-time"])
    )


def empty(body: Any) -> bool:
    """Whether a list that is answered has no rows, so that nothing of it was looked at."""
    lists = [body] if isinstance(body, list) else [body[name] for name in LISTS if name in body]
    return any(rows in ([], {}) for rows in lists)


@pytest.mark.parametrize("whole", [True, False], ids=["whole system", "one customer"])
def test_what_is_read_is_as_it_is_documented(world: World, program: Programs, whole: bool) -> None:
    populated = Populated(world, program())
    caller = populated.program if whole else program(Role.ADMIN, customer=world.customer)
    wrong: list[str] = []
    for call in (param.values[0] for param in CALLS):
        assert isinstance(call, Call)
        if call.method != "get":
            continue
        with budget(f"api:{call.path.removeprefix('/api/')}"):
            answer = call.send(caller.http, **populated.values(call))
        body = b"".join(answer) if answer.streaming else answer.content  # COPY cannot be counted
        if answer.status_code != 200:
            if whole or answer.status_code not in (403, 404):
                wrong.append(f"{call.path}: {answer.status_code} {body[:300]!r}")
            continue
        check = validator(call)
        if check is None:
            assert body.count(b"\r\n") > 1 or "differences" in call.path, call.path
            continue
        read = json.loads(body)
        wrong += [f"{call.path}: {error.json_path} {error.message[:300]}" for error in check.iter_errors(read)]
        if whole and empty(read):
            wrong.append(f"{call.path}: nothing is in it")
    assert wrong == [], "\n".join(wrong)
