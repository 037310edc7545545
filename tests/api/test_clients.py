"""Making API clients on the command line, and keeping them in the admin."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from ocadmin.access import clients
from ocadmin.access.models import ApiClient, AuditEntry, Membership, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer
from tests.factories import ChannelFactory

from .conftest import Programs

pytestmark = pytest.mark.django_db

APP = "5F3FBB3B-DF9B-483D-B294-C7EB01E22AAC"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_client", *arguments, stdout=out)
    return out.getvalue()


def test_the_secret_is_printed_once(contoso: Customer) -> None:
    said = run("portal", "--role", "operator", "--scope", f"customer:{contoso.tenant_id}")
    client = ApiClient.objects.get()
    secret = re.search(r"^client_secret: (\S+)$", said, re.MULTILINE)
    assert secret is not None
    assert f"client_id: {client.username}\n" in said
    assert "portal has the role Operator: Contoso." in said
    known = clients.find(client.username)
    assert known is not None
    assert known.accepts(secret[1])
    assert [(row.role, row.customer) for row in Membership.objects.all()] == [(Role.OPERATOR, contoso)]
    assert {entry.action for entry in AuditEntry.objects.all()} == {"api_client.add", "access.grant"}
    assert secret[1] not in str(AuditEntry.objects.values_list())


def test_a_channel_and_an_end(db: None) -> None:
    channel = ChannelFactory(ovoc_channel_id=1574)
    run("portal", "--role", "MONITOR", "--scope", "channel:1574", "--days", "30")
    client = ApiClient.objects.get()
    assert client.expires_at is not None
    assert round((client.expires_at - client.date_joined).total_seconds() / 86400) == 30
    assert client.memberships.get().channel == channel


@pytest.mark.parametrize("role", ["lite", "Lite Operator", "lite-operator", "LITE_OPERATOR"])
def test_a_role_by_any_of_its_names(db: None, role: str) -> None:
    assert "has the role Lite Operator: whole system" in run("portal", "--role", role)


def test_an_application_of_entra_gets_no_secret(db: None) -> None:
    said = run("portal", "--role", "monitor", "--entra-app", APP)
    assert "secret" not in said
    assert ApiClient.objects.get().username == APP.lower()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("taken", "--role", "admin"), "There is an API client called taken already."),
        (("new", "--role", "king"), "There is no role called king: use one of admin, operator, lite, monitor."),
        ((" ", "--role", "admin"), "A name has 1 to 150 characters."),
        (
            ("new", "--role", "admin", "--scope", "contoso"),
            "contoso is not a scope: write channel:ID or customer:GUID.",
        ),
        (
            ("new", "--role", "admin", "--scope", "channel:"),
            "channel: is not a scope: write channel:ID or customer:GUID.",
        ),
        (
            ("new", "--role", "admin", "--scope", "channel:77"),
            "There is no channel with the ovocChannelId 77. No channel here has one.",
        ),
        (("new", "--role", "admin", "--scope", "customer:x"), "x is not a tenant ID: write it as a GUID."),
        (("new", "--role", "admin", "--days", "0"), "Write a number of days from 1 to 36500."),
        (("new", "--role", "admin", "--entra-app", "x"), "x is not an application ID: write it as a GUID."),
    ],
)
def test_what_is_refused_in_one_sentence(db: None, arguments: tuple[str, ...], sentence: str) -> None:
    run("taken", "--role", "monitor")
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert str(caught.value) == sentence
    assert ApiClient.objects.count() == 1


def test_an_application_is_registered_once(db: None) -> None:
    run("one", "--role", "monitor", "--entra-app", APP)
    with pytest.raises(CommandError, match="is registered already"):
        run("two", "--role", "monitor", "--entra-app", APP)


@pytest.fixture
def root(alice: User) -> Client:
    """Alice in the admin."""
    alice.is_staff = True
    alice.save()
    client = Client()
    client.force_login(alice)
    return client


def change_page(pk: int) -> str:
    return reverse("admin:access_apiclient_change", args=[pk])


def fields(pk: int) -> dict[str, str]:
    """The form as it is shown, without a change; no role is added."""
    client = ApiClient.objects.get(pk=pk)
    forms = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}
    inline = {f"memberships-{name}": value for name, value in forms.items()}
    return {"first_name": client.first_name, "is_active": "on", "expires_at_0": "", "expires_at_1": ""} | inline


def test_the_admin_lists_and_never_shows_a_secret(root: Client, program: Programs) -> None:
    one = program()
    for page in (reverse("admin:access_apiclient_changelist"), change_page(one.client.pk)):
        shown = root.get(page)
        assert shown.status_code == 200
        assert one.client.username in shown.text
        assert one.secret not in shown.text
        assert one.row.secret_hash not in shown.text
    assert one.client.username not in root.get(reverse("admin:access_user_changelist")).text
    assert root.get(reverse("admin:access_apiclient_add")).status_code == 403


def test_disabling_is_audited_and_ends_its_tokens(root: Client, program: Programs) -> None:
    one = program()
    assert one.get("v3/oc/numbers").status_code == 200
    changed = fields(one.client.pk)
    del changed["is_active"]
    assert root.post(change_page(one.client.pk), changed).status_code == 302
    assert one.get("v3/oc/numbers").status_code == 401
    entry = AuditEntry.objects.get(action="api_client.change")
    assert (entry.before, entry.after) == ({"is_active": True}, {"is_active": False})


def test_roles_stand_on_its_page(root: Client, program: Programs, contoso: Customer) -> None:
    one = program(Role.MONITOR)
    forms = {"memberships-TOTAL_FORMS": "2", "memberships-INITIAL_FORMS": "1"}
    row = one.client.memberships.get()
    old = {"memberships-0-id": row.pk, "memberships-0-user": one.client.pk, "memberships-0-role": "monitor"}
    new = {"memberships-1-user": one.client.pk, "memberships-1-role": "operator", "memberships-1-customer": contoso.pk}
    answer = root.post(change_page(one.client.pk), fields(one.client.pk) | forms | old | new)
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    assert {(row.role, row.customer) for row in one.client.memberships.all()} == {
        ("monitor", None),
        ("operator", contoso),
    }


def test_a_new_secret_is_shown_once_and_ends_the_old_one(root: Client, program: Programs) -> None:
    one = program()
    address = reverse("admin:access_apiclient_secret", args=[one.client.pk])
    assert address in root.get(change_page(one.client.pk)).text
    assert root.get(address).status_code == 302
    assert one.get("v3/oc/numbers").status_code == 200
    shown = root.post(address)
    secret = re.search(r"ocs_[\w-]+", shown.text)
    assert secret is not None
    assert "no-store" in shown.headers["Cache-Control"]
    known = clients.find(one.client.username)
    assert known is not None
    assert known.accepts(secret[0])
    assert not known.accepts(one.secret)
    assert one.get("v3/oc/numbers").status_code == 401
    assert AuditEntry.objects.filter(action="api_client.secret", channel="admin").count() == 1
    assert secret[0] not in root.get(change_page(one.client.pk)).text


def test_an_application_is_given_no_secret(root: Client) -> None:
    run("portal", "--role", "monitor", "--entra-app", APP)
    pk = ApiClient.objects.get().pk
    address = reverse("admin:access_apiclient_secret", args=[pk])
    assert address not in root.get(change_page(pk)).text
    root.post(address)
    assert ApiClient.objects.get().secret_hash == ""


def test_others_give_no_secrets(bob: User, program: Programs) -> None:
    one = program()
    bob.is_staff = True
    bob.save()
    client = Client()
    client.force_login(bob)
    client.post(reverse("admin:access_apiclient_secret", args=[one.client.pk]))
    assert one.get("v3/oc/numbers").status_code == 200
