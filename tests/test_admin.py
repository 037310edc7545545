"""Django's admin: who gets in, what is read-only, that every change is audited, and that lists stay cheap."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ocadmin.access import clients
from ocadmin.access.audit import Channel as Passage
from ocadmin.access.audit import record
from ocadmin.access.models import ApiClient, AuditEntry, Membership, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api.webhooks.models import Attempt, Delivery, Webhook
from ocadmin.numbers.models import (
    CallingProfile,
    Channel,
    CivicAddress,
    Customer,
    DriftFinding,
    DriftRun,
    Location,
    MicrosoftNumber,
    PhoneNumber,
    ReleasedNumber,
    SipConnection,
    StagedNumber,
    UpstreamJob,
)
from ocadmin.tasks.models import Task, TaskItem
from sbc.models import SBC, DialPlanRule
from tests import factories as make

pytestmark = pytest.mark.django_db

READ_ONLY = {
    Attempt,
    AuditEntry,
    CivicAddress,
    Delivery,
    DialPlanRule,
    DriftFinding,
    DriftRun,
    Location,
    MicrosoftNumber,
    ReleasedNumber,
    StagedNumber,
    Task,
    TaskItem,
    UpstreamJob,
    Webhook,
}
EDITABLE = {ApiClient, User, Membership, Channel, Customer, CallingProfile, PhoneNumber, SipConnection, SBC}
MODELS = sorted(READ_ONLY | EDITABLE, key=lambda model: model._meta.label)


def _entry() -> models.Model:
    record("x", by=SYSTEM, channel="web", object_type="x", object_id=uuid.uuid4().hex, label="x")
    return AuditEntry.objects.latest("pk")


def _drift_run() -> models.Model:
    return DriftRun.objects.create(task_ref=make.TaskFactory().pk, began_at=timezone.now())


def _finding() -> models.Model:
    run = _drift_run()
    values = {"kind": "ghost", "severity": 2, "first_run": run.pk, "since": timezone.now(), "in_database": True}
    return DriftFinding.objects.create(run=run, e164="+442079460958", customer=make.CustomerFactory(), **values)


def _staged() -> models.Model:
    row = make.TaskItemFactory()
    return StagedNumber.objects.create(task=row.task, e164=row.key, customer=make.CustomerFactory())


def _webhook() -> Webhook:
    return Webhook.objects.create(name=uuid.uuid4().hex, url="https://portal.example.net/")


def _delivery() -> Delivery:
    return Delivery.objects.create(webhook=_webhook(), uid=f"msg_{uuid.uuid4().hex}", body="{}")


def _attempt() -> models.Model:
    return Attempt.objects.create(delivery=_delivery(), at=timezone.now(), milliseconds=1)


ROW: dict[type[models.Model], Callable[[], models.Model]] = {
    User: make.UserFactory,
    Membership: lambda: Membership.objects.create(
        user=make.UserFactory(), role=Role.MONITOR, customer=make.CustomerFactory()
    ),
    ApiClient: lambda: clients.make(uuid.uuid4().hex, Role.MONITOR, by=SYSTEM, channel=Passage.COMMAND)[0],
    AuditEntry: _entry,
    Channel: make.ChannelFactory,
    Customer: lambda: make.CustomerFactory(channel=make.ChannelFactory()),
    CallingProfile: lambda: make.TrunkFactory(sbc=make.SBCFactory()).profile,
    CivicAddress: lambda: make.LocationFactory().civic_address,
    Location: make.LocationFactory,
    PhoneNumber: make.PhoneNumberFactory,
    ReleasedNumber: make.ReleasedNumberFactory,
    SipConnection: make.SipConnectionFactory,
    StagedNumber: _staged,
    DriftRun: _drift_run,
    DriftFinding: _finding,
    MicrosoftNumber: lambda: MicrosoftNumber.objects.create(
        e164=make.PhoneNumberFactory().e164, customer=make.CustomerFactory()
    ),
    UpstreamJob: lambda: UpstreamJob.objects.create(
        kind="upload", customer=make.CustomerFactory(), task=make.TaskFactory()
    ),
    SBC: make.SBCFactory,
    DialPlanRule: lambda: DialPlanRule.objects.create(sbc=make.SBCFactory(), prefix=uuid.uuid4().hex[:9]),
    Task: make.TaskFactory,
    TaskItem: make.TaskItemFactory,
    Webhook: _webhook,
    Delivery: _delivery,
    Attempt: _attempt,
}


def staff(user: User) -> Client:
    """A session of the person, who may open the admin."""
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(alice: User) -> Client:
    """Alice, Admin of the whole system, in the admin."""
    return staff(alice)


def url(model: type[models.Model] | models.Model, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def form_of(response: HttpResponse) -> dict[str, Any]:
    """The fields of the shown form with their values, inlines included, as a browser would send them."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = value if not isinstance(value, (list, dict)) else str(value).replace("'", '"')
    return data


