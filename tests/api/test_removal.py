"""ready-for-removal, clear-removal-status and the summary: what is answered has happened."""

from typing import Any

import pytest

from ocadmin.access.audit import Channel
from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory
from tests.sandbox_process import Sandbox

from .acting import refused
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

APPROVE = ("v3/oc/numbers/action/ready-for-removal", "v3/oc/action/ready-for-removal")
CLEAR = ("v3/oc/action/clear-removal-status", "v3/oc/numbers/action/clear-removal-status")
SUMMARY = "v3/oc/numbers/removal-status/summary"


def marked(**fields: Any) -> PhoneNumber:
    number: PhoneNumber = PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL, **fields)
    return number


@pytest.mark.parametrize(
    ("path", "becomes"),
    [*((path, Status.READY_FOR_REMOVAL) for path in APPROVE), *((path, Status.ACTIVE) for path in CLEAR)],
)
def test_it_has_happened_when_it_is_answered(sandbox: Sandbox, program: Programs, path: str, becomes: Status) -> None:
    """Numbers of two customers; one that cannot be decided upon holds nothing up."""
    first, second = marked(), marked()
    pending = PhoneNumberFactory(status=Status.PENDING_FIRST_SYNC)
    numbers = [first.e164, second.e164, pending.e164, "+442079469999"]
    answer = program().post(path, {"TelephoneNumbers": numbers}, ticketId="CHG-3", comment="agreed")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["succeeded"]) == ("partial", False)
    assert (body["data"]["processedCount"], body["data"]["successCount"]) == (4, 2)
    codes = {one["telephoneNumber"]: one["code"] for one in body["data"]["errors"]}
    assert codes == {pending.e164: "not_marked", "+442079469999": "unknown_number"}
    assert {PhoneNumber.objects.get(pk=one.pk).status for one in (first, second)} == {becomes}
    task = Task.objects.exclude(kind="clean-up").get()
    assert body["data"]["taskId"] == f"tsk_msjob_{task.uid}"
    assert (task.channel, task.ticket) == (Channel.API, "CHG-3")
    entry = AuditEntry.objects.get(object_id=first.e164)
    assert (entry.actor_name, entry.message, entry.ticket) == ("portal 0", "agreed", "CHG-3")


def test_all_went_well(sandbox: Sandbox, program: Programs) -> None:
    body = program().post(APPROVE[0], {"telephoneNumbers": [marked().e164]}).json()
    counts = {"processedCount": 1, "successCount": 1, "taskId": body["data"]["taskId"], "errors": []}
    assert body == {"data": counts, "status": "success", "succeeded": True, "message": "1 number decided."}


def test_where_microsoft_does_not_answer_it_says_so(
    sandbox: Sandbox, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings.ENV, "operator_url", "http://127.0.0.1:1")
    number = marked()
    answer = program().post(APPROVE[0], {"telephoneNumbers": [number.e164]})
    body = answer.json()
    assert (answer.status_code, body["status"], body["succeeded"]) == (202, "inProgress", False)
    assert body["data"]["successCount"] == 0
    assert body["data"]["taskId"] in body["message"]
    number.refresh_from_db()
    assert number.status == Status.MARKED_FOR_REMOVAL


def test_what_is_refused(program: Programs) -> None:
    ready, active = PhoneNumberFactory(status=Status.READY_FOR_REMOVAL), PhoneNumberFactory()
    good = marked()
    cases: list[tuple[str, Any, int, str]] = [
        (APPROVE[0], [ready.e164], 409, "already"),
        (APPROVE[0], [active.e164], 409, "not_marked"),
        (CLEAR[0], [ready.e164], 409, "not_marked"),
        (CLEAR[0], ["+442079469999"], 400, "unknown_number"),
        (APPROVE[0], [good.e164, "0044"], 400, "too_short"),
        (APPROVE[0], [], 400, "no_numbers"),
        (APPROVE[0], None, 400, "invalid_request"),
        (APPROVE[0], [f"+4420794{n:05d}" for n in range(501)], 400, "invalid_request"),
        (APPROVE[0], [good.e164, "\x00"], 400, "invalid_request"),
    ]
    for path, numbers, status, code in cases:
        refused(program().post(path, {"telephoneNumbers": numbers}), status, code)
    good.refresh_from_db()
    assert good.status == Status.MARKED_FOR_REMOVAL


