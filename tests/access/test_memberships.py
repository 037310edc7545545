"""What the database refuses as a role, and giving and taking roles with its trace in the audit trail."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ocadmin.access import services
from ocadmin.access.audit import Channel
from ocadmin.access.models import AuditEntry, Membership, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer
from tests.factories import ChannelFactory, CustomerFactory, UserFactory, grant

pytestmark = pytest.mark.django_db


def refused(**columns: Any) -> None:
    with pytest.raises(IntegrityError):
        _create(**columns)


@transaction.atomic
def _create(**columns: Any) -> None:
    Membership.objects.create(**columns)
    connection.check_constraints()  # foreign keys are checked at the end of a transaction


def test_one_role_per_person_and_place() -> None:
    person, channel, customer = UserFactory(), ChannelFactory(), CustomerFactory()
    for place in ({}, {"channel": channel}, {"customer": customer}):
        grant(person, Role.MONITOR, **place)
        refused(user=person, role=Role.ADMIN, **place)
        grant(UserFactory(), Role.MONITOR, **place)
    grant(person, Role.MONITOR, channel=ChannelFactory())
    grant(person, Role.MONITOR, customer=CustomerFactory())


def test_one_place_per_role() -> None:
    refused(user=UserFactory(), role=Role.MONITOR, channel=ChannelFactory(), customer=CustomerFactory())


@pytest.mark.parametrize("role", ["", "king", "Admin"])
def test_only_known_roles(role: str) -> None:
    refused(user=UserFactory(), role=role)


@pytest.mark.parametrize("place", [{"channel_id": 10**9}, {"customer_id": 10**9}])
def test_no_role_for_a_place_that_is_not_there(place: dict[str, int]) -> None:
    refused(user=UserFactory(), role=Role.MONITOR, **place)


def test_roles_go_with_their_place() -> None:
    channel, customer = ChannelFactory(), CustomerFactory()
    grant(UserFactory(), Role.MONITOR, channel=channel)
    grant(UserFactory(), Role.MONITOR, customer=customer)
    channel.delete()
    customer.delete()
    assert not Membership.objects.exists()


def test_a_grant_replaces_the_role_there_and_is_recorded(contoso: Customer, bob: User) -> None:
    place = {"customer": contoso}
    services.grant(bob, Role.LITE_OPERATOR, by=SYSTEM, channel=Channel.WEB, place=place)
    assert [row.role for row in bob.memberships.all()] == [Role.LITE_OPERATOR]
    entry = AuditEntry.objects.get(action="access.grant")
    assert (entry.before, entry.after) == ({"role": "operator"}, {"role": "lite"})
    assert (entry.object_type, entry.object_id, entry.customer_ref) == ("user", str(bob.pk), contoso.pk)
    services.grant(bob, Role.LITE_OPERATOR, by=SYSTEM, channel=Channel.WEB, place=place)
    assert AuditEntry.objects.count() == 1, "what changes nothing leaves no entry"


def test_a_grant_elsewhere_leaves_the_others(bob: User) -> None:
    services.grant(bob, Role.MONITOR, by=SYSTEM, channel=Channel.WEB)
    assert bob.memberships.count() == 2


def test_an_unknown_role_is_not_granted(bob: User) -> None:
    with pytest.raises(ValueError, match="no role called 'king'"):
        services.grant(bob, "king", by=SYSTEM, channel=Channel.WEB)


def test_a_revocation_is_recorded(contoso: Customer, bob: User) -> None:
    services.revoke(bob.memberships.get(), by=SYSTEM, channel=Channel.WEB)
    assert not bob.memberships.exists()
    entry = AuditEntry.objects.get(action="access.revoke")
    assert (entry.before, entry.after, entry.customer_ref) == ({"role": "operator"}, {}, contoso.pk)