def test_every_model_has_a_page_and_nothing_else_has() -> None:
    assert set(admin.site._registry) == set(MODELS) == set(ROW)


@pytest.mark.parametrize("model", MODELS)
def test_search_and_foreign_keys_scale(model: type[models.Model]) -> None:
    page = admin.site._registry[model]
    assert page.search_fields
    keys = {field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
    assert keys <= set(page.autocomplete_fields) | set(page.readonly_fields)
    for inline in page.inlines:
        keys = {f.name for f in inline.model._meta.concrete_fields if isinstance(f, models.ForeignKey)}
        used = keys & set(inline.fields or ())
        assert used <= set(inline.autocomplete_fields) | set(inline.readonly_fields)


@pytest.mark.parametrize("model", MODELS)
def test_pages_open_and_lists_cost_the_same_for_more_rows(root: Client, model: type[models.Model]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert root.get(url(model, "changelist"), {"q": "a"}).status_code == 200
            assert root.get(url(model, "changelist")).status_code == 200
        return len(caught)

    row = ROW[model]()
    root.get(url(model, "changelist"))
    few = queries()
    for _n in range(5):
        ROW[model]()
    assert queries() <= few
    assert root.get(url(model, "change", row.pk)).status_code == 200
    assert root.get(url(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("model", sorted(READ_ONLY, key=lambda model: model._meta.label))
def test_what_others_own_is_only_shown(root: Client, model: type[models.Model]) -> None:
    row = ROW[model]()
    assert root.get(url(model, "add")).status_code == 403
    assert root.post(url(model, "change", row.pk), {}).status_code == 403
    assert root.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    body = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    root.post(url(model, "changelist"), body)
    assert model._base_manager.filter(pk=row.pk).exists()
    shown = root.get(url(model, "change", row.pk)).text.split('id="content"')[1]
    assert not re.search(r'<(input(?! type="hidden")|select|textarea)\b', shown)


@pytest.mark.parametrize("model", MODELS)
def test_strangers_stay_outside(bob: User, charlie: User, model: type[models.Model]) -> None:
    row = ROW[model]()
    for client in (staff(bob), staff(charlie)):
        for page, args in (("changelist", ()), ("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
            assert client.get(url(model, page, *args)).status_code == 403


def test_the_door_is_for_staff(alice_client: Client) -> None:
    assert Client().get("/admin/").status_code == 302
    index = alice_client.get("/admin/", follow=True)
    assert index.status_code == 403


def test_a_monitor_of_the_whole_system_looks_but_does_not_touch(charlie: User) -> None:
    make.grant(charlie, Role.MONITOR)
    client = staff(charlie)
    number, sbc = make.PhoneNumberFactory(), make.SBCFactory()
    assert client.get(url(PhoneNumber, "change", number.pk)).status_code == 200
    assert client.post(url(PhoneNumber, "change", number.pk), {"note": "x", "tags": "[]"}).status_code == 403
    assert client.post(url(SBC, "delete", sbc.pk), {"post": "yes"}).status_code == 403
    assert client.get(url(Membership, "changelist")).status_code == 403
    assert client.get(url(User, "changelist")).status_code == 403


def test_an_operator_writes_notes_but_manages_nobody(charlie: User) -> None:
    make.grant(charlie, Role.OPERATOR)
    client = staff(charlie)
    number = make.PhoneNumberFactory()
    assert client.post(url(PhoneNumber, "change", number.pk), {"note": "x", "tags": "[]"}).status_code == 302
    assert client.get(url(Membership, "add")).status_code == 403
    assert client.post(url(User, "change", charlie.pk), {"is_superuser": "on"}).status_code == 403
    assert client.get(url(SBC, "add")).status_code == 403


def test_an_admin_of_one_place_gives_no_roles(charlie: User, contoso: Customer) -> None:
    make.grant(charlie, Role.ADMIN, customer=contoso)
    client = staff(charlie)
    data = {"user": charlie.pk, "role": "admin"}
    assert client.post(url(Membership, "add"), data).status_code == 403
    assert client.get(url(Customer, "change", contoso.pk)).status_code == 403
    assert charlie.memberships.count() == 1


def test_note_and_tags_of_a_number(root: Client, alice: User) -> None:
    number = make.PhoneNumberFactory(note="old")
    page = url(PhoneNumber, "change", number.pk)
    answer = root.post(page, {"note": "new", "tags": '["vip"]', "status": "2", "e164": "+1", "assignment_status": "x"})
    assert answer.status_code == 302
    changed = PhoneNumber.objects.get(pk=number.pk)
    assert (changed.note, changed.tags, changed.status, changed.e164) == ("new", ["vip"], 0, number.e164)
    assert changed.modified_at > number.modified_at
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_type, entry.object_id) == ("number.change", "number", number.e164)
    assert (entry.before, entry.after) == ({"note": "old", "tags": []}, {"note": "new", "tags": ["vip"]})
    assert (entry.actor, entry.channel, entry.customer_ref) == (alice, "admin", number.customer_id)
    for tags in ('{"a": 1}', '"vip"', "[1]", '[""]', "nonsense"):
        assert root.post(page, {"note": "new", "tags": tags}).status_code == 200
    root.post(page, {"note": "new", "tags": '["vip"]'})
    assert AuditEntry.objects.count() == 1
    assert root.get(url(PhoneNumber, "add")).status_code == 403
    assert root.get(url(PhoneNumber, "delete", number.pk)).status_code == 403


def test_a_change_leaves_other_columns_alone(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = make.CustomerFactory(full_name="Contoso")
    original = Customer.save

    def meanwhile(self: Customer, *args: Any, **kwargs: Any) -> None:
        Customer.objects.filter(pk=customer.pk).update(consent_status="suspended")
        original(self, *args, **kwargs)

    monkeypatch.setattr(Customer, "save", meanwhile)
    root.post(url(Customer, "change", customer.pk), {"full_name": "Contoso Ltd", "consent_status": "removed"})
    customer.refresh_from_db()
    assert (customer.full_name, customer.consent_status) == ("Contoso Ltd", "suspended")


def test_name_and_channel_of_a_customer(root: Client) -> None:
    customer, channel = make.CustomerFactory(full_name="Contoso"), make.ChannelFactory()
    page = url(Customer, "change", customer.pk)
    assert root.post(page, {"full_name": "Contoso Ltd", "channel": channel.pk}).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.customer_ref, entry.channel_ref) == ("customer.change", customer.pk, channel.pk)
    assert entry.before == {"full_name": "Contoso", "channel_id": None}
    assert entry.after == {"full_name": "Contoso Ltd", "channel_id": channel.pk}
    assert root.get(url(Customer, "add")).status_code == 403


def test_a_customer_with_numbers_stays(root: Client) -> None:
    customer = make.CustomerFactory()
    for _n in range(3):
        make.PhoneNumberFactory(customer=customer)
    page = url(Customer, "delete", customer.pk)
    sentence = "Nothing may refer to it any more, but there are 3: numbers."
    assert sentence in root.get(page).text
    assert sentence in root.post(page, {"post": "yes"}).text
    bulk = {"action": "delete_selected", "_selected_action": [customer.pk], "post": "yes"}
    assert sentence in root.post(url(Customer, "changelist"), bulk).text
    assert Customer.objects.filter(pk=customer.pk).exists()
    assert not AuditEntry.objects.exists()


def test_a_customer_without_numbers_goes_with_its_addresses(root: Client) -> None:
    customer = make.CustomerFactory(full_name="Contoso")
    make.LocationFactory(civic_address__customer=customer)
    assert root.post(url(Customer, "delete", customer.pk), {"post": "yes"}).status_code == 302
    assert not Customer.objects.filter(pk=customer.pk).exists()
    assert not Location.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before["full_name"], entry.after) == ("customer.delete", "Contoso", {})


def test_bulk_deletion_is_audited_row_by_row(root: Client) -> None:
    channels = [make.ChannelFactory(), make.ChannelFactory()]
    body = {"action": "delete_selected", "_selected_action": [row.pk for row in channels], "post": "yes"}
    assert root.post(url(Channel, "changelist"), body).status_code == 302
    assert not Channel.objects.exists()
    assert {e.label for e in AuditEntry.objects.filter(action="channel.delete")} == {row.name for row in channels}


def test_adding_is_audited(root: Client) -> None:
    fields = {"name": "SBC 1", "fqdn": "sbc1.example.net", "dial_plan": "OCDialPlan", "write_strategy": "csv_file"}
    root.post(url(SBC, "add"), fields)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.label, entry.before) == ("sbc.add", "SBC 1", {})
    assert entry.after["fqdn"] == "sbc1.example.net"


def test_the_sbc_of_a_trunk(root: Client) -> None:
    trunk, sbc = make.TrunkFactory(), make.SBCFactory()
    page = url(CallingProfile, "change", trunk.profile_id)
    data = form_of(root.get(page)) | {"trunks-0-sbc": sbc.pk, "name": "changed", "trunks-0-fqdn": "changed"}
    assert root.post(page, data).status_code == 302
    trunk.refresh_from_db()
    assert (trunk.sbc, trunk.fqdn != "changed", trunk.profile.name != "changed") == (sbc, True, True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == ("trunk.change", {"sbc_id": None}, {"sbc_id": sbc.pk})


def test_passwords_are_never_recorded(root: Client, alice: User) -> None:
    words = {"password1": "correct horse battery", "password2": "correct horse battery"}
    answer = root.post(url(User, "add"), {"username": "dave", "usable_password": "true", **words})
    assert answer.status_code == 302, answer.context["errors"]
    dave = User.objects.get(username="dave")
    again = {"password1": "staple battery horse", "password2": "staple battery horse", "usable_password": "true"}
    page = reverse("admin:auth_user_password_change", args=[dave.pk])
    assert root.post(page, again | {"set-password": "x"}).status_code == 302
    dave.refresh_from_db()
    assert dave.check_password("staple battery horse")
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [(entry.action, entry.object_id) for entry in entries] == [
        ("user.add", str(dave.pk)),
        ("user.password", str(dave.pk)),
    ]
    assert "password" not in str([(entry.before, entry.after) for entry in entries])
    assert dave.password not in str([vars(entry) for entry in entries])


def test_roles_are_given_and_taken_on_the_persons_page(root: Client, charlie: User, contoso: Customer) -> None:
    page = url(User, "change", charlie.pk)
    data = form_of(root.get(page))
    row = {"memberships-0-role": "monitor", "memberships-0-customer": contoso.pk, "memberships-0-user": charlie.pk}
    assert root.post(page, data | row | {"memberships-TOTAL_FORMS": 1}).status_code == 302
    assert charlie.memberships.get().customer == contoso
    entry = AuditEntry.objects.get(action="access.grant")
    assert (entry.object_type, entry.object_id, entry.customer_ref) == ("user", str(charlie.pk), contoso.pk)
    data = form_of(root.get(page)) | {"memberships-0-DELETE": "on"}
    assert root.post(page, data).status_code == 302
    assert not charlie.memberships.exists()
    assert AuditEntry.objects.filter(action="access.revoke", object_id=str(charlie.pk)).count() == 1


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "This person already has a role for the whole system."),
        ("channel", "This person already has a role for this channel."),
        ("customer", "This person already has a role for this customer."),
        ("channel customer", "Choose a channel or a customer, not both."),
    ],
)
def test_a_role_that_cannot_be_is_refused_in_words(root: Client, charlie: User, place: str, sentence: str) -> None:
    made = {"channel": make.ChannelFactory, "customer": make.CustomerFactory}
    places = {name: made[name]() for name in place.split()}
    if len(places) < 2:
        make.grant(charlie, Role.MONITOR, **places)
    before = charlie.memberships.count()
    data = {"user": charlie.pk, "role": "operator"} | {name: row.pk for name, row in places.items()}
    page = root.post(url(Membership, "add"), data).content.decode()
    assert sentence in page
    assert "membership_one" not in page
    assert charlie.memberships.count() == before


def test_a_role_in_two_places_is_refused_with_a_sentence(root: Client, charlie: User, contoso: Customer) -> None:
    channel = make.ChannelFactory()
    data = {"user": charlie.pk, "role": "monitor", "channel": channel.pk, "customer": contoso.pk}
    answer = root.post(url(Membership, "add"), data)
    assert answer.status_code == 200
    assert "Choose a channel or a customer, not both." in answer.text
    assert not charlie.memberships.exists()


def test_nobody_deletes_themselves(root: Client, alice: User) -> None:
    assert root.post(url(User, "delete", alice.pk), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_person_who_is_deleted_stays_in_the_trail(root: Client, charlie: User) -> None:
    assert root.post(url(User, "delete", charlie.pk), {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.get(action="user.delete").label == "charlie"


def test_autocomplete_finds_customers(root: Client, contoso: Customer) -> None:
    query = {"app_label": "numbers", "model_name": "sipconnection", "field_name": "customer", "term": "conto"}
    found = root.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [one["text"] for one in found] == ["Contoso"]


def test_big_lists_are_not_counted_to_the_end(monkeypatch: pytest.MonkeyPatch, root: Client) -> None:
    monkeypatch.setattr("ocadmin.access.admin.MOST_COUNTED", 2)
    for _n in range(3):
        make.PhoneNumberFactory()
    assert root.get(url(PhoneNumber, "changelist")).context["cl"].result_count == 2
