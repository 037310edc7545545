"""What each role in each place may read, and the header that narrows it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ocadmin.access.audit import Channel
from ocadmin.access.clients import CannotMake, find, make
from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Permission, Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api import authentication
from ocadmin.numbers import importing
from ocadmin.numbers.models import Channel as Reseller
from ocadmin.numbers.models import Customer, ImportRow, Mode
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory, TaskFactory, grant

from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

LISTS = ("v3/oc/numbers", "v3/oc/numbers?after=", "v2/oc/numbers")


class Place:
    """Three customers: of a reseller, of another one, of none; each has one number."""

    def __init__(self) -> None:
        self.channel = ChannelFactory(ovoc_channel_id=7)
        self.other = ChannelFactory(ovoc_channel_id=8)
        self.customers = {
            "ours": CustomerFactory(channel=self.channel),
            "theirs": CustomerFactory(channel=self.other),
            "direct": CustomerFactory(),
        }
        self.e164 = {
            name: PhoneNumberFactory(customer=row, e164=f"+4420794600{n}").e164
            for n, (name, row) in enumerate(self.customers.items(), 10)
        }

    def seen(self, program: Program, **headers: Any) -> set[str]:
        """Whose numbers every list shows; all lists show the same."""
        found = []
        for path in LISTS:
            answer = program.http.get(f"/api/{path}", headers=headers or None)
            assert answer.status_code == 200
            body = b"".join(answer) if answer.streaming else answer.content
            found.append({name for name, e164 in self.e164.items() if e164.encode() in body})
        assert found[0] == found[1] == found[2]
        for name, e164 in self.e164.items():
            one = program.http.get(f"/api/v2/oc/numbers/{e164}", headers=headers or None)
            assert one.status_code == (200 if name in found[0] else 404)
            tenant = {"msTenantId": str(self.customers[name].tenant_id)}
            many = program.http.get("/api/v3/oc/numbers", tenant, headers=headers or None)
            assert many.status_code == (200 if name in found[0] else 404)
        return found[0]


@pytest.fixture
def place(db: None) -> Place:
    return Place()


EVERYBODY = {"ours", "theirs", "direct"}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_reads_its_place(place: Place, program: Programs, role: str) -> None:
    assert place.seen(program(role)) == EVERYBODY
    assert place.seen(program(role, channel=place.channel)) == {"ours"}
    assert place.seen(program(role, customer=place.customers["direct"])) == {"direct"}


def test_several_roles_add_up(place: Place, program: Programs) -> None:
    one = program(Role.MONITOR, channel=place.channel)
    grant(one.client, Role.OPERATOR, customer=place.customers["direct"])
    assert place.seen(one) == {"ours", "direct"}


def test_a_program_without_a_role_is_refused(place: Place, program: Programs) -> None:
    one = program()
    one.client.memberships.all().delete()
    for path in (*LISTS, "v2/oc/numbers/+442079460010"):
        answer = one.get(path)
        assert (answer.status_code, answer.json()["errorCode"]) == (403, "forbidden")


@pytest.mark.parametrize("path", [*LISTS, "v2/oc/numbers/+442079460010"])
def test_nobody_reads_without_a_token(place: Place, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer x.y.z"},
    ):
        answer = Client().get(f"/api/{path}", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)
        assert "+4420" not in answer.text.replace(path, "")


def test_the_header_narrows(place: Place, program: Programs) -> None:
    header = {"X-Ovoc-Channel-Id": "7"}
    assert place.seen(program(), **header) == {"ours"}
    assert place.seen(program(channel=place.channel), **header) == {"ours"}
    both = program(Role.MONITOR, customer=place.customers["ours"])
    grant(both.client, Role.MONITOR, customer=place.customers["direct"])
    assert place.seen(both) == {"ours", "direct"}
    assert place.seen(both, **header) == {"ours"}


@pytest.mark.parametrize("value", ["8", "9", "0"])
def test_the_header_never_widens(place: Place, program: Programs, value: str) -> None:
    """A channel that is not in reach is as good as missing; 0 is what records without one show."""
    for one in (program(channel=place.channel), program(customer=place.customers["ours"])):
        for path in LISTS:
            answer = one.get(path, headers={"X-Ovoc-Channel-Id": value})
            assert (answer.status_code, answer.json()["errorCode"]) == (404, "channel_not_found")
            sentence = f"There is no channel with the ovocChannelId {value}. Those in reach: 7."
            assert answer.json()["detail"] == sentence


def test_a_program_without_channels_is_told_of_none(place: Place, program: Programs) -> None:
    answer = program(customer=place.customers["direct"]).get(LISTS[0], headers={"X-Ovoc-Channel-Id": "7"})
    assert answer.json()["detail"].endswith("There is none that this API client reaches.")


def test_the_header_is_the_id_that_records_show(place: Place, program: Programs) -> None:
    """And not that of the channel's row."""
    row = ChannelFactory(pk=501, ovoc_channel_id=9)
    PhoneNumberFactory(customer__channel=row)
    shown = {one["ovocChannelId"] for one in program().get(LISTS[0]).json()["data"]}
    assert shown == {0, 7, 8, 9}
    one = program(channel=row)
    assert one.get(LISTS[0], headers={"X-Ovoc-Channel-Id": "9"}).json()["totalRecords"] == 1
    assert one.get(LISTS[0], headers={"X-Ovoc-Channel-Id": "501"}).status_code == 404


