"""The operator's interface, asked over HTTP as the sandbox plays it."""

import json
import logging
import uuid

import pytest
from django.conf import settings

from ocadmin.numbers.microsoft import errors
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect, parse_number
from tests.sandbox_process import Sandbox

EXAMPLE = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
NOBODY = "6f3b0f6a-0000-4000-8000-000000000000"
NUMBERS = {"mount": "oc", "path": "/telephone-numbers"}


def test_all_pages_can_be_walked_and_taken_up_again(sandbox: Sandbox) -> None:
    seen: list[str] = []
    page = OperatorConnect().numbers_page(top=100)
    while True:
        seen += [parse_number(record).e164 for record in page.records]
        if page.next_link is None:
            break
        page = OperatorConnect().numbers_page(next_link=page.next_link)
    assert len(seen) == len(set(seen)) == page.total == sandbox.state()["numbers"]["total"]
    walked = [entry["query"] for entry in sandbox.requests()["value"] if entry["mount"] == "oc"]
    assert len(walked) == -(-len(seen) // 100)


def test_the_numbers_of_one_customer(sandbox: Sandbox) -> None:
    page = OperatorConnect().numbers_page(tenant_id=uuid.UUID(EXAMPLE))
    assert page.total == len(page.records) == 10
    assert {str(parse_number(record).tenant_id) for record in page.records} == {EXAMPLE}


def test_the_page_size_is_the_setting(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "page_size", 7)
    assert len(OperatorConnect().numbers_page().records) == 7


def test_consents(sandbox: Sandbox) -> None:
    consents = {str(consent.tenant_id): consent for consent in OperatorConnect().consents()}
    assert set(consents) == {tenant["tenantId"] for tenant in sandbox.state()["tenants"]}
    assert consents[EXAMPLE].company_name == "MSFT"
    assert consents[EXAMPLE].relationship_status == "AgreementSigned"
    assert {consent.status for consent in consents.values()} == {"active", "suspended"}
    assert not any("UK" in consent.consented_countries for consent in consents.values())


def test_calling_profiles(sandbox: Sandbox) -> None:
    profiles = {profile.name: profile for profile in OperatorConnect().calling_profiles()}
    example = profiles["SP1 Global Calling"]
    assert example.offer_types == ["Calling", "AudioConferencing"]
    assert [trunk.sbc_fqdns for trunk in example.trunks] == [("sbc1.us.operator.example",)] * 2


def test_addresses_and_usages_of_a_customer(sandbox: Sandbox) -> None:
    addresses = list(OperatorConnect().civic_addresses(EXAMPLE))
    assert addresses
    assert all(address.default_location_id in {place.id for place in address.locations} for address in addresses)
    assert "CallingUserAssignment" in {plan.usage for plan in OperatorConnect().usages(EXAMPLE)}
    for ask in (OperatorConnect().civic_addresses, OperatorConnect().usages):
        with pytest.raises(errors.TenantUnknown):
            list(ask(NOBODY))
    with pytest.raises(errors.TenantUnknown):
        OperatorConnect().numbers_page(tenant_id=NOBODY)


def test_one_number(sandbox: Sandbox) -> None:
    known = OperatorConnect().numbers_page(tenant_id=EXAMPLE).records[0]
    assert OperatorConnect().number(known["telephoneNumber"]) == parse_number(known)
    with pytest.raises(errors.NotFound, match=r"the number \+441614960999"):
        OperatorConnect().number("+441614960999")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, errors.Throttled),
        ({"status": 429}, errors.Throttled),
        ({"status": 503}, errors.ServerError),
        ({"status": 502, "body": "<html>Bad gateway</html>", "contentType": "text/html"}, errors.ServerError),
        ({"status": 200, "body": "<html>Hi</html>", "contentType": "text/html"}, errors.BadAnswer),
        ({"status": 200, "body": '{"value": [{"telephoneNu'}, errors.BadAnswer),
        ({"status": 200, "body": {"items": []}}, errors.BadAnswer),
        ({"truncate": True}, errors.BadAnswer),
        ({"drop": "before"}, errors.Unreachable),
    ],
)
def test_answers_that_fail(sandbox: Sandbox, action: dict, expected: type[errors.MicrosoftError]) -> None:
    sandbox.fault(NUMBERS, action, times=10)
    correlation = uuid.uuid4()
    with pytest.raises(expected) as caught:
        OperatorConnect(correlation).numbers_page()
    assert type(caught.value) is expected
    assert caught.value.correlation_id == str(correlation)
    if action.get("headers"):
        assert caught.value.retry_after == 7
    elif expected is errors.Throttled:
        assert caught.value.retry_after is None


def test_a_connection_lost_twice_is_made_good(sandbox: Sandbox) -> None:
    sandbox.fault(NUMBERS, {"drop": "before"}, times=2)
    assert OperatorConnect().numbers_page(top=1).records


def test_a_slow_answer_is_given_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.fault(NUMBERS, {"delayMs": 1500})
    monkeypatch.setattr(settings.ENV, "http_timeout", 0.3)
    with pytest.raises(errors.TimedOut):
        OperatorConnect().numbers_page()


def test_a_token_without_roles(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "client_id", "noroles")
    with pytest.raises(errors.Forbidden) as caught:
        OperatorConnect().numbers_page()
    assert caught.value.role == "NumberManagement.Read"
    with pytest.raises(errors.Forbidden) as caught:
        list(OperatorConnect().consents())
    assert caught.value.role == "partnerSettings.Read"


def test_a_next_link_elsewhere_is_refused(sandbox: Sandbox) -> None:
    link = "http://127.0.0.1:1/oc/v1/operators/x/telephone-numbers"
    sandbox.fault(NUMBERS, {"status": 200, "body": json.dumps({"value": [], "nextLink": link})})
    with pytest.raises(errors.BadAnswer, match="another host"):
        OperatorConnect().numbers_page()


def test_every_request_carries_the_correlation_id(sandbox: Sandbox) -> None:
    mine = uuid.uuid4()
    operator = OperatorConnect(mine)
    list(operator.consents())
    operator.numbers_page(top=1)
    OperatorConnect().numbers_page(top=1)
    entries = sandbox.requests()["value"]
    assert [entry["correlationId"] for entry in entries[:3]] == [str(mine)] * 3
    assert entries[3]["correlationId"] not in (None, str(mine))


def test_nothing_secret_is_logged(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "httpx2", "httpcore2", "stamina", "ocadmin"):
        caplog.set_level(logging.DEBUG, logger=name)
    sandbox.fault(NUMBERS, {"drop": "before"}, times=1)
    sandbox.fault(NUMBERS, {"status": 503}, times=1)
    with pytest.raises(errors.ServerError):
        OperatorConnect().numbers_page(top=1)
    OperatorConnect().numbers_page(top=1)
    assert caplog.text
    assert "sandbox-only-secret" not in caplog.text
    assert "sim." not in caplog.text
    assert "retry_scheduled" not in caplog.text
