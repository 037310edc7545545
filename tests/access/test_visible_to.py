"""Every queryset that knows `visible_to`: who sees which rows, and that a stranger's row is as good as missing."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from ocadmin.access.audit import record
from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Permission, Role
from ocadmin.access.principal import NOBODY, SYSTEM
from ocadmin.access.services import principal_of
from ocadmin.numbers.models import Customer, DriftFinding, DriftRun, Kind, Severity, UpstreamJob
from tests import factories as make

pytestmark = pytest.mark.django_db


def _audit_entry(customer: Customer) -> AuditEntry:
    record("x", by=SYSTEM, channel="web", object_type="x", object_id="1", customer_ref=customer.pk)
    return AuditEntry.objects.latest("pk")


def _profile(customer: Customer) -> Model:
    return make.PhoneNumberFactory(customer=customer).calling_profile


def _finding(customer: Customer) -> Model:
    run = DriftRun.objects.create(task_ref=1, began_at=timezone.now(), complete=True)
    return DriftFinding.objects.create(
        run=run,
        e164="+442079460958",
        kind=Kind.GHOST,
        severity=Severity.WARNING,
        customer=customer,
        since=run.began_at,
        first_run=run.pk,
        in_database=True,
    )


# One row of each model that belongs to a customer.
OWNED: dict[str, Callable[[Customer], Model]] = {
    "access.AuditEntry": _audit_entry,
    "tasks.Task": lambda customer: make.TaskFactory(customer_ref=customer.pk),
    "tasks.TaskItem": lambda customer: make.TaskItemFactory(customer_ref=customer.pk),
    "numbers.Customer": lambda customer: customer,
    "numbers.CallingProfile": _profile,
    "numbers.CivicAddress": lambda customer: make.CivicAddressFactory(customer=customer),
    "numbers.PhoneNumber": lambda customer: make.PhoneNumberFactory(customer=customer),
    "numbers.ReleasedNumber": lambda customer: make.ReleasedNumberFactory(customer=customer),
    "numbers.DriftFinding": _finding,
    "numbers.UpstreamJob": lambda customer: UpstreamJob.objects.create(customer=customer, kind="upload"),
    "numbers.SipConnection": lambda customer: make.SipConnectionFactory(customer=customer),
    "numbers.Location": lambda customer: make.LocationFactory(civic_address__customer=customer),
}
# Rows that no customer owns: only people of the whole system (or of the channel) see them.
SHARED: dict[str, Callable[[], Model]] = {
    "sbc.SBC": lambda: make.SBCFactory(),
    "sbc.DialPlanRule": lambda: apps.get_model("sbc.DialPlanRule").objects.create(
        sbc=make.SBCFactory(), prefix=uuid.uuid4().hex[:8]
    ),
    "webhooks.Webhook": lambda: apps.get_model("webhooks.Webhook").objects.create(name="x", url="https://x.example/"),
    "numbers.Channel": lambda: make.ChannelFactory(),
}
# Records that hold the customer's and the channel's number instead of a foreign key.
BY_REFERENCE = {"access.AuditEntry", "tasks.Task", "tasks.TaskItem"}


def _scoped() -> set[str]:
    return {model._meta.label for model in apps.get_models() if hasattr(model._default_manager.all(), "visible_to")}


def _rows(label: str) -> QuerySet[Any]:
    return apps.get_model(label)._default_manager.all()


def test_every_scoped_model_is_tested_here() -> None:
    assert _scoped() - set(OWNED) - set(SHARED) == set()


@pytest.mark.parametrize("label", sorted(set(OWNED) & _scoped()))
def test_each_person_sees_the_rows_of_their_customers(
    label: str, alice: User, bob: User, charlie: User, contoso: Customer
) -> None:
    his, other = OWNED[label](contoso), OWNED[label](make.CustomerFactory(full_name="Fabrikam"))
    rows = _rows(label).filter(pk__in=[his.pk, other.pk])
    assert set(rows.visible_to(principal_of(alice))) == {his, other}
    assert set(rows.visible_to(principal_of(bob))) == {his}
    assert not rows.visible_to(principal_of(charlie)).exists()
    assert not rows.visible_to(NOBODY).exists()


@pytest.mark.parametrize(
    "label", sorted(set(OWNED) & _scoped() - {"access.AuditEntry", "tasks.Task", "tasks.TaskItem"})
)
def test_a_channel_reaches_its_customers(label: str) -> None:
    channel = make.ChannelFactory()
    inside = OWNED[label](make.CustomerFactory(channel=channel))
    outside = OWNED[label](make.CustomerFactory(channel=make.ChannelFactory()))
    none = OWNED[label](make.CustomerFactory())
    person = principal_of(make.grant(make.UserFactory(), Role.MONITOR, channel=channel))
    assert set(_rows(label).filter(pk__in=[inside.pk, outside.pk, none.pk]).visible_to(person)) == {inside}


@pytest.mark.parametrize("label", sorted(BY_REFERENCE))
def test_a_channel_reaches_records_about_it(label: str) -> None:
    channel = make.ChannelFactory()
    person = principal_of(make.grant(make.UserFactory(), Role.MONITOR, channel=channel))
    if label == "access.AuditEntry":
        for ref in (channel.pk, channel.pk + 1):
            record("x", by=SYSTEM, channel="web", object_type="x", object_id="1", channel_ref=ref)
    elif label == "tasks.Task":
        make.TaskFactory(channel_ref=channel.pk)
        make.TaskFactory(channel_ref=channel.pk + 1)
    else:
        make.TaskItemFactory(channel_ref=channel.pk)
        make.TaskItemFactory(channel_ref=channel.pk + 1)
    assert [row.channel_ref for row in _rows(label).visible_to(person)] == [channel.pk]


@pytest.mark.parametrize("label", sorted(set(SHARED) & _scoped()))
def test_what_no_customer_owns_is_for_the_whole_system(label: str, alice: User, bob: User, charlie: User) -> None:
    row = SHARED[label]()
    assert row in _rows(label).visible_to(principal_of(alice))
    for person in (bob, charlie):
        assert not _rows(label).visible_to(principal_of(person)).exists()


@pytest.mark.parametrize("label", sorted(set(OWNED) & _scoped()))
def test_a_strangers_row_is_not_found(label: str, bob: User) -> None:
    other = OWNED[label](make.CustomerFactory(full_name="Fabrikam"))
    with pytest.raises(Http404):
        get_object_or_404(_rows(label).visible_to(principal_of(bob)), pk=other.pk)


def test_a_permission_narrows_the_rows(contoso: Customer) -> None:
    person = make.UserFactory()
    make.grant(person, Role.MONITOR)
    make.grant(person, Role.OPERATOR, customer=contoso)
    his, other = make.PhoneNumberFactory(customer=contoso), make.PhoneNumberFactory()
    principal = principal_of(person)
    assert set(_rows("numbers.PhoneNumber").visible_to(principal)) == {his, other}
    assert set(_rows("numbers.PhoneNumber").visible_to(principal, Permission.RELEASE)) == {his}
    assert not _rows("numbers.PhoneNumber").visible_to(principal, Permission.APPROVE_REMOVAL).exists()


def test_a_person_sees_the_tasks_they_started(bob: User) -> None:
    mine = make.TaskFactory(actor=bob)
    make.TaskFactory()
    assert list(_rows("tasks.Task").visible_to(principal_of(bob))) == [mine]


def test_rows_appear_once_however_many_grants_reach_them(contoso: Customer) -> None:
    channel = make.ChannelFactory()
    contoso.channel = channel
    contoso.save()
    person = make.UserFactory()
    make.grant(person, Role.OPERATOR, customer=contoso)
    make.grant(person, Role.MONITOR, channel=channel)
    make.PhoneNumberFactory(customer=contoso)
    make.PhoneNumberFactory(customer=contoso, calling_profile=make.CallingProfileFactory())
    principal = principal_of(person)
    assert _rows("numbers.PhoneNumber").visible_to(principal).count() == 2
    assert _rows("numbers.Customer").visible_to(principal).count() == 1


def test_released_numbers_keep_their_owner(bob: User, contoso: Customer) -> None:
    row = make.ReleasedNumberFactory(customer=contoso, released_at=timezone.now() - datetime.timedelta(days=900))
    assert list(_rows("numbers.ReleasedNumber").visible_to(principal_of(bob))) == [row]
