"""Files of other programs are recognised by their headers and mapped without a question."""

import csv
import io
import uuid
from typing import Any

import pytest
from django.test import Client

from ocadmin.access.models import User
from ocadmin.access.services import principal_of
from ocadmin.numbers import importing
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import ImportState, Mode, NumberImport, PhoneNumber, RowOutcome
from ocadmin.numbers.operations.imports import NotReady, start_import
from ocadmin.numbers.operations.imports.shapes import recognise
from ocadmin.tasks.models import Task, TaskState
from tests.factories import CivicAddressFactory, CustomerFactory, LocationFactory, PhoneNumberFactory
from tests.numbers.imports import checked, confirmed, keep, outcomes, sheet
from tests.numbers.world import World

from .test_relocate import place_of
from .uploads import place

__all__ = ["place"]
pytestmark = pytest.mark.django_db

NO_GUID = "00000000-0000-0000-0000-000000000000"
_TEAMS_OC = "serviceDetails_teamsOperatorConnect_"
_SETUP = f"{_TEAMS_OC}configuration_"
GATEWAY = [
    "telephoneNumber",
    "accountName",
    f"{_TEAMS_OC}enabled",
    f"{_TEAMS_OC}assignmentStatus",
    f"{_SETUP}usage",
    f"{_SETUP}choosableCapabilities",
    f"{_SETUP}additionalUsages",
    f"{_SETUP}civicAddressId",
    f"{_SETUP}locationId",
    f"{_SETUP}allowTenantAddressUpdate",
    f"{_SETUP}displayedCountryCode",
    "configuration_customSipHeader",
]
# As the module MicrosoftTeams writes them with Export-Csv.
TEAMS = [
    "TelephoneNumber",
    "OperatorId",
    "NumberType",
    "ActivationState",
    "AssignedPstnTargetId",
    "AssignmentCategory",
    "Capability",
    "City",
    "CivicAddressId",
    "IsoCountryCode",
    "IsoSubdivision",
    "LocationId",
    "LocationUpdateSupported",
    "NetworkSiteId",
    "NumberSource",
    "PortInOrderStatus",
    "PstnAssignmentStatus",
    "PstnPartnerId",
    "PstnPartnerName",
    "ReverseNumberLookup",
    "Tag",
]
NUMBER = "+442079460500"


def gateway(number: str, world: World, **more: str) -> list[str]:
    values = {
        "telephoneNumber": number,
        "accountName": world.customer.full_name,
        f"{_TEAMS_OC}enabled": "true",
        f"{_TEAMS_OC}assignmentStatus": "assigned",
        f"{_SETUP}usage": "CallingUserAssignment",
        f"{_SETUP}choosableCapabilities": "InboundCalling,OutboundCalling",
        f"{_SETUP}allowTenantAddressUpdate": "True",
        "configuration_customSipHeader": "X-1",
    } | {f"{_SETUP}{name}": value for name, value in more.items()}
    return [values.get(name, "") for name in GATEWAY]


def teams(number: str, **more: str) -> list[str]:
    values = {
        "TelephoneNumber": number,
        "OperatorId": "83d289bc-a4d3-41e6-8a3f-cff260a3f091",
        "NumberType": "OperatorConnect",
        "ActivationState": "Activated",
        "Capability": "UserAssignment",
        "CivicAddressId": NO_GUID,
        "LocationId": NO_GUID,
        "IsoCountryCode": "GB",
        "NumberSource": "Online",
        "PstnAssignmentStatus": "Unassigned",
    } | more
    return [values.get(name, "") for name in TEAMS]


def ours(number: str = NUMBER, **more: Any) -> PhoneNumber:
    """As `teams` says by default."""
    values = {
        "iso_country_code": "GB",
        "assignment_status": "Unassigned",
        "activation_state": "Activated",
        "acquired_capabilities": ["UserAssignment", "InboundCalling"],
    } | more
    made: PhoneNumber = PhoneNumberFactory(e164=number, **values)
    return made


def changes(batch: NumberImport) -> dict[str, Any]:
    return {row.e164: row.changes for row in batch.rows.filter(outcome=RowOutcome.DIFFERS)}


def test_a_list_for_the_gateway_takes_its_settings_from_the_form(place: World, alice: User) -> None:
    batch = keep(b"Numbers\n+442079460700\n+442079460701\n", alice)
    assert (batch.shape, batch.mapping) == ("gateway-list", ["telephoneNumber"])
    assert not importing.needs_nobody(batch)
    defaults = {"customer": "harbourline", "usage": "FirstPartyAppAssignment", "capabilities": "InboundCalling"}
    batch = checked(b"Numbers\n+442079460700\n+442079460701\n", alice, defaults=defaults)
    assert batch.counts == {"new": 2}, list(batch.rows.values_list("problems", flat=True))
    task = confirmed(batch, alice)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2), task.message
    assert set(PhoneNumber.objects.values_list("usage", flat=True)) == {"FirstPartyAppAssignment"}


