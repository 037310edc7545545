"""Rows for tests. Named people beat random ones: see conftest.py for Alice, Bob and Charlie."""

import uuid
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from ocadmin.access.models import Membership, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import (
    CallingProfile,
    Channel,
    CivicAddress,
    Customer,
    Location,
    PhoneNumber,
    ReleasedNumber,
    SipConnection,
    Trunk,
)
from ocadmin.tasks.models import Task, TaskItem
from sbc.models import SBC


class UserFactory(factory.django.DjangoModelFactory):
    """A person who can sign in with the password `secret`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    password = factory.django.Password("secret")


class ChannelFactory(factory.django.DjangoModelFactory):
    """A reseller."""

    class Meta:
        model = Channel

    name = factory.Sequence(lambda n: f"Channel {n}")


class CustomerFactory(factory.django.DjangoModelFactory):
    """A tenant with consent for Great Britain."""

    class Meta:
        model = Customer

    tenant_id = factory.LazyFunction(uuid.uuid4)
    full_name = factory.Sequence(lambda n: f"Customer {n}")
    consent_status = "active"
    consented_countries = ["GB"]


class SBCFactory(factory.django.DjangoModelFactory):
    """An SBC."""

    class Meta:
        model = SBC

    name = factory.Sequence(lambda n: f"SBC {n}")
    fqdn = factory.Sequence(lambda n: f"sbc{n}.example.net")


class CallingProfileFactory(factory.django.DjangoModelFactory):
    """A calling profile without trunks."""

    class Meta:
        model = CallingProfile

    id = factory.LazyFunction(uuid.uuid4)
    name = factory.Sequence(lambda n: f"Profile {n}")


class TrunkFactory(factory.django.DjangoModelFactory):
    """A trunk that ends on no SBC we know."""

    class Meta:
        model = Trunk

    profile = factory.SubFactory(CallingProfileFactory)
    fqdn = factory.Sequence(lambda n: f"trunk{n}.example.net")


class SipConnectionFactory(factory.django.DjangoModelFactory):
    """A customer's way from a profile to an SBC."""

    class Meta:
        model = SipConnection

    customer = factory.SubFactory(CustomerFactory)
    calling_profile = factory.SubFactory(CallingProfileFactory)
    sbc = factory.SubFactory(SBCFactory)


class CivicAddressFactory(factory.django.DjangoModelFactory):
    """A validated British address."""

    class Meta:
        model = CivicAddress

    id = factory.LazyFunction(uuid.uuid4)
    customer = factory.SubFactory(CustomerFactory)
    country = "GB"
    house_number = "10"
    street_name = factory.Sequence(lambda n: f"Example Street {n}")
    city = "London"
    postal_code = "SW1A 1AA"
    validation_status = "validated"


class LocationFactory(factory.django.DjangoModelFactory):
    """A place inside an address."""

    class Meta:
        model = Location

    id = factory.LazyFunction(uuid.uuid4)
    civic_address = factory.SubFactory(CivicAddressFactory)
    description = factory.Sequence(lambda n: f"Floor {n}")


class PhoneNumberFactory(factory.django.DjangoModelFactory):
    """An active, unassigned British number that came in by the API."""

    class Meta:
        model = PhoneNumber

    e164 = factory.Sequence(lambda n: f"+44207946{n:04d}")
    customer = factory.SubFactory(CustomerFactory)
    calling_profile = factory.SubFactory(CallingProfileFactory)
    status = Status.ACTIVE
    source = Source.WEB_API
    iso_country_code = "GB"
    assignment_status = "Unassigned"
    acquired_capabilities = ["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment"]
    available_capabilities = ["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment", "SharedCalling"]
    acquired_on = factory.LazyFunction(timezone.now)


class ReleasedNumberFactory(factory.django.DjangoModelFactory):
    """A number released now, quarantined for 45 days."""

    class Meta:
        model = ReleasedNumber

    e164 = factory.Sequence(lambda n: f"+44161496{n:04d}")
    customer = factory.SubFactory(CustomerFactory)
    iso_country_code = "GB"
    released_at = factory.LazyFunction(timezone.now)
    quarantine_until = factory.LazyAttribute(lambda row: row.released_at + timedelta(days=45))


class TaskFactory(factory.django.DjangoModelFactory):
    """A queued synchronisation."""

    class Meta:
        model = Task

    kind = "sync"
    title = "Synchronise all customers"
    channel = "web"


class TaskItemFactory(factory.django.DjangoModelFactory):
    """One number of a task."""

    class Meta:
        model = TaskItem

    task = factory.SubFactory(TaskFactory)
    key = factory.Sequence(lambda n: f"+4420794600{n:02d}")


def grant(user: User, role: str = Role.ADMIN, **place: Any) -> User:
    """Give a person a role: the whole system, or channel=… or customer=… . Returns the person."""
    Membership.objects.create(user=user, role=role, **place)
    return user