def test_five_hundred_numbers_at_most_in_whatever_form(program: Programs) -> None:
    number = marked().e164
    listed = [f"+44207947{n:04d}" for n in range(500)]
    spanned = [{"start": listed[0], "end": listed[-1]}]
    bodies = (
        {"telephoneNumbers": [number], "phoneNumbersList": listed},
        {"telephoneNumbers": [number], "phoneNumberRanges": spanned},
        {"telephoneNumbers": [number], "phoneNumbersList": ["0044"] * 500},
    )
    for path in (APPROVE[0], CLEAR[0]):
        for body in bodies:
            refused(program().post(path, body), 400, "too_many_numbers")
        plan = program().post(path, {"phoneNumbersList": [number], "phoneNumberRanges": []}, dryRun="true").json()
        assert plan["will"]["sample"] == program().post(path, [number], dryRun="true").json()["will"]["sample"]
        assert plan["will"]["sample"] == [number]


def test_a_dry_run_moves_nothing(program: Programs) -> None:
    number, active = marked(), PhoneNumberFactory()
    for path, kind in ((APPROVE[0], "approve-removal"), (CLEAR[0], "clear-removal")):
        plan = program().post(path, {"telephoneNumbers": [number.e164, active.e164]}, dryRun="true").json()
        assert (plan["operation"], plan["begins"], plan["will"]["sample"]) == (kind, True, [number.e164])
    assert not Task.objects.exists()
    number.refresh_from_db()
    assert number.status == Status.MARKED_FOR_REMOVAL


def test_who_may(sandbox: Sandbox, program: Programs) -> None:
    """Approving is an Admin's alone; a number out of reach is unknown."""
    customer = CustomerFactory(channel=ChannelFactory())
    number = marked(customer=customer)
    cases: list[tuple[Program, int]] = [
        (program(Role.OPERATOR), 403),
        (program(Role.LITE_OPERATOR), 403),
        (program(Role.MONITOR), 403),
        (program(Role.ADMIN, customer=CustomerFactory()), 400),
        (program(Role.ADMIN, channel=ChannelFactory()), 400),
        (program(Role.ADMIN, channel=customer.channel), 200),
    ]
    for caller, status in cases:
        assert caller.post(APPROVE[0], {"telephoneNumbers": [number.e164]}).status_code == status


def test_the_limit_is_shared_by_both(program: Programs) -> None:
    from ocadmin.api import limits

    caller = program()
    for _ in range(300):
        assert limits.take(f"removal:{caller.client.pk}", 300, 60) == 0
    for path in (*APPROVE, *CLEAR):
        answer = caller.post(path, {"telephoneNumbers": ["+442079469999"]})
        refused(answer, 429, "too_many_requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_the_summary_counts_what_the_client_sees(program: Programs) -> None:
    number = marked()
    marked()
    PhoneNumberFactory(status=Status.READY_FOR_REMOVAL, customer=number.customer)
    PhoneNumberFactory(customer=number.customer)

    def counts(answer: Any) -> tuple[int, int, int]:
        body = answer.json()
        return body["markedForRemovalCount"], body["readyForRemovalCount"], body["totalCount"]

    assert counts(program().get(SUMMARY)) == (2, 1, 3)
    assert counts(program().get(SUMMARY, {"msTenantId": ""})) == (2, 1, 3)
    assert counts(program().get(SUMMARY, {"msTenantId": number.customer.tenant_id})) == (1, 1, 2)
    assert counts(program(Role.MONITOR, customer=number.customer).get(SUMMARY)) == (1, 1, 2)
    assert program().get(SUMMARY, {"msTenantId": "x"}).status_code == 400
    stranger = program(Role.MONITOR, customer=CustomerFactory())
    assert stranger.get(SUMMARY, {"msTenantId": number.customer.tenant_id}).status_code == 404