def test_an_upload_file_for_the_gateway_with_all_its_columns(place: World, alice: User) -> None:
    where = place_of(place.customer)
    content = sheet(
        GATEWAY,
        gateway("+442079460700", place),
        gateway(
            "+442079460701",
            place,
            locationId=str(where.pk),
            civicAddressId=str(where.civic_address_id),
            allowTenantAddressUpdate="false",
        ),
        gateway("+442079460702", place, usage="FirstPartyAppAssignment", choosableCapabilities="InboundCalling"),
    )
    batch = checked(content, alice)
    assert (batch.shape, importing.needs_nobody(batch)) == ("gateway", True)
    assert batch.counts == {"new": 3}, list(batch.rows.values_list("problems", flat=True))
    task = confirmed(batch, alice)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 3), task.message
    found = PhoneNumber.objects.in_bulk(field_name="e164")
    assert {number.customer for number in found.values()} == {place.customer}
    assert found["+442079460701"].location == where
    assert found["+442079460701"].allow_tenant_address_update is False
    assert {"InboundCalling", "OutboundCalling"} <= set(found["+442079460700"].acquired_capabilities)
    assert found["+442079460702"].usage == "FirstPartyAppAssignment"


@pytest.mark.parametrize("said", [{f"{_TEAMS_OC}enabled": "FALSE"}, {f"{_TEAMS_OC}assignmentStatus": "unassigned"}])
def test_rows_of_the_gateway_that_ask_for_the_contrary_are_refused(
    place: World, alice: User, alice_client: Client, said: dict[str, str]
) -> None:
    row = dict(zip(GATEWAY, gateway("+442079460700", place), strict=True)) | said
    content = sheet(GATEWAY, list(row.values()), gateway("+442079460701", place))
    batch = checked(content, alice)
    assert batch.counts == {"new": 1, "refused": 1}
    told = b"".join(alice_client.get(f"/numbers/import/{batch.pk}/rejected.csv").streaming_content)
    corrected = told.replace(b"FALSE", b"true").replace(b"unassigned", b"assigned")
    again = keep(corrected, alice)
    assert importing.needs_nobody(again), again.mapping
    assert checked(corrected, alice).counts == {"new": 1}


@pytest.mark.parametrize(
    ("headers", "shape"),
    [
        (GATEWAY, "gateway"),
        ([name.upper() for name in GATEWAY], "gateway"),
        ([f" {name.replace('_', ' ')} " for name in GATEWAY], "gateway"),
        ([GATEWAY[0], GATEWAY[4]], "gateway"),
        (["NUMBERS"], "gateway-list"),
        (TEAMS, "teams"),
        ([name.lower() for name in TEAMS], "teams"),
        ([*TEAMS, "WhatComesNext"], "teams"),
        (["telephoneNumber", "note"], "own"),
        (["Telephone Number", "MS-Tenant-ID", "error"], "own"),
        (["telephoneNumber", "shoe size"], None),
        (["telephoneNumber", "Telephone_Number"], None),
        (["note"], None),
        (["constructor", "__proto__"], None),
        ([""], None),
    ],
)
def test_headers_tell_the_shape(headers: list[str], shape: str | None) -> None:
    found = recognise(headers)
    assert (found.code if found else None) == shape


@pytest.mark.parametrize(
    "header", ["number", "Phone Number", "E164", "PHONENUMBER", " telephone ", "\u00a0e164", "Numbers", "phone-number"]
)
@pytest.mark.parametrize("customer", ["tenantId", "Tenant ID", "customer name", "accountName", "MSTENANTID"])
def test_other_names_of_columns_are_known(alice: User, header: str, customer: str) -> None:
    batch = keep(sheet([header, customer], [NUMBER, ""]), alice)
    assert batch.mapping[0] == "telephoneNumber"
    assert batch.mapping[1] in ("msTenantId", "customer")
    assert importing.needs_nobody(batch)


def test_one_meaning_is_given_once(alice: User) -> None:
    batch = keep(sheet(["number", "telephoneNumber", "Tag", "tags"], [NUMBER, "", "", ""]), alice)
    assert batch.mapping == ["telephoneNumber", None, "tags", None]
    assert not importing.needs_nobody(batch)


