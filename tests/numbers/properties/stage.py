"""Where scripts of the lifecycle are played: two customers, two SBCs, five numbers, and a clock that we turn.

The stage is built once, with a synchronisation; every script begins on it in a transaction of its own, with a sandbox
that was reset, and leaves nothing behind.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ocadmin.numbers.microsoft.errors import Asked
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import Customer, PhoneNumber, SipConnection
from ocadmin.numbers.operations import jobs
from ocadmin.tasks import run
from sbc import secrets
from sbc.models import SBC, DialPlanRule
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, SAUERLAND, World
from tests.sandbox_process import Sandbox

NUMBERS = tuple(f"+44207946050{n}" for n in range(5))  # Ofcom's drama range
US_SBC, US_SLUG = 11, "us-sp1-sbc"
SLUGS = {EMEA_SLUG: 12, US_SLUG: US_SBC}
HAND = ("By hand", "hand.example")  # name and tag of rules that are not ours
START = datetime.datetime(2026, 3, 2, 9, tzinfo=UTC)

Rules = dict[str, tuple[str, str]]  # prefix without # to name and tag


class Clock:
    """Time for us and for the sandbox. It stands still but for a microsecond with every look, so that order is told."""

    def __init__(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sandbox = sandbox
        self.at = START
        look = self.look

        class Turned(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return look()

        monkeypatch.setattr(timezone, "datetime", Turned)
        monkeypatch.setattr(jobs, "time", SimpleNamespace(time=lambda: look().timestamp()))

    def look(self) -> datetime.datetime:
        """Now."""
        self.at += datetime.timedelta(microseconds=1)
        return self.at

    def begin(self) -> None:
        """Back to the start, for both."""
        self.at = START
        self.sandbox.call("POST", "/clock", {"mode": "manual", "now": START.isoformat()})

    def turn(self, seconds: float) -> None:
        """Let time pass, for both."""
        self.at += datetime.timedelta(seconds=seconds)
        self.sandbox.call("POST", "/clock/advance", {"seconds": seconds})


class Stage:
    """The two customers on it: Harbourline has one SBC, Sauerland has two."""

    def __init__(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "release_grace_seconds": 20,
            "sync_brake_minimum": 1,
            "sync_brake_percent": 40,
            "page_size": 2,
            "job_size": 2,
        }.items():
            monkeypatch.setattr(settings.ENV, name, value)
        monkeypatch.setattr(run, "SLICE_SECONDS", 0.0)  # one step a slice: more places where others come in between
        self.sandbox = sandbox
        sandbox.reset("empty")
        self.clock = Clock(sandbox, monkeypatch)
        self.clock.begin()
        world = World(sandbox)
        other = SBC.objects.create(
            pk=US_SBC,
            name="US SP1 SBC",
            rest_url=f"{sandbox.url}/sbc/{US_SLUG}",
            username=settings.ENV.client_id,
            sealed_password=secrets.seal(settings.ENV.client_secret),
        )
        sauerland = world.new_customer(SAUERLAND, "Sauerland")
        SipConnection.objects.create(customer=sauerland, calling_profile=world.profile, sbc=other)
        self.profile = world.profile
        passes.synchronise()
        self.customers: list[Customer] = list(
            Customer.objects.filter(pk__in=[world.customer.pk, sauerland.pk]).order_by("pk")
        )
        self.ways = {world.customer.pk: (EMEA_SLUG,), sauerland.pk: (EMEA_SLUG, US_SLUG)}

    @contextmanager
    def script(self) -> Iterator[None]:
        """For one script: a fresh sandbox, the time of the start, and rows that go again."""
        self.sandbox.reset("empty")
        self.sandbox.call("PUT", "/state", {"magicSuffixes": False, "retention": 10**9})
        self.clock.begin()
        block = transaction.atomic()
        block._from_testcase = True  # type: ignore[attr-defined]  # as Django's own test cases do it
        with block:
            yield
            transaction.set_rollback(True)

    # The three places

    def ours(self) -> dict[str, PhoneNumber]:
        """Our numbers."""
        return {number.e164: number for number in PhoneNumber.objects.order_by("pk")}

    def microsofts(self) -> dict[str, dict[str, Any]]:
        """Microsoft's numbers as the operator's side shows them."""
        records = OperatorConnect().numbers_page(top=1000).records
        return {record["telephoneNumber"]: record for record in records}

    def entries(self, kind: str) -> list[tuple[str, str, str]]:
        """What Microsoft's jobs of a kind have decided: number, job, and the code of its error, "" for none."""
        client, asked = OperatorConnect(), Asked("Microsoft", "a job")
        jobs = list(client.walk(f"/{kind}", "jobs"))
        records = [client.request("GET", f"/{kind}/{job['jobId']}", "a job").json(asked) for job in jobs]
        return [
            (entry["telephoneNumber"], record["jobId"], entry["errorCode"] or "")
            for record in records
            for entry in record["entries"]
        ]

    def running(self, slug: str) -> Rules:
        """What an SBC routes now, whether it answers or not."""
        rules = self.sandbox.call("GET", f"/sbc/{slug}")["running"]
        return {rule["prefix"].rstrip("#"): (rule["name"], rule["tag"]) for rule in rules}

    # What others do

    def tell(self, method: str, path: str, body: dict[str, Any]) -> bool:
        """One request to the control plane. False where the customer or the device cannot do that now."""
        try:
            self.sandbox.call(method, path, body)
        except HTTPError as error:
            if error.code not in (404, 409):
                raise
            return False
        return True

    def customer_acts(self, e164: str, action: str, **more: Any) -> bool:
        """The administrator of whoever has the number, in the Teams admin center."""
        record = self.microsofts().get(e164)
        if record is None:
            return False
        body = {"tenantId": record["tenantId"], "telephoneNumber": e164, "action": action, **more}
        return self.tell("POST", "/customer", body)

    def appears(self, e164: str, customer: Customer, **fields: Any) -> bool:
        """The number becomes a customer's at Microsoft, not by us. False where somebody has it."""
        if e164 in self.microsofts():
            return False
        record = {
            "telephoneNumber": e164,
            "tenantId": str(customer.tenant_id),
            "callingProfileId": str(self.profile.pk),
        }
        self.sandbox.numbers(upsert=[record | fields])
        return True

    def route(self, rules: dict[str, dict[str, Rules]]) -> None:
        """Rules on the devices: SBC to "ours" and "hand" to rules. We know of ours."""
        for slug, sides in rules.items():
            every = [
                {"prefix": prefix, "name": name, "tag": tag}
                for side in sides.values()
                for prefix, (name, tag) in side.items()
            ]
            self.sandbox.call("POST", f"/sbc/{slug}", {"rules": every})
            DialPlanRule.objects.bulk_create(
                DialPlanRule(sbc_id=SLUGS[slug], prefix=prefix, name=name, tag=tag, present=True)
                for prefix, (name, tag) in sides["ours"].items()
            )
