"""POST /api/v2|v3/oc/numbers/action/upload and number-status."""

from typing import Any

import pytest

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import Task, TaskState
from tests.factories import CallingProfileFactory, ChannelFactory, CustomerFactory, PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.world import HARBOURLINE, SAUERLAND, World

from .acting import of, refused, task_of
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

PATH = "v2/oc/numbers/action/upload"
STATUS = "v2/oc/numbers/action/number-status"
NUMBERS = ["+442079460700", "+442079460701"]  # Ofcom's drama range, not used by the sandbox's seeds


def body_for(world: World, **more: Any) -> dict[str, Any]:
    return {
        "callingProfile": str(world.profile.pk),
        "usage": "CallingUserAssignment",
        "phoneNumbersList": NUMBERS,
    } | more


def test_numbers_are_uploaded_to_the_end(world: World, program: Programs) -> None:
    """With the keys as the reference writes them; the profile by its name; nothing said of capabilities or a place."""
    world.route([])
    body = {
        "CallingProfile": "emea",
        "Ticket ID": "CHG-7",
        "Usage": "CallingUserAssignment",
        "AdditionalUsage": [],
        "phoneNumbersList": NUMBERS[:1],
        "phoneNumberRanges": [{"Start": NUMBERS[1], "End": NUMBERS[1]}],
        "workflowVersion": 3,
    }
    caller = program()
    task = task_of(caller.post(PATH.replace("v2", "v3"), body, **of(world)))
    assert (task.channel, task.ticket, task.total) == (Channel.API, "CHG-7", 2)
    assert task.title == "Upload 2 numbers to Harbourline"
    name = f"tsk_msjob_{task.uid}"
    assert caller.get(f"v2/task/{name}").json()["status"] == "In Progress"
    passes.finish(task)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2), task.message
    number = PhoneNumber.objects.get(e164=NUMBERS[0])
    assert (number.status, number.source) == (Status.PENDING_FIRST_SYNC, Source.WEB_API)
    assert number.acquired_capabilities == ["InboundCalling", "Office365", "OutboundCalling", "UserAssignment"]
    assert number.allow_tenant_address_update is True
    assert world.device_prefixes() == set(NUMBERS)
    assert world.status_at_microsoft(NUMBERS[1]) is not None
    answer = caller.get(f"v2/task/{name}").json()
    assert (answer["status"], answer["totalNumbersCount"]) == ("CompletedSuccess", 2)
    output = answer["outputData"]
    assert (output["NumbersUploaded"], output["WorkflowVersion"], output["OcUploadNumberResult"]) == (2, 3, "Success")
    assert output["MsUploadJobId"] == str(number.tn_upload_job_id)
    # the same again is no error: all is as it should be
    again = passes.finish(task_of(caller.post(PATH, body, **of(world))))
    assert (again.state, again.unchanged) == (TaskState.SUCCEEDED, 2)


def test_a_dry_run_and_what_is_wrong_with_numbers(world: World, program: Programs) -> None:
    other = CustomerFactory(full_name="Other")
    PhoneNumberFactory(e164="+442079460710", customer=other)
    body = body_for(world, phoneNumbersList=[*NUMBERS, "+442079460710", "+33123456789", "+44 20"])
    plan = program().post(PATH, body, dryRun="true", **of(world)).json()
    assert (plan["operation"], plan["begins"], plan["will"]["count"]) == ("upload", False, 2)
    codes = {group["code"]: group["sample"] for group in plan["leftAlone"]}
    assert codes == {
        "foreign": ["+442079460710"],
        "country_not_consented": ["+33123456789"],
        "too_short": ["+44 20"],
    }
    refused(program().post(PATH, body, **of(world)), 400, "numbers_refused")
    foreign = refused(
        program().post(PATH, body_for(world, phoneNumbersList=[*NUMBERS, "+442079460710"]), **of(world)), 409, "foreign"
    )
    assert "Other" not in str(foreign)
    assert [one["telephoneNumber"] for one in foreign["errors"]] == ["+442079460710"]
    assert program().post(PATH, body_for(world), dryRun="true", **of(world)).json()["begins"] is True
    assert not Task.objects.exists()
    assert not PhoneNumber.objects.filter(customer=world.customer).exists()
    task = task_of(program().post(PATH, body, allowPartial="true", **of(world)))
    assert (task.total, task.refused) == (5, 3)