def test_what_teams_says_is_compared(contoso: Any, alice: User) -> None:
    where = LocationFactory(civic_address=CivicAddressFactory(customer=contoso))
    ours(customer=contoso)
    ours("+442079460501", customer=contoso, assignment_status="VoiceApp", acquired_capabilities=["InboundCalling"])
    ours("+442079460502", customer=contoso, location=where, civic_address=where.civic_address)
    ours("+442079460503", customer=contoso)
    ours("+442079460504", customer=contoso, assignment_status="UserAssigned", assignment_target_id="7a-b")
    ours("+442079460509", customer=contoso)
    ours("+442079460599", customer=CustomerFactory(full_name="Elsewhere"))
    content = sheet(
        TEAMS,
        teams(NUMBER),
        teams("+442079460501", PstnAssignmentStatus="VoiceApplicationAssigned", Capability="InboundCalling"),
        teams("+442079460502"),
        teams("+442079460503", PstnAssignmentStatus="UserAssigned", AssignedPstnTargetId="7A-B", IsoCountryCode="gb"),
        teams("+442079460504", PstnAssignmentStatus="UserAssigned", AssignedPstnTargetId="7A-B"),
        teams("+442079460505"),
        teams("+4930901820", NumberType="DirectRouting"),
        teams("+442079460507;ext=12", NumberType="DirectRouting"),
        teams("+442079460508", NumberType="CallingPlan"),
    )
    batch = checked(content, alice)
    assert (batch.shape, batch.mode, batch.state) == ("teams", Mode.COMPARE, ImportState.READY)
    assert outcomes(batch) == {
        NUMBER: "unchanged",
        "+442079460501": "unchanged",
        "+442079460502": "differs",
        "+442079460503": "differs",
        "+442079460504": "unchanged",
        "+442079460505": "missing_here",
        "+442079460509": "only_here",
    }
    assert changes(batch) == {
        "+442079460502": {
            "locationId": [str(where.pk), NO_GUID],
            "civicAddressId": [str(where.civic_address_id), NO_GUID],
        },
        "+442079460503": {"assignment": ["Unassigned", "UserAssigned"], "assignedTo": ["", "7A-B"]},
    }
    assert batch.notes["other_kind"][1] == 3
    assert Task.objects.count() == 1


def test_the_differences_come_as_a_file(alice_client: Client, alice: User, contoso: Any) -> None:
    ours(customer=contoso)
    ours("+442079460501", customer=contoso, note="=1")
    content = sheet(TEAMS, teams(NUMBER, ActivationState="=cmd()"), teams("+442079460502"), teams("nonsense"))
    batch = checked(content, alice)
    answer = alice_client.get(f"/numbers/import/{batch.pk}/differences.csv")
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == ["telephoneNumber", "line", "outcome", "column", "here", "file"]
    assert lines[1] == [NUMBER, "2", "differs", "activationState", "Activated", "'=cmd()"]
    assert lines[2] == ["+442079460502", "3", "missing_here", "", "", ""]
    assert lines[3][:3] == ["nonsense", "4", "refused"]
    assert lines[4] == ["+442079460501", "", "only_here", "", "", ""]


def test_lists_that_powershell_cannot_write_say_nothing(alice: User, contoso: Any) -> None:
    """Export-Csv writes the type of a list instead of its words."""
    ours(customer=contoso)
    lost = "System.Collections.Generic.List`1[System.String]"
    batch = checked(sheet(TEAMS, teams(NUMBER, Capability=lost)), alice)
    assert outcomes(batch) == {NUMBER: "unchanged"}, changes(batch)


def test_old_powershell_writes_a_line_of_its_own(alice: User, contoso: Any) -> None:
    """Windows PowerShell 5.1 begins with #TYPE unless it is told not to."""
    ours(customer=contoso)
    content = b"#TYPE Microsoft.Rtc.Management.Hosted.Voice.Number\r\n" + sheet(TEAMS, teams(NUMBER))
    batch = checked(content, alice)
    assert (batch.shape, outcomes(batch)) == ("teams", {NUMBER: "unchanged"})
    assert batch.rows.get().line == 3


def test_what_is_compared_is_never_imported(alice: User, alice_client: Client, contoso: Any) -> None:
    ours(customer=contoso, note="as it was")
    batch = checked(sheet(TEAMS, teams(NUMBER, ActivationState="AssignmentFailed")), alice)
    path = f"/numbers/import/{batch.pk}/"
    page = alice_client.get(path).content.decode()
    assert "confirm/" not in page
    alice_client.post(f"{path}confirm/", {"shown": f"{batch.check_ref}-0-0", "rows": "good"})
    with pytest.raises(NotReady):
        start_import(batch, whole=False, by=principal_of(alice), channel="csv", ticket="", comment="")
    assert not Task.objects.filter(kind="import").exists()


def test_a_file_from_teams_stays_a_comparison_whatever_the_form_says(
    alice: User, alice_client: Client, contoso: Any
) -> None:
    ours(customer=contoso)
    batch = checked(sheet(TEAMS, teams(NUMBER)), alice)
    data = {f"column_{place}": column or "-" for place, column in enumerate(batch.mapping)} | {"mode": "upsert"}
    alice_client.post(f"/numbers/import/{batch.pk}/columns/", data)
    batch.refresh_from_db()
    assert batch.mode == Mode.COMPARE


def test_any_file_can_be_only_compared(alice: User, contoso: Any) -> None:
    ours(customer=contoso, status=Status.ACTIVE, calling_profile=None)
    content = sheet(
        ["telephoneNumber", "country", "status", "callingProfileId"],
        [NUMBER, "GB", "Active", f"{{{uuid.UUID(int=0)}}}"],
        ["+442079460501", "GB", "Active", ""],
    )
    batch = checked(content, alice, mode=Mode.COMPARE)
    assert outcomes(batch) == {NUMBER: "unchanged", "+442079460501": "missing_here"}
