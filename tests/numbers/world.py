"""One customer with numbers in all three places at once: our database, Microsoft (the sandbox) and an SBC.

Rows are made on both sides without a synchronisation, so that a test of one operation costs milliseconds.
"""

import uuid
from collections import Counter
from typing import Any

from django.conf import settings
from django.utils import timezone

from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.microsoft.errors import Asked, NotFound
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import CallingProfile, ConnectionState, Customer, PhoneNumber
from sbc import secrets
from sbc.models import SBC, DialPlanRule
from tests.factories import (
    CallingProfileFactory,
    CustomerFactory,
    PhoneNumberFactory,
    SipConnectionFactory,
    TrunkFactory,
)
from tests.sandbox_process import Sandbox

HARBOURLINE = uuid.UUID("41e62081-1805-5aab-814a-ea598badf330")
SAUERLAND = uuid.UUID("40bf95b0-c257-51e4-b41a-395d60455634")
EMEA_PROFILE = uuid.UUID("3f0c9f4e-52a7-4c0b-9a51-7d6a1be0c8e2")
EMEA_SBC, EMEA_SLUG = 12, "emea-sp1-sbc"
FIRST = 442079460500  # Ofcom's drama range, not used by the sandbox's seeds


class World:
    """Harbourline with a profile on one SBC of the sandbox. `numbers(3)` gives it three numbers, everywhere."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.call("PUT", "/state", {"durations": 0, "lag": 0})
        self.sbc = SBC.objects.create(
            pk=EMEA_SBC,
            name="EMEA SP1 SBC",
            rest_url=f"{sandbox.url}/sbc/{EMEA_SLUG}",
            username=settings.ENV.client_id,
            sealed_password=secrets.seal(settings.ENV.client_secret),
        )
        self.profile: CallingProfile = CallingProfileFactory(id=EMEA_PROFILE, name="EMEA")
        TrunkFactory(profile=self.profile, fqdn="trunk1.emea.example", sbc=self.sbc)
        self.customer = self.new_customer(HARBOURLINE, "Harbourline")

    def new_customer(self, tenant_id: uuid.UUID, name: str) -> Customer:
        """Another tenant of the sandbox, on the same profile and SBC."""
        customer: Customer = CustomerFactory(
            tenant_id=tenant_id, full_name=name, connection=ConnectionState.CONNECTED, consented_countries=["GB"]
        )
        SipConnectionFactory(customer=customer, calling_profile=self.profile, sbc=self.sbc)
        return customer

    def numbers(
        self, count: int, *, first: int = FIRST, customer: Customer | None = None, routed: bool = True, **fields: Any
    ) -> list[PhoneNumber]:
        """Active numbers from +442079460500 on; `fields` are columns of ours (assignment_status goes to both sides)."""
        owner = customer or self.customer
        values = {"assignment_status": "Unassigned", "source": Source.WEB_UI, "status": Status.ACTIVE} | fields
        made = [
            PhoneNumberFactory(e164=f"+{first + i}", customer=owner, calling_profile=self.profile, **values)
            for i in range(count)
        ]
        self.at_microsoft(made)
        if routed and values["source"]:
            self.route(made)
        return made

    def at_microsoft(self, numbers: list[PhoneNumber], **fields: Any) -> None:
        """Let Microsoft have the numbers; `fields` are the sandbox's."""
        self.sandbox.numbers(
            upsert=[
                {
                    "telephoneNumber": number.e164,
                    "tenantId": str(number.customer.tenant_id),
                    "callingProfileId": str(self.profile.pk),
                    "assignmentStatus": number.assignment_status,
                    "acquiredNumberStatus": number.status,
                    **fields,
                }
                for number in numbers
            ]
        )

    def route(self, numbers: list[PhoneNumber]) -> None:
        """Rules for the numbers, on the device and as we know them."""
        rules = [{"name": "Harbourline", "prefix": n.e164, "tag": "trunk1.emea.example"} for n in numbers]
        self.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"rules": rules})
        DialPlanRule.objects.bulk_create(
            DialPlanRule(
                sbc=self.sbc,
                name=rule["name"],
                prefix=rule["prefix"],
                tag=rule["tag"],
                present=True,
                checked_at=timezone.now(),
            )
            for rule in rules
        )

    def device_prefixes(self) -> set[str]:
        """What the SBC routes now, without #."""
        found = self.sandbox.call("GET", f"/sbc/{EMEA_SLUG}")
        return {rule["prefix"].rstrip("#") for rule in found["running"]}

    def status_at_microsoft(self, e164: str) -> int | None:
        """Microsoft's acquiredNumberStatus, None where it has no such number."""
        try:
            return OperatorConnect().number(e164).upstream_status
        except NotFound:
            return None

    def posts(self, path: str) -> list[dict[str, Any]]:
        """The POST requests so far whose path ends with `path`."""
        rows = self.sandbox.requests()["value"]
        return [row for row in rows if row["method"] == "POST" and row["path"].endswith(path)]

    def asked_about(self, kind: str) -> Counter[str]:
        """How often each number stands in a job of a kind at Microsoft, whatever became of the job."""
        client = OperatorConnect()
        base = f"/{kind}"
        found: Counter[str] = Counter()
        for job in client.walk(base, "jobs", {"tenantId": str(self.customer.tenant_id)}):
            entries = client.request("GET", f"{base}/{job['jobId']}", "a job").json(Asked("Microsoft", "a job"))
            found.update(entry["telephoneNumber"] for entry in entries["entries"])
        return found
