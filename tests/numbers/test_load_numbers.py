"""Moving in from another platform: `load_numbers FILE|URL`."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocadmin.access.models import AuditEntry
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import CallingProfile, Channel, Customer, PhoneNumber, SipConnection
from sbc.models import SBC
from tests.factories import CustomerFactory, PhoneNumberFactory
from tests.sandbox_process import Sandbox

from . import passes

pytestmark = pytest.mark.django_db

EXAMPLE = Path(__file__).with_name("example-v3.json")


def load(source: Path | str, capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    """What the command says."""
    call_command("load_numbers", str(source), **options)
    return capsys.readouterr().out.strip()


def write(tmp_path: Path, **changes: Any) -> Path:
    """The example with its first record changed."""
    page = json.loads(EXAMPLE.read_text())
    page["data"][0] |= changes
    path = tmp_path / "page.json"
    path.write_text(json.dumps(page))
    return path


def everything() -> list[Any]:
    models = (PhoneNumber, Customer, CallingProfile, SBC, SipConnection, AuditEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_the_example_page_becomes_customers_profiles_sbcs_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert load(EXAMPLE, capsys).startswith("10 numbers created")
    customer = Customer.objects.get()
    assert (customer.full_name, customer.ms_company_name, customer.channel) == ("BradOCDev", "MSFT", None)
    assert str(customer.ump_customer_guid) == "82686da4-980d-4eef-8c00-cfe918d954d4"
    sbc = SBC.objects.get()
    assert (sbc.pk, sbc.name) == (11, "US SP1 SBC")
    link = SipConnection.objects.get()
    assert (link.customer, link.sbc, str(link.calling_profile_id)) == (
        customer,
        sbc,
        "ab86ef82-ce9e-4ead-befb-4aa954b64872",
    )
    number = PhoneNumber.objects.get(e164="+448718943000")
    assert (number.pk, number.status, number.source) == (121452, Status.ACTIVE, Source.WEB_API)
    assert (number.upload_entry_id, number.upload_job_id) == (294672, 4977)
    assert (number.aslv_code, number.asticks) == (200, 639069187671521345)
    assert number.assignment_status == "Unassigned"
    assert number.exact_times == {
        "whenCreated": "2026-02-16T16:17:56.1427926+00:00",
        "acquiredOn": "2026-02-16T16:17:41.0518562+00:00",
        "aslcht": "2026-02-17T09:52:59.6920174+00:00",
        "aslsct": "2026-02-17T09:52:59.6920174+00:00",
    }
    assert number.when_created.astimezone(UTC).isoformat() == "2026-02-16T16:17:56.142792+00:00"
    pending = PhoneNumber.objects.filter(status=Status.PENDING_FIRST_SYNC)
    assert pending.count() == 8
    assert not pending.exclude(acquired_on=None, assignment_status=None, available_capabilities=None).exists()


def test_loading_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    load(EXAMPLE, capsys)
    before = everything()
    assert load(EXAMPLE, capsys) == "0 numbers created, 0 completed, 10 unchanged, 0 in conflict."
    assert everything() == before


def test_loading_is_recorded_for_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    load(EXAMPLE, capsys)
    entry = AuditEntry.objects.get(object_id="+448718943000")
    assert (entry.action, entry.channel, entry.after) == ("move_in.created", "command", {"status": "ACTIVE"})


def test_what_is_made_or_completed_around_the_numbers_is_recorded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = write(tmp_path, ovocChannelId=1574, civicAddressId="22222222-2222-2222-2222-222222222222")
    load(page, capsys)
    customer, channel = Customer.objects.get(), Channel.objects.get()
    whose = {entry.object_type: (entry.customer_ref, entry.channel_ref) for entry in AuditEntry.objects.all()}
    assert whose == {
        "customer": (customer.pk, channel.pk),
        "channel": (None, channel.pk),
        "calling_profile": (None, None),
        "civic_address": (customer.pk, channel.pk),
        "sbc": (None, None),
        "sip_connection": (customer.pk, channel.pk),
        "number": (customer.pk, channel.pk),
    }
    around = AuditEntry.objects.exclude(object_type="number")
    assert set(around.values_list("action", "channel")) == {("move_in.created", "command")}
    link = AuditEntry.objects.get(object_type="sip_connection")
    assert link.object_id == str(SipConnection.objects.get().pk)
    before = everything()
    load(page, capsys)
    assert everything() == before


def test_filling_in_a_customer_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    customer = CustomerFactory(tenant_id="3bc57cac-5794-457f-ad36-2c88cade9dbb", ms_company_name="", full_name="Mine")
    load(EXAMPLE, capsys)
    entry = AuditEntry.objects.get(object_type="customer")
    assert (entry.action, entry.object_id, entry.customer_ref) == ("move_in.completed", str(customer.pk), customer.pk)
    assert (entry.before["ms_company_name"], entry.after["ms_company_name"]) == ("", "MSFT")


def test_new_numbers_count_on_after_the_loaded_ids(capsys: pytest.CaptureFixture[str]) -> None:
    load(EXAMPLE, capsys)
    number = PhoneNumberFactory(e164="+441134960000", customer=Customer.objects.get())
    assert number.pk > 121463


def test_an_id_that_is_taken_gives_way(capsys: pytest.CaptureFixture[str]) -> None:
    PhoneNumberFactory(pk=121452, e164="+441134960000")
    load(EXAMPLE, capsys)
    assert PhoneNumber.objects.get(pk=121452).e164 == "+441134960000"
    assert PhoneNumber.objects.filter(e164="+448718943000").exists()


def test_a_number_that_synchronisation_brought_is_completed_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    customer = CustomerFactory(tenant_id="3bc57cac-5794-457f-ad36-2c88cade9dbb")
    PhoneNumberFactory(
        e164="+448718943000", customer=customer, source="", assignment_status="UserAssigned", note="mine"
    )
    assert load(EXAMPLE, capsys) == "9 numbers created, 1 completed, 0 unchanged, 0 in conflict."
    number = PhoneNumber.objects.get(e164="+448718943000")
    assert (number.source, number.upload_entry_id) == (Source.WEB_API, 294672)
    assert (number.assignment_status, number.note) == ("UserAssigned", "mine")
    before = everything()
    load(EXAMPLE, capsys)
    assert everything() == before


def test_a_number_of_another_customer_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    mine = PhoneNumberFactory(e164="+448718943000")
    call_command("load_numbers", str(EXAMPLE))
    said = capsys.readouterr()
    assert "1 in conflict" in said.out
    assert "+448718943000 belongs to another customer" in said.err
    assert PhoneNumber.objects.get(e164="+448718943000").customer == mine.customer


def test_a_channel_is_made_and_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    load(write(tmp_path, ovocChannelId=1574), capsys)
    channel = Channel.objects.get()
    assert channel.ovoc_channel_id == 1574
    assert Customer.objects.get().channel == channel


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"telephoneNumber": "+44 O20"}, "record 1: telephoneNumber"),
        ({"telephoneNumber": None}, "record 1: telephoneNumber is missing"),
        ({"tenantId": "nonsense"}, "record 1: tenantId is not a GUID"),
        ({"acquiredNumberStatus": 9}, "record 1: acquiredNumberStatus 9"),
        ({"source": "fax"}, "record 1: source “fax”"),
        ({"acquiredOn": "yesterday"}, "record 1: acquiredOn is not a time"),
        ({"aslvCode": 201}, "record 1: aslvCode 201"),
        ({"asticks": 2**70}, "record 1: asticks"),
        ({"sbcList": "SBC"}, "record 1: sbcList"),
        ({"telephoneNumber": "+448718943001", "tenantId": "11111111-1111-1111-1111-111111111111"}, "two tenants"),
        ({"telephoneNumber": "+441134960001", "tenantId": "11111111-1111-1111-1111-111111111111"}, "umpCustomerGuid"),
        ({"msCompanyName": "a\x00b"}, "record 1: msCompanyName"),
    ],
)
def test_one_bad_record_and_nothing_is_loaded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError) as refused:
        load(write(tmp_path, **changes), capsys)
    assert "Nothing was loaded" in str(refused.value)
    assert words in str(refused.value)
    assert not PhoneNumber.objects.exists()
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXAMPLE.read_text()[:5000], "cut off"),
        ("", "not whole JSON"),
        ("<html>", "not whole JSON"),
        ('{"data": 7}', "no list of numbers"),
        ('"text"', "no list of numbers"),
        ("[1, 2]", "no list of numbers"),
        ('{"data": [], "totalRecords": 400}', "one page of several"),
        ('{"data": [{}, {}], "totalRecords": 1}', "announces 1 numbers and holds 2"),
    ],
)
def test_a_file_that_is_no_page_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "page.json"
    path.write_text(text)
    with pytest.raises(CommandError) as refused:
        load(path, capsys)
    assert words in str(refused.value)
    assert not PhoneNumber.objects.exists()


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        load(tmp_path / "missing.json", capsys)


def platform(sandbox: Sandbox, **options: Any) -> dict[str, Any]:
    """How to get into the sandbox's former platform."""
    tenant = sandbox.state()["directoryTenantId"]
    return {
        "token_url": f"{sandbox.url}/login/{tenant}/oauth2/v2.0/token",
        "client_id": "console",
        "client_secret": "sandbox-only-secret",
        "scope": "platform/.default",
    } | options