def test_what_is_wrong_with_the_settings_is_said(world: World, program: Programs) -> None:
    CallingProfileFactory(name="Twice")
    CallingProfileFactory(name="Twice")
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"callingProfile": "nowhere"}, 400, "unknown_profile"),
        ({"callingProfile": "twice"}, 400, "profile_unclear"),
        ({"callingProfile": "00000000-0000-0000-0000-000000000001"}, 400, "unknown_profile"),
        ({"callingProfile": "x\x00"}, 400, "invalid_request"),
        ({"usage": "Nonsense"}, 400, "usage_not_offered"),
        ({"usage": ""}, 400, "usage_not_offered"),
        ({"usage": None}, 400, "invalid_request"),
        ({"additionalUsage": "CallingUserAssignment"}, 400, "additional_usage_same"),
        ({"additionalUsage": ["ConferenceAssignment"], "workflowVersion": 2}, 400, "workflow_version"),
        ({"workflowVersion": 4}, 400, "invalid_request"),
        ({"capabilities": ["Flying"]}, 400, "capability_not_choosable"),
        ({"allowTenantAddressUpdate": False}, 400, "address_required"),
        ({"locationId": "00000000-0000-0000-0000-000000000001"}, 400, "unknown_location"),
        ({"locationId": "x"}, 400, "invalid_request"),
        ({"country": "FR"}, 400, "country_not_consented"),
        ({"country": "FR", "displayedCountryCode": "GB"}, 400, "country_unclear"),
        ({"ticketId": "x" * 65}, 400, "invalid_request"),
        ({"phoneNumbersList": []}, 400, "no_numbers"),
    ]
    caller = program()
    for more, status, code in cases:
        for dry in ("true", "false"):
            refused(caller.post(PATH, body_for(world, **more), dryRun=dry, **of(world)), status, code)
    world.customer.consent_status = "suspended"
    world.customer.save()
    refused(caller.post(PATH, body_for(world), **of(world)), 409, "consent_not_active")


def test_who_may(program: Programs) -> None:
    customer = CustomerFactory(channel=ChannelFactory())
    cases: list[tuple[Program, int]] = [
        (program(Role.LITE_OPERATOR), 403),
        (program(Role.MONITOR, customer=customer), 403),
        (program(Role.OPERATOR, customer=CustomerFactory()), 404),
        (program(Role.OPERATOR, channel=ChannelFactory()), 404),
        (program(Role.OPERATOR, channel=customer.channel), 400),
        (program(Role.OPERATOR, customer=customer), 400),
    ]
    body = {"callingProfile": "nowhere", "usage": "CallingUserAssignment", "phoneNumbersList": NUMBERS}
    for caller, status in cases:
        assert caller.post(PATH, body, msTenantId=customer.tenant_id).status_code == status
    for caller, status in cases[:4]:
        answer = caller.post(STATUS, {"telephoneNumbers": NUMBERS, "msTenantId": str(customer.tenant_id)})
        assert answer.status_code == status


def test_numbers_are_validated_by_us_and_by_microsoft(world: World, program: Programs) -> None:
    other = world.new_customer(SAUERLAND, "Sauerland")
    mine = world.numbers(1)[0]
    world.at_microsoft([PhoneNumberFactory.build(e164="+442079460799", customer=other)])
    numbers = [NUMBERS[0], mine.e164, "+442079460799", "+33123456789", "020"]
    body = {"TelephoneNumbers": numbers, "msTenantId": str(world.customer.tenant_id)}
    answer = program().post(STATUS, body)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found["validationResult"] == "Failed"
    by_number = {one["telephoneNumber"]: one for one in found["telephoneNumbers"]}
    assert list(by_number) == numbers
    assert by_number[NUMBERS[0]] == {
        "telephoneNumber": NUMBERS[0],
        "validationResult": "Success",
        "actionRequired": False,
        "validationDetail": [],
        "message": "",
        "telphoneNumberDetail": {"numberFound": False, "numberOffering": "", "assignmentStatus": ""},
    }
    assert by_number[mine.e164]["validationDetail"] == ["already", "already_at_microsoft"]
    assert by_number[mine.e164]["telphoneNumberDetail"]["numberFound"] is True
    assert by_number["+442079460799"]["validationDetail"] == ["NumberOwnedByAnotherTenant"]
    assert by_number["+33123456789"]["validationDetail"][0] == "country_not_consented"
    assert by_number["020"]["actionRequired"] is True
    good = program().post(
        STATUS.replace("v2", "v3"), {"telephoneNumbers": NUMBERS}, msTenantId=world.customer.tenant_id
    )
    assert good.json()["validationResult"] == "Success"
    assert not Task.objects.exists()


def test_validation_says_when_microsoft_does_not_answer(world: World, program: Programs) -> None:
    gone = Customer.objects.get(tenant_id=HARBOURLINE)
    gone.tenant_id = SAUERLAND.__class__(int=5)
    gone.save()
    body = {"telephoneNumbers": NUMBERS, "msTenantId": str(gone.tenant_id)}
    assert refused(program().post(STATUS, body), 502, "tenant_unknown")["detail"].startswith("Microsoft")
    refused(program().post(STATUS, {"telephoneNumbers": NUMBERS}), 400, "invalid_request")
    refused(program().post(STATUS, {"telephoneNumbers": ["+1"] * 1001, "msTenantId": "x"}), 400, "invalid_request")


def test_a_thousand_numbers_are_validated_at_most_in_whatever_form(world: World, program: Programs) -> None:
    """Microsoft takes no more at once."""
    tenant = str(world.customer.tenant_id)
    listed = [f"+44207946{n:04d}" for n in range(1_001)]
    spanned = [{"start": listed[1], "end": listed[-1]}]
    for body in ({"phoneNumbersList": listed}, {"telephoneNumbers": listed[:1], "phoneNumberRanges": spanned}):
        refused(program().post(STATUS, body | {"msTenantId": tenant}), 400, "too_many_numbers")
    few = program().post(STATUS, {"phoneNumbersList": listed[110:112], "msTenantId": tenant}).json()
    assert [one["telephoneNumber"] for one in few["telephoneNumbers"]] == listed[110:112]
    refused(program().post(STATUS, {"msTenantId": tenant}), 400, "no_numbers")