def test_the_header_narrows_what_the_program_began_itself(place: Place, program: Programs) -> None:
    """A portal that speaks for one channel must not be shown what it did for another one."""
    one = program()
    tasks = {
        name: TaskFactory(customer_ref=row.pk, channel_ref=row.channel_id, actor_id=one.client.pk).pk
        for name, row in place.customers.items()
    }
    tasks["several"] = TaskFactory(actor_id=one.client.pk).pk
    shown = one.get("v3/oc/tasks", headers={"X-Ovoc-Channel-Id": "7"}).json()["data"]
    assert {task["id"] for task in shown} == {tasks["ours"], tasks["several"]}
    for name in ("theirs", "direct"):
        for path in (f"v3/oc/tasks/{tasks[name]}", f"v2/task/{tasks[name]}"):
            assert one.get(path, headers={"X-Ovoc-Channel-Id": "7"}).status_code == 404
            assert one.get(path).status_code == 200


def test_the_header_narrows_imports(place: Place, program: Programs) -> None:
    one = program()
    file = SimpleUploadedFile("numbers.csv", b"telephoneNumber\r\n+442079460011\r\n")
    batch = importing.keep(file, mode=Mode.UPDATE, user=User.objects.get(pk=one.client.pk))
    theirs = place.customers["theirs"]
    ImportRow.objects.create(batch=batch, line=2, outcome=0, customer_ref=theirs.pk, channel_ref=theirs.channel_id)
    for header, there in ({"X-Ovoc-Channel-Id": "7"}, []), ({"X-Ovoc-Channel-Id": "8"}, [str(batch.pk)]):
        assert [row["id"] for row in one.get("v3/oc/imports", headers=header).json()] == there
    assert len(one.get("v3/oc/imports").json()) == 1


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "1" * 12, "٧", "7,8"])
def test_a_header_that_is_no_channel(program: Programs, value: str) -> None:
    assert program().get(LISTS[0], headers={"X-Ovoc-Channel-Id": value}).status_code == 400


def test_the_header_keeps_the_role(place: Place, program: Programs) -> None:
    one = program(Role.OPERATOR)
    principal = authentication.within(authentication.principal_of(one.token), "7")
    assert principal.can(Permission.RELEASE)
    assert not principal.can(Permission.APPROVE_REMOVAL)
    assert not principal.can_everywhere(Permission.VIEW)


def test_a_scope_of_the_token_leaves_the_place(place: Place, program: Programs) -> None:
    assert place.seen(program(Role.ADMIN, "view", channel=place.channel)) == {"ours"}


def test_the_audit_trail_names_the_program(program: Programs) -> None:
    one = program(Role.MONITOR)
    principal = authentication.principal_of(one.token)
    assert (principal.name, principal.user_id) == (str(one.client), one.client.pk)
    made = AuditEntry.objects.get(action="api_client.add")
    assert (made.object_id, made.label) == (str(one.client.pk), str(one.client))
    assert one.secret not in str(AuditEntry.objects.values_list())


def test_a_name_is_taken_once(program: Programs, contoso: Customer) -> None:
    first = program()
    with pytest.raises(CannotMake):
        make(str(first.client), Role.MONITOR, by=SYSTEM, channel=Channel.COMMAND)
    assert find("nobody") is None
    assert Reseller.objects.count() == 0