def test_an_address_is_walked_page_by_page(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"{sandbox.url}/platform/api/v3/oc/numbers"
    total = sandbox.state()["platformNumbers"]
    assert load(url, capsys, **platform(sandbox)).startswith(f"{total} numbers created")
    pages = [entry for entry in sandbox.requests()["value"] if entry["mount"] == "platform"]
    assert len(pages) == -(-total // 200)
    assert load(url, capsys, **platform(sandbox)).startswith("0 numbers created, 0 completed")


def test_moving_in_and_then_synchronising_shows_what_differed(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    load(f"{sandbox.url}/platform/api/v3/oc/numbers", capsys, **platform(sandbox))
    task = passes.synchronise()
    result = {key: value for key, value in task.result.items() if key not in ("notes", "pages", "complete")}
    assert result == {
        "new": 45,
        "activated": 12,
        "gone": 8,
        "removal_requested": 4,
        "released": 4,
        "changed": 20,
        "completed": 336,  # what the V3 record does not carry
        "conflicts": 1,
    }
    example = PhoneNumber.objects.filter(customer__tenant_id="3bc57cac-5794-457f-ad36-2c88cade9dbb")
    assert set(example.values_list("pk", "status")) == {
        (record["id"], record["acquiredNumberStatus"]) for record in json.loads(EXAMPLE.read_text())["data"]
    }
    assert not task.items.filter(key__in=example.values("e164")).exclude(code="completed").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"client_secret": "guess-4711"}, "secret"),
        ({"token_url": "http://127.0.0.1:9/token"}, "127.0.0.1"),
        ({"token_url": None}, "needs --token"),
    ],
)
def test_a_wrong_way_in_is_one_sentence(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError) as refused:
        load(f"{sandbox.url}/platform/api/v3/oc/numbers", capsys, **platform(sandbox, **options))
    assert words in str(refused.value)
    assert "4711" not in str(refused.value)
    assert not PhoneNumber.objects.exists()


@pytest.mark.parametrize(
    "action",
    [
        {"truncate": True},
        {"status": 200, "body": "<html>", "contentType": "text/html"},
        {"status": 500},
        {"status": 200, "body": '{"data": [], "totalPages": 2, "totalRecords": 395, "currentPage": 1}'},
    ],
)
def test_an_address_that_fails_half_way_loads_nothing(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], action: dict[str, Any]
) -> None:
    sandbox.fault({"mount": "platform", "path": "pageNumber=2"}, action, times=5)
    with pytest.raises(CommandError):
        load(f"{sandbox.url}/platform/api/v3/oc/numbers", capsys, **platform(sandbox))
    assert not PhoneNumber.objects.exists()
    sandbox.call("DELETE", "/faults")
    assert load(f"{sandbox.url}/platform/api/v3/oc/numbers", capsys, **platform(sandbox)).startswith("395 numbers")
